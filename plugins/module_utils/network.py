# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Section `network`: interfaces, resolvers, default route, hosts file, from /proc and /sys. Twin of Network.cs."""

from __future__ import annotations

import os
import socket
import typing as t

from ansible_collections.edefter.ready.plugins.module_utils import resolving
from ansible_collections.edefter.ready.plugins.module_utils.core import Data, Deadline, bound

MAX_INTERFACES = 32
_TYPES = {
    1: "ethernet",
    772: "loopback",
    512: "ppp",
    768: "tunnel",
    769: "tunnel",
    776: "tunnel",
    778: "tunnel",
    65534: "tunnel",
}


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(1 << 20)
    except OSError:
        return ""


def parse_routes4(text: str) -> t.List[t.Tuple[str, str]]:
    """(interface, gateway) of each default route in /proc/net/route."""
    found = []
    for line in text.splitlines()[1:]:
        words = line.split()
        if len(words) >= 8 and words[1] == "00000000" and words[7] == "00000000" and int(words[3], 16) & 1:
            found.append((words[0], socket.inet_ntop(socket.AF_INET, bytes.fromhex(words[2])[::-1])))
    return found


def parse_routes6(text: str) -> t.List[t.Tuple[str, str]]:
    """(interface, gateway) of each default route in /proc/net/ipv6_route, without the kernel's own reject routes."""
    found = []
    for line in text.splitlines():
        words = line.split()
        if len(words) < 10 or words[0] != "0" * 32 or words[1] != "00" or int(words[8], 16) & 0x200 or words[9] == "lo":
            continue
        found.append((words[9], socket.inet_ntop(socket.AF_INET6, bytes.fromhex(words[4]))))
    return found


def parse_addresses6(text: str) -> t.Dict[str, t.List[Data]]:
    """Addresses of each interface in /proc/net/if_inet6."""
    found: t.Dict[str, t.List[Data]] = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) == 6 and len(words[0]) == 32:
            address = socket.inet_ntop(socket.AF_INET6, bytes.fromhex(words[0]))
            found.setdefault(words[5], []).append({"address": address, "prefix": int(words[2], 16)})
    return found


def parse_addresses4(text: str) -> t.List[str]:
    """Local addresses in /proc/net/fib_trie (a leaf is followed by its `/32 host LOCAL`)."""
    found: t.List[str] = []
    last = ""
    for line in text.splitlines():
        words = line.split()
        if len(words) == 2 and words[0] == "|--":
            last = words[1]
        elif words[:3] == ["/32", "host", "LOCAL"] and last not in found:
            found.append(last)
    return found


def _address4(name: str) -> t.List[Data]:
    # One ioctl (SIOCGIFADDR, SIOCGIFNETMASK) an interface: its first IPv4 address. The others are for netlink only.
    try:
        import fcntl
    except ImportError:
        return []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        request = name.encode()[:15].ljust(256, b"\0")
        try:
            address = fcntl.ioctl(sock.fileno(), 0x8915, request)[20:24]
            mask = fcntl.ioctl(sock.fileno(), 0x891B, request)[20:24]
        except OSError:
            return []
    prefix = bin(int.from_bytes(mask, "big")).count("1")
    return [{"address": socket.inet_ntop(socket.AF_INET, address), "prefix": prefix}]


def _interfaces() -> t.List[Data]:
    routes = parse_routes4(_read("/proc/net/route")) + parse_routes6(_read("/proc/net/ipv6_route"))
    addresses6 = parse_addresses6(_read("/proc/net/if_inet6"))
    result: t.List[Data] = []
    try:
        names = sorted(name for _index, name in socket.if_nameindex())
    except OSError:
        return result
    for name in names[:MAX_INTERFACES]:
        kind = _read(f"/sys/class/net/{name}/type").strip()
        mtu = _read(f"/sys/class/net/{name}/mtu").strip()
        wireless = os.path.isdir(f"/sys/class/net/{name}/wireless")
        state = _read(f"/sys/class/net/{name}/operstate").strip()
        result.append(
            {
                "name": bound(name, 120),
                "description": None,
                "type": "wireless" if wireless else _TYPES.get(int(kind) if kind.isdigit() else -1, "other"),
                "up": state != "down" and state != "",
                "addresses": (_address4(name) + addresses6.get(name, []))[:32],
                "gateways": [gateway for interface, gateway in routes if interface == name][:8],
                "resolvers": [],
                "suffix": None,
                "dhcp": None,
                "mtu": int(mtu) if mtu.isdigit() else None,
            }
        )
    return result


def wanted_hosts(options: Data) -> t.Set[str]:
    """Every host that the options speak of, lower case."""
    result: t.Set[str] = set()
    for key in ("endpoints", "time_sources", "canaries"):
        for entry in options.get(key) or []:
            if entry.get("host"):
                result.add(str(entry["host"]).rstrip(".").lower())
    return result


def hosts_file(options: Data) -> Data:
    """hosts_file of docs/observation-endpoints.md."""
    entries, lines, error = resolving.hosts_entries()
    wanted = wanted_hosts(options)
    ours = [e for e in entries if any(name.rstrip(".").lower() in wanted for name in e["names"])]
    return {"path": resolving.HOSTS, "error": error, "lines": lines, "entries": ours[:64]}


def _suffixes() -> t.List[str]:
    found: t.List[str] = []
    for line in _read(resolving.RESOLV_CONF).splitlines():
        words = line.split()
        if words and words[0] in ("search", "domain"):
            found += [w for w in words[1:] if w not in found]
    return found[:16]


def _unique(values: t.Iterable[str]) -> t.List[str]:
    return list(dict.fromkeys(values))


def collect(options: Data, deadline: Deadline) -> Data:
    """network of docs/observation-endpoints.md."""
    interfaces = _interfaces()
    up = [i for i in interfaces if i["up"]]
    gateways = _unique(g for i in up for g in i["gateways"])
    return {
        "interfaces": interfaces,
        "resolvers": resolving.resolvers(),
        "gateways": gateways[:16],
        "default_route": {
            "4": bool(parse_routes4(_read("/proc/net/route"))),
            "6": bool(parse_routes6(_read("/proc/net/ipv6_route"))),
        },
        "suffixes": _suffixes(),
        "hosts_file": hosts_file(options),
        "name_policy": [],
        "tls_client": {"tls12": None, "tls13": None, "strong_crypto": None, "system_default": None},
    }
