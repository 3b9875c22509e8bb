# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DNS messages: against dnspython as the independent reader and writer, against the C# twin, and against byte soup."""

from __future__ import annotations

import random
import struct

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from ansible_collections.edefter.ready.plugins.module_utils import dns_message, resolving
from hypothesis import given
from hypothesis import strategies as st

NAME = "uYg.EdEfter.gov.TR"
IDENT = 0x1234

labels = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
names = st.lists(labels, min_size=1, max_size=5).map(".".join)


def answer(
    *records: tuple[str, int, str, str],
    rcode: int = 0,
    question: str = NAME,
    ident: int = IDENT,
    truncated: bool = False,
    rdtype: str = "A",
) -> bytes:
    """A reply as dnspython writes it (with compression). records: (owner, ttl, type, data)."""
    query = dns.message.make_query(question, rdtype)
    query.id = ident
    reply = dns.message.make_response(query)
    reply.set_rcode(dns.rcode.Rcode(rcode))
    if truncated:
        reply.flags |= dns.flags.TC
    for owner, ttl, kind, data in records:
        reply.answer.append(dns.rrset.from_text(owner.rstrip(".") + ".", ttl, "IN", kind, data))
    return reply.to_wire()


def both(windows_part, message: bytes, name: str = NAME, qtype: int = 1, ident: int = IDENT):
    """What the twins make of a message; they must agree."""
    try:
        reply = dns_message.parse_reply(message, name, qtype, ident)
        mine = None if reply is None else reply._asdict()
    except dns_message.Malformed:
        mine = "Malformed"
    assert windows_part("dns_parse", hex=message.hex(), name=name, type=qtype, ident=ident) == mine
    return mine


def test_a_question_is_what_dnspython_reads() -> None:
    parsed = dns.message.from_wire(dns_message.build_query(NAME, 28, 77))
    assert parsed.id == 77
    assert parsed.flags == dns.flags.RD
    assert [(str(q.name), q.rdtype) for q in parsed.question] == [(NAME + ".", 28)]


@given(names, st.sampled_from([1, 28]), st.integers(0, 65535))
def test_the_twins_ask_the_same(windows_part, name: str, qtype: int, ident: int) -> None:
    assert (
        windows_part("dns_build", name=name, type=qtype, ident=ident)
        == dns_message.build_query(name, qtype, ident).hex()
    )


@pytest.mark.parametrize("name", ["", "a..b", "x" * 64, "ü.tr", ".".join(["a" * 60] * 5)])
def test_an_impossible_name_is_refused(windows_part, name: str) -> None:
    with pytest.raises(dns_message.Malformed):
        dns_message.build_query(name, 1, 1)
    assert windows_part("dns_build", name=name, type=1, ident=1) == "Malformed"


def test_answers_with_compression(windows_part) -> None:
    message = answer(
        (NAME, 60, "CNAME", "web.edefter.gov.tr."),
        ("web.edefter.gov.tr.", 30, "A", "203.0.113.10"),
        ("web.edefter.gov.tr.", 30, "TXT", '"x"'),
    )
    reply = both(windows_part, message)
    assert reply["rcode"] == 0
    assert reply["case_kept"] is True
    assert [(a["type"], a["data"], a["ttl"]) for a in reply["answers"]] == [
        ("CNAME", "web.edefter.gov.tr", 60),
        ("A", "203.0.113.10", 30),
        ("TYPE16", "0178", 30),
    ]


def test_ipv6_answers(windows_part) -> None:
    message = answer((NAME, 4294967, "AAAA", "2001:db8::10"), rdtype="AAAA")
    reply = both(windows_part, message, qtype=28)
    assert [(a["type"], a["data"], a["ttl"]) for a in reply["answers"]] == [("AAAA", "2001:db8::10", 4294967)]


@pytest.mark.parametrize("rcode", [2, 3, 5])
def test_an_rcode(windows_part, rcode: int) -> None:
    assert both(windows_part, answer(rcode=rcode))["rcode"] == rcode


def test_an_error_without_its_question(windows_part) -> None:
    reply = both(windows_part, struct.pack("!6H", IDENT, 0x8182, 0, 0, 0, 0))
    assert (reply["rcode"], reply["case_kept"]) == (2, False)
    assert both(windows_part, struct.pack("!6H", IDENT, 0x8180, 0, 0, 0, 0)) is None


def test_lower_case_is_taken_and_noted(windows_part) -> None:
    reply = both(windows_part, answer((NAME, 1, "A", "203.0.113.10"), question=NAME.lower()))
    assert reply["case_kept"] is False


@pytest.mark.parametrize(
    "message",
    [
        answer(ident=IDENT + 1),
        answer(question="else.example"),
        answer(rdtype="AAAA"),
        dns_message.build_query(NAME, 1, IDENT),
        b"",
        b"\x12\x34\x81",
    ],
    ids=["id", "name", "type", "a question", "empty", "short"],
)
def test_what_does_not_answer_is_nobodys_reply(windows_part, message: bytes) -> None:
    assert both(windows_part, message) is None


def test_a_truncated_reply_may_end_anywhere(windows_part) -> None:
    message = bytearray(answer(truncated=True))
    message[7] = 3
    assert both(windows_part, bytes(message))["truncated"] is True


def test_pointer_loops_end(windows_part) -> None:
    head = answer()[:12]
    loop = head[:6] + b"\0\1" + head[8:] + dns_message.encode_name(NAME) + b"\0\1\0\1"
    at = len(loop)
    record = struct.pack("!H", 0xC000 | at) + struct.pack("!2HIH", 1, 1, 1, 4) + b"\1\2\3\4"
    assert both(windows_part, loop + record) == "Malformed"


def test_a_flood_of_answers_is_cut(windows_part) -> None:
    message = answer(*[(NAME, 1, "A", f"203.0.113.{n}") for n in range(1, 100)])
    assert len(both(windows_part, message)["answers"]) == dns_message.MAX_ANSWERS


@given(st.binary(max_size=600))
def test_byte_soup(windows_part, soup: bytes) -> None:
    both(windows_part, soup)


@given(st.binary(max_size=300), st.integers(0, 8))
def test_byte_soup_behind_the_right_question(windows_part, soup: bytes, count: int) -> None:
    head = struct.pack("!6H", IDENT, 0x8180, 1, count, 0, 0)
    both(windows_part, head + dns_message.encode_name(NAME) + b"\0\1\0\1" + soup)


@given(st.data())
def test_a_damaged_reply(windows_part, data: st.DataObject) -> None:
    message = bytearray(answer((NAME, 60, "CNAME", "w.x.tr."), ("w.x.tr.", 30, "A", "203.0.113.10")))
    for _ in range(data.draw(st.integers(1, 4))):
        message[data.draw(st.integers(0, len(message) - 1))] = data.draw(st.integers(0, 255))
    both(windows_part, bytes(message))


def test_two_replies_differ_by_what_they_say() -> None:
    def reply(message: bytes) -> dns_message.Reply:
        parsed = dns_message.parse_reply(message, NAME, 1, IDENT)
        assert parsed is not None
        return parsed

    one = reply(answer((NAME, 60, "A", "203.0.113.10"), (NAME, 60, "A", "203.0.113.11")))
    turned = reply(answer((NAME, 5, "A", "203.0.113.11"), (NAME, 5, "A", "203.0.113.10")))
    other = reply(answer((NAME, 60, "A", "203.0.113.12")))
    assert one.identity() == turned.identity()
    assert one.identity() != other.identity()


def test_the_case_is_random_and_the_name_stays() -> None:
    mixed = {dns_message.mixed_case("uyg.edefter.gov.tr", random.Random(n)) for n in range(20)}
    assert len(mixed) > 10
    assert {m.lower() for m in mixed} == {"uyg.edefter.gov.tr"}


HOSTS = (
    "\ufeff# top\r\n203.0.113.9\tUyg.edefter.gov.tr  uyg # note\r\n\r\nbogus line\n::1 localhost\n10.0.0.1\n1 short\n"
)


def test_hosts_file(windows_part) -> None:
    text = HOSTS.lstrip("\ufeff")
    entries = resolving.parse_hosts(text)
    assert entries == [
        {"address": "203.0.113.9", "names": ["Uyg.edefter.gov.tr", "uyg"], "line": 2},
        {"address": "::1", "names": ["localhost"], "line": 5},
    ]
    assert windows_part("hosts", text=text) == [entries, 7]
    assert resolving.hosts_for(entries, "UYG.edefter.gov.tr.") == ["203.0.113.9"]


@given(st.text(max_size=200))
def test_any_hosts_file_can_be_read(windows_part, text: str) -> None:
    resolving.parse_hosts(text)
    windows_part("hosts", text=text)


def test_resolvers_of_resolv_conf(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "resolv.conf"
    path.write_text("search a.b\nnameserver 10.0.0.1\nnameserver fe80::1%eth0\nnameserver x\nnameserver 10.0.0.1\n")
    monkeypatch.setattr(resolving, "RESOLV_CONF", str(path))
    assert resolving.resolvers() == ["10.0.0.1", "fe80::1%eth0"]
    monkeypatch.setattr(resolving, "RESOLV_CONF", str(tmp_path / "none"))
    assert resolving.resolvers() == []
