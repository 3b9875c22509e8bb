# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DNS as the probes need it: raw questions to each resolver, past caches and the hosts file. Twin of Dns.cs.

A small client of its own rather than a library: the probe has to see what a library hides (several differing replies to
one question, the case of the name as it came back, every resolver apart), and on the wire both twins must do the same.
"""

from __future__ import annotations

import random
import selectors
import socket
import struct
import threading
import time
import typing as t

from ansible_collections.edefter.ready.plugins.module_utils.core import Data, Deadline, fault_from, make_fault
from ansible_collections.edefter.ready.plugins.module_utils.dns_message import (
    TYPES,
    Malformed,
    Reply,
    addresses_of,
    build_query,
    mixed_case,
    parse_reply,
)

MAX_OTHERS = 3
# Datagrams go out at these parts of the timeout: one lost packet must not look like a dead resolver.
RESEND_AT = (0.0, 0.2, 0.5)
# After the first reply the socket stays open for differing ones: at least LISTEN_MIN, at most LISTEN_MAX, and no longer
# than the target's other phases take, so that listening costs no time of its own.
LISTEN_MIN = 0.1
LISTEN_MAX = 0.5
_TICK = 0.03


def _ask_tcp(resolver: str, name: str, qtype: int, rng: random.Random, timeout: float, deadline: Deadline) -> Reply:
    end = time.monotonic() + deadline.clamp(timeout)
    ident = rng.getrandbits(16)
    message = build_query(name, qtype, ident)
    with socket.create_connection((resolver, 53), deadline.clamp(timeout)) as sock:
        sock.sendall(struct.pack("!H", len(message)) + message)
        raw = b""
        while len(raw) < 2 or len(raw) < 2 + struct.unpack_from("!H", raw)[0]:
            left = end - time.monotonic()
            if left <= 0:
                raise socket.timeout("timed out")
            sock.settimeout(left)
            part = sock.recv(8192)
            if not part:
                raise EOFError("closed within the reply")
            raw += part
        reply = parse_reply(raw[2 : 2 + struct.unpack_from("!H", raw)[0]], name, qtype, ident)
        if reply is None:
            raise Malformed("a reply to another question")
        return reply


class Query:
    """One question to one resolver, driven by `ask`."""

    def __init__(self, resolver: str, name: str, kind: str, rng: random.Random) -> None:
        self.resolver = resolver
        self.kind = kind
        self.name = mixed_case(name.rstrip("."), rng)
        self.sock: t.Optional[socket.socket] = None
        self.idents: t.List[int] = []
        self.first: t.Optional[Reply] = None
        self.first_at = 0.0
        self.seen: t.Dict[int, t.List[Reply]] = {}
        self.bad: t.Optional[Data] = None
        self.error: t.Optional[Data] = None
        self.elapsed: t.Optional[float] = None
        self.truncated = False

    def open(self) -> None:
        info = socket.getaddrinfo(self.resolver, 53, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST)[0]
        self.sock = socket.socket(info[0], socket.SOCK_DGRAM)
        self.sock.setblocking(False)
        self.sock.connect(info[4])

    def send(self, rng: random.Random) -> None:
        # An id of its own for each datagram: two honest answers to two datagrams (a round robin) are no injection.
        ident = rng.getrandbits(16)
        while ident in self.idents:
            ident = rng.getrandbits(16)
        self.idents.append(ident)
        if self.sock is not None:
            self.sock.send(build_query(self.name, TYPES[self.kind], ident))

    def take(self) -> bool:
        """Reads one datagram; True when it is the first usable reply."""
        message = b"" if self.sock is None else self.sock.recv(65535)
        for ident in self.idents:
            try:
                reply = parse_reply(message, self.name, TYPES[self.kind], ident)
            except Malformed as error:
                self.bad = make_fault("dns", "malformed", None, str(error))
                return False
            if reply is None:
                continue
            known = self.seen.setdefault(ident, [])
            if all(reply.identity() != other.identity() for other in known) and len(known) <= MAX_OTHERS:
                known.append(reply)
            if self.first is None:
                self.first = reply
                return True
            return False
        return False

    def close(self) -> None:
        if self.sock is not None:
            self.sock.close()
            self.sock = None

    def result(self) -> Data:
        most: t.List[Reply] = max(self.seen.values(), key=len, default=[])
        first = self.first
        if len(most) > 1 and first is not None and first not in most:
            first = most[0]
        return {
            "resolver": self.resolver,
            "type": self.kind,
            "rcode": None if first is None else first.rcode,
            "answers": [] if first is None else first.answers,
            "error": self.error if self.error is not None or first is not None else self.bad,
            "elapsed_ms": self.elapsed,
            "replies": len(most),
            "others": [{"rcode": r.rcode, "answers": r.answers} for r in most if r is not first][:MAX_OTHERS],
            "sent": len(self.idents),
            "truncated": self.truncated,
            "case_kept": None if first is None else first.case_kept,
        }


def ask(
    resolvers: t.Sequence[str],
    name: str,
    timeout: float,
    deadline: Deadline,
    rng: random.Random,
    found: t.Callable[[t.List[str]], None],
    others_done: t.Callable[[], bool],
) -> t.List[Data]:
    """Asks every resolver for A and AAAA at once, in one loop. Never raises for a fault of the network.

    found: told the addresses as each first reply comes. others_done: whether the target's other phases are over, so
    that listening for differing replies may end.
    """
    start = time.monotonic()
    cut = deadline.remaining < timeout
    limit = deadline.clamp(timeout)
    queries = [Query(resolver, name, kind, rng) for resolver in resolvers for kind in ("A", "AAAA")]
    selector = selectors.PollSelector()
    try:
        for query in queries:
            _guard(query, start, query.open)
            if query.sock is not None and query.error is None:
                selector.register(query.sock, selectors.EVENT_READ, query)
            else:
                query.close()
        answered = False
        while True:
            now = time.monotonic()
            open_ones = [q for q in queries if q.sock is not None]
            for query in open_ones:
                waiting = query.first is None
                if waiting and now - start >= limit:
                    if query.bad is None:
                        code = "deadline" if cut else "timeout"
                        if cut:
                            deadline.cut()
                        query.error = make_fault("dns", code, None, f"no reply to {len(query.idents)} datagrams")
                    query.elapsed = _ms(start)
                    _drop(selector, query)
                elif waiting and len(query.idents) < len(RESEND_AT):
                    # An error of the answer to the last datagram (port unreachable) surfaces here as well.
                    if now - start >= RESEND_AT[len(query.idents)] * limit:
                        _guard(query, start, query.send, rng)
                        if query.error is not None:
                            _drop(selector, query)
                elif not waiting:
                    age = now - query.first_at
                    if deadline.expired or age >= LISTEN_MAX or (age >= LISTEN_MIN and answered and others_done()):
                        _drop(selector, query)
            answered = answered or all(q.sock is None or q.first is not None for q in queries)
            if all(q.sock is None for q in queries):
                break
            for key, _events in selector.select(_until_next(queries, start, limit)):
                query = key.data
                if not _guard(query, start, query.take):
                    if query.error is not None:
                        _drop(selector, query)
                    continue
                query.first_at = time.monotonic()
                query.elapsed = _ms(start)
                query.truncated = query.first.truncated
                found(addresses_of(query.first.answers))
        _ask_again([q for q in queries if q.truncated], rng, start, limit, deadline, found)
    finally:
        for query in queries:
            query.close()
        selector.close()
    return [query.result() for query in queries]


def _until_next(queries: t.Iterable[Query], start: float, limit: float) -> float:
    """Seconds until something has to be done even if no datagram comes."""
    now = time.monotonic()
    wait = limit
    for query in queries:
        if query.sock is None:
            continue
        if query.first is not None:
            wait = min(wait, max(_TICK, query.first_at + LISTEN_MIN - now))
        elif len(query.idents) < len(RESEND_AT):
            wait = min(wait, start + RESEND_AT[len(query.idents)] * limit - now)
        else:
            wait = min(wait, start + limit - now)
    return max(0.001, wait)


def _ask_again(
    truncated: t.List[Query],
    rng: random.Random,
    start: float,
    limit: float,
    deadline: Deadline,
    found: t.Callable[[t.List[str]], None],
) -> None:
    """Whole answers over TCP for those that were cut off, all at once."""
    left = max(0.05, limit - (time.monotonic() - start))

    def retry(query: Query) -> None:
        reply = _ask_tcp(query.resolver, query.name, TYPES[query.kind], rng, left, deadline)
        query.seen = {0: [reply]}
        query.first = reply
        query.elapsed = _ms(start)
        found(addresses_of(reply.answers))

    threads = [threading.Thread(target=_guard, args=(q, start, retry, q), daemon=True) for q in truncated]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(left + 0.5)


def _guard(query: Query, start: float, call: t.Callable[..., t.Any], *args: t.Any) -> t.Any:
    """Runs call; a fault of the network goes into the query."""
    try:
        return call(*args)
    except BlockingIOError:
        return None
    except Malformed as error:
        query.error = make_fault("dns", "malformed", None, str(error))
    except (OSError, EOFError) as error:
        if query.first is not None and not query.truncated:
            # An ICMP error after a good answer: the answer counts.
            return None
        query.error = fault_from("dns", error)
    query.elapsed = _ms(start)
    return None


def _drop(selector: selectors.BaseSelector, query: Query) -> None:
    if query.sock is not None:
        selector.unregister(query.sock)
        query.close()


def _ms(start: float) -> float:
    return round((time.monotonic() - start) * 1000.0, 3)
