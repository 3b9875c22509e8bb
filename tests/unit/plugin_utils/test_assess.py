# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole observation. data/observation.json is what host_info of the Windows twin sent from the lab, unedited."""

from __future__ import annotations

import copy
import json
import typing as t

import pytest
from ansible_collections.edefter.ready.plugins.plugin_utils import assess, outcome
from ansible_collections.edefter.ready.plugins.plugin_utils.model import OptionError, Owner, ShapeError, Status
from ansible_collections.edefter.ready.plugins.plugin_utils.vantage import Vantage, read_vantage
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted import everything
from hypothesis import given
from hypothesis import strategies as st
from recorded import RAW, raw

WANTED = everything.wanted_from({})
NOTHING = Vantage()
SECTIONS = tuple(RAW["sections"])


def by_id(made: assess.Assessment) -> dict[str, t.Any]:
    return {finding.id: finding for finding in made.findings}


def test_a_stock_machine_drifts_only_in_windows_time() -> None:
    made = assess.assess(RAW, WANTED, NOTHING)
    assert made.state == "drifted"
    assert {step.area for step in made.plan} == {"time"}
    found = by_id(made)
    assert len(found) == len(made.findings), "an id stands for one finding"
    assert found["clock.offset"].status is Status.PASS
    for endpoint in ("uyg", "firma", "firma-4443", "portal"):
        assert found[f"endpoint:{endpoint}"].status is Status.PASS
        assert found[f"firewall.outbound:{endpoint}"].status is Status.PASS
    assert made.facts["probes"]
    assert made.facts["clock"]["lo"] < made.facts["clock"]["hi"]


def test_every_step_of_the_plan_is_somebodys_remedy() -> None:
    made = assess.assess(RAW, WANTED, NOTHING)
    linked = {step for finding in made.findings for step in finding.steps}
    assert linked <= {step.id for step in made.plan}
    for finding in made.findings:
        assert (finding.owner is Owner.COLLECTION) == bool(finding.steps), finding.id


@pytest.mark.parametrize("name", SECTIONS)
def test_a_section_that_failed_is_unknown_and_spoils_no_other(name: str) -> None:
    error = {"phase": "section", "code": "access_denied", "native": 5, "message": "no"}
    made = assess.assess(raw(**{name: {"status": "error", "error": error, "data": None}}), WANTED, NOTHING)
    found = by_id(made)
    assert found[f"section:{name}"].status is Status.UNKNOWN
    assert found[f"section:{name}"].cause == "section.failed"
    assert found[f"section:{name}"].params["error"] == "no"
    others = {f"section:{other}" for other in SECTIONS if other != name}
    assert not others & set(found)


@pytest.mark.parametrize("name", SECTIONS)
def test_a_section_of_the_wrong_shape_says_where(name: str) -> None:
    made = assess.assess(raw(**{name: {"status": "ok", "error": None, "data": {"resolvers": 5}}}), WANTED, NOTHING)
    found = by_id(made)
    if name != "proxy":  # nothing in it is obligatory
        assert found[f"section:{name}"].cause == "section.shape"
        assert found[f"section:{name}"].params["error"]
    assert found.get("endpoint:uyg") or name == "endpoints"


@pytest.mark.parametrize(("name", "state"), [("endpoints", "unknown"), ("clock", "unknown")])
def test_without_what_filing_depends_on_there_is_no_verdict(name: str, state: str) -> None:
    quiet = everything.wanted_from({"scope": ["endpoints", "clock"]})
    sections = dict(RAW["sections"])
    del sections[name]
    made = assess.assess({**RAW, "sections": sections}, quiet, NOTHING)
    assert by_id(made)[f"section:{name}"].cause == "section.missing"
    assert made.state == state


def test_an_observation_that_was_cut_off_says_so() -> None:
    made = assess.assess({**RAW, "complete": False}, WANTED, NOTHING)
    assert by_id(made)["observation"].status is Status.WARN


def test_a_posix_host_misses_nothing_that_only_windows_has() -> None:
    made = copy.deepcopy(RAW)
    made["collector"]["runtime"] = "python"
    made["sections"]["identity"]["data"]["os"] = "posix"
    for name in ("time", "firewall"):
        del made["sections"][name]
    found = by_id(assess.assess(made, WANTED, NOTHING))
    assert "section:time" not in found
    assert "section:firewall" not in found


@pytest.mark.parametrize("scope", everything.SCOPES)
def test_a_scope_judges_its_own_part(scope: str) -> None:
    wanted = everything.wanted_from({"scope": [scope]})
    sections = {name: RAW["sections"][name] for name in wanted.sections}
    made = assess.assess({**RAW, "sections": sections}, wanted, NOTHING)
    areas = {finding.area for finding in made.findings} - {"host", "proxy"}
    assert areas <= {scope.removesuffix("s")}
    assert areas or scope == "time"


def test_the_control_node_is_a_witness_to_the_clock() -> None:
    vantage = Vantage(None, -0.001, 0.001)
    start = RAW["sections"]["clock"]["data"]["wall_start"]
    sent = int(start) / 10_000_000
    window = assess.Window(sent - 0.5, sent + 30.0)
    made = assess.assess(RAW, WANTED, vantage, window)
    assert "control-node" in {source["id"] for source in made.facts["clock"]["sources"]}
    without = assess.assess(RAW, WANTED, NOTHING, window)
    assert "control-node" not in {source["id"] for source in without.facts["clock"]["sources"]}


@pytest.mark.parametrize(
    ("said", "cause"),
    [(None, "endpoint.down_or_site_block"), (False, "endpoint.down_or_site_block"), (True, "endpoint.service_down")],
)
def test_what_fails_on_the_control_node_too_depends_on_where_that_is(said: bool | None, cause: str) -> None:
    down = copy.deepcopy(RAW)
    firma = next(t for t in down["sections"]["endpoints"]["data"]["targets"] if t["id"] == "firma")
    for attempt in firma["attempts"]:
        attempt.update(tcp={"error": {"phase": "tcp", "code": "refused", "message": ""}}, tls=None, http=None)
    wanted = everything.wanted_from({"vantage_elsewhere": said})
    made = assess.assess(down, wanted, read_vantage(down))
    assert [f.cause for f in made.findings if f.check == "endpoint" and f.subject == "firma"] == [cause]


# -- what becomes of a host in a run --


def test_before_and_after_of_a_repair() -> None:
    before = outcome.observed(RAW, WANTED, NOTHING, None, {}, "before")
    assert before["state"] == "drifted"
    assert before["after"] is None
    quiet = everything.wanted_from({"scope": ["endpoints", "clock", "firewall"]})
    sections = {name: RAW["sections"][name] for name in quiet.sections}
    healthy = {**RAW, "sections": sections}
    after = outcome.observed(healthy, quiet, NOTHING, None, before, "after")
    assert after["state"] == "fixed"
    assert after["before"] == before["before"]
    assert after["after"]["plan"] == []
    assert outcome.observed(RAW, WANTED, NOTHING, None, before, "after")["state"] == "drifted"


def test_a_reply_that_cannot_be_read_is_unknown_and_keeps_what_was_known() -> None:
    made = outcome.observed("<html>", WANTED, NOTHING, None, {}, "before")
    assert made["state"] == "unknown"
    assert made["error"]["kind"] == "shape"
    earlier = outcome.observed(RAW, WANTED, NOTHING, None, {}, "before")
    again = outcome.broken(earlier, "module", "it failed", "after")
    assert again["state"] == "unknown"
    assert again["before"] == earlier["before"]
    assert again["after"]["findings"][0]["cause"] == "observation.broken"


def test_unreachable_and_failed_repairs_keep_what_was_known() -> None:
    earlier = outcome.observed(RAW, WANTED, NOTHING, None, {}, "before")
    gone = outcome.unreachable(earlier, "no route")
    assert gone["state"] == "unreachable"
    assert gone["before"] == earlier["before"]
    assert outcome.unreachable({}, "no route")["before"] is None
    failed = outcome.repair_failed(earlier, "task X: denied")
    assert failed["state"] == "drifted"
    assert "denied" in failed["message"]["en"]
    assert outcome.repair_failed({}, "x")["before"] is None


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
        max_leaves=15,
    ),
    st.sampled_from(SECTIONS),
)
def test_whatever_a_host_sends_in_a_section_ends_in_a_record(data: t.Any, name: str) -> None:
    made = outcome.observed(
        raw(**{name: {"status": "ok", "error": None, "data": data}}), WANTED, NOTHING, None, {}, "before"
    )
    json.dumps(made)
    assert made["state"] in ("drifted", "unknown", "blocked", "ready")


# -- options --


@pytest.mark.parametrize(
    ("options", "option"),
    [
        ({"probe": {"timeout": 0.0}}, "probe.timeout"),
        ({"probe": {"deadline": 9999.0}}, "probe.deadline"),
        ({"probe": {"samples": 0}}, "probe.samples"),
        ({"slices": 0}, "slices"),
        ({"slices": 101}, "slices"),
        ({"clock": {"pass_secs": 1}}, "clock.pass_secs"),
        ({"time": {"zone": 5}}, "time.zone"),
        ({"firewall": {"strategy": "open"}}, "firewall.strategy"),
        ({"endpoint": {"inspection": "maybe"}}, "endpoint.inspection"),
    ],
)
def test_bad_options_are_named(options: dict[str, t.Any], option: str) -> None:
    with pytest.raises(OptionError) as caught:
        everything.wanted_from(options)
    assert caught.value.option == option


def test_the_vantage_is_not_asked_for_windows_settings() -> None:
    sections = everything.module_arguments(WANTED, vantage=True)["sections"]
    assert "time" not in sections
    assert "firewall" not in sections
    assert "endpoints" in sections


def test_an_envelope_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(ShapeError):
        assess.assess([], WANTED, NOTHING)
