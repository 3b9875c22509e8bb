# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a run has come, in one line.

Pure: whoever counts says what time it is (seconds of a monotonic clock).
"""

from __future__ import annotations

import collections

from ansible_collections.edefter.ready.plugins.plugin_utils import messages
from ansible_collections.edefter.ready.plugins.plugin_utils.report.digest import READY_STATES

# Hosts that the pace is taken from: the last ones, so that an estimate follows when it changes.
_RECENT = 200
# Before so many hosts there is no pace to speak of.
_MIN_RECENT = 5


def duration(seconds: float, language: str) -> str:
    """`45 s`, `3 min 20 s`, `2 h 05 min`, in the units of the language."""
    whole = max(0, round(seconds))
    names = {"tr": ("sa", "dk", "sn"), "en": ("h", "min", "s")}[language]
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    if hours:
        return f"{hours} {names[0]} {minutes:02d} {names[1]}"
    return f"{minutes} {names[1]} {rest:02d} {names[2]}" if minutes else f"{rest} {names[2]}"


class Progress:
    """Counts of a run that sets out for `total` hosts."""

    def __init__(self, total: int, started: float, language: str) -> None:
        self._total = total
        self._started = started
        self._language = language
        self._states: dict[str, str] = {}
        self._when: collections.deque[float] = collections.deque([started], maxlen=_RECENT)

    def host(self, name: str, state: str, now: float) -> None:
        """A host has been observed, or observed again after its repair."""
        if name not in self._states:
            self._when.append(now)
        self._states[name] = state

    @property
    def complete(self) -> bool:
        """Whether every host has been there."""
        return len(self._states) >= self._total

    def remaining(self, now: float) -> float | None:
        """Seconds until the rest is done at the pace of late; None: cannot be said yet."""
        if self.complete:
            return 0.0
        left = self._total - len(self._states)
        if len(self._when) <= _MIN_RECENT:
            return None
        # A host that is long in coming slows the pace also before it has come.
        pace = (max(now, self._when[-1]) - self._when[0]) / (len(self._when) - 1)
        return pace * left

    def line(self, now: float) -> str:
        """The line."""
        states = list(self._states.values())
        remaining = self.remaining(now)
        total = max(self._total, len(states))
        params = {
            "done": len(states),
            "total": total,
            "percent": len(states) * 100 // total if total else 100,
            "ready": sum(state in READY_STATES for state in states),
            "drifted": states.count("drifted"),
            "unreachable": states.count("unreachable"),
            "other": sum(state not in (*READY_STATES, "drifted", "unreachable") for state in states),
            "elapsed": duration(now - self._started, self._language),
            "left": "…" if remaining is None else duration(remaining, self._language),
        }
        texts = {key: str(value) for key, value in params.items()}
        return messages.render("progress.line", "title", texts)[self._language]
