# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges zone and Windows Time.

Pure. `checks` is the one place where both findings and steps come from; plan/time.py orders the steps.
"""

from __future__ import annotations

import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils.hostkind import Host, Kind
from ansible_collections.edefter.ready.plugins.plugin_utils.model import Area, Evidence, Finding, Owner, Status
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.envelope import Fault
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.time import TimeObservation
from ansible_collections.edefter.ready.plugins.plugin_utils.plan import time as plan
from ansible_collections.edefter.ready.plugins.plugin_utils.w32time.case import Case, ClockView, DomainClock
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted.time import TimeWanted


def judge_time(
    observed: TimeObservation,
    host: Host,
    wanted: TimeWanted,
    clock: ClockView | None = None,
    domain_clock: DomainClock | None = None,
) -> tuple[Finding, ...]:
    """Findings `time.*`. clock: this host's measurement; domain_clock: that of the controller it follows, if known."""
    case = Case(observed, host, wanted, clock, domain_clock)
    planned = frozenset(step.id for step in plan.plan_case(case))
    found = [check.finding(planned) for check in plan.checks(case)]
    if host.kind is Kind.UNKNOWN:
        found.append(
            unknown("time.kind_unknown", Fault("api", "unknown_role", None, "the machine's domain role was not told"))
        )
    return tuple(found)


def unknown(cause: str, fault: Fault | None) -> Finding:
    """The section could not be observed or read: nothing of it is called good."""
    params: t.Mapping[str, str] = {"code": fault.code if fault else "-"}
    evidence = (Evidence("error", f"{fault.phase}/{fault.code}: {fault.message}"),) if fault else ()
    return Finding(
        id="time.settings",
        area=Area.TIME,
        check="time.settings",
        subject="",
        status=Status.UNKNOWN,
        cause=cause,
        owner=Owner.LOCAL_ADMIN,
        observed="",
        expected="",
        params=params,
        evidence=evidence,
    )


def not_observed(fault: Fault | None) -> tuple[Finding, ...]:
    """For a section with status error, or one whose parser raised."""
    return (unknown("time.not_observed", fault),)
