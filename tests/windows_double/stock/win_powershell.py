# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible.windows.win_powershell: there is no PowerShell here. A host's data may name scripts that it answers, all
others are refused."""

from __future__ import annotations

import datetime
import re
import time
from typing import Any

from windows_double.host import Host
from windows_double.task import NotModelled, Task

NAME = "ansible.windows.win_powershell"
BASIC = True


def run(host: Host, task: Task) -> dict[str, Any]:
    """Answers a script that one of the host's `scripts` patterns matches; `{utc_now}` and `{epoch}` in its output are
    the host's clock."""
    script = task.args["script"] or ""
    for pattern, answer in host.spec.scripts.items():
        if re.search(pattern, script):
            now = time.time() + host.clock_offset
            stamp = datetime.datetime.fromtimestamp(now, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            output = [
                str(item).replace("{utc_now}", stamp).replace("{epoch}", f"{now:.3f}")
                for item in answer.get("output", [])
            ]
            return {
                "changed": bool(answer.get("changed", False)),
                "output": output,
                "result": answer.get("result", {}),
                "error": [],
                "warning": [],
                "verbose": [],
                "debug": [],
                "information": [],
                "host_out": "",
                "host_err": "",
            }
    raise NotModelled(f"{NAME}: the host's data has no answer to this script")
