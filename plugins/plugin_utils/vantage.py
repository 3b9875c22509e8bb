# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vantage: what the control node saw of itself, for every host to be held against.

Pure. Read twice: once from the observation, by whoever measured (`read_vantage`), and then by every host's process from
the part of it that the judges look at (`judged_of`, `from_judged`): what is the same for all hosts is worked out once.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils import shape
from ansible_collections.edefter.ready.plugins.plugin_utils.clock import verdict as clock_verdict
from ansible_collections.edefter.ready.plugins.plugin_utils.model import ShapeError
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.clock import parse_clock
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.endpoint_model import Endpoints
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.endpoints import parse_endpoints
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.envelope import parse_observation


@dataclasses.dataclass(frozen=True)
class Vantage:
    """What the control node saw of itself: its endpoints, and how far its own clock is off (seconds, true - node)."""

    endpoints: Endpoints | None = None
    lo: float | None = None
    hi: float | None = None

    def addresses(self) -> dict[str, tuple[str, ...]]:
        """Addresses that the control node connected to, by host name: what the hosts should try too."""
        found: dict[str, list[str]] = {}
        for target in self.endpoints.targets if self.endpoints else ():
            known = found.setdefault(target.host, [])
            for attempt in target.attempts:
                if attempt.tcp.error is None and attempt.address not in known:
                    known.append(attempt.address)
        # In an order that does not depend on who answered first: equal runs ask equal things.
        return {host: in_order(addresses) for host, addresses in found.items() if addresses}


def in_order(addresses: t.Iterable[str]) -> tuple[str, ...]:
    """IPv4 first, then by their text."""
    return tuple(sorted(addresses, key=lambda address: (":" in address, address)))


def read_vantage(raw: object) -> Vantage:
    """The control node's observation as it came. What of it cannot be read is as none: hosts are judged without it."""
    try:
        sections = parse_observation(raw).sections
    except ShapeError:
        return Vantage()
    endpoints = clock = None
    if "endpoints" in sections and sections["endpoints"].ok:
        endpoints = sections["endpoints"].data
    if "clock" in sections and sections["clock"].ok:
        clock = sections["clock"].data
    return Vantage(_endpoints(endpoints), *_bounds(clock))


def judged_of(raw: object) -> dict[str, t.Any]:
    """What from_judged reads: {"endpoints": the section's data without what no judge asks for | null,
    "bounds": [lo, hi] of the control node's own clock | null}."""
    seen = read_vantage(raw)
    judged: dict[str, t.Any] = {"endpoints": None, "bounds": None}
    if seen.lo is not None and seen.hi is not None:
        judged["bounds"] = [seen.lo, seen.hi]
    if seen.endpoints is not None and isinstance(raw, dict):
        data = raw["sections"]["endpoints"]["data"]
        targets = [{**target, "dns": target["dns"] and {**target["dns"], "queries": []}} for target in data["targets"]]
        judged["endpoints"] = {**data, "canaries": [], "targets": targets}
    return judged


def from_judged(raw: object) -> Vantage:
    """The vantage as judged_of stored it; an empty one for null, and for what is none."""
    try:
        stored = shape.mapping(raw, "vantage")
        bounds = shape.each(stored.get("bounds"), "vantage.bounds", shape.real, 2)
    except ShapeError:
        return Vantage()
    return Vantage(_endpoints(stored.get("endpoints")), *(bounds if len(bounds) == 2 else (None, None)))


def _endpoints(data: object) -> Endpoints | None:
    try:
        return None if data is None else parse_endpoints(data)
    except ShapeError:
        return None


def _bounds(data: object) -> tuple[float | None, float | None]:
    """Bounds of (true - control node), when its time sources corroborate each other."""
    try:
        own = None if data is None else clock_verdict.assess(parse_clock(data))
    except ShapeError:
        own = None
    return (own.lo, own.hi) if own is not None and own.corroborated else (None, None)
