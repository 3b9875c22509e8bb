# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SNTP client (RFC 5905 sections 7.3 and 14, RFC 4330). Sends, receives, reports fields. Twin of Sntp.cs.

ntplib knows the packet. The socket is our own: ntplib checks neither the echoed cookie nor that an answer belongs to
the request, measures the delay with the clock that is being judged, and its float timestamps round a 64-bit cookie.
"""

from __future__ import annotations

import os
import random
import select
import socket
import typing as t

from ansible_collections.edefter.ready.plugins.module_utils.core import Data, Deadline, fault_from, make_fault
from ansible_collections.edefter.ready.plugins.module_utils.timebase import TICKS, Timeline

try:
    import ntplib
except ImportError as error:
    ntplib = None
    NTPLIB_ERROR: t.Optional[ImportError] = error
else:
    NTPLIB_ERROR = None

SIZE = 48
MAX_STRAY = 64


def request(cookie: bytes) -> bytes:
    """A client request that tells nothing of this machine: version 4, mode 3, a random cookie as transmit timestamp."""
    return ntplib.NTPPacket(version=4, mode=3, tx_timestamp=0).to_data()[:40] + cookie


def answers(packet: bytes, cookie: bytes) -> bool:
    """An answer to the request with this cookie: long enough, mode server, cookie echoed as origin timestamp."""
    return len(packet) >= SIZE and packet[0] & 7 == 4 and packet[24:32] == cookie


def kiss(packet: bytes) -> str | None:
    """The kiss code of a stratum 0 answer ("RATE", "DENY", …; "" when it is not text); None for other answers."""
    if packet[1] != 0:
        return None
    code = packet[12:16].replace(b"\0", b"")
    return code.decode("ascii") if all(0x21 <= c <= 0x7E for c in code) else ""


def fields(packet: bytes) -> Data:
    """Header fields as numbers, 64-bit timestamps as 16 hex digits."""
    header = ntplib.NTPPacket()
    header.from_data(packet[:SIZE])
    return {
        "leap": header.leap,
        "version": header.version,
        "mode": header.mode,
        "stratum": header.stratum,
        "poll": int.from_bytes(packet[2:3], "big", signed=True),
        "precision": header.precision,
        "root_delay": int.from_bytes(packet[4:8], "big"),
        "root_dispersion": int.from_bytes(packet[8:12], "big"),
        "refid": packet[12:16].hex(),
        "reference": packet[16:24].hex(),
        "receive": packet[32:40].hex(),
        "transmit": packet[40:48].hex(),
    }


class Plan(t.NamedTuple):
    """How one source is sampled: most requests, ticks between two, ticks to wait, lost ones in a row that end it."""

    samples: int
    interval: int
    wait: int
    patience: int


class Client:
    """Samples one server over one socket (an ephemeral port); stops as soon as more would be of no use or unwelcome."""

    def __init__(
        self,
        timeline: Timeline,
        deadline: Deadline,
        rng: random.Random,
        on_answer: t.Callable[[], None] = lambda: None,
    ) -> None:
        self._on_answer = on_answer
        self._timeline = timeline
        self._deadline = deadline
        self._rng = rng
        self._delays: list[int] = []
        self.samples: list[Data] = []
        self.sent = 0
        self.stray = 0
        self.kiss: str | None = None
        self.error: Data | None = None

    def measure(self, family: int, address: str, port: int, plan: Plan) -> bool:
        """Samples the address. True when an answer came; `error` says what became of the last unanswered request."""
        silent = 0
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as sock:
                # Connected: the system drops datagrams of others and passes on "port unreachable".
                sock.connect((address, port))
                sock.setblocking(False)
                due = self._timeline.mono
                while self.sent < plan.samples:
                    if not self._timeline.pause_until(due, self._deadline):
                        self._cut()
                        break
                    answered = self._once(sock, plan.wait)
                    if self.kiss is not None:
                        break
                    silent = 0 if answered else silent + 1
                    if silent >= plan.patience or (answered and self._settled()):
                        break
                    if self._deadline.expired:
                        self._cut()
                        break
                    due = self._timeline.mono + int(plan.interval * (0.75 + 0.5 * self._rng.random()))
        except OSError as error:
            self.error = fault_from("ntp", error)
        return bool(self.samples)

    def _settled(self) -> bool:
        """Two samples with about the same delay show an idle path: a third would tell nothing new."""
        if len(self._delays) < 2:
            return False
        self._delays.sort()
        return self._delays[1] - self._delays[0] <= max(2 * TICKS // 1000, self._delays[0] // 8)

    def _cut(self) -> None:
        self._deadline.cut()
        self.error = make_fault("ntp", "deadline", None, "the overall deadline ended the sampling")

    def _once(self, sock: socket.socket, wait: int) -> bool:
        cookie = os.urandom(8)
        packet = request(cookie)
        sent = self._timeline.before()
        self.sent += 1
        sock.send(packet)
        while True:
            left = min((wait - (self._timeline.mono - sent.mono)) / TICKS, self._deadline.remaining)
            if left <= 0:
                if self._deadline.expired:
                    self._deadline.cut()
                self.error = make_fault("ntp", "timeout", None, "no answer")
                return False
            if not select.select([sock], [], [], left)[0]:
                continue
            reply = sock.recv(1024)
            received = self._timeline.after()
            if not answers(reply, cookie):
                # A late answer to an earlier request, or somebody's guess: never used. A flood must not keep us.
                self.stray += 1
                if self.stray > MAX_STRAY:
                    self.error = make_fault("ntp", "stray_answers", None, "too many datagrams that answer no request")
                    return False
                continue
            sample = fields(reply)
            sample["t1"] = str(sent.wall)
            sample["mono"] = sent.mono
            sample["delay"] = received.mono - sent.mono
            sample["wall_delay"] = str(received.wall - sent.wall)
            self.samples.append(sample)
            self._delays.append(received.mono - sent.mono)
            self.kiss = kiss(reply)
            self.error = None
            if self.kiss is None:
                self._on_answer()
            return True
