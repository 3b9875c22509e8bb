# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages of DNS (RFC 1035), built and read by hand: bounded whatever the bytes are. Twin of DnsMessage.cs."""

from __future__ import annotations

import random
import socket
import struct
import typing as t

from ansible_collections.edefter.ready.plugins.module_utils.core import Data

TYPES = {"A": 1, "AAAA": 28}
MAX_ANSWERS = 32


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
    bits = rng.getrandbits(len(name) + 1)
    return "".join(c.upper() if bits >> i & 1 else c.lower() for i, c in enumerate(name))


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
        # Compression points into the question, so the name may come in our random case.
        return "CNAME", read_name(message, pos)[0].lower()
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
    for _number in range(answers):
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


def addresses_of(answers: t.Iterable[Data]) -> t.List[str]:
    """The A and AAAA data among answers."""
    return [a["data"] for a in answers if a["type"] in TYPES]
