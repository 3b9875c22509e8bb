# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of the service itself: start mode, triggers, the weekly task, live state.

Pure. On a PC in no domain Windows leaves the service stopped and starts it once a week; that is Windows' default, not
damage, but it does not keep a clock within a second.
"""

from __future__ import annotations

from ansible_collections.edefter.ready.plugins.plugin_utils.hostkind import STAND_ALONE, Kind
from ansible_collections.edefter.ready.plugins.plugin_utils.model import Owner, Status, Step
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.time import Settings
from ansible_collections.edefter.ready.plugins.plugin_utils.w32time import steps
from ansible_collections.edefter.ready.plugins.plugin_utils.w32time.case import Case, Check, evidence
from ansible_collections.edefter.ready.plugins.plugin_utils.w32time.words import Starts, starts

AUTOMATIC, MANUAL, DISABLED = 2, 3, 4
_MODES = {AUTOMATIC: "auto", MANUAL: "manual", DISABLED: "disabled"}


def checks(case: Case) -> tuple[Check, ...]:
    """All checks of this file; when the service is not registered that alone."""
    settings = case.settings
    if settings is None:
        return (Check("time.service", Status.FAIL, "time.service.missing", "-", "auto, running", Owner.LOCAL_ADMIN),)
    found = (_service(case, settings), _triggers(case, settings), _task(case, settings))
    return tuple(check for check in found if check is not None)


def kept_running(settings: Settings) -> bool:
    """On a machine in no domain: the service comes up by itself and stays."""
    how = starts(settings.triggers)
    if how is Starts.NETWORK:
        return settings.start in (AUTOMATIC, MANUAL)
    return how is Starts.NONE and settings.start == AUTOMATIC


def shown(settings: Settings) -> str:
    """Start mode and live state, as evidence."""
    mode = _MODES.get(settings.start or -1, "-" if settings.start is None else str(settings.start))
    if settings.start == AUTOMATIC and settings.delayed == 1:
        mode = "delayed"
    return f"{mode}, {settings.state or '?'}"


def start_step(case: Case, settings: Settings) -> tuple[Step, ...]:
    """The service started, and automatic unless it is already (then delayed stays delayed)."""
    allowed = case.writes or (case.host.kind is Kind.MEMBER and case.wanted.member_service)
    if not allowed:
        return ()
    mode = "delayed" if settings.start == AUTOMATIC and settings.delayed == 1 else "auto"
    return (steps.service(shown(settings), mode),)


def _service(case: Case, settings: Settings) -> Check:
    observed, expected = shown(settings), "auto, running"

    def check(status: Status, cause: str, repair: tuple[Step, ...] = ()) -> Check:
        facts = evidence(start=settings.start, state=settings.state)
        return Check("time.service", status, cause, observed, expected, case.admin, evidence=facts, steps=repair)

    if settings.start == DISABLED:
        return check(Status.FAIL, "time.service.disabled", start_step(case, settings))
    if settings.start not in (AUTOMATIC, MANUAL):
        return check(Status.FAIL, "time.service.start_mode", start_step(case, settings))
    if case.host.kind in STAND_ALONE and settings.start == MANUAL and starts(settings.triggers) is not Starts.NETWORK:
        return check(Status.WARN, "time.service.manual", start_step(case, settings))
    if settings.state is None:
        return check(Status.UNKNOWN, "time.service.state_unknown")
    if settings.state in ("stopped", "paused", "absent"):
        # With Windows' default triggers of a PC this is the same default: it only runs on Sundays.
        default = case.host.kind in STAND_ALONE and not kept_running(settings)
        return check(Status.WARN if default else Status.FAIL, "time.service.stopped", start_step(case, settings))
    return check(Status.PASS, "time.service.ok")


def _triggers(case: Case, settings: Settings) -> Check | None:
    """Only where no domain exists do the default triggers do harm."""
    if case.host.kind not in STAND_ALONE:
        return None
    how = starts(settings.triggers)
    expected = "start/networkon"
    if how is Starts.DOMAIN:
        return Check(
            "time.triggers", Status.WARN, "time.triggers.domain", how.value, expected, steps=(steps.triggers(),)
        )
    return Check("time.triggers", Status.PASS, "time.triggers.ok", how.value, expected)


def _task(case: Case, settings: Settings) -> Check | None:
    """The weekly task is what synchronises a PC whose service is not kept running; otherwise it does not matter."""
    if case.host.kind not in STAND_ALONE or settings.start == DISABLED:
        return None
    task = case.observed.task
    if kept_running(settings):
        return Check("time.task", Status.PASS, "time.task.not_needed", task, "")
    repair = (*start_step(case, settings), steps.triggers())
    if task in ("disabled", "absent"):
        return Check("time.task", Status.FAIL, "time.task.off", task, "enabled", case.admin, steps=repair)
    if task == "unknown":
        return Check("time.task", Status.UNKNOWN, "time.task.unknown", task, "enabled", case.admin, steps=repair)
    return Check("time.task", Status.PASS, "time.task.weekly", task, "enabled")
