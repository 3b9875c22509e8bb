# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a command costs: wall time, CPU of it and everything it started, and the peak memory of all of them together."""

from __future__ import annotations

import contextlib
import os
import pathlib
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Cost:
    """Seconds and megabytes of one command, memory at its peak. peak_mb: all its processes together, pages that they
    share counted once (PSS). main_mb: the command's own process, shared pages included (RSS)."""

    wall: float
    cpu: float
    peak_mb: float
    main_mb: float
    processes: int
    returncode: int
    output: str


def children(pid: int) -> list[int]:
    """The processes below pid, itself included."""
    found, queue = [], [pid]
    while queue:
        current = queue.pop()
        found.append(current)
        with contextlib.suppress(OSError):
            for task in pathlib.Path(f"/proc/{current}/task").iterdir():
                queue += [int(number) for number in (task / "children").read_text().split()]
    return found


def memory_mb(pids: Sequence[int]) -> float:
    """Proportional set size of processes: pages that several share count once."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError), open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as lines:
            total += next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
    return total / 1024


def resident_mb(pid: int) -> float:
    """Resident set size of one process; 0 when it is gone."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as lines:
        return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS:")), 0) / 1024
    return 0.0


class _Watch(threading.Thread):
    def __init__(self, pid: int, interval: float) -> None:
        super().__init__(daemon=True)
        self.peak = self.main = 0.0
        self.processes = 0
        self._pid, self._interval = pid, interval
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.wait(self._interval):
            pids = children(self._pid)
            self.peak = max(self.peak, memory_mb(pids))
            self.main = max(self.main, resident_mb(self._pid))
            self.processes = max(self.processes, len(pids))

    def end(self) -> None:
        self._ended.set()
        self.join()


def measured(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: pathlib.Path,
    output: pathlib.Path,
    limit: float = 1800.0,
    interval: float = 0.5,
) -> Cost:
    """Runs a command to its end. output: where what it prints goes. interval: seconds between two looks at memory.
    Raises TimeoutError after `limit` seconds."""
    with output.open("wb") as out:
        began = time.monotonic()
        process = subprocess.Popen(
            command, env=dict(env), cwd=cwd, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )
        watch = _Watch(process.pid, interval)
        watch.start()
        killer = threading.Timer(limit, lambda: os.killpg(process.pid, 9))
        killer.start()
        try:
            # The usage of this one child and all that it waited for; the doubles' processes are not among them.
            _pid, status, usage = os.wait4(process.pid, 0)
        finally:
            late = not killer.is_alive()
            killer.cancel()
            watch.end()
        wall = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
    text = output.read_text(encoding="utf-8", errors="replace")
    if late:
        raise TimeoutError(f"{command[0]} took longer than {limit:.0f} s; it said: {text[-2000:]}")
    return Cost(
        wall, usage.ru_utime + usage.ru_stime, watch.peak, watch.main, watch.processes, process.returncode, text
    )
