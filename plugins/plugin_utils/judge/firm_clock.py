# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Firm view: whether the machines of one firm agree on the time, each workstation against its server.

Pure. Two clocks may both be within their own limits and still be too far apart for the software that the two share.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils.judge.clock import seconds
from ansible_collections.edefter.ready.plugins.plugin_utils.messages import LANGUAGES
from ansible_collections.edefter.ready.plugins.plugin_utils.model import Area, Evidence, Finding, Owner, Status
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted.clock import ClockWanted


class Bounds(t.Protocol):
    """What is known of a clock: a ClockVerdict, or what a record keeps of one."""

    @property
    def lo(self) -> float | None:
        """Lower bound of true time minus the machine's, in seconds; None: not measured."""

    @property
    def hi(self) -> float | None:
        """Upper bound."""


@dataclasses.dataclass(frozen=True)
class Interval:
    """Bounds as a record keeps them."""

    lo: float | None
    hi: float | None


@dataclasses.dataclass(frozen=True)
class Member:
    """One machine of a firm. role: `server` or `workstation`; verdict None: not measured."""

    host: str
    role: str
    verdict: Bounds | None


@dataclasses.dataclass(frozen=True)
class Difference:
    """Workstation's clock minus server's clock, bounded, in seconds: positive when the workstation is ahead."""

    workstation: str
    server: str
    lo: float
    hi: float


def difference(workstation: Member, server: Member) -> Difference | None:
    """None when one of the two is unknown."""
    a, b = workstation.verdict, server.verdict
    if a is None or b is None or a.lo is None or a.hi is None or b.lo is None or b.hi is None:
        return None
    # workstation - server = (true - server) - (true - workstation)
    return Difference(workstation.host, server.host, b.lo - a.hi, b.hi - a.lo)


def _finding(member: Member, server: Member, wanted: ClockWanted) -> Finding:
    found = difference(member, server)
    status, cause, observed = Status.UNKNOWN, "clock.firm.unknown", ""
    evidence: tuple[Evidence, ...] = ()
    params = {"host": member.host, "server": server.host, "limit": f"{wanted.agree_seconds:g}"}
    if found is not None:
        observed = f"{seconds(found.lo)} … {seconds(found.hi)}"
        nearest = 0.0 if found.lo <= 0.0 <= found.hi else min(abs(found.lo), abs(found.hi))
        farthest = max(abs(found.lo), abs(found.hi))
        for language in LANGUAGES:
            params[f"difference_{language}"] = seconds((found.lo + found.hi) / 2, language, sign=False)
            params[f"bounds_{language}"] = f"{seconds(found.lo, language)} … {seconds(found.hi, language)}"
        evidence = (Evidence("low_s", f"{found.lo:+.6f}"), Evidence("high_s", f"{found.hi:+.6f}"))
        if farthest <= wanted.agree_seconds:
            status, cause = Status.PASS, "clock.firm.pass"
        elif nearest > wanted.agree_seconds:
            status, cause = Status.FAIL, "clock.firm.differs"
        else:
            cause = "clock.firm.straddles"
    return Finding(
        id=f"clock.firm:{member.host}",
        area=Area.CLOCK,
        check="clock.firm",
        subject=member.host,
        status=status,
        cause=cause,
        owner=Owner.NOBODY if status is Status.PASS else Owner.COLLECTION,
        observed=observed,
        expected=f"±{wanted.agree_seconds:g} s",
        params=params,
        evidence=evidence,
    )


def judge_firm_clock(members: t.Iterable[Member], wanted: ClockWanted) -> tuple[Finding, ...]:
    """One finding for each workstation of one firm. No server in the firm, or none but it: no findings.

    With several servers a workstation is held against the first by name; the other servers are held against it too.
    """
    everyone = sorted(members, key=lambda member: member.host)
    servers = [member for member in everyone if member.role == "server"]
    if not servers:
        return ()
    return tuple(_finding(member, servers[0], wanted) for member in everyone if member is not servers[0])
