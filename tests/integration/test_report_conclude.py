# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/conclude.yml under the real ansible-core, on runs that others have observed: no host is contacted."""

from __future__ import annotations

import json
import os
import pathlib
import pty
import re
import subprocess
from typing import Any

import pytest
import report_fleet as fleet
import yaml
from tree import ROOT
from windows_double.ansible_run import Played, environment, program, run

# What observe.yml leaves behind: the run's folder on localhost, the hosts in groups by their state.
OPENED = {
    "hosts": "localhost",
    "gather_facts": False,
    "tasks": [{"ansible.builtin.set_fact": {"edefter_run_dir": "{{ run }}", "cacheable": True}}],
}


def prepared(tmp_path: pathlib.Path, hosts: list[dict[str, Any]], name: str = fleet.RUN) -> tuple[pathlib.Path, ...]:
    """Inventory, playbook and run."""
    store = fleet.store(tmp_path / "reports", hosts, name)
    groups: dict[str, Any] = {"edefter_hosts": {"hosts": {host["host"]: {} for host in hosts}}}
    for host in hosts:
        groups.setdefault(f"edefter_{host['state']}", {"hosts": {}})["hosts"][host["host"]] = {}
    inventory = tmp_path / "inventory.yml"
    inventory.write_text(yaml.safe_dump({"all": {"children": groups}}), encoding="utf-8")
    book = tmp_path / "book.yml"
    book.write_text(
        yaml.safe_dump([OPENED, {"import_playbook": str(ROOT / "playbooks" / "conclude.yml")}]), encoding="utf-8"
    )
    return inventory, book, store.folder


def conclude(tmp_path: pathlib.Path, hosts: list[dict[str, Any]], *options: str) -> Played:
    inventory, book, folder = prepared(tmp_path, hosts)
    return run(tmp_path / "home", inventory, book, "-e", f"run={folder}", *options)


def failed(played: Played) -> set[str]:
    rows = re.findall(r"^(\S+) +: ok=.*unreachable=(\d+) +failed=(\d+)", played.stdout, re.M)
    return {host for host, *counts in rows if any(int(count) for count in counts)}


@pytest.mark.cores
def test_clocks_that_differ_fail_in_the_recap_though_each_host_is_ready(tmp_path: pathlib.Path) -> None:
    server = fleet.set_clock(fleet.host("srv", "ready", role="server"), 0.0)
    near, far = fleet.set_clock(fleet.host("near", "ready"), 0.4), fleet.set_clock(fleet.host("far", "ready"), 9.0)
    played = conclude(tmp_path, [server, near, far], "-e", "edefter_language=en")
    assert failed(played) == {"far"}, played.stdout + played.stderr
    assert "far and the server srv are 9.000 s apart" in played.stdout
    assert played.returncode == 2
    good = conclude(tmp_path / "good", [server, near])
    assert (good.returncode, failed(good)) == (0, set()), good.stdout + good.stderr


@pytest.mark.cores
def test_formats_and_runs_kept_are_options_of_the_playbook(tmp_path: pathlib.Path) -> None:
    for day in (1, 2, 3):
        fleet.store(tmp_path / "reports", [fleet.host("a", "ready")], f"2026110{day}T070000Z-0001")
    played = conclude(
        tmp_path, [fleet.host("a", "blocked")], "-e", '{"edefter_report_formats": ["csv"], "edefter_keep_runs": 2}'
    )
    assert failed(played) == {"a"}, played.stdout + played.stderr
    left = {path.name for path in (tmp_path / "reports").iterdir()}
    assert left == {"20261103T070000Z-0001", fleet.RUN}
    made = {path.name for path in (tmp_path / "reports" / fleet.RUN).iterdir() if path.suffix != ".jsonl"}
    assert made >= {"report.csv", "digest.json", "run.json"}
    assert "report.html" not in made
    wrong = conclude(tmp_path / "wrong", [fleet.host("a", "ready")], "-e", '{"edefter_report_formats": ["pdf"]}')
    assert wrong.returncode == 2
    assert "pdf" in wrong.stdout


@pytest.mark.cores
@pytest.mark.parametrize("terminal", [True, False])
def test_the_live_line_is_for_terminals_only(tmp_path: pathlib.Path, terminal: bool) -> None:
    """The readiness task of a host that refuses: the quickest way to a result of its kind."""
    inventory = tmp_path / "inventory.yml"
    host = {"ansible_connection": "winrm", "ansible_host": "127.0.0.1", "ansible_port": 9, "ansible_password": "x"}
    hosts = {"a": {**host, "ansible_user": "x", "ansible_winrm_scheme": "http", "ansible_winrm_transport": "basic"}}
    inventory.write_text(yaml.safe_dump({"edefter_hosts": {"hosts": hosts}}), encoding="utf-8")
    task = {"edefter.ready.readiness": {}, "ignore_unreachable": True}
    book = tmp_path / "book.yml"
    book.write_text(yaml.safe_dump([{"hosts": "all", "gather_facts": False, "tasks": [task]}]), encoding="utf-8")
    env = environment(
        tmp_path / "home",
        ANSIBLE_CALLBACKS_ENABLED="edefter.ready.progress",
        EDEFTER_PROGRESS_LANGUAGE="en",
        TERM="xterm",
        LINES="30",
        COLUMNS="140",
    )
    command = [program("ansible-playbook"), "-i", str(inventory), str(book)]
    if terminal:
        shown = _in_terminal(command, env)
        # The last row is reserved, drawn, and given back.
        assert "\033[1;29r" in shown
        assert "e-Defter 1/1 (100%) · ready 0 · to repair 0 · unreachable 1" in shown
        assert shown.rindex("\033[r") > shown.rindex("e-Defter 1/1")
    else:
        shown = subprocess.run(command, env=env, capture_output=True, text=True, check=False).stdout
        assert "PLAY RECAP" in shown
        assert "\033[" not in shown
        assert "e-Defter 1/1" not in shown


def _in_terminal(command: list[str], env: dict[str, str]) -> str:
    """What a command writes to a terminal of its own."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs)
    os.close(theirs)
    parts = []
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # Linux says so when the other end is closed
            break
        if not part:
            break
        parts.append(part)
    process.wait()
    os.close(ours)
    return b"".join(parts).decode("utf-8", "replace")


def test_ready_is_said_of_firms(tmp_path: pathlib.Path) -> None:
    played = conclude(tmp_path, [fleet.host("a", "ready")])
    (result,) = [result for results in played.results.values() for result in results if "counts" in result]
    assert result["ready"] is True
    assert json.loads(pathlib.Path(result["files"]["json"]).read_text(encoding="utf-8"))["hosts"][0]["host"] == "a"
