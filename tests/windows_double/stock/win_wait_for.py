# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible.windows.win_wait_for: waits for a TCP port, with a real connection out of the host's namespace."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from typing import Any

from windows_double.host import Host
from windows_double.task import ModuleFailed, Task

NAME = "ansible.windows.win_wait_for"
BASIC = False
_CONNECT = "import socket, sys\nsocket.create_connection((sys.argv[1], int(sys.argv[2])), float(sys.argv[3])).close()"


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
    if host.netns is None:
        try:
            socket.create_connection((target, port), timeout).close()
        except OSError:
            return False
        return True
    command = ["ip", "netns", "exec", host.netns, sys.executable, "-I", "-c", _CONNECT, target, str(port), str(timeout)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
