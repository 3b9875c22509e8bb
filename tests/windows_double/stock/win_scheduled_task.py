# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""community.windows.win_scheduled_task: switches an existing task on or off, or removes it. Creating tasks is not
modelled."""

from __future__ import annotations

from typing import Any

from windows_double import tasks
from windows_double.host import Host
from windows_double.task import ModuleFailed, NotModelled, Task

NAME = "community.windows.win_scheduled_task"
BASIC = False
_MODELLED = {"name", "path", "state", "enabled"}


def run(host: Host, task: Task) -> dict[str, Any]:
    """enabled and state of a task that is there."""
    task.refuse(*(set(task.args) - _MODELLED))
    name = task.args["name"]
    folder = "\\" + str(task.args["path"] or "\\").strip("\\")
    path = f"{folder.rstrip(chr(92))}\\{name}"
    result: dict[str, Any] = {"changed": False, "diff": {}}
    before = tasks.enabled(host.registry.root, path)
    if task.args["state"] == "absent":
        if before is not None:
            result["changed"] = True
            result["diff"] = {"prepared": f"-[Task]\n-{path}\n"}
            if not task.check:
                tasks.delete(host.writable().root, path)
        return result
    if before is None:
        if "actions" not in task.given:
            raise ModuleFailed(
                "cannot create a task with no actions, set at least one action with a path to an executable"
            )
        raise NotModelled(f"{NAME}: the double creates no tasks")
    wanted = task.args["enabled"]
    if wanted is not None and wanted != before:
        result["changed"] = True
        result["diff"] = {"prepared": f"[Settings]\n-Enabled={before}\n+Enabled={wanted}"}
        if not task.check:
            tasks.write(host.writable().root, path, wanted)
    return result
