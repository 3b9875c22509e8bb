# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packets that do not arrive: firewalls that drop, refuse or forbid, services that are down."""

from __future__ import annotations

from .base import Where, fault

WEB_PORTS = (80, 443, 4443)
_VERDICTS = {
    "drop": "drop",
    "refused": "reject with tcp reset",
    "prohibited": "reject with icmpx type admin-prohibited",
    "unreachable": "reject with icmpx type host-unreachable",
}


def verdict(how: str) -> str:
    try:
        return _VERDICTS[how]
    except KeyError:
        raise ValueError(f"how={how!r}; one of {', '.join(_VERDICTS)}") from None


@fault("tcp_drop", "A firewall swallows TCP to the endpoint in silence.")
def tcp_drop(where: Where) -> None:
    where.filter("drop", where.tcp())


@fault("tcp_refused", "A firewall answers TCP to the endpoint with a reset.")
def tcp_refused(where: Where) -> None:
    where.filter(verdict("refused"), where.tcp())


@fault("tcp_prohibited", "A firewall answers with ICMP 'administratively prohibited'.")
def tcp_prohibited(where: Where) -> None:
    where.filter(verdict("prohibited"), where.tcp())


@fault("tcp_unreachable", "A router answers with ICMP 'host unreachable'.")
def tcp_unreachable(where: Where) -> None:
    where.filter(verdict("unreachable"), where.tcp())


@fault("ipv6_dead", "IPv6 goes nowhere (how=drop | refused | prohibited | unreachable) while IPv4 works.")
def ipv6_dead(where: Where, how: str = "drop") -> None:
    where.filter(verdict(how), where.tcp() if how == "refused" or where.port else "", versions=(6,))


@fault("service_down", "The service itself is dead for everybody (how=drop | refused | prohibited | unreachable).")
def service_down(where: Where, how: str = "drop") -> None:
    _everybody(where, "service_down")
    where.filter(verdict(how), where.tcp())


@fault("service_refused", "The service's machine is up, but nothing listens: everybody gets a reset from it.")
def service_refused(where: Where) -> None:
    _everybody(where, "service_refused")
    where.filter(verdict("refused"), where.tcp())


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
