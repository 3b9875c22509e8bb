# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans the repair of zone and Windows Time: only the delta, in the order in which it has to happen.

Pure. zone, settings, limits opened, triggers, service, update or restart, resync; then the proof; then limits restored.
"""

from __future__ import annotations

from ansible_collections.edefter.ready.plugins.plugin_utils.hostkind import Host, Kind
from ansible_collections.edefter.ready.plugins.plugin_utils.model import Status, Step
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.time import TimeObservation
from ansible_collections.edefter.ready.plugins.plugin_utils.w32time import service, steps, sync, zone
from ansible_collections.edefter.ready.plugins.plugin_utils.w32time.case import Case, Check, ClockView, DomainClock
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted.time import TimeWanted

_COMPUTED = ("update", "restart", "resync", "reread")


def checks(case: Case) -> tuple[Check, ...]:
    """Every check that applies to this kind of host."""
    found = zone.checks(case)
    if case.host.kind is Kind.POSIX:
        return found
    found += service.checks(case)
    # Of a host whose role is not known nobody can say what its time settings ought to be.
    if case.host.kind is not Kind.UNKNOWN:
        found += sync.checks(case)
    return found


def plan_case(case: Case) -> tuple[Step, ...]:
    """As plan_time, for a case already made."""
    wanted: dict[str, Step] = {}
    for check in checks(case):
        if check.status is Status.PASS:
            continue
        for step in check.steps:
            if step.kind not in _COMPUTED:
                wanted.setdefault(step.id, step)
    chosen = list(wanted.values())
    chosen += _afterwards(case, chosen)
    return tuple(sorted(chosen, key=_rank))


def plan_time(
    observed: TimeObservation,
    host: Host,
    wanted: TimeWanted,
    clock: ClockView | None = None,
    domain_clock: DomainClock | None = None,
) -> tuple[Step, ...]:
    """The steps, in order. Empty: nothing that this collection repairs."""
    return plan_case(Case(observed, host, wanted, clock, domain_clock))


def _rank(step: Step) -> int:
    return steps.KINDS.index(step.kind)


def _afterwards(case: Case, chosen: list[Step]) -> list[Step]:
    """What has to follow the chosen steps: settings taken over, a resync, and limits taken back."""
    needs = {need for step in chosen for need in step.needs}
    settings = case.settings
    starting = any(step.id == "time.service" for step in chosen)
    running = settings is not None and settings.state in ("running", "pending")
    result = []
    off = _clock_wants_resync(case)
    if steps.RESTART in needs or (off and running):
        # A running service may take a large error for a spike and wait 15 minutes; a fresh one does not.
        if running or not starting:
            result.append(steps.restart())
    elif steps.UPDATE in needs and not starting:
        # `w32tm /config /update` fails while the service does not run; when that is not known, a restart does both.
        result.append(steps.update() if running else steps.restart())
    # Where NTP is known not to get out, asking again and waiting for the proof would only take time.
    silent = case.clock is not None and case.clock.ntp_works is False and not case.follows
    if (steps.RESYNC in needs and not silent) or off:
        result.append(steps.resync())
    if any(step.kind == "restore" for step in chosen):
        result.append(steps.update("time.reread", "reread"))
    return result


def _clock_wants_resync(case: Case) -> bool:
    """The clock is surely wrong and asking again can help: our peers, or a controller measured as right."""
    clock, limit = case.clock, case.wanted.threshold_s
    if clock is None or case.settings is None or not clock.surely_beyond(limit):
        return False
    if case.writes:
        blocked = sync.beyond(case) is not None and not sync.phase_limits(case).steps
        return not blocked and clock.ntp_works is not False
    domain, settings = case.domain_clock, case.settings
    able = settings.state == "running" and settings.start != service.DISABLED
    return case.follows and able and domain is not None and domain.view is not None and domain.view.surely_within(limit)
