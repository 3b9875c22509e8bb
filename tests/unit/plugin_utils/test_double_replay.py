# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Windows double replays is judged as what it recorded, at whatever moment it is told."""

from __future__ import annotations

import copy
import dataclasses
from email.utils import format_datetime
from typing import Any

import clock_cases as cases
import pytest
from ansible_collections.edefter.ready.plugins.plugin_utils import assess as judge
from ansible_collections.edefter.ready.plugins.plugin_utils.clock import ntp
from ansible_collections.edefter.ready.plugins.plugin_utils.clock.verdict import ClockVerdict, assess, witness
from ansible_collections.edefter.ready.plugins.plugin_utils.judge.clock import judge_clock
from ansible_collections.edefter.ready.plugins.plugin_utils.judge.endpoint import clock_from_dates
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.clock import TICKS, parse_clock
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.endpoints import parse_endpoints
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.values import moment
from ansible_collections.edefter.ready.plugins.plugin_utils.vantage import Vantage
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted import everything
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted.clock import ClockWanted
from hypothesis import given
from hypothesis import strategies as st
from recorded import RAW
from windows_double import replay

# What host_info of the Windows twin sent from the lab, unedited.

# A Date lies outside of the certificate of clock_cases after a month.
SECONDS = st.floats(0, 30 * 86400) | st.integers(0, 30 * 86400).map(float)
OFFSETS = st.sampled_from([0.0, 0.4, -2.2, 59.0, -420.0, 7200.0, -86400.0 * 9000])
PATHS = st.tuples(st.sampled_from([0.001, 0.02, 0.3]), st.sampled_from([0.001, 0.03, 0.5]))


def envelope(clock: dict[str, Any]) -> dict[str, Any]:
    """An observation of nothing but the clock."""
    section = {"status": "ok", "error": None, "data": clock}
    return {
        "schema": 1,
        "started_utc": "2026-11-25T07:00:00.000Z",
        "elapsed_ms": 2000.0,
        "sections": {"clock": section},
    }


def clock_of(observation: dict[str, Any]) -> Any:
    return observation["sections"]["clock"]["data"]


@st.composite
def clocks(draw: st.DrawFn) -> tuple[float, dict[str, Any]]:
    """(true - host, a clock section): honest servers and liars, silent and refusing ones, a web server's Date."""
    offset = draw(OFFSETS)
    now = cases.NOW + draw(st.floats(0, 1))
    sources = []
    for number, (up, down) in enumerate(draw(st.lists(PATHS, max_size=4))):
        samples = [cases.sample(offset, up, down, 0.1 + at, now + 0.1 + at) for at in (0.0, 0.4, 0.8)]
        sources.append(cases.ntp(f"honest{number}", *samples))
    for number, lie in enumerate(draw(st.lists(st.sampled_from([0.3, -2.0, 7200.0]), max_size=2))):
        sources.append(cases.ntp(f"liar{number}", cases.sample(offset + lie, now=now)))
    if draw(st.booleans()):
        sources.append(cases.ntp("refuses", cases.sample(offset, now=now, stratum=0), kiss="RATE"))
    if draw(st.booleans()):
        nothing = {"reference": "0" * 16, "receive": "0" * 16, "transmit": "0" * 16}
        sources += [cases.ntp("mute"), cases.ntp("zero", cases.sample(offset, now=now, **nothing))]
    # The moments of the requests narrow what the Date says to a seventh of a second.
    error = draw(st.sampled_from([0, -3, 3600]))
    answers = [cases.answer(offset, now=now + at / 7, mono=at / 7) for at in range(7)]
    dated = [{**answer, "date": replay.date_later(answer["date"], error)} for answer in answers]
    server = draw(st.sampled_from(["nginx", "Kestrel"]))
    sources.append(cases.https("web", *({**answer, "server": server} for answer in dated)))
    return offset, cases.clock(*sources, offset=offset, now=now)


def essence(found: ClockVerdict) -> Any:
    """A verdict without numbers of seconds, and what is found by it."""
    rows = [(row.id, row.verdict, row.reason) for row in found.sources]
    findings = [(finding.id, finding.status, finding.cause) for finding in judge_clock(found, ClockWanted())]
    return (
        found.method,
        found.corroborated,
        found.depth,
        found.operators,
        found.stepped,
        found.hours_hint,
        rows,
        findings,
    )


@given(made=clocks(), seconds=SECONDS)
def test_the_clock_is_judged_as_in_the_recording(made: tuple[float, dict[str, Any]], seconds: float) -> None:
    _offset, clock = made
    first = assess(parse_clock(clock))
    again = assess(parse_clock(clock_of(replay.later(envelope(clock), seconds))))
    assert essence(again) == essence(first)
    # What was measured is up to a second older when it is told, and clocks drift 15 µs in that.
    for then, now in ((first.lo, again.lo), (first.hi, again.hi), (first.offset, again.offset)):
        assert now == (None if then is None else pytest.approx(then, rel=0, abs=2e-5))
    for then, now in zip(first.sources, again.sources, strict=True):
        if then.kind == "https":
            assert dataclasses.asdict(now) == pytest.approx(dataclasses.asdict(then))


@given(made=clocks(), seconds=SECONDS, took=st.floats(0.001, 10), back=st.floats(0, 2))
def test_the_control_node_is_a_true_witness_however_short_the_call_was(
    made: tuple[float, dict[str, Any]], seconds: float, took: float, back: float
) -> None:
    offset, clock = made
    recorded = envelope(clock)
    told = replay.ended(recorded) + offset + seconds
    control = witness(parse_clock(clock_of(replay.later(recorded, seconds))), told - took, told + back)
    assert control is not None
    # (Seconds since 1970 as floats are good to a quarter of a microsecond.)
    assert control.lo - 1e-6 <= offset <= control.hi + 1e-6


@given(seconds=SECONDS)
def test_it_is_over_when_it_is_told(seconds: float) -> None:
    told = replay.later(RAW, seconds)
    assert replay.ended(told) == pytest.approx(replay.ended(RAW) + seconds, abs=1e-6, rel=0)
    clock = clock_of(told)
    assert (clock["wall_start"], clock["mono_start"]) == (clock["wall_end"], clock["mono_end"])
    gains = [int(each["wall_end"]) - each["mono_end"] for each in (clock, clock_of(RAW))]
    assert gains[0] - gains[1] == int(seconds) * TICKS


def changes(one: Any, two: Any, path: str = "") -> dict[str, tuple[Any, Any]]:
    """Path to (before, after) of every leaf that differs."""
    if isinstance(one, dict) and isinstance(two, dict) and one.keys() == two.keys():
        parts = [changes(one[key], two[key], f"{path}.{key}") for key in one]
    elif isinstance(one, list) and isinstance(two, list) and len(one) == len(two):
        parts = [changes(a, b, path) for a, b in zip(one, two, strict=True)]
    else:
        return {} if one == two else {path: (one, two)}
    return {key: value for part in parts for key, value in part.items()}


CLOCK = ".sections.clock.data"
SOURCE = f"{CLOCK}.sources"
ATTEMPT = [f".sections.endpoints.data.{where}.attempts.http" for where in ("targets", "canaries.target")]
ABSOLUTE = {
    ".started_utc",
    *(f"{CLOCK}.{name}" for name in ("wall_start", "wall_end", "mono_start", "mono_end")),
    *(f"{SOURCE}.samples.{name}" for name in ("t1", "reference", "receive", "transmit")),
    *(f"{SOURCE}.requests.{name}" for name in ("t1", "date")),
    *(f"{http}.{name}" for http in ATTEMPT for name in ("date", "headers.date")),
}


def test_everything_absolute_moves_and_nothing_else() -> None:
    untouched = copy.deepcopy(RAW)
    told = replay.later(RAW, 4000.25)
    assert untouched == RAW
    assert set(changes(RAW, told)) == ABSOLUTE
    # A Date and what the module made of it stay the same moment.
    for target in told["sections"]["endpoints"]["data"]["targets"]:
        for http in (attempt["http"] for attempt in target["attempts"] if attempt["http"]):
            assert replay.date_later(http["headers"]["date"], 0) == format_datetime(
                moment(http["date"], ""), usegmt=True
            )


def test_all_findings_are_those_of_the_recording() -> None:
    wanted = everything.wanted_from({})
    first, again = (judge.assess(each, wanted, Vantage()) for each in (RAW, replay.later(RAW, 3 * 86400 + 0.999)))
    assert len(first.findings) > 20
    assert [(f.id, f.status, f.cause, f.owner) for f in again.findings] == [
        (f.id, f.status, f.cause, f.owner) for f in first.findings
    ]
    assert again.plan == first.plan


def test_the_dates_of_web_servers_say_the_same_of_the_clock() -> None:
    told = replay.later(RAW, 86400.5)
    first, again = (
        clock_from_dates(
            parse_endpoints(each["sections"]["endpoints"]["data"]), moment(each["started_utc"], ""), each["elapsed_ms"]
        )
        for each in (RAW, told)
    )
    assert first is not None
    assert again == first


def test_replies_through_a_proxy_move_too() -> None:
    recorded = copy.deepcopy(RAW)
    http = {"headers": {"date": "Wed, 25 Nov 2026 07:00:00 GMT"}, "date": "2026-11-25T07:00:00.000Z"}
    bare = {"headers": {}, "date": None}
    target = recorded["sections"]["endpoints"]["data"]["targets"][0]
    target["proxy_attempts"] = [
        {"proxy": "p", "connect": http, "http": bare},
        {"proxy": "q", "connect": None, "http": None},
    ]
    told = replay.later(recorded, 60.5)["sections"]["endpoints"]["data"]["targets"][0]["proxy_attempts"]
    moved = {"headers": {"date": "Wed, 25 Nov 2026 07:01:00 GMT"}, "date": "2026-11-25T07:01:00.000Z"}
    assert told == [{"proxy": "p", "connect": moved, "http": bare}, {"proxy": "q", "connect": None, "http": None}]


@pytest.mark.parametrize("without", ["absent", "failed"])
def test_without_a_clock_section_the_start_tells_the_moment(without: str) -> None:
    recorded = copy.deepcopy(RAW)
    failed = {
        "status": "error",
        "data": None,
        "error": {"phase": "section", "code": "x", "native": None, "message": ""},
    }
    for name in ("clock", "endpoints"):
        if without == "absent":
            del recorded["sections"][name]
        else:
            recorded["sections"][name] = failed
    told = replay.later(recorded, 10.0)
    assert changes(recorded, told).keys() == {".started_utc"}
    assert replay.ended(told) == pytest.approx(replay.ended(recorded) + 10, rel=0, abs=1e-6)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "yesterday",
        "Tue, 25 Nov 2026 07:00:00 GMT",
        "Wed, 25 Nov 2026 7:00:00 GMT",
        "wed, 25 nov 2026 07:00:00 GMT",
    ],
)
def test_what_is_no_date_stays_none(text: str | None) -> None:
    assert replay.date_later(text, 86400) == text


@pytest.mark.parametrize("stamp", ["eeb119ec511d1961", "fffffffe80000000", "0000000000000001", "0000001000000000"])
@pytest.mark.parametrize("whole", [0, 1, 7, 30 * 86400])
def test_a_timestamp_moves_by_whole_seconds_across_eras(stamp: str, whole: int) -> None:
    moved = int(replay.stamp_later(stamp, whole), 16)
    assert ntp.unwrap(moved) - ntp.unwrap(int(stamp, 16)) == whole * TICKS
