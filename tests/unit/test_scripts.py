# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Set-up and gates: what they decide, without installing anything."""

from __future__ import annotations

import configparser
import importlib.util
import os
import pwd
import re
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from types import ModuleType

import pytest
from tree import ROOT, tracked

SCRIPTS = ROOT / "scripts"
BASH_SCRIPTS = [p for p in tracked() if p.suffix == ".sh" or p.as_posix() == ".ci/run"]


def load(name: str) -> ModuleType:
    """A script as a module."""
    spec = importlib.util.spec_from_file_location(f"scripts_{name}", SCRIPTS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def gates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The gate runner, with its logs in a folder of the test."""
    module = load("gates")
    logs = tmp_path / ".build" / "gates"
    logs.mkdir(parents=True)
    monkeypatch.setattr(module, "LOGS", logs)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    return module


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


def suite(path: Path, tests: int, failures: int, skipped: int, code: int, closing: str) -> tuple[str, ...]:
    """A command that ends as pytest would."""
    xml = f'<testsuites><testsuite tests="{tests}" failures="{failures}" errors="0" skipped="{skipped}"/></testsuites>'
    body = f"import sys; open({str(path)!r}, 'w').write({xml!r}); print({closing!r}); sys.exit({code})"
    return (sys.executable, "-c", body, f"--junitxml={path}")


def test_all_gates_run_and_the_last_line_counts_them(
    gates: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    gate = gates.Gate
    monkeypatch.setattr(
        gates,
        "GATES",
        (
            gate("fine", "a", python("print('good')")),
            gate("broken", "a", python("print('it is the hose'); raise SystemExit(3)")),
            gate("gone", "b", ("/nonexistent/tool",)),
            gate("tests", "b", suite(tmp_path / "t.xml", 10, 2, 1, 1, "2 failed, 7 passed"), alone=True, pytest=True),
            gate("empty", "b", suite(tmp_path / "e.xml", 0, 0, 0, 5, "no tests ran"), alone=True, pytest=True),
        ),
    )
    assert gates.main([]) == 1
    out = capsys.readouterr().out
    assert "it is the hose" in out
    assert "no test was collected" in out
    assert "cannot be started" in out
    assert re.search(r"^  ok      fine .* s", out, re.MULTILINE)
    assert out.splitlines()[-1] == "8 passed, 5 failed, 1 skipped"


def test_only_the_named_group_runs(
    gates: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    both = (gates.Gate("one", "a", python("")), gates.Gate("two", "b", python("raise SystemExit(1)")))
    monkeypatch.setattr(gates, "GATES", both)
    assert gates.main(["a"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "1 passed, 0 failed"
    assert gates.main(["c"]) == 2
    assert "no such gate: c" in capsys.readouterr().err


def test_a_gate_over_its_limit_ends_with_all_it_started(
    gates: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    pid = tmp_path / "pid"
    code = (
        "import subprocess, sys, time, signal\n"
        "signal.signal(signal.SIGINT, lambda *a: sys.exit(1))\n"
        "child = subprocess.Popen(['sleep', '60'])\n"
        f"open({str(pid)!r}, 'w').write(str(child.pid))\n"
        "time.sleep(60)"
    )
    monkeypatch.setattr(gates, "GATES", (gates.Gate("slow", "a", python(code), limit=4),))
    started = time.monotonic()
    assert gates.main([]) == 1
    assert time.monotonic() - started < 30
    assert "over its limit of 4 s" in capsys.readouterr().out
    # Killed is not yet gone: on a busy machine the kernel takes its time.
    until = time.monotonic() + 10
    while _runs(pid.read_text()) and time.monotonic() < until:
        time.sleep(0.05)
    assert not _runs(pid.read_text())


def _runs(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_the_gates_are_the_ones_that_were_promised() -> None:
    names = [gate.name for gate in load("gates").GATES]
    promised = ("unit", "integration", "sanity", "ansible-lint", "ruff", "mypy", "molecule", "oldest core")
    assert all(any(word in name for name in names) for word in promised)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "make --no-print-directory test" in (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert all(
        re.search(rf"^[\w ]*\b{target}\b[\w ]*:", makefile, re.MULTILINE) for target in ("demo", "test", "build")
    )


def test_pip_settings_become_one_file() -> None:
    settings = load("pip_settings")
    lines = [
        "global.cert='/a.pem'",
        "global.find-links='/one\\n/two'",
        ":env:.cert='/b=c.pem'",
        "install.no-cache-dir='true'",
        "noise",
    ]
    sections = settings.merged(lines)
    assert sections == {
        "global": {"cert": "/b=c.pem", "find-links": "/one\n/two"},
        "install": {"no-cache-dir": "true"},
    }
    parser = configparser.RawConfigParser()
    parser.read_string(settings.render(sections))
    assert parser.get("global", "find-links").split() == ["/one", "/two"]


def test_only_the_wanted_collections_are_unpacked(tmp_path: Path) -> None:
    unpack = load("unpack_collections").unpack
    wheel = tmp_path / "x.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name in ("ansible/windows/README.md", "ansible/posix/README.md", "ansible/windows/../../../evil"):
            archive.writestr(f"ansible_collections/{name}", "x")
    assert unpack(wheel, tmp_path / "out", ["ansible.windows", "microsoft.ad"]) == {
        "ansible.windows": 1,
        "microsoft.ad": 0,
    }
    files = [p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*") if p.is_file()]
    assert files == ["ansible_collections/ansible/windows/README.md"]


def bash(code: str, **env: str) -> subprocess.CompletedProcess[str]:
    """A piece of bash with the scripts' environment, started as CI does: nothing but PATH set."""
    return subprocess.run(
        ["bash", "-c", f"set -euo pipefail; . {SCRIPTS / 'env.sh'}; {code}"],
        env={"PATH": os.environ["PATH"], **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )


def test_environment_without_home_and_locale() -> None:
    done = bash(
        'echo "$HOME $LC_ALL $ANSIBLE_CONFIG $PWD ${PYTHONPATH-none}"', PYTHONPATH="/elsewhere", LC_ALL="tr_TR.UTF-8"
    )
    home = pwd.getpwuid(os.getuid()).pw_dir
    assert done.stdout.split() == [home, "C.UTF-8", str(ROOT / "ansible.cfg"), str(ROOT), "none"]


def test_again_tries_as_often_as_it_says(tmp_path: Path) -> None:
    count = tmp_path / "count"
    flaky = f"f() {{ echo x >>{count}; [ $(wc -l <{count}) -ge 2 ]; }}; sleep() {{ :; }};"
    assert bash(f"{flaky} again 3 f && echo fine").stdout == "fine\n"
    assert bash("sleep() { :; }; again 2 false || echo gave up").stdout == "gave up\n"


def test_packages_are_one_list_by_level() -> None:
    text = (ROOT / "packages.txt").read_text(encoding="utf-8")
    names = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert [line for line in text.splitlines() if line.startswith("## ")] == ["## demo", "## test"]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9.+-]+", name) for name in names)


@pytest.mark.parametrize("path", BASH_SCRIPTS, ids=str)
def test_scripts_stop_at_the_first_error(path: Path) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    assert "set -euo pipefail" in text or text.startswith("# shellcheck shell=bash")
    subprocess.run(["bash", "-n", str(ROOT / path)], check=True)


def test_shellcheck() -> None:
    command = ["shellcheck", "-x", *(str(ROOT / p) for p in BASH_SCRIPTS)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == ""
