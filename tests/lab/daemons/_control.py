# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the lab talks to its own daemons: one JSON object per connection on a Unix socket, answered by one JSON object.

The answer comes when the change is in force, so a test may go on at once.
"""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Callable
from typing import Any


def serve(path: str, handle: Callable[[Any], Any]) -> None:
    """Answer control requests in a thread; ``handle`` gets the decoded request. The socket appears when ready."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path + ".new")
    listener.listen(16)
    os.rename(path + ".new", path)

    def loop() -> None:
        while True:
            connection, _ = listener.accept()
            with connection:
                try:
                    request = json.loads(_all(connection))
                    reply: Any = {"ok": handle(request)}
                except Exception as error:
                    reply = {"error": repr(error)}
                connection.sendall(json.dumps(reply).encode())

    threading.Thread(target=loop, daemon=True, name="control").start()


def ask(path: str, request: Any, timeout: float = 5.0) -> Any:
    """Send one request; the daemon's answer. RuntimeError when the daemon says error."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(timeout)
        sock.connect(path)
        sock.sendall(json.dumps(request).encode())
        sock.shutdown(socket.SHUT_WR)
        reply = json.loads(_all(sock))
    if "error" in reply:
        raise RuntimeError(reply["error"])
    return reply["ok"]


def _all(sock: socket.socket) -> bytes:
    parts = []
    while part := sock.recv(65536):
        parts.append(part)
    return b"".join(parts)
