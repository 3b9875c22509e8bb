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
from ansible_collections.edefter.ready.plugins.plugin_utils.option_reader import OptionReader, defaults

MAX_PHASE = 0xFFFFFFFF
"""W32Time: correct however large the error is."""
TURKEY = "Turkey Standard Time"
TURKEY_OFFSET = 10800
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
    utc_offset_s: int | None = TURKEY_OFFSET
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
        # (The offset's default is the zone's.)
        own = {"time_sources": None, "utc_offset_s": None, "host_kind": "auto"}
        given = OptionReader("time", options, {**defaults(cls), **own})
        if sources is None:
            sources = catalog.time_sources(given["time_sources"])
        peers = _peers(sources)
        zone = given.text("zone", _ZONE, "give a Windows zone id as `tzutil /l` prints it")
        if zone.endswith("_dstoff"):
            raise given.refused("zone", "give it without _dstoff: the clock follows the zone's own daylight saving")
        keep_max = given.boolean("keep_max_phase")
        if keep_max and len(peers) < MIN_PEERS_FOR_MAX:
            raise given.refused("keep_max_phase", f"open limits need {MIN_PEERS_FOR_MAX} peers that check each other")
        low, high = (given.optional_integer(key, 4, 17) for key in ("min_poll", "max_poll"))
        if low is not None and high is not None and low > high:
            raise given.refused("min_poll", "it cannot exceed max_poll")
        floor, limit = (given.integer(key, 1, MAX_PHASE) for key in ("phase_floor", "phase_limit"))
        if limit < floor:
            raise given.refused("phase_limit", f"it must be at least phase_floor ({floor})")
        offset = given.optional_integer("utc_offset_s", -50400, 50400, "seconds east of UTC")
        kind = given.choice("host_kind", ("auto", *_KINDS))
        return cls(
            peers=peers,
            zone=zone,
            utc_offset_s=TURKEY_OFFSET if offset is None and zone == TURKEY else offset,
            keep_own_peers=given.boolean("keep_own_peers"),
            min_peers=given.integer("min_peers", 1, 16),
            keep_max_phase=keep_max,
            phase_limit=limit,
            phase_floor=floor,
            min_poll=low,
            max_poll=high,
            host_kind=None if kind == "auto" else Kind(kind),
            manage_pdc=given.boolean("manage_pdc"),
            member_service=given.boolean("member_service"),
            threshold_s=given.number("threshold_s", 0.001, 3600, "seconds"),
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
