# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Raw clock observations as a host would send them, made from what is true."""

from __future__ import annotations

import datetime as dt
import math
from email.utils import format_datetime
from typing import Any

TICKS = 10_000_000
NTP_TO_UNIX = 2_208_988_800
# 2026-11-25T07:00:00Z
NOW = 1_795_590_000


def stamp(seconds: float) -> str:
    """Seconds since 1970 as 16 hex digits of NTP time, in whatever era."""
    whole = math.floor(seconds)
    wire = ((whole + NTP_TO_UNIX) << 32) + int((seconds - whole) * 2**32)
    return f"{wire % 2**64:016x}"


def sample(
    offset: float = 0.0, up: float = 0.02, down: float = 0.02, mono: float = 0.1, now: float = NOW, **fields: Any
) -> dict[str, Any]:
    """One NTP answer. offset: `true - host`; up, down: the path; now: true time when the request leaves."""
    host = now - offset
    held = 0.0001
    delay = round((up + held + down) * TICKS)
    result: dict[str, Any] = {
        "t1": str(round(host * TICKS)),
        "mono": round(mono * TICKS),
        "delay": delay,
        "wall_delay": str(delay),
        "leap": 0,
        "version": 4,
        "mode": 4,
        "stratum": 2,
        "poll": 6,
        "precision": -20,
        "root_delay": 0x20,
        "root_dispersion": 0x20,
        "refid": "7f7f0101",
        "reference": stamp(now - 30),
        "receive": stamp(now + up),
        "transmit": stamp(now + up + held),
    }
    return {**result, **fields}


def ntp(name: str, *samples: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """One NTP source."""
    result: dict[str, Any] = {
        "id": name,
        "host": f"{name}.example",
        "port": 123,
        "kind": "ntp",
        "operator": name,
        "addresses": ["198.51.100.1"],
        "address": "198.51.100.1",
        "lan": False,
        "error": None,
        "skipped": None,
        "sent": max(1, len(samples)),
        "stray": 0,
        "kiss": None,
        "samples": list(samples),
    }
    if not samples:
        result["error"] = {"phase": "ntp", "code": "timeout", "native": None, "message": "no answer"}
    return {**result, **fields}


def answer(
    offset: float = 0.0, rtt: float = 0.04, mono: float = 0.1, now: float = NOW + 0.3, **fields: Any
) -> dict[str, Any]:
    """One https answer; the server stamps halfway."""
    moment = dt.datetime.fromtimestamp(int(now + rtt / 2), tz=dt.UTC)
    result: dict[str, Any] = {
        "t1": str(round((now - offset) * TICKS)),
        "mono": round(mono * TICKS),
        "elapsed": round(rtt * TICKS),
        "wall_elapsed": str(round(rtt * TICKS)),
        "first": False,
        "status": 200,
        "date": format_datetime(moment, usegmt=True),
        "age": None,
        "via": None,
        "server": "nginx",
        "x_cache": None,
    }
    return {**result, **fields}


def https(name: str, *answers: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """One https source with a certificate that is valid now."""
    result: dict[str, Any] = {
        "id": name,
        "host": f"{name}.example",
        "port": 443,
        "kind": "https",
        "operator": name,
        "addresses": ["203.0.113.10"],
        "address": "203.0.113.10",
        "lan": False,
        "error": None,
        "skipped": None,
        "certificate": {
            "not_before": "2026-10-01T00:00:00.000Z",
            "not_after": "2027-01-01T00:00:00.000Z",
            "issuer": "CN=Lab",
            "problems": [],
        },
        "requests": list(answers),
    }
    if not answers:
        result.update(error={"phase": "tcp", "code": "timeout", "native": None, "message": ""}, certificate=None)
    return {**result, **fields}


def clock(*sources: dict[str, Any], offset: float = 0.0, step: float = 0.0, now: float = NOW) -> dict[str, Any]:
    """The section's data. step: the wall clock jumped by this before the end."""
    start = round((now - offset) * TICKS)
    return {
        "wall_start": str(start),
        "mono_start": 0,
        "wall_end": str(start + 2 * TICKS + round(step * TICKS)),
        "mono_end": 2 * TICKS,
        "kernel": None,
        "sources": list(sources),
    }
