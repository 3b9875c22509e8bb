# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the gates: all of them, or those named on the command line.

Every gate runs whatever became of the others; the table at the end says which failed and how long each took. Gates that
measure time (``alone``) have the machine to themselves, the others run two at a time. The last line is
``N passed, N failed, N skipped``: the tests of the pytest gates, and one for each other gate. Exit code 1 when anything
failed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

ROOT = Path(__file__).resolve().parent.parent
LOGS = ROOT / ".build" / "gates"
BIN = ROOT / ".venv" / "bin"
OLDEST_BIN = ROOT / ".venv-oldest" / "bin"
# Lines of a failed gate's output that the screen gets; the rest is in its log.
TAIL = 150


@dataclass(frozen=True)
class Gate:
    """One command that must succeed. ``group`` is the make target, ``limit`` its time limit in seconds."""

    name: str
    group: str
    command: tuple[str, ...]
    limit: float = 600
    alone: bool = False
    pytest: bool = False
    env: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """How a gate ended. ``why`` is one line for the table."""

    gate: Gate
    ok: bool
    seconds: float
    passed: int
    failed: int
    skipped: int
    why: str


def _pytest(name: str, *args: str) -> tuple[str, ...]:
    return (
        str(BIN / "python"),
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        f"--junitxml={LOGS / f'{name}.xml'}",
        *args,
    )


def _tool(name: str, *args: str) -> tuple[str, ...]:
    return (str(BIN / name), *args)


GATES = (
    Gate("ruff", "check", _tool("ruff", "check", "--no-cache", ".")),
    Gate("ruff format", "check", _tool("ruff", "format", "--no-cache", "--check", ".")),
    Gate("mypy", "check", (str(ROOT / "scripts" / "types.sh"),)),
    Gate(
        "unit",
        "unit",
        _pytest("unit", "--cov=plugins/plugin_utils", "--cov-branch", "--cov-report=term:skip-covered", "tests/unit"),
        limit=1200,
        pytest=True,
        env={"COVERAGE_FILE": str(LOGS / "unit.coverage")},
    ),
    # (It checks playbooks without an inventory, which ansible.cfg holds for a mistake.)
    Gate(
        "ansible-lint",
        "lint",
        _tool("ansible-lint", "--offline", "--strict", "--nocolor", "-q"),
        env={"ANSIBLE_INVENTORY_UNPARSED_FAILED": "false"},
    ),
    Gate("ansible-test sanity", "sanity", (str(ROOT / "scripts" / "sanity.sh"),), limit=1500),
    Gate(
        "integration, newest core",
        "integration",
        # These tests wait more than they compute: three workers on two cores. A file stays with one worker.
        _pytest("integration", "-n", "3", "--dist", "loadfile", "tests/integration"),
        limit=1500,
        alone=True,
        pytest=True,
    ),
    Gate(
        "integration, oldest core",
        "integration",
        _pytest("integration-oldest", "-n", "2", "--dist", "loadfile", "-m", "cores", "tests/integration"),
        limit=900,
        alone=True,
        pytest=True,
        env={"EDEFTER_ANSIBLE_BIN": str(OLDEST_BIN)},
    ),
    Gate("molecule", "molecule", (str(ROOT / "scripts" / "molecule.sh"),), limit=600, alone=True),
)

_screen = Lock()


def say(text: str) -> None:
    """One line or block on the screen, never torn by the other lane."""
    with _screen:
        print(text, flush=True)


def _counts(report: Path) -> tuple[int, int, int]:
    """Passed, failed, skipped tests of a JUnit report; zeros when there is none."""
    try:
        suites = ET.parse(report).getroot().iter("testsuite")
    except (OSError, ET.ParseError):
        return 0, 0, 0
    total = failed = skipped = 0
    for suite in suites:
        total += int(suite.get("tests", 0))
        failed += int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        skipped += int(suite.get("skipped", 0))
    return max(0, total - failed - skipped), failed, skipped


def _execute(gate: Gate, log: Path) -> tuple[int | None, float]:
    """Exit code (None: over its limit) and seconds. What the gate leaves running goes with it."""
    started = time.monotonic()
    with log.open("wb") as out:
        process = subprocess.Popen(
            gate.command,
            cwd=ROOT,
            env={**os.environ, **gate.env},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code: int | None = process.wait(gate.limit)
        except subprocess.TimeoutExpired:
            code = None
            # Politely first: pytest's fixtures then take their namespaces down.
            _signal_group(process.pid, signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
        except BaseException:
            _signal_group(process.pid, signal.SIGTERM)
            raise
    if code is None:
        _signal_group(process.pid, signal.SIGKILL)
        process.wait()
    return code, time.monotonic() - started


def _signal_group(leader: int, number: signal.Signals) -> None:
    try:
        os.killpg(leader, number)
    except ProcessLookupError:
        return


def run(gate: Gate) -> Outcome:
    """Run one gate and show how it went."""
    slug = "".join(c if c.isalnum() else "-" for c in gate.name)
    log = LOGS / f"{slug}.log"
    report = next((Path(a.partition("=")[2]) for a in gate.command if a.startswith("--junitxml=")), None)
    if report is not None:
        report.unlink(missing_ok=True)
    say(f"==> {gate.name}")
    try:
        code, seconds = _execute(gate, log)
    except OSError as error:
        log.write_text(f"cannot be started: {error}\n", encoding="utf-8")
        code, seconds = 127, 0.0
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    last = next((line.strip("= ") for line in reversed(lines) if line.strip()), "")
    passed, failed, skipped = _counts(report) if report is not None else (0, 0, 0)
    ok = code == 0
    if code is None:
        why = f"over its limit of {gate.limit:.0f} s"
    elif code == 5 and gate.pytest:
        why = "no test was collected"
    else:
        why = last[:100] if gate.pytest or not ok else ""
    if gate.pytest:
        failed = failed or int(not ok)
    else:
        passed, failed = int(ok), int(not ok)
    with _screen:
        if not ok:
            print(f"---- {gate.name} failed; the end of {log.relative_to(ROOT)}:", *lines[-TAIL:], sep="\n    ")
        print(f"<== {gate.name}: {'ok' if ok else 'FAILED'}, {seconds:.1f} s {why}", flush=True)
    return Outcome(gate, ok, seconds, passed, failed, skipped, why)


def table(outcomes: list[Outcome]) -> str:
    """All gates, aligned."""
    width = max(len(o.gate.name) for o in outcomes)
    rows = [
        f"  {'ok    ' if o.ok else 'FAILED'}  {o.gate.name:<{width}}  {o.seconds:7.1f} s  {o.why}" for o in outcomes
    ]
    return "\n".join(rows)


def main(names: list[str]) -> int:
    """Run the gates of the named groups (all by default)."""
    groups = {gate.group for gate in GATES}
    unknown = sorted(set(names) - groups)
    if unknown:
        print(f"no such gate: {', '.join(unknown)} (there are: {', '.join(sorted(groups))})", file=sys.stderr)
        return 2
    chosen = [gate for gate in GATES if not names or gate.group in names]
    LOGS.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with ThreadPoolExecutor(max_workers=2) as lanes:
        # Longest first, so that the two lanes end together.
        together = sorted((g for g in chosen if not g.alone), key=lambda g: g.limit, reverse=True)
        outcomes = list(lanes.map(run, together))
    outcomes += [run(gate) for gate in chosen if gate.alone]
    outcomes.sort(key=lambda o: GATES.index(o.gate))
    say(f"\nGates, {time.monotonic() - started:.0f} s in all:\n{table(outcomes)}\n")
    passed, failed, skipped = (sum(getattr(o, kind) for o in outcomes) for kind in ("passed", "failed", "skipped"))
    say(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 0 if all(o.ok for o in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
