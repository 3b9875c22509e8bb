# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the control node saw. data/observation.json is what host_info sent from the lab, unedited."""

from __future__ import annotations

import copy
import json
import typing as t

import pytest
from ansible_collections.edefter.ready.plugins.plugin_utils import assess
from ansible_collections.edefter.ready.plugins.plugin_utils.vantage import (
    Vantage,
    from_judged,
    judged_of,
    read_vantage,
)
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted import everything
from hypothesis import given
from hypothesis import strategies as st
from recorded import RAW, raw

WANTED = everything.wanted_from({})
NOTHING = Vantage()
KEYS = ("bounds", "endpoints", "x")
FAILED = {"status": "failed", "error": {"phase": "x", "code": "y", "message": "z"}, "elapsed_ms": 1.0, "data": None}


def stored(observation: t.Any) -> Vantage:
    """As the host's process gets it: through the file."""
    return from_judged(json.loads(json.dumps(judged_of(observation))))


def test_it_gives_addresses_and_testifies_only_when_sure() -> None:
    vantage = read_vantage(RAW)
    assert vantage.lo is not None
    assert vantage.hi is not None
    assert vantage.addresses()["uyg.edefter.gov.tr"]
    arguments = everything.module_arguments(WANTED, vantage.addresses())
    assert {entry["host"] for entry in arguments["extra_addresses"]} == set(vantage.addresses())
    assert NOTHING.addresses() == {}
    alone = copy.deepcopy(RAW["sections"]["clock"])
    alone["data"]["sources"] = alone["data"]["sources"][:1]
    unsure = read_vantage(raw(clock=alone))
    assert (unsure.lo, unsure.hi) == (None, None)
    assert unsure.endpoints is not None


@pytest.mark.parametrize(
    "unreadable",
    [None, {"schema": 9}, raw(endpoints={"status": "ok", "error": None, "data": {"targets": 1}}, clock=FAILED)],
)
def test_what_cannot_be_read_is_as_none(unreadable: t.Any) -> None:
    assert read_vantage(unreadable) == NOTHING
    assert stored(unreadable) == NOTHING


def test_the_stored_part_judges_as_the_whole_does() -> None:
    whole, part = read_vantage(RAW), stored(RAW)
    assert (part.lo, part.hi) == (whole.lo, whole.hi)
    assert part.addresses() == whole.addresses()
    assert len(json.dumps(judged_of(RAW))) < 0.7 * len(json.dumps(RAW))
    # A host in trouble is where the vantage counts: another chain, another answer, no answer at all.
    host = copy.deepcopy(RAW)
    uyg, firma, *_rest = host["sections"]["endpoints"]["data"]["targets"]
    uyg["dns"]["system"]["addresses"] = ["192.168.1.1"]
    for attempt in firma["attempts"]:
        attempt.update(tcp={"error": {"phase": "tcp", "code": "timeout", "message": ""}}, tls=None, http=None)
    assert assess.assess(host, WANTED, part) == assess.assess(host, WANTED, whole)
    assert assess.assess(host, WANTED, part) != assess.assess(host, WANTED, NOTHING)


def test_a_section_that_failed_leaves_the_other() -> None:
    assert stored(raw(clock=FAILED)).endpoints is not None
    only_clock = stored(raw(endpoints=FAILED))
    assert only_clock.endpoints is None
    assert only_clock.lo == read_vantage(RAW).lo


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=4),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["bounds", "endpoints", "x"]), inner)
        ),
    )
)
def test_a_file_that_somebody_else_wrote_is_no_vantage(value: t.Any) -> None:
    seen = from_judged(value)
    assert seen.endpoints is None or value["endpoints"] is not None
    assert (seen.lo is None) == (seen.hi is None)
