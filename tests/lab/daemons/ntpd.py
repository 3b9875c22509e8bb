# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time servers that are wrong in ways chrony cannot be made to be: one UDP port for each wrongness.

(A chronyd that must not touch the clock, ``-x``, cannot be stepped: it never serves another time than the machine's.)

Control request: the list of listeners that shall exist, replacing the former ones:

    {"port": int,
     "do": "skewed" | "kod" | "garbage" | "wrong_origin" | "far_root" | "stepping" | "bad_stratum" | "silent",
     "offset": s, "after": answers before it steps, "code": "RATE" | "DENY" | "RSTR", "leap": 0..3, "stratum": int}

An honest part stays honest: receive time is the kernel's stamp, send time is taken last, so a skew is exact to ~50 µs.
"""

from __future__ import annotations

import contextlib
import os
import random
import socket
import struct
import sys
import threading
import time
from typing import Any

from . import _control

_EPOCH = 2208988800
_SO_TIMESTAMPNS = 35
_dice = random.Random(123)


def stamp(seconds: float) -> bytes:
    """Seconds since 1970 as an NTP timestamp of whatever era (it wraps in 2036, as the real ones do)."""
    ticks = round((seconds + _EPOCH) * 2**32)
    return struct.pack("!Q", ticks & (2**64 - 1))


class Listener:
    def __init__(self, spec: dict[str, Any], addresses: list[str]) -> None:
        self.spec = spec
        self.answers = 0
        self.sockets = []
        for address in addresses:
            sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
            sock.bind((address, spec["port"]))
            sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
            self.sockets.append(sock)
            threading.Thread(target=self.serve, args=(sock,), daemon=True).start()

    def close(self) -> None:
        for sock in self.sockets:
            # Wakes the thread that is blocked in recvmsg.
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def serve(self, sock: socket.socket) -> None:
        while True:
            try:
                data, extra, _flags, peer = sock.recvmsg(1024, 128)
                if not data:
                    return
                arrived = time.time()
                for level, kind, value in extra:
                    if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS:
                        seconds, nanos = struct.unpack("qq", value[:16])
                        arrived = seconds + nanos / 1e9
                reply = self.reply(data, arrived)
                if reply is not None:
                    sock.sendto(reply, peer)
            except OSError:
                return

    def reply(self, data: bytes, arrived: float) -> bytes | None:
        spec, what = self.spec, self.spec["do"]
        self.answers += 1
        if what == "silent" or len(data) < 48:
            return None
        if what == "garbage":
            return os.urandom(_dice.choice((0, 1, 12, 47, 48, 68, 400)))
        version = (data[0] >> 3) & 7
        offset = float(spec.get("offset", 0.0))
        if what == "stepping" and self.answers <= int(spec.get("after", 2)):
            offset = 0.0
        leap, stratum, refid = int(spec.get("leap", 0)), int(spec.get("stratum", 2)), b"\x7f\x7f\x01\x01"
        delay = dispersion = 0x00000020
        origin = data[40:48]
        if what == "kod":
            leap, stratum, refid = 3, 0, str(spec.get("code", "RATE")).encode().ljust(4, b"\0")[:4]
        elif what == "wrong_origin":
            origin = os.urandom(8)
        elif what == "far_root":
            delay, dispersion = 5 << 16, 9 << 16
        elif what == "bad_stratum":
            stratum = 16
        head = struct.pack("!BBbb", leap << 6 | version << 3 | 4, stratum, 6, -20) + struct.pack(
            "!II", delay, dispersion
        )
        reference = stamp(arrived + offset - 8)
        return head + refid + reference + origin + stamp(arrived + offset) + stamp(time.time() + offset)


class Server:
    def __init__(self, addresses: list[str]) -> None:
        self.addresses = addresses
        self.listeners: dict[int, Listener] = {}

    def control(self, request: list[dict[str, Any]]) -> int:
        wanted = {spec["port"]: spec for spec in request}
        for port in list(self.listeners):
            if self.listeners[port].spec != wanted.get(port):
                self.listeners.pop(port).close()
        for port, spec in wanted.items():
            if port not in self.listeners:
                self.listeners[port] = Listener(spec, self.addresses)
        return len(self.listeners)


def main() -> None:
    """Arguments: control socket, addresses to listen on."""
    server = Server(sys.argv[2:])
    _control.serve(sys.argv[1], server.control)
    threading.Event().wait()
