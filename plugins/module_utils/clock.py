# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Section `clock`: this host's clock against several sources, all asked side by side. Twin of Clock.cs.

Times are in 100 ns: `t1`, `wall_*` since 1970 UTC as text (they pass 2^53), `mono`, `delay`, `elapsed` as numbers.
"""

from __future__ import annotations

import copy
import ctypes
import random
import threading
import typing as t

from ansible_collections.edefter.ready.plugins.module_utils import http_date, sntp
from ansible_collections.edefter.ready.plugins.module_utils.core import Data, Deadline, fault_from
from ansible_collections.edefter.ready.plugins.module_utils.timebase import TICKS, Timeline, is_lan, resolve

MAX_SOURCES = 32
# What one server grants one address at once: chrony's default rate limit is a burst of 8; one is left for others.
BURST = 7
# An answer that takes longer bounds the offset too loosely to be of use.
LONGEST_WAIT_S = 1.0
LAN_WAIT_S = 0.25


class LanFirst:
    """Lets the site's own time server go first: when it answers, each public one is asked only once."""

    def __init__(self, sources: int) -> None:
        self._condition = threading.Condition()
        self._unresolved = sources
        self._pending = 0
        self._good = False

    def resolved(self, lan: bool) -> None:
        with self._condition:
            self._unresolved -= 1
            self._pending += lan
            self._condition.notify_all()

    def answered(self) -> None:
        with self._condition:
            self._good = True
            self._condition.notify_all()

    def done(self) -> None:
        with self._condition:
            self._pending -= 1
            self._condition.notify_all()

    def wait(self, seconds: float) -> bool:
        """For a public source: waits shortly for the LAN sources; True when one of them has answered."""
        with self._condition:
            self._condition.wait_for(lambda: self._good or not (self._unresolved or self._pending), seconds)
            return self._good


def share(source: int, samples: int, neighbours: int, place: int) -> int:
    """Requests that host number `place` of the `neighbours` behind one address may send to a public source."""
    if neighbours <= 1:
        return min(samples, BURST)
    return min(samples, sum((source * BURST + k) % neighbours == place % neighbours for k in range(BURST)))


class _Timex(ctypes.Structure):
    # struct timex of adjtimex(2); only the first fields are read, the rest is room for the kernel to write into.
    _fields_: t.ClassVar = [
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("room", ctypes.c_long * 32),
    ]


def kernel() -> Data | None:
    """What the kernel knows of its clock (adjtimex, read only): {"synchronised", "max_error": s}; None: nothing."""
    try:
        record = _Timex()
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(record))
    except (OSError, AttributeError):
        return None
    if state < 0:
        return None
    # TIME_ERROR is 5, STA_UNSYNC 0x40: nobody disciplines this clock.
    synchronised = state != 5 and not record.status & 0x40
    return {"synchronised": synchronised, "max_error": round(record.maxerror / 1e6, 6)}


def _begin(source: Data) -> Data:
    ntp = source.get("kind") != "https"
    result: Data = {
        "id": source["id"],
        "host": source["host"],
        "port": source.get("port") or (123 if ntp else 443),
        "kind": "ntp" if ntp else "https",
        "operator": source.get("operator") or source["host"],
        "addresses": [],
        "address": None,
        "lan": False,
        "error": None,
        "skipped": None,
    }
    if ntp:
        result.update(sent=0, stray=0, kiss=None, samples=[])
    else:
        result.update(certificate=None, requests=[])
    return result


class _Run:
    """One run over all sources."""

    def __init__(self, options: Data, deadline: Deadline) -> None:
        self.deadline = deadline
        self.timeline = Timeline()
        self.sources: list[Data] = list(options.get("time_sources") or [])
        if len(self.sources) > MAX_SOURCES:
            raise ValueError(f"more than {MAX_SOURCES} time sources")
        self.rng = random.Random(options.get("seed"))
        self.timeout = max(0.05, float(options.get("timeout") or 5.0))
        self.samples = max(1, min(16, int(options.get("samples") or 4)))
        interval = options.get("sample_interval")
        self.interval = max(0.0, min(64.0, 0.4 if interval is None else float(interval)))
        self.neighbours = int(options.get("neighbours") or 1)
        self.place = max(0, int(options.get("place") or 0))
        self.gate = LanFirst(len(self.sources))

    def collect(self) -> Data:
        if any(source.get("kind") != "https" for source in self.sources) and sntp.NTPLIB_ERROR is not None:
            raise RuntimeError("the Python library ntplib is missing: pip install ntplib") from sntp.NTPLIB_ERROR
        start = self.timeline.before()
        results = [_begin(source) for source in self.sources]
        order = list(range(len(self.sources)))
        self.rng.shuffle(order)
        places: dict[int, int] = {}
        for index, result in enumerate(results):
            if result["kind"] == "ntp":
                places[index] = len(places)
        threads = []
        for index in order:
            rng = random.Random(self.rng.random())
            args = (results[index], places.get(index, -1), self.sources[index], rng)
            thread = threading.Thread(target=self._one, args=args, daemon=True)
            thread.start()
            threads.append(thread)
        # One end for all: what is stuck is left behind, and what the others found is handed over in time.
        last = self.timeline.mono + int((self.deadline.remaining + 0.5) * TICKS)
        for thread in threads:
            thread.join(max(0, last - self.timeline.mono) / TICKS)
            if thread.is_alive():
                self.deadline.cut()
        end = self.timeline.after()
        return {
            "wall_start": str(start.wall),
            "mono_start": start.mono,
            "wall_end": str(end.wall),
            "mono_end": end.mono,
            "kernel": kernel(),
            # Threads that were left behind may still write into theirs.
            "sources": copy.deepcopy(results),
        }

    def _one(self, result: Data, place: int, source: Data, rng: random.Random) -> None:
        lan: bool | None = None
        try:
            try:
                addresses = resolve(result["host"], result["port"], self.deadline.clamp(self.timeout))
            except (OSError, UnicodeError) as error:
                if self.deadline.expired:
                    self.deadline.cut()
                result["error"] = fault_from("dns", error)
                return
            lan = is_lan(addresses[0][1])
            result.update(addresses=[address for _family, address in addresses], address=addresses[0][1], lan=lan)
            self.gate.resolved(lan and result["kind"] == "ntp")
            if result["kind"] == "https":
                lan = False
                self._date(result, addresses, source.get("path") or "/")
            else:
                self._ntp(result, place, addresses, lan, rng)
        except Exception as error:  # one source must not take the others along
            result["error"] = fault_from("clock", error)
        finally:
            if lan is None:
                self.gate.resolved(False)
            elif lan:
                self.gate.done()

    def _date(self, result: Data, addresses: list[tuple[int, str]], path: str) -> None:
        port = result["port"]
        client = http_date.Client(self.timeline, self.deadline, result["host"], port, path, self.timeout)
        client.measure(addresses)
        result.update(
            address=client.address, requests=client.answers, certificate=client.certificate, error=client.error
        )

    def _ntp(self, result: Data, place: int, addresses: list[tuple[int, str]], lan: bool, rng: random.Random) -> None:
        limit = self.samples
        if not lan:
            limit = share(place, limit, self.neighbours, self.place)
            if self.gate.wait(LAN_WAIT_S):
                limit = min(1, limit)
            if limit == 0:
                result["skipped"] = "neighbours"
                return
            # Machines started by the same play must not all knock in the same millisecond.
            self.timeline.pause_until(self.timeline.mono + int(rng.random() * 0.1 * TICKS), self.deadline)
        # Many machines of one branch: spread over the addresses of a pool, the resolver's preferred family first.
        tries = [entry for entry in addresses if entry[0] == addresses[0][0]]
        rng.shuffle(tries)
        tries += [entry for entry in addresses if entry[0] != addresses[0][0]]
        wait = int(min(self.timeout, LONGEST_WAIT_S) * TICKS)
        sent = 0
        for number, (family, address) in enumerate(tries[:2]):
            client = sntp.Client(self.timeline, self.deadline, rng, self.gate.answered if lan else lambda: None)
            # With an address to spare, one lost request is enough to move on.
            patience = 1 if number == 0 and len(tries) > 1 else 2
            plan = sntp.Plan(limit - sent, int(self.interval * TICKS), wait, patience)
            answered = client.measure(family, address, result["port"], plan)
            sent += client.sent
            result.update(
                address=address,
                sent=sent,
                stray=client.stray,
                kiss=client.kiss,
                samples=client.samples,
                error=client.error,
            )
            if answered or sent >= limit:
                return


def collect(options: Data, deadline: Deadline) -> Data:
    """The same keys as Clock.cs; only here `kernel` is filled. options: docs/contracts.md."""
    return _Run(options, deadline).collect()
