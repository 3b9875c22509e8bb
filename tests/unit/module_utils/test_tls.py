# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the first bytes of a server prove about a handshake that failed."""

from __future__ import annotations

import struct

import pytest
from ansible_collections.edefter.ready.plugins.module_utils import tls
from hypothesis import given
from hypothesis import strategies as st


def record(kind: int, body: bytes, version: int = 0x0303) -> bytes:
    return struct.pack("!BHH", kind, version, len(body)) + body


def hello(version: int) -> bytes:
    body = struct.pack("!H", version) + bytes(32) + b"\0" + b"\xc0\x2f\0"
    return record(22, b"\2" + len(body).to_bytes(3, "big") + body)


def alert(description: int, level: int = 2) -> bytes:
    return record(21, bytes([level, description]))


def both(windows_part, first: bytes, failure: str):
    seen = tls.scan(first)
    mine = {"alert": seen.alert, "code": tls.error_code(seen, failure)}
    assert windows_part("tls_scan", hex=first.hex(), failure=failure) == mine
    return mine


@pytest.mark.parametrize(
    ("first", "failure", "code"),
    [
        (b"", "reset", "reset"),
        (b"", "aborted", "reset"),
        (b"", "eof", "eof"),
        (b"", "timeout", "timeout"),
        (b"", "deadline", "deadline"),
        (b"", "tls", "handshake"),
        (b"HTTP/1.1 400 Bad Request\r\n", "tls", "not_tls"),
        (b"<", "timeout", "not_tls"),
        (b"\x16\x02", "tls", "not_tls"),
        (b"\x16", "timeout", "timeout"),
        (b"\x16\x03\x03\xff\xff", "tls", "not_tls"),
        (alert(40), "tls", "alert"),
        (alert(40), "reset", "alert"),
        (alert(70), "tls", "version"),
        (alert(86), "tls", "version"),
        (alert(0, 1), "eof", "eof"),
        (hello(0x0303) + alert(48), "tls", "alert"),
        (hello(0x0301), "tls", "version"),
        (hello(0x0303), "timeout", "timeout"),
        (hello(0x0303) + b"garbage", "tls", "handshake"),
        (hello(0x0303) + record(21, bytes(26)), "tls", "handshake"),
    ],
)
def test_codes(windows_part, first: bytes, failure: str, code: str) -> None:
    assert both(windows_part, first, failure)["code"] == code


def test_the_alert_is_read(windows_part) -> None:
    assert both(windows_part, alert(112, 1) + hello(0x0303), "timeout")["alert"] == {"level": 1, "description": 112}


@given(st.binary(max_size=200), st.sampled_from(["reset", "eof", "timeout", "tls"]))
def test_byte_soup(windows_part, soup: bytes, failure: str) -> None:
    both(windows_part, soup, failure)


@given(st.lists(st.tuples(st.integers(19, 25), st.binary(max_size=12)), max_size=6), st.integers(0, 60))
def test_soup_of_records(windows_part, records: list[tuple[int, bytes]], cut: int) -> None:
    raw = b"".join(record(kind, body) for kind, body in records)
    both(windows_part, raw[: max(0, len(raw) - cut)], "tls")


@pytest.mark.parametrize(
    ("flags", "codes"),
    [
        (0, []),
        (0x1, ["not_time_valid"]),
        (0x20, ["untrusted_root"]),
        (0x10000, ["partial_chain"]),
        (0x40 | 0x1000000, ["revocation_unknown"]),
        (0x4, ["revoked"]),
        (0x100000, ["weak_signature"]),
        (0x40000000, ["other"]),
    ],
)
def test_windows_chain_flags(windows_part, flags: int, codes: list[str]) -> None:
    assert windows_part("chain_codes", flags=flags) == codes
