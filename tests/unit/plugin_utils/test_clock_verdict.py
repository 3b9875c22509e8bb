# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From observations to verdicts: Date bounds, steps, witnesses, and that no wrong clock ever passes."""

from __future__ import annotations

import dataclasses
from typing import Any

import clock_cases as cases
import pytest
from ansible_collections.edefter.ready.plugins.plugin_utils.clock import date, steps
from ansible_collections.edefter.ready.plugins.plugin_utils.clock.verdict import (
    CONTROL_NODE,
    ClockVerdict,
    Witness,
    assess,
    witness,
)
from ansible_collections.edefter.ready.plugins.plugin_utils.model import OptionError, Status
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.clock import TICKS, ClockSource, parse_clock
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted.clock import ClockWanted
from hypothesis import given
from hypothesis import strategies as st

WANTED = ClockWanted()
YEAR = 365.25 * 86400


def measured(*sources: dict[str, Any], offset: float = 0.0, control: Witness | None = None) -> ClockVerdict:
    return assess(parse_clock(cases.clock(*sources, offset=offset)), control)


def honest(name: str, offset: float, **fields: Any) -> dict[str, Any]:
    return cases.ntp(name, cases.sample(offset), **fields)


def dated(name: str, offset: float, **fields: Any) -> dict[str, Any]:
    answers = [cases.answer(offset, now=cases.NOW + at / 7, mono=0.1 + at / 7) for at in range(7)]
    return cases.https(name, *answers, **fields)


def source(*answers: dict[str, Any], **fields: Any) -> ClockSource:
    return parse_clock(cases.clock(cases.https("d", *answers, **fields))).sources[0]


# ---- Date -----------------------------------------------------------------------------------------------------------

DATES = [
    ("Wed, 25 Nov 2026 07:00:00 GMT", cases.NOW),
    ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
    ("Sat, 31 Dec 2016 23:59:60 GMT", 1483228800),
    ("Tue, 25 Nov 2026 07:00:00 GMT", None),
    ("Wed, 25 Nov 2026 07:00:00 UTC", None),
    ("Wed, 31 Nov 2026 07:00:00 GMT", None),
    ("Wed, 25 Kas 2026 07:00:00 GMT", None),
    ("Wed, 25 Nov 2026 24:00:00 GMT", None),
    ("Wednesday, 25-Nov-26 07:00:00 GMT", None),
    ("Wed, ٢٥ Nov 2026 07:00:00 GMT", None),
    ("", None),
]


@pytest.mark.parametrize(("text", "seconds"), DATES)
def test_dates(text: str, seconds: int | None) -> None:
    assert date.parse_date(text) == seconds


@given(st.text(max_size=40))
def test_any_text_is_a_date_or_none(text: str) -> None:
    found = date.parse_date(text)
    assert found is None or found >= 0


@given(
    offset=st.floats(-60 * YEAR, 60 * YEAR),
    rtt=st.floats(0.001, 0.5),
    times=st.lists(st.floats(0, 5), min_size=1, max_size=7),
)
def test_date_bounds_hold_the_offset(offset: float, rtt: float, times: list[float]) -> None:
    answers = [cases.answer(offset, rtt, now=cases.NOW + at, mono=at) for at in times]
    found, why = date.bounds(source(*answers))
    assert why == ""
    assert found is not None
    assert found.lo - 2e-6 <= offset <= found.hi + 2e-6
    assert found.hi - found.lo <= 1 + rtt + 1e-4


def test_more_answers_make_it_sharper() -> None:
    one, _ = date.bounds(source(cases.answer()))
    many, _ = date.bounds(source(*(cases.answer(now=cases.NOW + at / 7) for at in range(7))))
    assert one is not None
    assert many is not None
    assert many.hi - many.lo < 0.3 < 1.0 < one.hi - one.lo


def test_a_server_that_may_cache_gets_a_second_more() -> None:
    prompt, _ = date.bounds(source(cases.answer(server="nginx/1.22.1")))
    other, _ = date.bounds(source(cases.answer(server="Microsoft-IIS/10.0")))
    assert prompt is not None
    assert other is not None
    assert other.hi == pytest.approx(prompt.hi + 1.0)
    assert other.lo == prompt.lo


def test_a_cached_date_that_lags_still_holds_the_truth() -> None:
    # Refreshed at .9 of each second: asked at .5, it shows the second before.
    lagging = cases.answer(now=cases.NOW + 10.5, date="Wed, 25 Nov 2026 07:00:09 GMT", server="Kestrel")
    found, _ = date.bounds(source(lagging))
    assert found is not None
    assert found.lo <= 0.0 <= found.hi


REFUSED = [
    ("stored", {"age": "17"}, {}),
    ("stored", {"x_cache": "HIT from cdn"}, {}),
    ("no_date", {"date": None}, {}),
    ("no_date", {"date": "yesterday"}, {}),
]


@pytest.mark.parametrize(("code", "fields", "more"), REFUSED)
def test_refused_answers(code: str, fields: dict[str, Any], more: dict[str, Any]) -> None:
    assert date.bounds(source(cases.answer(**fields), **more)) == (None, code)


def test_a_date_outside_the_certificate_is_refused() -> None:
    old = {
        "not_before": "2020-01-01T00:00:00Z",
        "not_after": "2021-01-01T00:00:00Z",
        "issuer": "",
        "problems": ["time"],
    }
    assert date.bounds(source(cases.answer(), certificate=old)) == (None, "certificate_dates")


def test_an_untrusted_certificate_is_refused() -> None:
    bad = {
        "not_before": "2020-01-01T00:00:00Z",
        "not_after": "2031-01-01T00:00:00Z",
        "issuer": "",
        "problems": ["UntrustedRoot"],
    }
    assert date.bounds(source(cases.answer(), certificate=bad)) == (None, "certificate")


def test_contradicting_answers() -> None:
    answers = (cases.answer(), cases.answer(date="Wed, 25 Nov 2026 08:00:00 GMT"))
    assert date.bounds(source(*answers)) == (None, "contradiction")


# ---- verdicts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offset", "status"),
    [(0.0, "pass"), (0.9, "pass"), (-0.9, "pass"), (0.99, "unknown"), (1.01, "unknown"), (1.1, "warn"), (-5.0, "warn"),
     (59.99, "unknown"), (61.0, "fail"), (-420.0, "fail"), (24 * YEAR, "fail"), (-40 * YEAR, "fail")],
)  # fmt: skip
def test_status_by_the_whole_interval(offset: float, status: str) -> None:
    found = measured(*(honest(name, offset) for name in "abc"), offset=offset)
    assert found.status(WANTED) == status
    assert found.offset == pytest.approx(offset, abs=1e-3)
    assert found.method == "ntp"
    assert found.corroborated


def test_the_sign() -> None:
    behind = measured(*(honest(name, 100.0) for name in "ab"), offset=100.0)
    assert behind.lo is not None
    assert behind.lo > 0
    assert behind.true_utc > behind.host_utc


def test_a_lone_source_is_no_pass_and_no_fail() -> None:
    assert measured(honest("a", 0.0)).status(WANTED) is Status.WARN
    lone = measured(honest("a", 500.0), offset=500.0)
    assert lone.status(WANTED) is Status.UNKNOWN
    assert not lone.corroborated
    believed = ClockWanted(require_corroboration=False)
    assert measured(honest("a", 0.0)).status(believed) is Status.PASS
    assert lone.status(believed) is Status.FAIL


def test_two_names_of_one_operator_do_not_confirm_each_other() -> None:
    found = measured(honest("a", 0.0, operator="Pool"), honest("b", 0.0, operator="pool"))
    assert not found.corroborated
    assert found.operators == 1


def test_falsetickers_are_named() -> None:
    found = measured(honest("a", 0.0), honest("b", 0.0), honest("c", 7.0))
    assert found.falsetickers == ("c",)
    assert found.status(WANTED) is Status.PASS


def test_two_that_contradict_each_other_decide_nothing() -> None:
    found = measured(honest("a", 0.0), honest("b", 7.0))
    assert found.status(WANTED) is Status.UNKNOWN
    assert {row.verdict for row in found.sources} == {"undecided"}
    assert found.falsetickers == ()


def test_the_date_breaks_the_tie() -> None:
    found = measured(honest("a", 0.0), honest("b", 7.0), dated("gib", 0.0))
    assert found.falsetickers == ("b",)
    assert found.status(WANTED) is Status.PASS


def test_a_blunt_witness_does_not_shield_liars() -> None:
    # The control node's ±3 s would make a majority with two liars at +0.8 s, if it voted beside the sharp ones.
    liars = [honest(name, 0.8) for name in ("d", "e")]
    found = measured(*(honest(name, 0.0) for name in "abc"), *liars, control=Witness(-3.0, 3.0))
    assert found.falsetickers == ("d", "e")


def test_two_sharp_liars_do_not_outvote_blunt_honest_ones() -> None:
    far = [cases.ntp(name, cases.sample(0.0, 0.45, 0.45)) for name in "abc"]
    found = measured(*far, honest("d", 5.0), honest("e", 5.0))
    assert found.falsetickers == ("d", "e")


def test_a_vague_controller_is_told_but_does_not_vote_beside_sharp_ones() -> None:
    vague = cases.ntp("dc", cases.sample(0.5, root_dispersion=8 << 16), lan=True)
    found = measured(*(honest(name, 0.0) for name in "ab"), vague)
    assert found.status(WANTED) is Status.PASS
    assert found.operators == 2
    row = next(row for row in found.sources if row.id == "dc")
    assert (row.verdict, row.offset) == ("agrees", pytest.approx(0.5, abs=1e-3))
    assert row.hi is not None
    assert row.lo is not None
    assert row.hi - row.lo == pytest.approx(16.04, abs=0.01)
    wrong = cases.ntp("dc", cases.sample(30.0, root_dispersion=8 << 16), lan=True)
    assert measured(*(honest(name, 0.0) for name in "ab"), wrong).falsetickers == ("dc",)
    assert measured(vague).status(WANTED) is Status.UNKNOWN


def test_two_servers_of_the_site_against_the_date_and_the_control_node() -> None:
    # Both take their time from the same wrong place; GIB's clock and ours say otherwise.
    site = [honest(name, 7.0, lan=True) for name in "ab"]
    found = measured(*site, dated("gib", 0.0, operator="gib"), control=Witness(-0.5, 0.5))
    assert found.status(WANTED) is Status.UNKNOWN
    assert found.lo is None


def test_nothing_answered() -> None:
    found = measured(cases.ntp("a"), cases.https("d"))
    assert (found.lo, found.hi, found.offset, found.method) == (None, None, None, "none")
    assert found.status(WANTED) is Status.UNKNOWN
    assert found.ntp_works is False
    assert {row.verdict for row in found.sources} == {"silent"}


def test_the_date_and_the_control_node() -> None:
    blocked = [cases.ntp(name) for name in "abc"]
    alone = measured(*blocked, dated("gib", 0.0))
    assert alone.status(WANTED) is Status.WARN
    both = measured(*blocked, dated("gib", 0.0), control=Witness(-0.8, 1.2))
    assert both.status(WANTED) is Status.PASS
    assert both.method == "date"
    against = measured(*blocked, dated("gib", 30.0), offset=30.0, control=Witness(-0.8, 1.2))
    assert against.status(WANTED) is Status.UNKNOWN


def test_the_control_node_alone() -> None:
    found = measured(control=Witness(-0.4, 0.5))
    assert found.method == "vantage"
    assert found.status(WANTED) is Status.WARN
    assert [row.id for row in found.sources] == [CONTROL_NODE]


def test_a_certificate_confirms_that_a_clock_is_years_off() -> None:
    offset = 24 * YEAR
    found = measured(dated("gib", offset), offset=offset)
    assert found.outside_certificate
    assert found.corroborated
    assert found.status(WANTED) is Status.FAIL
    near = measured(dated("gib", 3600.0), offset=3600.0)
    assert not near.outside_certificate
    assert near.status(WANTED) is Status.UNKNOWN


@pytest.mark.parametrize(
    ("offset", "hours"), [(10800.0, 3), (-7150.0, -2), (10800.0 + 200, None), (30.0, None), (86400.0 * 5, None)]
)
def test_hours_hint(offset: float, hours: int | None) -> None:
    assert measured(*(honest(name, offset) for name in "ab"), offset=offset).hours_hint == hours


def test_kiss_of_death_is_told() -> None:
    limited = cases.ntp("a", cases.sample(stratum=0, leap=3, refid="52415445"), kiss="RATE")
    found = measured(limited, honest("b", 0.0), honest("c", 0.0))
    assert [row.reason for row in found.sources] == ["kiss_rate", "", ""]
    assert found.sources[0].verdict == "rejected"


# ---- a clock that is set meanwhile ----------------------------------------------------------------------------------


def test_a_step_between_samples() -> None:
    before = cases.ntp("a", cases.sample(5.0, mono=0.1))
    after = [cases.ntp(name, cases.sample(0.0, mono=1.5, now=cases.NOW + 1.5)) for name in "bc"]
    raw = cases.clock(before, *after, offset=5.0, step=5.0)
    found = assess(parse_clock(raw))
    assert found.stepped is not None
    assert found.stepped.size == pytest.approx(5.0)
    assert found.offset == pytest.approx(0.0, abs=1e-3)
    assert found.sources[0].reason == "clock_stepped"
    assert found.status(WANTED) is Status.UNKNOWN


def test_a_step_within_a_sample() -> None:
    torn = cases.sample(0.0)
    torn["wall_delay"] = str(torn["delay"] + 2 * TICKS)
    found = assess(parse_clock(cases.clock(cases.ntp("a", torn), step=2.0)))
    assert found.stepped is not None
    assert found.lo is None


def test_one_late_reading_is_no_step() -> None:
    late = cases.sample(0.0, mono=0.5, now=cases.NOW + 0.5)
    # Put aside for 200 ms between the two clocks.
    late["wall_delay"] = str(late["delay"] - TICKS // 5)
    raw = parse_clock(
        cases.clock(cases.ntp("a", late), cases.ntp("b", cases.sample(0.0, mono=0.7, now=cases.NOW + 0.7)))
    )
    assert steps.find(raw) is None


@given(st.floats(0.05, 1e6), st.booleans())
def test_every_lasting_step_is_seen(size: float, back: bool) -> None:
    size = -size if back else size
    found = steps.find(parse_clock(cases.clock(cases.ntp("a", cases.sample(mono=0.1, now=cases.NOW + 0.1)), step=size)))
    assert found is not None
    assert found.size == pytest.approx(size, abs=1e-3)


# ---- the control node -----------------------------------------------------------------------------------------------


@given(offset=st.floats(-40 * YEAR, 40 * YEAR), before=st.floats(0, 5), after=st.floats(0, 5), own=st.floats(-2, 2))
def test_the_control_node_holds_the_offset(offset: float, before: float, after: float, own: float) -> None:
    """own: how far the control node's own clock is off, known to ±10 ms."""
    observed = parse_clock(cases.clock(offset=offset))
    sent = cases.NOW - before - own
    found = witness(observed, sent, sent + before + 2.0 + after, own - 0.01, own + 0.01)
    assert found is not None
    assert found.lo - 1e-5 <= offset <= found.hi + 1e-5
    assert found.hi - found.lo == pytest.approx(before + after + 0.02, abs=1e-5)


def test_a_call_shorter_than_its_measurement_is_no_witness() -> None:
    assert witness(parse_clock(cases.clock()), cases.NOW, cases.NOW + 1.0) is None


# ---- never a wrong pass ---------------------------------------------------------------------------------------------


@given(
    offset=st.floats(-5, 5) | st.floats(-1e9, 1e9),
    paths=st.lists(st.tuples(st.floats(0, 0.4), st.floats(0, 0.4)), min_size=2, max_size=5),
    lies=st.lists(st.floats(-1e6, 1e6) | st.sampled_from([0.3, 0.31, -2.0, 61.0, 7200.0]), max_size=4),
    date_too=st.booleans(),
)
def test_with_an_honest_majority_no_verdict_is_wrong(
    offset: float, paths: list[tuple[float, float]], lies: list[float], date_too: bool
) -> None:
    lies = lies[: len(paths) - 1]
    sources = [cases.ntp(f"h{i}", cases.sample(offset, up, down)) for i, (up, down) in enumerate(paths)]
    sources += [honest(f"l{i}", offset + lie) for i, lie in enumerate(lies)]
    if date_too:
        sources.append(dated("gib", offset))
    found = measured(*sources, offset=offset)
    if found.lo is not None and found.hi is not None:
        assert found.lo - 1e-5 <= offset <= found.hi + 1e-5
    status = found.status(WANTED)
    assert not (status is Status.PASS and abs(offset) > 1.0)
    assert not (status is Status.FAIL and abs(offset) <= 60.0)
    assert not any(name.startswith(("h", "gib")) for name in found.falsetickers)


# ---- limits ---------------------------------------------------------------------------------------------------------


def test_limits_are_options() -> None:
    assert ClockWanted.from_options(None) == ClockWanted()
    given_ = {"pass_seconds": 0.5, "warn_seconds": 2, "agree_seconds": 1, "require_corroboration": False}
    assert dataclasses.asdict(ClockWanted.from_options(given_)) == given_


@pytest.mark.parametrize(
    ("option", "value"),
    [("pass_seconds", "1"), ("pass_seconds", True), ("pass_seconds", 0), ("pass_seconds", float("nan")),
    ("warn_seconds", 0.5), ("warn_seconds", 1e9), ("agree_seconds", -1), ("require_corroboration", "no"), ("limit",
    1)],
)  # fmt: skip
def test_wrong_limits_are_named(option: str, value: Any) -> None:
    with pytest.raises(OptionError) as caught:
        ClockWanted.from_options({option: value})
    assert caught.value.option == f"clock.{option}"
    assert caught.value.remedy
