# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One TLS handshake, read byte by byte: what came back, the alert, the chain as sent, what this machine thinks of it.

Twin of Tls.cs. Nothing that a handshake would have to protect is ever sent over it. A certificate that does not verify
is accepted for reading, by a second handshake that verifies nothing, and `trusted` says so.
"""

from __future__ import annotations

import contextlib
import datetime
import socket
import ssl
import threading
import time
import typing as t

from ansible_collections.edefter.ready.plugins.module_utils import certs
from ansible_collections.edefter.ready.plugins.module_utils.core import Data, Deadline, fault_from, iso, make_fault

FIRST_BYTES = 16
MAX_TEE = 65536
MAX_HANDSHAKE = 262144
MAX_CACHE = 512
# Silence after the ClientHello for this part of the timeout counts as a stall for the second question (another SNI),
# so that it runs beside the first and costs little time of its own.
STALL_AT = 0.4
_X509_NO_CHECK_TIME = 0x200000

# OpenSSL's verify codes (openssl/x509_vfy.h) in the words of Windows' X509ChainStatusFlags.
_STATUS = {
    2: "partial_chain", 20: "partial_chain", 21: "partial_chain", 27: "partial_chain",
    18: "untrusted_root", 19: "untrusted_root",
    7: "not_signature_valid", 6: "not_signature_valid",
    9: "not_time_valid", 10: "not_time_valid", 13: "malformed", 14: "malformed",
    22: "partial_chain", 23: "revoked", 24: "invalid_basic_constraints",
    25: "invalid_basic_constraints", 79: "invalid_basic_constraints",
    26: "not_valid_for_usage", 28: "explicit_distrust", 47: "invalid_name_constraints", 48: "invalid_name_constraints",
    66: "weak_signature", 67: "weak_signature", 68: "weak_signature",
}  # fmt: skip
_DATES = (9, 10)
# protocol_version (RFC 8446 section 6.2) and inappropriate_fallback (RFC 7507).
_VERSION_ALERTS = (70, 86)


class Contexts:
    """The three ways of asking, made once per observation: reading the trust store costs more than a handshake."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: t.Dict[str, ssl.SSLContext] = {}
        self._certificates: t.Dict[bytes, Data] = {}

    def get(self, kind: str) -> ssl.SSLContext:
        """kind: verify | dates_aside | read."""
        with self._lock:
            context = self._made.get(kind)
            if context is None:
                context = self._made[kind] = _context(kind)
            return context

    def certificate(self, der: bytes) -> Data:
        """The certificate, read once: the addresses of a name all send the same chain."""
        with self._lock:
            known = self._certificates.get(der)
        if known is None:
            known = certs.read_certificate(der)
            with self._lock:
                if len(self._certificates) < MAX_CACHE:
                    self._certificates[der] = known
        return known


def _context(kind: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    if kind == "read":
        context.verify_mode = ssl.CERT_NONE
        # Debian refuses small keys and SHA-1 already while reading; here they are to be seen.
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        return context
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    if kind == "dates_aside":
        context.verify_flags |= _X509_NO_CHECK_TIME
    return context


class Seen(t.NamedTuple):
    """What the plaintext records of the server's first bytes say."""

    not_tls: bool
    alert: t.Optional[Data]
    server_version: t.Optional[int]


def scan(first: bytes) -> Seen:
    """Reads TLS records (RFC 5246 section 6.2, RFC 8446 section 5.1) as far as they are in the clear. Never raises."""
    if not first:
        return Seen(False, None, None)
    if not 20 <= first[0] <= 24 or (len(first) > 1 and first[1] != 3):
        return Seen(True, None, None)
    alert: t.Optional[Data] = None
    version: t.Optional[int] = None
    pos = 0
    while pos + 5 <= len(first):
        kind, major = first[pos], first[pos + 1]
        length = first[pos + 3] << 8 | first[pos + 4]
        if not 20 <= kind <= 24 or major != 3 or length > 18432:
            return Seen(pos == 0, alert, version)
        body = first[pos + 5 : pos + 5 + length]
        # An alert in the clear has two bytes; an encrypted one is longer.
        if kind == 21 and length == 2 and len(body) == 2 and alert is None:
            alert = {"level": body[0], "description": body[1]}
        elif kind == 22 and version is None and len(body) >= 6 and body[0] == 2:
            version = body[4] << 8 | body[5]
        pos += 5 + length
    return Seen(False, alert, version)


def error_code(seen: Seen, fault: str) -> str:
    """The code of a failed handshake: what the server's bytes prove goes before what the library said."""
    if seen.not_tls:
        return "not_tls"
    if seen.alert is not None and seen.alert["description"] in _VERSION_ALERTS:
        return "version"
    if seen.alert is not None and seen.alert["description"] != 0:
        return "alert"
    if seen.server_version is not None and seen.server_version < 0x0303:
        return "version"
    if fault in ("timeout", "reset", "eof", "deadline", "aborted"):
        return "reset" if fault == "aborted" else fault
    return "handshake"


def empty(sni: t.Optional[str]) -> Data:
    """TLS of docs/observation-endpoints.md before anything came."""
    return {
        "error": None,
        "elapsed_ms": None,
        "sni": sni,
        "version": None,
        "cipher": None,
        "offered": ["TLSv1.2", "TLSv1.3"] if ssl.HAS_TLSv1_3 else ["TLSv1.2"],
        "alert": None,
        "bytes_received": 0,
        "first_bytes": "",
        "name_match": None,
        "trusted": None,
        "chain_status": [],
        "chain": [],
    }


class Stream:
    """A byte stream with an end time for each operation: what the HTTP half reads from, in the clear or through TLS."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock

    def _wait(self, end: float) -> None:
        left = end - time.monotonic()
        if left <= 0:
            raise socket.timeout("timed out")
        self.sock.settimeout(left)

    def send(self, data: bytes, end: float) -> None:
        self._wait(end)
        self.sock.sendall(data)

    def recv(self, size: int, end: float) -> bytes:
        """At least one byte, or none when the other side has closed."""
        self._wait(end)
        return self.sock.recv(size)


class Channel(Stream):
    """TLS over a socket through memory, so that every byte of the server is seen."""

    def __init__(self, sock: socket.socket, context: ssl.SSLContext, sni: t.Optional[str]) -> None:
        super().__init__(sock)
        self._in = ssl.MemoryBIO()
        self._out = ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._in, self._out, server_hostname=sni)
        self.first = bytearray()
        self.received = 0
        self._ended = False
        self.stall: t.Optional[t.Tuple[float, t.Callable[[], None]]] = None

    def _flush(self, end: float) -> None:
        if self._out.pending > 0:
            Stream.send(self, self._out.read(), end)

    def _fill(self, end: float) -> None:
        stall = self.stall
        if stall is not None and not self.received and stall[0] < end:
            try:
                data = Stream.recv(self, 16384, max(stall[0], time.monotonic() + 0.001))
            except (socket.timeout, TimeoutError):
                self.stall = None
                stall[1]()
                return
        else:
            data = Stream.recv(self, 16384, end)
        if not data:
            self._ended = True
            self._in.write_eof()
            return
        self.received += len(data)
        self.first += data[: max(0, MAX_TEE - len(self.first))]
        self._in.write(data)

    def _run(self, call: t.Callable[[], t.Any], end: float) -> t.Any:
        while True:
            try:
                done = call()
                self._flush(end)
                return done
            except ssl.SSLWantReadError:
                self._flush(end)
                if self._ended:
                    raise EOFError("closed by the server") from None
                self._fill(end)

    def handshake(self, end: float) -> None:
        """Raises OSError (ssl.SSLError among them) or EOFError."""

        def step() -> None:
            if self.received > MAX_HANDSHAKE:
                raise ssl.SSLError(f"no handshake within {MAX_HANDSHAKE} bytes")
            self.tls.do_handshake()

        try:
            self._run(step, end)
        except ssl.SSLError:
            # The alert that says why is still in memory; without it the server would only see a reset.
            with contextlib.suppress(OSError):
                self._flush(end)
            raise

    def send(self, data: bytes, end: float) -> None:
        self._run(lambda: self.tls.write(data), end)

    def recv(self, size: int, end: float) -> bytes:
        try:
            return t.cast(bytes, self._run(lambda: self.tls.read(size), end))
        except (ssl.SSLZeroReturnError, EOFError, ssl.SSLEOFError):
            return b""

    def chain(self) -> t.List[bytes]:
        """Certificates as sent, DER, leaf first. Before Python 3.10 only the leaf can be had."""
        public = getattr(self.tls, "get_unverified_chain", None)
        if public is not None:
            return list(public() or [])[: certs.MAX_CHAIN]
        inner = getattr(self.tls, "_sslobj", None)
        private = getattr(inner, "get_unverified_chain", None)
        if private is not None:
            return [c.public_bytes(2) for c in (private() or [])][: certs.MAX_CHAIN]  # 2: _ssl.ENCODING_DER
        leaf = self.tls.getpeercert(True)
        return [leaf] if leaf else []


def _attempt(
    sock: socket.socket,
    context: ssl.SSLContext,
    sni: t.Optional[str],
    timeout: float,
    deadline: Deadline,
    on_stall: t.Optional[t.Callable[[], None]],
) -> t.Tuple[Data, Channel, t.Optional[BaseException]]:
    start = time.monotonic()
    cut = deadline.remaining < timeout
    limit = deadline.clamp(timeout)
    channel = Channel(sock, context, sni)
    if on_stall is not None:
        channel.stall = (start + STALL_AT * limit, on_stall)
    data = empty(sni)
    failed: t.Optional[BaseException] = None
    try:
        channel.handshake(start + limit)
    except (OSError, EOFError) as error:
        failed = error
    data["elapsed_ms"] = round((time.monotonic() - start) * 1000.0, 3)
    seen = scan(bytes(channel.first))
    data.update(alert=seen.alert, bytes_received=channel.received, first_bytes=bytes(channel.first[:FIRST_BYTES]).hex())
    if failed is None:
        cipher = channel.tls.cipher()
        data.update(version=channel.tls.version(), cipher=cipher[0] if cipher else None)
    else:
        fault = fault_from("tls", failed)
        code = fault["code"]
        if code == "timeout" and cut:
            deadline.cut()
            code = "deadline"
        data["error"] = make_fault("tls", error_code(seen, code), fault["native"], fault["message"])
    return data, channel, failed


def _local_dates(chain: t.List[Data]) -> bool:
    """Whether a certificate of the chain is out of its dates by this machine's clock."""
    now = iso(datetime.datetime.now(datetime.timezone.utc))
    return any("malformed" not in c and not c["not_before"] <= now <= c["not_after"] for c in chain)


def probe(
    connect: t.Callable[[], t.Optional[socket.socket]],
    sock: socket.socket,
    host: str,
    timeout: float,
    deadline: Deadline,
    contexts: Contexts,
    on_stall: t.Optional[t.Callable[[], None]] = None,
    verify: bool = True,
) -> t.Tuple[Data, t.Optional[Channel]]:
    """TLS with `host` as SNI over sock; (TLS, channel) where the channel is None after an error.

    connect: makes another connection to the same place, for reading a chain that does not verify.
    """
    sni = None if certs._canonical_ip(host) is not None else host.rstrip(".")
    data, channel, failed = _attempt(
        sock, contexts.get("verify" if verify else "read"), sni, timeout, deadline, on_stall
    )
    status: t.List[str] = []
    if verify and isinstance(failed, ssl.SSLCertVerificationError):
        status.append(_STATUS.get(failed.verify_code, "other"))
        for kind in ("dates_aside", "read") if failed.verify_code in _DATES else ("read",):
            sock.close()
            again = connect()
            if again is None:
                data["error"] = make_fault(
                    "tls", "handshake", None, "the second connection, for reading the chain, failed"
                )
                data.update(trusted=False, chain_status=status)
                return data, None
            sock = again
            data, channel, failed = _attempt(sock, contexts.get(kind), sni, timeout, deadline, None)
            if not isinstance(failed, ssl.SSLCertVerificationError):
                break
            code = _STATUS.get(failed.verify_code, "other")
            if code not in status:
                status.append(code)
    if failed is not None:
        sock.close()
        if status:
            data.update(trusted=False, chain_status=status)
        return data, None
    chain = [contexts.certificate(der) for der in channel.chain()]
    data["chain"] = chain
    if chain:
        data["name_match"] = certs.name_matches(chain[0], host)
    if verify:
        if "partial_chain" in status and chain and chain[-1].get("self_signed") is True:
            # The end of the chain is here and nobody trusts it; libraries differ in what they call that.
            status = ["untrusted_root" if code == "partial_chain" else code for code in status]
        if status and "not_time_valid" not in status and _local_dates(chain):
            status.append("not_time_valid")
        data.update(trusted=not status, chain_status=sorted(status))
    return data, channel
