# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's packet router and DNS wire format: whatever bytes come along, they neither crash nor loop."""

from __future__ import annotations

import contextlib
import ssl
import struct

from hypothesis import given, settings
from hypothesis import strategies as st
from lab.daemons import pathd
from lab.daemons.dnswire import answer, question
from lab.dns import packet
from lab.eyes import Looked, parse


def client_hello(name: str) -> bytes:
    """A real ClientHello of this machine's OpenSSL."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    talk = context.wrap_bio(incoming, outgoing, server_hostname=name)
    with contextlib.suppress(ssl.SSLWantReadError):
        talk.do_handshake()
    return outgoing.read()


def segment(payload: bytes, source: bytes = bytes([10, 1, 0, 10]), target: bytes = bytes([203, 0, 113, 20])) -> bytes:
    """An IPv4 TCP segment from a LAN host to port 443 (no checksums: the router does not look)."""
    body = struct.pack("!HHIIBBHHH", 50000, 443, 1000, 2000, 0x50, 0x18, 0, 0, 0) + payload
    return struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0, 64, 6, 0) + source + target + body


class Line(pathd.Router):
    """A router whose device is a list."""

    def __init__(self, **rule: object) -> None:
        super().__init__(-1, ["10.1.0.0/24", "2001:db8:a001::/64"])
        self.sent: list[bytes] = []
        self.control([rule])

    def write(self, raw: bytes) -> None:
        self.sent.append(raw)


def test_server_name_of_a_real_hello_whole_and_in_pieces() -> None:
    hello = client_hello("firma.myedefter.com.tr")
    assert pathd.server_name(hello) == "firma.myedefter.com.tr"
    for cut in range(len(hello)):
        assert pathd.server_name(hello[:cut]) in (None, "firma.myedefter.com.tr")
    assert pathd.server_name(hello[:60]) is None


def test_reset_is_believable_to_both_ends() -> None:
    line = Line(names=["firma.myedefter.com.tr"], action="reset")
    hello = client_hello("firma.myedefter.com.tr")
    line.take(segment(hello))
    to_client, to_server = line.sent
    assert to_client[12:20] == bytes([203, 0, 113, 20, 10, 1, 0, 10])
    assert struct.unpack_from("!HHIIBB", to_client, 20) == (443, 50000, 2000, 1000 + len(hello), 0x50, 0x14)
    assert struct.unpack_from("!HHIIBB", to_server, 20) == (50000, 443, 1000, 2000, 0x50, 0x14)
    for raw in line.sent:
        assert pathd._checksum(raw[:20]) == 0
        assert pathd._checksum(raw[12:20] + struct.pack("!HH", 6, len(raw) - 20) + raw[20:]) in (0, 0xFFFF)


def test_a_hello_in_two_segments_is_recognised() -> None:
    line = Line(names=["uyg.edefter.gov.tr"], action="stall")
    hello = client_hello("uyg.edefter.gov.tr")
    line.take(segment(hello[:50]))
    assert len(line.sent) == 1, "the first half passes: no name in it yet"
    line.take(segment(hello[50:]))
    line.take(segment(b"later"))
    assert len(line.sent) == 1, "from the name on everything is swallowed"


def test_other_names_pass_untouched() -> None:
    line = Line(names=["firma.myedefter.com.tr"], action="reset")
    raw = segment(client_hello("www.example.com"))
    line.take(raw)
    assert line.sent == [raw]


@settings(max_examples=300, deadline=None)
@given(
    raw=st.binary(min_size=1, max_size=300), action=st.sampled_from(["reset", "eof", "stall", "dns_inject", "reject"])
)
def test_soup_never_breaks_the_router(raw: bytes, action: str) -> None:
    for head in (b"", b"\x45", b"\x60", segment(b"")[:33], segment(b"")):
        line = Line(action=action, answers=["203.0.113.200"], gateway="2001:db8:a001::1", loss=0.1, up_ms=1)
        line.take(head + raw)


@settings(max_examples=300, deadline=None)
@given(payload=st.binary(max_size=200))
def test_soup_never_breaks_the_name_reader(payload: bytes) -> None:
    hello = client_hello("firma.myedefter.com.tr")
    for data in (payload, b"\x16\x03\x01" + payload, hello[: len(payload)] + payload):
        pathd.server_name(data)
        question(data)
        parse(b"\x12\x34\x80\x00" + data)


def test_dns_wire_round_trip() -> None:
    asked = question(packet("Firma.MyEdefter.com.tr", 28))
    assert asked is not None
    assert (asked.name, asked.qtype) == ("firma.myedefter.com.tr", 28)
    both = ("203.0.113.99", "2001:db8::99")
    assert parse(answer(asked, 0, both)) == Looked(0, ["2001:db8::99"])
    assert parse(answer(asked, 3)) == Looked(3, [])
    assert parse(answer(asked, 0, truncated=True)) == Looked(0, [], truncated=True)
    assert question(answer(asked, 0)) is None, "an answer is no question"
