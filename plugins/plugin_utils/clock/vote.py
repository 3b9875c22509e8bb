# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vote: which offsets can be true when less than half of the operators are wrong.

Pure. Marzullo's intervals, with the hull of every point that a strict majority holds for possible: as long as most
operators tell the truth, the hull contains it. (The deepest overlap alone would not: liars may deepen a place beside
the truth.)
"""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Voter:
    """One witness's interval. Witnesses of one operator share one vote."""

    id: str
    operator: str
    lo: float
    hi: float

    @property
    def half_width(self) -> float:
        return (self.hi - self.lo) / 2


@dataclasses.dataclass(frozen=True)
class Outcome:
    """lo, hi: the hull, None without a majority. depth: most operators that agree; operators: how many voted."""

    lo: float | None
    hi: float | None
    depth: int
    operators: int
    agreeing: tuple[str, ...]
    falsetickers: tuple[str, ...]


def _merged(voters: tuple[Voter, ...]) -> list[tuple[float, float]]:
    """One operator's intervals, overlapping ones joined: the places that it holds for possible."""
    joined: list[tuple[float, float]] = []
    for lo, hi in sorted((v.lo, v.hi) for v in voters):
        if joined and lo <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], hi))
        else:
            joined.append((lo, hi))
    return joined


def vote(voters: tuple[Voter, ...]) -> Outcome:
    """Strict majority by operator. Without one, lo and hi are None and nobody is named a falseticker."""
    operators = sorted({v.operator for v in voters})
    edges: list[tuple[float, int]] = []
    for operator in operators:
        for lo, hi in _merged(tuple(v for v in voters if v.operator == operator)):
            # At one place, beginnings come before ends: touching intervals overlap.
            edges += [(lo, 0), (hi, 1)]
    edges.sort()
    depth = deepest = 0
    lo_found: float | None = None
    hi_found: float | None = None
    for place, is_end in edges:
        if not is_end:
            depth += 1
            deepest = max(deepest, depth)
            if depth * 2 > len(operators) and lo_found is None:
                lo_found = place
        else:
            if depth * 2 > len(operators):
                hi_found = place
            depth -= 1
    if lo_found is None or hi_found is None:
        return Outcome(None, None, deepest, len(operators), (), ())
    agreeing = tuple(v.id for v in voters if v.lo <= hi_found and v.hi >= lo_found)
    false = tuple(v.id for v in voters if v.id not in agreeing)
    return Outcome(lo_found, hi_found, deepest, len(operators), agreeing, false)
