# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of a host in a run: its record without the identifying part, for every way an observation can end.

Pure. Each function takes the record as it was (empty at the first observation) and returns the new state, message,
before, after and error, so that a failure never loses what was known before.
"""

from __future__ import annotations

import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils import record
from ansible_collections.edefter.ready.plugins.plugin_utils.assess import Assessment, Window, assess
from ansible_collections.edefter.ready.plugins.plugin_utils.model import Area, Finding, Owner, ShapeError, Status
from ansible_collections.edefter.ready.plugins.plugin_utils.vantage import Vantage
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted.everything import Wanted

Json = t.Mapping[str, t.Any]


def observed(
    raw: object, wanted: Wanted, vantage: Vantage, window: Window | None, earlier: Json, phase: str
) -> dict[str, t.Any]:
    """An observation arrived; phase: `before` or `after` the repair."""
    try:
        assessment = assess(raw, wanted, vantage, window)
    except ShapeError as error:
        return broken(earlier, "shape", str(error)[:500], phase)
    return entered(assessment, earlier, phase)


def entered(assessment: Assessment, earlier: Json, phase: str, error: Json | None = None) -> dict[str, t.Any]:
    """An observation that was assessed already."""
    made = record.part(
        assessment.started_utc, assessment.elapsed_ms, assessment.findings, assessment.plan, assessment.facts
    )
    state = assessment.state
    after = phase == "after" and bool(earlier.get("before"))
    if after:
        state = record.after_state(str(earlier.get("state", "")), state)
    return {
        "state": state,
        "message": record.sentence(state, assessment.findings, assessment.plan, repaired=after),
        "before": earlier["before"] if after else made,
        "after": made if after else None,
        "error": error,
    }


def broken(earlier: Json, kind: str, message: str, phase: str) -> dict[str, t.Any]:
    """The module failed (`module`) or its reply cannot be read (`shape`): a finding, and the verdict is unknown."""
    finding = Finding(
        id="observation",
        area=Area.REACH,
        check="observation",
        subject="",
        status=Status.UNKNOWN,
        cause="observation.broken",
        owner=Owner.LOCAL_ADMIN,
        observed=message,
        expected="",
        params={"error": message},
        blocks_filing=True,
    )
    return entered(Assessment((finding,), (), {}), earlier, phase, {"kind": kind, "message": message})


def unreachable(earlier: Json, message: str) -> dict[str, t.Any]:
    """There was no connection."""
    return {
        "state": "unreachable",
        "message": record.sentence("unreachable", (), ()),
        "before": earlier.get("before"),
        "after": None,
        "error": {"kind": "unreachable", "message": message},
    }


def repair_failed(earlier: Json, message: str) -> dict[str, t.Any]:
    """A task of the repair failed; what was observed before stands, and so does what went wrong."""
    before = earlier.get("before") or {}
    count = str(len(before.get("plan") or ()))
    return {
        "state": "drifted",
        "message": record.failed_sentence(message, count),
        "before": earlier.get("before"),
        "after": None,
        "error": {"kind": "repair", "message": message},
    }
