# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json

import pytest
from ansible_collections.edefter.ready.plugins.plugin_utils.edge import reports
from ansible_collections.edefter.ready.plugins.plugin_utils.edge.store import RunStore, write_atomically

HOSTS = [
    {"host": "pc1", "firm": "A", "branch": "a1", "role": "workstation"},
    {"host": "pc2", "firm": "B", "branch": "", "role": ""},
]


def record(host, state):
    return {"host": host, "firm": "A", "branch": "", "role": "", "state": state, "message": {"tr": "t", "en": "e"}}


@pytest.fixture
def store(tmp_path):
    made = RunStore.create(tmp_path / "run", "r1", "2026-11-25T07:00:00Z", "0.1.0", "ready")
    made.add_to_roster(HOSTS)
    return made


def test_every_host_of_the_roster_is_accounted_for(store):
    store.put("pc2", record("pc2", "blocked"))
    got = list(store.records())
    assert [(r["host"], r["state"]) for r in got] == [("pc1", "pending"), ("pc2", "blocked")]
    assert got[0]["firm"] == "A"


def test_a_batch_adds_to_the_roster_once(store):
    store.add_to_roster([HOSTS[0], {"host": "pc3"}])
    assert [entry["host"] for entry in store.roster()] == ["pc1", "pc2", "pc3"]


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", "..", "şube-1", "x" * 400, "C:\\pc"])
def test_no_host_name_leaves_the_folder(store, name):
    store.put(name, record(name, "ready"))
    assert store.get(name)["host"] == name
    assert all(path.parent == store.folder / "hosts" for path in store.folder.rglob("*.json") if path.name[0] != "r")


def test_names_that_differ_late_are_two_files(store):
    store.put("x" * 400 + "a", record("a", "ready"))
    store.put("x" * 400 + "b", record("b", "ready"))
    assert store.get("x" * 400 + "a")["host"] == "a"


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "f.json"
    write_atomically(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(path, "new \ud800")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_finish_keeps_the_rest(store):
    store.finish("2026-11-25T08:00:00Z")
    meta = store.meta()
    assert meta["finished_utc"] == "2026-11-25T08:00:00Z"
    assert meta["run"] == "r1"


def test_vantage_is_none_until_measured(store):
    assert store.vantage() is None
    store.put_vantage({"schema": 1})
    assert store.vantage() == {"schema": 1}
    store.put_vantage(None)
    assert store.vantage() is None


def test_reports_count_every_host(store):
    store.put("pc1", record("pc1", "fixed"))
    written = reports.write_all(store, "tr")
    assert written.digest.counts["fixed"] == 1
    assert written.digest.counts["pending"] == 1
    assert written.digest.ready == 1
    whole = json.loads((store.folder / "report.json").read_text())
    assert [host["host"] for host in whole["hosts"]] == ["pc1", "pc2"]
