# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a clock should be like: the limits that a verdict is held against.

Pure. The e-Defter vendor and GIB publish no figure for how far a clock may be off; these are this collection's
defaults and options for everybody.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils.model import Status
from ansible_collections.edefter.ready.plugins.plugin_utils.option_reader import OptionReader, defaults


@dataclasses.dataclass(frozen=True)
class ClockWanted:
    """pass_seconds: off by no more than this is fine. warn_seconds: off by more than this fails. Both in seconds.

    require_corroboration: a lone source is not believed; see ClockVerdict.status.
    agree_seconds: how far two machines of one firm may be apart.
    """

    pass_seconds: float = 1.0
    warn_seconds: float = 60.0
    agree_seconds: float = 2.0
    require_corroboration: bool = True

    @classmethod
    def from_options(cls, options: t.Mapping[str, t.Any] | None) -> ClockWanted:
        """From a dict with these names; absent ones keep their default. Raises OptionError."""
        given = OptionReader("clock", options, defaults(cls))
        names = ("pass_seconds", "warn_seconds", "agree_seconds")
        numbers = {name: given.number(name, 0.001, 86400, "seconds") for name in names}
        if numbers["warn_seconds"] < numbers["pass_seconds"]:
            raise given.refused("warn_seconds", "give at least clock.pass_seconds")
        return cls(**numbers, require_corroboration=given.boolean("require_corroboration"))

    def grade(self, lo: float, hi: float) -> Status:
        """PASS: the whole interval is within pass_seconds. FAIL: all of it is beyond warn_seconds.

        WARN: all of it lies between. UNKNOWN: a limit lies inside the interval.
        """
        nearest = 0.0 if lo <= 0.0 <= hi else min(abs(lo), abs(hi))
        farthest = max(abs(lo), abs(hi))
        if farthest <= self.pass_seconds:
            return Status.PASS
        if nearest > self.warn_seconds:
            return Status.FAIL
        if nearest > self.pass_seconds and farthest <= self.warn_seconds:
            return Status.WARN
        return Status.UNKNOWN
