# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scheduled tasks of a simulated host: their files under %SystemRoot%\\System32\\Tasks, as Windows keeps them
(UTF-16, Task Scheduler XML)."""

from __future__ import annotations

import pathlib
import re

SYSTEM_ROOT = "SystemRoot"
_ENABLED = re.compile(r"(<Settings>.*?<Enabled>)(true|false)(</Enabled>)", re.DOTALL)
_XML = """<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.6" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo><URI>{uri}</URI></RegistrationInfo>
  <Triggers><CalendarTrigger><StartBoundary>2005-01-01T01:00:00</StartBoundary><Enabled>true</Enabled>
    <ScheduleByWeek><DaysOfWeek><Sunday /></DaysOfWeek><WeeksInterval>1</WeeksInterval></ScheduleByWeek>
  </CalendarTrigger></Triggers>
  <Settings><StartWhenAvailable>true</StartWhenAvailable><Enabled>{enabled}</Enabled></Settings>
  <Actions><Exec><Command>%windir%\\system32\\sc.exe</Command>
    <Arguments>start w32time task_started</Arguments></Exec></Actions>
</Task>
"""


def _file(root: pathlib.Path, path: str) -> pathlib.Path:
    parts = [part for part in path.split("\\") if part]
    if any(part in (".", "..") or "/" in part for part in parts):
        raise ValueError(f"not a task path: {path!r}")
    return root.joinpath(SYSTEM_ROOT, "System32", "Tasks", *parts)


def write(root: pathlib.Path, path: str, enabled: bool) -> None:
    """Create or replace a task's file."""
    file = _file(root, path)
    file.parent.mkdir(parents=True, exist_ok=True)
    text = _XML.format(uri=path, enabled=str(enabled).lower())
    scratch = file.with_name(f".{file.name}.new")
    scratch.write_text(text, encoding="utf-16")
    scratch.replace(file)


def enabled(root: pathlib.Path, path: str) -> bool | None:
    """True or False; None when there is no such task."""
    file = _file(root, path)
    if not file.is_file():
        return None
    match = _ENABLED.search(file.read_text(encoding="utf-16"))
    return match is None or match[2] == "true"


def delete(root: pathlib.Path, path: str) -> None:
    """Remove a task."""
    _file(root, path).unlink(missing_ok=True)
