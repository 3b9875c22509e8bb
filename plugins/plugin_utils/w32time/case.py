# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One case: everything that zone and Windows Time are judged by, and what a check of it says.

Pure. The checks beside this file take a Case and give Checks: the finding and the steps that repair it, from one place,
so that what is judged and what is planned cannot drift apart.
"""

from __future__ import annotations

import dataclasses
import functools
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils.hostkind import FOLLOWERS, STAND_ALONE, Host, Kind
from ansible_collections.edefter.ready.plugins.plugin_utils.model import Area, Evidence, Finding, Owner, Status, Step
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.time import Settings, TimeObservation
from ansible_collections.edefter.ready.plugins.plugin_utils.w32time.words import InForce, Peer, parse_peers
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted.time import TimeWanted

HOUR = 3600
HOUR_SLACK_S = 120.0
"""How far from whole hours a clock may be and still look like one set by hand to the wrong zone's time."""


@dataclasses.dataclass(frozen=True)
class ClockView:
    """A measurement as this room needs it.

    The true time minus the host's lies in [lo, hi] seconds; positive: the host is behind. corroborated: sources of
    different operators agree. ntp_works: None when nobody tried; False: no NTP source answered.
    """

    lo: float
    hi: float
    corroborated: bool = True
    ntp_works: bool | None = None

    @property
    def middle(self) -> float:
        """Best guess, in seconds."""
        return (self.lo + self.hi) / 2

    def surely_beyond(self, limit: float) -> bool:
        """The whole interval lies outside [-limit, limit]."""
        return self.lo > limit or self.hi < -limit

    def surely_within(self, limit: float) -> bool:
        """The whole interval lies inside [-limit, limit]."""
        return self.lo >= -limit and self.hi <= limit

    @property
    def whole_hours(self) -> int:
        """n when the offset is n hours (n ≠ 0, |n| ≤ 14) give or take HOUR_SLACK_S, else 0."""
        hours = round(self.middle / HOUR)
        near = abs(self.lo - hours * HOUR) <= HOUR_SLACK_S and abs(self.hi - hours * HOUR) <= HOUR_SLACK_S
        return hours if near and 0 < abs(hours) <= 14 else 0


DOMAIN_SOURCE = "domain"
"""Id under which the Windows collector measures a member's domain controller (DomainSource.cs)."""


class _Source(t.Protocol):
    @property
    def id(self) -> str: ...

    @property
    def host(self) -> str: ...

    @property
    def kind(self) -> str: ...

    @property
    def lo(self) -> float | None: ...

    @property
    def hi(self) -> float | None: ...

    @property
    def verdict(self) -> str: ...


class Measured(t.Protocol):
    """What is read of the clock's verdict (clock/verdict.py, ClockVerdict)."""

    @property
    def lo(self) -> float | None: ...

    @property
    def hi(self) -> float | None: ...

    @property
    def corroborated(self) -> bool: ...

    @property
    def sources(self) -> t.Sequence[_Source]: ...


def view_of(measured: Measured | None) -> ClockView | None:
    """The verdict as this room needs it; None when nothing is known of the clock."""
    if measured is None or measured.lo is None or measured.hi is None:
        return None
    ntp = [source.verdict for source in measured.sources if source.kind == "ntp" and source.verdict != "skipped"]
    works = any(verdict != "silent" for verdict in ntp) if ntp else None
    return ClockView(measured.lo, measured.hi, measured.corroborated, works)


@dataclasses.dataclass(frozen=True)
class DomainClock:
    """The controller that a member takes its time from. view: its own clock (true time minus its); None: no answer."""

    host: str
    view: ClockView | None


def domain_clock_of(measured: Measured | None) -> DomainClock | None:
    """The controller's clock out of a member's measurement; None when none was asked.

    The member measured controller - host and, by the majority of its sources, true - host; their difference is
    true - controller. A controller that agrees with the majority lies within the sum of both intervals.
    """
    row = next((row for row in measured.sources if row.id == DOMAIN_SOURCE), None) if measured else None
    if measured is None or row is None:
        return None
    if measured.lo is None or measured.hi is None or row.lo is None or row.hi is None:
        return DomainClock(row.host, None)
    # Agreement that rests on the controller's own word proves nothing about it.
    others = [x for x in measured.sources if x.id != DOMAIN_SOURCE and x.verdict == "agrees"]
    if not others:
        return DomainClock(row.host, None)
    return DomainClock(row.host, ClockView(measured.lo - row.hi, measured.hi - row.lo, measured.corroborated))


@dataclasses.dataclass(frozen=True)
class Check:
    """One check's verdict with the steps that repair it. owner counts only when there are no steps."""

    check: str
    status: Status
    cause: str
    observed: str = ""
    expected: str = ""
    owner: Owner = Owner.NOBODY
    params: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    evidence: tuple[Evidence, ...] = ()
    blocks: bool = False
    steps: tuple[Step, ...] = ()

    def finding(self, planned: t.Container[str]) -> Finding:
        """As a finding; only steps that are in the plan are named."""
        named = tuple(step.id for step in self.steps if step.id in planned)
        owner = Owner.NOBODY if self.status is Status.PASS else Owner.COLLECTION if named else self.owner
        params = {"observed": self.observed or "-", "expected": self.expected or "-", **self.params}
        return Finding(
            id=self.check,
            area=Area.TIME,
            check=self.check,
            subject="",
            status=self.status,
            cause=self.cause,
            owner=owner,
            observed=self.observed,
            expected=self.expected,
            params=params,
            evidence=self.evidence,
            blocks_filing=self.blocks and self.status is not Status.PASS,
            steps=named,
        )


@dataclasses.dataclass(frozen=True)
class Case:
    """One host's observation, kind, wanted state and clock; derived views are computed once."""

    observed: TimeObservation
    host: Host
    wanted: TimeWanted
    clock: ClockView | None = None
    domain_clock: DomainClock | None = None

    @functools.cached_property
    def settings(self) -> Settings | None:
        """W32Time's key; None when there is none (not Windows, or the service is not registered)."""
        settings = self.observed.settings
        return settings if settings is not None and settings.present else None

    @functools.cached_property
    def in_force(self) -> InForce:
        """Values with policies laid over."""
        return InForce(self.observed)

    @functools.cached_property
    def peers(self) -> tuple[Peer, ...]:
        """The peers in force."""
        return parse_peers(self.in_force.parameter("NtpServer").value)

    @property
    def asks_peers(self) -> bool:
        """This host ought to take its time from NTP peers itself."""
        return self.host.kind in STAND_ALONE or self.host.kind is Kind.PDC_EMULATOR

    @property
    def follows(self) -> bool:
        """This host ought to take its time from its domain."""
        return self.host.kind in FOLLOWERS

    @property
    def writes(self) -> bool:
        """W32Time's settings on this host are ours to write."""
        return self.host.kind in STAND_ALONE or (self.host.kind is Kind.PDC_EMULATOR and self.wanted.manage_pdc)

    @property
    def admin(self) -> Owner:
        """Who repairs a setting that we do not write."""
        in_charge = (Kind.DOMAIN_CONTROLLER, Kind.PDC_EMULATOR)
        return Owner.DOMAIN_ADMIN if self.host.kind in in_charge else Owner.LOCAL_ADMIN

    @property
    def zone_wrong(self) -> bool:
        """A zone is set and it is not the wanted one."""
        key = self.observed.zone.key
        return key is not None and key.lower() != self.wanted.zone.lower()


def evidence(**values: object) -> tuple[Evidence, ...]:
    """Evidence of the values that are known."""
    return tuple(Evidence(key, str(value)) for key, value in values.items() if value is not None)


def ruled(case: Case, check: str, status: Status, name: str, observed: str, expected: str) -> Check:
    """A policy sets a value to what does not work: its owner is told, the local twin is left alone."""
    return Check(
        check,
        status,
        "time.policy.ruled",
        observed,
        expected,
        case.host.policy_owner,
        params={"name": name},
        evidence=evidence(policy=name),
    )
