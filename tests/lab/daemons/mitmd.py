# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A firewall's "deep inspection": ends the client's TLS with a forged certificate and opens its own outwards.

Two ports: one that inspects (forged leaf, signed by the CA given), one that only splices TCP (a transparent proxy:
every connect succeeds, whether or not there is a server).
"""

from __future__ import annotations

import select
import socket
import ssl
import struct
import sys
import threading
from pathlib import Path

from ..pki import Pki, leaf_for
from . import _control

_SO_ORIGINAL_DST = 80


class Inspector:
    def __init__(self, pki: Pki, ca: str, folder: Path) -> None:
        self.pki, self.ca, self.folder = pki, ca, folder
        self.contexts: dict[str, ssl.SSLContext] = {}
        self.lock = threading.Lock()
        self.upstream = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        # The lab's inspector passes broken servers on; what it breaks is the identity the client sees.
        self.upstream.check_hostname = False
        self.upstream.verify_mode = ssl.CERT_NONE

    def context(self, name: str) -> ssl.SSLContext:
        with self.lock:
            if name not in self.contexts:
                pair = leaf_for(self.pki, self.ca, name, self.folder)
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(pair.chain, pair.key)
                self.contexts[name] = context
            return self.contexts[name]

    def inspect(self, client: socket.socket, target: tuple[str, int]) -> None:
        asked: list[str] = []

        def choose(connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _context: ssl.SSLContext) -> None:
            asked.append(name or target[0])
            connection.context = self.context(name or "no-name.example")

        front = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        first = leaf_for(self.pki, self.ca, "no-name.example", self.folder)
        front.load_cert_chain(first.chain, first.key)
        front.sni_callback = choose
        with (
            front.wrap_socket(client, server_side=True) as inner,
            socket.create_connection(target, timeout=10) as raw,
            self.upstream.wrap_socket(raw, server_hostname=asked[0] if asked else None) as outer,
        ):
            relay(inner, outer)


def relay(left: socket.socket, right: socket.socket) -> None:
    """Copy both ways until one side ends."""
    other = {left: right, right: left}
    while True:
        pending = [s for s in other if isinstance(s, ssl.SSLSocket) and s.pending()]
        ready = pending or select.select(list(other), [], [], 60)[0]
        if not ready:
            return
        for sock in ready:
            # What made a TLS socket readable may be a session ticket and no data: never wait for data here.
            sock.setblocking(False)
            try:
                data = sock.recv(65536)
            except (ssl.SSLWantReadError, BlockingIOError):
                continue
            finally:
                sock.settimeout(60)
            if not data:
                return
            other[sock].sendall(data)


def splice(client: socket.socket, target: tuple[str, int]) -> None:
    with client, socket.create_connection(target, timeout=10) as server:
        relay(client, server)


def original(client: socket.socket) -> tuple[str, int]:
    """Where the client wanted to go before the firewall redirected it."""
    if client.family == socket.AF_INET6:
        data = client.getsockopt(41, _SO_ORIGINAL_DST, 28)
        return socket.inet_ntop(socket.AF_INET6, data[8:24]), struct.unpack("!H", data[2:4])[0]
    data = client.getsockopt(0, _SO_ORIGINAL_DST, 16)
    return socket.inet_ntop(socket.AF_INET, data[4:8]), struct.unpack("!H", data[2:4])[0]


def main() -> None:
    """Arguments: control socket, PKI folder, CA name, folder for forged leaves, the two ports, addresses."""
    control, pki, ca, folder, inspect_port, splice_port, *addresses = sys.argv[1:]
    inspector = Inspector(Pki(Path(pki)), ca, Path(folder))

    def handle(client: socket.socket, inspecting: bool) -> None:
        try:
            with client:
                client.settimeout(60)
                target = original(client)
                if inspecting:
                    inspector.inspect(client, target)
                else:
                    splice(client, target)
        except (OSError, ValueError):
            return

    def accept(listener: socket.socket, inspecting: bool) -> None:
        while True:
            client, _peer = listener.accept()
            threading.Thread(target=handle, args=(client, inspecting), daemon=True).start()

    for address in addresses:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        for port, inspecting in ((inspect_port, True), (splice_port, False)):
            listener = socket.create_server((address, int(port)), family=family, backlog=64)
            threading.Thread(target=accept, args=(listener, inspecting), daemon=True).start()
    _control.serve(control, lambda _request: True)
    threading.Event().wait()
