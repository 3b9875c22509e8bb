# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Warm Mono processes for many hosts. A process belongs to circumstances that it cannot change: library, network,
clock, trust store; the registry comes with each call. Busy processes get company up to a limit, idle ones make room
for others."""

from __future__ import annotations

import pathlib
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from windows_double import csharp


@dataclass(frozen=True)
class Circumstances:
    """What one Mono process is started with."""

    library: pathlib.Path
    netns: str | None = None
    faketime: str | None = None
    home: str | None = None


@dataclass
class _Slot:
    worker: csharp.Worker
    circumstances: Circumstances
    busy: bool = True
    used: float = field(default_factory=time.monotonic)


class Pool:
    """Thread-safe. `limit` processes altogether, `each` for one set of circumstances."""

    def __init__(self, limit: int = 24, each: int = 4) -> None:
        self._limit = limit
        self._each = each
        self._slots: list[_Slot] = []
        self._starting: list[Circumstances] = []
        self._changed = threading.Condition()
        self._closed = False

    def call(
        self,
        circumstances: Circumstances,
        entry: str,
        params: Mapping[str, Any],
        api: Mapping[str, Any],
        registry: pathlib.Path,
        timeout: float,
    ) -> dict[str, Any]:
        """One call of an entry. Raises csharp.ModuleCrash."""
        slot = self._acquire(circumstances)
        healthy = False
        try:
            result = slot.worker.call(entry, params, api, timeout, registry)
            healthy = True
            return result
        finally:
            self._release(slot, healthy)

    def _acquire(self, circumstances: Circumstances) -> _Slot:
        evicted: list[_Slot] = []
        with self._changed:
            while True:
                if self._closed:
                    raise csharp.ModuleCrash("the double is closed")
                same = [slot for slot in self._slots if slot.circumstances == circumstances]
                for slot in same:
                    if not slot.busy:
                        slot.busy = True
                        return slot
                if len(same) + self._starting.count(circumstances) < self._each:
                    if len(self._slots) + len(self._starting) < self._limit:
                        break
                    idle = [slot for slot in self._slots if not slot.busy]
                    if idle:
                        oldest = min(idle, key=lambda slot: slot.used)
                        self._slots.remove(oldest)
                        evicted.append(oldest)
                        break
                self._changed.wait(1.0)
            self._starting.append(circumstances)
        try:
            for slot in evicted:
                slot.worker.close()
            worker = csharp.Worker(
                library=circumstances.library,
                netns=circumstances.netns,
                faketime=circumstances.faketime,
                home=pathlib.Path(circumstances.home) if circumstances.home else None,
            )
        except BaseException:
            with self._changed:
                self._starting.remove(circumstances)
            raise
        slot = _Slot(worker, circumstances)
        with self._changed:
            self._starting.remove(circumstances)
            self._slots.append(slot)
        return slot

    def _release(self, slot: _Slot, healthy: bool) -> None:
        with self._changed:
            slot.busy = False
            slot.used = time.monotonic()
            if not healthy and slot in self._slots:
                self._slots.remove(slot)
            self._changed.notify_all()
        if not healthy:
            slot.worker.close()

    def size(self) -> int:
        """Processes alive now."""
        with self._changed:
            return len(self._slots)

    def close(self) -> None:
        """End every process."""
        with self._changed:
            self._closed = True
            slots, self._slots = self._slots, []
            self._changed.notify_all()
        for slot in slots:
            slot.worker.close()
