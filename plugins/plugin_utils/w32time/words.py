# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What W32Time's values mean: peers and their flags, service triggers, polls, and which of two values is in force.

Pure. Sources: Microsoft, "Windows Time service tools and settings"; KB2385818 (start on a workgroup PC); winsvc.h.
"""

from __future__ import annotations

import dataclasses
import enum
import re
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils.observation.time import Group, TimeObservation, Trigger

SPECIAL_INTERVAL = 0x1
FALLBACK = 0x2
SYMMETRIC = 0x4
CLIENT = 0x8
MAX_PEERS = 64
CLAMPED_SINCE = 15063
"""Build (Windows 10 1703) since which SpecialPollInterval is kept within 2^MinPollInterval .. 2^MaxPollInterval."""
SEEDING_OFF_SINCE = 26100
"""Build (Server 2025) since which Secure Time Seeding is off on servers unless switched on."""
SEEDING_SINCE = 14393

TYPES = ("NTP", "NT5DS", "AllSync", "NoSync")
# winsvc.h, SERVICE_TRIGGER_TYPE_*: a network address came or went; a domain was joined or left.
_NETWORK, _DOMAIN = 2, 3
_START, _STOP = 1, 2

_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._:%-]{0,252}[A-Za-z0-9_])?|[0-9A-Fa-f:]{2,39}")
_FLAGS = re.compile(r"0[xX][0-9A-Fa-f]{1,8}|[0-9]{1,3}")


@dataclasses.dataclass(frozen=True)
class Peer:
    """One element of NtpServer. flags: None when they are not a number, then W32Time's behaviour is anybody's guess."""

    host: str
    flags: int | None

    @property
    def usable(self) -> bool:
        """Asked as a plain client: mode 3, not symmetric."""
        return self.flags is not None and bool(self.flags & CLIENT) and not self.flags & SYMMETRIC


def parse_peers(text: str | None) -> tuple[Peer, ...]:
    """NtpServer's list, elements separated by white space. What cannot be a host name is left out."""
    peers = []
    for element in (text or "").split()[:MAX_PEERS]:
        host, comma, flags = element.partition(",")
        host = host.rstrip(".")
        if not _HOST.fullmatch(host):
            continue
        number: int | None = 0
        if comma:
            number = int(flags, 0 if flags[:2].lower() == "0x" else 10) if _FLAGS.fullmatch(flags) else None
        peers.append(Peer(host, number))
    return tuple(peers)


def same_peers(peers: t.Iterable[Peer], wanted: t.Iterable[str]) -> bool:
    """Exactly the wanted hosts, every one with flag 0x8 alone; the order does not matter, nor the case."""
    return sorted((p.host.lower(), p.flags) for p in peers) == sorted((host.lower(), CLIENT) for host in wanted)


class Starts(enum.Enum):
    """What the triggers do on a machine that is in no domain."""

    NETWORK = "network"
    """A network address starts the service; nothing stops it for want of a domain."""
    NONE = "none"
    """No trigger at all: the start mode decides alone."""
    DOMAIN = "domain"
    """Windows' default: only a domain starts it, and without one it is stopped again after boot."""


def starts(triggers: t.Sequence[Trigger]) -> Starts:
    """Reads the triggers of the service key."""
    if not triggers:
        return Starts.NONE
    network = any(x.type == _NETWORK and x.action == _START for x in triggers)
    stopped = any(x.type == _DOMAIN and x.action == _STOP for x in triggers)
    return Starts.NETWORK if network and not stopped else Starts.DOMAIN


@dataclasses.dataclass(frozen=True)
class Text:
    """A text value in force. ruled: it comes from a policy, the local twin does not count."""

    value: str | None
    ruled: bool


@dataclasses.dataclass(frozen=True)
class Number:
    """A number in force. ruled: it comes from a policy, the local twin does not count."""

    value: int | None
    ruled: bool


_NOTHING = Group()


class InForce:
    """The values in force: a policy's value before the local one."""

    def __init__(self, observed: TimeObservation) -> None:
        self._settings = observed.settings
        self._policies = observed.policies

    def _pair(self, name: str) -> tuple[Group, Group]:
        policy = getattr(self._policies, name, _NOTHING) if self._policies else _NOTHING
        local = getattr(self._settings, name, _NOTHING) if self._settings else _NOTHING
        return policy, local

    def parameter(self, name: str) -> Text:
        """Type or NtpServer. Policy writes them below Parameters; a copy below NtpClient is taken as meant the same.

        The two belong together: where a policy sets one of them, the other is its owner's to set as well.
        """
        policy, local = self._pair("parameters")
        client = self._policies.ntp_client if self._policies else _NOTHING
        value = policy.text(name) or client.text(name)
        if value is not None:
            return Text(value, True)
        ruled = any(group.text(other) for group in (policy, client) for other in ("Type", "NtpServer"))
        return Text(local.text(name), ruled)

    def number(self, group: str, name: str) -> Number:
        """A value of `config`, `ntp_client`, `ntp_server` or (never ruled) `vmic`."""
        policy, local = self._pair(group)
        value = policy.number(name)
        return Number(local.number(name), False) if value is None else Number(value, True)

    @property
    def ruled(self) -> tuple[str, ...]:
        """The names of all values that a policy sets, as `Key\\Value`."""
        if self._policies is None:
            return ()
        groups = (
            ("Parameters", self._policies.parameters),
            ("Config", self._policies.config),
            ("NtpClient", self._policies.ntp_client),
            ("NtpServer", self._policies.ntp_server),
        )
        return tuple(f"{key}\\{name}" for key, group in groups for name in (*group.texts, *group.numbers))


def longest_poll_s(
    peers: t.Iterable[Peer], low: int | None, high: int | None, special: int | None, build: int | None
) -> int | None:
    """The longest time between two questions, in seconds; None when the values do not tell.

    A peer with flag 0x1 is asked every `special` seconds (which newer Windows keeps within the other two), others at
    most every 2^high.
    """
    if high is None:
        return None
    bound = 2 ** min(high, 17)
    longest = 0
    for peer in peers:
        if not (peer.flags or 0) & SPECIAL_INTERVAL:
            longest = max(longest, bound)
            continue
        if special is None:
            return None
        clamped = build is None or build >= CLAMPED_SINCE
        longest = max(longest, min(max(special, 2 ** min(low or 0, 17)), bound) if clamped else special)
    return longest or bound


def seeding_on(value: int | None, build: int | None, server: bool) -> bool | None:
    """Whether Secure Time Seeding (UtilizeSslTimeData) works; None when the build is needed and not known."""
    if value is not None:
        return value != 0
    if build is None:
        return None
    return build >= SEEDING_SINCE and not (server and build >= SEEDING_OFF_SINCE)
