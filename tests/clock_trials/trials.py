# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs trials and scores them against the truth."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import pathlib
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator

import lab
from ansible_collections.edefter.ready.plugins.plugin_utils.clock.verdict import ClockVerdict, assess, witness
from ansible_collections.edefter.ready.plugins.plugin_utils.model import Status
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.clock import parse_clock
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.envelope import parse_observation
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted.clock import ClockWanted

from . import conditions, workers
from .conditions import CLOCKS, Condition, Round

WANTED = ClockWanted()
# The clock is faked relative to the machine's, which slews by a few ppm while a measurement runs; libfaketime adds
# whole ns.
READING = 2e-6
# What a module call over WinRM takes before and after the measurement itself, seconds: the control node is as blunt a
# witness.
CALL = 0.7


@dataclasses.dataclass(frozen=True)
class Trial:
    """One measurement of one host. truth: `true - host` in seconds."""

    condition: Condition
    drawn: Round
    clock: str
    twin: str
    truth: float
    seconds: float
    verdict: ClockVerdict

    @property
    def status(self) -> Status:
        return self.verdict.status(WANTED)

    @property
    def contains(self) -> bool | None:
        """Whether the interval holds the truth; None: there is no interval."""
        lo, hi = self.verdict.lo, self.verdict.hi
        return None if lo is None or hi is None else lo - READING <= self.truth <= hi + READING

    @property
    def wrong_verdict(self) -> bool:
        return wrong(self.status.value, self.truth)

    @property
    def named_right(self) -> bool:
        return set(self.verdict.falsetickers) == set(self.drawn.lies)

    @property
    def error(self) -> float | None:
        return None if self.verdict.offset is None else abs(self.verdict.offset - self.truth)

    def __str__(self) -> str:
        v = self.verdict
        rows = "; ".join(f"{r.id} {r.verdict} {r.reason} {r.lo}..{r.hi}" for r in v.sources)
        where = f"{self.condition.name} {self.clock} {self.twin} lies={self.drawn.lies}"
        return f"{where}: truth {self.truth} interval {v.lo}..{v.hi} {v.method} {self.status}: {rows}"


def grade(offset: float) -> str:
    """The right verdict for a known offset."""
    size = abs(offset)
    return "pass" if size <= WANTED.pass_seconds else "warn" if size <= WANTED.warn_seconds else "fail"


def wrong(said: str, truth: float) -> bool:
    """A verdict that contradicts the truth. `unknown` says nothing, so it is never wrong (nor of any use)."""
    return said != "unknown" and said != grade(truth)


def score(condition: Condition, drawn: Round, clock: str, host: workers.Host, seed: int, control: bool) -> Trial:
    """One measurement. control: the control node, whose clock is the true one, is a witness as well."""
    started, mono = time.time(), time.monotonic()
    raw = host.measure(conditions.options(seed))
    seconds = time.monotonic() - mono
    observation = parse_observation(raw)
    section = observation.sections["clock"]
    assert section.ok, section.error
    measured = parse_clock(section.data)
    last = witness(measured, started - CALL, started + seconds + CALL) if control else None
    return Trial(condition, drawn, clock, host.twin, -CLOCKS[clock], seconds, assess(measured, last))


class Place:
    """A site of the lab with one host, for one condition."""

    def __init__(self, net: lab.Lab, condition: Condition, mono_home: pathlib.Path | None) -> None:
        self.net = net
        self.condition = condition
        self.site = condition.name
        net.add_site(self.site)
        self.host = net.add_host(f"h-{condition.name}", site=self.site)
        self._home = mono_home

    def make(self, clock: str, twin: str) -> workers.Host:
        if twin == "csharp":
            return workers.CSharpHost(self.host.netns, clock, self._home)
        return workers.PythonHost(self.host.netns, clock, self.net.ca_file)

    def run(
        self,
        rounds: int,
        seed: int,
        clocks: Iterable[str],
        twins: Iterable[str],
        together: int,
        beside: Callable[[Round, int], None] = lambda _drawn, _number: None,
    ) -> Iterator[Trial]:
        """rounds × clocks × twins trials, `together` at a time. beside: called in each round, its faults still on."""
        rng = random.Random(f"{seed}/{self.condition.name}")
        slots = threading.BoundedSemaphore(together)
        wanted = [(clock, twin) for clock in clocks for twin in twins]
        hosts: list[tuple[str, workers.Host]] = []
        try:
            with concurrent.futures.ThreadPoolExecutor(len(wanted)) as pool:

                def start(entry: tuple[str, str]) -> tuple[str, workers.Host]:
                    clock, twin = entry
                    with slots:
                        host = self.make(clock, twin)
                        hosts.append((clock, host))
                        # Windows comes with its libraries compiled; Mono compiles them when first used.
                        host.measure({**conditions.options(0), "samples": 1})
                    return clock, host

                ready = list(pool.map(start, wanted))
                for number in range(rounds):
                    drawn = conditions.draw(self.condition, rng)
                    with conditions.in_force(self.net, self.site, drawn):

                        def one(entry: tuple[str, workers.Host], drawn: Round = drawn, number: int = number) -> Trial:
                            clock, host = entry
                            with slots:
                                own = seed * 1000 + number
                                return score(self.condition, drawn, clock, host, own, self.condition.blocked)

                        yield from list(pool.map(one, ready))
                        beside(drawn, number)
        finally:
            for _clock, host in hosts:
                host.close()
