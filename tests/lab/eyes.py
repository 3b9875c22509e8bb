# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking at the lab from a host with bare sockets: what the lab's own tests believe, independent of the product."""

from __future__ import annotations

import errno
import socket
import ssl
import struct
import time
from dataclasses import dataclass, field
from typing import Any

from .core import Lab
from .dns import packet
from .topology import Host

RESOLVER = "198.51.100.53"


@dataclass
class Seen:
    """What a web probe met: the phase it got to, the outcome there, and what it saw on the way."""

    phase: str
    outcome: str
    seconds: float = 0.0
    issuer: str = ""
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    tls_version: str = ""


@dataclass
class Looked:
    rcode: int
    addresses: list[str]
    truncated: bool = False


def outcome(error: BaseException) -> str:
    """A name for an error that does not depend on the locale."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"verify:{error.verify_code}"
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)) or (
        isinstance(error, ssl.SSLError) and error.reason == "UNEXPECTED_EOF_WHILE_READING"
    ):
        return "eof"
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, OSError) and error.errno is not None:
        return errno.errorcode.get(error.errno, str(error.errno))
    return type(error).__name__


def look_up(
    lab: Lab,
    host: Host,
    name: str,
    qtype: int = 1,
    server: str = RESOLVER,
    timeout: float = 1.0,
    strict: bool = False,
) -> Looked | str:
    """One UDP question; the parsed answer or the name of the error.

    ``strict``: report every ICMP error; by default Linux hides "host unreachable" from UDP sockets.
    """
    with (
        lab.inside(host),
        socket.socket(socket.AF_INET6 if ":" in server else socket.AF_INET, socket.SOCK_DGRAM) as sock,
    ):
        sock.settimeout(timeout)
        try:
            if strict:
                sock.setsockopt(socket.SOL_IP, 11, 1)  # IP_RECVERR
            sock.connect((server, 53))
            sock.send(packet(name, qtype))
            return parse(sock.recv(65535))
        except OSError as error:
            return outcome(error)


def all_answers(lab: Lab, host: Host, name: str, seconds: float = 0.5) -> list[Looked]:
    """Every answer that comes to one question within some time."""
    found = []
    with lab.inside(host), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect((RESOLVER, 53))
        sock.send(packet(name))
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            sock.settimeout(left)
            try:
                answer = parse(sock.recv(65535))
            except TimeoutError:
                break
            assert isinstance(answer, Looked)
            found.append(answer)
    return found


def parse(data: bytes) -> Looked | str:
    """The answer section's addresses; 'garbage' for what is not a reply to our question."""
    if len(data) < 12 or data[:2] != b"\x12\x34" or not data[2] & 0x80:
        return "garbage"
    try:
        count = struct.unpack_from("!H", data, 6)[0]
        at = 12
        while data[at]:
            at += 1 + data[at]
        at += 5
        addresses = []
        for _ in range(count):
            while data[at] and data[at] < 0xC0:
                at += 1 + data[at]
            at += 2 if data[at] >= 0xC0 else 1
            kind, _klass, _ttl, size = struct.unpack_from("!HHIH", data, at)
            value = data[at + 10 : at + 10 + size]
            if kind in (1, 28):
                addresses.append(socket.inet_ntop(socket.AF_INET if kind == 1 else socket.AF_INET6, value))
            at += 10 + size
    except (IndexError, struct.error, ValueError):
        return "garbage"
    return Looked(data[3] & 15, sorted(addresses), bool(data[2] & 2))


def connect(lab: Lab, host: Host, address: str, port: int, timeout: float = 1.0) -> str:
    """``ok`` or the name of the error of one TCP connect."""
    with lab.inside(host):
        try:
            socket.create_connection((address, port), timeout=timeout).close()
        except OSError as error:
            return outcome(error)
    return "ok"


def fetch(
    lab: Lab,
    host: Host,
    name: str,
    port: int = 443,
    *,
    address: str | None = None,
    path: str = "/",
    roots: Any = None,
    timeout: float = 1.0,
    minimum: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2,
    maximum: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED,
    verify: bool = True,
) -> Seen:
    """Connect, TLS (not on port 80) and GET, by address, as the host; where it ended and how."""
    where = address or lab.service(name).v4[0]
    started = time.monotonic()
    seen = Seen("tcp", "ok")
    with lab.inside(host):
        try:
            sock: socket.socket = socket.create_connection((where, port), timeout=timeout)
        except OSError as error:
            return Seen("tcp", outcome(error), time.monotonic() - started)
        try:
            if port != 80:
                seen.phase = "tls"
                context = ssl.create_default_context(cafile=str(roots or host.trust_file))
                context.minimum_version, context.maximum_version = minimum, maximum
                if not verify:
                    context.check_hostname = False
                    context.verify_mode = ssl.CERT_NONE
                wrapped = context.wrap_socket(sock, server_hostname=name)
                sock = wrapped
                seen.tls_version = wrapped.version() or ""
                cert = wrapped.getpeercert() or {}
                seen.issuer = ", ".join("=".join(map(str, pair)) for rdn in cert.get("issuer", ()) for pair in rdn)
            seen.phase = "http"
            sock.sendall(f"GET {path} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
            raw = b""
            while len(raw) < 100_000 and (part := sock.recv(65536)):
                raw += part
            head, _, seen.body = raw.partition(b"\r\n\r\n")
            if not head:
                seen.outcome = "empty"
            elif not head.startswith(b"HTTP/"):
                seen.outcome = "garbage"
            else:
                lines = head.decode("latin-1").split("\r\n")
                seen.status = int(lines[0].split()[1])
                seen.headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}
        except (OSError, ValueError) as error:
            seen.outcome = outcome(error)
        finally:
            sock.close()
    seen.seconds = time.monotonic() - started
    return seen
