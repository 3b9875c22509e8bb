# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The look from outside, on loopback: real sockets and certificates, servers that answer, lie, hang and hang up."""

from __future__ import annotations

import contextlib
import datetime
import email.utils
import pathlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from ansible_collections.edefter.ready.plugins.plugin_utils.edge import reach
from ansible_collections.edefter.ready.plugins.plugin_utils.onboard.stages import Connection
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NOW = datetime.datetime.now(datetime.UTC)
UNAUTHORIZED = (
    b"HTTP/1.1 401 \r\nWWW-Authenticate: Negotiate\r\nWWW-Authenticate: Basic realm=\"WSMAN\", CredSSP\r\n"
    b"Server: Microsoft-HTTPAPI/2.0\r\nDate: %s\r\nContent-Length: 0\r\n\r\n"
)  # fmt: skip


def self_signed(folder: pathlib.Path, name: str, days: tuple[int, int] = (-1, 1)) -> tuple[str, str]:
    """Paths of a certificate, which is its own authority, and of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    begin, end = (NOW + datetime.timedelta(days=day) for day in days)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(True, None), critical=True)
        .add_extension(x509.KeyUsage(True, False, False, False, False, True, True, False, False), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = folder / f"{name}{days[1]}.pem", folder / f"{name}{days[1]}.key"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return str(paths[0]), str(paths[1])


@contextlib.contextmanager
def serving(answer: Callable[[socket.socket], None], pair: tuple[str, str] | None = None) -> Iterator[int]:
    """A server on loopback; its port. answer is called with each connection, encrypted when there is a pair."""
    context = None
    if pair is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*pair)
    server = socket.create_server(("127.0.0.1", 0))

    def wrapped(plain: socket.socket) -> contextlib.AbstractContextManager[socket.socket]:
        return context.wrap_socket(plain, server_side=True) if context else contextlib.nullcontext(plain)

    def one(plain: socket.socket) -> None:
        with contextlib.suppress(OSError), plain, wrapped(plain) as line:
            answer(line)

    def serve() -> None:
        while True:
            try:
                plain, _peer = server.accept()
            except OSError:
                return
            threading.Thread(target=one, args=(plain,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield server.getsockname()[1]
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()


def says(content: bytes) -> Callable[[socket.socket], None]:
    def answer(line: socket.socket) -> None:
        line.recv(65536)
        line.sendall(content)

    return answer


def winrm(skew: float = 0.0) -> Callable[[socket.socket], None]:
    return says(UNAUTHORIZED % email.utils.formatdate(time.time() + skew, usegmt=True).encode())


def to(port: int, *, tls: bool = False, address: str = "localhost", verify: bool = True) -> Connection:
    return Connection("winrm", address, port, tls, "ntlm", "x", verify)


def test_a_listener_for_http() -> None:
    with serving(winrm(-420)) as port:
        seen = reach.look(to(port), timeout=2)
    assert (seen.dns, seen.ports, seen.http, seen.status) == ("ok", {port: "ok"}, "ok", 401)
    assert seen.offers == ("negotiate", "basic", "credssp")
    assert seen.server == "Microsoft-HTTPAPI/2.0"
    assert seen.skew is not None
    assert abs(seen.skew + 420) < 3


def test_a_listener_for_https(tmp_path: pathlib.Path) -> None:
    pair = self_signed(tmp_path, "localhost")
    with serving(winrm(), pair) as port:
        trusted = reach.look(to(port, tls=True), pair[0], 2)
        unknown = reach.look(to(port, tls=True), None, 2)
        by_address = reach.look(to(port, tls=True, address="127.0.0.1"), pair[0], 2)
        unchecked = reach.look(to(port, tls=True, verify=False), None, 2)
        lost = reach.look(to(port, tls=True), str(tmp_path / "nowhere.pem"), 2)
    assert (trusted.tls, trusted.http) == ("ok", "ok")
    assert trusted.certificate is not None
    assert trusted.certificate.names == ("localhost",)
    assert "localhost" in trusted.certificate.subject
    # Not trusted: read, and nothing asked over it.
    assert (unknown.tls, unknown.http) == ("untrusted", "")
    assert unknown.certificate is not None
    assert by_address.tls == "wrong_name"
    assert (unchecked.tls, unchecked.http) == ("untrusted", "ok")
    assert (lost.tls, lost.certificate) == ("ca_file", None)


@pytest.mark.parametrize(("days", "code"), [((-9, -2), "expired"), ((2, 9), "not_yet_valid")])
def test_a_certificate_out_of_its_time(days: tuple[int, int], code: str, tmp_path: pathlib.Path) -> None:
    pair = self_signed(tmp_path, "localhost", days)
    with serving(winrm(), pair) as port:
        seen = reach.look(to(port, tls=True), pair[0], 2)
    assert seen.tls == code
    assert seen.certificate is not None


def test_no_tls_where_tls_is_expected() -> None:
    with serving(says(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")) as port:
        assert reach.look(to(port, tls=True), None, 2).tls == "not_tls"
    with serving(lambda line: time.sleep(2)) as port:
        assert reach.look(to(port, tls=True), None, 0.3).tls == "timeout"
    with serving(lambda line: line.close()) as port:
        assert reach.look(to(port, tls=True), None, 2).tls in ("reset", "error", "handshake")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "not_http"),
        (b"", "not_http"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500 + b"\r\n", "not_http"),
        (b"HTTP/1.1 200 OK\r\n\r\n<html>", "ok"),
    ],
)
def test_what_is_no_winrm(content: bytes, code: str) -> None:
    with serving(says(content)) as port:
        assert reach.look(to(port), timeout=2).http == code


def test_silence() -> None:
    with serving(lambda line: time.sleep(2)) as port:
        assert reach.look(to(port), timeout=0.3).http == "timeout"


def test_odd_headers_are_bounded() -> None:
    odd = (
        b"HTTP/1.1 401 \r\nWWW-Authenticate: " + b"a" * 400 + b", B4d!, , Negotiate x\r\nServer: \x01evil" + b"y" * 500
    )
    with serving(says(odd + b"\r\nDate: yesterday\r\nContent-Length: 0\r\n\r\n")) as port:
        seen = reach.look(to(port), timeout=2)
    assert seen.offers == ()
    assert len(seen.server) == 120
    assert "\x01" not in seen.server
    assert seen.skew is None


def test_nobody_listens() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        seen = reach.look(to(port, address="127.0.0.1"), timeout=1)
    assert seen.ports[port] == "refused"
    assert set(seen.ports) == {port, 5985, 5986}
    assert seen.http == ""


def test_names() -> None:
    assert reach.resolve("localhost", 2)[1] == "ok"
    addresses, code = reach.resolve("a" * 70 + ".invalid", 5)
    assert addresses == ()
    assert code != "ok"


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (socket.EAI_NONAME, "nxdomain"),
        (socket.EAI_NODATA, "nodata"),
        (socket.EAI_AGAIN, "try_again"),
        (socket.EAI_FAIL, "error"),
    ],
)
def test_what_the_resolver_says(number: int, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_options: object) -> object:
        raise socket.gaierror(number, "text in any language")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert reach.resolve("pc1.firma.local", 2) == ((), code)
    assert reach.look(to(5985, address="pc1.firma.local"), timeout=1).dns == code


def test_a_resolver_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: time.sleep(1))
    assert reach.resolve("pc1.firma.local", 0.1) == ((), "timeout")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConnectionRefusedError(), "refused"),
        (ConnectionResetError(), "reset"),
        (TimeoutError(), "timeout"),
        (PermissionError(), "access_denied"),
        (OSError(113, "x"), "host_unreachable"),
        (OSError(101, "x"), "network_unreachable"),
        (OSError("x"), "error"),
    ],
)
def test_codes(error: OSError, code: str) -> None:
    assert reach.code_of(error) == code


def test_behind_a_proxy_nothing_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args: pytest.fail("asked"))
    assert reach.look(Connection("winrm", "pc1", 5986, True, "ntlm", "x", proxied=True)) == reach.Looked()


def test_ssh_is_only_connected_to() -> None:
    with serving(says(b"SSH-2.0-x\r\n")) as port:
        seen = reach.look(Connection("ssh", "127.0.0.1", port, False, "", "x"), timeout=2)
    assert (seen.ports, seen.http, seen.tls) == ({port: "ok"}, "", "")
