# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The double's log: what every test counts. One JSON object a line in the file, the same objects in memory.

Events: `request` (one HTTP request), `module` (one module execution), `error` (something that the double refused).
"""

from __future__ import annotations

import collections
import json
import pathlib
import threading
import time
from typing import Any

#: Events kept in memory: enough for every test, and a soak of hours does not grow.
KEPT = 200_000


class EventLog:
    """Thread-safe; `requests=False` leaves the HTTP requests out (large benchmarks)."""

    def __init__(self, path: pathlib.Path | None = None, *, requests: bool = True) -> None:
        self._entries: collections.deque[dict[str, Any]] = collections.deque(maxlen=KEPT)
        self._seen: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._file = path.open("a", encoding="utf-8", buffering=1) if path else None
        self._requests = requests

    def add(self, event: str, host: str, **fields: Any) -> None:
        """Append one event. Every event carries `t` (POSIX seconds), `event` and `host`."""
        if event == "request" and not self._requests:
            return
        entry = {"t": round(time.time(), 4), "event": event, "host": host, **fields}
        with self._lock:
            if "args" in entry:
                entry["args"] = self._shared(entry["args"])
            self._entries.append(entry)
            if self._file:
                self._file.write(json.dumps(entry, ensure_ascii=False, default=str) + "\n")

    def _shared(self, args: Any) -> Any:
        """Thousands of hosts get the same arguments: kept once."""
        if len(self._seen) > 1000:
            self._seen.clear()
        return self._seen.setdefault(json.dumps(args, sort_keys=True, default=str), args)

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
