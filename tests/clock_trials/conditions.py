# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the sources of a trial are like, as faults of the network lab."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import random
from collections.abc import Iterator
from typing import Any

import lab

NTP = ("ntp1", "ntp2", "ntp3", "ntp4", "ntp5")
DATE_HOST = "uyg.edefter.gov.tr"

# Offsets of the host's clock in seconds (positive: ahead), as libfaketime writes them. Its years have 365 days.
YEAR = 365 * 86400.0
CLOCKS: dict[str, float] = {
    "+0": 0.0,
    "+0.03": 0.03,
    "-0.03": -0.03,
    "+0.9": 0.9,
    "-0.9": -0.9,
    "+5": 5.0,
    "-5": -5.0,
    "+420": 420.0,
    "-420": -420.0,
    "+10800": 10800.0,
    "-10800": -10800.0,
    "-24y": -24 * YEAR,
    "+40y": 40 * YEAR,
}


@dataclasses.dataclass(frozen=True)
class Condition:
    """One kind of trouble. up, down: the line's delays in ms; liars: how many sources tell a wrong time."""

    name: str
    up: float = 20.0
    down: float = 20.0
    liars: int = 0
    collude: bool = False
    unsynchronised: int = 0
    rate_limited: int = 0
    blocked: bool = False

    @property
    def half_path(self) -> float:
        """Half the round trip, seconds: what no client can know better."""
        return (self.up + self.down) / 2000


CONDITIONS: tuple[Condition, ...] = (
    Condition("good"),
    Condition("falseticker", liars=1),
    Condition("two-of-five", liars=2),
    Condition("unsynchronised", unsynchronised=2),
    Condition("kod-rate", rate_limited=2),
    Condition("asymmetric", up=80.0, down=20.0),
    Condition("blocked", blocked=True),
)


@dataclasses.dataclass(frozen=True)
class Round:
    """One drawing of a condition: which sources are struck. lies: source -> seconds that it is ahead of true time."""

    condition: Condition
    lies: dict[str, float]
    unsynchronised: tuple[str, ...]
    rate_limited: tuple[str, ...]


def lie(rng: random.Random) -> float:
    """Half a second to ten days, either way, every magnitude alike: what an offset of the sources cannot hide."""
    size = math.exp(rng.uniform(math.log(0.5), math.log(864000.0)))
    return round(math.copysign(size, rng.random() - 0.5), 3)


def draw(condition: Condition, rng: random.Random) -> Round:
    """Which sources are struck this time, and how. Every other time two liars tell the same lie."""
    names = list(NTP)
    rng.shuffle(names)
    liars, names = names[: condition.liars], names[condition.liars :]
    lies = {name: lie(rng) for name in liars}
    if len(liars) == 2 and rng.random() < 0.5:
        lies = dict.fromkeys(liars, lies[liars[0]])
    unsynchronised, names = names[: condition.unsynchronised], names[condition.unsynchronised :]
    return Round(condition, lies, tuple(unsynchronised), tuple(names[: condition.rate_limited]))


def full_name(source: str) -> str:
    """The lab's name of a source."""
    return f"{source}.lab.example"


@contextlib.contextmanager
def in_force(net: lab.Lab, site: str, drawn: Round, shift: float = 0.0) -> Iterator[None]:
    """The drawn faults at a site's gateway. shift: moves every source's time (for tools whose own clock cannot be)."""
    condition = drawn.condition
    with contextlib.ExitStack() as stack:

        def fault(name: str, **params: Any) -> None:
            stack.enter_context(net.fault(name, site=site, **params))

        fault("asymmetric", up_ms=condition.up, down_ms=condition.down)
        if condition.blocked:
            fault("ntp_blocked")
        for name in NTP:
            offset = shift + drawn.lies.get(name, 0.0)
            endpoint = [full_name(name)]
            if name in drawn.unsynchronised:
                fault("ntp_unsynchronised", endpoint=endpoint)
            elif name in drawn.rate_limited:
                fault("ntp_kod", code="RATE", endpoint=endpoint)
            elif offset:
                fault("ntp_skewed", offset=offset, endpoint=endpoint)
        yield


def options(seed: int) -> dict[str, Any]:
    """clock_info's options of a trial."""
    sources: list[dict[str, Any]] = [
        {"id": name, "host": full_name(name), "kind": "ntp", "operator": f"operator-{name}"} for name in NTP
    ]
    sources.append({"id": "date", "host": DATE_HOST, "kind": "https", "operator": "gib", "path": "/"})
    return {"time_sources": sources, "timeout": 3.0, "deadline": 10.0, "seed": seed}
