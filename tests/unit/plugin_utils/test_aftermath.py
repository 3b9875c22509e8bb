# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import time

import pytest
from ansible_collections.edefter.ready.plugins.plugin_utils.edge import aftermath, process
from ansible_collections.edefter.ready.plugins.plugin_utils.edge.store import RunStore

pytestmark = pytest.mark.skipif(not pathlib.Path("/proc/self/stat").exists(), reason="needs /proc")


@pytest.fixture
def sleeper():
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield child
    child.kill()
    child.wait()


def a_run(folder, owner, name="r1"):
    store = RunStore.create(folder / name, name, "2026-11-25T07:00:00Z", "0.1.0", "ready", "en", owner)
    store.add_to_roster([{"host": "pc1", "firm": "A", "branch": "", "role": ""}, {"host": "pc2"}])
    store.put("pc1", {**next(iter(store.records())), "state": "ready", "message": {"tr": "t", "en": "e"}})
    return store


def report_of(store, patience=15.0):
    ends = time.monotonic() + patience
    while not (store.folder / "report.json").exists():
        assert time.monotonic() < ends, "no report was written"
        time.sleep(0.1)
    return json.loads((store.folder / "report.json").read_text(encoding="utf-8"))


def test_a_process_is_known_by_more_than_its_number(sleeper):
    known = process.of(sleeper.pid)
    assert known is not None
    assert known.lives() is True
    assert process.from_json(json.loads(json.dumps(process.to_json(known)))) == known
    # The number came round again.
    assert process.Process(known.host, known.space, known.pid, "1").lives() is False
    # Another machine, another container: that cannot be seen from here.
    assert process.Process("elsewhere", known.space, known.pid, known.started).lives() is None
    sleeper.kill()
    sleeper.wait()
    assert known.lives() is False
    assert process.of(sleeper.pid) is None


@pytest.mark.parametrize("raw", [None, [], {"pid": "7"}, "x"])
def test_nothing_that_can_be_read_is_no_process(raw):
    assert process.from_json(raw) is None


def test_a_run_whose_process_is_gone_gets_its_report(tmp_path, sleeper):
    store = a_run(tmp_path, process.of(sleeper.pid))
    other = a_run(tmp_path, process.of(os.getpid()), "r2")
    assert aftermath.conclude_earlier(tmp_path, other.folder) == []
    sleeper.kill()
    sleeper.wait()
    assert aftermath.conclude_earlier(tmp_path, other.folder) == ["r1"]
    report = report_of(store)
    assert {host["host"]: host["state"] for host in report["hosts"]} == {"pc1": "ready", "pc2": "pending"}
    assert store.meta()["interrupted"] is True
    # Once is enough.
    assert aftermath.conclude_earlier(tmp_path, other.folder) == []


def test_a_run_elsewhere_is_left_alone_until_it_was_quiet_for_long(tmp_path):
    store = a_run(tmp_path, process.Process("elsewhere", "x", 1, "1"))
    assert not aftermath.unfinished(store)
    old = time.time() - aftermath.QUIET - 60
    for path in (store.folder / "run.json", store.folder / "hosts"):
        os.utime(path, (old, old))
    assert aftermath.unfinished(store)


def test_a_finished_run_is_finished(tmp_path):
    store = a_run(tmp_path, None)
    store.finish("2026-11-25T08:00:00Z")
    assert not aftermath.unfinished(store)
    (store.folder / "run.json").write_text("{", encoding="utf-8")
    assert not aftermath.unfinished(store)


def test_the_watcher_reports_when_the_process_was_killed(tmp_path, sleeper):
    store = a_run(tmp_path, process.of(sleeper.pid))
    aftermath.watch(store.folder, process.of(sleeper.pid))
    time.sleep(1.0)
    assert not (store.folder / "report.json").exists()
    sleeper.kill()
    sleeper.wait()
    report = report_of(store)
    assert [host["host"] for host in report["hosts"]] == ["pc1", "pc2"]
    assert report["run"]["interrupted"] is True


def test_the_watcher_of_a_run_that_ended_in_order_does_nothing(tmp_path, sleeper):
    store = a_run(tmp_path, process.of(sleeper.pid))
    store.finish("2026-11-25T08:00:00Z")
    aftermath.watch(store.folder, process.of(sleeper.pid))
    sleeper.kill()
    sleeper.wait()
    time.sleep(2.0)
    assert not (store.folder / "report.json").exists()
