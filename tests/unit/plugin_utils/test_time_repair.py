# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Repairs that need the clock's measurement, policies, and what must hold for every plan whatsoever."""

from __future__ import annotations

import re
import typing as t

import pytest
import w32time_cases as cases
from ansible_collections.edefter.ready.plugins.plugin_utils import messages
from ansible_collections.edefter.ready.plugins.plugin_utils.hostkind import FOLLOWERS, Kind, host_of
from ansible_collections.edefter.ready.plugins.plugin_utils.judge.time import judge_time
from ansible_collections.edefter.ready.plugins.plugin_utils.model import Finding, Owner, Status, Step
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.time import parse_time
from ansible_collections.edefter.ready.plugins.plugin_utils.plan.time import plan_time
from ansible_collections.edefter.ready.plugins.plugin_utils.w32time import steps as kinds
from ansible_collections.edefter.ready.plugins.plugin_utils.w32time.case import ClockView, DomainClock
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted.time import MAX_PHASE, TimeWanted
from hypothesis import given, settings
from hypothesis import strategies as st

YEARS_24 = 24 * 365.25 * 86400


def at(offset: float, **more: t.Any) -> ClockView:
    """A clock measured to within 10 ms."""
    return ClockView(offset - 0.01, offset + 0.01, **more)


def both(
    kind: str, over: cases.Raw, clock: ClockView | None, wanted: TimeWanted = cases.WANTED, **more: t.Any
) -> tuple[dict[str, Finding], tuple[Step, ...]]:
    observed, host = cases.section(kind, over), cases.host(kind)
    return (
        {f.check: f for f in judge_time(observed, host, wanted, clock, **more)},
        plan_time(observed, host, wanted, clock, **more),
    )


def ids(steps: tuple[Step, ...]) -> list[str]:
    return [step.id for step in steps]


def test_a_clock_within_the_limits_needs_no_wider_ones() -> None:
    found, steps = both("workgroup_pc", {}, at(420.0))
    assert ids(steps) == ["time.restart", "time.resync"]
    assert found["time.phase_limits"].status is Status.PASS


@pytest.mark.parametrize(
    ("offset", "name"), [(YEARS_24, "MaxPosPhaseCorrection"), (-40 * 365.25 * 86400, "MaxNegPhaseCorrection")]
)
def test_widen_restart_resync_then_restore(offset: float, name: str) -> None:
    found, steps = both("workgroup_pc", {}, at(offset))
    assert [(s.kind, s.id) for s in steps] == [
        ("widen", f"time.widen:{name}"),
        ("restart", "time.restart"),
        ("resync", "time.resync"),
        ("restore", f"time.restore:{name}"),
        ("reread", "time.reread"),
    ]
    assert steps[0].args["data"] == MAX_PHASE
    assert steps[3].args["data"] == 54000
    finding = found["time.phase_limits"]
    assert (finding.status, finding.cause) == (Status.FAIL, "time.phase_limits.beyond")
    assert finding.steps == (steps[0].id, steps[3].id)


def test_a_custom_limit_comes_back_as_it_was() -> None:
    steps = both("workgroup_pc", {"w32time": {"config": {"MaxPosPhaseCorrection": 7200}}}, at(8000.0))[1]
    assert [s.args["data"] for s in steps if s.kind in ("widen", "restore")] == [MAX_PHASE, 7200]


def test_a_missing_limit_is_restored_to_the_default() -> None:
    steps = both("workgroup_pc", {"w32time": {"config": {"MaxPosPhaseCorrection": None}}}, at(60000.0))[1]
    assert [s.args["data"] for s in steps if s.kind in ("widen", "restore")] == [MAX_PHASE, 54000]
    assert not [s for s in steps if s.id == "time.phase_limits:MaxPosPhaseCorrection"]


def test_no_limit_is_opened_on_a_lone_source() -> None:
    found, steps = both("workgroup_pc", {}, at(YEARS_24, corroborated=False))
    assert ids(steps) == []
    assert found["time.phase_limits"].cause == "time.phase_limits.uncorroborated"
    assert found["time.phase_limits"].owner is Owner.LOCAL_ADMIN


def test_where_ntp_does_not_get_out_nothing_waits_for_it() -> None:
    found, steps = both("workgroup_pc", {}, at(YEARS_24, ntp_works=False))
    assert steps == ()
    assert found["time.phase_limits"].cause == "time.phase_limits.no_ntp"
    peers = {"w32time": {"parameters": {"NtpServer": ""}}}
    assert ids(both("workgroup_pc", peers, at(420.0, ntp_works=False))[1]) == ["time.peers", "time.update"]
    assert ids(both("workgroup_pc", peers, at(420.0))[1]) == ["time.peers", "time.restart", "time.resync"]


def test_an_interval_that_may_be_good_moves_nothing() -> None:
    steps = both("workgroup_pc", {}, ClockView(-0.9, 60000.0))[1]
    assert steps == ()


def test_dead_cmos_keeps_the_limits_open() -> None:
    wanted = TimeWanted.from_options({"keep_max_phase": True})
    steps = both("workgroup_pc", {}, at(YEARS_24), wanted)[1]
    assert [s.args["data"] for s in steps if s.kind == "registry"] == [MAX_PHASE, MAX_PHASE]
    assert not [s for s in steps if s.kind in ("widen", "restore")]
    open_limits = {"w32time": {"config": {"MaxPosPhaseCorrection": MAX_PHASE, "MaxNegPhaseCorrection": MAX_PHASE}}}
    found, steps = both("workgroup_pc", open_limits, at(0.0), wanted)
    assert steps == ()
    assert found["time.phase_limits"].status is Status.PASS


def test_the_service_starts_after_the_limits_are_open_and_needs_no_restart() -> None:
    over = {"w32time": {"start": 4, "state": "stopped"}}
    steps = both("workgroup_pc", over, at(YEARS_24))[1]
    assert [s.kind for s in steps] == ["widen", "service", "resync", "restore", "reread"]


def test_hand_corrected_clock_in_a_wrong_zone_zone_first() -> None:
    # The PC is set to UTC and its clock 3 h ahead: what it shows is right.
    over = {"zone": {"key": "UTC", "utc_offset_s": 0}}
    found, steps = both("workgroup_pc", over, at(-10800.0))
    assert ids(steps) == ["time.zone", "time.restart", "time.resync"]
    finding = found["time.hours"]
    assert (finding.cause, finding.params["hours"]) == ("time.hours.by_hand", "-3")
    assert finding.steps == ("time.zone", "time.resync")


def test_hand_corrected_clock_is_left_alone_while_ntp_does_not_get_out() -> None:
    over = {"zone": {"key": "UTC", "utc_offset_s": 0}}
    found, steps = both("workgroup_pc", over, at(-10800.0, ntp_works=False))
    assert steps == ()
    assert found["time.zone"].cause == "time.zone.held"
    assert found["time.zone"].owner is found["time.hours"].owner is Owner.FIREWALL_ADMIN


def test_wrong_zone_with_a_right_clock_is_not_called_hand_corrected() -> None:
    found, steps = both("workgroup_pc", {"zone": {"key": "UTC", "utc_offset_s": 0}}, at(0.0))
    assert "time.hours" not in found
    assert ids(steps) == ["time.zone"]


def test_whole_hours_with_a_utc_hardware_clock() -> None:
    found = both("workgroup_pc", {"zone": {"real_time_is_universal": 1}}, at(10800.0))[0]
    assert found["time.hours"].cause == "time.hours.rtc"
    found = both("workgroup_pc", {"zone": {"real_time_is_universal": 1}}, at(0.0))[0]
    assert found["time.rtc"].status is Status.PASS


@pytest.mark.parametrize(("offset", "hours"), [(10799.0, 3), (-3600.0, -1), (5400.0, 0), (0.0, 0), (54000.0 + 7, 0)])
def test_whole_hours(offset: float, hours: int) -> None:
    assert at(offset).whole_hours == hours


@pytest.mark.parametrize("kind", ["member", "member_server", "domain_controller"])
def test_a_follower_with_a_wrong_clock_is_only_resynchronised_and_only_by_a_right_controller(kind: str) -> None:
    assert both(kind, {}, at(420.0))[1] == ()
    assert both(kind, {}, at(420.0), domain_clock=DomainClock("dc", at(419.0)))[1] == ()
    assert ids(both(kind, {}, at(420.0), domain_clock=DomainClock("dc", at(0.1)))[1]) == ["time.restart", "time.resync"]


POLICY = {"parameters": {"Type": "NTP", "NtpServer": "dc.firma.local,0x8"}}


def test_a_policy_that_works_is_good_and_the_local_values_do_not_count() -> None:
    over = {"policy": POLICY, "w32time": {"parameters": {"Type": "NoSync", "NtpServer": ""}}}
    found, steps = both("workgroup_pc", over, at(0.0))
    assert steps == ()
    assert found["time.type"].status is found["time.peers"].status is Status.PASS
    assert found["time.policy"].status is Status.PASS


@pytest.mark.parametrize(
    ("policy", "check", "name"),
    [
        ({"parameters": {"Type": "NoSync"}}, "time.type", "Parameters\\Type"),
        ({"ntp_client": {"Type": "NT5DS"}}, "time.type", "Parameters\\Type"),
        ({"parameters": {"NtpServer": "a,0x4"}}, "time.peers", "Parameters\\NtpServer"),
        ({"ntp_client": {"Enabled": 0}}, "time.provider", "NtpClient\\Enabled"),
        ({"config": {"MaxPollInterval": 17}}, "time.poll", "MaxPollInterval"),
        ({"config": {"MaxPosPhaseCorrection": 5}}, "time.phase_limits", "Config\\MaxPosPhaseCorrection"),
    ],
)
@pytest.mark.parametrize(("kind", "owner"), [("workgroup_pc", Owner.LOCAL_ADMIN), ("entra_joined", Owner.DOMAIN_ADMIN)])
def test_what_a_policy_rules_is_reported_and_never_written(
    policy: cases.Raw, check: str, name: str, kind: str, owner: Owner
) -> None:
    found, steps = both(kind, {"policy": policy}, at(0.0))
    assert steps == ()
    finding = found[check]
    assert finding.cause == "time.policy.ruled"
    assert finding.owner is owner
    assert finding.params["name"] == name


def test_a_policy_limit_keeps_a_years_off_clock_from_being_corrected() -> None:
    found, steps = both("pdc_emulator", {"policy": {"config": {"MaxPosPhaseCorrection": 172800}}}, at(YEARS_24))
    assert steps == ()
    assert found["time.phase_limits"].cause == "time.phase_limits.policy"
    assert found["time.phase_limits"].owner is Owner.DOMAIN_ADMIN


def test_an_unknown_role_is_never_reconfigured() -> None:
    observed = cases.section(
        "workgroup_pc", {"w32time": {"parameters": {"Type": "NoSync", "NtpServer": ""}, "start": 4}}
    )
    host = host_of({"os": "windows"})
    assert host.kind is Kind.UNKNOWN
    assert plan_time(observed, host, cases.WANTED, at(420.0)) == ()
    found = judge_time(observed, host, cases.WANTED, at(420.0))
    assert [f.cause for f in found if f.check == "time.settings"] == ["time.kind_unknown"]


def test_own_peers_may_stay() -> None:
    wanted = TimeWanted.from_options({"keep_own_peers": True, "min_peers": 2})
    own = {"w32time": {"parameters": {"NtpServer": "router.lan,0x8 192.0.2.7,0x8"}}}
    assert both("workgroup_pc", own, at(0.0), wanted)[1] == ()
    lone = {"w32time": {"parameters": {"NtpServer": "router.lan,0x8"}}}
    assert "time.peers" in ids(both("workgroup_pc", lone, at(0.0), wanted)[1])


def test_special_polls_before_1703_are_not_clamped() -> None:
    wanted = TimeWanted.from_options({"keep_own_peers": True, "min_peers": 1})
    own = {"w32time": {"parameters": {"NtpServer": "router.lan,0x9"}, "ntp_client": {"SpecialPollInterval": 604800}}}
    observed = cases.section("workgroup_pc", own)
    old, new = (cases.host("workgroup_pc", build=build) for build in ("14393.1", "19045.1"))
    assert ids(plan_time(observed, new, wanted)) == []
    assert ids(plan_time(observed, old, wanted)) == ["time.poll:SpecialPollInterval", "time.restart"]


# --- what holds for every plan -----------------------------------------------------------------------------------

NUMBER = st.one_of(
    st.none(), st.sampled_from([0, 1, 3, 4, 60, 3600, 54000, 172800, MAX_PHASE]), st.integers(0, 2**32 - 1)
)
TYPE = st.one_of(st.none(), st.sampled_from(["NTP", "NT5DS", "nt5ds", "AllSync", "NoSync", "", "rubbish"]))
SERVERS = st.one_of(
    st.none(),
    st.sampled_from(["", "time.windows.com,0x9", cases.WANTED.ntp_server, "a,0x8 b,zz", "dc.firma.local,0x8"]),
)
CONFIG_NAMES = (
    "MaxPosPhaseCorrection",
    "MaxNegPhaseCorrection",
    "MinPollInterval",
    "MaxPollInterval",
    "UtilizeSslTimeData",
)
CONFIG = st.fixed_dictionaries(dict.fromkeys(CONFIG_NAMES, NUMBER))
CLIENT = st.fixed_dictionaries({"Enabled": NUMBER, "SpecialPollInterval": NUMBER, "Type": TYPE, "NtpServer": SERVERS})
PARAMETERS = st.fixed_dictionaries({"Type": TYPE, "NtpServer": SERVERS})
TRIGGER = st.sampled_from([cases.JOIN_START, cases.NOT_JOINED_STOP, cases.NETWORK_START, cases.NETWORK_STOP])
SECTION = st.fixed_dictionaries(
    {
        "w32time": st.fixed_dictionaries(
            {
                "present": st.booleans(),
                "start": st.sampled_from([None, 2, 3, 4, 7]),
                "delayed": st.sampled_from([None, 0, 1]),
                "triggers": st.lists(TRIGGER, max_size=3),
                "state": st.sampled_from([None, "running", "stopped", "paused", "pending", "absent"]),
                "state_error": st.none(),
                "parameters": st.one_of(st.none(), PARAMETERS),
                "config": st.one_of(st.none(), CONFIG),
                "ntp_client": st.one_of(st.none(), CLIENT),
                "ntp_server": st.none(),
                "vmic": st.one_of(st.none(), st.fixed_dictionaries({"Enabled": NUMBER})),
                "secure_time_limits": st.none(),
            }
        ),
        "policy": st.fixed_dictionaries(
            {
                "parameters": st.one_of(st.none(), PARAMETERS),
                "config": st.one_of(st.none(), CONFIG),
                "ntp_client": st.one_of(st.none(), CLIENT),
                "ntp_server": st.none(),
            }
        ),
        "task": st.fixed_dictionaries({"state": st.sampled_from(["enabled", "disabled", "absent", "unknown"])}),
        "zone": st.fixed_dictionaries(
            {
                "key": st.sampled_from([None, "Turkey Standard Time", "UTC", "GTB Standard Time"]),
                "dynamic_daylight_disabled": st.sampled_from([None, 0, 1]),
                "utc_offset_s": st.sampled_from([None, 0, 7200, 10800]),
                "real_time_is_universal": st.sampled_from([None, 0, 1]),
                "data": st.sampled_from([None, {"Turkey Standard Time": cases.TURKEY_RULE}]),
            }
        ),
        "tzautoupdate_start": st.sampled_from([None, 3, 4]),
    }
)
CLOCK = st.one_of(
    st.none(),
    st.builds(
        lambda middle, half, sure, ntp: ClockView(middle - half, middle + half, sure, ntp),
        st.one_of(st.sampled_from([0.0, 0.9, 5.0, 420.0, 10800.0, YEARS_24]), st.floats(-2e9, 2e9)),
        st.floats(0.001, 100.0),
        st.booleans(),
        st.sampled_from([None, True, False]),
    ),
)
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "keep_max_phase": st.booleans(),
        "keep_own_peers": st.booleans(),
        "manage_pdc": st.booleans(),
        "member_service": st.booleans(),
        "max_poll": st.sampled_from([6, 10, 15]),
    },
)
UNFILLED = re.compile(r"\?[a-z_]+\?")
# Policy value -> the local value whose write it forbids.
RULED = {
    ("parameters", "Type"): ("Type", "NtpServer"),
    ("parameters", "NtpServer"): ("Type", "NtpServer"),
    ("ntp_client", "Type"): ("Type", "NtpServer"),
    ("ntp_client", "NtpServer"): ("Type", "NtpServer"),
    ("ntp_client", "Enabled"): ("Enabled",),
    ("ntp_client", "SpecialPollInterval"): ("SpecialPollInterval",),
    **{("config", name): (name,) for name in CONFIG_NAMES},
}


@settings(max_examples=1500, deadline=None)
@given(SECTION, st.sampled_from(sorted(cases.KINDS)), CLOCK, CLOCK, OPTIONS)
def test_laws_of_every_plan(
    raw: cases.Raw, kind: str, clock: ClockView | None, domain: ClockView | None, options: cases.Raw
) -> None:
    wanted, host = TimeWanted.from_options(options), cases.host(kind)
    observed = parse_time(raw)
    controller = domain and DomainClock("dc", domain)
    plan = plan_time(observed, host, wanted, clock, controller)
    findings = judge_time(observed, host, wanted, clock, controller)
    written = {s.args["name"]: s for s in plan if s.module == "ansible.windows.win_regedit"}

    if host.kind in FOLLOWERS:
        # Never out of its domain, and no other local write either.
        assert set(written) <= ({"Type"} if host.kind is Kind.MEMBER else set())
        assert all(step.args["data"] == "NT5DS" for step in written.values())
        assert not [s for s in plan if s.kind == "trigger"]
        assert wanted.member_service or not [s for s in plan if s.kind == "service"]
    for (group, name), locals_ in RULED.items():
        values = raw["policy"][group]
        if (
            values is not None
            and values.get(name) is not None
            and not (name in ("Type", "NtpServer") and not values[name])
        ):
            client_only = {"Enabled": kinds.NTP_CLIENT}
            for local in locals_:
                step = written.get(local)
                assert step is None or (local in client_only and step.args["path"] != client_only[local])
    assert all(step.args["path"].startswith(kinds.W32TIME) for step in written.values())

    order = [kinds.KINDS.index(step.kind) for step in plan]
    assert order == sorted(order)
    assert len({step.id for step in plan}) == len(plan)
    opened = [s.args["name"] for s in plan if s.kind == "widen"]
    assert opened == [s.args["name"] for s in plan if s.kind == "restore"]
    assert all(s.args["data"] != MAX_PHASE for s in plan if s.kind == "restore")
    assert not opened or (clock is not None and clock.corroborated and "time.resync" in ids(plan))
    # Every change is named by a finding that is not a pass, and every finding names only planned steps.
    named = {step for f in findings for step in f.steps}
    assert named <= set(ids(plan))
    followers = ("update", "restart", "resync", "reread")
    assert {s.id for s in plan if s.kind not in followers} <= named
    assert all(not f.steps or f.status is not Status.PASS for f in findings)
    for f in findings:
        for part in ("title", "remedy"):
            for text in messages.render(f.cause, part, f.params).values():
                assert not UNFILLED.search(text), f"{f.cause}: {text}"
    for step in plan:
        assert messages.render(step.reason, "title", step.params)["tr"] != step.reason
