# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tarball that Galaxy gets: builds, holds what a user needs and nothing else, installs, and is found there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import yaml
from tree import ROOT, tracked

BIN = Path(sys.executable).parent
ROOMS = {
    "CHANGELOG.md", "FILES.json", "LICENSE", "MANIFEST.json", "README.md", "README.tr.md", "awx", "catalog",
    "docs", "execution-environment.yml", "inventory.example", "meta", "playbooks", "plugins", "requirements.txt",
    "roles",
}  # fmt: skip

PRODUCTS = (
    ".venv/bin/python",
    ".cache/at/x",
    ".build/gates/unit.log",
    "dist/old.tar.gz",
    "edefter-kontrol.exe",
    "inventory/hosts.yml",
    "reports/index.html",
    "run/r1/run.json",
    "tests/__pycache__/x.pyc",
)


def ansible(tool: str, *args: str, folder: Path, home: Path) -> str:
    """One Ansible command, with no settings but these."""
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_HOME": str(home / "ansible"),
        "ANSIBLE_COLLECTIONS_PATH": str(home / "collections"),
    }
    done = subprocess.run([str(BIN / tool), *args], cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def tarball(home: Path) -> Path:
    """Built from a copy of the tracked files, with products lying about as they do in a worked-in clone."""
    clone = home / "clone"
    for path in tracked():
        (clone / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, clone / path)
    for product in PRODUCTS:
        (clone / product).parent.mkdir(parents=True, exist_ok=True)
        (clone / product).write_text("product", encoding="utf-8")
    link = clone / ".collections/ansible_collections/edefter/ready"
    link.parent.mkdir(parents=True)
    link.symlink_to("../../..")
    ansible("ansible-galaxy", "collection", "build", "--output-path", str(home / "dist"), folder=clone, home=home)
    (built,) = (home / "dist").glob("edefter-ready-*.tar.gz")
    return built


@pytest.fixture(scope="module")
def installed(tarball: Path, home: Path) -> Path:
    target = home / "collections"
    ansible(
        "ansible-galaxy", "collection", "install", "--no-deps", str(tarball), "-p", str(target), folder=home, home=home
    )
    return target / "ansible_collections" / "edefter" / "ready"


def test_holds_what_a_user_needs_and_nothing_else(tarball: Path) -> None:
    with tarfile.open(tarball) as archive:
        names = {name.removeprefix("./") for name in archive.getnames()} - {"", "."}
    assert {name.split("/")[0] for name in names} <= ROOMS
    assert not [name for name in names if "__pycache__" in name or name.endswith((".pyc", ".exe"))]
    plugins = {p.as_posix() for p in tracked() if p.parts[0] in ("plugins", "roles", "playbooks", "meta")}
    assert plugins <= names


def test_is_found_where_it_was_installed(installed: Path, home: Path) -> None:
    modules = json.loads(ansible("ansible-doc", "-j", "-l", "edefter.ready", folder=home, home=home))
    assert {f"edefter.ready.{p.stem}" for p in (ROOT / "plugins" / "modules").glob("*.py")} <= set(modules)
    docs = json.loads(ansible("ansible-doc", "-j", "edefter.ready.host_info", folder=home, home=home))
    assert docs["edefter.ready.host_info"]["doc"]["options"]["timeout"]["default"] == 5
    assert json.loads((installed / "MANIFEST.json").read_text(encoding="utf-8"))["collection_info"]["name"] == "ready"


@pytest.mark.parametrize(
    "playbook", [p.stem for p in tracked() if p.parent.as_posix() == "playbooks" and p.suffix == ".yml"]
)
def test_playbooks_run_by_their_full_name(playbook: str, installed: Path, home: Path) -> None:
    """The dependencies are linked in: Galaxy is not asked."""
    for collection in (ROOT / ".cache/collections/ansible_collections").glob("*/*"):
        link = installed.parents[1] / collection.parent.name / collection.name
        link.parent.mkdir(exist_ok=True)
        if not link.exists():
            link.symlink_to(collection)
    out = ansible(
        "ansible-playbook", "-i", "pc1,", "--syntax-check", f"edefter.ready.{playbook}", folder=home, home=home
    )
    assert f"{playbook}.yml" in out


def test_the_version_is_said_once() -> None:
    version = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"]
    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_oldest_core_is_the_one_that_is_tested() -> None:
    declared = yaml.safe_load((ROOT / "meta/runtime.yml").read_text(encoding="utf-8"))["requires_ansible"]
    tested = (ROOT / "requirements/oldest.txt").read_text(encoding="utf-8")
    assert declared == ">=2.19.0"
    assert "ansible-core~=2.19.0" in tested
