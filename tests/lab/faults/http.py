# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Web servers and proxies that answer, but not with what was asked for."""

from __future__ import annotations

from .. import proxy, web
from ..addresses import PROXY4, PROXY6, PROXY_PORT, VARIANT4, VARIANT6
from . import tcp, tls
from .base import Where, fault


def _answer(where: Where, name: str) -> None:
    """nginx's variant answers: plain on port 80, with TLS on the TLS ports."""
    for port in tls.tls_ports(where):
        tls.replace(where, web.PORT[name], services_port=port)
    if where.port in (None, 80):
        tls.replace(where, web.PLAIN_PORT[name], services_port=80)


def _status(code: int, text: str) -> None:
    fault(f"http_{code}", f"The service answers {code} {text}.")(lambda where: _answer(where, f"http_{code}"))


_status(403, "Forbidden")
_status(404, "Not Found")
_status(407, "Proxy Authentication Required, though no proxy was asked")
_status(500, "Internal Server Error")
_status(502, "Bad Gateway")
_status(503, "Service Unavailable")
_status(511, "Network Authentication Required")


@fault(
    "http_block_page",
    "A firewall's block page with status 200 (on TLS ports with a certificate of the firewall's vendor).",
)
def http_block_page(where: Where) -> None:
    _answer(where, "block_page")


@fault("http_block_redirect", "A redirect to a firewall's block page on a private address.")
def http_block_redirect(where: Where) -> None:
    _answer(where, "block_redirect")


@fault(
    "captive_portal",
    "Every web page is redirected to a login page (https=drop | intercept: what 443 and 4443 do meanwhile).",
)
def captive_portal(where: Where, https: str = "drop") -> None:
    if https not in ("drop", "intercept"):
        raise ValueError("https=drop or https=intercept")
    port = web.PLAIN_PORT["captive"]
    where.redirect("tcp dport 80", f"{VARIANT4}:{port}", f"[{VARIANT6}]:{port}")
    if https == "drop":
        where.filter("drop", "tcp dport { 443, 4443 }")
    else:
        port = web.PORT["captive"]
        where.redirect("tcp dport { 443, 4443 }", f"{VARIANT4}:{port}", f"[{VARIANT6}]:{port}")


@fault("http_stall", "The service takes the request and never answers.")
def http_stall(where: Where) -> None:
    tls.odd(where, "http_stall", plain=True)


@fault("http_empty", "The service takes the request and closes.")
def http_empty(where: Where) -> None:
    tls.odd(where, "http_empty", plain=True)


@fault("http_reset", "The service takes the request and resets the connection.")
def http_reset(where: Where) -> None:
    tls.odd(where, "http_reset", plain=True)


@fault("http_garbage", "The service answers the request with random bytes.")
def http_garbage(where: Where) -> None:
    tls.odd(where, "http_soup", plain=True)


@fault("http_huge", "The service answers with a very long body (size=50000000).")
def http_huge(where: Where, size: int = 50_000_000) -> None:
    tls.odd(where, "http_huge", plain=True, size=int(size))


@fault("http_drip", "The service answers one byte at a time (seconds=0.5 apart), without end.")
def http_drip(where: Where, seconds: float = 0.5) -> None:
    tls.odd(where, "http_drip", plain=True, seconds=float(seconds))


@fault("http_date", "The service's Date header is off (offset= seconds).")
def http_date(where: Where, offset: float = 300.0) -> None:
    tls.odd(where, "http_date", plain=True, offset=float(offset))


# ---- the firm's proxy ------------------------------------------------------------------------------------------------


@fault("proxy_required", "Web ports are closed (how=drop | refused | …); only the proxy (lab.proxy_url) leads out.")
def proxy_required(where: Where, how: str = "drop") -> None:
    where.need_site("proxy_required")
    proxy.ensure(where.lab)
    tcp.block(where, how, tcp.WEB_PORTS)


def _to_proxy(where: Where) -> list[tuple[int, str]]:
    place = where.place
    found = [(4, f"{place.match4} ip daddr {PROXY4} tcp dport {PROXY_PORT}".strip())]
    if place.match6 is not None:
        found.append((6, f"{place.match6} ip6 daddr {PROXY6} tcp dport {PROXY_PORT}".strip()))
    return found


def _proxy_variant(where: Where, port: int) -> None:
    proxy.ensure(where.lab)
    texts = [
        f"{m} dnat {'ip6' if v == 6 else 'ip'} to {f'[{PROXY6}]' if v == 6 else PROXY4}:{port}"
        for v, m in _to_proxy(where)
    ]
    where.rules("nat", texts)


@fault("proxy_407", "The proxy wants a password (407, Basic).")
def proxy_407(where: Where) -> None:
    _proxy_variant(where, proxy.AUTH_PORT)


@fault("proxy_denied", "The proxy refuses CONNECT (403, X-Squid-Error: ERR_ACCESS_DENIED).")
def proxy_denied(where: Where) -> None:
    _proxy_variant(where, proxy.DENY_PORT)


@fault("proxy_dead", "The proxy's address swallows everything.")
def proxy_dead(where: Where) -> None:
    where.rules("filter", [f"{match} drop" for _version, match in _to_proxy(where)])


@fault("proxy_refused", "Nothing listens on the proxy's port.")
def proxy_refused(where: Where) -> None:
    where.rules("filter", [f"{match} reject with tcp reset" for _version, match in _to_proxy(where)])
