# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make bench-clock`: the clock measurement against a known truth, and beside check_ntp_time, chronyd -Q and ntplib.

Needs root (network namespaces). The last line is one JSON object; docs/benchmarks-clock.md explains it.
"""

from __future__ import annotations

import argparse
import collections
import concurrent.futures
import functools
import json
import pathlib
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / ".collections")]

import lab
from clock_trials import conditions, peers, trials
from clock_trials.conditions import CLOCKS, CONDITIONS, NTP
from windows_double import labs

TWINS = ("csharp", "python")


def median(values: Iterable[float | None], scale: float = 1.0) -> float:
    """Median of the known values, scaled; NaN when there is none."""
    known = [value for value in values if value is not None]
    return statistics.median(known) * scale if known else float("nan")


def worst(values: Iterable[float | None], scale: float = 1.0) -> float:
    """Greatest of the known values, scaled; NaN when there is none."""
    known = [value for value in values if value is not None]
    return max(known) * scale if known else float("nan")


def usual(values: Iterable[float | None], scale: float = 1.0) -> float:
    """95 of 100 known values are no greater; NaN when there is none."""
    known = sorted(value for value in values if value is not None)
    return known[(len(known) * 95 - 1) // 100] * scale if known else float("nan")


def say(text: str = "") -> None:
    print(text, flush=True)


def run_trials(
    places: list[trials.Place], net: lab.Lab, args: argparse.Namespace
) -> tuple[list[trials.Trial], list[peers.Answer]]:
    """Our trials, and in each condition's first round check_ntp_time and ntplib with the same clocks."""
    ours: list[trials.Trial] = []
    answers: list[peers.Answer] = []
    for place in places:
        rng = random.Random(f"{args.seed}/{place.condition.name}/peers")

        def beside(
            _drawn: conditions.Round, number: int, place: trials.Place = place, rng: random.Random = rng
        ) -> None:
            if number:
                return
            jobs: list[Callable[[], peers.Answer]] = []
            for tool in (peers.check_ntp_time, peers.ntplib_alone):
                for clock in CLOCKS:
                    source = rng.choice(NTP)
                    jobs.append(functools.partial(tool, net, place.host, place.condition, clock, source))
            with concurrent.futures.ThreadPoolExecutor(args.together) as pool:
                answers.extend(pool.map(lambda job: job(), jobs))

        started = time.monotonic()
        found = list(place.run(args.rounds, args.seed, CLOCKS, TWINS, args.together, beside))
        ours += found
        bad = [trial for trial in found if not trial.contains or trial.wrong_verdict or not trial.named_right]
        say(f"  {place.condition.name:<15} {len(found):4} trials, {len(bad)} bad, {time.monotonic() - started:5.1f} s")
        for trial in bad:
            say(f"    {trial}")
    return ours, answers


def run_chronyd(places: list[trials.Place], net: lab.Lab, args: argparse.Namespace) -> list[peers.Answer]:
    """chronyd -Q in every condition with every offset, the conditions side by side."""
    with tempfile.TemporaryDirectory(prefix="edr-chronyd-") as name:
        folder = pathlib.Path(name)

        def one(place: trials.Place) -> list[peers.Answer]:
            rng = random.Random(f"{args.seed}/{place.condition.name}")
            drawn = conditions.draw(place.condition, rng)
            found = []
            for clock, ahead in CLOCKS.items():
                with conditions.in_force(net, place.site, drawn, shift=-ahead):
                    found.append(peers.chronyd(net, place.host, place.condition, clock, folder))
            return found

        with concurrent.futures.ThreadPoolExecutor(len(places)) as pool:
            return [answer for answers in pool.map(one, places) for answer in answers]


def compare_errors(place: trials.Place, net: lab.Lab, args: argparse.Namespace) -> tuple[list[float], list[float]]:
    """Errors in seconds, ours and chronyd's, in turns on the good sources with a right clock, one at a time."""
    ours: list[float] = []
    theirs: list[float] = []
    hosts = [place.make("+0", twin) for twin in TWINS]
    rng = random.Random(args.seed)
    try:
        with (
            tempfile.TemporaryDirectory(prefix="edr-chronyd-") as name,
            conditions.in_force(net, place.site, conditions.draw(place.condition, rng)) as _,
        ):
            for number in range(args.repeats):
                for host in hosts:
                    drawn = conditions.Round(place.condition, {}, (), ())
                    error = trials.score(place.condition, drawn, "+0", host, number, False).error
                    ours += [] if error is None else [error]
                found = peers.chronyd(net, place.host, place.condition, "+0", pathlib.Path(name)).error
                theirs += [] if found is None else [found]
    finally:
        for host in hosts:
            host.close()
    return ours, theirs


def table(ours: list[trials.Trial], answers: list[peers.Answer]) -> None:
    """Ours by condition, then every tool side by side."""
    say(f"\n  {'condition':<15} {'trials':>6} {'misses':>6} {'wrong':>5} {'unknown':>7} {'half-width ms':>16} {'s':>5}")
    for condition in CONDITIONS:
        some = [trial for trial in ours if trial.condition == condition]
        if not some:
            continue
        widths = [trial.verdict.half_width for trial in some]
        say(
            f"  {condition.name:<15} {len(some):>6} {sum(not t.contains for t in some):>6}"
            f" {sum(t.wrong_verdict for t in some):>5} {sum(t.status == 'unknown' for t in some):>7}"
            f" {median(widths, 1000):>7.1f} /{worst(widths, 1000):>7.1f} {median(t.seconds for t in some):>5.2f}"
        )
    head = f"{'tool':<16} {'asked':>5} {'wrong':>5} {'no verdict':>10} {'error ms, good':>15}"
    say(f"\n  {head} {'s, median':>10} {'s, worst':>9}")
    rows: dict[str, list[tuple[bool, bool, str, float | None, float]]] = collections.defaultdict(list)
    for trial in ours:
        rows["edefter.ready"].append(
            (trial.wrong_verdict, trial.status == "unknown", trial.condition.name, trial.error, trial.seconds)
        )
    for answer in answers:
        rows[answer.tool].append(
            (answer.wrong_verdict, answer.said == "unknown", answer.condition.name, answer.error, answer.seconds)
        )
    for tool, found in rows.items():
        errors = [error for _wrong, _unknown, name, error, _seconds in found if name == "good"]
        seconds = [row[4] for row in found]
        say(
            f"  {tool:<16} {len(found):>5} {sum(r[0] for r in found):>5} {sum(r[1] for r in found):>10}"
            f" {median(errors, 1000):>15.3f} {median(seconds):>10.2f} {worst(seconds):>9.2f}"
        )


def date_widths(ours: list[trials.Trial]) -> list[float]:
    """Half-widths of the Date source alone, on lines with a round trip of 40 ms."""
    rows = [
        row
        for trial in ours
        if trial.condition.half_path == 0.02
        for row in trial.verdict.sources
        if row.kind == "https" and row.lo is not None
    ]
    return [(row.hi - row.lo) / 2 for row in rows if row.hi is not None and row.lo is not None]


def main() -> int:
    """Runs everything; exit code 1 when an interval missed the truth, a verdict was wrong or a liar was not named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=3, help="drawings of each condition")
    parser.add_argument("--together", type=int, default=8, help="measurements at a time")
    parser.add_argument("--repeats", type=int, default=10, help="runs of the comparison with chronyd")
    parser.add_argument("--condition", action="append", choices=[c.name for c in CONDITIONS])
    args = parser.parse_args()
    chosen = [c for c in CONDITIONS if not args.condition or c.name in args.condition]
    with (
        tempfile.TemporaryDirectory(prefix="edr-clock-") as home,
        lab.Lab(lab.unique("clk"), ipv6=False) as net,
    ):
        mono_home = labs.trust_home(net.ca_file, pathlib.Path(home))
        places = [trials.Place(net, condition, mono_home) for condition in chosen]
        size = f"{len(chosen)} conditions x {args.rounds} rounds x {len(CLOCKS)} clocks x {len(TWINS)} twins"
        say(f"trials: {size}, seed {args.seed}")
        ours, answers = run_trials(places, net, args)
        answers += run_chronyd(places, net, args)
        our_errors, their_errors = compare_errors(places[0], net, args)
    table(ours, answers)
    ratio = median(our_errors) / median(their_errors)
    say(
        f"\n  error on good sources, in turns: ours {median(our_errors, 1e6):.0f} µs"
        f" (worst {worst(our_errors, 1e6):.0f}), chronyd -Q {median(their_errors, 1e6):.0f} µs"
        f" (worst {worst(their_errors, 1e6):.0f})\n"
    )
    wrong: dict[str, int] = {"edefter.ready": sum(trial.wrong_verdict for trial in ours)}
    for answer in answers:
        wrong[answer.tool] = wrong.get(answer.tool, 0) + answer.wrong_verdict
    dates = date_widths(ours)
    say(
        f"  half-width by the Date alone, round trip 40 ms: {len(dates)} measured, median {median(dates, 1000):.1f} ms,"
        f" 95 % within {usual(dates, 1000):.1f} ms, worst {worst(dates, 1000):.1f} ms\n"
    )
    by_ntp = [trial.verdict.half_width for trial in ours if trial.condition.name == "good"]
    summary = {
        "trials": len(ours),
        "interval_misses": sum(not trial.contains for trial in ours),
        "wrong_pass": sum(trial.status == "pass" and trials.grade(trial.truth) != "pass" for trial in ours),
        "falsetickers_missed": sum(not trial.named_right for trial in ours),
        "half_width_ms": {"ntp": round(usual(by_ntp, 1000), 1), "date": round(usual(dates, 1000), 1)},
        "seconds": round(worst(trial.seconds for trial in ours), 2),
        "error_ratio_to_chronyd": round(ratio, 2),
        "wrong_verdicts": wrong,
    }
    say(json.dumps(summary))
    failures = ("interval_misses", "wrong_pass", "falsetickers_missed")
    return 1 if any(summary[name] for name in failures) or wrong["edefter.ready"] else 0


if __name__ == "__main__":
    sys.exit(main())
