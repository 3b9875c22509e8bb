# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json

import pytest
from ansible_collections.edefter.ready.plugins.plugin_utils import messages, record
from ansible_collections.edefter.ready.plugins.plugin_utils.model import Area, Evidence, Finding, Owner, Status, Step


def finding(status=Status.FAIL, cause="state.blocked", blocks=True, **more):
    values = {
        "id": "x",
        "area": Area.ENDPOINT,
        "check": "endpoint",
        "subject": "uyg",
        "status": status,
        "cause": cause,
        "owner": Owner.FIREWALL_ADMIN,
        "observed": "o",
        "expected": "e",
        "params": {"first": "F", "who": "W", "count": "1"},
        "evidence": (Evidence("k", "v"),),
        "blocks_filing": blocks,
    }
    return Finding(**{**values, **more})


STEP = Step(
    "time.zone", Area.TIME, "zone", "community.windows.win_timezone", {"timezone": "X"}, "a", "b", "state.ready"
)


@pytest.mark.parametrize(
    ("findings", "plan", "state"),
    [
        ([], [], "ready"),
        ([finding(Status.PASS)], [], "ready"),
        ([finding(Status.WARN)], [], "ready"),
        ([finding(Status.FAIL)], [], "blocked"),
        ([finding(Status.FAIL)], [STEP], "drifted"),
        ([finding(Status.UNKNOWN)], [], "unknown"),
        ([finding(Status.UNKNOWN, blocks=False)], [], "ready"),
        ([finding(Status.UNKNOWN), finding(Status.FAIL)], [], "blocked"),
    ],
)
def test_state(findings, plan, state):
    assert record.state_of(findings, plan) == state


def test_only_a_repaired_host_is_fixed():
    assert record.after_state("drifted", "ready") == "fixed"
    assert record.after_state("drifted", "blocked") == "blocked"
    assert record.after_state("ready", "ready") == "ready"


def test_what_blocks_filing_is_read_first():
    warn = finding(Status.WARN, blocks=True)
    fail = finding(Status.FAIL, blocks=False)
    unknown = finding(Status.UNKNOWN, blocks=True)
    passed = finding(Status.PASS, blocks=True)
    assert record.order([passed, fail, warn, unknown]) == [unknown, warn, fail, passed]


def test_findings_and_steps_become_plain_json():
    made = record.part("2026-11-25T07:00:00Z", 1.0, [finding()], [STEP], {})
    assert json.loads(json.dumps(made)) == made
    assert made["findings"][0]["status"] == "fail"
    assert type(made["findings"][0]["owner"]) is str
    assert made["findings"][0]["title"]["en"] == "Not ready, to be fixed by W: F"
    assert made["plan"][0]["area"] == "time"


@pytest.mark.parametrize("state", record.STATES)
@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_every_state_has_a_sentence_without_holes(state, language):
    said = record.sentence(state, [finding(Status.WARN, "state.ready")], [STEP])[language]
    assert said
    assert "?" not in said


def test_a_sentence_names_the_first_step_when_there_is_no_finding():
    assert "Ready for e-Defter" in record.sentence("drifted", [], [STEP])["en"]


def test_a_repair_that_did_not_get_through_says_so():
    assert "did not get through" in record.sentence("drifted", [finding()], [STEP], repaired=True)["en"]


def test_unfilled_placeholders_stay_visible_and_values_are_not_scanned_again():
    assert messages.fill("{a} {b}", {"a": "{b}"}) == "{b} ?b?"
