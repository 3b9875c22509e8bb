# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packets that do not arrive: firewalls that drop, refuse or forbid, services that are down."""

from __future__ import annotations

from collections.abc import Sequence

from .base import INTERNAL6, Where, fault

WEB_PORTS = (80, 443, 4443)
_VERDICTS = {
    "drop": "drop",
    "refused": "reject with tcp reset",
    "prohibited": "reject with icmpx type admin-prohibited",
    "unreachable": "reject with icmpx type host-unreachable",
}
# ICMPv6 codes of "destination unreachable".
_CODES6 = {"prohibited": 1, "unreachable": 3}


def verdict(how: str) -> str:
    try:
        return _VERDICTS[how]
    except KeyError:
        raise ValueError(f"how={how!r}; one of {', '.join(_VERDICTS)}") from None


def block(where: Where, how: str, ports: Sequence[int] | None = None, versions: tuple[int, ...] = (4, 6)) -> None:
    """Keep TCP from arriving, in one of the ways of ``_VERDICTS``; on the fault's port, else ``ports``, else all.

    ICMPv6 errors come from the user-space router: sent by the kernel they would be there before connect() has let go of
    its socket, which then takes note only at the second SYN, a second later. No line is that fast.
    """
    text = verdict(how)
    if "icmpx" not in text:
        where.filter(text, where.tcp(ports), versions)
        return
    if 4 in versions:
        where.filter(text, where.tcp(ports), (4,))
    if 6 in versions and (where.host is None or where.host.address6):
        wanted = [where.port] if where.port is not None else list(ports) if ports is not None else None
        for site in where.sites:
            spec = {
                "hosts": [where.host.address6] if where.host else None,
                "remotes": where.remotes(), "ports": wanted, "version": 6, "protocol": 6, "except": [INTERNAL6],
                "action": "reject", "gateway": site.gateway6, "code": _CODES6[how],
            }  # fmt: skip
            where.table("path", site.netns, spec)


@fault("tcp_drop", "A firewall swallows TCP to the endpoint in silence.")
def tcp_drop(where: Where) -> None:
    block(where, "drop")


@fault("tcp_refused", "A firewall answers TCP to the endpoint with a reset.")
def tcp_refused(where: Where) -> None:
    block(where, "refused")


@fault("tcp_flaky", "One connection in every= is refused by a firewall (2: every second one), the others work.")
def tcp_flaky(where: Where, every: int = 2) -> None:
    transport = f"{where.tcp()} tcp flags & (syn | ack) == syn numgen inc mod {int(every)} 0"
    where.filter(verdict("refused"), transport)


@fault("tcp_prohibited", "A firewall answers with ICMP 'administratively prohibited'.")
def tcp_prohibited(where: Where) -> None:
    block(where, "prohibited")


@fault("tcp_unreachable", "A router answers with ICMP 'host unreachable'.")
def tcp_unreachable(where: Where) -> None:
    block(where, "unreachable")


@fault("ipv6_dead", "IPv6 goes nowhere (how=drop | refused | prohibited | unreachable) while IPv4 works.")
def ipv6_dead(where: Where, how: str = "drop") -> None:
    block(where, how, versions=(6,))


@fault("service_down", "The service itself is dead for everybody (how=drop | refused | prohibited | unreachable).")
def service_down(where: Where, how: str = "drop") -> None:
    _everybody(where, "service_down")
    block(where, how)


@fault("service_refused", "The service's machine is up, but nothing listens: everybody gets a reset from it.")
def service_refused(where: Where) -> None:
    _everybody(where, "service_refused")
    block(where, "refused")


@fault(
    "mtu_black_hole",
    "Packets above a size vanish without ICMP: connecting works, a server's certificate never arrives.",
)
def mtu_black_hole(where: Where, size: int = 1000) -> None:
    for site in where.sites:
        texts = []
        remotes = where.remotes()
        for version, prefix in ((4, "ip"), (6, "ip6")):
            whom = "" if where.host is None else (where.host.address if version == 4 else where.host.address6)
            if whom is None:
                continue
            chosen = None if remotes is None else [a for a in remotes if (":" in a) == (version == 6)]
            if chosen == []:
                continue
            far = f"meta nfproto ipv{version}" if chosen is None else f"{prefix} saddr {{ {', '.join(chosen)} }}"
            near = f"{prefix} daddr {whom}" if whom else 'iifname "wan"'
            port = f"tcp sport {where.port}" if where.port else "meta l4proto tcp"
            texts.append(f"{far} {near} {port} meta length > {int(size)} drop")
        where.rules("forward", texts, netns=site.netns)


@fault("transparent_proxy", "A gateway accepts every web connection itself, before it knows whether there is a server.")
def transparent_proxy(where: Where) -> None:
    from . import tls

    where.need_site("transparent_proxy")
    tls.divert(where, WEB_PORTS, inspecting=False, ca="corporate")


def _everybody(where: Where, name: str) -> None:
    if where.host is not None or where.site is not None:
        raise ValueError(f"fault {name} is everybody's; use tcp_drop or tcp_refused for a host or a site")
