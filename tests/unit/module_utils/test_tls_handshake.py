# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Handshakes with a server on loopback whose certificates were made for the purpose: what is trusted, and why not."""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import pathlib
import socket
import ssl
import threading
import typing as t
from collections.abc import Iterator

import pytest
from ansible_collections.edefter.ready.plugins.module_utils import tls
from ansible_collections.edefter.ready.plugins.module_utils.core import Deadline
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NOW = dt.datetime.now(dt.UTC)
DAY = dt.timedelta(days=1)
HOST = "uyg.edefter.gov.tr"


@functools.cache
def key(name: str) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def named(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def certificate(
    subject: str,
    signer: str,
    *,
    ca: bool = False,
    start: dt.datetime = NOW - DAY,
    end: dt.datetime = NOW + DAY,
    san: str = HOST,
) -> bytes:
    builder = (
        x509.CertificateBuilder()
        .subject_name(named(subject))
        .issuer_name(named(signer))
        .public_key(key(subject).public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca, None), critical=True)
    )
    if not ca:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(san)]), critical=False)
    return builder.sign(key(signer), hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@contextlib.contextmanager
def serving(folder: pathlib.Path, *chain: bytes, version: ssl.TLSVersion | None = None) -> Iterator[int]:
    """A TLS server with that chain (leaf first, its key is the leaf's)."""
    (folder / "chain.pem").write_bytes(b"".join(chain))
    private = key("leaf").private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "chain.pem", folder / "key.pem")
    if version is not None:
        context.maximum_version = version
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(0.05)
    over = threading.Event()

    def serve() -> None:
        while not over.is_set():
            with contextlib.suppress(OSError):
                client = listening.accept()[0]
                client.settimeout(2)
                with context.wrap_socket(client, server_side=True) as secure:
                    secure.recv(10)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        over.set()
        thread.join()
        listening.close()


def probe(port: int, **more: t.Any) -> dict[str, t.Any]:
    def connect() -> socket.socket:
        return socket.create_connection(("127.0.0.1", port), 2)

    data, channel = tls.probe(connect, connect(), HOST, 2.0, Deadline(10), tls.Contexts(), **more)
    if channel is not None:
        channel.sock.close()
    return data


@pytest.fixture(autouse=True)
def roots(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This process trusts one root, and it is ours."""
    (tmp_path / "roots.pem").write_bytes(
        certificate("root", "root", ca=True, end=NOW + 4000 * DAY, start=NOW - 4000 * DAY)
    )
    (tmp_path / "none").mkdir()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "roots.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "none"))


@pytest.mark.parametrize(
    ("leaf", "trusted", "status", "name_match"),
    [
        ({"signer": "root"}, True, [], True),
        ({"signer": "root", "san": "other.example"}, True, [], False),
        ({"signer": "root", "end": NOW - DAY / 2}, False, ["not_time_valid"], True),
        ({"signer": "root", "start": NOW + DAY / 2}, False, ["not_time_valid"], True),
        ({"signer": "stranger"}, False, ["partial_chain"], True),
        ({"signer": "stranger", "end": NOW - DAY / 2}, False, ["not_time_valid", "partial_chain"], True),
        ({"signer": "leaf"}, False, ["untrusted_root"], True),
    ],
    ids=["good", "wrong name", "expired", "not yet", "unknown issuer", "unknown and expired", "self-signed"],
)
@pytest.mark.parametrize("version", [None, ssl.TLSVersion.TLSv1_2])
def test_trust(
    tmp_path: pathlib.Path,
    leaf: dict[str, t.Any],
    trusted: bool,
    status: list[str],
    name_match: bool,
    version: ssl.TLSVersion | None,
) -> None:
    with serving(tmp_path, certificate("leaf", **leaf), version=version) as port:
        data = probe(port)
    assert data["error"] is None
    assert (data["trusted"], data["chain_status"], data["name_match"]) == (trusted, status, name_match)
    assert data["version"] == ("TLSv1.2" if version else "TLSv1.3")
    assert data["first_bytes"].startswith("160303")
    assert (data["sni"], data["bytes_received"] > 500) == (HOST, True)
    assert [c["subject"] for c in data["chain"]] == ["CN=leaf"]


def test_the_chain_as_sent(tmp_path: pathlib.Path) -> None:
    chain = [
        certificate("leaf", "middle"),
        certificate("middle", "root", ca=True),
        certificate("root", "root", ca=True),
    ]
    with serving(tmp_path, *chain) as port:
        data = probe(port)
    assert [c["subject"] for c in data["chain"]] == ["CN=leaf", "CN=middle", "CN=root"]
    assert data["trusted"] is True


def test_an_incomplete_chain(tmp_path: pathlib.Path) -> None:
    with serving(tmp_path, certificate("leaf", "middle")) as port:
        data = probe(port)
    assert (data["trusted"], data["chain_status"]) == (False, ["partial_chain"])


def test_a_private_root_at_the_end_of_the_chain(tmp_path: pathlib.Path) -> None:
    with serving(tmp_path, certificate("leaf", "firm"), certificate("firm", "firm", ca=True)) as port:
        data = probe(port)
    assert (data["trusted"], data["chain_status"]) == (False, ["untrusted_root"])


def test_trust_is_not_asked_for(tmp_path: pathlib.Path) -> None:
    with serving(tmp_path, certificate("leaf", "stranger")) as port:
        data = probe(port, verify=False)
    assert (data["error"], data["trusted"], data["name_match"]) == (None, None, True)


def test_a_second_connection_that_fails(tmp_path: pathlib.Path) -> None:
    with serving(tmp_path, certificate("leaf", "stranger")) as port:
        sock = socket.create_connection(("127.0.0.1", port), 2)
        data, channel = tls.probe(lambda: None, sock, HOST, 2.0, Deadline(10), tls.Contexts())
    assert channel is None
    assert (data["error"]["code"], data["trusted"], data["chain_status"]) == ("handshake", False, ["partial_chain"])


def test_an_old_server_is_refused(tmp_path: pathlib.Path) -> None:
    """ServerHello of TLS 1.0, played back: what we do not offer is not talked."""
    ours, theirs = socket.socketpair()
    body = b"\x03\x01" + bytes(32) + b"\0" + b"\xc0\x14\0"
    hello = b"\2" + len(body).to_bytes(3, "big") + body
    theirs.sendall(b"\x16\x03\x01" + len(hello).to_bytes(2, "big") + hello)
    data, channel = tls.probe(lambda: None, ours, HOST, 1.0, Deadline(5), tls.Contexts())
    theirs.close()
    assert channel is None
    assert data["error"]["code"] == "version"
