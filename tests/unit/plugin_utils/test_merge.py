# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import base64
import copy
import functools
import itertools
import json
import zlib

import pytest
from ansible_collections.edefter.ready.plugins.plugin_utils import merge
from hypothesis import given
from hypothesis import strategies as st


def finding(status, number=0):
    return {"id": f"f{number}", "status": status, "title": {"tr": "şaşırtıcı", "en": "odd"}}


def record(host, state="ready", run="20261125T070000Z-aaaa", findings=("pass",)):
    before = {"findings": [finding(status, n) for n, status in enumerate(findings)], "plan": [], "observed_utc": "x"}
    return {
        "schema": 1,
        "run": run,
        "host": host,
        "firm": "Kaya",
        "branch": "",
        "role": "",
        "state": state,
        "message": {"tr": "Hazır.", "en": "Ready."},
        "before": None if state == "pending" else before,
        "after": None,
        "error": None,
    }


def meta(run, finished="2026-11-25T07:10:00Z", mode="ready"):
    started = f"2026-11-25T07:00:{int(run[-2:], 16) % 60:02d}Z"
    return {"schema": 1, "run": run, "started_utc": started, "finished_utc": finished, "version": "0.1.0", "mode": mode}


RUNS = [meta(f"20261125T0700{n:02d}Z-00{n:02x}") for n in range(4)]


def test_an_artifact_comes_back_as_it_went():
    records = [record(f"pc{n}", "blocked", findings=("fail", "pass")) for n in range(30)]
    artifact = merge.pack(RUNS[0], lambda: records, 1_000_000)
    assert artifact["level"] == "whole"
    assert merge.unpack(json.loads(json.dumps(artifact))) == (RUNS[0], records)


def test_records_much_alike_take_little_room():
    records = [record(f"pc{n:04d}", findings=("pass",) * 40) for n in range(500)]
    artifact = merge.pack(RUNS[0], lambda: records, 1_000_000)
    assert len(artifact["records"]) < 0.02 * len(json.dumps(records))


def test_an_artifact_that_is_too_large_leaves_out_what_passes_and_then_all_but_the_verdict():
    noise = [record(f"pc{n}", "blocked", findings=("fail", "pass", "pass")) for n in range(40)]
    for n, one in enumerate(noise):
        for number, each in enumerate(one["before"]["findings"]):
            each["title"]["en"] = str(hash((n, number, "x"))) * 20
    whole = len(merge.pack(RUNS[0], lambda: noise, 10**9)["records"])
    medium = merge.pack(RUNS[0], lambda: noise, whole - 1)
    assert medium["level"] == "open"
    kept = merge.unpack(medium)[1]
    assert [[f["status"] for f in one["before"]["findings"]] for one in kept] == [["fail"]] * 40
    least = merge.pack(RUNS[0], lambda: noise, 10)
    assert least["level"] == "verdicts"
    assert [(one["host"], one["state"], one["before"]) for one in merge.unpack(least)[1]] == [
        (f"pc{n}", "blocked", None) for n in range(40)
    ]
    assert least["hosts"] == 40


def damaged():
    good = merge.pack(RUNS[0], lambda: [record("pc1")], 10**6)
    yield "no dict", []
    yield "another schema", {**good, "schema": 2}
    yield "no run", {**good, "run": {}}
    yield "no base64", {**good, "records": "§§§"}
    yield "no zlib", {**good, "records": base64.b64encode(b"hello").decode()}
    yield "cut off", {**good, "records": base64.b64encode(base64.b64decode(good["records"])[:-20]).decode()}
    for text in (b"[1]\n", b'{"host": 7}\n', b"{", json.dumps({**record("a"), "state": "great"}).encode()):
        yield text.decode(), {**good, "records": base64.b64encode(zlib.compress(text)).decode()}


@pytest.mark.parametrize(
    ("what", "artifact"), list(damaged()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_damaged_artifact_is_refused(what, artifact):
    with pytest.raises(merge.ArtifactError):
        merge.unpack(artifact)


def test_an_artifact_that_would_fill_the_memory_is_refused(monkeypatch):
    monkeypatch.setattr(merge, "MAX_UNPACKED", 1000)
    bomb = zlib.compress(b" " * 1_000_000)
    with pytest.raises(merge.ArtifactError, match="larger than"):
        merge.unpack({"schema": 1, "run": RUNS[0], "records": base64.b64encode(bomb).decode()})


def test_names_of_artifacts_are_variables_and_each_run_has_its_own():
    assert merge.name_of("20261125T071500Z-ab12") == "edefter_records_20261125T071500Z_ab12"


STATES = st.sampled_from(["ready", "fixed", "drifted", "blocked", "unknown", "unreachable", "pending"])
RECORDS = st.builds(
    record,
    st.just("pc1"),
    STATES,
    st.sampled_from([one["run"] for one in RUNS]),
    st.lists(st.sampled_from(["pass", "fail"]), max_size=3),
)


@given(st.lists(RECORDS, min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_which_record_stands_does_not_depend_on_the_order_and_merging_again_changes_nothing(records, rng):
    shuffled = copy.deepcopy(records)
    rng.shuffle(shuffled)
    chosen = functools.reduce(merge.better, records)
    assert functools.reduce(merge.better, shuffled) == chosen
    assert functools.reduce(merge.better, [*shuffled, chosen, *records]) == chosen
    if any(one["state"] != "pending" for one in records):
        assert chosen["state"] != "pending"
        assert chosen["run"] == max(one["run"] for one in records if one["state"] != "pending")


def test_the_merged_run_is_the_same_whatever_the_order_and_a_merged_part_counts_as_its_parts():
    merged = merge.run_of(RUNS)
    assert all(merge.run_of(order) == merged for order in itertools.permutations(RUNS))
    assert merge.run_of([merge.run_of(RUNS[:2]), *RUNS[1:]]) == merged
    assert [part["run"] for part in merged["merged"]] == [one["run"] for one in RUNS]
    assert merged["started_utc"] == RUNS[0]["started_utc"]
    assert merged["interrupted"] is False
    assert merge.run_of(RUNS[:3])["run"] != merged["run"]


def test_a_part_that_did_not_end_leaves_the_merged_run_interrupted():
    merged = merge.run_of([*RUNS[:3], {**RUNS[3], "finished_utc": None}])
    assert (merged["finished_utc"], merged["interrupted"]) == (None, True)


def test_it_only_looked_when_every_part_did():
    assert merge.run_of([{**one, "mode": "check"} for one in RUNS])["mode"] == "check"
    assert merge.run_of([{**RUNS[0], "mode": "check"}, RUNS[1]])["mode"] == "ready"


def test_nothing_to_merge_is_an_error():
    with pytest.raises(ValueError, match="no run"):
        merge.run_of([])


def test_hosts_stand_as_the_inventory_has_them():
    assert merge.in_order({"b", "a", "z", "y"}, ["b", "a", "c"]) == ["b", "a", "y", "z"]
