# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible.windows.win_command: the few system programs that a time playbook may run."""

from __future__ import annotations

import datetime
import shlex
import time
from typing import Any

from windows_double import programs
from windows_double.host import Host
from windows_double.task import ModuleFailed, NotModelled, Task

NAME = "ansible.windows.win_command"
BASIC = True
CHECK_MODE = False


def run(host: Host, task: Task) -> dict[str, Any]:
    """Runs one of programs.PROGRAMS; anything else is refused."""
    task.refuse("chdir", "creates", "removes", "stdin", "output_encoding_override")
    given = [name for name in ("_raw_params", "cmd", "argv") if task.args.get(name)]
    if len(given) != 1:
        raise ModuleFailed("one of the following is required: _raw_params, argv, cmd")
    line = task.args[given[0]]
    words = [str(word) for word in line] if given[0] == "argv" else shlex.split(line, posix=False)
    program = words[0].strip('"').rsplit("\\", 1)[-1].lower().removesuffix(".exe")
    if program not in programs.PROGRAMS:
        raise NotModelled(f"{NAME}: the double has no program {words[0]!r}")
    began = time.time()
    done = programs.PROGRAMS[program](host, [word.strip('"') for word in words[1:]])
    ended = time.time()
    result = {
        "changed": True,
        "cmd": " ".join(words),
        "rc": done.exit_code,
        "stdout": done.stdout,
        "stderr": done.stderr,
        "start": _stamp(began + host.clock_offset),
        "end": _stamp(ended + host.clock_offset),
        "delta": str(datetime.timedelta(seconds=ended - began)),
    }
    if done.exit_code:
        raise ModuleFailed("non-zero return code", **result)
    return result


def _stamp(moment: float) -> str:
    return datetime.datetime.fromtimestamp(moment, datetime.UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
