# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The matrix as text: what was injected, what each twin's observation was named, what was confused with what."""

from __future__ import annotations

import collections
import typing as t

from .cases import Case
from .world import TWINS, Named


def injected(case: Case) -> bool:
    """Whether the case breaks something; the others must stay fine."""
    return bool(case.expected)


def right(results: t.Iterable[Named], twin: str) -> int:
    """Broken cases in which that twin's verdicts are all right, also those of the endpoints that were not hit."""
    return sum(1 for named in results if named.twin == twin and injected(named.case) and not named.wrong)


def text(results: t.Sequence[Named], healthy: t.Sequence[Named] = ()) -> str:
    """Two tables: case by case, and expected against named."""
    by_case: dict[str, dict[str, Named]] = {}
    for named in results:
        by_case.setdefault(named.case.name, {})[named.twin] = named
    width = max((len(name) for name in by_case), default=10)
    lines = [f"{'fault':{width}}  {'expected':26}  " + "  ".join(f"{twin:34}" for twin in TWINS), ""]
    for name, row in by_case.items():
        case = next(iter(row.values())).case
        cells = [f"{_cell(row[twin]):34}" if twin in row else f"{'-':34}" for twin in TWINS]
        lines.append(f"{name:{width}}  {_expected(case):26}  " + "  ".join(cells).rstrip())
    lines += ["", "expected → named, endpoint by endpoint (both twins)", ""]
    counts: collections.Counter[tuple[str, str]] = collections.Counter()
    for named in results:
        for endpoint in named.findings:
            wanted, cause = named.case.wanted(named.twin, endpoint), named.cause(endpoint)
            counts[cause if cause in wanted else wanted[0], cause] += 1
    for (wanted_cause, cause), count in sorted(counts.items()):
        mark = "" if wanted_cause == cause else "   ← confused"
        lines.append(f"{wanted_cause:24} → {cause:24} {count:4}{mark}")
    broken = sum(1 for row in by_case.values() if injected(next(iter(row.values())).case))
    lines += ["", f"faults injected: {broken}"]
    lines += [f"named right by {twin}: {right(results, twin)}" for twin in TWINS]
    if healthy:
        alarms = [alarm for named in healthy for alarm in named.alarms]
        lines += [f"healthy observations: {len(healthy)}", f"false alarms: {len(alarms)} {' '.join(alarms)}".rstrip()]
    return "\n".join(lines) + "\n"


def _expected(case: Case) -> str:
    causes = {"/".join([c] if isinstance(c, str) else c) for c in case.expected.values()}
    shown = ", ".join(sorted(causes)) or "fine"
    return shown if len(shown) <= 26 else shown[:25] + "…"


def _cell(named: Named) -> str:
    if named.wrong:
        return "WRONG " + "; ".join(named.wrong)
    ids = list(named.case.expected) or list(named.findings)
    shown = {f"{named.cause(e)} [{named.findings[e].grade or '-'}]" for e in ids if named.cause(e) != "ok"}
    return ", ".join(sorted(shown)) or "ok"
