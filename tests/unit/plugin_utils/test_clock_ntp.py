# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NTP arithmetic: eras, rejections, and that a sample's interval holds the offset whatever the path does."""

from __future__ import annotations

from typing import Any

import clock_cases as cases
import pytest
from ansible_collections.edefter.ready.plugins.plugin_utils.clock import ntp
from ansible_collections.edefter.ready.plugins.plugin_utils.model import ShapeError
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.clock import (
    TICKS,
    NtpSample,
    iso,
    parse_clock,
)
from hypothesis import given
from hypothesis import strategies as st

YEAR = 365.25 * 86400


def parsed(raw: dict[str, Any]) -> NtpSample:
    return parse_clock(cases.clock(cases.ntp("a", raw))).sources[0].samples[0]


@pytest.mark.parametrize(
    ("seconds", "unix"),
    [
        (0xFFFFFFFF, 2**32 - 1 - ntp.NTP_TO_UNIX),
        (0, 2**32 - ntp.NTP_TO_UNIX),
        (1, 2**32 + 1 - ntp.NTP_TO_UNIX),
        (0x80000000, 2**31 - ntp.NTP_TO_UNIX),
        (0x7FFFFFFF, 2**31 - 1 + 2**32 - ntp.NTP_TO_UNIX),
        (ntp.NTP_TO_UNIX, 0),
    ],
)
def test_era_pivot(seconds: int, unix: int) -> None:
    assert ntp.unwrap(seconds << 32) == unix * TICKS


@given(st.floats(min_value=-365 * 86400.0, max_value=4_000_000_000.0))
def test_every_time_from_1969_to_2096_survives_the_wire(unix: float) -> None:
    wire = int(cases.stamp(unix), 16)
    assert abs(ntp.unwrap(wire) - unix * TICKS) <= 15


@given(
    offset=st.floats(min_value=-60 * YEAR, max_value=60 * YEAR),
    up=st.floats(min_value=0.0, max_value=0.8),
    down=st.floats(min_value=0.0, max_value=0.8),
)
def test_the_interval_holds_the_offset(offset: float, up: float, down: float) -> None:
    reading = ntp.read(parsed(cases.sample(offset, up, down)))
    # A float of 2^31 seconds has steps of 0.5 µs; the case itself is built with them.
    assert abs(reading.theta - offset) <= reading.radius + 2e-6
    assert reading.radius <= (up + down) / 2 + 0.002


REJECTED: dict[str, dict[str, Any]] = {
    "mode": {"mode": 5},
    "version": {"version": 0},
    "kiss": {"stratum": 0, "leap": 3},
    "unsynchronised": {"leap": 3},
    "zero_timestamp": {"receive": "0" * 16},
    "root_distance": {"root_dispersion": 16 << 16},
    "order": {"transmit": cases.stamp(cases.NOW - 1)},
    "negative_delay": {"transmit": cases.stamp(cases.NOW + 5)},
    "stale_reference": {"reference": cases.stamp(cases.NOW - 40 * 3600)},
    "future_reference": {"reference": cases.stamp(cases.NOW + 3600)},
}


@pytest.mark.parametrize("code", REJECTED)
def test_rejected(code: str) -> None:
    assert ntp.reject(parsed(cases.sample(**REJECTED[code]))) == code


def test_stratum_16_is_unsynchronised() -> None:
    assert ntp.reject(parsed(cases.sample(stratum=16))) == "unsynchronised"


@pytest.mark.parametrize(
    "fields", [{}, {"stratum": 1}, {"stratum": 15}, {"leap": 1}, {"version": 3}, {"reference": "0" * 16}]
)
def test_accepted(fields: dict[str, Any]) -> None:
    assert ntp.reject(parsed(cases.sample(**fields))) == ""


def test_the_least_delay_counts() -> None:
    samples = (parsed(cases.sample(1.0, 0.3, 0.02)), parsed(cases.sample(1.0, 0.01, 0.012)))
    reading, code = ntp.best(samples, 2 * TICKS)
    assert code == ""
    assert reading is not None
    assert reading.delay == pytest.approx(0.022, abs=1e-5)
    assert reading.theta == pytest.approx(0.999, abs=1e-4)


def test_age_widens_the_interval() -> None:
    one = parsed(cases.sample())
    early, _ = ntp.best((one,), one.mono)
    late, _ = ntp.best((one,), one.mono + 100 * TICKS)
    assert early is not None
    assert late is not None
    assert late.radius - early.radius == pytest.approx(100 * 15e-6)


@given(st.binary(min_size=16, max_size=16), st.integers(0, 2**32 - 1), st.integers(0, 255), st.integers(-128, 127))
def test_byte_soup_is_rejected_or_bounded(stamps: bytes, root: int, stratum: int, precision: int) -> None:
    raw = cases.sample(
        stratum=stratum,
        precision=precision,
        root_delay=root,
        root_dispersion=root,
        receive=stamps[:8].hex(),
        transmit=stamps[8:].hex(),
    )
    reading, code = ntp.best((parsed(raw),), 2 * TICKS)
    assert (reading is None) == bool(code)
    if reading is not None:
        assert 0 < reading.radius < ntp.MAX_ROOT + 2.0


WRONG: list[tuple[str, Any]] = [
    ("t1", 5),
    ("t1", "nonsense"),
    ("t1", "9" * 25),
    ("mono", -1),
    ("mono", True),
    ("delay", 10**15),
    ("leap", 4),
    ("stratum", 256),
    ("receive", "0x00000000000000"),
    ("receive", "ABCDEF0123456789"),
    ("root_delay", 2**32),
    ("precision", 1.5),
]


@pytest.mark.parametrize(("field", "value"), WRONG)
def test_wrong_shapes_are_named(field: str, value: Any) -> None:
    with pytest.raises(ShapeError) as caught:
        parsed({**cases.sample(), field: value})
    assert field in caught.value.path


NAMES = st.sampled_from(["wall_start", "mono_start", "wall_end", "sources", "kind", "samples", "id"])
SOUP = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=6),
    max_leaves=20,
)


@given(SOUP)
def test_anything_else_is_a_shape_error(soup: Any) -> None:
    with pytest.raises(ShapeError):
        parse_clock(soup)


@pytest.mark.parametrize(
    ("ticks", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (17955900001234567, "2026-11-25T07:00:00.123Z"),
        (10**19, "1000000000000 s from 1970"),
    ],
)
def test_iso(ticks: int, text: str) -> None:
    assert iso(ticks) == text
