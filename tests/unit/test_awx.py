# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""awx/ without an AWX: apply.yml runs, with modules that take just the arguments of the real ones and remember them."""

from __future__ import annotations

import datetime
import itertools
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
from typing import Any

import pytest
import yaml
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted import everything
from dateutil import rrule
from tree import ROOT
from windows_double.ansible_run import program

BOOK = ROOT / "awx" / "apply.yml"
STUB = pathlib.Path(__file__).with_name("awx_stub.py")
# The options that we use, written down here; and all options, where the collected documentation is at hand.
OWN = pathlib.Path(__file__).with_name("awx_options.json")
COLLECTED = ROOT.parent / "shared" / "data" / "awx_argument_specs.json"
SPECS = [
    pytest.param(OWN, id="own"),
    pytest.param(
        COLLECTED, id="collected", marks=pytest.mark.skipif(not COLLECTED.is_file(), reason="no collected specs here")
    ),
]


class Server:
    """The stub collection, and what was applied to it so far."""

    def __init__(self, folder: pathlib.Path, specs: pathlib.Path) -> None:
        self.folder = folder
        self._specs = specs
        modules = folder / "collections" / "ansible_collections" / "awx" / "awx" / "plugins" / "action"
        modules.mkdir(parents=True)
        for name in json.loads(specs.read_text(encoding="utf-8"))["modules"]:
            shutil.copy(STUB, modules / f"{name.rpartition('.')[2]}.py")

    def apply(self, *options: str) -> subprocess.CompletedProcess[str]:
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_HOME": str(self.folder / "ansible"),
            "ANSIBLE_COLLECTIONS_PATH": str(self.folder / "collections"),
            "AWX_STUB_SPECS": str(self._specs),
            "AWX_STUB_STATE": str(self.folder / "state.json"),
        }
        command = [program("ansible-playbook"), "-i", "localhost,", str(BOOK), *options]
        return subprocess.run(command, env=env, cwd=self.folder, capture_output=True, text=True, check=False)

    def state(self) -> dict[str, dict[str, Any]]:
        """Objects by module and name."""
        raw = json.loads((self.folder / "state.json").read_text(encoding="utf-8"))
        return {kind: {json.loads(key)[0]: value for key, value in items.items()} for kind, items in raw.items()}


@pytest.mark.parametrize("specs", SPECS)
def test_every_item_is_what_its_module_takes_and_a_second_apply_changes_nothing(
    specs: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    server = Server(tmp_path, specs)
    first = server.apply()
    assert first.returncode == 0, first.stdout + first.stderr
    assert re.search(r"changed=12 ", first.stdout), first.stdout
    state = server.state()
    assert len(state["schedule"]) == 7
    second = server.apply("--diff")
    assert re.search(r"changed=0 ", second.stdout), second.stdout
    assert server.state() == state
    # One variable changed: one kind of object changes.
    third = server.apply("-e", "awx_slices=8")
    assert re.search(r"changed=1 ", third.stdout), third.stdout
    assert server.state()["job_template"]["edefter check, sliced"]["job_slice_count"] == 8


def test_a_mistake_would_be_found(tmp_path: pathlib.Path) -> None:
    """The stub refuses what the real modules refuse: else the test above would prove nothing."""
    server = Server(tmp_path, OWN)
    project = {"name": "p", "description": "", "scm_type": "cvs", "scm_url": "", "scm_branch": ""}
    node = {"workflow": "x", "identifier": "a", "template": "b", "next": []}
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"awx_projects": [project]}, "scm_type"),
        ({"awx_forks": "many"}, "forks"),
        ({"awx_workflow_nodes": [node]}, "no workflow_job_template"),
    ]
    for variables, said in wrong:
        done = server.apply("-e", json.dumps(variables))
        assert done.returncode != 0
        assert said in done.stdout + done.stderr


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    server = Server(tmp_path_factory.mktemp("awx"), OWN)
    done = server.apply()
    assert done.returncode == 0, done.stdout
    return server.state()


def test_playbooks_and_their_variables_exist(applied: dict[str, dict[str, Any]]) -> None:
    spoken = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "playbooks").glob("*.yml"))
    for template in applied["job_template"].values():
        assert (ROOT / template["playbook"]).is_file(), template["name"]
        survey = template.get("survey_spec", {"spec": []})
        for name in [*template["extra_vars"], *(question["variable"] for question in survey["spec"])]:
            read = name.removeprefix("edefter_") in everything.readiness_spec()
            assert read or name in spoken, f"{template['name']}: no playbook knows {name}"


def test_slices_come_together_in_a_merge(applied: dict[str, dict[str, Any]]) -> None:
    templates = applied["job_template"]
    assert templates["edefter merge"]["credentials"] == []
    for name, template in templates.items():
        shares = template["extra_vars"].get("edefter_share", False)
        assert (template["job_slice_count"] > 1) == shares, name
        # Machines of a branch share what a time server grants one address, whatever slice they are in.
        assert template["extra_vars"].get("edefter_slices", 1) == template["job_slice_count"], name
    merge, slices = applied["workflow_job_template_node"]["merge"], applied["workflow_job_template_node"]["slices"]
    assert merge["all_parents_must_converge"] is True
    assert slices["always_nodes"] == ["merge"]


def test_there_is_no_secret(applied: dict[str, dict[str, Any]]) -> None:
    assert all("inputs" not in credential for credential in applied["credential"].values())
    for kind in applied["credential_type"].values():
        secret = {field["id"] for field in kind["inputs"]["fields"] if field.get("secret")}
        assert secret == {"password"}
        assert set(kind["injectors"]["extra_vars"].values()) == {"{{ username }}", "{{ password }}"}
    for notification in applied["notification_template"].values():
        assert notification["notification_configuration"]["password"] == ""


def test_schedules_mean_what_they_say(applied: dict[str, dict[str, Any]]) -> None:
    found: dict[str, list[datetime.datetime]] = {}
    for name, schedule in applied["schedule"].items():
        # What AWX asks of a rule, and refuses in it.
        assert re.fullmatch(
            r"DTSTART;TZID=Europe/Istanbul:\d{8}T\d{6} RRULE:FREQ=\w+;INTERVAL=\d+;\w+=[\w-]+", schedule["rrule"]
        ), name
        rule = rrule.rrulestr(schedule["rrule"].replace(" ", "\n"))
        found[name] = list(itertools.islice(rule, 60))
        assert all(str(moment.tzinfo).endswith("Europe/Istanbul')") for moment in found[name])
        assert {moment.utcoffset() for moment in found[name]} == {datetime.timedelta(hours=3)}
    assert {moment.weekday() for moment in found["Every Monday"]} == {0}
    filing = sorted(day for name, days in found.items() if name.startswith("Filing week") for day in days)
    february = [day.day for day in filing if (day.year, day.month) == (2028, 2)]
    assert february == [25, 26, 27, 28, 29]


def test_the_execution_environment_builds_a_context(tmp_path: pathlib.Path) -> None:
    pytest.importorskip("ansible_builder", reason="pip install ansible-builder")
    for name in ("execution-environment.yml", "requirements.txt"):
        shutil.copy(ROOT / name, tmp_path / name)
    version = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"]
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / f"edefter-ready-{version}.tar.gz").write_bytes(b"")
    done = subprocess.run(
        [sys.executable, "-m", "ansible_builder", "create", "--context", str(tmp_path / "context")],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    build = tmp_path / "context" / "_build"
    assert (build / "requirements.txt").read_text() == (ROOT / "requirements.txt").read_text()
    wanted = yaml.safe_load((build / "requirements.yml").read_text())["collections"]
    ours = next(item for item in wanted if item.get("type") == "file")
    assert (build / ours["name"]).is_file()
    needed = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["dependencies"]
    assert set(needed) <= {item["name"] for item in wanted}
    assert "COPY _build/collections/ collections/" in (tmp_path / "context" / "Dockerfile").read_text()
