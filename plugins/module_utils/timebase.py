# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the clock's sources share: both clocks read together, names turned into addresses. Twin of Timebase.cs."""

from __future__ import annotations

import ipaddress
import select
import socket
import threading
import time
import typing as t

from ansible_collections.edefter.ready.plugins.module_utils.core import Deadline

TICKS = 10_000_000  # 100 ns, the unit of all wall and monotonic times here


class Instant(t.NamedTuple):
    """Both clocks at one moment, in 100 ns: wall since 1970 UTC, mono since the timeline began."""

    wall: int
    mono: int


class Timeline:
    """Reads the wall clock beside the monotonic one, so that a wall clock that is set meanwhile is noticed."""

    def __init__(self) -> None:
        self._origin = time.monotonic_ns()

    @property
    def mono(self) -> int:
        return (time.monotonic_ns() - self._origin) // 100

    def before(self) -> Instant:
        """For the moment before a request leaves: mono is read no later than wall."""
        for _attempt in range(4):
            mono = time.monotonic_ns()
            wall = time.time_ns()
            # A thread put aside between the readings would look like a stepped clock: read again, a few times at most.
            if time.monotonic_ns() - mono < 50_000:
                break
        return Instant(wall // 100, (mono - self._origin) // 100)

    def after(self) -> Instant:
        """For the moment after an answer came: mono is read no earlier than wall."""
        wall = time.time_ns()
        mono = time.monotonic_ns()
        return Instant(wall // 100, -((self._origin - mono) // 100))

    def pause_until(self, mono: int, deadline: Deadline) -> bool:
        """Sleeps until the timeline reaches mono; False when the deadline comes first."""
        while True:
            left = (mono - self.mono) / TICKS
            if left <= 0:
                return True
            if deadline.expired:
                return False
            # Not time.sleep: it waits for an absolute time of a clock, which a faked clock (tests) breaks.
            select.select([], [], [], deadline.clamp(left))


def resolve(host: str, port: int, wait: float) -> list[tuple[int, str]]:
    """(address family, address) of a name within `wait` seconds, in the resolver's order, at most 16.

    Raises socket.gaierror or TimeoutError. getaddrinfo knows no time limit: it gets a thread that may be left behind.
    """
    try:
        literal = ipaddress.ip_address(host)
    except ValueError:
        pass
    else:
        return [(socket.AF_INET if literal.version == 4 else socket.AF_INET6, host)]
    box: list[t.Any] = []

    def work() -> None:
        try:
            box.append(socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM))
        except (OSError, UnicodeError) as error:
            box.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(wait)
    if not box:
        raise TimeoutError(f"no answer to the name query within {wait:.1f} s")
    if isinstance(box[0], Exception):
        raise box[0]
    found: dict[tuple[int, str], None] = {}
    for family, _kind, _protocol, _name, address in box[0]:
        if family in (socket.AF_INET, socket.AF_INET6):
            found[(int(family), str(address[0]))] = None
    if not found:
        raise socket.gaierror(getattr(socket, "EAI_NODATA", -5), "the name has no address")
    return list(found)[:16]


def is_lan(address: str) -> bool:
    """An address of the site's own network: RFC 1918, RFC 4193 and link-local ones. Loopback is not one."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(ip, "ipv4_mapped", None)
    ip = mapped or ip
    networks = _LAN4 if ip.version == 4 else _LAN6
    return any(ip in network for network in networks)


_LAN4 = [ipaddress.ip_network(n) for n in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16")]
_LAN6 = [ipaddress.ip_network(n) for n in ("fc00::/7", "fe80::/10")]
