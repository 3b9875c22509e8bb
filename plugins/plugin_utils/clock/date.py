# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The https Date header as a witness: every answer bounds the offset, answers are intersected.

Pure. Offsets are `true - host` in seconds.
"""

from __future__ import annotations

import calendar
import dataclasses
import re

from ansible_collections.edefter.ready.plugins.plugin_utils.observation.clock import (
    TICKS,
    Certificate,
    ClockSource,
    DateAnswer,
)

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DATE = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT", re.ASCII)
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
# Servers that write Date afresh for each request. Others (IIS and Kestrel among them) refresh a cached text once a
# second, at any phase.
_PROMPT = ("nginx", "openresty", "apache")
CACHE_ALLOWANCE = 1.0
# Our clock is read in steps of 100 ns, the path of one answer takes two readings.
_STEPS = 4 / TICKS
_PHI = 15e-6


@dataclasses.dataclass(frozen=True)
class Bounds:
    """What the answers of one https source say together. used: how many; delay: the shortest round trip, s."""

    lo: float
    hi: float
    used: int
    delay: float
    prompt: bool


def parse_date(text: str) -> int | None:
    """IMF-fixdate (RFC 9110 section 5.6.7) in seconds since 1970; None for anything else, a wrong weekday too."""
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    weekday, day, month_name, year, hour, minute, second = match.groups()
    if month_name not in _MONTHS:
        return None
    month = _MONTHS.index(month_name) + 1
    y, d, h, m, s = int(year), int(day), int(hour), int(minute), int(second)
    if y < 1970 or not 1 <= d <= calendar.monthrange(y, month)[1] or h > 23 or m > 59 or s > 60:
        return None
    if _DAYS[calendar.weekday(y, month, d)] != weekday:
        return None
    return calendar.timegm((y, month, d, h, m, min(s, 59), 0, 0, 0)) + (1 if s == 60 else 0)


def stored(answer: DateAnswer) -> bool:
    """The answer came out of a cache, so its Date is that of an earlier one."""
    age = answer.age.strip()
    hit = "hit" in answer.x_cache.lower()
    return hit or (age not in ("", "0"))


def _interval(answer: DateAnswer, date: int) -> tuple[float, float]:
    begin = (date * TICKS - (answer.t1 + answer.elapsed)) / TICKS
    end = ((date + 1) * TICKS - answer.t1) / TICKS
    slack = _STEPS + _PHI * answer.elapsed / TICKS
    return begin - slack, end + slack


def _valid(certificate: Certificate | None, date: int) -> bool:
    return certificate is not None and certificate.not_before <= date * TICKS <= certificate.not_after


def bounds(source: ClockSource) -> tuple[Bounds | None, str]:
    """The interval of an https source; or None and why: `no_date`, `stored`, `certificate…`, `contradiction`, "".

    A server that may repeat a Date for up to a second gets that second on the upper side, and so does one whose answers
    contradict each other without it.
    """
    if source.certificate is None or any(p != "time" for p in source.certificate.problems):
        return None, "" if source.error else "certificate"
    dated = [(answer, parse_date(answer.date)) for answer in source.answers]
    fresh = [(answer, date) for answer, date in dated if date is not None and not stored(answer)]
    if not fresh:
        codes = "stored" if any(date is not None for _answer, date in dated) else "no_date"
        return None, codes if source.answers else ""
    if not all(_valid(source.certificate, date) for _answer, date in fresh):
        return None, "certificate_dates"
    # The first answer of a connection is slow, so it bounds loosely; but what it bounds is as true as any.
    intervals = [_interval(answer, date) for answer, date in fresh]
    lo, hi = max(i[0] for i in intervals), min(i[1] for i in intervals)
    prompt = all(answer.server.lower().startswith(_PROMPT) for answer, _date in fresh)
    if not prompt or lo > hi:
        hi += CACHE_ALLOWANCE
        prompt = False
    if lo > hi:
        return None, "contradiction"
    delay = min(answer.elapsed for answer, _date in fresh) / TICKS
    return Bounds(lo, hi, len(fresh), delay, prompt), ""
