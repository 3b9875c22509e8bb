# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job, whole: playbooks/edefter_ready.yml under the real ansible-core, on eight doubles in the network lab."""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
from collections.abc import Iterator
from typing import Any

import lab
import pytest
import yaml
from tree import ROOT
from windows_double import Double
from windows_double.ansible_run import Played, run

pytestmark = [
    pytest.mark.lab,
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
]
DEMO = yaml.safe_load((ROOT / "scripts" / "demo" / "hosts.yml").read_text(encoding="utf-8"))
FIXABLE = {"yildiz-sunucu", "yildiz-pc1", "yildiz-pc2", "yildiz-pc3", "yildiz-pc4", "yildiz-pc5"}
OBSERVE = "edefter.ready.host_info"
# What check mode can foretell: these modules say in check mode what they would change. Commands are skipped there.
FORETOLD = ("win_regedit", "win_service", "win_timezone", "win_firewall_rule", "win_scheduled_task")


class Branch:
    """The demo's machines, and runs of playbooks on them."""

    def __init__(self, net: lab.Lab, double: Double, folder: pathlib.Path) -> None:
        self.net = net
        self.double = double
        self.folder = folder
        self.runs = 0

    def play(self, book: str, *options: str) -> tuple[Played, dict[str, Any]]:
        """Runs a playbook; returns it and its report.json."""
        self.runs += 1
        reports = self.folder / f"reports{self.runs}"
        self.double.clear_log()
        played = run(
            self.folder / "ansible",
            self.folder / "inventory",
            ROOT / "playbooks" / book,
            "-e",
            f"edefter_reports_dir={reports}",
            *options,
            netns=self.net.control,
        )
        found = list(reports.glob("*/report.json"))
        assert len(found) == 1, played.stdout + played.stderr
        return played, json.loads(found[0].read_text(encoding="utf-8"))

    def changes(self, check: bool) -> set[str]:
        """What stock modules changed, or in check mode would have: host, module and arguments."""
        return {
            f"{entry['host']} {entry['module']} {json.dumps(entry['args'], sort_keys=True)}"
            for entry in self.double.log("module")
            if entry["changed"] and entry["check"] is check and entry["module"].rpartition(".")[2] in FORETOLD
        }

    def registries(self) -> dict[str, str]:
        """A digest of every machine's registry."""
        return {name: digest(self.double.registry(name).root) for name in self.double.hosts}


def digest(folder: pathlib.Path) -> str:
    """Of all files below, names and contents."""
    total = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        total.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()


def states(report: dict[str, Any]) -> dict[str, str]:
    return {host["host"]: host["state"] for host in report["hosts"]}


def recap(played: Played) -> dict[str, dict[str, int]]:
    """Ansible's recap: host -> counter -> number."""
    lines = played.stdout.partition("PLAY RECAP")[2].splitlines()[1:]
    rows = (line.partition(" : ") for line in lines if " : " in line)
    return {
        host.strip(): {key: int(value) for key, _, value in (field.partition("=") for field in counters.split())}
        for host, _, counters in rows
    }


@pytest.fixture
def branch(tmp_path: pathlib.Path) -> Iterator[Branch]:
    with lab.Lab(lab.unique("spine")) as net:
        net.add_site("ankara")
        net.add_site("izmir")
        for name in DEMO["hosts"]:
            net.add_host(name, site="izmir" if name.startswith("kaya") else "ankara")
        net.fault("tcp_drop", site="izmir", port=4443)
        with Double(DEMO, folder=tmp_path / "double", lab=net, netns=net.control) as double:
            inventory = tmp_path / "inventory"
            inventory.mkdir()
            double.inventory(inventory / "doubles.yml")
            groups = {"all": {"children": {"edefter_hosts": {"children": {"windows": {}}}}}}
            (inventory / "groups.yml").write_text(yaml.safe_dump(groups), encoding="utf-8")
            yield Branch(net, double, tmp_path)


@pytest.mark.cores
def test_a_branch_from_broken_to_ready(branch: Branch) -> None:
    before = branch.registries()

    # --check --diff foretells, and touches nothing.
    foretold, report = branch.play("edefter_ready.yml", "--check", "--diff")
    promised = branch.changes(check=True)
    assert branch.double.errors() == [], foretold.stdout
    assert branch.registries() == before
    assert branch.changes(check=False) == set()
    assert {name for name, state in states(report).items() if state == "drifted"} >= FIXABLE - {"yildiz-sunucu"}

    # The first run does just that, proves it, and names what only others can fix.
    first, report = branch.play("edefter_ready.yml")
    assert branch.double.errors() == [], first.stdout
    found = states(report)
    assert {name for name in FIXABLE if found[name] not in ("fixed", "ready")} == set(), first.stdout
    assert found["kaya-pc1"] == "blocked"
    assert found["kaya-pc2"] == "unreachable"
    done = branch.changes(check=False)
    assert promised, "check mode promised nothing"
    # Putting the phase limits back is a change only after they were widened, which check mode did not do.
    assert {change for change in done ^ promised if "PhaseCorrection" not in change} == set()
    for host in report["hosts"]:
        if host["state"] == "fixed":
            assert host["after"]["plan"] == []
            assert host["after"]["observed_utc"]
    by_name = {host["host"]: host for host in report["hosts"]}
    causes = {
        finding["id"]: finding
        for finding in (by_name["kaya-pc1"]["after"] or by_name["kaya-pc1"]["before"])["findings"]
    }
    assert causes["endpoint:firma-4443"]["cause"] == "endpoint.port_dropped"
    assert causes["endpoint:firma-4443"]["owner"] == "firewall_admin"
    assert "refused" in by_name["kaya-pc2"]["error"]["message"]
    for name in FIXABLE:
        assert abs(branch.double.hosts[name].clock_offset) < 1.0
    limits = branch.double.registry("yildiz-pc3")
    config = r"HKLM\SYSTEM\CurrentControlSet\Services\W32Time\Config"
    assert limits.data(config, "MaxPosPhaseCorrection") == 54000, "the widened limit was not put back"
    assert first.returncode != 0
    assert recap(first)["kaya-pc2"]["unreachable"] == 1
    assert recap(first)["kaya-pc1"]["failed"] == 1
    assert recap(first)["yildiz-pc3"]["changed"] > 0

    # The second run changes nothing, and costs a ready host one module execution.
    settled = branch.registries()
    second, report = branch.play("edefter_ready.yml")
    assert branch.double.errors() == [], second.stdout
    assert {name: row["changed"] for name, row in recap(second).items()} == dict.fromkeys(DEMO["hosts"], 0)
    assert branch.registries() == settled
    found = states(report)
    assert {name: found[name] for name in FIXABLE} == dict.fromkeys(FIXABLE, "ready")
    for name in (*FIXABLE, "kaya-pc1"):
        assert branch.double.executions(name) == [OBSERVE]
    assert branch.double.executions("kaya-pc2") == []
    assert second.returncode != 0


HOSTILE = {
    "not-json": "not_json",
    "html": "html",
    "huge": "huge",
    "wrong-types": "wrong_types",
    "empty": "empty",
    "crash": "crash",
}


def test_broken_hosts_are_told_and_harm_nobody(tmp_path: pathlib.Path) -> None:
    hosts: dict[str, Any] = {name: {"reply": {"fault": fault}} for name, fault in HOSTILE.items()}
    hosts["healthy"] = {}
    # Another machine that says no more than its name, with markup in it.
    hosts["markup"] = {"hostname": "<script>alert(1)</script>"}
    with lab.Lab(lab.unique("hostile")) as net:
        net.add_site("ankara")
        for name in hosts:
            net.add_host(name, site="ankara")
        with Double({"hosts": hosts}, folder=tmp_path / "double", lab=net, netns=net.control) as double:
            inventory = tmp_path / "inventory"
            inventory.mkdir()
            double.inventory(inventory / "doubles.yml")
            groups = {"all": {"children": {"edefter_hosts": {"children": {"windows": {}}}}}}
            (inventory / "groups.yml").write_text(yaml.safe_dump(groups), encoding="utf-8")
            branch = Branch(net, double, tmp_path)
            played, report = branch.play("edefter_check.yml")
    by_name = {host["host"]: host for host in report["hosts"]}
    assert set(by_name) == set(hosts)
    for name in HOSTILE:
        host = by_name[name]
        assert host["state"] == "unknown", (name, host["message"], played.stdout[-3000:])
        assert host["error"]["message"]
        assert len(json.dumps(host)) < 20_000
        assert recap(played)[name]["failed"] == 1
    probed = {f["id"]: f["status"] for f in by_name["healthy"]["before"]["findings"] if f["check"] == "endpoint"}
    assert probed["endpoint:uyg"] == "pass"
    pages = list((tmp_path / "reports1").rglob("*.html"))
    assert pages
    for path in pages:
        text = path.read_text(encoding="utf-8")
        assert "markup" in text
        assert "<script>alert(1)" not in text
    assert played.returncode != 0
