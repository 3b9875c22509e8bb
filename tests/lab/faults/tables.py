# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of the state file that something else mirrors: a daemon's rules, a host's files, a host's routing.

``add`` and ``drop`` change a table and then *sync* each place concerned: the whole table of that place is pushed, so
the mirror never depends on the order of events, and what a killed test left is put right by the next sync.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .. import netns, topology
from ..addresses import VARIANT4, VARIANT6
from ..daemons import _control
from ..netns import LabError

if TYPE_CHECKING:
    from ..core import Lab

DNS_PORT = 10053
ROUTE_PREF = 1000
PATH_PREF = 2000
PATH_TABLE = 77


def add(lab: Lab, fault: int, kind: str, place: str, spec: dict[str, Any]) -> None:
    with lab.runtime.edit() as data:
        data.setdefault("tables", []).append({"fault": fault, "kind": kind, "place": place, "spec": spec})
    _sync(lab, kind, place)


def drop(lab: Lab, fault: int) -> None:
    with lab.runtime.edit() as data:
        rows = data.get("tables", [])
        gone = sorted({(row["kind"], row["place"]) for row in rows if row["fault"] == fault})
        data["tables"] = [row for row in rows if row["fault"] != fault]
    for kind, place in gone:
        _sync(lab, kind, place)


def _sync(lab: Lab, kind: str, place: str) -> None:
    with lab.runtime.lock("sync"):
        _push(lab, kind, place)


def _push(lab: Lab, kind: str, place: str) -> None:
    rows = [row for row in lab.runtime.read().get("tables", []) if row["kind"] == kind and row["place"] == place]
    # The newest fault decides first.
    _SYNC[kind](lab, place, [row["spec"] for row in reversed(rows)])


def _gateway_addresses(lab: Lab, space: str) -> list[str]:
    """Where a namespace's daemon listens: the gateway's LAN addresses, or the service side's variant addresses."""
    if space == lab.inet:
        return [VARIANT4, VARIANT6]
    for site in lab.sites.values():
        if site.netns == space:
            return [site.gateway4, site.gateway6]
    raise LabError(f"{space} is no gateway of lab {lab.name}")


def daemon_targets(lab: Lab, space: str, port: int) -> tuple[str, str]:
    """``address:port`` of a daemon in that namespace, IPv4 and IPv6, as nft's dnat wants it."""
    four, six = _gateway_addresses(lab, space)
    return f"{four}:{port}", f"[{six}]:{port}"


def short(lab: Lab, space: str) -> str:
    return space.removeprefix(lab.prefix)


def _dns(lab: Lab, space: str, specs: list[dict[str, Any]]) -> None:
    where = _gateway_addresses(lab, space)
    path = lab.runtime.daemon(f"dnsd-{short(lab, space)}", "dnsd", space, str(DNS_PORT), *where)
    _control.ask(str(path), specs)


def _ntp(lab: Lab, space: str, specs: list[dict[str, Any]]) -> None:
    path = lab.runtime.daemon("ntpd", "ntpd", space, *_gateway_addresses(lab, space))
    _control.ask(str(path), specs)


def _odd(lab: Lab, space: str, specs: list[dict[str, Any]]) -> None:
    pair = lab.pki.pair("genuine")
    path = lab.runtime.daemon(
        "oddsrv", "oddsrv", space, str(pair.chain), str(pair.key), *_gateway_addresses(lab, space)
    )
    _control.ask(str(path), specs)


def _path(lab: Lab, space: str, specs: list[dict[str, Any]]) -> None:
    """The user-space router of a gateway: started at its first fault, out of the path (not ended) after the last."""
    site = next(site for site in lab.sites.values() if site.netns == space)
    lan = [site.lan4, f"2001:db8:a{site.number:03x}::/64"]
    label = f"pathd-{site.name}"
    path = lab.runtime.daemon(label, "pathd", space, "path0", *lan)
    # Packets come to the router before translation and go on as if they had come from the LAN: each is tracked (and so
    # translated) once, on the side where a gateway without the router would do it.
    notrack, lines = [], []
    if specs:
        for version, net in ((4, lan[0]), (6, lan[1])):
            hosts = sorted({h for spec in specs for h in spec["hosts"] or () if (":" in h) == (version == 6)})
            mine = [spec for spec in specs if spec.get("version") in (None, version)]
            everyone = any(spec["hosts"] is None for spec in mine)
            family = "" if version == 4 else "-6 "
            for host in [net] if everyone else hosts:
                for selector in (f"iif br0 from {host}", f"iif wan to {host}", f"iif lo to {host}"):
                    # What is for the gateway itself stays so: the local table comes first.
                    lines.append(f"{family}rule add pref {PATH_PREF} {selector} lookup {PATH_TABLE}")
                prefix = "ip" if version == 4 else "ip6"
                notrack.append(f'iifname "br0" {prefix} saddr {host} notrack')
                notrack.append(f'iifname "path0" {prefix} daddr {host} notrack')
    _clear_rules(space, PATH_PREF)
    setup = []
    if specs:
        setup = ["link set path0 up", f"route replace default dev path0 table {PATH_TABLE}",
                 f"-6 route replace default dev path0 table {PATH_TABLE}"]  # fmt: skip
    netns.ip_batch(space, setup + lines)
    netns.tool(["nft", "-f", "-"], netns=space, text="\n".join(
        ["flush chain inet lab path", *(f"add rule inet lab path {text}" for text in notrack)]) + "\n")  # fmt: skip
    _control.ask(str(path), specs)


def _clear_rules(space: str, pref: int) -> None:
    for family in ("-4", "-6"):
        shown = netns.tool(["ip", family, "rule", "show"], netns=space)
        for line in shown.splitlines():
            if line.startswith(f"{pref}:"):
                netns.tool(["ip", family, "rule", "del", "pref", str(pref)], netns=space)


def _hosts(lab: Lab, name: str, specs: list[dict[str, Any]]) -> None:
    host = lab.host(name)
    lines = topology.hosts_lines(host)
    lines += [f"{spec['address']} {spec['name']}" for spec in specs]
    # In place: the file is bind-mounted into running processes' /etc.
    host.hosts_file.write_text("".join(line + "\n" for line in lines))


def _trust(lab: Lab, name: str, specs: list[dict[str, Any]]) -> None:
    from pathlib import Path

    missing = any(spec.get("missing") for spec in specs)
    added = [Path(spec["root"]) for spec in specs if spec.get("root")]
    topology.set_trust(lab.host(name), [lab.pki.other if missing else lab.ca_file, *added])


def _route(lab: Lab, name: str, specs: list[dict[str, Any]]) -> None:
    """Policy rules in the host: what the kernel itself refuses (prohibit: EACCES, unreachable: ENETUNREACH)."""
    host = lab.host(name)
    _clear_rules(host.netns, ROUTE_PREF)
    lines = []
    for spec in specs:
        for target in spec["to"]:
            version = 4 if target == "all4" else 6 if target == "all6" else ipaddress.ip_network(target).version
            family = "" if version == 4 else "-6 "
            to = "" if target in ("all4", "all6") else f"to {target} "
            for port in spec["ports"] or [None]:
                match = f"ipproto {spec['proto']} dport {port} " if port else ""
                lines.append(f"{family}rule add pref {ROUTE_PREF} {to}{match}{spec['action']}")
    netns.ip_batch(host.netns, lines)


_SYNC: dict[str, Callable[[Lab, str, list[dict[str, Any]]], None]] = {
    "dns": _dns, "ntp": _ntp, "odd": _odd, "path": _path, "hosts": _hosts, "trust": _trust, "route": _route,
}  # fmt: skip
