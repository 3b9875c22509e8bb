# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings about the clock as measured: how far off it is, what the sources are worth, whether UDP 123 gets through.

Pure. `clock.offset` is the one that counts; the others say why it is as it is and who can change it.
"""

from __future__ import annotations

import datetime as dt
import math

from ansible_collections.edefter.ready.plugins.plugin_utils.clock.verdict import ClockVerdict, SourceVerdict
from ansible_collections.edefter.ready.plugins.plugin_utils.messages import LANGUAGES
from ansible_collections.edefter.ready.plugins.plugin_utils.model import Area, Evidence, Finding, Owner, Status
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted.clock import ClockWanted

DAY = 86400.0
# Behind by more than this, no time zone, holiday or wrong hand explains it.
BATTERY_BEHIND = 30 * DAY

# Below this many seconds: unit in English and Turkish, seconds in it, digits behind the point.
_UNITS = (
    (0.1, "ms", "ms", 0.001, 1),
    (100.0, "s", "sn", 1.0, 3),
    (2 * 3600.0, "min", "dk", 60.0, 1),
    (3 * DAY, "h", "saat", 3600.0, 2),
    (730 * DAY, "d", "gün", DAY, 1),
    (math.inf, "y", "yıl", 365.25 * DAY, 1),
)


def seconds(value: float, language: str = "en", sign: bool = True) -> str:
    """An offset as people read it, without losing what is small: "+4.2 ms", "-7.0 min", "+23,9 yıl"."""
    _limit, english, turkish, divisor, digits = next(unit for unit in _UNITS if abs(value) < unit[0])
    number = f"{abs(value) / divisor:.{digits}f}"
    mark = "" if not sign or float(number) == 0.0 else "-" if value < 0 else "+"
    if language == "tr":
        return f"{mark}{number.replace('.', ',')} {turkish}"
    return f"{mark}{number} {english}"


def bounds(verdict: ClockVerdict, language: str = "en") -> str:
    """The interval as text; "" when there is none."""
    if verdict.lo is None or verdict.hi is None:
        return ""
    if verdict.hi - verdict.lo < 1e-3 * max(abs(verdict.lo), abs(verdict.hi)):
        return seconds(verdict.offset or 0.0, language)
    return f"{seconds(verdict.lo, language)} … {seconds(verdict.hi, language)}"


def _evidence(verdict: ClockVerdict) -> tuple[Evidence, ...]:
    found = [
        Evidence("host_utc", verdict.host_utc),
        Evidence("method", verdict.method),
        Evidence("operators", f"{verdict.depth}/{verdict.operators}"),
    ]
    if verdict.lo is not None and verdict.hi is not None:
        found[0:0] = [Evidence("offset_low_s", f"{verdict.lo:+.6f}"), Evidence("offset_high_s", f"{verdict.hi:+.6f}")]
    if verdict.true_utc:
        found.append(Evidence("true_utc", verdict.true_utc))
    if verdict.stepped is not None:
        found.append(Evidence("clock_set_meanwhile_s", f"{verdict.stepped.size:+.3f}"))
    return tuple(found)


def _offset_cause(verdict: ClockVerdict, status: Status, wanted: ClockWanted) -> str:
    if verdict.lo is None or verdict.hi is None:
        if verdict.stepped is not None:
            return "clock.offset.stepped"
        return "clock.offset.no_majority" if verdict.operators > 1 else "clock.offset.unmeasured"
    if status is Status.PASS:
        return "clock.offset.pass"
    if verdict.stepped is not None and status is Status.UNKNOWN:
        return "clock.offset.stepped"
    lone = wanted.require_corroboration and not verdict.corroborated
    grade = wanted.grade(verdict.lo, verdict.hi)
    if grade is Status.UNKNOWN:
        return "clock.offset.straddles"
    if lone:
        return "clock.offset.lone_inside" if grade is Status.PASS else "clock.offset.lone_outside"
    if verdict.hours_hint is not None:
        return "clock.offset.whole_hours"
    return "clock.offset.behind" if (verdict.offset or 0.0) > 0 else "clock.offset.ahead"


def _offset(verdict: ClockVerdict, wanted: ClockWanted) -> Finding:
    status = verdict.status(wanted)
    cause = _offset_cause(verdict, status, wanted)
    offset = verdict.offset
    params = {
        "limit": f"{wanted.pass_seconds:g}",
        "hours": str(abs(verdict.hours_hint or 0)),
        "host_utc": verdict.host_utc,
        "true_utc": verdict.true_utc or "?",
        "witness": ", ".join(row.id for row in verdict.sources if row.verdict == "agrees") or "-",
    }
    for language in LANGUAGES:
        params[f"amount_{language}"] = seconds(offset, language, sign=False) if offset is not None else "?"
        params[f"bounds_{language}"] = bounds(verdict, language)
        params[f"step_{language}"] = seconds(verdict.stepped.size, language) if verdict.stepped else ""
    owner = Owner.NOBODY
    if status is not Status.PASS:
        owner = Owner.COLLECTION if status is Status.FAIL or cause.endswith(("behind", "ahead")) else Owner.LOCAL_ADMIN
        if cause in ("clock.offset.unmeasured", "clock.offset.no_majority", "clock.offset.lone_inside"):
            owner = Owner.NETWORK_ADMIN
    return Finding(
        id="clock.offset",
        area=Area.CLOCK,
        check="clock.offset",
        subject="",
        status=status,
        cause=cause,
        owner=owner,
        observed=bounds(verdict),
        expected=f"±{wanted.pass_seconds:g} s",
        params=params,
        evidence=_evidence(verdict),
        blocks_filing=status in (Status.FAIL, Status.UNKNOWN),
    )


def _row_text(row: SourceVerdict) -> str:
    parts = [row.host, row.verdict]
    if row.reason:
        parts.append(row.reason)
    if row.offset is not None and row.lo is not None and row.hi is not None:
        parts.append(f"{row.offset:+.4f} s ± {(row.hi - row.lo) / 2:.4f} s")
    if row.stratum is not None:
        parts.append(f"stratum {row.stratum}")
    return ", ".join(parts)


def _sources(verdict: ClockVerdict) -> Finding:
    rows = verdict.sources
    good = [row for row in rows if row.verdict == "agrees"]
    false = [row for row in rows if row.verdict == "falseticker"]
    bad = [row for row in rows if row.verdict == "rejected"]
    limited = [row for row in rows if row.reason.startswith("kiss_rate")]
    if false:
        status, cause = Status.WARN, "clock.sources.falseticker"
    elif verdict.lo is None:
        status = Status.UNKNOWN
        cause = "clock.sources.undecided" if verdict.operators > 1 else "clock.sources.none"
    elif limited:
        status, cause = Status.WARN, "clock.sources.rate_limited"
    elif bad:
        status, cause = Status.WARN, "clock.sources.rejected"
    elif not verdict.corroborated:
        status, cause = Status.WARN, "clock.sources.one"
    else:
        status, cause = Status.PASS, "clock.sources.pass"
    named = false or limited or bad
    return Finding(
        id="clock.sources",
        area=Area.CLOCK,
        check="clock.sources",
        subject="",
        status=status,
        cause=cause,
        owner=Owner.NOBODY if status is Status.PASS else Owner.NETWORK_ADMIN,
        observed=f"{verdict.depth}/{verdict.operators}",
        expected="≥2",
        params={
            "count": str(len(good)),
            "total": str(len(rows)),
            "names": ", ".join(f"{row.id} ({row.host})" for row in named) or "-",
            "agreeing": ", ".join(row.id for row in good) or "-",
        },
        evidence=tuple(Evidence(row.id, _row_text(row)) for row in rows),
    )


def _udp123(verdict: ClockVerdict, wanted: ClockWanted) -> Finding | None:
    """Whether NTP gets out. None when no public NTP source was asked.

    A block is a warning while the clock is right: it will not stay so by itself, but nothing is wrong today.
    """
    asked = [row for row in verdict.sources if row.kind == "ntp" and row.sent > 0]
    public = [row for row in asked if not row.lan]
    if not public:
        return None
    answered = [row for row in public if row.verdict not in ("silent", "skipped")]
    others = [row for row in verdict.sources if row.kind == "https" and row.samples > 0]
    lan = [row for row in asked if row.lan and row.verdict == "agrees"]
    local = any(row.reason == "access_denied" for row in public)
    owner = Owner.NOBODY
    wrong = Status.WARN if verdict.status(wanted) is Status.PASS else Status.FAIL
    if answered:
        status, cause = Status.PASS, "clock.udp123.pass"
    elif local:
        status, cause, owner = wrong, "clock.udp123.blocked_here", Owner.LOCAL_ADMIN
    elif lan:
        status, cause, owner = Status.WARN, "clock.udp123.lan_only", Owner.FIREWALL_ADMIN
    elif others:
        status, cause, owner = wrong, "clock.udp123.blocked", Owner.FIREWALL_ADMIN
    else:
        status, cause, owner = Status.UNKNOWN, "clock.udp123.unclear", Owner.NETWORK_ADMIN
    ports = sorted({row.port for row in public})
    targets = ", ".join(f"{row.host} ({row.address})" if row.address else row.host for row in public)
    return Finding(
        id="clock.udp123",
        area=Area.CLOCK,
        check="clock.udp123",
        subject="",
        status=status,
        cause=cause,
        owner=owner,
        observed=f"{len(answered)}/{len(public)}",
        expected="≥1",
        params={
            "count": str(len(answered)),
            "total": str(len(public)),
            "hosts": targets,
            "port": ", ".join(str(port) for port in ports),
            "lan": ", ".join(row.host for row in lan) or "-",
        },
        evidence=tuple(Evidence(row.id, f"{row.host}:{row.port} {row.reason or row.verdict}") for row in public),
    )


def _date(text: str | None) -> dt.date | None:
    """A BIOS release date as the registry has it (MM/DD/YYYY), or an ISO date."""
    for form in ("%m/%d/%Y", "%Y-%m-%d"):
        try:
            return dt.datetime.strptime((text or "").strip()[:10], form).date()
        except ValueError:
            continue
    return None


def _reset_to(host_utc: str, bios_date: str | None) -> str:
    """What the host's date looks like when its battery is empty: `bios` (its firmware's date), `january`, or ""."""
    host = _date(host_utc)
    if host is None:
        return ""
    bios = _date(bios_date)
    if bios is not None and 0 <= (host - bios).days <= 45:
        return "bios"
    # Firmware falls back to the first of January of some year (1980, 1990, 2000 … 2024); PCs run some days from there.
    return "january" if host.month == 1 and host.day <= 31 and host.year <= 2030 else ""


def _battery(verdict: ClockVerdict, bios_date: str | None) -> Finding | None:
    """Evidence of an empty CMOS battery. None: none."""
    offset = verdict.offset
    if offset is None or verdict.lo is None or verdict.lo <= BATTERY_BEHIND:
        return None
    signs = [Evidence("behind", seconds(offset))]
    reset = _reset_to(verdict.host_utc, bios_date)
    if reset:
        signs.append(Evidence("default_date", f"{verdict.host_utc[:10]} ({reset})"))
    return Finding(
        id="clock.battery",
        area=Area.CLOCK,
        check="clock.battery",
        subject="",
        status=Status.FAIL if verdict.corroborated or reset else Status.WARN,
        cause="clock.battery.empty",
        owner=Owner.LOCAL_ADMIN,
        observed=", ".join(sign.value for sign in signs),
        expected="-",
        params={
            "behind_tr": seconds(offset, "tr", sign=False),
            "behind_en": seconds(offset, "en", sign=False),
            "host_utc": verdict.host_utc,
        },
        evidence=tuple(signs),
    )


def judge_clock(verdict: ClockVerdict, wanted: ClockWanted, bios_date: str | None = None) -> tuple[Finding, ...]:
    """All findings about the clock. bios_date: evidence about the battery, where the caller has some."""
    optional = (_udp123(verdict, wanted), _battery(verdict, bios_date))
    return (_offset(verdict, wanted), _sources(verdict), *(finding for finding in optional if finding is not None))
