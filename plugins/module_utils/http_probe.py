# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One HTTP exchange, minimal and bounded: no credential, no cookie, no redirect followed. Twin of Http.cs."""

from __future__ import annotations

import datetime
import hashlib
import re
import time
import typing as t

from ansible_collections.edefter.ready.plugins.module_utils.core import (
    VERSION,
    Data,
    Deadline,
    bound,
    fault_from,
    iso,
    make_fault,
)
from ansible_collections.edefter.ready.plugins.module_utils.tls import Stream

USER_AGENT = f"edefter.ready/{VERSION}"
MAX_HEAD = 32768
MAX_BODY = 65536
MAX_SNIPPET = 512
HEADERS = (
    "server", "via", "location", "content-type", "content-length", "date", "age",
    "proxy-authenticate", "www-authenticate", "x-squid-error", "x-cache", "x-frame-options",
    "retry-after", "proxy-agent",
)  # fmt: skip
_STATUS_LINE = re.compile(rb"(HTTP/\d\.\d) +(\d{3})(?: +([^\r\n]*))?")
_TITLE = re.compile(r"<title[^>]{0,200}>([^<]{0,400})", re.IGNORECASE)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DATE = re.compile(
    r"(?:[A-Za-z]{3,9}, ?)?([0-9]{1,2})[ -]([A-Za-z]{3})[ -]([0-9]{2}|[0-9]{4}) "
    r"([0-9]{2}):([0-9]{2}):([0-9]{2}) (?:GMT|UTC)"
)
_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,80}")


class Malformed(ValueError):
    """Not an HTTP answer."""


class Head(t.NamedTuple):
    """A response head. headers: lower-case name to value, repeated ones joined by a comma."""

    version: str
    status: int
    reason: str
    headers: t.Dict[str, str]


def head_end(raw: t.Union[bytes, bytearray], start: int = 0) -> int:
    """Where the body begins; -1 while the head is not complete. start: where it cannot have ended before."""
    ends = [i + n for i, n in ((raw.find(b"\r\n\r\n", start), 4), (raw.find(b"\n\n", start), 2)) if i >= 0]
    return min(ends) if ends else -1


def parse_head(raw: bytes) -> Head:
    """RFC 9112 section 4 and 5, lenient in line ends. Raises Malformed."""
    lines = raw.replace(b"\r\n", b"\n").split(b"\n")
    match = _STATUS_LINE.fullmatch(lines[0])
    if match is None:
        raise Malformed("no status line")
    headers: t.Dict[str, str] = {}
    for line in lines[1:200]:
        name, colon, value = line.partition(b":")
        if not colon or not _TOKEN.fullmatch(name):
            continue
        key = name.decode("ascii").lower()
        text = value.strip(b" \t").decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    reason = (match.group(3) or b"").strip().decode("latin-1")
    return Head(match.group(1).decode("ascii"), int(match.group(2)), reason, headers)


class Body:
    """Takes a body as it comes in (RFC 9112 section 6): by chunks, by length, or to the end of the connection."""

    def __init__(self, head: Head) -> None:
        self.content = bytearray()
        self.done = False
        self.bad = False
        self._chunked = "chunked" in head.headers.get("transfer-encoding", "").lower()
        length = head.headers.get("content-length", "")
        self._left: t.Optional[int] = int(length) if re.fullmatch(r"[0-9]{1,15}", length) else None
        self._pending = bytearray()
        self._in_chunk = 0
        if head.status in (204, 304) or (not self._chunked and self._left == 0):
            self.done = True

    @property
    def to_close(self) -> bool:
        """Only the end of the connection ends this body, so a close is no fault."""
        return not self._chunked and self._left is None

    @property
    def full(self) -> bool:
        return len(self.content) >= MAX_BODY

    def feed(self, data: bytes) -> None:
        """More bytes. Afterwards done, bad or full may be set."""
        if self._chunked:
            self._pending += data
            self._chunks()
        else:
            if self._left is not None:
                data = data[: self._left]
                self._left -= len(data)
                self.done = self._left == 0
            self._add(data)

    def _add(self, data: bytes) -> None:
        self.content += data[: MAX_BODY - len(self.content)]

    def _chunks(self) -> None:
        while not (self.done or self.bad or self.full):
            if self._in_chunk > 2:
                part = bytes(self._pending[: self._in_chunk - 2])
                if not part:
                    return
                del self._pending[: len(part)]
                self._in_chunk -= len(part)
                self._add(part)
                continue
            if self._in_chunk:
                # The line end after a chunk.
                if len(self._pending) < self._in_chunk:
                    return
                del self._pending[: self._in_chunk]
                self._in_chunk = 0
            end = self._pending.find(b"\n")
            if end < 0:
                self.bad = len(self._pending) > 1024
                return
            size = bytes(self._pending[:end]).split(b";")[0].strip()
            del self._pending[: end + 1]
            if not re.fullmatch(rb"[0-9A-Fa-f]{1,8}", size):
                self.bad = True
                return
            if int(size, 16) == 0:
                self.done = True
                return
            self._in_chunk = int(size, 16) + 2

    def data(self, truncated: bool) -> Data:
        """body of docs/observation-endpoints.md."""
        text = bytes(self.content).decode("utf-8", "replace")
        title = _TITLE.search(text)
        return {
            "length": len(self.content),
            "sha256": hashlib.sha256(self.content).hexdigest(),
            "snippet": bound(text, MAX_SNIPPET),
            "title": bound(" ".join(title.group(1).split())[:120], 120) if title else None,
            "truncated": truncated,
        }


def parse_date(text: t.Optional[str]) -> t.Optional[str]:
    """The Date header (RFC 9110 section 5.6.7, without asctime) as ISO; None when it is none."""
    match = _DATE.fullmatch((text or "").strip(" \t"))
    if match is None or match.group(2).lower() not in _MONTHS:
        return None
    year = int(match.group(3))
    if len(match.group(3)) == 2:
        year += 2000 if year < 70 else 1900
    day, hour, minute, second = (int(match.group(i)) for i in (1, 4, 5, 6))
    month = _MONTHS.index(match.group(2).lower()) + 1
    try:
        return iso(datetime.datetime(year, month, day, hour, minute, second, tzinfo=datetime.timezone.utc))
    except ValueError:
        return None


def empty() -> Data:
    """HTTP of docs/observation-endpoints.md before anything came."""
    return {
        "error": None,
        "elapsed_ms": None,
        "status": None,
        "version": None,
        "reason": None,
        "headers": {},
        "date": None,
        "body": None,
    }


def request(method: str, target: str, host: str, port: int, default_port: int) -> bytes:
    """The request head. host and target are checked before: no line end ever gets in."""
    name = f"[{host}]" if ":" in host else host
    where = name if port == default_port else f"{name}:{port}"
    lines = [f"{method} {target} HTTP/1.1", f"Host: {where}", f"User-Agent: {USER_AGENT}"]
    # A tunnel is wanted open; everything else may close behind itself.
    lines += ["Proxy-Connection: keep-alive"] if method == "CONNECT" else ["Accept: */*", "Connection: close"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def exchange(stream: Stream, message: bytes, timeout: float, deadline: Deadline, tunnel: bool = False) -> Data:
    """Sends message and reads one answer. Never raises for a fault of the network.

    tunnel: a 2xx answer ends with its head.
    """
    data = empty()
    start = time.monotonic()
    cut = deadline.remaining < timeout
    end = start + deadline.clamp(timeout)
    raw = bytearray()
    head: t.Optional[Head] = None
    body: t.Optional[Body] = None
    truncated = False
    try:
        stream.send(message, end)
        looked = 0
        while head is None:
            position = head_end(raw, max(0, looked - 3))
            if position < 0:
                looked = len(raw)
                if looked > MAX_HEAD:
                    raise Malformed("a head of more than 32 KiB")
                if len(raw) >= 5 and raw[:5] != b"HTTP/":
                    raise Malformed("no status line")
                part = stream.recv(8192, end)
                if not part:
                    raise (
                        EOFError("closed before a whole head")
                        if raw[:5] == b"HTTP/" or not raw
                        else Malformed("no HTTP")
                    )
                raw += part
                continue
            head = parse_head(bytes(raw[:position]))
            del raw[:position]
            looked = 0
            if 100 <= head.status < 200 and head.status != 101:
                head = None
        if not (tunnel and 200 <= head.status < 300):
            body = Body(head)
            body.feed(bytes(raw))
            while not (body.done or body.bad or body.full):
                part = stream.recv(16384, end)
                if not part:
                    if not body.to_close:
                        truncated = True
                        data["error"] = make_fault("http", "eof", None, "closed within the body")
                    break
                body.feed(part)
            truncated = truncated or body.bad or (body.full and not body.done)
    except Malformed as error:
        data["error"] = make_fault("http", "malformed", None, str(error))
    except (OSError, EOFError) as error:
        fault = fault_from("http", error)
        if fault["code"] == "timeout" and cut:
            deadline.cut()
            fault["code"] = "deadline"
        data["error"] = fault
        truncated = True
    data["elapsed_ms"] = round((time.monotonic() - start) * 1000.0, 3)
    if head is not None:
        data.update(version=head.version, status=head.status, reason=bound(head.reason, 80))
        data["headers"] = {k: bound(head.headers[k], 300) for k in HEADERS if k in head.headers}
        data["date"] = parse_date(head.headers.get("date"))
    if body is not None:
        data["body"] = body.data(truncated)
    return data
