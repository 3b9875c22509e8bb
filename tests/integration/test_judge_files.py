# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/edefter_judge.yml under the real ansible-core on files made here: what its exit code says of a firm. (Files
of the program itself: test_offline_check.py.)"""

from __future__ import annotations

import copy
import datetime
import json
import pathlib
from typing import Any

import pytest
from ansible_collections.edefter.ready.plugins.module_utils.core import VERSION
from recorded import RAW
from tree import ROOT
from windows_double.ansible_run import Played, run

TICKS = 10_000_000
OPTIONS: dict[str, Any] = {
    "edefter_scope": ["clock"],
    "edefter_clock": {"pass_seconds": 60, "warn_seconds": 120, "agree_seconds": 2},
    "edefter_measure": False,
    "edefter_language": "en",
}


def machine(name: str, product_type: str, ahead: int) -> dict[str, Any]:
    """What edefter-kontrol.exe would have written on a machine of the lab whose clock is ahead by whole seconds."""
    made: dict[str, Any] = copy.deepcopy(RAW)
    made["started_utc"] = f"{datetime.datetime.now(datetime.UTC):%Y-%m-%dT%H:%M:%S.000Z}"
    made["sections"]["identity"]["data"].update(hostname=name, product_type=product_type)
    clock = made["sections"]["clock"]["data"]
    answers = [one for source in clock["sources"] for one in source.get("samples") or source.get("requests") or ()]
    for place, key in ((clock, "wall_start"), (clock, "wall_end"), *((answer, "t1") for answer in answers)):
        place[key] = str(int(place[key]) + ahead * TICKS)
    made["offline"] = {
        "tool": "edefter-kontrol",
        "tool_version": VERSION,
        "sha256": None,
        "catalogue_sha256": "0" * 64,
        "firm": "Yıldız",
        "branch": "",
        "user_is_admin": True,
        "unseen": [],
        "machine": {"name": name, "os": "Windows", "process_bits": 64},
    }
    return made


def judge(folder: pathlib.Path, *machines: dict[str, Any]) -> Played:
    files = folder / "files"
    files.mkdir(parents=True)
    for number, made in enumerate(machines):
        (files / f"{number}.json").write_text(json.dumps(made), encoding="utf-8")
    inventory = folder / "inventory.yml"
    inventory.write_text("all: {hosts: {localhost: {}}}\n", encoding="utf-8")
    options = {**OPTIONS, "edefter_files": str(files), "edefter_reports_dir": str(folder / "reports")}
    book = ROOT / "playbooks" / "edefter_judge.yml"
    return run(folder / "home", inventory, book, "-e", json.dumps(options))


@pytest.mark.cores
def test_clocks_that_differ_reach_the_exit_code_though_each_machine_is_ready(tmp_path: pathlib.Path) -> None:
    server, near, far = machine("SRV", "ServerNT", 0), machine("NEAR", "WinNT", 1), machine("FAR", "WinNT", 9)
    played = judge(tmp_path / "apart", server, near, far)
    assert played.returncode == 2, played.stdout + played.stderr
    assert "3 machine(s), 0 not ready; FAR and the server SRV are 9.000 s apart" in played.stdout
    assert "NEAR and the server" not in played.stdout
    good = judge(tmp_path / "agree", server, near)
    assert good.returncode == 0, good.stdout + good.stderr
    assert "2 machine(s), 0 not ready" in good.stdout
