# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A DNS relay that answers chosen questions wrongly and passes the rest to the true resolver (UDP and TCP).

Control request: a list of rules; the first that fits decides:

    {"sources": [addresses] | null, "names": [names] | null, "types": [qtype] | null,
     "do": "rcode" | "answer" | "silent" | "delay" | "garbage" | "truncated",
     "rcode": int, "addresses": [..], "seconds": f, "resolvers": [..] is handled by the redirect, not here}
"""

from __future__ import annotations

import os
import random
import socket
import struct
import sys
import threading
import time
from typing import Any

from . import _control
from .dnswire import Question, answer, question

UPSTREAM = ("198.51.100.53", 53)
_dice = random.Random(53)


class Relay:
    def __init__(self) -> None:
        self.rules: list[dict[str, Any]] = []

    def control(self, request: list[dict[str, Any]]) -> int:
        self.rules = request
        return len(request)

    def rule(self, source: str, asked: Question) -> dict[str, Any] | None:
        for rule in self.rules:
            if rule.get("sources") is not None and source not in rule["sources"]:
                continue
            if rule.get("names") is not None and asked.name not in rule["names"]:
                continue
            if rule.get("types") is not None and asked.qtype not in rule["types"]:
                continue
            return rule
        return None

    def reply(self, data: bytes, source: str, stream: bool) -> bytes | None:
        """The bytes to send back, or None for silence."""
        asked = question(data)
        rule = self.rule(source, asked) if asked is not None else None
        if asked is None or rule is None:
            return upstream(data, stream)
        what = rule["do"]
        if what == "rcode":
            return answer(asked, int(rule.get("rcode", 0)))
        if what == "answer":
            return answer(asked, 0, tuple(rule["addresses"]), ttl=int(rule.get("ttl", 60)))
        if what == "delay":
            time.sleep(float(rule["seconds"]))
            return upstream(data, stream)
        if what == "garbage":
            # Some soup keeps the id, so that a client has to look further than that.
            return (asked.ident if _dice.random() < 0.5 else b"") + os.urandom(_dice.randrange(0, 600))
        if what == "truncated" and not stream:
            return answer(asked, 0, truncated=True)
        return upstream(data, stream) if what == "truncated" else None


def upstream(data: bytes, stream: bool) -> bytes | None:
    try:
        if stream:
            with socket.create_connection(UPSTREAM, timeout=3) as tcp:
                tcp.sendall(struct.pack("!H", len(data)) + data)
                return _read(tcp)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.settimeout(3)
            udp.connect(UPSTREAM)
            udp.send(data)
            return udp.recv(65535)
    except OSError:
        return None


def _read(tcp: socket.socket) -> bytes | None:
    head = _exactly(tcp, 2)
    return None if head is None else _exactly(tcp, struct.unpack("!H", head)[0])


def _exactly(tcp: socket.socket, size: int) -> bytes | None:
    parts = b""
    while len(parts) < size:
        part = tcp.recv(size - len(parts))
        if not part:
            return None
        parts += part
    return parts


def _serve_udp(relay: Relay, sock: socket.socket) -> None:
    while True:
        data, peer = sock.recvfrom(65535)

        def work(data: bytes = data, peer: Any = peer) -> None:
            reply = relay.reply(data, peer[0], stream=False)
            if reply is not None:
                sock.sendto(reply, peer)

        threading.Thread(target=work, daemon=True).start()


def _serve_tcp(relay: Relay, listener: socket.socket) -> None:
    def work(connection: socket.socket, source: str) -> None:
        with connection:
            connection.settimeout(10)
            try:
                while (data := _read(connection)) is not None:
                    reply = relay.reply(data, source, stream=True)
                    if reply is None:
                        time.sleep(10)
                        return
                    connection.sendall(struct.pack("!H", len(reply)) + reply)
            except OSError:
                return

    while True:
        connection, peer = listener.accept()
        threading.Thread(target=work, args=(connection, peer[0]), daemon=True).start()


def main() -> None:
    """Arguments: control socket, port, addresses to listen on."""
    control, port, addresses = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    relay = Relay()
    for address in addresses:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        udp = socket.socket(family, socket.SOCK_DGRAM)
        udp.bind((address, port))
        tcp = socket.create_server((address, port), family=family, backlog=64)
        threading.Thread(target=_serve_udp, args=(relay, udp), daemon=True).start()
        threading.Thread(target=_serve_tcp, args=(relay, tcp), daemon=True).start()
    _control.serve(control, relay.control)
    threading.Event().wait()
