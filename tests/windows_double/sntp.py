# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real SNTP query, as the simulated W32Time service makes it. Also a program: it is run inside a host's namespace,
with its /etc.

    sntp.py SERVER…      prints one JSON list: per server {"server", "offset": s | null, "error": text | null}

Sockets carry the mark of the service, so that a simulated firewall can tell W32Time from other programs (see
outbound.py).
"""

from __future__ import annotations

import concurrent.futures
import json
import os
import socket
import struct
import subprocess
import sys
import time

SERVICE_MARK = 0x7732
TIMEOUT = 1.0
_SO_MARK = 36
_EPOCH = 2208988800


def ask(server: str) -> dict[str, object]:
    """One query: {"server", "offset", "error"}; offset is server minus this machine's clock, None without a usable
    answer."""
    try:
        return {"server": server, "offset": _offset(server), "error": None}
    except (OSError, ValueError) as error:
        return {"server": server, "offset": None, "error": f"{type(error).__name__}: {error}"[:200]}


def _offset(server: str) -> float:
    family, _, _, _, address = socket.getaddrinfo(server, 123, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, _SO_MARK, SERVICE_MARK)
        sock.settimeout(TIMEOUT)
        sock.connect(address)
        cookie = os.urandom(8)
        began = time.time()
        sock.send(b"\x23" + bytes(39) + cookie)
        reply = sock.recv(512)
        ended = time.time()
    if len(reply) < 48 or reply[24:32] != cookie:
        raise ValueError("not the answer to our question")
    leap, mode, stratum = reply[0] >> 6, reply[0] & 7, reply[1]
    if mode != 4 or leap == 3 or not 1 <= stratum <= 15:
        raise ValueError(f"not synchronised (mode {mode}, leap {leap}, stratum {stratum})")
    received, sent = (_seconds(reply[i : i + 8]) for i in (32, 40))
    return ((received - began) + (sent - ended)) / 2


def _seconds(stamp: bytes) -> float:
    whole, fraction = struct.unpack(">II", stamp)
    return float(int(whole) - _EPOCH + int(fraction) / 2**32)


def ask_all(servers: list[str]) -> list[dict[str, object]]:
    """All servers side by side, answers in the order of the question."""
    with concurrent.futures.ThreadPoolExecutor(max_workers=8) as pool:
        return list(pool.map(ask, servers))


def ask_from(netns: str | None, servers: list[str]) -> list[dict[str, object]]:
    """`ask_all` from a network namespace, with the name resolution that `ip netns exec` sets up there."""
    if not servers:
        return []
    if netns is None:
        return ask_all(servers)
    command = ["ip", "netns", "exec", netns, sys.executable, "-I", __file__, *servers]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    if done.returncode:
        return [{"server": name, "offset": None, "error": done.stderr[-200:]} for name in servers]
    answers: list[dict[str, object]] = json.loads(done.stdout)
    return answers


if __name__ == "__main__":
    print(json.dumps(ask_all(sys.argv[1:])))
