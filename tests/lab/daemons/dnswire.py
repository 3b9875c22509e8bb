# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Just enough of the DNS wire format to read a question and to answer it wrongly."""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass

A, AAAA = 1, 28


@dataclass(frozen=True)
class Question:
    """The first question of a query: lower-case name without the last dot, type, and the raw bytes to echo."""

    ident: bytes
    flags: int
    name: str
    qtype: int
    raw: bytes


def question(data: bytes) -> Question | None:
    """The question of a query; None when it is not a query with one."""
    if len(data) < 17 or data[2] & 0x80 or data[4:6] == b"\0\0":
        return None
    at, labels = 12, []
    while at < len(data) and data[at]:
        size = data[at]
        if size > 63:
            return None
        labels.append(data[at + 1 : at + 1 + size].decode("ascii", "replace").lower())
        at += 1 + size
    if at + 5 > len(data):
        return None
    qtype = struct.unpack_from("!H", data, at + 1)[0]
    return Question(data[:2], struct.unpack_from("!H", data, 2)[0], ".".join(labels), qtype, data[12 : at + 5])


def answer(
    asked: Question, rcode: int, addresses: tuple[str, ...] = (), *, truncated: bool = False, ttl: int = 60
) -> bytes:
    """A reply with that RCODE; of ``addresses`` those of the asked family (none of it: NODATA)."""
    wanted = {A: 4, AAAA: 6}.get(asked.qtype)
    found = [a for a in map(ipaddress.ip_address, addresses) if a.version == wanted]
    flags = 0x8080 | (asked.flags & 0x0100) | (0x0200 if truncated else 0) | rcode
    parts = [asked.ident + struct.pack("!5H", flags, 1, len(found), 0, 0), asked.raw]
    for address in found:
        parts.append(struct.pack("!HHHIH", 0xC00C, asked.qtype, 1, ttl, len(address.packed)) + address.packed)
    return b"".join(parts)
