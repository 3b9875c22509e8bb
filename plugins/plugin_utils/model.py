# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words that every room on the control node shares: findings and plan steps.

Pure: frozen dataclasses and enums, no I/O, no clock, no Ansible.
"""

from __future__ import annotations

import dataclasses
import enum
import typing as t


class Status(enum.StrEnum):
    """Verdict of one check. UNKNOWN is a verdict: what could not be observed is never PASS."""

    PASS = "pass"
    WARN = "warn"
    FAIL = "fail"
    UNKNOWN = "unknown"


class Owner(enum.StrEnum):
    """Who can change what a finding is about."""

    NOBODY = "nobody"
    """Nothing to do."""
    COLLECTION = "collection"
    """This collection: the plan holds the change."""
    LOCAL_ADMIN = "local_admin"
    """The administrator of this Windows machine (also its antivirus, its hardware)."""
    DOMAIN_ADMIN = "domain_admin"
    """The domain's administrator: Group Policy, domain controllers."""
    FIREWALL_ADMIN = "firewall_admin"
    """Who runs the branch's firewall, proxy or web filter."""
    NETWORK_ADMIN = "network_admin"
    """Who runs the branch's network: DNS, routing, the Internet line."""
    SERVICE = "service"
    """The operator of the service itself (GIB, the vendor)."""
    CONTROLLER = "controller"
    """Who runs Ansible: credentials, inventory, this control node's own network or clock."""


class Area(enum.StrEnum):
    """What a finding is about; also the group heading in a report."""

    REACH = "reach"
    HOST = "host"
    ENDPOINT = "endpoint"
    CLOCK = "clock"
    TIME = "time"
    FIREWALL = "firewall"
    PROXY = "proxy"


@dataclasses.dataclass(frozen=True)
class Evidence:
    """One observed fact that a verdict rests on: a short key (snake_case, stable) and its value as text."""

    key: str
    value: str


@dataclasses.dataclass(frozen=True)
class Finding:
    """One verdict.

    id: stable over runs and unique in one host's list: `check` or `check:subject`.
    check: what was checked, dotted lower case (`endpoint`, `clock.offset`, `time.zone`, `firewall.outbound`).
    subject: which one, when a check has several (`firma:4443`), else "".
    cause: key into the message catalogue; names the root cause (for a pass: what is fine).
    params: fills the placeholders of that message. Values are text, untrusted, escaped only by renderers.
    grade: how strong the evidence is: `self_proving`, `differential`, `baseline`, or "" where it does not apply.
    blocks_filing: a fail (or unknown) here keeps the firm from sending its ledgers.
    steps: ids of the plan's steps that repair it; empty when this collection cannot.
    """

    id: str
    area: Area
    check: str
    subject: str
    status: Status
    cause: str
    owner: Owner
    observed: str
    expected: str
    params: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    evidence: tuple[Evidence, ...] = ()
    grade: str = ""
    contributing: tuple[str, ...] = ()
    ruled_out: tuple[str, ...] = ()
    blocks_filing: bool = False
    steps: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Step:
    """One change of the plan: one call of one stock module.

    id: stable, unique in a plan (`time.zone`, `firewall.rule:firma-4443`).
    area: which role applies it (Area.TIME or Area.FIREWALL).
    kind: which task of the role runs it (`zone`, `registry`, `service`, `trigger`, `task`, `rule`, `resync` …).
    module, args: the stock module's name and its arguments, exactly as the role passes them.
    before, after: for people; what is there, what will be.
    reason: key into the message catalogue.
    needs: what has to happen once after it: `w32time_update`, `w32time_restart`, `resync`.
    """

    id: str
    area: Area
    kind: str
    module: str
    args: t.Mapping[str, t.Any]
    before: str
    after: str
    reason: str
    params: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    needs: tuple[str, ...] = ()


class ShapeError(ValueError):
    """An observation that is not what the contract says. path: where (`clock.sources[2].offset`), why: in what way."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path}: {why}")
        self.path = path
        self.why = why


class OptionError(ValueError):
    """A wanted state that cannot be meant so. Names the option, the value and the remedy."""

    def __init__(self, option: str, value: object, remedy: str) -> None:
        super().__init__(f"{option}: {value!r} cannot be used; {remedy}")
        self.option = option
        self.value = value
        self.remedy = remedy
