# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible.windows.win_ping."""

from __future__ import annotations

from typing import Any

from windows_double.host import Host
from windows_double.task import Task

NAME = "ansible.windows.win_ping"
BASIC = True


def run(host: Host, task: Task) -> dict[str, Any]:
    """Answers `data`."""
    if task.args["data"] == "crash":
        raise RuntimeError("boom")
    return {"changed": False, "ping": task.args["data"]}
