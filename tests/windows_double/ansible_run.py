# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs ansible-core's programs against a Double, for tests and benchmarks: no settings but these."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
from typing import Any

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]


def program(name: str) -> str:
    """The ansible program: from EDEFTER_ANSIBLE_BIN (another ansible-core), else beside this Python."""
    return str(pathlib.Path(os.environ.get("EDEFTER_ANSIBLE_BIN") or pathlib.Path(sys.executable).parent) / name)


def environment(home: pathlib.Path, **more: str) -> dict[str, str]:
    """Environment of an ansible run. EDEFTER_COLLECTIONS: further places of stock collections."""
    places = [
        str(ROOT / ".collections"),
        str(ROOT / ".cache" / "collections"),
        os.environ.get("EDEFTER_COLLECTIONS", ""),
    ]
    return {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_HOME": str(home / "ansible"),
        "ANSIBLE_COLLECTIONS_PATH": ":".join(place for place in places if place),
        "ANSIBLE_CONFIG": str(_empty(home)),
        **more,
    }


def _empty(home: pathlib.Path) -> pathlib.Path:
    path = home / "ansible.cfg"
    home.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def play(
    home: pathlib.Path, inventory: pathlib.Path, tasks: list[dict[str, Any]], *options: str, hosts: str = "all"
) -> Played:
    """Runs tasks as a play that goes on after failures; what each task returned is in the answer."""
    home.mkdir(parents=True, exist_ok=True)
    steps = [{**task, "ignore_errors": True} for task in tasks]
    book = home / "play.yml"
    book.write_text(
        yaml.safe_dump([{"hosts": hosts, "gather_facts": False, "tasks": steps}], sort_keys=False), encoding="utf-8"
    )
    return run(home, inventory, book, *options)


def run(
    home: pathlib.Path,
    inventory: pathlib.Path,
    book: pathlib.Path,
    *options: str,
    netns: str | None = None,
    **more: str,
) -> Played:
    """Runs a playbook. netns: the namespace of the control node. more: further environment variables."""
    record = home / "record.jsonl"
    record.unlink(missing_ok=True)
    env = environment(
        home,
        ANSIBLE_CALLBACK_PLUGINS=str(pathlib.Path(__file__).parent / "callbacks"),
        ANSIBLE_CALLBACKS_ENABLED="record",
        EDEFTER_RECORD=str(record),
        **more,
    )
    inside = ["ip", "netns", "exec", netns] if netns else []
    command = [*inside, program("ansible-playbook"), "-i", str(inventory), str(book), *options]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, cwd=home)
    lines = record.read_text(encoding="utf-8").splitlines() if record.exists() else []
    read: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        entry = json.loads(line)
        read.setdefault(entry["host"], []).append(entry["result"])
    return Played(done, read)


class Played:
    """returncode, stdout, stderr; `results[host][i]`: what task i registered."""

    def __init__(self, done: subprocess.CompletedProcess[str], results: dict[str, list[dict[str, Any]]]) -> None:
        self.returncode = done.returncode
        self.stdout = done.stdout
        self.stderr = done.stderr
        self.results = results

    def of(self, host: str) -> list[dict[str, Any]]:
        """A host's results, in order. Raises AssertionError with the run's output when there are none."""
        assert host in self.results, self.stdout + self.stderr
        return self.results[host]
