# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a dictionary of options: what is given is checked, and what cannot be meant so is refused with its remedy.

Pure; raises OptionError. ansible-core checks the options of a task; what is inside of a free dictionary comes here as
the user wrote it.
"""

from __future__ import annotations

import dataclasses
import re
import sys
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils.model import OptionError

# No limit but that of a number: what is within it is neither infinite nor too large to compute with.
ENDLESS = sys.float_info.max


def defaults(kind: type[t.Any]) -> dict[str, t.Any]:
    """The fields of a dataclass that have a default: the keys of options that fill such a class."""
    found = {}
    for field in dataclasses.fields(kind):
        if field.default is not dataclasses.MISSING:
            found[field.name] = field.default
        elif field.default_factory is not dataclasses.MISSING:
            found[field.name] = field.default_factory()
    return found


class OptionReader:
    """One dictionary of options. name: as in messages. known: its keys with their defaults.

    A null and an empty text keep the default, like an absent key: a template that says "as the variable, or nothing"
    makes them. Each reader takes a key; the default goes through it, too.
    """

    def __init__(self, name: str, given: t.Mapping[str, t.Any] | None, known: t.Mapping[str, t.Any]) -> None:
        given = given or {}
        for key, value in given.items():
            if key not in known:
                raise OptionError(f"{name}.{key}", value, f"the keys are {', '.join(sorted(known))}")
        self._name = name
        self._values = {**known, **{key: value for key, value in given.items() if value not in (None, "")}}

    def __getitem__(self, key: str) -> t.Any:
        """The value as it stands, unchecked."""
        return self._values[key]

    def refused(self, key: str, remedy: str, part: object = None) -> OptionError:
        """The error about a key's value, or about the part of it that is wrong, for its reader to raise."""
        return OptionError(f"{self._name}.{key}", self._values[key] if part is None else part, remedy)

    def boolean(self, key: str) -> bool:
        """True or false; text and numbers are none."""
        value = self._values[key]
        if not isinstance(value, bool):
            raise self.refused(key, "give true or false")
        return value

    def choice(self, key: str, choices: t.Sequence[str]) -> str:
        """One of some words."""
        value = self._values[key]
        if not isinstance(value, str) or value not in choices:
            raise self.refused(key, f"use one of {', '.join(choices)}")
        return value

    def integer(self, key: str, low: int, high: int, what: str = "a whole number") -> int:
        """A whole number in [low, high]; what: it is, in the remedy."""
        value = self._values[key]
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self.refused(key, f"give {what} from {low} to {high}")
        return value

    def optional_integer(self, key: str, low: int, high: int, what: str = "a whole number") -> int | None:
        """A whole number in [low, high], or None where that is the default."""
        return None if self._values[key] is None else self.integer(key, low, high, what)

    def number(self, key: str, low: float, high: float = ENDLESS, what: str = "a number") -> float:
        """A number in [low, high]; what: it is, in the remedy."""
        value = self._values[key]
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            limits = f"of at least {low:g}" if high == ENDLESS else f"from {low:g} to {high:g}"
            raise self.refused(key, f"give {what} {limits}")
        return float(value)

    def text(self, key: str, pattern: re.Pattern[str], remedy: str) -> str:
        """Text that matches as a whole; empty only where that is the default."""
        value = self._values[key]
        if not isinstance(value, str) or (value and not pattern.fullmatch(value)):
            raise self.refused(key, remedy)
        return value

    def items(self, key: str, what: str) -> tuple[t.Any, ...]:
        """A list's elements, unchecked; what: they are, in the remedy."""
        value = self._values[key]
        if not isinstance(value, (list, tuple)):
            raise self.refused(key, f"give a list of {what}")
        return tuple(value)
