# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS that is broken off, stalled, inspected or certified wrongly."""

from __future__ import annotations

from .. import web
from ..addresses import BY_NAME, VARIANT4, VARIANT6, WEB, Service
from . import path, tables
from .base import Where, fault

TLS_PORTS = (443, 4443)
INSPECT_PORT = {"corporate": 8443, "vendor": 8453}


def web_services(where: Where) -> tuple[Service, ...]:
    """The web services hit; ValueError when a named one is not a web service."""
    if where.endpoints is None:
        return WEB
    for name in where.endpoints:
        if name not in BY_NAME or BY_NAME[name].kind == "ntp":
            raise ValueError(f"{name} is no web service of the lab")
    return tuple(BY_NAME[name] for name in where.endpoints)


def tls_ports(where: Where) -> list[int]:
    """The TLS ports hit that at least one of the services has."""
    chosen = TLS_PORTS if where.port is None else (where.port,)
    return [port for port in chosen if any(port in service.ports for service in web_services(where))]


def replace(where: Where, port: int, *, services_port: int) -> None:
    """Have another server (variant address, ``port``) answer for the services that have ``services_port``."""
    names = tuple(service.name for service in web_services(where) if services_port in service.ports)
    if names:
        narrowed = Where(where.lab, where.number, where.host, where.site, names, services_port)
        narrowed.redirect(f"tcp dport {services_port}", f"{VARIANT4}:{port}", f"[{VARIANT6}]:{port}")


def variant(where: Where, name: str) -> None:
    """Let nginx's TLS variant answer on the services' TLS ports."""
    ports = tls_ports(where)
    if not ports:
        raise ValueError("none of the endpoints speaks TLS on that port")
    for port in ports:
        replace(where, web.PORT[name], services_port=port)


def odd(where: Where, what: str, *, plain: bool = False, **spec: object) -> None:
    """Let the odd server answer: on TLS ports, and with ``plain`` on port 80 too."""
    tls_port, plain_port = 24000 + where.number % 1000, 26000 + where.number % 1000
    where.table("odd", where.lab.inet, {"tls": tls_port, "plain": plain_port, "do": what, **spec})
    for port in tls_ports(where):
        replace(where, tls_port, services_port=port)
    if plain and where.port in (None, 80):
        replace(where, plain_port, services_port=80)


def inspect(where: Where, action: str) -> None:
    names = [service.name for service in web_services(where)] if where.endpoints is not None else []
    narrowed = Where(where.lab, where.number, where.host, where.site, None, where.port)
    path.put(narrowed, names=names, action=action)


@fault("tls_reset", "Something on the way resets the connection when it reads the name in the ClientHello.")
def tls_reset(where: Where) -> None:
    inspect(where, "reset")


@fault("tls_eof", "Something on the way ends the connection (FIN) when it reads the name in the ClientHello.")
def tls_eof(where: Where) -> None:
    inspect(where, "eof")


@fault("tls_stall", "Something on the way swallows the connection from the ClientHello on: no answer ever comes.")
def tls_stall(where: Where) -> None:
    inspect(where, "stall")


@fault("tls_not_tls", "Plain HTTP answers on the TLS port.")
def tls_not_tls(where: Where) -> None:
    for port in tls_ports(where):
        replace(where, web.HTTP_ON_TLS_PORT, services_port=port)


@fault("tls_alert", "The server answers the ClientHello with a fatal alert (alert=40).")
def tls_alert(where: Where, alert: int = 40) -> None:
    odd(where, "alert", alert=int(alert))


@fault("tls_garbage", "The server answers the ClientHello with random bytes.")
def tls_garbage(where: Where) -> None:
    odd(where, "soup")


@fault("tls_server_stall", "The server accepts and never answers the ClientHello.")
def tls_server_stall(where: Where) -> None:
    odd(where, "silent")


@fault(
    "tls_old",
    "The server only knows TLS 1.0 and 1.1: a client that wants 1.2 gets alert 70.",
)
def tls_old(where: Where) -> None:
    variant(where, "old_tls")


@fault("tls13_only", "The server only knows TLS 1.3 (an old client gets alert 70).")
def tls13_only(where: Where) -> None:
    variant(where, "tls13_only")


def _certificate(name: str, text: str) -> None:
    fault(f"cert_{name}", text)(lambda where: variant(where, name))


_certificate("expired", "The service's certificate expired three days ago.")
_certificate("not_yet_valid", "The service's certificate begins in three days.")
_certificate("self_signed", "The service shows a self-signed certificate with the right name.")
_certificate("wrong_name", "The certificate is for other.host.example.")
_certificate("unknown_issuer", "The certificate's root is one that nobody trusts.")
_certificate("incomplete", "The server does not send its intermediate certificate.")
_certificate("weak", "The certificate's key is RSA 1024.")


def divert(where: Where, ports: tuple[int, ...] | list[int], *, inspecting: bool, ca: str) -> None:
    """Send the place's connections to its gateway's own inspector."""
    if ca not in INSPECT_PORT:
        raise ValueError(f"ca={ca!r}; one of {', '.join(INSPECT_PORT)}")
    space, lab = where.place.netns, where.lab
    port = INSPECT_PORT[ca]
    four, six = (target.rsplit(":", 1)[0].strip("[]") for target in tables.daemon_targets(lab, space, port))
    lab.runtime.daemon(
        f"mitm-{ca}-{tables.short(lab, space)}", "mitmd", space,
        str(lab.pki.folder), ca, str(lab.runtime.folder / "forged"), str(port), str(port + 1), four, six,
    )  # fmt: skip
    target4, target6 = tables.daemon_targets(lab, space, port if inspecting else port + 1)
    where.redirect(f"tcp dport {{ {', '.join(map(str, ports))} }}", target4, target6)


@fault(
    "tls_intercepted",
    "The gateway inspects TLS with a forged certificate that the host does not trust (ca=corporate | vendor).",
)
def tls_intercepted(where: Where, ca: str = "corporate") -> None:
    where.need_site("tls_intercepted")
    divert(where, tls_ports(where) if where.endpoints else TLS_PORTS, inspecting=True, ca=ca)


@fault(
    "tls_intercepted_trusted",
    "As tls_intercepted, and the hosts trust the firm's inspection root (their trust_file has it).",
)
def tls_intercepted_trusted(where: Where, ca: str = "corporate") -> None:
    tls_intercepted(where, ca)
    root = where.lab.pki.corporate if ca == "corporate" else where.lab.pki.vendor
    for host in where.hosts:
        where.table("trust", host.name, {"root": str(root)})
