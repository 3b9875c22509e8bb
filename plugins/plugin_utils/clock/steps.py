# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the host's wall clock was set while it was being measured.

Pure. Every sample carries both clocks; what the wall clock gained on the monotonic one is constant unless somebody
sets it.
"""

from __future__ import annotations

import dataclasses
import itertools

from ansible_collections.edefter.ready.plugins.plugin_utils.observation.clock import TICKS, ClockObservation

# A thread put aside between two readings looks like a step of some milliseconds; a clock that is slewed hard gains 0.1
# %.
TOLERANCE = 30 * TICKS // 1000
SLEW = 1e-3


@dataclasses.dataclass(frozen=True)
class Step:
    """A clock set meanwhile. size: seconds of the jump (positive: forward); mono: it was over by this reading."""

    size: float
    mono: int


def gained(sample_wall: int, sample_mono: int) -> int:
    """Ticks that the wall clock gained within one sample when they are more than jitter can explain, else 0."""
    difference = sample_wall - sample_mono
    return difference if abs(difference) > TOLERANCE + SLEW * sample_mono else 0


def _anchors(clock: ClockObservation) -> list[tuple[int, int]]:
    """(mono, wall minus mono), ordered."""
    found = [(clock.mono_start, clock.wall_start - clock.mono_start), (clock.mono_end, clock.wall_end - clock.mono_end)]
    for source in clock.sources:
        for sample in source.samples:
            found.append((sample.mono, sample.t1 - sample.mono))
            end = sample.mono + sample.delay
            found.append((end, sample.t1 + sample.wall_delay - end))
        for answer in source.answers:
            found.append((answer.mono, answer.t1 - answer.mono))
            end = answer.mono + answer.elapsed
            found.append((end, answer.t1 + answer.wall_elapsed - end))
    return sorted(found)


def find(clock: ClockObservation) -> Step | None:
    """The last step, with the size of all together; None when the clock ran undisturbed.

    A step lasts: all readings after it lie on one side of all before it. A single late reading does not.
    """
    anchors = _anchors(clock)
    gains = [gain for _mono, gain in anchors]
    allowed = TOLERANCE + SLEW * (anchors[-1][0] - anchors[0][0])
    highest = list(itertools.accumulate(gains, max))
    lowest = list(itertools.accumulate(gains, min))
    highest_after = list(itertools.accumulate(reversed(gains), max))[::-1]
    lowest_after = list(itertools.accumulate(reversed(gains), min))[::-1]
    last: int | None = None
    for split in range(1, len(gains)):
        forward = lowest_after[split] - highest[split - 1]
        backward = lowest[split - 1] - highest_after[split]
        if forward > allowed or backward > allowed:
            last = split
    if last is None:
        return None
    return Step((gains[-1] - gains[0]) / TICKS, anchors[last][0])
