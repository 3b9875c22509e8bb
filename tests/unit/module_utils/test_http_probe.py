# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP answers as they come and as they should not come, read by both twins; and what we send."""

from __future__ import annotations

import email.utils
import hashlib
import socket
import threading
import time

import pytest
from ansible_collections.edefter.ready.plugins.module_utils import http_probe, tls
from ansible_collections.edefter.ready.plugins.module_utils.core import Deadline
from hypothesis import given
from hypothesis import strategies as st


def mine(raw: bytes, step: int = 7):
    end = http_probe.head_end(raw)
    if end < 0:
        return None
    try:
        head = http_probe.parse_head(raw[:end])
    except http_probe.Malformed:
        return "Malformed"
    body = http_probe.Body(head)
    for at in range(end, len(raw), step):
        if body.done or body.bad or body.full:
            break
        body.feed(raw[at : at + step])
    data = body.data(False)
    return {
        "status": head.status,
        "version": head.version,
        "headers": head.headers,
        "done": body.done,
        "bad": body.bad,
        "length": data["length"],
        "sha256": data["sha256"],
        "title": data["title"],
    }


def both(windows_part, raw: bytes, step: int = 7):
    result = mine(raw, step)
    assert windows_part("http", hex=raw.hex(), step=step) == result
    return result


def test_a_plain_answer(windows_part) -> None:
    raw = b"HTTP/1.1 200 OK\r\nServer: nginx\r\nVia: 1.1 a\r\nVia: 1.1 b\r\nContent-Length: 5\r\n\r\nhelloextra"
    read = both(windows_part, raw)
    assert (read["status"], read["done"], read["length"]) == (200, True, 5)
    assert read["headers"]["via"] == "1.1 a, 1.1 b"
    assert read["sha256"] == hashlib.sha256(b"hello").hexdigest()


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000])
def test_chunks(windows_part, step: int) -> None:
    raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
    read = both(windows_part, raw, step)
    assert (read["done"], read["bad"], read["sha256"]) == (True, False, hashlib.sha256(b"hello world").hexdigest())


@pytest.mark.parametrize("chunk", [b"zz\r\n", b"-1\r\n", b"ffffffffff\r\n", b"\r\n", b"x" * 1100])
def test_bad_chunks(windows_part, chunk: bytes) -> None:
    raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk
    assert both(windows_part, raw, 1000)["bad"] is True


def test_a_body_is_cut(windows_part) -> None:
    raw = b"HTTP/1.1 200 OK\r\n\r\n" + b"a" * 70000
    assert both(windows_part, raw, 9000)["length"] == http_probe.MAX_BODY


@pytest.mark.parametrize(
    ("page", "title"),
    [
        ("<html><head><TITLE lang=tr>\n Web Sayfası  Engellendi </title>", "Web Sayfası Engellendi"),
        ("<title></title>", ""),
        ("<titles>x", "x"),
        ("no title", None),
        ("<title>never closed", "never closed"),
    ],
)
def test_titles(windows_part, page: str, title: str | None) -> None:
    assert both(windows_part, b"HTTP/1.0 200 OK\n\n" + page.encode(), 900)["title"] == title


@pytest.mark.parametrize(
    "raw", [b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1 2000 x\r\n\r\n", b"HTTP/1.1\r\n\r\n", b"\r\n\r\n", b"ICY 200 OK\n\n"]
)
def test_no_http(windows_part, raw: bytes) -> None:
    assert both(windows_part, raw) == "Malformed"


@given(st.binary(max_size=300), st.integers(1, 40))
def test_byte_soup(windows_part, soup: bytes, step: int) -> None:
    both(windows_part, soup, step)


@given(
    st.lists(
        st.sampled_from(
            [
                b"A: b",
                b"transfer-encoding: chunked",
                b"Content-Length: 4",
                b"content-length: -1",
                b":",
                b"x y: z",
                b"\xff: \xfe",
                b" f",
            ]
        ),
        max_size=5,
    ),
    st.sampled_from([b"\r\n", b"\n"]),
    st.binary(max_size=60),
    st.integers(1, 20),
)
def test_soup_of_heads(windows_part, lines: list[bytes], end: bytes, body: bytes, step: int) -> None:
    both(windows_part, b"HTTP/1.1 200 OK" + end + b"".join(line + end for line in lines) + end + body, step)


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("Wed, 25 Nov 2026 07:49:28 GMT", "2026-11-25T07:49:28.000Z"),
        ("Wednesday, 25-Nov-26 07:49:28 GMT", "2026-11-25T07:49:28.000Z"),
        ("25 Nov 2026 07:49:28 UTC", "2026-11-25T07:49:28.000Z"),
        ("Wed, 31 Feb 2026 07:49:28 GMT", None),
        ("Wed, 25 Kas 2026 07:49:28 GMT", None),
        ("Wed, 25 Nov 2026 07:49:28 +0300", None),
        ("", None),
        (None, None),
    ],
)
def test_dates(windows_part, text: str | None, iso: str | None) -> None:
    assert http_probe.parse_date(text) == iso
    assert windows_part("http_date", text=text) == iso


@given(st.integers(0, 4102444799))
def test_any_moment_is_read_back(windows_part, seconds: int) -> None:
    text = email.utils.formatdate(seconds, usegmt=True)
    iso = http_probe.parse_date(text)
    assert iso is not None
    assert iso[:19].replace("T", " ") == time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds))
    assert windows_part("http_date", text=text) == iso


@given(st.text(max_size=40))
def test_any_date_text(windows_part, text: str) -> None:
    assert windows_part("http_date", text=text) == http_probe.parse_date(text)


def test_what_is_sent_holds_no_secret() -> None:
    message = http_probe.request("GET", "/x", "uyg.edefter.gov.tr", 4443, 443).decode()
    names = [line.split(":")[0].lower() for line in message.split("\r\n")[1:] if line]
    assert names == ["host", "user-agent", "accept", "connection"]
    assert "Host: uyg.edefter.gov.tr:4443\r\n" in message
    tunnel = http_probe.request("CONNECT", "[2001:db8::1]:443", "2001:db8::1", 443, 0).decode()
    assert tunnel.startswith("CONNECT [2001:db8::1]:443 HTTP/1.1\r\nHost: [2001:db8::1]:443\r\n")


def exchange(*parts: bytes, close: bool = True, timeout: float = 0.4, tunnel: bool = False):
    """One exchange with a server that sends these parts."""
    ours, theirs = socket.socketpair()

    def serve() -> None:
        theirs.recv(4096)
        for part in parts:
            theirs.sendall(part)
            time.sleep(0.01)
        if close:
            theirs.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        return http_probe.exchange(tls.Stream(ours), b"GET / HTTP/1.1\r\n\r\n", timeout, Deadline(5), tunnel)
    finally:
        thread.join()
        ours.close()
        theirs.close()


def test_an_interim_answer_is_passed_over() -> None:
    data = exchange(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n"
        b"Date: Wed, 25 Nov 2026 07:49:28 GMT\r\nSet-Cookie: s=1\r\n\r\n"
    )
    assert (data["error"], data["status"], data["date"]) == (None, 204, "2026-11-25T07:49:28.000Z")
    assert data["headers"] == {"date": "Wed, 25 Nov 2026 07:49:28 GMT"}


def test_a_tunnel_ends_with_its_head() -> None:
    data = exchange(b"HTTP/1.1 200 Connection established\r\n\r\n", close=False, tunnel=True)
    assert (data["error"], data["status"], data["body"]) == (None, 200, None)


@pytest.mark.parametrize(
    ("parts", "close", "code", "status"),
    [
        ((b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",), True, "eof", 200),
        ((b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",), False, "timeout", 200),
        ((b"HTTP/1.1 200 OK\r\n",), True, "eof", None),
        ((b"HTTP/1.1 200 OK\r\n",), False, "timeout", None),
        ((), True, "eof", None),
        ((b"\x15\x03\x01\x00\x02\x02\x0a",), True, "malformed", None),
        ((b"<h", b"tml>"), True, "malformed", None),
    ],
)
def test_broken_answers(parts: tuple[bytes, ...], close: bool, code: str, status: int | None) -> None:
    data = exchange(*parts, close=close)
    assert (data["error"]["code"], data["status"]) == (code, status)
    if status:
        assert data["body"]["truncated"] is True


def test_an_endless_head_ends() -> None:
    data = exchange(b"HTTP/1.1 200 OK\r\n", *[b"X: " + b"a" * 8000 + b"\r\n"] * 6, timeout=3)
    assert data["error"]["code"] == "malformed"
