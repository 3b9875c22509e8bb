# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates: against `cryptography` as the independent reader, against the C# twin, and against damaged DER."""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import ipaddress
import ssl

import pytest
from ansible_collections.edefter.ready.plugins.module_utils import certs
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

START = dt.datetime(2025, 1, 2, 3, 4, 5, tzinfo=dt.UTC)


@functools.cache
def key(kind: str):
    return {
        "rsa": lambda: rsa.generate_private_key(65537, 2048),
        "ec": lambda: ec.generate_private_key(ec.SECP256R1()),
        "ec384": lambda: ec.generate_private_key(ec.SECP384R1()),
        "dsa": lambda: dsa.generate_private_key(1024),
        "ed25519": ed25519.Ed25519PrivateKey.generate,
        "ed448": ed448.Ed448PrivateKey.generate,
    }[kind]()


def name(*pairs: tuple[x509.ObjectIdentifier, str]) -> x509.Name:
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in pairs])


SUBJECT = name(
    (NameOID.COUNTRY_NAME, "TR"),
    (NameOID.ORGANIZATION_NAME, "Gelir, İdare"),
    (NameOID.COMMON_NAME, "uyg.edefter.gov.tr"),
)


def make(
    *,
    subject: x509.Name = SUBJECT,
    issuer: x509.Name | None = None,
    san: list[x509.GeneralName] | None = None,
    kind: str = "ec",
    ca: bool | None = None,
    start: dt.datetime = START,
    end: dt.datetime = START + dt.timedelta(days=90),
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer if issuer is not None else name((NameOID.COMMON_NAME, "Lab CA")))
        .public_key(key(kind).public_key())
        .serial_number(0x1234ABCD)
        .not_valid_before(start)
        .not_valid_after(end)
    )
    if san is not None:
        builder = builder.add_extension(x509.SubjectAlternativeName(san), critical=False)
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca, None), critical=True)
    algorithm = None if kind.startswith("ed") else hashes.SHA256()
    return builder.sign(key(kind), algorithm)


def der(cert: x509.Certificate) -> bytes:
    return cert.public_bytes(serialization.Encoding.DER)


def both(windows_part, data: bytes):
    """What the twins make of a certificate; they must agree."""
    mine = certs.read_certificate(data)
    assert windows_part("certificate", hex=data.hex()) == mine
    return mine


@pytest.mark.parametrize(
    ("kind", "key_type", "bits", "signature"),
    [
        ("rsa", "rsa", 2048, "sha256WithRSAEncryption"),
        ("ec", "ec", 256, "ecdsa-with-SHA256"),
        ("ec384", "ec", 384, "ecdsa-with-SHA256"),
        ("dsa", "dsa", None, "2.16.840.1.101.3.4.3.2"),
        ("ed25519", "ed25519", 256, "ed25519"),
        ("ed448", "ed448", 456, "ed448"),
    ],
)
def test_fields(windows_part, kind: str, key_type: str, bits: int | None, signature: str) -> None:
    san = [
        x509.DNSName("uyg.edefter.gov.tr"),
        x509.DNSName("*.edefter.gov.tr"),
        x509.IPAddress(ipaddress.ip_address("2001:db8::1")),
    ]
    cert = make(kind=kind, san=san, ca=False)
    data = der(cert)
    read = both(windows_part, data)
    spki = cert.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert read == {
        "subject": "C=TR, O=Gelir\\, İdare, CN=uyg.edefter.gov.tr",
        "issuer": "CN=Lab CA",
        "serial": "1234abcd",
        "not_before": "2025-01-02T03:04:05.000Z",
        "not_after": "2025-04-02T03:04:05.000Z",
        "sha256": hashlib.sha256(data).hexdigest(),
        "spki_sha256": hashlib.sha256(spki).hexdigest(),
        "san": ["dns:uyg.edefter.gov.tr", "dns:*.edefter.gov.tr", "ip:2001:db8::1"],
        "self_signed": False,
        "is_ca": False,
        "signature_algorithm": signature,
        "key_type": key_type,
        "key_bits": bits,
    }


def test_a_root_of_its_own(windows_part) -> None:
    read = both(windows_part, der(make(issuer=SUBJECT, ca=True)))
    assert (read["self_signed"], read["is_ca"], read["san"]) == (True, True, [])


def test_dates_beyond_2050(windows_part) -> None:
    start, end = (
        dt.datetime(1951, 1, 1, tzinfo=dt.UTC),
        dt.datetime(2051, 12, 31, 23, 59, 59, tzinfo=dt.UTC),
    )
    read = both(windows_part, der(make(start=start, end=end)))
    assert (read["not_before"], read["not_after"]) == ("1951-01-01T00:00:00.000Z", "2051-12-31T23:59:59.000Z")


texts = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cf", "Zl", "Zp", "Co", "Cn", "Zs")),
    min_size=1,
    max_size=40,
    # The library that makes the certificates allows a common name of 64 bytes.
).filter(lambda text: len(text.encode()) <= 64)


@given(
    st.lists(
        st.tuples(st.sampled_from([NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME, NameOID.LOCALITY_NAME]), texts),
        max_size=4,
    )
)
def test_any_name(windows_part, pairs) -> None:
    read = both(windows_part, der(make(subject=name(*pairs))))
    commons = [value for oid, value in pairs if oid == NameOID.COMMON_NAME]
    assert certs.common_name(read["subject"]) == (commons[-1] if commons else None)


@pytest.mark.filterwarnings("ignore:Parsed a serial number")
def test_real_roots(windows_part) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_default_certs()
    roots = context.get_ca_certs(binary_form=True)
    if not roots:
        pytest.skip("no trusted roots on this machine")
    for data in roots:
        read = both(windows_part, data)
        cert = x509.load_der_x509_certificate(data)
        assert int(read["serial"], 16) == cert.serial_number
        assert read["not_after"] == cert.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        assert read["self_signed"] is (cert.subject == cert.issuer)
        assert read["key_bits"] == cert.public_key().key_size


@given(st.data())
def test_a_damaged_certificate(windows_part, data: st.DataObject) -> None:
    raw = bytearray(sample())
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.sampled_from([len(raw), len(raw), data.draw(st.integers(0, len(raw)))]))
    both(windows_part, bytes(raw[:cut]))


@functools.cache
def sample() -> bytes:
    return der(make(san=[x509.DNSName("a.b.c")], ca=False))


@given(st.binary(max_size=400))
def test_byte_soup(windows_part, soup: bytes) -> None:
    both(windows_part, soup)


@pytest.mark.parametrize(
    ("san", "host", "matches"),
    [
        (["uyg.edefter.gov.tr"], "UYG.edefter.gov.tr.", True),
        (["*.edefter.gov.tr"], "uyg.edefter.gov.tr", True),
        (["*.edefter.gov.tr"], "edefter.gov.tr", False),
        (["*.edefter.gov.tr"], "a.b.edefter.gov.tr", False),
        (["*.tr"], "gov.tr", False),
        (["*"], "tr", False),
        (["u*.edefter.gov.tr"], "uyg.edefter.gov.tr", False),
        (["other.example"], "uyg.edefter.gov.tr", False),
        ([], "uyg.edefter.gov.tr", True),
        ([], "else.example", False),
        (["203.0.113.1"], "203.0.113.1", False),
    ],
)
def test_names(windows_part, san: list[str], host: str, matches: bool) -> None:
    data = der(make(san=[x509.DNSName(s) for s in san] or None))
    assert certs.name_matches(certs.read_certificate(data), host) is matches
    assert windows_part("name_matches", hex=data.hex(), host=host) is matches


def test_an_address_in_the_certificate(windows_part) -> None:
    data = der(
        make(
            san=[x509.IPAddress(ipaddress.ip_address("2001:db8::1")), x509.IPAddress(ipaddress.ip_address("192.0.2.7"))]
        )
    )
    for host, matches in (("2001:db8:0::1", True), ("192.0.2.7", True), ("192.0.2.8", False)):
        assert certs.name_matches(certs.read_certificate(data), host) is matches
        assert windows_part("name_matches", hex=data.hex(), host=host) is matches


def test_nothing_is_said_about_an_unreadable_one(windows_part) -> None:
    assert certs.name_matches(certs.read_certificate(b"x"), "a.b") is None
    assert windows_part("name_matches", hex="78", host="a.b") is None
