# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Resolvers that fail, lie or keep silent. Hit at the gateway (which intercepts port 53) or at the resolver."""

from __future__ import annotations

from typing import Any

from .. import addresses
from . import tables
from .base import Where, fault

_ICMP = {"host": "host-unreachable", "port": "port-unreachable", "admin": "admin-prohibited", "net": "no-route"}


def _resolver_match(where: Where, resolver: str | None, protocol: str) -> list[str]:
    """nft matches for the place's DNS traffic, to one resolver or to any."""
    place, found = where.place, []
    for version, prefix, who in ((4, "ip", place.match4), (6, "ip6", place.match6)):
        if who is None or (resolver is not None and (":" in resolver) != (version == 6)):
            continue
        to = f"{prefix} daddr {resolver}" if resolver else f"meta nfproto ipv{version}"
        found.append(f"{who} {to} {protocol} dport 53".strip())
    return found


def _names(where: Where) -> list[str] | None:
    """Any name is allowed here, a service's or not."""
    return None if where.endpoints is None else [name.lower().rstrip(".") for name in where.endpoints]


def _relay(where: Where, resolver: str | None, **spec: Any) -> None:
    """Send the place's questions through the faulty relay, which breaks those that fit."""
    space = where.place.netns
    sources = where.host_addresses
    where.table("dns", space, {"sources": sources, "names": _names(where), **spec})
    target4, target6 = tables.daemon_targets(where.lab, space, tables.DNS_PORT)
    texts = []
    for protocol in ("udp", "tcp"):
        for match in _resolver_match(where, resolver, protocol):
            six = "nfproto ipv6" in match or "ip6 daddr" in match
            texts.append(f"{match} dnat {'ip6' if six else 'ip'} to {target6 if six else target4}")
    where.rules("nat", texts)


@fault("dns_nxdomain", "The resolver says the name does not exist.")
def dns_nxdomain(where: Where, resolver: str | None = None) -> None:
    _relay(where, resolver, do="rcode", rcode=3)


@fault("dns_servfail", "The resolver answers SERVFAIL.")
def dns_servfail(where: Where, resolver: str | None = None) -> None:
    _relay(where, resolver, do="rcode", rcode=2)


@fault("dns_refused", "The resolver answers REFUSED.")
def dns_refused(where: Where, resolver: str | None = None) -> None:
    _relay(where, resolver, do="rcode", rcode=5)


@fault("dns_nodata", "The name exists, but has no address.")
def dns_nodata(where: Where, resolver: str | None = None) -> None:
    _relay(where, resolver, do="rcode", rcode=0)


@fault("dns_timeout", "The resolver never answers (for that name, or at all).")
def dns_timeout(where: Where, resolver: str | None = None) -> None:
    if where.endpoints is not None:
        _relay(where, resolver, do="silent")
        return
    where.rules("filter", [f"{m} drop" for p in ("udp", "tcp") for m in _resolver_match(where, resolver, p)])


@fault(
    "dns_unreachable",
    "The resolver cannot be reached: ICMP comes back (icmp=admin | port | host | net; Linux UDP hides the last two).",
)
def dns_unreachable(where: Where, resolver: str | None = None, icmp: str = "admin") -> None:
    if icmp not in _ICMP:
        raise ValueError(f"icmp={icmp!r}; one of {', '.join(_ICMP)}")
    texts = [
        f"{m} reject with icmpx type {_ICMP[icmp]}" for p in ("udp", "tcp") for m in _resolver_match(where, resolver, p)
    ]
    where.rules("filter", texts)


@fault("dns_slow", "The resolver answers late (seconds=1.5).")
def dns_slow(where: Where, resolver: str | None = None, seconds: float = 1.5) -> None:
    if not 0 <= seconds <= 20:
        raise ValueError("seconds must be between 0 and 20: the gateway forgets a question after 30")
    _relay(where, resolver, do="delay", seconds=float(seconds))


@fault("dns_garbage", "The resolver answers with random bytes.")
def dns_garbage(where: Where, resolver: str | None = None) -> None:
    _relay(where, resolver, do="garbage")


@fault(
    "dns_truncated",
    "Over UDP the answer is cut (TC=1); over TCP it is right. Healthy, but needs a client that retries.",
)
def dns_truncated(where: Where, resolver: str | None = None) -> None:
    _relay(where, resolver, do="truncated")


@fault("dns_lie", "The resolver answers with other addresses (addresses=[…]).")
def dns_lie(where: Where, addresses: list[str] | str, resolver: str | None = None) -> None:
    chosen = [addresses] if isinstance(addresses, str) else list(addresses)
    _relay(where, resolver, do="answer", addresses=chosen, types=[1, 28])


@fault("dns_sinkhole", "FortiGate's DNS filter: the block portal's address is answered.")
def dns_sinkhole(where: Where, resolver: str | None = None) -> None:
    dns_lie(where, [addresses.BLOCK_PORTAL4, addresses.BLOCK_PORTAL6], resolver)


@fault("dns_private", "A private address is answered (192.168.1.254: nobody there).")
def dns_private(where: Where, resolver: str | None = None) -> None:
    dns_lie(where, ["192.168.1.254"], resolver)


@fault("dns_loopback", "127.0.0.1 and ::1 are answered.")
def dns_loopback(where: Where, resolver: str | None = None) -> None:
    dns_lie(where, ["127.0.0.1", "::1"], resolver)


@fault("dns_zero", "0.0.0.0 and :: are answered, as ad-blocking resolvers do.")
def dns_zero(where: Where, resolver: str | None = None) -> None:
    dns_lie(where, ["0.0.0.0", "::"], resolver)


@fault("dns_differs", "Another genuine address is answered (a second data centre): looks odd, is fine.")
def dns_differs(where: Where, resolver: str | None = None) -> None:
    dns_lie(where, [addresses.MIRROR4, addresses.MIRROR6], resolver)


@fault("dns_hijack", "The address of somebody else's web server is answered.")
def dns_hijack(where: Where, resolver: str | None = None) -> None:
    dns_lie(where, [addresses.FOREIGN4, addresses.FOREIGN6], resolver)


@fault("dns_injected", "A forged answer (addresses=) overtakes the true one: two answers come to one question.")
def dns_injected(where: Where, addresses: list[str] | None = None) -> None:
    answers = addresses or ["203.0.113.200", "2001:db8:113::200"]
    for site in where.sites:
        where.table(
            "path",
            site.netns,
            {
                "hosts": where.host_addresses, "remotes": None, "ports": [53], "names": _names(where) or [],
                "action": "dns_inject", "answers": answers,
            },
        )  # fmt: skip
