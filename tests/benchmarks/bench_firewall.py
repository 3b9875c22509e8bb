# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make bench-firewall`: what the evaluator costs the control node for one host, how that grows, and how many real
rule strings parse.

One measurement is all that a host costs: parse its rule strings, then evaluate every endpoint of the catalogue, at an
IPv4 and an IPv6 address each, under three profiles. Every rule is active and outbound, as the observer sends no
others. CPU time of this process; the median of several runs. The last line is one JSON object.
"""

from __future__ import annotations

import json
import math
import pathlib
import random
import statistics
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / ".collections")]

from ansible_collections.edefter.ready.plugins.plugin_utils import catalog
from ansible_collections.edefter.ready.plugins.plugin_utils.judge.firewall import judge_firewall
from ansible_collections.edefter.ready.plugins.plugin_utils.judge.firewall_local import local_verdicts
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.firewall import STORES, parse_firewall
from ansible_collections.edefter.ready.plugins.plugin_utils.plan.firewall import plan_firewall
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted.firewall import FirewallContext, FirewallWanted
from ansible_collections.edefter.ready.plugins.plugin_utils.winfw import grammar
from ansible_collections.edefter.ready.plugins.plugin_utils.winfw.effective import PROFILES, ProfileSettings, effective
from ansible_collections.edefter.ready.plugins.plugin_utils.winfw.evaluate import RuleBook
from ansible_collections.edefter.ready.plugins.plugin_utils.winfw.match import EDEFTER, Query
from ansible_collections.edefter.ready.plugins.plugin_utils.winfw.rule import parse_rule

SIZES = (125, 250, 500, 1000, 2000, 4000, 8000)
LIMIT_MS = 50.0
RUNS = 15
REAL = ROOT.parent / "shared" / "data" / "firewall_rules.tsv"


def rules(count: int, seed: int = 7) -> list[str]:
    """Rule strings like those of a hardened office PC: programs, ports, address lists, and many that match our
    ports."""
    dice = random.Random(seed)

    def address() -> str:
        return ".".join(str(dice.randrange(1, 255)) for part in range(4))

    result = []
    for number in range(count):
        parts = [
            f"v2.{dice.choice((10, 22, 30, 33))}",
            f"Action={dice.choice(('Allow', 'Allow', 'Block'))}",
            "Active=TRUE",
            "Dir=Out",
        ]
        kind = dice.randrange(6)
        if kind == 0:
            parts += ["Protocol=6", "RPort=443", f"App=C:\\Program Files\\Vendor{number}\\app.exe"]
        elif kind == 1:
            parts += [
                "Protocol=6",
                "RPort=80",
                "RPort=443",
                "RPort2_10=4000-5000",
                *(f"RA4={address()}" for a in range(8)),
            ]
        elif kind == 2:
            parts += ["Protocol=17", "Profile=Private", "RPort=1900", "RA4=LocalSubnet", "RA6=LocalSubnet"]
        elif kind == 3:
            parts += [f"RA4={address()}-{address()}", "LUOwn=S-1-5-21-1-2-3-1001"]
        elif kind == 4:
            parts += [
                "Protocol=6",
                "Profile=Domain",
                f"RPort={dice.randrange(1, 65536)}",
                "App=%SystemRoot%\\system32\\svchost.exe",
                "Svc=x",
            ]
        else:
            parts += [f"App=C:\\Users\\u{number}\\AppData\\Local\\x\\{number}.exe"]
        parts += [f"Name=Rule {number}", f"Desc=Made for a benchmark, number {number}", "EmbedCtxt=Office"]
        result.append("|".join([*parts, ""]))
    return result


def one_host(strings: list[str]) -> float:
    """CPU milliseconds for one host, parsing included. Caches of values start empty, as for the first host of a run."""
    grammar.read_address.cache_clear()
    grammar.read_port.cache_clear()
    settings = {"local": {name: ProfileSettings(outbound=1) for name in PROFILES}}
    in_force = {name: effective(settings, name) for name in PROFILES}
    queries = [
        Query(endpoint.port, address, subject=EDEFTER)
        for number, endpoint in enumerate(catalog.endpoints())
        for address in (f"203.0.113.{number + 1}", f"2001:db8:113::{number + 1:x}")
    ]
    started = time.process_time()
    book = RuleBook((parse_rule(raw, "local", str(n)) for n, raw in enumerate(strings)), in_force)
    verdicts = [verdict for query in queries for verdict in book.evaluate_all(query)]
    spent = time.process_time() - started
    assert len(verdicts) == len(queries) * len(PROFILES)
    return spent * 1000


def whole(strings: list[str]) -> float:
    """CPU milliseconds for all about one host: section, plan, findings, local verdicts."""
    counts = dict.fromkeys(("packaged", "services", "malformed"), 0)
    empty = {"present": False, "total": 0, "outbound": 0, **counts, "truncated": False, "rules": []}
    rules_sent = [[str(number), raw] for number, raw in enumerate(strings)]
    full = {**empty, "present": True, "total": len(strings), "outbound": len(strings), "rules": rules_sent}
    service = {"state": "running", "start": 2, "error": None}
    section = {
        "policy_version": 545,
        "active_profiles": {"bits": 7, "error": None},
        "services": {"mpssvc": service, "bfe": service},
        "profiles": {"local": {name: {"DefaultOutboundAction": 1} for name in PROFILES}, "gpo": {}, "mdm": {}},
        "stores": {**dict.fromkeys(STORES, empty), "local": full},
    }
    wanted = FirewallWanted()
    addresses = {e.host: (f"203.0.113.{n + 1}",) for n, e in enumerate(catalog.endpoints())}
    context = FirewallContext(catalog.endpoints(), catalog.time_sources(), addresses)
    grammar.read_address.cache_clear()
    grammar.read_port.cache_clear()
    started = time.process_time()
    firewall = parse_firewall(section)
    local_verdicts(firewall, context.endpoints, addresses)
    steps = plan_firewall(firewall, wanted, context)
    findings = judge_firewall(firewall, wanted, context, steps)
    spent = time.process_time() - started
    assert steps
    assert findings
    return spent * 1000


def parsed() -> tuple[int, int]:
    """Real strings that parse and come back unchanged, and those that do not."""
    if not REAL.is_file():
        print("the collected rule strings are not on this machine: none is counted")
        return 0, 0
    good = bad = 0
    with REAL.open(encoding="utf-8", newline="\n") as lines:
        for line in lines:
            store, name, raw = line.rstrip("\n").split("\t", 2)
            try:
                ok = parse_rule(raw, store, name).text() == raw
            except Exception as error:  # whatever it is: it counts, and is shown
                print(f"{name}: {error!r}")
                ok = False
            good, bad = good + ok, bad + (not ok)
    return good, bad


def slope(points: list[tuple[int, float]]) -> float:
    """Exponent of growth: the slope of the regression line of log(ms) over log(rules)."""
    xs, ys = [math.log(n) for n, ms in points], [math.log(ms) for n, ms in points]
    mx, my = statistics.fmean(xs), statistics.fmean(ys)
    return sum((x - mx) * (y - my) for x, y in zip(xs, ys, strict=True)) / sum((x - mx) ** 2 for x in xs)


def main() -> int:
    one_host(rules(100))
    points = []
    print(f"{'rules':>6}  {'CPU ms a host':>13}")
    for size in SIZES:
        strings = rules(size)
        points.append((size, statistics.median(one_host(strings) for run in range(RUNS))))
        print(f"{size:6}  {points[-1][1]:13.1f}")
    everything = statistics.median(whole(rules(1000)) for run in range(RUNS))
    print(f"section, plan, findings and local verdicts together, 1000 rules: {everything:.1f} ms")
    good, bad = parsed()
    at_1000 = dict(points)[1000]
    exponent = slope([point for point in points if point[0] >= 500])
    result = {
        "cpu_ms_1000_rules": round(at_1000, 1),
        "growth_exponent": round(exponent, 2),
        "strings_parsed": good,
        "strings_failed": bad,
    }
    print(json.dumps(result))
    return 0 if at_1000 <= LIMIT_MS and not bad else 1


if __name__ == "__main__":
    sys.exit(main())
