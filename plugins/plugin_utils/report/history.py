# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From run to run: since when a host is not ready, what changed, and how fast its clock drifts.

Pure. Each run leaves a small memory (`digest.json`) which carries on what the one before it knew, so that however many
runs are kept, only the newest has to be read, and none is lost when old ones are deleted.

    {"schema": 1, "run", "started_utc", "hosts": {HOST: {"state", "since", "cause", "run", "clock": [POINT…]}}}

since: when the host was first seen in its present readiness, ready or not. POINT = [seconds since 1970, lo, hi, lo,
hi]: when the clock was measured, true minus host; the second pair is the one after a repair, null without a repair.
"""

from __future__ import annotations

import dataclasses
import datetime
import itertools
import math
import statistics
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils.record import STATES
from ansible_collections.edefter.ready.plugins.plugin_utils.report.digest import READY_STATES, HostLine

Json = t.Mapping[str, t.Any]

SCHEMA = 1
# Measurements of a clock that are carried on.
POINTS = 8
# Hosts that no run has seen for so long are forgotten.
FORGET_DAYS = 180
# Less time between two measurements says nothing about drift.
_MIN_GAP = 3600.0
# A crystal that is fine stays within 100 ppm: 8.64 s a day. More than a quarter of an hour a day was somebody's hand.
DRIFT_LIMIT = 8.64
_HAND = 900.0


@dataclasses.dataclass(frozen=True)
class Trend:
    """Drift of a host's clock. rate: seconds a day, positive: the host falls behind; count: pairs of runs it is from.

    points: [seconds since 1970, offset] for a picture; suspicious: beyond what a sound clock does, seen more than once.
    """

    rate: float
    count: int
    points: tuple[tuple[float, float], ...]
    suspicious: bool


@dataclasses.dataclass(frozen=True)
class Note:
    """What is known of one host from earlier runs. since: date and time; earlier: its state in the run before."""

    since: str
    earlier: str | None
    trend: Trend | None


@dataclasses.dataclass(frozen=True)
class Changes:
    """Against the run before (its name and start): hosts by what became of them."""

    run: str
    started_utc: str
    worse: tuple[str, ...]
    better: tuple[str, ...]
    new: tuple[str, ...]
    gone: tuple[str, ...]


def _seconds(utc: object) -> float | None:
    """An ISO time as seconds since 1970; None when it is none."""
    if not isinstance(utc, str):
        return None
    try:
        parsed = datetime.datetime.fromisoformat(utc.replace("Z", "+00:00"))
    except ValueError:
        return None
    return parsed.timestamp() if parsed.tzinfo else None


def point(record: Json, started_utc: str) -> list[float | None] | None:
    """The POINT of a record. The time is the run's, by the control node: the host's own clock is in question."""
    when = _seconds(started_utc)
    pairs: list[float | None] = []
    for name in ("before", "after"):
        clock = (((record.get(name) or {}).get("facts")) or {}).get("clock") or {}
        lo, hi = clock.get("lo"), clock.get("hi")
        believed = clock.get("corroborated") and lo is not None and hi is not None
        pairs += [lo, hi] if believed else [None, None]
    return None if when is None or pairs[0] is None else [when, *pairs]


def read(raw: object) -> Json:
    """A digest.json as it was found; anything that is not one counts as no memory."""
    if not isinstance(raw, dict) or raw.get("schema") != SCHEMA or not isinstance(raw.get("hosts"), dict):
        return {}
    if not all(isinstance(raw.get(key), str) for key in ("run", "started_utc")):
        return {}
    hosts = {str(host): entry for host, entry in raw["hosts"].items() if _is_entry(entry)}
    return {**raw, "hosts": hosts}


def _is_entry(entry: object) -> bool:
    return (
        isinstance(entry, dict)
        and entry.get("state") in STATES
        and all(isinstance(entry.get(key), str) for key in ("since", "run", "cause"))
        and isinstance(entry.get("clock"), list)
        and all(_is_point(item) for item in entry["clock"])
    )


def _is_point(item: object) -> bool:
    return (
        isinstance(item, list)
        and len(item) == 5
        and all(value is None or (isinstance(value, (int, float)) and math.isfinite(value)) for value in item)
        and None not in item[:3]
    )


def trend(points: t.Sequence[t.Sequence[float | None]]) -> Trend | None:
    """From measurements in order of time; None when there are none far enough apart to tell."""
    rates: list[tuple[float, bool]] = []
    for old, new in itertools.pairwise(points):
        lo, hi = (old[3], old[4]) if old[3] is not None else (old[1], old[2])
        when, then, low, high = new[0], old[0], new[1], new[2]
        if None in (lo, hi, when, then, low, high):
            continue
        numbers = t.cast("list[float]", [lo, hi, low, high])
        gap = t.cast("float", when) - t.cast("float", then)
        if gap < _MIN_GAP:
            continue
        days = gap / 86400.0
        slowest, fastest = (numbers[2] - numbers[1]) / days, (numbers[3] - numbers[0]) / days
        if abs(slowest + fastest) / 2 > _HAND:
            continue
        nearest = 0.0 if slowest <= 0.0 <= fastest else min(abs(slowest), abs(fastest))
        rates.append(((slowest + fastest) / 2, nearest > DRIFT_LIMIT))
    if not rates:
        return None
    rate = statistics.median(value for value, _beyond in rates)
    beyond = [value for value, far in rates if far]
    suspicious = len(beyond) >= 2 and (all(value > 0 for value in beyond) or all(value < 0 for value in beyond))
    shown = tuple(
        (t.cast("float", item[0]), (t.cast("float", item[1]) + t.cast("float", item[2])) / 2) for item in points
    )
    return Trend(rate, len(rates), shown, suspicious)


class History:
    """This run beside the one before it."""

    def __init__(self, earlier: object, run: str, started_utc: str) -> None:
        """earlier: the digest.json of the newest run before this one, as parsed; None when there is none."""
        self._earlier = read(earlier)
        self._before: Json = self._earlier.get("hosts", {})
        self._run = run
        self._started = started_utc
        self._hosts: dict[str, dict[str, t.Any]] = {}
        self.notes: dict[str, Note] = {}

    def add(self, record: Json, line: HostLine) -> Note:
        """One host of this run; returns what is known of it from before."""
        old = self._before.get(line.host)
        if old is not None and line.state == "pending":
            # A host that this run did not get to is as it was.
            self._hosts[line.host] = dict(old)
            self.notes[line.host] = Note(old["since"], old["state"], trend(old["clock"]))
            return self.notes[line.host]
        same = old is not None and (old["state"] in READY_STATES) == line.ready
        since = old["since"] if same and old is not None else self._started
        clock = list(old["clock"]) if old is not None else []
        measured = point(record, self._started)
        if measured is not None:
            clock = [*clock, measured][-POINTS:]
        cause = line.todos[0].cause if line.todos else ""
        self._hosts[line.host] = {
            "state": line.state,
            "since": since,
            "cause": cause,
            "run": self._run,
            "clock": clock,
        }
        note = Note(since, old["state"] if old is not None else None, trend(clock))
        self.notes[line.host] = note
        return note

    def changes(self, only: t.Collection[str] | None = None) -> Changes | None:
        """What became different; None at the first run. only: of these hosts, which leaves out those that are gone."""
        if not self._earlier:
            return None
        worse: list[str] = []
        better: list[str] = []
        new: list[str] = []
        for host in self._hosts if only is None else only:
            entry = self._hosts[host]
            old = self._before.get(host)
            ready = entry["state"] in READY_STATES
            if old is None:
                new.append(host)
            elif (old["state"] in READY_STATES) != ready:
                (better if ready else worse).append(host)
        last = self._earlier["run"]
        gone = [host for host, old in self._before.items() if host not in self._hosts and old["run"] == last]
        if only is not None:
            gone = []
        return Changes(last, self._earlier["started_utc"], tuple(worse), tuple(better), tuple(new), tuple(gone))

    def memory(self) -> dict[str, t.Any]:
        """The digest.json of this run: its hosts, and those of earlier runs that it did not set out for."""
        now = _seconds(self._started)
        carried = {}
        for host, old in self._before.items():
            seen = _run_time(old["run"])
            fresh = now is None or seen is None or now - seen < FORGET_DAYS * 86400
            if host not in self._hosts and fresh:
                carried[host] = old
        return {
            "schema": SCHEMA,
            "run": self._run,
            "started_utc": self._started,
            "hosts": {**carried, **self._hosts},
        }


def _run_time(run: str) -> float | None:
    """Seconds since 1970 of a run's name, 20261125T071500Z-ab12."""
    try:
        return datetime.datetime.strptime(run[:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.UTC).timestamp()
    except ValueError:
        return None
