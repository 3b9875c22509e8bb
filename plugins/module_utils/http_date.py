# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Date header of an https server (RFC 9110 section 6.6.1) as a clock. Twin of HttpDate.cs.

Whole seconds, made sharp by requests that arrive just when the second is expected to turn. Reports what was sent, when,
and what came back; the control node judges.
"""

from __future__ import annotations

import calendar
import re
import socket
import ssl
import time
import typing as t

from ansible_collections.edefter.ready.plugins.module_utils.core import (
    Data,
    Deadline,
    bound,
    fault_from,
    iso_from_epoch,
    make_fault,
)
from ansible_collections.edefter.ready.plugins.module_utils.timebase import TICKS, Timeline

# Requests that count; the first one of a connection comes on top and only serves the aim.
REQUESTS = 6
ROUND = 3
# The last answer is due this long after the measurement began, so that all of it takes no more than three seconds…
BUDGET = 25 * TICKS // 10
# … but a line that is slow to connect still gets one turn of the second.
LEAST = 11 * TICKS // 10
# OpenSSL's X509_V_FLAG_NO_CHECK_TIME, for which Python's ssl has no name: the dates of certificates are not compared.
NO_CHECK_TIME = 0x200000

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DATE = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d\d) (" + "|".join(_MONTHS) + r") (\d{4}) (\d\d):(\d\d):(\d\d) GMT"
)


def date_ticks(text: str | None) -> int | None:
    """An IMF-fixdate in 100 ns since 1970; None: no such date. Only for aiming; the judge parses on its own."""
    match = _DATE.fullmatch(text or "")
    if match is None:
        return None
    day, month, year, hour, minute, second = match.groups()
    numbers = (int(year), _MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second), 0, 0, 0)
    return calendar.timegm(numbers) * TICKS


class Aim:
    """Where the turn of the server's second may lie, in ticks of (server minus host); narrowed by every answer."""

    def __init__(self) -> None:
        self.low: int | None = None
        self.high = 0

    @property
    def width(self) -> int | None:
        return None if self.low is None else self.high - self.low

    def narrow(self, date: int, sent_wall: int, elapsed: int) -> None:
        low, high = date - (sent_wall + elapsed), date + TICKS - sent_wall
        if self.low is not None:
            old_low, old_high = self.low, self.high
            # Contradiction: the clock was set, or the server repeats an old Date. Start again from this answer.
            if max(low, old_low) <= min(high, old_high):
                low, high = max(low, old_low), min(high, old_high)
        self.low, self.high = low, high

    def targets(self, count: int, earliest: int) -> list[int]:
        """Arrival times by the host's wall clock, after `earliest`, that cut the doubtful stretch into equal parts."""
        if self.low is None:
            raise AssertionError("asked before the first answer")
        step = (self.high - self.low) // (count + 1)
        phases = (-(self.low + step * j) for j in range(1, count + 1))
        return sorted(earliest + (phase - earliest) % TICKS for phase in phases)

    def doubtful(self, arrival: int) -> bool:
        """Whether the turn may still lie at this arrival time."""
        if self.low is None:
            raise AssertionError("asked before the first answer")
        offset = self.high - (arrival + self.high) % TICKS
        return offset > self.low


def parse_head(text: str) -> dict[str, str]:
    """Header fields by lower-case name (the first of each), the status line as :version and :status."""
    lines = text.split("\r\n")
    result = {}
    words = lines[0].split(" ")
    if len(words) >= 2 and words[0].startswith("HTTP/"):
        result[":version"], result[":status"] = words[0], words[1]
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if name and colon:
            result.setdefault(name.lower(), value.strip(" \t"))
    return result


def _safe(text: str) -> bool:
    return bool(text) and all(" " < c <= "~" for c in text)


class Client:
    """Asks one https server several times."""

    def __init__(self, timeline: Timeline, deadline: Deadline, host: str, port: int, path: str, timeout: float) -> None:
        self._timeline = timeline
        self._deadline = deadline
        self._host = host
        self._port = port
        self._timeout = timeout
        name = host if port == 443 else f"{host}:{port}"
        target = path if _safe(path) else "/"
        self._request = (
            f"HEAD {target} HTTP/1.1\r\nHost: {name}\r\nUser-Agent: edefter-ready\r\nAccept: */*\r\n"
            "Cache-Control: no-cache\r\nConnection: keep-alive\r\n\r\n"
        ).encode("ascii", "replace")
        self._aim = Aim()
        self._line: ssl.SSLSocket | None = None
        self._fresh = False
        self._connections = 0
        self._round_trip: int | None = None
        self._context: ssl.SSLContext | None = None
        self._phase = "tcp"
        self.answers: list[Data] = []
        self.certificate: Data | None = None
        self.error: Data | None = None
        self.family = 0
        self.address: str | None = None

    def measure(self, addresses: t.Sequence[tuple[int, str]]) -> None:
        """Runs the whole series against the first address that connects; `error` says why it ended early."""
        if not _safe(self._host):
            self.error = make_fault("http", "bad_host", None, "the host name holds characters that no name has")
            return
        try:
            for family, address in addresses:
                self.family, self.address = family, address
                try:
                    self._open()
                    self.error = None
                    break
                except OSError as error:
                    if self._phase != "tcp":
                        raise
                    self.error = fault_from("tcp", error)
                if self._deadline.expired:
                    break
            if self._line is not None:
                self._series()
        except ssl.SSLCertVerificationError as error:
            self.error = make_fault("tls", "untrusted", error.verify_code, str(error.verify_message))
        except (OSError, EOFError, ValueError) as error:
            self.error = fault_from(self._phase, error)
        finally:
            self._drop()

    def _series(self) -> None:
        self._ask()
        last = max(BUDGET - (self._round_trip or 0), self._timeline.mono + LEAST)
        used = 0
        while used < REQUESTS and self._worthwhile():
            if self._line is None:
                self._open()
            now = self._timeline.after()
            half = (self._round_trip or 0) // 2
            asked = 0
            for arrival in self._aim.targets(min(ROUND, REQUESTS - used), now.wall + half + 20000):
                if asked and not self._aim.doubtful(arrival):
                    continue
                if self._line is None:
                    self._open()
                when = now.mono + (arrival - half - now.wall)
                if when > last:
                    break
                if not self._timeline.pause_until(when, self._deadline):
                    self._deadline.cut()
                    self.error = make_fault("http", "deadline", None, "the overall deadline ended the requests")
                    return
                if not self._ask():
                    return
                asked += 1
                used += 1
            if asked == 0:
                break

    def _worthwhile(self) -> bool:
        width, trip = self._aim.width, self._round_trip or 0
        return width is not None and width > trip + trip // 5 + 20000

    def _open(self) -> None:
        self._drop()
        self._connections += 1
        if self._connections > REQUESTS + 3:
            raise EOFError("the server closes every connection")
        self._phase = "tcp"
        raw = socket.socket(self.family, socket.SOCK_STREAM)
        try:
            raw.settimeout(self._deadline.clamp(self._timeout))
            raw.connect((self.address, self._port))
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._phase = "tls"
            if self._context is None:
                self._context = ssl.create_default_context()
                # A clock that is years off makes every certificate look expired or not yet valid. Nothing but that is
                # forgiven, nothing that would need protection is sent, and the control node takes the Date only when it
                # lies within the certificate's own dates.
                # Python 3.13 became stricter than Windows and browsers are (it wants an authority key identifier);
                # whether a source is trusted must not hang on the interpreter.
                strict = int(getattr(ssl, "VERIFY_X509_STRICT", 0))
                flags = int(self._context.verify_flags) & ~strict | NO_CHECK_TIME
                self._context.verify_flags = flags  # type: ignore[assignment]
            self._line = self._context.wrap_socket(raw, server_hostname=self._host)
        except BaseException:
            raw.close()
            raise
        self._describe(self._line)
        self._phase = "http"
        self._fresh = True

    def _describe(self, line: ssl.SSLSocket) -> None:
        peer = line.getpeercert() or {}
        begin = ssl.cert_time_to_seconds(str(peer["notBefore"]))
        end = ssl.cert_time_to_seconds(str(peer["notAfter"]))
        names = [f"{key}={value}" for part in peer.get("issuer", ()) for key, value in part]
        self.certificate = {
            "not_before": iso_from_epoch(begin),
            "not_after": iso_from_epoch(end),
            "issuer": bound(", ".join(names), 300),
            "problems": [] if begin <= time.time() <= end else ["time"],
        }

    def _drop(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None

    def _ask(self) -> bool:
        """One request and its answer's head. False: the answer cannot be used, nor the line."""
        if self._line is None:
            raise AssertionError("asked without a line")
        first, self._fresh = self._fresh, False
        self._line.settimeout(self._deadline.clamp(self._timeout))
        sent = self._timeline.before()
        self._line.sendall(self._request)
        data = self._line.recv(16384)
        received = self._timeline.after()
        while data and b"\r\n\r\n" not in data and len(data) < 16384:
            more = self._line.recv(16384 - len(data))
            if not more:
                break
            data += more
        head_bytes, blank, rest = data.partition(b"\r\n\r\n")
        if not blank:
            self.error = make_fault("http", "bad_answer", None, "the connection ended before the answer's head did")
            self._drop()
            return False
        head = parse_head(head_bytes.decode("ascii", "replace"))
        status = head.get(":status", "")
        elapsed = received.mono - sent.mono
        answer: Data = {
            "t1": str(sent.wall),
            "mono": sent.mono,
            "elapsed": elapsed,
            "wall_elapsed": str(received.wall - sent.wall),
            "first": first,
            "status": int(status) if re.fullmatch(r"[1-9]\d\d", status, re.ASCII) else None,
        }
        for name in ("date", "age", "via", "server", "x-cache"):
            answer[name.replace("-", "_")] = bound(head.get(name), 120)
        self.answers.append(answer)
        if not first or self._round_trip is None:
            self._round_trip = elapsed if self._round_trip is None else min(self._round_trip, elapsed)
        date = date_ticks(head.get("date"))
        if date is not None:
            self._aim.narrow(date, sent.wall, elapsed)
        connection = head.get("connection", "").lower()
        closes = "close" in connection or (head.get(":version") == "HTTP/1.0" and "keep-alive" not in connection)
        if closes or rest:
            self._drop()
        return True
