# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The wanted state of zone and Windows Time.

Pure. `TimeWanted.from_options` takes the user's variables and raises OptionError for what cannot be meant so.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils import catalog
from ansible_collections.edefter.ready.plugins.plugin_utils.hostkind import Kind
from ansible_collections.edefter.ready.plugins.plugin_utils.model import OptionError

MAX_PHASE = 0xFFFFFFFF
"""W32Time: correct however large the error is."""
TURKEY = "Turkey Standard Time"
MIN_PEERS_FOR_MAX = 3
_ZONE = re.compile(r"[A-Za-z0-9 .()+/-]{2,120}")
_KINDS = tuple(kind for kind in Kind if kind not in (Kind.UNKNOWN, Kind.POSIX))

Options = t.Mapping[str, t.Any]


@dataclasses.dataclass(frozen=True)
class TimeWanted:
    """What zone and Windows Time ought to be. Offsets and limits in seconds, polls as log2 of seconds.

    peers: hosts, written to NtpServer with flag 0x8 (client mode) in this order.
    keep_own_peers: a list that the host has already stands when it has min_peers usable peers.
    keep_max_phase: "dead CMOS": both phase limits stay open for ever.
    phase_limit, phase_floor: what a wrong limit is set to; below the floor a limit counts as wrong.
    utc_offset_s: the offset that must be in force; None: not judged.
    threshold_s: a clock surely further off than this is resynchronised.
    """

    peers: tuple[str, ...]
    zone: str = TURKEY
    utc_offset_s: int | None = 10800
    keep_own_peers: bool = False
    min_peers: int = 3
    keep_max_phase: bool = False
    phase_limit: int = 54000
    phase_floor: int = 900
    min_poll: int | None = None
    max_poll: int | None = None
    host_kind: Kind | None = None
    manage_pdc: bool = True
    member_service: bool = False
    threshold_s: float = 1.0

    @property
    def ntp_server(self) -> str:
        """As the registry holds it."""
        return " ".join(f"{peer},0x8" for peer in self.peers)

    @classmethod
    def from_options(cls, options: Options, sources: t.Iterable[catalog.TimeSource] | None = None) -> TimeWanted:
        """From option `time`; sources: the catalogue's (default: packaged, with options' time_sources laid over)."""
        unknown = sorted(set(options) - set(OPTIONS))
        if unknown:
            raise OptionError(f"time.{unknown[0]}", options[unknown[0]], f"the keys are {', '.join(sorted(OPTIONS))}")
        if sources is None:
            sources = catalog.time_sources(options.get("time_sources"))
        peers = _peers(sources)
        zone = options.get("zone") or TURKEY
        if not isinstance(zone, str) or not _ZONE.fullmatch(zone) or zone.endswith("_dstoff"):
            raise OptionError("time.zone", zone, "give a Windows zone id as `tzutil /l` prints it")
        keep_max = _boolean(options, "keep_max_phase", False)
        min_peers = _integer(options, "min_peers", 3, 1, 16)
        if keep_max and len(peers) < MIN_PEERS_FOR_MAX:
            raise OptionError(
                "time.keep_max_phase", True, f"open limits need {MIN_PEERS_FOR_MAX} peers that check each other"
            )
        low = _optional_integer(options, "min_poll", 4, 17)
        high = _optional_integer(options, "max_poll", 4, 17)
        if low is not None and high is not None and low > high:
            raise OptionError("time.min_poll", low, "it cannot exceed max_poll")
        offset = options.get("utc_offset_s")
        if offset is None:
            offset = 10800 if zone == TURKEY else None
        elif isinstance(offset, bool) or not isinstance(offset, int) or abs(offset) > 50400:
            raise OptionError("time.utc_offset_s", offset, "give seconds east of UTC, at most 50400")
        floor = _integer(options, "phase_floor", 900, 1, MAX_PHASE)
        limit = _integer(options, "phase_limit", 54000, 1, MAX_PHASE)
        if limit < floor:
            raise OptionError("time.phase_limit", limit, f"it must be at least phase_floor ({floor})")
        return cls(
            peers=peers,
            zone=zone,
            utc_offset_s=offset,
            keep_own_peers=_boolean(options, "keep_own_peers", False),
            min_peers=min_peers,
            keep_max_phase=keep_max,
            phase_limit=limit,
            phase_floor=floor,
            min_poll=low,
            max_poll=high,
            host_kind=_host_kind(options.get("host_kind")),
            manage_pdc=_boolean(options, "manage_pdc", True),
            member_service=_boolean(options, "member_service", False),
            threshold_s=_seconds(options, "threshold_s", 1.0),
        )


OPTIONS = (
    "zone",
    "utc_offset_s",
    "time_sources",
    "keep_own_peers",
    "min_peers",
    "keep_max_phase",
    "phase_limit",
    "phase_floor",
    "min_poll",
    "max_poll",
    "host_kind",
    "manage_pdc",
    "member_service",
    "threshold_s",
)


def _peers(sources: t.Iterable[catalog.TimeSource]) -> tuple[str, ...]:
    peers: dict[str, str] = {}
    for source in sources:
        if not source.peer:
            continue
        if source.port != 123:
            raise OptionError(f"time_sources.{source.id}.port", source.port, "Windows Time asks port 123 only")
        peers.setdefault(source.host.lower(), source.host)
    if not peers:
        raise OptionError("time_sources", "[]", "at least one source needs peer: true")
    return tuple(peers.values())


def _host_kind(value: object) -> Kind | None:
    if value in (None, "", "auto"):
        return None
    if value not in _KINDS:
        raise OptionError("time.host_kind", value, f"use auto or one of {', '.join(_KINDS)}")
    return Kind(str(value))


def _boolean(options: Options, key: str, fallback: bool) -> bool:
    value = options.get(key)
    if value is None:
        return fallback
    if not isinstance(value, bool):
        raise OptionError(f"time.{key}", value, "give true or false")
    return value


def _optional_integer(options: Options, key: str, low: int, high: int) -> int | None:
    value = options.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise OptionError(f"time.{key}", value, f"give a whole number from {low} to {high}")
    return value


def _integer(options: Options, key: str, fallback: int, low: int, high: int) -> int:
    value = _optional_integer(options, key, low, high)
    return fallback if value is None else value


def _seconds(options: Options, key: str, fallback: float) -> float:
    value = options.get(key)
    if value is None:
        return fallback
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= 3600:
        raise OptionError(f"time.{key}", value, "give seconds, more than 0 and at most 3600")
    return float(value)
