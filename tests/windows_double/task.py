# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a stock double is given, and how it fails."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


class ModuleFailed(Exception):
    """FailJson: the module's own, expected failure. extra: further result keys."""

    def __init__(self, msg: str, **extra: Any) -> None:
        super().__init__(msg)
        self.msg = msg
        self.extra = extra


class NotModelled(Exception):
    """The real module could do this, the double cannot: loud, never guessed."""


@dataclass(frozen=True)
class Task:
    """One call of a stock module: documented arguments (checked, typed, defaults filled in) and the modes."""

    name: str
    args: dict[str, Any]
    given: frozenset[str]
    """Main names of the arguments that the task really gave."""
    check: bool
    diff: bool

    def refuse(self, *names: str) -> None:
        """Raise NotModelled when one of these arguments was given."""
        if used := sorted(self.given.intersection(names)):
            raise NotModelled(f"{self.name}: the double does not model {', '.join(used)}")
