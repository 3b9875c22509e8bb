# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names as the system turns them into addresses: its look-up, its resolvers, its hosts file. Twin of Resolving.cs."""

from __future__ import annotations

import socket
import time
import typing as t

from ansible_collections.edefter.ready.plugins.module_utils.core import Data, bound, fault_from, make_fault

RESOLV_CONF = "/etc/resolv.conf"
HOSTS = "/etc/hosts"
MAX_RESOLVERS = 8
MAX_FILE = 1 << 20


def outcome(error: t.Optional[Data] = None, elapsed_ms: t.Optional[float] = None) -> Data:
    """`system` of docs/observation-endpoints.md, without an address yet."""
    return {"addresses": [], "error": error, "elapsed_ms": elapsed_ms}


def system_lookup(host: str) -> Data:
    """What a program gets that simply connects: hosts file, caches, search order. Takes as long as it takes."""
    start = time.monotonic()
    result = outcome()
    try:
        for info in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM):
            address = str(info[4][0])
            if address not in result["addresses"]:
                result["addresses"].append(address)
    except (OSError, UnicodeError) as error:
        result["error"] = fault_from("dns", error)
    result["elapsed_ms"] = round((time.monotonic() - start) * 1000.0, 3)
    return result


def is_address(host: str) -> bool:
    """IPv4 in dotted form or IPv6 (a zone is allowed)."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host.split("%")[0])
            return True
        except (OSError, ValueError):
            continue
    return False


def _text_of(path: str) -> str:
    with open(path, "rb") as file:
        return file.read(MAX_FILE).decode("utf-8", "replace").lstrip("\ufeff")


def resolvers() -> t.List[str]:
    """Name servers of resolv.conf, in order, each once. Empty when the file is missing: then nothing is asked."""
    found: t.List[str] = []
    try:
        text = _text_of(RESOLV_CONF)
    except OSError:
        return found
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 2 and words[0] == "nameserver" and is_address(words[1]) and words[1] not in found:
            found.append(words[1])
    return found[:MAX_RESOLVERS]


def parse_hosts(text: str) -> t.List[Data]:
    """Entries {address, names, line} of a hosts file; lines without a valid address are left out as the system does."""
    entries: t.List[Data] = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split("#", 1)[0].split()
        if len(words) >= 2 and is_address(words[0]):
            entries.append({"address": words[0], "names": [bound(w, 255) for w in words[1:33]], "line": number})
    return entries


def hosts_entries() -> t.Tuple[t.List[Data], int, t.Optional[Data]]:
    """Entries of the hosts file, number of its lines, and the error that kept it from being read."""
    try:
        text = _text_of(HOSTS)
    except FileNotFoundError as error:
        return [], 0, make_fault("hosts_file", "not_found", error.errno, str(error))
    except OSError as error:
        return [], 0, fault_from("hosts_file", error)
    return parse_hosts(text), len(text.splitlines()), None


def hosts_for(entries: t.Iterable[Data], host: str) -> t.List[str]:
    """Addresses that hosts-file entries give a name."""
    wanted = host.rstrip(".").lower()
    result: t.List[str] = []
    for entry in entries:
        if any(name.rstrip(".").lower() == wanted for name in entry["names"]) and entry["address"] not in result:
            result.append(entry["address"])
    return result[:16]
