# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fleets of doubles: hosts in every kind of trouble, a run that is killed, slices as AWX makes them."""

from __future__ import annotations

import contextlib
import copy
import json
import os
import pathlib
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import yaml
from fleet import Stage, branches
from tree import ROOT
from windows_double import Double
from windows_double.ansible_run import program

pytestmark = [
    pytest.mark.lab,
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
]
OBSERVE = "edefter.ready.host_info"
# Short, so that a host that never answers is not waited for long. One that is slow is asked again and again: what it
# needs to do its work may be longer than both.
READ_TIMEOUT = 8.0
TIMEOUTS = (
    *("-e", "ansible_winrm_connection_timeout=3 ansible_winrm_operation_timeout_sec=6"),
    *("-e", f"ansible_winrm_read_timeout_sec={READ_TIMEOUT:g}"),
)
FORKS = ("-f", "12")

FLEET = 60
#: 10 % that cannot be reached: host -> winrm.fault.
UNREACHABLE = {
    "b000pc0001": "refuse",
    "b000pc0004": "hang",
    "b001pc0002": "hang",
    "b001pc0003": "reject",
    "b002pc0010": "html",
    "b005pc0010": "unavailable",
}
#: 5 % that take half a minute.
SLOW = ("b000pc0002", "b001pc0001", "b003pc0007")
SLOW_SECONDS = 30.0
#: 2 % whose reply is broken, in two ways: host -> reply.fault.
BROKEN = {"b001pc0005": "not_json", "b004pc0001": "wrong_types"}
EXPECTED = {**dict.fromkeys(UNREACHABLE, "unreachable"), **dict.fromkeys(BROKEN, "unknown")}


@contextlib.contextmanager
def trouble(double: Double) -> Iterator[None]:
    """A healthy fleet falls ill, and recovers."""
    refusing = [name for name, fault in UNREACHABLE.items() if fault == "refuse"]
    for name, fault in UNREACHABLE.items():
        double.hosts[name].winrm_fault = fault
    for name in refusing:
        double.listen(name, False)
    for name in SLOW:
        double.hosts[name].module_seconds = SLOW_SECONDS
    for name, fault in BROKEN.items():
        double.hosts[name].reply_fault = {"fault": fault}
    try:
        yield
    finally:
        for host in double.hosts.values():
            host.winrm_fault, host.module_seconds, host.reply_fault = None, 0.0, {}
        for name in refusing:
            double.listen(name, True)


def reports(folder: pathlib.Path) -> list[pathlib.Path]:
    return sorted(folder.glob("*/report.json"))


def read(path: pathlib.Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return report


def states(report: dict[str, Any]) -> dict[str, str]:
    return {host["host"]: host["state"] for host in report["hosts"]}


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Stage(branches(FLEET, size=10, replay=True)) as up:
        up.play("edefter_check.yml", *FORKS, *TIMEOUTS, "-e", f"edefter_reports_dir={up.folder}/warm-up")
        yield up


@pytest.mark.cores
def test_every_host_is_accounted_for_and_pays_only_for_itself(stage: Stage, tmp_path: pathlib.Path) -> None:
    command = ("edefter_ready.yml", *FORKS, *TIMEOUTS, "-e", f"edefter_reports_dir={tmp_path}")
    stage.double.clear_log()
    with trouble(stage.double):
        began = time.monotonic()
        played = stage.play(*command)
        took = time.monotonic() - began
    report = read(reports(tmp_path)[0])
    found = states(report)
    assert found == {name: EXPECTED.get(name, "ready") for name in stage.double.hosts}, played.stdout[-3000:]
    assert report["run"]["interrupted"] is False
    for host in report["hosts"]:
        if host["state"] != "ready":
            assert host["error"]["message"], host["host"]
    # Each host costs one module execution, and one that cannot be reached none. Nothing is tried twice.
    for name in stage.double.hosts:
        assert stage.double.executions(name) == ([] if found[name] == "unreachable" else [OBSERVE]), name
    # The slow and the silent wait side by side: at least as long as the slowest, and not as long as all together.
    waits = [SLOW_SECONDS] * len(SLOW) + [READ_TIMEOUT for fault in UNREACHABLE.values() if fault == "hang"]
    assert max(waits) < took < sum(waits), took
    assert played.returncode != 0
    # The roster told each host its neighbours without anybody going through the fleet for it.
    args = stage.double.log("module", "b002pc0003")[0]["args"]
    assert (args["neighbours"], args["place"]) == (10, 2)

    # Once the trouble is over, nothing of it is left.
    stage.double.clear_log()
    played = stage.play(*command)
    after = read(reports(tmp_path)[1])
    assert states(after) == dict.fromkeys(stage.double.hosts, "ready"), played.stdout[-3000:]
    assert Counter(stage.double.executions()) == {OBSERVE: FLEET}
    assert (played.returncode, stage.double.errors()) == (0, [])


@pytest.mark.cores
def test_a_killed_run_leaves_a_valid_report_and_the_next_one_is_clean(stage: Stage, tmp_path: pathlib.Path) -> None:
    command = stage.command("edefter_ready.yml", "-f", "3", *TIMEOUTS, "-e", f"edefter_reports_dir={tmp_path}")
    # (`ip netns exec` becomes the program that it starts, so the signal reaches ansible-playbook itself.)
    with (tmp_path / "out.txt").open("wb") as out:
        process = subprocess.Popen(command, env=stage.environment(), stdout=out, stderr=out, cwd=tmp_path)
        ends = time.monotonic() + 60
        while len(list(tmp_path.glob("*/hosts/*.json"))) < FLEET // 2:
            assert time.monotonic() < ends, (tmp_path / "out.txt").read_text()
            assert process.poll() is None, (tmp_path / "out.txt").read_text()
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
    ends = time.monotonic() + 30
    while not reports(tmp_path):
        assert time.monotonic() < ends, "the watcher wrote no report"
        time.sleep(0.1)
    time.sleep(1.0)
    report = read(reports(tmp_path)[0])
    counts = Counter(states(report).values())
    assert set(states(report)) == set(stage.double.hosts)
    assert report["run"]["interrupted"] is True
    assert counts["pending"] > 0
    assert counts["ready"] >= FLEET // 2
    for path in tmp_path.glob("*/hosts/*.json"):
        read(path)
    # Nobody is left behind: no worker, no watcher, no half-written file.
    left = subprocess.run(["pgrep", "-f", str(tmp_path)], capture_output=True, text=True, check=False)
    assert left.stdout.split() == []
    assert list(tmp_path.glob("*/.*")) == []

    played = stage.play("edefter_ready.yml", *FORKS, *TIMEOUTS, "-e", f"edefter_reports_dir={tmp_path}")
    assert len(reports(tmp_path)) == 2, played.stdout
    whole = read(reports(tmp_path)[1])
    assert whole["run"]["interrupted"] is False
    assert states(whole)["b003pc0001"] == "ready"
    assert "pending" not in states(whole).values()


def test_without_a_watcher_the_next_run_writes_the_report_of_the_killed_one(
    stage: Stage, tmp_path: pathlib.Path
) -> None:
    abandoned = tmp_path / "20200101T000000Z-dead"
    (abandoned / "hosts").mkdir(parents=True)
    meta = {"schema": 1, "run": abandoned.name, "started_utc": "2020-01-01T00:00:00Z", "version": "0.1.0"}
    (abandoned / "run.json").write_text(json.dumps({**meta, "mode": "ready", "finished_utc": None, "process": None}))
    (abandoned / "roster.jsonl").write_text('{"host": "pc1", "firm": "A", "branch": "", "role": ""}\n')
    for path in (abandoned / "run.json", abandoned / "hosts"):
        os.utime(path, (1_577_836_800, 1_577_836_800))
    stage.play("edefter_check.yml", "-l", "b003pc0001", "-e", f"edefter_reports_dir={tmp_path}")
    assert states(read(abandoned / "report.json")) == {"pc1": "pending"}


def test_batches_share_one_run_and_stop_when_too_many_fail(stage: Stage, tmp_path: pathlib.Path) -> None:
    options = ("-l", "b002pc*:b003pc*", "-e", f"edefter_reports_dir={tmp_path}")
    stage.play("edefter_ready.yml", *FORKS, *options, "-e", '{"edefter_serial": [1, "50%"]}')
    (only,) = reports(tmp_path)
    assert Counter(states(read(only)).values()) == {"ready": 20}


def test_a_repair_that_fails_on_the_canary_does_not_reach_the_others(tmp_path: pathlib.Path) -> None:
    data = branches(4, size=4, replay=True)
    (name,) = data["hosts"]
    disabled = {r"HKLM\SYSTEM\CurrentControlSet\Services\W32Time": {"Start": 4}}
    data["hosts"][name].update(registry=disabled, services={"w32time": {"state": "stopped"}})
    stock = ["ansible.windows.win_service", "ansible.windows.win_regedit", "ansible.windows.win_command"]
    own = copy.deepcopy(data["hosts"][name])
    own.pop("count")
    data["hosts"] = {"canary": {**own, "reply": {"fault": "crash", "modules": stock}}, **data["hosts"]}
    options = ("-e", f"edefter_reports_dir={tmp_path}/reports", "-e", '{"edefter_serial": [1, "100%"]}')
    with Stage(data, folder=tmp_path / "stage") as up:
        stopped = up.play("edefter_ready.yml", *FORKS, *options, "-e", "edefter_max_fail_percentage=0")
        assert stopped.returncode != 0
        touched = {name: set(up.double.executions(name)) - {OBSERVE} for name in up.double.hosts}
        assert touched.pop("canary") != set(), stopped.stdout
        assert set().union(*touched.values()) == set(), stopped.stdout
        ends = time.monotonic() + 30
        while not reports(tmp_path / "reports"):
            assert time.monotonic() < ends, stopped.stdout
            time.sleep(0.2)
        assert set(states(read(reports(tmp_path / "reports")[0])).values()) == {"drifted"}

        # Without a limit every host gets its repair, and the report says on which one it broke off.
        went_on = up.play("edefter_ready.yml", *FORKS, *options)
        found = states(read(reports(tmp_path / "reports")[1]))
        assert found.pop("canary") == "drifted", went_on.stdout
        assert set(found.values()) == {"fixed"}, went_on.stdout


SLICES = 4
HOSTS = 200


@dataclass(frozen=True)
class Job:
    """What ansible-runner leaves of a job."""

    status: str
    output: str
    artifacts: dict[str, Any]


def essence(report: dict[str, Any]) -> dict[str, Any]:
    """What a report says, without what differs from run to run: moments, durations, the run's name."""
    text = {}
    for host in report["hosts"]:
        findings = [(f["id"], f["status"], f["cause"], f["owner"]) for f in host["before"]["findings"]]
        text[host["host"]] = [host[key] for key in ("firm", "branch", "role", "state", "message", "error")] + [findings]
    return text


@pytest.fixture(scope="module")
def sliced() -> Iterator[Stage]:
    # Each slice has a part of every branch: its hosts have other neighbours than in the whole, and are asked otherwise.
    with Stage(branches(HOSTS, size=25, replay=True)) as up:
        yield up


def test_slices_as_awx_runs_them_make_the_report_of_the_whole(sliced: Stage, tmp_path: pathlib.Path) -> None:
    pytest.importorskip("ansible_runner", reason="pip install ansible-runner")
    inventory = yaml.safe_load((sliced.inventory / "doubles.yml").read_text(encoding="utf-8"))
    (group,) = inventory["all"]["children"].values()
    names = list(group["hosts"])
    sliced.play("edefter_ready.yml", "-f", "25", "-e", f"edefter_reports_dir={tmp_path}/warm-up")

    def job(name: str, book: str, hosts: list[str], **variables: Any) -> Job:
        """A job as AWX's dispatcher starts it: ansible-runner on a folder of its own, with the slice's inventory."""
        private = tmp_path / name
        for part in ("inventory", "project", "env"):
            (private / part).mkdir(parents=True)
        chosen = {"hosts": {host: group["hosts"][host] for host in hosts}, "vars": group["vars"]}
        listing = {"all": {"children": {"edefter_hosts": chosen}}}
        (private / "inventory" / "hosts.yml").write_text(yaml.safe_dump(listing), encoding="utf-8")
        given = {"edefter_reports_dir": str(private / "reports"), **variables}
        (private / "env" / "extravars").write_text(json.dumps(given), encoding="utf-8")
        (private / "env" / "cmdline").write_text("--forks 25", encoding="utf-8")
        runner = program("ansible-runner")
        environment = sliced.environment(PATH=f"{pathlib.Path(runner).parent}:{os.environ['PATH']}")
        command = ["ip", "netns", "exec", sliced.net.control, runner, "run", str(private), "--ident", "1", "--quiet"]
        book = str(ROOT / "playbooks" / book)
        subprocess.run([*command, "-p", book], env=environment, capture_output=True, check=False)
        made = private / "artifacts" / "1"
        events = [json.loads(path.read_text()) for path in (made / "job_events").glob("*-*.json")]
        stats = [event["event_data"] for event in events if event["event"] == "playbook_on_stats"]
        shared = stats[-1].get("artifact_data") or {} if stats else {}
        return Job((made / "status").read_text(), (made / "stdout").read_text()[-3000:], shared)

    # AWX deals hosts out like cards.
    artifacts: dict[str, Any] = {}
    for number in range(SLICES):
        done = job(
            f"slice{number}", "edefter_ready.yml", names[number::SLICES], edefter_share=True, edefter_slices=SLICES
        )
        assert done.status == "successful", done.output
        assert len(done.artifacts) == 1, done.output
        artifacts.update(done.artifacts)
    assert len(artifacts) == SLICES
    # A slice sees 7 of a branch's 25 hosts, and each is told of as many neighbours as all slices together bring.
    assert sliced.double.log("module", names[0])[-1]["args"]["neighbours"] == 7 * SLICES
    assert len(json.dumps(artifacts)) < 1500 * HOSTS

    done = job("merge", "edefter_merge.yml", names, **artifacts)
    assert done.status == "successful", done.output
    (merged,) = reports(tmp_path / "merge" / "reports")
    whole = job("whole", "edefter_ready.yml", names)
    assert whole.status == "successful"
    (unsliced,) = reports(tmp_path / "whole" / "reports")
    assert essence(read(merged)) == essence(read(unsliced))
    assert list(states(read(merged))) == list(states(read(unsliced)))

    # From the folders, in another order, one slice twice: the same run with the same words.
    folders = [str(path.parent) for path in tmp_path.glob("slice*/reports/*/report.json")]
    again = job("again", "edefter_merge.yml", names, edefter_merge_runs=[*folders[::-1], folders[0]])
    assert again.status == "successful"
    (same,) = reports(tmp_path / "again" / "reports")
    assert same.parent.name == merged.parent.name
    assert essence(read(same)) == essence(read(merged))

    # A slice that was lost: its hosts are pending, and the job fails.
    lost = job("lost", "edefter_merge.yml", names, edefter_merge_runs=folders[1:])
    assert lost.status == "failed"
    (less,) = reports(tmp_path / "lost" / "reports")
    assert Counter(states(read(less)).values()) == {"ready": HOSTS * 3 // 4, "pending": HOSTS // 4}
