# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make bench-diagnosis`: the fault matrix with both twins, healthy runs on a bad line, black holes, and the same
faults and endpoints put to blackbox exporter and monitoring plugins.

The last line is one JSON object; docs/benchmarks-diagnosis.md says what its numbers mean.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import os
import pathlib
import resource
import statistics
import sys
import tempfile
import time
import typing as t

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / ".collections"), str(ROOT / "tests")]

import lab
from ansible_collections.edefter.ready.plugins.plugin_utils import catalog
from diagnosis import matrix, peers
from diagnosis.cases import CASES, SITE, Case
from diagnosis.world import TWINS, Named, World
from lab.addresses import RESOLVERS4

ARTEFACT = ROOT / ".build" / "fault-matrix.txt"
BATCH = 40
ROUNDS = 7
BLACK_HOLE_TIMEOUT = 3.0
# The Python twin as a module run does it: one new process, one batch.
_ONCE = """
import json, sys
from ansible_collections.edefter.ready.plugins.module_utils import endpoints
from ansible_collections.edefter.ready.plugins.module_utils.core import observe
seen = observe("endpoint_info", {"endpoints": endpoints.collect}, json.load(sys.stdin))
statuses = [a["http"]["status"] for e in seen["sections"]["endpoints"]["data"]["targets"] for a in e["attempts"]]
sys.exit(0 if statuses and set(statuses) == {200} else 1)
"""


class Peers:
    """Both peers at every fault, and what they said."""

    def __init__(self, world: World, folder: pathlib.Path) -> None:
        self.blackbox = peers.Blackbox(world.net, world.host, folder, RESOLVERS4[0])
        self.plugins = peers.MonitoringPlugins(world.net, world.host)
        self._endpoints = {endpoint.id: endpoint for endpoint in world.endpoints}
        self.said: dict[str, dict[str, peers.Said]] = {}
        self.fine: dict[str, dict[str, peers.Said]] = {}
        for name, endpoint in self._endpoints.items():
            self.fine[name] = self._look(endpoint)
            if self._look(endpoint) != self.fine[name]:
                raise RuntimeError(
                    f"{name}: what the peers say changes although nothing does; signatures would be worthless"
                )

    def _look(self, endpoint: catalog.Endpoint) -> dict[str, peers.Said]:
        metrics, log = self.blackbox.look(endpoint)
        return {"metrics": metrics, "blackbox_exporter": log, "monitoring_plugins": self.plugins.look(endpoint)}

    def look(self, case: Case) -> None:
        """The first endpoint that the case hits."""
        self.said[case.name] = self._look(self._endpoints[self.place(case)])

    @staticmethod
    def place(case: Case) -> str:
        return next(iter(case.expected), "uyg")

    def told_apart(self, tool: str, cases: t.Iterable[Case]) -> int:
        """Signatures that belong to a fault and to no healthy endpoint."""
        healthy = {said[tool].signature for said in self.fine.values()}
        return len({self.said[case.name][tool].signature for case in cases} - healthy)

    def blind(self, tool: str, cases: t.Iterable[Case]) -> list[str]:
        """Cases that break something, and that the tool holds for fine."""
        broken = (case for case in cases if set(case.expected.values()) != {"dns_differs"})
        return [case.name for case in broken if self.said[case.name][tool].ok]


def _comparable(case: Case) -> bool:
    """Faults that can be put to the peers: they know nothing of the host's clock and proxies."""
    return matrix.injected(case) and not case.proxy and not case.clock


def run_matrix(world: World, look: Peers, cases: t.Sequence[Case]) -> list[Named]:
    """Every case; the peers look while the fault is on."""
    results: list[Named] = []
    for number, case in enumerate(cases, 1):
        began = time.monotonic()
        found = world.run(case, functools.partial(look.look, case) if _comparable(case) else None)
        results += found
        wrong = "; ".join(f"{named.twin}: {', '.join(named.wrong)}" for named in found if named.wrong)
        print(
            f"{number:3}/{len(cases)} {case.name:45} {time.monotonic() - began:5.1f} s  {wrong or 'right'}", flush=True
        )
    return results


def run_healthy(world: World, rounds: int) -> list[Named]:
    """Rounds on a line of 40 ms and 2 % loss each way."""
    seen: list[Named] = []
    for named in world.healthy(rounds):
        seen.append(named)
        if named.alarms:
            print(f"    false alarm, {named.twin}: {named.alarms}", flush=True)
    return seen


def black_holes(world: World) -> float:
    """Worst elapsed time over the single connect time-out, for k of n endpoints swallowed."""
    places = [(s.name, p, "https" if p != 80 else "http") for s in lab.addresses.WEB for p in s.ports][:12]
    names = [{"id": f"e{i}", "host": h, "port": p, "scheme": s, "path": "/"} for i, (h, p, s) in enumerate(places)]
    pair, worst = world.twins(), 0.0
    params = world.params(endpoints=names, canaries=[], timeout=BLACK_HOLE_TIMEOUT)
    for count in (1, 2, 6, len(places)):
        with contextlib.ExitStack() as faults:
            for host, port, _scheme in places[:count]:
                faults.enter_context(world.net.fault("tcp_drop", site=SITE, endpoint=host, port=port))
            for twin in TWINS:
                elapsed = pair[twin].call("EndpointInfo", params)["elapsed_ms"] / 1000
                ratio = elapsed / BLACK_HOLE_TIMEOUT
                worst = max(worst, ratio)
                print(
                    f"    {count:2} of {len(places)} swallowed, {twin:7}: {elapsed:.2f} s, {ratio:.3f} × time-out",
                    flush=True,
                )
    return worst


def _cpu_of(pid: int) -> float:
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _timed(work: t.Callable[[], None], cpu: t.Callable[[], float]) -> tuple[float, float]:
    """Wall and CPU seconds of one round; medians over ROUNDS."""
    walls, cpus = [], []
    for _round in range(ROUNDS):
        wall, used = time.monotonic(), cpu()
        work()
        walls.append(time.monotonic() - wall)
        cpus.append(cpu() - used)
    return statistics.median(walls), statistics.median(cpus)


def healthy_cost(world: World, look: Peers) -> float:
    """Milliseconds of wall time and CPU for a healthy endpoint, each tool; our batch's wall time over check_http's."""
    ends = [endpoint for endpoint in world.endpoints if endpoint.scheme == "https"]
    batch = [ends[number % len(ends)] for number in range(BATCH)]
    script = "\n".join(" ".join(peers.http_command(endpoint)) + " >/dev/null || exit 1" for endpoint in batch)
    probes = [{**endpoint.probe(), "id": f"{endpoint.id}-{number}"} for number, endpoint in enumerate(batch)]
    request = json.dumps({"endpoints": probes, "canaries": [], "timeout": 5.0, "deadline": 25.0})
    python = ["env", f"PYTHONPATH={ROOT / '.collections'}", sys.executable, "-c", _ONCE]

    def plugins() -> None:
        world.net.run(world.host, ["sh", "-c", script], check=True)

    def ours() -> None:
        world.net.run(world.host, python, input=request, text=True, check=True)

    def exporter() -> None:
        for endpoint in batch:
            if "probe_success 1" not in look.blackbox.probe("http", f"https://{endpoint.host}:{endpoint.port}/", False):
                raise RuntimeError(f"{endpoint.host} is not healthy")

    rows = {
        "check_http, one process each": _timed(plugins, _children),
        "blackbox_exporter, one request each": _timed(exporter, lambda: _cpu_of(look.blackbox.pid)),
        "endpoint_info (Python), one new process for all": _timed(ours, _children),
    }
    for name, (wall, cpu) in rows.items():
        print(f"    {name:50} wall {wall / BATCH * 1000:6.1f} ms   CPU {cpu / BATCH * 1000:6.1f} ms", flush=True)
    walls = [wall for wall, cpu in rows.values()]
    return walls[2] / walls[0]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--healthy", type=int, default=50, help="healthy runs of each twin (default 50)")
    parser.add_argument("--only", default="", help="cases whose name holds this text")
    options = parser.parse_args()
    cases = [case for case in CASES if options.only in case.name]
    with tempfile.TemporaryDirectory() as folder, World(lab.unique("dgb")) as world:
        look = Peers(world, pathlib.Path(folder))
        try:
            print(f"healthy endpoint, {BATCH} probes a round, median of {ROUNDS} rounds", flush=True)
            batch_ratio = healthy_cost(world, look)
            print("black holes", flush=True)
            worst = black_holes(world)
            print("faults", flush=True)
            results = run_matrix(world, look, cases)
            print("healthy runs", flush=True)
            healthy = run_healthy(world, options.healthy)
        finally:
            look.blackbox.close()
    table = matrix.text(results, healthy)
    ARTEFACT.parent.mkdir(exist_ok=True)
    ARTEFACT.write_text(table, encoding="utf-8")
    print(table)
    broken = [case for case in cases if matrix.injected(case)]
    put = [case for case in broken if _comparable(case)]
    ours = sum(1 for named in results if named.twin == "posix" and _comparable(named.case) and not named.wrong)
    print(f"put to the peers as well: {len(put)} faults; of these we name {ours}")
    for tool in ("metrics", "blackbox_exporter", "monitoring_plugins"):
        blind = look.blind(tool, put)
        print(f"{tool:20} told apart {look.told_apart(tool, put):3}   broken but OK {len(blind)}: {', '.join(blind)}")
    summary = {
        "classes_injected": len(broken),
        "classes_named": {twin: matrix.right(results, twin) for twin in TWINS},
        "healthy_runs": len(healthy),
        "false_alarms": sum(len(named.alarms) for named in healthy),
        "blackholed_ratio": round(worst, 3),
        "batch_vs_check_http": round(batch_ratio, 3),
        "peer_classes": {tool: look.told_apart(tool, put) for tool in ("blackbox_exporter", "monitoring_plugins")},
    }
    print(json.dumps(summary))
    return 0


if __name__ == "__main__":
    sys.exit(main())
