# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import copy

import pytest
from ansible_collections.edefter.ready.plugins.plugin_utils.model import ShapeError
from ansible_collections.edefter.ready.plugins.plugin_utils.observation import envelope
from hypothesis import given
from test_shape import ANY_JSON

GOOD = {
    "schema": 1,
    "collector": {"module": "host_info", "version": "0.1.0", "runtime": "clr", "runtime_version": "4.0"},
    "started_utc": "2026-11-25T07:00:00.000Z",
    "elapsed_ms": 12.5,
    "complete": True,
    "sections": {
        "identity": {"status": "ok", "error": None, "elapsed_ms": 1.0, "data": {"os": "windows"}},
        "clock": {
            "status": "error",
            "error": {"phase": "section", "code": "access_denied", "native": 5, "message": "no"},
            "elapsed_ms": 2,
            "data": None,
        },
    },
}


def test_reads_sections_and_their_errors():
    read = envelope.parse_observation(GOOD)
    assert read.sections["identity"].ok
    assert read.sections["identity"].data == {"os": "windows"}
    assert not read.sections["clock"].ok
    assert read.sections["clock"].error == envelope.Fault("section", "access_denied", 5, "no")


@pytest.mark.parametrize(
    "broken",
    [
        {"status": "fine", "data": {}},
        {"status": "ok", "data": None},
        {"status": "ok", "data": [1]},
        "text",
        {"status": "error", "error": {"phase": 1}},
    ],
)
def test_one_broken_section_does_not_spoil_the_others(broken):
    raw = copy.deepcopy(GOOD)
    raw["sections"]["firewall"] = broken
    read = envelope.parse_observation(raw)
    assert read.sections["identity"].ok
    assert not read.sections["firewall"].ok
    assert read.sections["firewall"].error.code == "shape"


def test_a_failed_section_without_a_reason_gets_one():
    raw = copy.deepcopy(GOOD)
    raw["sections"]["clock"]["error"] = None
    assert envelope.parse_observation(raw).sections["clock"].error.code == "unspecified"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("schema", 2),
        ("schema", "1"),
        ("collector", None),
        ("sections", []),
        ("sections", {str(n): GOOD["sections"]["identity"] for n in range(40)}),
        ("complete", "yes"),
        ("elapsed_ms", -1),
        ("started_utc", 5),
    ],
)
def test_a_broken_envelope_is_refused(key, value):
    with pytest.raises(ShapeError):
        envelope.parse_observation({**GOOD, key: value})


@given(ANY_JSON)
def test_any_json_is_read_or_refused(raw):
    try:
        envelope.parse_observation(raw)
    except ShapeError as error:
        assert "observation" in error.path


@given(ANY_JSON)
def test_any_section_is_read_or_marked(raw):
    read = envelope.parse_observation({**GOOD, "sections": {"time": raw}})
    section = read.sections["time"]
    assert section.ok is (section.error is None)
