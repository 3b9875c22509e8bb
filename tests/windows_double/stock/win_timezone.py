# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible.windows.win_timezone, through the same zone functions as tzutil."""

from __future__ import annotations

from typing import Any

from windows_double import zones
from windows_double.host import Host
from windows_double.task import ModuleFailed, Task

NAME = "ansible.windows.win_timezone"
BASIC = True


def run(host: Host, task: Task) -> dict[str, Any]:
    """Sets the zone; compares as the real module does, without regard to case."""
    wanted = task.args["timezone"]
    previous = zones.current(host.registry)
    result: dict[str, Any] = {
        "changed": False,
        "previous_timezone": previous,
        "timezone": wanted,
        "diff": {"before": f"{previous}\n", "after": f"{wanted}\n"},
    }
    if previous.lower() != wanted.lower():
        if not zones.known(host.registry, wanted):
            raise ModuleFailed(
                f"The specified timezone: {wanted} isn't supported on the machine.",
                previous_timezone=previous,
                timezone=wanted,
            )
        if not task.check:
            zones.put(host.writable(), wanted)
        result["changed"] = True
    return result
