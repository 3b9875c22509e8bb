# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts side by side, from their records: a branch's connections and a firm's clocks.

Pure. Takes records one at a time and keeps of each only what the comparison needs.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils import record as records
from ansible_collections.edefter.ready.plugins.plugin_utils.judge.branch import judge_branch
from ansible_collections.edefter.ready.plugins.plugin_utils.judge.firm_clock import Interval, Member, judge_firm_clock
from ansible_collections.edefter.ready.plugins.plugin_utils.model import Finding, Owner
from ansible_collections.edefter.ready.plugins.plugin_utils.report.digest import HostLine, current
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted.clock import ClockWanted

Json = t.Mapping[str, t.Any]

# The only findings that a branch is compared by, and the only params that the comparison uses.
_CHECK = "endpoint"
_PARAMS = ("host", "port", "allow", "proxy")


class Branch:
    """The hosts of one branch."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._hosts: dict[str, tuple[Finding, ...]] = {}

    def add(self, record: Json) -> None:
        """One host's record."""
        found = current(record).get("findings") or ()
        self._hosts[str(record["host"])] = tuple(
            _small(records.finding_from_dict(finding)) for finding in found if finding["check"] == _CHECK
        )

    def findings(self) -> tuple[Finding, ...]:
        """What the whole branch has in common, and what only some of its hosts suffer."""
        return judge_branch(self._name, self._hosts)


def _small(finding: Finding) -> Finding:
    params = {key: finding.params[key] for key in _PARAMS if key in finding.params}
    return dataclasses.replace(finding, params=params, evidence=(), observed="", ruled_out=())


class Clocks:
    """The clocks of one firm."""

    def __init__(self) -> None:
        self._members: list[Member] = []
        self._agree: float | None = None
        self._repairable: set[str] = set()

    def add(self, record: Json, line: HostLine) -> None:
        """One host's record and its line."""
        clock = (current(record).get("facts") or {}).get("clock")
        verdict = None
        if clock:
            verdict = Interval(clock["lo"], clock["hi"])
            agree = clock.get("agree_seconds")
            if agree is not None:
                # The strictest that a host was held to.
                self._agree = agree if self._agree is None else min(self._agree, agree)
        self._members.append(Member(line.host, line.role, verdict))
        if line.state == "drifted":
            self._repairable.add(line.host)

    def findings(self) -> tuple[Finding, ...]:
        """Each machine against the firm's server; none where there is no server."""
        wanted = ClockWanted() if self._agree is None else ClockWanted(agree_seconds=self._agree)
        return tuple(self._owned(finding) for finding in judge_firm_clock(self._members, wanted))

    def _owned(self, finding: Finding) -> Finding:
        """Where there is no plan, whoever runs the machine has to act."""
        hopeful = finding.owner is Owner.COLLECTION and finding.subject not in self._repairable
        return dataclasses.replace(finding, owner=Owner.LOCAL_ADMIN) if hopeful else finding
