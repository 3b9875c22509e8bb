# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TCP servers that break a conversation half-way: two ports (TLS, plain) for each way of breaking it.

Control request: the list of listeners that shall exist, replacing the former ones:

    {"tls": port, "plain": port, "do": WHAT, "alert": n, "offset": s, "size": bytes, "seconds": f}

Before TLS: alert (a fatal alert after the ClientHello), soup (random bytes), silent, eof, reset, not_tls.
After TLS (or on the plain port): http_stall, http_empty, http_reset, http_soup, http_huge, http_drip, http_date.
"""

from __future__ import annotations

import os
import random
import socket
import ssl
import struct
import sys
import threading
import time
from email.utils import formatdate
from typing import Any

from . import _control

_dice = random.Random(443)
_BEFORE_TLS = ("alert", "soup", "silent", "eof", "reset", "not_tls")


class Odd:
    def __init__(self, chain: str, key: str, addresses: list[str]) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(chain, key)
        self.addresses = addresses
        self.open: dict[int, tuple[dict[str, Any], list[socket.socket]]] = {}

    def control(self, request: list[dict[str, Any]]) -> int:
        wanted = {spec["tls"]: spec for spec in request}
        for port in list(self.open):
            if self.open[port][0] != wanted.get(port):
                for listener in self.open.pop(port)[1]:
                    # close() alone would leave the thread in accept(), and the port taken.
                    listener.shutdown(socket.SHUT_RDWR)
                    listener.close()
        for port, spec in wanted.items():
            if port in self.open:
                continue
            listeners = []
            for address in self.addresses:
                family = socket.AF_INET6 if ":" in address else socket.AF_INET
                for number, tls in ((spec["tls"], True), (spec["plain"], False)):
                    listener = socket.create_server((address, number), family=family, backlog=64)
                    listeners.append(listener)
                    threading.Thread(target=self.accept, args=(listener, spec, tls), daemon=True).start()
            self.open[port] = (spec, listeners)
        return len(self.open)

    def accept(self, listener: socket.socket, spec: dict[str, Any], tls: bool) -> None:
        while True:
            try:
                connection, _peer = listener.accept()
            except OSError:
                return
            threading.Thread(target=self.guarded, args=(connection, spec, tls), daemon=True).start()

    def guarded(self, connection: socket.socket, spec: dict[str, Any], tls: bool) -> None:
        connection.settimeout(60)
        try:
            with connection:
                self.talk(connection, spec, tls)
        except (OSError, ValueError):
            return

    def talk(self, connection: socket.socket, spec: dict[str, Any], tls: bool) -> None:
        what = spec["do"]
        if what in _BEFORE_TLS:
            connection.recv(65536)
            before(connection, spec)
            return
        stream = self.context.wrap_socket(connection, server_side=True) if tls else connection
        request = b""
        while b"\r\n\r\n" not in request and len(request) < 65536:
            part = stream.recv(65536)
            if not part:
                return
            request += part
        after(stream, spec, request.startswith(b"HEAD "))
        if what == "http_reset":
            _reset(stream)
        elif what != "http_empty" and isinstance(stream, ssl.SSLSocket):
            # Say goodbye properly: what is wrong with this server is not its TLS.
            try:
                stream.settimeout(2)
                stream.unwrap()
            except (OSError, ValueError):
                return
        stream.close()


def before(connection: socket.socket, spec: dict[str, Any]) -> None:
    """Answer the first bytes of the client without TLS."""
    what = spec["do"]
    if what == "alert":
        connection.sendall(struct.pack("!BHHBB", 21, 0x0303, 2, 2, int(spec["alert"])))
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(2)
        connection.recv(65536)
    elif what == "soup":
        connection.sendall(os.urandom(_dice.randrange(1, 4000)))
    elif what == "silent":
        time.sleep(60)
    elif what == "reset":
        _reset(connection)
    elif what == "not_tls":
        connection.sendall(b"220 mail.example ESMTP\r\n")


def after(stream: socket.socket, spec: dict[str, Any], head_only: bool) -> None:
    """Answer a whole HTTP request, oddly."""
    what = spec["do"]
    body = b"<html><head><title>odd</title></head><body>odd</body></html>"
    if what == "http_stall":
        time.sleep(60)
    elif what == "http_soup":
        stream.sendall(os.urandom(_dice.randrange(1, 4000)))
    elif what == "http_huge":
        size = int(spec.get("size", 50_000_000))
        stream.sendall(f"HTTP/1.1 200 OK\r\nDate: {formatdate(usegmt=True)}\r\nContent-Length: {size}\r\n\r\n".encode())
        chunk = b"x" * 65536
        while size > 0 and not head_only:
            stream.sendall(chunk[: min(size, 65536)])
            size -= 65536
    elif what == "http_drip":
        for byte in b"HTTP/1.1 200 OK\r\n" + b"X-Drip: " + b"x" * 10000:
            stream.sendall(bytes([byte]))
            time.sleep(float(spec.get("seconds", 0.5)))
    elif what == "http_date":
        date = formatdate(time.time() + float(spec.get("offset", 0.0)), usegmt=True)
        head = f"HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: {date}\r\nContent-Length: {len(body)}\r\n"
        stream.sendall(
            head.encode() + b"Content-Type: text/html\r\nConnection: close\r\n\r\n" + (b"" if head_only else body)
        )


def _reset(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def main() -> None:
    """Arguments: control socket, certificate chain, key, addresses to listen on."""
    odd = Odd(sys.argv[2], sys.argv[3], sys.argv[4:])
    _control.serve(sys.argv[1], odd.control)
    threading.Event().wait()
