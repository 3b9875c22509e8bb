# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every kind of host × every fault of a setting: what is judged, who repairs it, and exactly what is planned."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
import w32time_cases as cases
from ansible_collections.edefter.ready.plugins.plugin_utils.judge.time import judge_time
from ansible_collections.edefter.ready.plugins.plugin_utils.model import Owner, Status
from ansible_collections.edefter.ready.plugins.plugin_utils.plan.time import plan_time
from ansible_collections.edefter.ready.plugins.plugin_utils.w32time.case import ClockView

RIGHT = ClockView(-0.01, 0.01)
NOTHING = ("pass", "", ())


@dataclasses.dataclass(frozen=True)
class Fault:
    """One thing wrong. Expected per class of host: (status, cause, ids of the plan). None: the check does not apply."""

    check: str
    over: cases.Raw
    alone: t.Any
    member: t.Any
    controller: t.Any
    pdc: t.Any
    special: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    identity: cases.Raw = dataclasses.field(default_factory=dict)


def w32(**over: t.Any) -> cases.Raw:
    return {"w32time": over}


def zone(**over: t.Any) -> cases.Raw:
    return {"zone": over}


FIX_SERVICE = ("time.service", "time.resync")
FIX_TYPE = ("time.type", "time.restart", "time.resync")
FIX_PEERS = ("time.peers", "time.update", "time.resync")
ZONE = ("time.zone",)

FAULTS = {
    "zone_wrong": Fault(
        "time.zone",
        zone(key="GTB Standard Time", utc_offset_s=7200),
        *[("fail", "time.zone.wrong", ZONE)] * 4,
    ),
    "zone_same_offset": Fault(
        "time.zone", zone(key="Arab Standard Time"), *[("warn", "time.zone.other_name", ZONE)] * 4
    ),
    "zone_dstoff": Fault("time.zone", zone(dynamic_daylight_disabled=1), *[("warn", "time.zone.dstoff", ZONE)] * 4),
    "zone_missing": Fault("time.zone", zone(key=None), *[("unknown", "time.zone.unknown", ())] * 4),
    "zone_data_old": Fault(
        "time.utc_offset",
        zone(utc_offset_s=7200, data={"Turkey Standard Time": cases.OLD_RULE}),
        *[("fail", "time.utc_offset.old_rules", ())] * 4,
    ),
    "zone_table_old": Fault(
        "time.zone_data",
        zone(data={"Turkey Standard Time": cases.OLD_RULE}),
        *[("fail", "time.zone_data.old", ())] * 4,
    ),
    "utc_offset_stale": Fault("time.utc_offset", zone(utc_offset_s=0), *[("fail", "time.utc_offset.wrong", ())] * 4),
    "tzautoupdate": Fault(
        "time.zone_auto", {"tzautoupdate_start": 3}, *[("warn", "time.zone_auto.on", ("time.zone_auto",))] * 4
    ),
    "not_registered": Fault(
        "time.service",
        w32(present=False, start=None, state="absent", parameters=None, config=None),
        *[("fail", "time.service.missing", ())] * 4,
    ),
    "disabled": Fault(
        "time.service",
        w32(start=4, state="stopped"),
        ("fail", "time.service.disabled", FIX_SERVICE),
        ("fail", "time.service.disabled", ()),
        ("fail", "time.service.disabled", ()),
        ("fail", "time.service.disabled", FIX_SERVICE),
    ),
    "windows_default": Fault(
        "time.service",
        w32(start=3, state="stopped", triggers=[cases.JOIN_START, cases.NOT_JOINED_STOP]),
        ("warn", "time.service.manual", ("time.triggers", *FIX_SERVICE)),
        ("fail", "time.service.stopped", ()),
        ("fail", "time.service.stopped", ()),
        ("fail", "time.service.stopped", FIX_SERVICE),
    ),
    "automatic_alone": Fault(
        "time.triggers",
        w32(start=2, triggers=[cases.JOIN_START, cases.NOT_JOINED_STOP]),
        ("warn", "time.triggers.domain", ("time.triggers", "time.resync")),
        None,
        None,
        None,
    ),
    "no_triggers_manual": Fault(
        "time.service",
        w32(start=3, triggers=[]),
        ("warn", "time.service.manual", FIX_SERVICE),
        NOTHING,
        NOTHING,
        NOTHING,
    ),
    "task_off_too": Fault(
        "time.task",
        {**w32(start=3, triggers=[cases.JOIN_START]), "task": {"state": "disabled"}},
        ("fail", "time.task.off", ("time.triggers", *FIX_SERVICE)),
        None,
        None,
        None,
    ),
    "task_off_harmless": Fault("time.task", {"task": {"state": "disabled"}}, NOTHING, None, None, None),
    "stopped": Fault(
        "time.service",
        w32(state="stopped"),
        ("fail", "time.service.stopped", FIX_SERVICE),
        ("fail", "time.service.stopped", ()),
        ("fail", "time.service.stopped", ()),
        ("fail", "time.service.stopped", FIX_SERVICE),
    ),
    "state_not_told": Fault("time.service", w32(state=None), *[("unknown", "time.service.state_unknown", ())] * 4),
    "no_sync": Fault(
        "time.type",
        w32(parameters={"Type": "NoSync"}),
        ("fail", "time.type.no_sync", FIX_TYPE),
        ("fail", "time.type.no_sync", FIX_TYPE),
        ("fail", "time.type.no_sync", ()),
        ("fail", "time.type.no_sync", FIX_TYPE),
    ),
    "type_swapped": Fault(
        "time.type",
        {},
        ("fail", "time.type.no_domain", FIX_TYPE),
        ("fail", "time.type.upgrade_damage", FIX_TYPE),
        ("warn", "time.type.controller_ntp", ()),
        ("fail", "time.type.pdc_without_source", FIX_TYPE),
    ),
    "provider_off": Fault(
        "time.provider",
        w32(ntp_client={"Enabled": 0}),
        ("fail", "time.provider.off", ("time.provider", "time.restart", "time.resync")),
        ("fail", "time.provider.off", ()),
        ("fail", "time.provider.off", ()),
        ("fail", "time.provider.off", ("time.provider", "time.restart", "time.resync")),
    ),
    "peers_none": Fault(
        "time.peers",
        w32(parameters={"NtpServer": ""}),
        ("fail", "time.peers.none", FIX_PEERS),
        None,
        None,
        ("fail", "time.peers.none", FIX_PEERS),
    ),
    "peers_windows": Fault(
        "time.peers",
        w32(parameters={"NtpServer": "time.windows.com,0x8"}),
        ("warn", "time.peers.few", FIX_PEERS),
        None,
        None,
        ("warn", "time.peers.few", FIX_PEERS),
    ),
    "peers_flags": Fault(
        "time.peers",
        w32(parameters={"NtpServer": cases.WANTED.ntp_server.replace("0x8", "0x1")}),
        ("warn", "time.peers.flags", FIX_PEERS),
        None,
        None,
        ("warn", "time.peers.flags", FIX_PEERS),
    ),
    "peers_special": Fault(
        "time.peers",
        w32(parameters={"NtpServer": cases.WANTED.ntp_server.replace("0x8", "0x9")}),
        ("warn", "time.peers.flags", FIX_PEERS),
        None,
        None,
        ("warn", "time.peers.flags", FIX_PEERS),
    ),
    "peers_other": Fault(
        "time.peers",
        w32(parameters={"NtpServer": "a.example,0x8 b.example,0x8 c.example,0x8"}),
        ("warn", "time.peers.differ", FIX_PEERS),
        None,
        None,
        ("warn", "time.peers.differ", FIX_PEERS),
    ),
    "poll_too_long": Fault(
        "time.poll",
        w32(config={"MinPollInterval": 10, "MaxPollInterval": 17}),
        ("warn", "time.poll.wrong", ("time.poll:MaxPollInterval", "time.update")),
        ("warn", "time.poll.wrong", ()),
        ("warn", "time.poll.wrong", ()),
        ("warn", "time.poll.wrong", ("time.poll:MaxPollInterval", "time.update")),
    ),
    "poll_upside_down": Fault(
        "time.poll",
        w32(config={"MinPollInterval": 10, "MaxPollInterval": 6}),
        ("warn", "time.poll.wrong", ("time.poll:MinPollInterval", "time.update")),
        ("warn", "time.poll.wrong", ()),
        ("warn", "time.poll.wrong", ()),
        ("warn", "time.poll.wrong", ("time.poll:MinPollInterval", "time.update")),
    ),
    "phase_narrow": Fault(
        "time.phase_limits",
        w32(config={"MaxPosPhaseCorrection": 60, "MaxNegPhaseCorrection": 60}),
        (
            "warn",
            "time.phase_limits.narrow",
            ("time.phase_limits:MaxPosPhaseCorrection", "time.phase_limits:MaxNegPhaseCorrection", "time.update"),
        ),
        ("warn", "time.phase_limits.narrow", ()),
        ("warn", "time.phase_limits.narrow", ()),
        (
            "warn",
            "time.phase_limits.narrow",
            ("time.phase_limits:MaxPosPhaseCorrection", "time.phase_limits:MaxNegPhaseCorrection", "time.update"),
        ),
    ),
    "phase_open": Fault(
        "time.phase_limits",
        w32(config={"MaxPosPhaseCorrection": 0xFFFFFFFF}),
        ("warn", "time.phase_limits.open", ("time.phase_limits:MaxPosPhaseCorrection", "time.update")),
        None,
        None,
        ("warn", "time.phase_limits.open", ("time.phase_limits:MaxPosPhaseCorrection", "time.update")),
    ),
    "seeding": Fault(
        "time.seeding",
        w32(config={"UtilizeSslTimeData": 1}),
        None,
        None,
        ("warn", "time.seeding.on", ()),
        ("warn", "time.seeding.on", ("time.seeding",)),
        special={
            "workgroup_server": ("warn", "time.seeding.on", ("time.seeding",)),
            "member_server": ("warn", "time.seeding.on", ()),
        },
    ),
    "odd_value": Fault(
        "time.values",
        w32(config={"UpdateInterval": "360000"}),
        *[("warn", "time.values.odd", ())] * 4,
    ),
    "old_hyperv": Fault(
        "time.guest",
        {},
        NOTHING,
        ("warn", "time.guest.old_hyperv", ()),
        ("warn", "time.guest.old_hyperv", ()),
        ("warn", "time.guest.old_hyperv", ("time.vmic", "time.restart")),
        identity={"hypervisor": "hyperv", "build": "9600.1"},
    ),
    "azure": Fault(
        "time.guest",
        {},
        NOTHING,
        *[("warn", "time.guest.azure_joined", ())] * 3,
        identity={"hypervisor": "azure"},
    ),
}
CLASS = {
    "member": "member",
    "member_server": "member",
    "domain_controller": "controller",
    "pdc_emulator": "pdc",
}


def _over(kind: str, name: str) -> cases.Raw:
    if name != "type_swapped":
        return FAULTS[name].over
    return w32(parameters={"Type": "NTP" if kind in cases.FOLLOWERS else "NT5DS"})


@pytest.mark.parametrize("kind", cases.KINDS)
@pytest.mark.parametrize("name", FAULTS)
def test_every_kind_and_fault(kind: str, name: str) -> None:
    fault = FAULTS[name]
    expected = fault.special.get(kind, getattr(fault, CLASS.get(kind, "alone")))
    observed, host = cases.section(kind, _over(kind, name)), cases.host(kind, **fault.identity)
    found = {f.check: f for f in judge_time(observed, host, cases.WANTED, RIGHT)}
    steps = plan_time(observed, host, cases.WANTED, RIGHT)
    if expected is None:
        assert fault.check not in found or found[fault.check].status is Status.PASS
        assert not steps
        return
    status, cause, planned = expected
    finding = found[fault.check]
    assert finding.status == status
    assert tuple(step.id for step in steps) == planned
    if status == "pass":
        return
    assert finding.cause == cause
    assert (finding.owner is Owner.COLLECTION) == bool(finding.steps)
    assert set(finding.steps) <= set(planned)
    # What is planned is named by the finding of this fault, unless it only follows from other steps.
    if planned:
        assert finding.steps
    else:
        assert finding.owner is not Owner.NOBODY


@pytest.mark.parametrize("kind", cases.KINDS)
def test_a_host_in_order_has_no_plan_and_only_good_findings(kind: str) -> None:
    observed, host = cases.section(kind), cases.host(kind)
    assert plan_time(observed, host, cases.WANTED, RIGHT) == ()
    assert plan_time(observed, host, cases.WANTED) == ()
    findings = judge_time(observed, host, cases.WANTED, RIGHT)
    assert {f.status for f in findings} == {Status.PASS}
    assert len({f.id for f in findings}) == len(findings)
