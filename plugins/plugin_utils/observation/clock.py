# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shape of section `clock`: what a host measured, before anybody judges it.

Pure; raises ShapeError. Wall times are integers of 100 ns since 1970 UTC by the host's own clock, `mono` and delays
integers of 100 ns by its monotonic clock.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re

from ansible_collections.edefter.ready.plugins.plugin_utils import shape
from ansible_collections.edefter.ready.plugins.plugin_utils.model import ShapeError
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.envelope import Fault, optional_fault

TICKS = 10_000_000
MAX_SOURCES = 32
MAX_SAMPLES = 64

# The years 1601 (where Windows begins to count) to 9999, in ticks since 1970.
_WALL_LOW = -116_444_736_000_000_000
_WALL_HIGH = 2_534_023_008_000_000_000
_MONO_HIGH = 3600 * TICKS
# Compiled here and not where they are used: each host is judged in a process of its own, forked after this was loaded.
_WHOLE = re.compile(r"-?\d{1,20}", re.ASCII)
_STAMP = re.compile(r"[0-9a-f]{16}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", re.ASCII)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclasses.dataclass(frozen=True)
class NtpSample:
    """One answer. receive, transmit, reference: the 64-bit NTP timestamps; root_*: 16.16 fixed point; refid: hex."""

    t1: int
    mono: int
    delay: int
    wall_delay: int
    leap: int
    version: int
    mode: int
    stratum: int
    precision: int
    root_delay: int
    root_dispersion: int
    refid: str
    reference: int
    receive: int
    transmit: int


@dataclasses.dataclass(frozen=True)
class DateAnswer:
    """One https answer. first: the first one of its connection (slow, so of little use)."""

    t1: int
    mono: int
    elapsed: int
    wall_elapsed: int
    first: bool
    status: int | None
    date: str
    age: str
    via: str
    server: str
    x_cache: str


@dataclasses.dataclass(frozen=True)
class Certificate:
    """Validity, in ticks, of the certificate that an https source showed. problems other than `time`: refused."""

    not_before: int
    not_after: int
    issuer: str
    problems: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class ClockSource:
    """One source and all that came of it."""

    id: str
    host: str
    port: int
    kind: str
    operator: str
    addresses: tuple[str, ...]
    address: str
    lan: bool
    error: Fault | None
    skipped: str
    sent: int = 0
    stray: int = 0
    kiss: str | None = None
    samples: tuple[NtpSample, ...] = ()
    certificate: Certificate | None = None
    answers: tuple[DateAnswer, ...] = ()


@dataclasses.dataclass(frozen=True)
class Kernel:
    """What a POSIX kernel says of its own clock; max_error in seconds."""

    synchronised: bool
    max_error: float


@dataclasses.dataclass(frozen=True)
class ClockObservation:
    """Section `clock`. Both clocks were read together at start and end."""

    wall_start: int
    mono_start: int
    wall_end: int
    mono_end: int
    sources: tuple[ClockSource, ...]
    kernel: Kernel | None = None


def _wall(value: object, path: str) -> int:
    text = shape.text(value, path, 30)
    if not _WHOLE.fullmatch(text):
        raise ShapeError(path, f"{text!r} is not a whole number as text")
    return shape.integer(int(text), path, _WALL_LOW, _WALL_HIGH)


def _span(value: object, path: str) -> int:
    text = shape.text(value, path, 30)
    if not _WHOLE.fullmatch(text):
        raise ShapeError(path, f"{text!r} is not a whole number as text")
    return int(text)


def _mono(value: object, path: str) -> int:
    return shape.integer(value, path, 0, _MONO_HIGH)


def _stamp(value: object, path: str) -> int:
    text = shape.text(value, path, 20)
    if not _STAMP.fullmatch(text):
        raise ShapeError(path, "16 hex digits were expected")
    return int(text, 16)


def _sample(value: object, path: str) -> NtpSample:
    m = shape.mapping(value, path)

    def small(name: str, low: int, high: int) -> int:
        return shape.integer(m.get(name), f"{path}.{name}", low, high)

    return NtpSample(
        t1=_wall(m.get("t1"), f"{path}.t1"),
        mono=_mono(m.get("mono"), f"{path}.mono"),
        delay=_mono(m.get("delay"), f"{path}.delay"),
        wall_delay=_span(m.get("wall_delay"), f"{path}.wall_delay"),
        leap=small("leap", 0, 3),
        version=small("version", 0, 7),
        mode=small("mode", 0, 7),
        stratum=small("stratum", 0, 255),
        precision=small("precision", -128, 127),
        root_delay=small("root_delay", 0, 2**32 - 1),
        root_dispersion=small("root_dispersion", 0, 2**32 - 1),
        refid=shape.text(m.get("refid"), f"{path}.refid", 8),
        reference=_stamp(m.get("reference"), f"{path}.reference"),
        receive=_stamp(m.get("receive"), f"{path}.receive"),
        transmit=_stamp(m.get("transmit"), f"{path}.transmit"),
    )


def _answer(value: object, path: str) -> DateAnswer:
    m = shape.mapping(value, path)

    def header(name: str) -> str:
        return shape.optional_text(m.get(name), f"{path}.{name}", 200) or ""

    return DateAnswer(
        t1=_wall(m.get("t1"), f"{path}.t1"),
        mono=_mono(m.get("mono"), f"{path}.mono"),
        elapsed=_mono(m.get("elapsed"), f"{path}.elapsed"),
        wall_elapsed=_span(m.get("wall_elapsed"), f"{path}.wall_elapsed"),
        first=shape.boolean(m.get("first"), f"{path}.first"),
        status=shape.optional_integer(m.get("status"), f"{path}.status", 100, 999),
        date=header("date"),
        age=header("age"),
        via=header("via"),
        server=header("server"),
        x_cache=header("x_cache"),
    )


def _moment(value: object, path: str) -> int:
    text = shape.text(value, path, 40)
    if not _MOMENT.fullmatch(text):
        raise ShapeError(path, f"{text!r} is not an ISO 8601 time in UTC")
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise ShapeError(path, str(error)) from error
    return (moment - _EPOCH) // dt.timedelta(microseconds=1) * 10


def _certificate(value: object, path: str) -> Certificate | None:
    m = shape.optional_mapping(value, path)
    if m is None:
        return None
    return Certificate(
        not_before=_moment(m.get("not_before"), f"{path}.not_before"),
        not_after=_moment(m.get("not_after"), f"{path}.not_after"),
        issuer=shape.optional_text(m.get("issuer"), f"{path}.issuer", 300) or "",
        problems=shape.each(m.get("problems"), f"{path}.problems", lambda v, p: shape.text(v, p, 60), 16),
    )


def _source(value: object, path: str) -> ClockSource:
    m = shape.mapping(value, path)
    kind = shape.text(m.get("kind"), f"{path}.kind", 10)
    if kind not in ("ntp", "https"):
        raise ShapeError(f"{path}.kind", f"{kind!r} is neither ntp nor https")
    identity = shape.text(m.get("id"), f"{path}.id", 100)
    return ClockSource(
        id=identity,
        host=shape.text(m.get("host"), f"{path}.host", 255),
        port=shape.integer(m.get("port"), f"{path}.port", 0, 65535),
        kind=kind,
        operator=shape.optional_text(m.get("operator"), f"{path}.operator", 255) or identity,
        addresses=shape.each(m.get("addresses"), f"{path}.addresses", lambda v, p: shape.text(v, p, 60), 64),
        address=shape.optional_text(m.get("address"), f"{path}.address", 60) or "",
        lan=shape.boolean(m.get("lan"), f"{path}.lan"),
        error=optional_fault(m.get("error"), f"{path}.error"),
        skipped=shape.optional_text(m.get("skipped"), f"{path}.skipped", 40) or "",
        sent=shape.optional_integer(m.get("sent"), f"{path}.sent", 0, 1000) or 0,
        stray=shape.optional_integer(m.get("stray"), f"{path}.stray", 0, 10**6) or 0,
        kiss=shape.optional_text(m.get("kiss"), f"{path}.kiss", 4),
        samples=shape.each(m.get("samples"), f"{path}.samples", _sample, MAX_SAMPLES),
        certificate=_certificate(m.get("certificate"), f"{path}.certificate"),
        answers=shape.each(m.get("requests"), f"{path}.requests", _answer, MAX_SAMPLES),
    )


def _kernel(value: object, path: str) -> Kernel | None:
    m = shape.optional_mapping(value, path)
    if m is None:
        return None
    return Kernel(
        synchronised=shape.boolean(m.get("synchronised"), f"{path}.synchronised"),
        max_error=shape.real(m.get("max_error"), f"{path}.max_error", 0, 1e6),
    )


def parse_clock(raw: object, path: str = "clock") -> ClockObservation:
    """Reads the data of section `clock`. Raises ShapeError."""
    m = shape.mapping(raw, path)
    return ClockObservation(
        wall_start=_wall(m.get("wall_start"), f"{path}.wall_start"),
        mono_start=_mono(m.get("mono_start"), f"{path}.mono_start"),
        wall_end=_wall(m.get("wall_end"), f"{path}.wall_end"),
        mono_end=_mono(m.get("mono_end"), f"{path}.mono_end"),
        sources=shape.each(m.get("sources"), f"{path}.sources", _source, MAX_SOURCES),
        kernel=_kernel(m.get("kernel"), f"{path}.kernel"),
    )


def iso(ticks: int) -> str:
    """Wall ticks as ISO 8601 in UTC with milliseconds; a year that no calendar here has becomes text all the same."""
    try:
        moment = _EPOCH + dt.timedelta(microseconds=ticks // 10)
    except OverflowError:
        return f"{ticks / TICKS:.0f} s from 1970"
    return moment.strftime("%Y-%m-%dT%H:%M:%S.").rjust(20, "0") + f"{moment.microsecond // 1000:03d}Z"
