# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DNS as the probes need it: raw questions to each resolver (RFC 1035), past caches and the hosts file. Twin of Dns.cs.

A small client of its own rather than a library: the probe has to see what a library hides (several differing replies to one
question, the case of the name as it came back, every resolver apart), and on the wire both twins must do the same.
"""

from __future__ import annotations

import random
import selectors
import socket
import struct
import time
import typing as t

from ansible_collections.edefter.ready.plugins.module_utils.core import Data, Deadline, bound, fault_from, make_fault

TYPES = {"A": 1, "AAAA": 28}
RESOLV_CONF = "/etc/resolv.conf"
HOSTS = "/etc/hosts"
MAX_RESOLVERS = 8
MAX_ANSWERS = 32
MAX_OTHERS = 3
MAX_FILE = 1 << 20
# Datagrams go out at these parts of the timeout: one lost packet must not look like a dead resolver.
RESEND_AT = (0.0, 0.2, 0.5)
# After the first reply the socket stays open for differing ones: at least LISTEN_MIN, at most LISTEN_MAX, and no longer than the
# target's other phases take, so that listening costs no time of its own.
LISTEN_MIN = 0.15
LISTEN_MAX = 0.5
_TICK = 0.02


class Malformed(ValueError):
    """A reply to our question that cannot be read."""


class Reply(t.NamedTuple):
    """One reply that answers our question."""

    rcode: int
    truncated: bool
    case_kept: bool
    answers: t.List[Data]

    def identity(self) -> t.Tuple[t.Any, ...]:
        """What makes two replies differ: not the order and not the TTL."""
        return self.rcode, tuple(sorted((a["type"], a["data"]) for a in self.answers))


def mixed_case(name: str, rng: random.Random) -> str:
    """The name in random case (draft-vixie-dnsext-dns0x20): whoever answers blindly does not echo it."""
    return "".join(c.upper() if rng.getrandbits(1) else c.lower() for c in name)


def encode_name(name: str) -> bytes:
    """Wire form of a host name. Raises Malformed for an empty or over-long label."""
    out = b""
    for label in name.rstrip(".").split("."):
        try:
            raw = label.encode("ascii")
        except UnicodeEncodeError as error:
            raise Malformed("a label that is not ASCII") from error
        if not 1 <= len(raw) <= 63:
            raise Malformed(f"a label of {len(raw)} bytes")
        out += bytes([len(raw)]) + raw
    if len(out) > 254:
        raise Malformed("a name of more than 255 bytes")
    return out + b"\0"


def build_query(name: str, qtype: int, ident: int) -> bytes:
    """One question, recursion desired, no EDNS: what the oldest branch router understands."""
    return struct.pack("!6H", ident, 0x0100, 1, 0, 0, 0) + encode_name(name) + struct.pack("!2H", qtype, 1)


def read_name(message: bytes, pos: int) -> t.Tuple[str, int]:
    """Name at pos and the position after it. Pointers may only lead backwards, so every name ends."""
    labels: t.List[str] = []
    after = -1
    limit = pos
    size = 0
    while True:
        if pos >= len(message):
            raise Malformed("a name beyond the end")
        length = message[pos]
        if length & 0xC0 == 0xC0:
            if pos + 1 >= len(message):
                raise Malformed("half a pointer")
            target = (length & 0x3F) << 8 | message[pos + 1]
            if after < 0:
                after = pos + 2
            if target >= limit:
                raise Malformed("a pointer that leads forwards")
            limit = pos = target
            continue
        if length & 0xC0:
            raise Malformed("a label of unknown kind")
        pos += 1
        if length == 0:
            return ".".join(labels), pos if after < 0 else after
        size += length + 1
        if size > 254 or pos + length > len(message):
            raise Malformed("a name too long")
        labels.append(
            "".join(
                chr(b) if 0x21 <= b <= 0x7E and b not in (0x2E, 0x5C) else f"\\{b:03d}"
                for b in message[pos : pos + length]
            )
        )
        pos += length


def _rdata(message: bytes, rtype: int, pos: int, length: int) -> t.Tuple[str, str]:
    raw = message[pos : pos + length]
    if rtype == 1 and length == 4:
        return "A", socket.inet_ntop(socket.AF_INET, raw)
    if rtype == 28 and length == 16:
        return "AAAA", format_ipv6(raw)
    if rtype == 5:
        return "CNAME", read_name(message, pos)[0]
    return f"TYPE{rtype}", raw[:32].hex()


def format_ipv6(raw: bytes) -> str:
    """RFC 5952 text; also of mapped addresses, which inet_ntop writes with dots."""
    return socket.inet_ntop(socket.AF_INET6, raw)


def parse_reply(message: bytes, name: str, qtype: int, ident: int) -> t.Optional[Reply]:
    """The reply, or None when it does not answer this question. Raises Malformed when it does and cannot be read."""
    if len(message) < 12:
        return None
    got, flags, questions, answers, _authority, _additional = struct.unpack_from("!6H", message)
    if got != ident or not flags & 0x8000:
        return None
    rcode = flags & 0x0F
    if questions != 1:
        # Some servers leave the question out of an error. The id (and the connected socket) still ties it to us.
        if questions == 0 and rcode != 0 and answers == 0:
            return Reply(rcode, False, False, [])
        return None
    try:
        asked, pos = read_name(message, 12)
    except Malformed:
        return None
    if len(message) < pos + 4 or asked.lower() != name.lower():
        return None
    if struct.unpack_from("!2H", message, pos) != (qtype, 1):
        return None
    pos += 4
    found: t.List[Data] = []
    truncated = bool(flags & 0x0200)
    for _ in range(answers):
        if len(found) >= MAX_ANSWERS:
            break
        if truncated and pos >= len(message):
            break
        _owner, pos = read_name(message, pos)
        if pos + 10 > len(message):
            raise Malformed("an answer beyond the end")
        rtype, _rclass, ttl, length = struct.unpack_from("!2HIH", message, pos)
        pos += 10
        if pos + length > len(message):
            raise Malformed("data beyond the end")
        kind, text = _rdata(message, rtype, pos, length)
        found.append({"type": kind, "data": text, "ttl": ttl})
        pos += length
    return Reply(rcode, truncated, asked == name, found)


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
        assert self.sock is not None
        # An id of its own for each datagram: two honest answers to two datagrams (a round robin) are no injection.
        ident = rng.getrandbits(16)
        while ident in self.idents:
            ident = rng.getrandbits(16)
        self.idents.append(ident)
        self.sock.send(build_query(self.name, TYPES[self.kind], ident))

    def take(self) -> bool:
        """Reads one datagram; True when it is the first usable reply."""
        assert self.sock is not None
        message = self.sock.recv(65535)
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


def addresses_of(answers: t.Iterable[Data]) -> t.List[str]:
    """The A and AAAA data among answers."""
    return [a["data"] for a in answers if a["type"] in TYPES]


def ask(
    resolvers: t.Sequence[str],
    name: str,
    timeout: float,
    deadline: Deadline,
    rng: random.Random,
    found: t.Callable[[t.List[str]], None],
    all_answered: t.Callable[[], None],
    others_done: t.Callable[[], bool],
) -> t.List[Data]:
    """Asks every resolver for A and AAAA at once, in one loop. Never raises for a fault of the network.

    found: told the addresses as each first reply comes. all_answered: told once when nothing more is waited for but differing
    replies. others_done: whether the target's other phases are over.
    """
    start = time.monotonic()
    limit = deadline.clamp(timeout)
    queries = [Query(resolver, name, kind, rng) for resolver in resolvers for kind in ("A", "AAAA")]
    selector = selectors.DefaultSelector()
    try:
        for query in queries:
            _guard(query, start, query.open)
            if query.sock is not None and query.error is None:
                selector.register(query.sock, selectors.EVENT_READ, query)
            else:
                query.close()
        told = False
        while True:
            now = time.monotonic()
            if deadline.expired:
                deadline.cut()
            open_ones = [q for q in queries if q.sock is not None]
            for query in open_ones:
                waiting = query.first is None
                if waiting and now - start >= limit:
                    if query.bad is None:
                        code = "deadline" if deadline.expired else "timeout"
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
                    if deadline.expired or age >= LISTEN_MAX or (age >= LISTEN_MIN and told and others_done()):
                        _drop(selector, query)
            if not told and all(q.sock is None or q.first is not None for q in queries):
                told = True
                all_answered()
            if all(q.sock is None for q in queries):
                break
            for key, _events in selector.select(_TICK):
                query = key.data
                if not _guard(query, start, query.take):
                    if query.error is not None:
                        _drop(selector, query)
                    continue
                query.first_at = time.monotonic()
                query.elapsed = _ms(start)
                if query.first.truncated:
                    query.truncated = True
                    left = max(0.05, limit - (query.first_at - start))
                    _guard(query, start, _retry_tcp, query, rng, left, deadline)
                found(addresses_of(query.first.answers))
    finally:
        for query in queries:
            query.close()
        selector.close()
    return [query.result() for query in queries]


def _retry_tcp(query: Query, rng: random.Random, timeout: float, deadline: Deadline) -> None:
    reply = _ask_tcp(query.resolver, query.name, TYPES[query.kind], rng, timeout, deadline)
    query.seen = {}
    query.first = reply
    query.seen[0] = [reply]


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


def system_lookup(host: str) -> Data:
    """What a program gets that simply connects: hosts file, caches, search order, all families. Takes as long as it takes."""
    start = time.monotonic()
    result: Data = {"addresses": [], "error": None, "elapsed_ms": None}
    try:
        for info in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM):
            address = str(info[4][0])
            if address not in result["addresses"]:
                result["addresses"].append(address)
    except (OSError, UnicodeError) as error:
        result["error"] = fault_from("dns", error)
    result["elapsed_ms"] = _ms(start)
    return result


def is_address(host: str) -> bool:
    """IPv4 in dotted form or IPv6 (a zone is allowed)."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host.split("%")[0])
            return True
        except (OSError, ValueError):
            continue
    return False


def _text_of(path: str) -> str:
    with open(path, "rb") as file:
        return file.read(MAX_FILE).decode("utf-8", "replace")


def resolvers() -> t.List[str]:
    """Name servers of resolv.conf, in order, each once. Empty when the file is missing: then nothing is asked."""
    found: t.List[str] = []
    try:
        text = _text_of(RESOLV_CONF)
    except OSError:
        return found
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 2 and words[0] == "nameserver" and is_address(words[1]) and words[1] not in found:
            found.append(words[1])
    return found[:MAX_RESOLVERS]


def parse_hosts(text: str) -> t.List[Data]:
    """Entries {address, names, line} of a hosts file; lines without a valid address are left out as the system does."""
    entries: t.List[Data] = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split("#", 1)[0].split()
        if len(words) >= 2 and is_address(words[0]):
            entries.append({"address": words[0], "names": [bound(w, 255) for w in words[1:33]], "line": number})
    return entries


def hosts_entries() -> t.Tuple[t.List[Data], int, t.Optional[Data]]:
    """Entries of the hosts file, number of its lines, and the error that kept it from being read."""
    try:
        text = _text_of(HOSTS)
    except OSError as error:
        return [], 0, fault_from("hosts_file", error)
    return parse_hosts(text), len(text.splitlines()), None


def hosts_for(entries: t.Iterable[Data], host: str) -> t.List[str]:
    """Addresses that hosts-file entries give a name."""
    wanted = host.rstrip(".").lower()
    result: t.List[str] = []
    for entry in entries:
        if any(name.rstrip(".").lower() == wanted for name in entry["names"]) and entry["address"] not in result:
            result.append(entry["address"])
    return result[:16]
