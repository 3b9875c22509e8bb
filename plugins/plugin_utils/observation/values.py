# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Readers of values that several sections hold: IP addresses, times, durations, lists of short texts.

Pure; raises ShapeError. What is read is bounded, and an address has one spelling, so that two can be compared.
"""

from __future__ import annotations

import datetime
import functools
import ipaddress

from ansible_collections.edefter.ready.plugins.plugin_utils import shape
from ansible_collections.edefter.ready.plugins.plugin_utils.model import ShapeError

_ELAPSED_MAX = 1e9


@functools.lru_cache(maxsize=4096)
def canonical(text: str) -> str | None:
    """An IP address in its canonical spelling (no zone, IPv4-mapped IPv6 as IPv4), or None when it is none."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped if mapped is not None else address)


def address(value: object, path: str) -> str:
    """An IP address, canonical."""
    raw = shape.text(value, path, 80)
    found = canonical(raw)
    if found is None:
        raise ShapeError(path, f"{raw!r:.60} is no IP address")
    return found


def moment(value: object, path: str) -> datetime.datetime | None:
    """ISO 8601 in UTC, or null."""
    if value is None:
        return None
    raw = shape.text(value, path, 40)
    try:
        parsed = datetime.datetime.fromisoformat(raw)
    except ValueError:
        raise ShapeError(path, f"{raw!r} is no ISO 8601 time") from None
    return parsed.replace(tzinfo=datetime.UTC) if parsed.tzinfo is None else parsed


def elapsed(value: object, path: str) -> float | None:
    """Milliseconds, or null for a phase never reached."""
    return shape.optional_real(value, path, 0, _ELAPSED_MAX)


def words(value: object, path: str, limit: int = 64, length: int = 300) -> tuple[str, ...]:
    """A list of short texts; null counts as empty."""
    return shape.each(value, path, lambda item, where: shape.text(item, where, length), limit)


def addresses(value: object, path: str, limit: int = 64) -> tuple[str, ...]:
    """A list of IP addresses, each once, order kept."""
    return tuple(dict.fromkeys(shape.each(value, path, address, limit)))
