# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The double's log: what every test counts. One JSON object a line in the file, the same objects in memory.

Events: `request` (one HTTP request), `module` (one module execution), `error` (something that the double refused).
"""

from __future__ import annotations

import json
import pathlib
import threading
import time
from typing import Any


class EventLog:
    """Thread-safe; `requests=False` leaves the HTTP requests out (large benchmarks)."""

    def __init__(self, path: pathlib.Path | None = None, *, requests: bool = True) -> None:
        self._entries: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self._file = path.open("a", encoding="utf-8", buffering=1) if path else None
        self._requests = requests

    def add(self, event: str, host: str, **fields: Any) -> None:
        """Append one event. Every event carries `t` (POSIX seconds), `event` and `host`."""
        if event == "request" and not self._requests:
            return
        entry = {"t": round(time.time(), 4), "event": event, "host": host, **fields}
        with self._lock:
            self._entries.append(entry)
            if self._file:
                self._file.write(json.dumps(entry, ensure_ascii=False, default=str) + "\n")

    def entries(self, event: str | None = None, host: str | None = None) -> list[dict[str, Any]]:
        """A copy of the log, filtered."""
        with self._lock:
            return [
                e
                for e in self._entries
                if (event is None or e["event"] == event) and (host is None or e["host"] == host)
            ]

    def clear(self) -> None:
        """Forget the entries in memory (the file keeps them)."""
        with self._lock:
            self._entries.clear()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._file:
                self._file.close()
                self._file = None
