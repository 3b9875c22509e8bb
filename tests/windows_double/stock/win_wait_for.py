# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible.windows.win_wait_for: waits for a TCP port, with a real connection out of the host's namespace."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import time
from typing import Any

from windows_double import netns
from windows_double.host import Host
from windows_double.task import ModuleFailed, Task

NAME = "ansible.windows.win_wait_for"
BASIC = False
_RESOLVE = """import json, socket, sys
found = socket.getaddrinfo(sys.argv[1], None, type=socket.SOCK_STREAM)
print(json.dumps([info[4][0] for info in found]))
"""
#: Answers of a namespace's resolver are kept so long (s): a Python process for every wait of hundreds is dear.
_KEEP = 5.0
_KNOWN: dict[tuple[str, str], tuple[float, list[str]]] = {}


def run(host: Host, task: Task) -> dict[str, Any]:
    """state started or stopped of a port."""
    task.refuse("path", "exclude_hosts", "regex")
    state, port = task.args["state"], task.args["port"]
    if state == "drained" or port is None:
        task.refuse("state", "port", "timeout")
    target = task.args["host"] or "127.0.0.1"
    began = time.monotonic()
    time.sleep(task.args["delay"] or 0)
    attempts = 0
    while time.monotonic() - began < task.args["timeout"]:
        attempts += 1
        if _open(host, target, port, task.args["connect_timeout"]) == (state in ("started", "present")):
            return {"changed": False, "elapsed": time.monotonic() - began, "wait_attempts": attempts}
        time.sleep(task.args["sleep"])
    word = "start" if state in ("started", "present") else "stop"
    raise ModuleFailed(
        f"timeout while waiting for {target}:{port} to {word} listening",
        elapsed=time.monotonic() - began,
        wait_attempts=attempts,
    )


def _open(host: Host, target: str, port: int, timeout: float) -> bool:
    try:
        addresses = [target] if host.netns is None else _resolved(host.netns, target)
    except (OSError, subprocess.SubprocessError, ValueError):
        return False
    for address in addresses:
        with contextlib.suppress(OSError), netns.entered(host.netns):
            socket.create_connection((address, port), timeout).close()
            return True
    return False


def _resolved(space: str, name: str) -> list[str]:
    known = _KNOWN.get((space, name))
    if known and known[0] > time.monotonic():
        return known[1]
    command = ["ip", "netns", "exec", space, sys.executable, "-I", "-c", _RESOLVE, name]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    addresses: list[str] = json.loads(done.stdout)
    _KNOWN[(space, name)] = (time.monotonic() + _KEEP, addresses)
    return addresses
