# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong on the host itself: its hosts file, its own firewall, its routes."""

from __future__ import annotations

from .base import INTERNAL4, INTERNAL6, Where, fault
from .tcp import WEB_PORTS


@fault(
    "hosts_override", "The host's hosts file sends the endpoint elsewhere (address=, default 203.0.113.250: nobody)."
)
def hosts_override(where: Where, address: str = "203.0.113.250") -> None:
    if where.endpoints is None:
        raise ValueError("fault hosts_override: say endpoint=")
    for host in where.hosts:
        for name in where.endpoints:
            where.table("hosts", host.name, {"name": name, "address": address})


@fault("local_block", "The host's own firewall forbids the connection: connect() fails at once with EACCES.")
def local_block(where: Where) -> None:
    ports = [where.port] if where.port is not None else list(WEB_PORTS)
    proto = "udp" if where.port in (53, 123) else "tcp"
    for host in where.hosts:
        where.table("route", host.name, {"action": "prohibit", "to": _to(where), "ports": ports, "proto": proto})


@fault(
    "no_route",
    "The host has no route: connect() fails at once with ENETUNREACH (everything, or the endpoint's addresses).",
)
def no_route(where: Where) -> None:
    for host in where.hosts:
        if where.endpoints is None:
            # Rules are tried in order: the way to other sites stays.
            spec = {"to": [INTERNAL4, INTERNAL6], "ports": None, "proto": "tcp"}
            where.table(
                "route", host.name, {"action": "unreachable", "to": ["all4", "all6"], "ports": None, "proto": "tcp"}
            )
            where.table("route", host.name, {"action": "lookup main", **spec})
        else:
            where.table("route", host.name, {"action": "unreachable", "to": _to(where), "ports": None, "proto": "tcp"})


@fault("root_missing", "The host lacks the service's root: nobody intercepts, and yet no certificate is trusted.")
def root_missing(where: Where) -> None:
    for host in where.hosts:
        where.table("trust", host.name, {"missing": True})


def _to(where: Where) -> list[str]:
    remotes = where.remotes()
    return ["all4", "all6"] if remotes is None else remotes
