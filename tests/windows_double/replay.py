# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A recorded observation, told later as if it had just been made. Pure; what is not absolute time stays as it is.

All that was measured moves by whole seconds. A Date header is whole seconds, and what it says of a clock hangs on where
within a second it was asked for; so every source bounds the host's clock exactly as it did in the recording. Only the
last reading of the host's clocks moves by all of the time that has gone by.

A replay is over as soon as it was asked for, so it begins where it ends: the control node sees less time go by than the
observation took, and would otherwise find that its own clock contradicts the host's. A clock that was set while it was
recorded cannot be replayed.
"""

from __future__ import annotations

import datetime
import functools
import math
from typing import Any

#: What the observation counts in: 100 ns, a second has so many.
TICKS = 10_000_000
_STAMP_SECOND = 1 << 32
_STAMPS = 1 << 64

Json = dict[str, Any]


def ended(observation: Json) -> float:
    """When the observation was over, in seconds since 1970 by the host's own clock."""
    clock = _data(observation, "clock")
    if clock is not None:
        return int(clock["wall_end"]) / TICKS
    started = datetime.datetime.fromisoformat(observation["started_utc"])
    return started.timestamp() + float(observation["elapsed_ms"]) / 1000


def later(observation: Json, seconds: float) -> Json:
    """The observation as it is told `seconds` after it was over. Shares with the given one what is the same in both."""
    whole = math.floor(seconds)
    sections = dict(observation["sections"])
    clock, endpoints = _data(observation, "clock"), _data(observation, "endpoints")
    if clock is not None:
        sections["clock"] = {**sections["clock"], "data": _clock(clock, whole, seconds)}
    if endpoints is not None:
        sections["endpoints"] = {**sections["endpoints"], "data": _endpoints(endpoints, whole)}
    return {**observation, "started_utc": _iso(observation["started_utc"], whole), "sections": sections}


def _data(observation: Json, name: str) -> Json | None:
    """A section's data; None when the module has no such section, or it failed."""
    data: Json | None = observation["sections"].get(name, {}).get("data")
    return data


# ---- clock -----------------------------------------------------------------------------------------------------------


def _clock(clock: Json, whole: int, seconds: float) -> Json:
    beyond = round((seconds - whole) * TICKS)
    wall = str(int(clock["wall_end"]) + whole * TICKS + beyond)
    mono = clock["mono_end"] + beyond
    sources = [_source(source, whole) for source in clock["sources"]]
    return {**clock, "wall_start": wall, "mono_start": mono, "wall_end": wall, "mono_end": mono, "sources": sources}


def _source(source: Json, whole: int) -> Json:
    moved = dict(source)
    if samples := source.get("samples"):
        moved["samples"] = [_sample(sample, whole) for sample in samples]
    if answers := source.get("requests"):
        moved["requests"] = [
            {**answer, "t1": _ticks(answer["t1"], whole), "date": date_later(answer["date"], whole)}
            for answer in answers
        ]
    return moved


def _sample(sample: Json, whole: int) -> Json:
    stamps = {name: stamp_later(sample[name], whole) for name in ("reference", "receive", "transmit")}
    return {**sample, "t1": _ticks(sample["t1"], whole), **stamps}


def _ticks(text: str, whole: int) -> str:
    return str(int(text) + whole * TICKS)


def stamp_later(text: str, whole: int) -> str:
    """A 64-bit NTP timestamp, across the end of an era too. Zero says that there is none, and stays."""
    stamp = int(text, 16)
    return f"{(stamp + whole * _STAMP_SECOND) % _STAMPS:016x}" if stamp else text


# ---- endpoints -------------------------------------------------------------------------------------------------------


def _endpoints(endpoints: Json, whole: int) -> Json:
    canaries = [{**canary, "target": _target(canary["target"], whole)} for canary in endpoints["canaries"]]
    return {**endpoints, "targets": [_target(target, whole) for target in endpoints["targets"]], "canaries": canaries}


def _target(target: Json, whole: int) -> Json:
    lists = {name: [_attempt(attempt, whole) for attempt in target[name]] for name in ("attempts", "proxy_attempts")}
    return {**target, **lists}


def _attempt(attempt: Json, whole: int) -> Json:
    replies = {name: _http(attempt[name], whole) for name in ("http", "connect") if attempt.get(name)}
    return {**attempt, **replies} if replies else attempt


def _http(http: Json, whole: int) -> Json:
    headers = http["headers"]
    if "date" not in headers:
        return http
    moved = {**headers, "date": date_later(headers["date"], whole)}
    return {**http, "headers": moved, "date": http["date"] and _iso(http["date"], whole)}


# ---- texts (many answers of a fleet carry the same second) -----------------------------------------------------------


@functools.lru_cache(maxsize=4096)
def date_later(text: str | None, whole: int) -> str | None:
    """A Date header. What is no date for the judges is none afterwards."""
    try:
        moment = datetime.datetime.strptime(text or "", _IMF)
    except ValueError:
        return text
    # strptime forgives what no server should send; only what it would write itself is a date.
    return _imf(moment + datetime.timedelta(seconds=whole)) if _imf(moment) == text else text


_IMF = "%a, %d %b %Y %H:%M:%S GMT"


def _imf(moment: datetime.datetime) -> str:
    return moment.strftime(_IMF)


@functools.lru_cache(maxsize=4096)
def _iso(text: str, whole: int) -> str:
    """An ISO 8601 time in UTC with milliseconds."""
    moment = datetime.datetime.fromisoformat(text) + datetime.timedelta(seconds=whole)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
