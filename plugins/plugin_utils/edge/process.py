# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which process a run belongs to, and whether that very process still lives.

Edge: reads /proc. A process id alone says little, as ids come round again: its start and the boot are kept with it.
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
import socket
import typing as t

_PROC = pathlib.Path("/proc")


@dataclasses.dataclass(frozen=True)
class Process:
    """One process of one boot of one machine (or container: it has process ids of its own)."""

    host: str
    space: str
    pid: int
    started: str

    def lives(self) -> bool | None:
        """Whether it does; None when that cannot be seen from here (another machine or container)."""
        here = of(self.pid)
        if (self.host, self.space) != _place():
            return None
        return here is not None and here.started == self.started


def _place() -> tuple[str, str]:
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return socket.gethostname(), f"{boot} {os.readlink(_PROC / 'self/ns/pid')}"
    except OSError:
        return socket.gethostname(), ""


def of(pid: int) -> Process | None:
    """The process that has this id now; None when there is none, or no /proc."""
    try:
        fields = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    # A zombie has ended, its parent only has not noticed.
    if fields[0] in ("Z", "X"):
        return None
    return Process(*_place(), pid, fields[19])


def to_json(process: Process | None) -> dict[str, t.Any] | None:
    """As run.json keeps it."""
    return None if process is None else dataclasses.asdict(process)


def from_json(raw: t.Any) -> Process | None:
    """What run.json says; None for nothing that can be read so."""
    if not isinstance(raw, dict) or not isinstance(raw.get("pid"), int):
        return None
    return Process(str(raw.get("host")), str(raw.get("space")), raw["pid"], str(raw.get("started")))
