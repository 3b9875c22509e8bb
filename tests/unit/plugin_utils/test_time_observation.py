# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parser of section `time`, host kinds, peers and the wanted state: good, odd and hostile input."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
import w32time_cases as cases
from ansible_collections.edefter.ready.plugins.plugin_utils.catalog import TimeSource, time_sources
from ansible_collections.edefter.ready.plugins.plugin_utils.hostkind import Kind, host_of
from ansible_collections.edefter.ready.plugins.plugin_utils.judge.time import judge_time, not_observed
from ansible_collections.edefter.ready.plugins.plugin_utils.model import OptionError, Owner, ShapeError, Status
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.envelope import Fault
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.time import Trigger, parse_time
from ansible_collections.edefter.ready.plugins.plugin_utils.plan.time import plan_time
from ansible_collections.edefter.ready.plugins.plugin_utils.w32time.case import (
    ClockView,
    DomainClock,
    domain_clock_of,
    view_of,
)
from ansible_collections.edefter.ready.plugins.plugin_utils.w32time.words import (
    Peer,
    Starts,
    longest_poll_s,
    parse_peers,
    seeding_on,
    starts,
)
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted.time import TimeWanted
from hypothesis import given, settings
from hypothesis import strategies as st

# Anything that JSON can carry.
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=30)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=12), inner, max_size=4)),
    max_leaves=12,
)


def paths(raw: t.Any, at: tuple[t.Any, ...] = ()) -> t.Iterator[tuple[t.Any, ...]]:
    """Every place in a nested value."""
    yield at
    children = raw.items() if isinstance(raw, dict) else enumerate(raw) if isinstance(raw, list) else ()
    for key, value in children:
        yield from paths(value, (*at, key))


PLACES = [place for place in paths(cases.READY) if place]


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(PLACES), JSON, st.sampled_from(sorted(cases.KINDS)))
def test_any_value_anywhere_is_read_or_refused(place: tuple[t.Any, ...], value: t.Any, kind: str) -> None:
    raw = cases.merged(cases.KINDS[kind][0])
    inner: t.Any = raw
    for key in place[:-1]:
        if isinstance(inner, list) and key >= len(inner):
            return  # this kind has fewer triggers
        inner = inner[key]
    if isinstance(inner, list) and place[-1] >= len(inner):
        return
    inner[place[-1]] = value
    try:
        observed = parse_time(raw)
    except ShapeError as error:
        assert error.path.startswith(("time", "zone", "w32time", "policy", "tzautoupdate"))
        return
    judge_time(observed, cases.host(kind), cases.WANTED, ClockView(-0.1, 0.1))
    plan_time(observed, cases.host(kind), cases.WANTED)


@given(JSON)
def test_any_section_is_read_or_refused(raw: t.Any) -> None:
    try:
        parse_time(raw)
    except ShapeError:
        return
    assert isinstance(raw, dict)


@given(st.dictionaries(st.sampled_from(["os", "domain_role", "build", "product_type", "hypervisor"]), JSON))
def test_any_identity_gives_a_kind(raw: dict[str, t.Any]) -> None:
    assert host_of(raw).kind in Kind


def test_a_value_of_a_type_that_windows_would_not_read_counts_as_absent() -> None:
    observed = cases.section(
        "workgroup_pc",
        {"w32time": {"start": "4", "parameters": {"Type": 5}, "config": {"MaxPosPhaseCorrection": {"hex": "00"}}}},
    )
    assert observed.settings is not None
    assert observed.settings.start is None
    assert observed.settings.parameters.text("Type") is None
    assert observed.odd == ("w32time.Start", "w32time.Parameters.Type", "w32time.Config.MaxPosPhaseCorrection")


def test_sizes_are_bounded() -> None:
    with pytest.raises(ShapeError):
        cases.section("workgroup_pc", {"w32time": {"triggers": [cases.JOIN_START] * 65}})
    with pytest.raises(ShapeError):
        cases.section("workgroup_pc", {"zone": {"data": {f"zone {n}": None for n in range(9)}}})
    long = cases.section("workgroup_pc", {"w32time": {"parameters": {"NtpServer": "a,0x8 " * 5000}}})
    assert long.settings is not None
    assert len(long.settings.parameters.text("NtpServer") or "") == 1024


def test_a_section_that_failed_is_unknown() -> None:
    (finding,) = not_observed(Fault("section", "access_denied", None, "SecurityException"))
    assert finding.status is Status.UNKNOWN
    assert finding.evidence[0].value == "section/access_denied: SecurityException"


def test_a_posix_host_is_judged_by_its_offset_alone() -> None:
    raw = {"w32time": None, "policy": None, "task": None, "zone": {"key": "Europe/Istanbul", "utc_offset_s": 10800}}
    host = host_of({"os": "posix"})
    found = judge_time(parse_time(raw), host, cases.WANTED, ClockView(500.0, 500.1))
    assert [(f.check, f.status) for f in found] == [("time.utc_offset", Status.PASS)]
    raw["zone"] = {"key": "Etc/UTC", "utc_offset_s": 0}
    found = judge_time(parse_time(raw), host, cases.WANTED)
    assert [(f.check, f.status) for f in found] == [("time.utc_offset", Status.FAIL)]
    assert plan_time(parse_time(raw), host, cases.WANTED) == ()


@pytest.mark.parametrize(
    ("role", "extra", "kind"),
    [
        (0, {}, Kind.WORKGROUP_PC),
        (2, {}, Kind.WORKGROUP_SERVER),
        (0, {"entra_joined": True}, Kind.ENTRA_JOINED),
        (1, {"entra_joined": True}, Kind.MEMBER),
        (3, {}, Kind.MEMBER),
        (4, {}, Kind.DOMAIN_CONTROLLER),
        (5, {}, Kind.PDC_EMULATOR),
        (None, {}, Kind.UNKNOWN),
        (None, {"product_type": "LanmanNT"}, Kind.DOMAIN_CONTROLLER),
        (7, {}, Kind.UNKNOWN),
    ],
)
def test_kinds(role: int | None, extra: dict[str, t.Any], kind: Kind) -> None:
    domain_role = {"machine_role": role, "domain": "FIRMA", "dns_domain": "firma.local", "forest": "firma.local"}
    assert host_of({"os": "windows", "domain_role": domain_role, **extra}).kind is kind


def test_a_child_domains_pdc_emulator_follows_the_forest() -> None:
    role = {"machine_role": 5, "domain": "SUBE", "dns_domain": "sube.firma.local", "forest": "firma.local"}
    assert host_of({"domain_role": role}).kind is Kind.DOMAIN_CONTROLLER


def test_an_override_never_takes_a_joined_machine_out_of_its_domain() -> None:
    member = cases.KINDS["member"][1]
    assert host_of(member, Kind.WORKGROUP_PC).kind is Kind.MEMBER
    assert host_of(member, Kind.DOMAIN_CONTROLLER).kind is Kind.DOMAIN_CONTROLLER
    assert host_of({"os": "windows"}, Kind.WORKGROUP_PC).kind is Kind.WORKGROUP_PC
    assert host_of(cases.IDENTITY, Kind.MEMBER).kind is Kind.MEMBER


@pytest.mark.parametrize(
    ("text", "peers"),
    [
        ("time.windows.com,0x9", [Peer("time.windows.com", 9)]),
        ("a,0x8  b,8\tc", [Peer("a", 8), Peer("b", 8), Peer("c", 0)]),
        ("fe80::1,0x8", [Peer("fe80::1", 8)]),
        ("a,0xzz b,-1 c,", [Peer("a", None), Peer("b", None), Peer("c", None)]),
        ("<script>,0x8 ,0x8 ;", []),
        (None, []),
    ],
)
def test_peers(text: str | None, peers: list[Peer]) -> None:
    assert parse_peers(text) == tuple(peers)


def _triggers(*raw: dict[str, t.Any]) -> tuple[Trigger, ...]:
    return tuple(Trigger(x["type"], x["action"], x["guid"]) for x in raw)


def test_triggers() -> None:
    assert starts(()) is Starts.NONE
    assert starts(_triggers(cases.JOIN_START)) is Starts.DOMAIN
    assert starts(_triggers(cases.JOIN_START, cases.NETWORK_START)) is Starts.NETWORK
    assert starts(_triggers(cases.NETWORK_START, cases.NOT_JOINED_STOP)) is Starts.DOMAIN


def test_polls() -> None:
    special, plain = (Peer("a", 9),), (Peer("a", 8),)
    assert longest_poll_s(special, 10, 15, 604800, 22631) == 32768
    assert longest_poll_s(special, 10, 15, 604800, 14393) == 604800
    assert longest_poll_s(special, 6, 10, 60, 22631) == 64
    assert longest_poll_s(plain, 6, 10, 604800, 22631) == 1024
    assert longest_poll_s(plain, 6, None, None, None) is None


def test_secure_time_seeding() -> None:
    assert seeding_on(None, 20348, True) is True
    assert seeding_on(None, 26100, True) is False
    assert seeding_on(None, 9600, True) is False
    assert seeding_on(None, None, True) is None
    assert seeding_on(1, 26100, True) is True


@dataclasses.dataclass(frozen=True)
class _Row:
    id: str
    kind: str
    verdict: str
    lo: float | None = None
    hi: float | None = None
    host: str = "dc1.firma.local"


@dataclasses.dataclass(frozen=True)
class _Measured:
    lo: float | None
    hi: float | None
    sources: tuple[_Row, ...]
    corroborated: bool = True


def test_the_view_of_a_measurement() -> None:
    assert view_of(None) is None
    assert view_of(_Measured(None, None, ())) is None
    for rows, works in [
        ((("https", "agrees"),), None),
        ((("ntp", "silent"), ("https", "agrees")), False),
        ((("ntp", "silent"), ("ntp", "falseticker")), True),
        ((("ntp", "skipped"),), None),
    ]:
        view = view_of(_Measured(1.5, 1.6, tuple(_Row("x", kind, verdict) for kind, verdict in rows)))
        assert view is not None
        assert (view.lo, view.hi, view.ntp_works) == (1.5, 1.6, works)


def test_the_controllers_clock_out_of_a_members_measurement() -> None:
    ume, date = _Row("ume", "ntp", "agrees", -0.1, 0.1), _Row("gib", "https", "agrees", -0.2, 0.2)
    assert domain_clock_of(None) is None
    assert domain_clock_of(_Measured(-0.1, 0.1, (ume, date))) is None
    # The member is right; its controller makes it believe that it is 420 s ahead: the controller is behind by as much.
    wrong = _Row("domain", "ntp", "falseticker", -420.1, -419.9)
    found = domain_clock_of(_Measured(-0.1, 0.1, (ume, date, wrong)))
    assert found is not None
    assert found.view is not None
    assert (found.host, round(found.view.lo, 6), round(found.view.hi, 6)) == ("dc1.firma.local", 419.8, 420.2)
    silent = domain_clock_of(_Measured(-0.1, 0.1, (ume, _Row("domain", "ntp", "silent"))))
    assert silent is not None
    assert silent.view is None
    alone = domain_clock_of(_Measured(-0.1, 0.1, (_Row("domain", "ntp", "agrees", -0.1, 0.1),)))
    assert alone is not None
    assert alone.view is None


@pytest.mark.parametrize(
    ("clock", "status", "cause"),
    [
        (ClockView(-0.1, 0.1), "pass", "time.domain.ok"),
        (ClockView(419.0, 420.0), "fail", "time.domain.wrong"),
        (ClockView(-0.5, 1.5), "unknown", "time.domain.unknown"),
        (None, "unknown", "time.domain.unknown"),
    ],
)
def test_the_finding_is_on_the_controller(clock: ClockView | None, status: str, cause: str) -> None:
    domain = DomainClock("dc1.firma.local", clock)
    found = judge_time(cases.section("member"), cases.host("member"), cases.WANTED, ClockView(-0.1, 0.1), domain)
    (finding,) = [f for f in found if f.check == "time.domain"]
    assert (finding.status, finding.cause) == (status, cause)
    assert finding.owner is (Owner.NOBODY if status == "pass" else Owner.DOMAIN_ADMIN)
    assert finding.params["controller"] == "dc1.firma.local"
    alone = judge_time(cases.section("workgroup_pc"), cases.host("workgroup_pc"), cases.WANTED, None, domain)
    assert not [f for f in alone if f.check == "time.domain"]


def test_wanted_defaults() -> None:
    wanted = TimeWanted.from_options({})
    assert wanted.zone == "Turkey Standard Time"
    assert wanted.utc_offset_s == 10800
    assert wanted.ntp_server.split()[1] == "time.windows.com,0x8"
    assert len(wanted.peers) >= 3
    assert TimeWanted.from_options({"zone": "GTB Standard Time"}).utc_offset_s is None


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"zon": "x"}, "time.zon"),
        ({"zone": "Turkey Standard Time_dstoff"}, "time.zone"),
        ({"zone": "a; shutdown"}, "time.zone"),
        ({"keep_max_phase": "yes"}, "time.keep_max_phase"),
        ({"min_poll": 12, "max_poll": 10}, "time.min_poll"),
        ({"max_poll": 99}, "time.max_poll"),
        ({"host_kind": "laptop"}, "time.host_kind"),
        ({"host_kind": "unknown"}, "time.host_kind"),
        ({"phase_floor": 7200, "phase_limit": 3600}, "time.phase_limit"),
        ({"threshold_s": 0}, "time.threshold_s"),
        ({"utc_offset_s": True}, "time.utc_offset_s"),
        (
            {"time_sources": [{"id": x, "enabled": False} for x in ("ume", "windows", "pool-tr", "cloudflare")]},
            "time_sources",
        ),
        ({"time_sources": [{"id": "ume", "port": 1123}]}, "time_sources.ume.port"),
    ],
)
def test_wanted_that_cannot_be_meant(options: dict[str, t.Any], named: str) -> None:
    with pytest.raises(OptionError) as caught:
        TimeWanted.from_options(options)
    assert caught.value.option == named
    assert caught.value.remedy


def test_open_limits_need_three_peers() -> None:
    few = [TimeSource("a", "a.example", peer=True), TimeSource("b", "b.example", peer=True)]
    with pytest.raises(OptionError):
        TimeWanted.from_options({"keep_max_phase": True}, few)
    assert TimeWanted.from_options({"keep_max_phase": True}, time_sources()).keep_max_phase
