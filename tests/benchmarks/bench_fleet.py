# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make bench-fleet`: what a fleet of ready hosts costs the control node: (a) `win_ping` alone, (b) the whole of
edefter_ready.yml, (c) a playbook of stock modules. The same doubles, forks and connection for all three.

HOSTS=50,200    hosts of the comparisons, which are made with delays and without; the last is the result's
RTT_MS=40       with delays every reply of a host is late by that,
MODULE_S=1.5    and every module takes that much longer on the host, win_ping too
FORKS=25        as the project's ansible.cfg
LARGE=5000      hosts of the memory run, without delays; 0 leaves it out
STOCK=1         0 leaves (c) out
RUNS=2          how often (a) and (b) are measured, taking turns; the median counts
SOAK_MINUTES=1  repeated runs on 100 hosts, with delays: nothing may grow, verdicts must stay; 0 leaves it out

Observations are genuine once and replayed then, so that the C# of thousands of hosts does not run on the machine that
is measured. Needs root (network namespaces). The last line is one JSON object; the exit code is 1 when the soak found
something.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import pathlib
import resource
import statistics
import sys
import time
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / ".collections"), str(ROOT / "tests")]

from fleet import Cost, Stage, branches, measured

HOSTS = [int(count) for count in os.environ.get("HOSTS", "50,200").split(",")]
RTT_MS = float(os.environ.get("RTT_MS", "40"))
MODULE_S = float(os.environ.get("MODULE_S", "1.5"))
FORKS = os.environ.get("FORKS", "25")
LARGE = int(os.environ.get("LARGE", "5000"))
STOCK = os.environ.get("STOCK", "1") != "0"
SOAK_MINUTES = float(os.environ.get("SOAK_MINUTES", "1"))
RUNS = int(os.environ.get("RUNS", "2"))

PING = "- hosts: edefter_hosts\n  gather_facts: false\n  tasks:\n    - ansible.windows.win_ping:\n"
CLOCK = {"ToUniversalTime": {"output": ["{utc_now}"]}}
STOCK_BOOK = ROOT / "tests" / "benchmarks" / "stock_playbook.yml"

# What was run (ping, ours, stock) -> its numbers.
Measured = dict[str, dict[str, float]]


class Bench:
    """One stage, and the three ways to run over it."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.stage = Stage(branches(count, replay=True, scripts=CLOCK))

    def __enter__(self) -> Bench:
        self.stage.__enter__()
        self.ping = self.stage.folder / "ping.yml"
        self.ping.write_text(PING, encoding="utf-8")
        return self

    def __exit__(self, *what: object) -> None:
        self.stage.__exit__(*what)

    def warm(self) -> None:
        """One genuine observation for each place in a branch, of the hosts as they are now."""
        self.run("edefter_ready.yml", "-l", "b000pc*:b001pc*" if self.count > 50 else "all", failed_ok=True)
        self.run("edefter_ready.yml", failed_ok=True)

    def delay(self, rtt_ms: float, module_s: float) -> None:
        """From now on every reply is late by the one, and every module takes longer by the other."""
        for host in self.stage.double.hosts.values():
            host.rtt, host.module_seconds = rtt_ms / 1000, module_s

    def run(self, book: str | pathlib.Path, *options: str, failed_ok: bool = False) -> Cost:
        """One run; what it costs. Ends the benchmark when the run fails: failed runs are cheap."""
        self.stage.double.clear_log()
        cost = measured(
            self.stage.command(book, "-f", FORKS, "-e", f"edefter_reports_dir={self.reports}", *options),
            env=self.stage.environment(),
            cwd=self.stage.folder,
            output=self.stage.folder / "out.txt",
            interval=0.5 if self.count < 1000 else 2.0,
        )
        if cost.returncode and not failed_ok:
            sys.exit(f"{book} failed:\n{cost.output[-4000:]}\n{self.stage.double.errors()[:5]}")
        return cost

    @property
    def reports(self) -> pathlib.Path:
        """Where runs go."""
        return self.stage.folder / "reports"

    def verdicts(self) -> str:
        """A digest of what the newest report says of each host."""
        newest = max(self.reports.glob("*/report.json"), key=lambda path: path.stat().st_mtime)
        report = json.loads(newest.read_text(encoding="utf-8"))
        said = [
            [host["host"], host["state"], [(f["id"], f["status"], f["cause"]) for f in host["before"]["findings"]]]
            for host in report["hosts"]
        ]
        return hashlib.sha256(json.dumps(sorted(said)).encode()).hexdigest()[:16]


def row(name: str, cost: Cost, bench: Bench) -> dict[str, float]:
    """One line on the screen, and its numbers."""
    up, down = bench.stage.bytes_up_and_down()
    executions = len(bench.stage.double.log("module"))
    numbers = {
        "wall": cost.wall,
        "cpu_ms": 1000 * cost.cpu / bench.count,
        "peak_mb": cost.peak_mb,
        "main_mb": cost.main_mb,
        "executions": executions / bench.count,
        "up": up / bench.count,
        "down": down / bench.count,
    }
    print(
        f"{bench.count:6d} {name:<16} {cost.wall:8.2f} s {numbers['cpu_ms']:7.1f} {cost.peak_mb:8.0f} "
        f"{cost.main_mb:8.0f} {numbers['executions']:8.2f} {numbers['up'] / 1000:8.1f} {numbers['down'] / 1000:8.1f}",
        flush=True,
    )
    return numbers


def head(title: str) -> None:
    """Column heads."""
    print(f"\n{title}; load of this machine {os.getloadavg()[0]:.1f}", flush=True)
    print(" hosts what                  wall  CPU ms/host  all MB  main MB  exec/host  KB up/host  KB down", flush=True)


def middle(rows: list[dict[str, float]]) -> dict[str, float]:
    """The median of each number."""
    return {key: statistics.median(each[key] for each in rows) for key in rows[0]}


def compare(count: int) -> tuple[Measured, Measured]:
    """(a), (b) and (c) at one size, with delays and without. (a) and (b) take turns."""
    with Bench(count) as bench:
        if STOCK:
            # Its own settings come first; what is measured are hosts that are ready.
            bench.run(STOCK_BOOK)
        bench.warm()
        found = []
        for rtt_ms, module_s in ((RTT_MS, MODULE_S), (0.0, 0.0)):
            bench.delay(rtt_ms, module_s)
            head(f"{rtt_ms:g} ms round trip, {module_s:g} s a module, {FORKS} forks")
            ping: list[dict[str, float]] = []
            ours: list[dict[str, float]] = []
            for _number in range(RUNS):
                ping.append(row("win_ping", bench.run(bench.ping), bench))
                ours.append(row("edefter_ready", bench.run("edefter_ready.yml"), bench))
            measured_now = {"ping": middle(ping), "ours": middle(ours)}
            if STOCK:
                measured_now["stock"] = row("stock modules", bench.run(STOCK_BOOK), bench)
            found.append(measured_now)
        if bench.stage.double.errors():
            sys.exit(f"the doubles refused something: {bench.stage.double.errors()[:5]}")
        return found[0], found[1]


def exponent(points: list[tuple[int, float]]) -> float:
    """Slope of the line through (log n, log value): 1 is linear growth."""
    xs = [math.log(count) for count, _value in points]
    ys = [math.log(value) for _count, value in points]
    mean_x, mean_y = statistics.fmean(xs), statistics.fmean(ys)
    return sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)) / sum((x - mean_x) ** 2 for x in xs)


def left(folder: pathlib.Path) -> tuple[int, int]:
    """(processes, files) that runs left behind: those that name the folder, those in it outside of the reports."""
    processes = 0
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit() and entry.name != str(os.getpid()):
            try:
                processes += str(folder).encode() in (entry / "cmdline").read_bytes()
            except OSError:
                continue
    return processes, sum(path.is_file() for path in (folder / "home").rglob("*"))


def grows(values: list[float], by: float) -> bool:
    """Whether the last third of a series lies above its first by more than that share."""
    third = max(1, len(values) // 3)
    return statistics.median(values[-third:]) > statistics.median(values[:third]) * (1 + by)


def soak(minutes: float) -> tuple[int, str | None]:
    """Runs again and again on 100 hosts: how often, and what grew or changed, if anything did.

    With delays: all forks are there at once then, and what they hold together does not hang on the moment that was
    looked at.
    """
    head(f"soak, {minutes:g} minutes, {RTT_MS:g} ms round trip, {MODULE_S:g} s a module")
    with Bench(100) as bench:
        bench.warm()
        bench.delay(RTT_MS, MODULE_S)
        began = time.monotonic()
        costs: list[Cost] = []
        first: tuple[str, tuple[int, int], int] | None = None
        while time.monotonic() < began + minutes * 60 or len(costs) < 8:
            costs.append(bench.run("edefter_ready.yml", "-e", "edefter_keep_runs=3"))
            # A watcher looks twice a second whether its run has ended.
            time.sleep(1.2)
            folders = sum(path.is_dir() for path in bench.reports.iterdir())
            now = (bench.verdicts(), left(bench.stage.folder), folders)
            if len(costs) == 1:
                row("soak", costs[0], bench)
            # From the third run on there are as many folders as are kept.
            if len(costs) == 3:
                first = now
            elif first is not None and now != first:
                return len(costs), f"run {len(costs)}: verdicts, (processes, files), folders {now} after {first}"
        row("soak, the last", costs[-1], bench)
        # From the third run on, for the same reason. Seconds of CPU are what this machine makes of the same work.
        for name, values, by in (
            ("MB of memory, all processes", [cost.peak_mb for cost in costs[2:]], 0.05),
            ("MB of memory, main process", [cost.main_mb for cost in costs[2:]], 0.05),
            ("seconds of CPU", [cost.cpu for cost in costs[2:]], 0.2),
        ):
            if grows(values, by):
                return len(costs), f"{name} grew: {[round(value, 1) for value in values]}"
            print(f"       {name}: {min(values):.1f} to {max(values):.1f}", flush=True)
        print(f"       {len(costs)} runs: verdicts, processes, files and folders stayed {first}", flush=True)
        return len(costs), None


def ratios(found: Measured) -> tuple[float, float | None]:
    """Wall time of ours to win_ping's, and of the stock modules' to ours."""
    ours = found["ours"]["wall"]
    return round(ours / found["ping"]["wall"], 3), round(found["stock"]["wall"] / ours, 2) if STOCK else None


def main() -> None:
    """All of it."""
    if os.geteuid() != 0:
        sys.exit("make bench-fleet needs root, for network namespaces")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, 65536), hard), hard))
    compared = {count: compare(count) for count in HOSTS}
    delayed, prompt = compared[HOSTS[-1]]
    ours = delayed["ours"]
    # Growth is that of one kind of run: without delays, as the large one is.
    points = [(count, found["ours"]["cpu_ms"] * count) for count, (_delayed, found) in compared.items()]
    result: dict[str, Any] = {"hosts": HOSTS[-1]}
    result["ratio_to_win_ping"], result["stock_playbook_ratio"] = ratios(delayed)
    result["executions_per_ready_host"] = ours["executions"]
    result["cpu_ms_per_host"] = round(ours["cpu_ms"], 1)
    result["bytes_per_host"] = round(ours["up"] + ours["down"])
    result["peak_mb"] = round(ours["peak_mb"])
    result["mb_at_5000"] = result["growth_exponent"] = None
    if LARGE:
        head("memory")
        with Bench(LARGE) as bench:
            bench.run("edefter_ready.yml", "-l", "b000pc*", failed_ok=True)
            large = row("edefter_ready", bench.run("edefter_ready.yml"), bench)
        points.append((LARGE, large["cpu_ms"] * LARGE))
        # No other number of hosts may go by this name.
        result["mb_at_5000"] = round(large["main_mb"]) if LARGE == 5000 else None
        print(f"       all processes together: {large['peak_mb']:.0f} MB with {FORKS} forks", flush=True)
    trouble = None
    if SOAK_MINUTES:
        result["soak_runs"], trouble = soak(SOAK_MINUTES)
    if len(points) > 1:
        result["growth_exponent"] = round(exponent(points), 3)
    result["ratio_without_delays"], result["stock_ratio_without_delays"] = ratios(prompt)
    print(json.dumps(result), flush=True)
    if trouble:
        sys.exit(f"soak: {trouble}")


if __name__ == "__main__":
    main()
