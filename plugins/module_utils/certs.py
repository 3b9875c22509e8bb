# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""X.509 certificates read from DER (RFC 5280, X.690), bounded and without a library. Twin of Certs.cs.

Both twins must report one certificate in the same words whatever the platform's own reader thinks of it, and an
invalid one is what we are here for. Reading only: nothing is verified here.
"""

from __future__ import annotations

import datetime
import hashlib
import re
import socket
import typing as t

from ansible_collections.edefter.ready.plugins.module_utils.core import Data, bound

MAX_CERT = 65536
MAX_CHAIN = 8
MAX_SAN = 64

_NAMES = {
    "2.5.4.3": "CN", "2.5.4.4": "SN", "2.5.4.5": "SERIALNUMBER", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST",
    "2.5.4.9": "STREET", "2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.12": "T", "2.5.4.42": "GN",
    "2.5.4.97": "ORGANIZATIONID",
    "0.9.2342.19200300.100.1.25": "DC", "0.9.2342.19200300.100.1.1": "UID", "1.2.840.113549.1.9.1": "E",
}  # fmt: skip
_SIGNATURES = {
    "1.2.840.113549.1.1.4": "md5WithRSAEncryption",
    "1.2.840.113549.1.1.5": "sha1WithRSAEncryption",
    "1.2.840.113549.1.1.10": "rsassaPss",
    "1.2.840.113549.1.1.11": "sha256WithRSAEncryption",
    "1.2.840.113549.1.1.12": "sha384WithRSAEncryption",
    "1.2.840.113549.1.1.13": "sha512WithRSAEncryption",
    "1.2.840.10045.4.1": "ecdsa-with-SHA1",
    "1.2.840.10045.4.3.2": "ecdsa-with-SHA256",
    "1.2.840.10045.4.3.3": "ecdsa-with-SHA384",
    "1.2.840.10045.4.3.4": "ecdsa-with-SHA512",
    "1.3.101.112": "ed25519",
    "1.3.101.113": "ed448",
}
_KEYS = {
    "1.2.840.113549.1.1.1": "rsa",
    "1.2.840.113549.1.1.10": "rsa",
    "1.2.840.10045.2.1": "ec",
    "1.2.840.10040.4.1": "dsa",
    "1.3.101.112": "ed25519",
    "1.3.101.113": "ed448",
}
_CURVES = {
    "1.2.840.10045.3.1.1": 192,
    "1.3.132.0.33": 224,
    "1.2.840.10045.3.1.7": 256,
    "1.3.132.0.10": 256,
    "1.3.132.0.34": 384,
    "1.3.132.0.35": 521,
}


class DerError(ValueError):
    """Not the DER that was expected."""


class Tlv(t.NamedTuple):
    """One element: its tag byte and where it and its content lie."""

    tag: int
    start: int
    body: int
    end: int


def tlv(data: bytes, pos: int, end: int) -> Tlv:
    """The element at pos. Raises DerError for anything that is not DER or does not fit."""
    if pos + 2 > end:
        raise DerError("an element beyond the end")
    tag, length, body = data[pos], data[pos + 1], pos + 2
    if tag & 0x1F == 0x1F:
        raise DerError("a tag of several bytes")
    if length >= 0x80:
        count = length & 0x7F
        if not 1 <= count <= 4 or body + count > end:
            raise DerError("a length of unknown form")
        length = int.from_bytes(data[body : body + count], "big")
        body += count
    if length > end - body:
        raise DerError("an element longer than what holds it")
    return Tlv(tag, pos, body, body + length)


def children(data: bytes, parent: Tlv, limit: int = 256) -> t.List[Tlv]:
    """The elements inside a constructed one."""
    result: t.List[Tlv] = []
    pos = parent.body
    while pos < parent.end:
        if len(result) >= limit:
            raise DerError("too many elements")
        item = tlv(data, pos, parent.end)
        result.append(item)
        pos = item.end
    return result


def _expect(item: Tlv, tag: int, what: str) -> Tlv:
    if item.tag != tag:
        raise DerError(f"{what}: tag {item.tag:#04x}")
    return item


def oid(data: bytes, item: Tlv) -> str:
    """Dotted form of an OBJECT IDENTIFIER."""
    _expect(item, 0x06, "object identifier")
    raw = data[item.body : item.end]
    if not 1 <= len(raw) <= 64 or raw[-1] & 0x80:
        raise DerError("an object identifier without an end")
    values: t.List[int] = []
    value = 0
    for byte in raw:
        value = value << 7 | byte & 0x7F
        if value > 0x7FFFFFFF:
            raise DerError("an object identifier too large")
        if not byte & 0x80:
            values.append(value)
            value = 0
    first = min(values[0] // 40, 2)
    return ".".join(str(v) for v in [first, values[0] - 40 * first, *values[1:]])


def _string(data: bytes, item: Tlv) -> str:
    raw = data[item.body : item.end][:1024]
    if item.tag == 0x1E:
        text = raw[: len(raw) // 2 * 2].decode("utf-16-be", "replace")
    elif item.tag == 0x0C:
        text = raw.decode("utf-8", "replace")
    elif item.tag in (0x13, 0x16, 0x14, 0x12, 0x1A):
        text = raw.decode("latin-1")
    else:
        return "#" + raw[:64].hex()
    escaped = re.sub(r'([,+"\\<>;=])', r"\\\1", bound(text, 200) or "")
    if escaped[:1] in ("#", " "):
        escaped = "\\" + escaped
    return escaped


def name_text(data: bytes, item: Tlv) -> str:
    """A Name as `CN=…, O=…`, in the order of the certificate."""
    _expect(item, 0x30, "name")
    parts: t.List[str] = []
    for rdn in children(data, item, 64):
        pairs = []
        for attribute in children(data, _expect(rdn, 0x31, "name part"), 16):
            kinds = children(data, _expect(attribute, 0x30, "attribute"), 4)
            if len(kinds) != 2:
                raise DerError("an attribute without a value")
            key = oid(data, kinds[0])
            pairs.append(f"{_NAMES.get(key, key)}={_string(data, kinds[1])}")
        parts.append("+".join(pairs))
    return bound(", ".join(parts), 1000) or ""


_UTC = re.compile(rb"(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?Z")
_GENERAL = re.compile(rb"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.\d+)?Z")


def _time(data: bytes, item: Tlv) -> str:
    raw = data[item.body : item.end]
    match = (_UTC if item.tag == 0x17 else _GENERAL).fullmatch(raw) if item.tag in (0x17, 0x18) else None
    if match is None:
        raise DerError("a time of unknown form")
    year, month, day, hour, minute, second = (int(v or 0) for v in match.groups())
    if item.tag == 0x17:
        year += 1900 if year >= 50 else 2000
    try:
        datetime.datetime(year, month, day, hour, minute, second)
    except ValueError as error:
        raise DerError("a time of unknown form") from error
    return f"{year:04d}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:{second:02d}.000Z"


def _key(data: bytes, spki: Tlv) -> t.Tuple[str, t.Optional[int]]:
    parts = children(data, spki, 4)
    algorithm = children(data, _expect(parts[0], 0x30, "algorithm"), 4)
    key = oid(data, algorithm[0])
    kind = _KEYS.get(key, key)
    bits: t.Optional[int] = None
    if kind == "rsa" and len(parts) > 1 and parts[1].tag == 0x03:
        modulus = children(data, tlv(data, parts[1].body + 1, parts[1].end), 4)[0]
        bits = int.from_bytes(data[modulus.body : modulus.end], "big").bit_length()
    elif kind == "ec" and len(algorithm) > 1 and algorithm[1].tag == 0x06:
        bits = _CURVES.get(oid(data, algorithm[1]))
    elif kind == "ed25519":
        bits = 256
    elif kind == "ed448":
        bits = 456
    return kind, bits


def _extensions(data: bytes, item: Tlv) -> t.Tuple[t.List[str], t.Optional[bool]]:
    san: t.List[str] = []
    is_ca: t.Optional[bool] = None
    for extension in children(data, tlv(data, item.body, item.end), 128):
        parts = children(data, extension, 4)
        key = oid(data, parts[0])
        value = _expect(parts[-1], 0x04, "extension")
        if key == "2.5.29.17":
            for entry in children(data, tlv(data, value.body, value.end), 2000):
                if len(san) >= MAX_SAN:
                    break
                raw = data[entry.body : entry.end]
                if entry.tag == 0x82:
                    san.append("dns:" + (bound(raw[:255].decode("latin-1"), 255) or ""))
                elif entry.tag == 0x87 and len(raw) in (4, 16):
                    family = socket.AF_INET if len(raw) == 4 else socket.AF_INET6
                    san.append("ip:" + socket.inet_ntop(family, raw))
        elif key == "2.5.29.19":
            inner = children(data, tlv(data, value.body, value.end), 4)
            is_ca = bool(inner) and inner[0].tag == 0x01 and data[inner[0].body : inner[0].end] != b"\0"
    return san, is_ca


def _read(data: bytes) -> Data:
    outer = children(data, _expect(tlv(data, 0, len(data)), 0x30, "certificate"), 4)
    if len(outer) != 3:
        raise DerError("a certificate without its three parts")
    fields = children(data, _expect(outer[0], 0x30, "tbsCertificate"), 16)
    if fields and fields[0].tag == 0xA0:
        fields = fields[1:]
    if len(fields) < 6:
        raise DerError("a certificate that lacks fields")
    serial, _signature, issuer, validity, subject, spki = fields[:6]
    _expect(serial, 0x02, "serial number")
    dates = children(data, _expect(validity, 0x30, "validity"), 4)
    if len(dates) != 2:
        raise DerError("a validity without two dates")
    _expect(spki, 0x30, "public key")
    kind, bits = _key(data, spki)
    san: t.List[str] = []
    is_ca: t.Optional[bool] = None
    for item in fields[6:]:
        if item.tag == 0xA3:
            san, is_ca = _extensions(data, item)
    algorithm = oid(data, children(data, _expect(outer[1], 0x30, "signature algorithm"), 4)[0])
    return {
        "subject": name_text(data, subject),
        "issuer": name_text(data, issuer),
        "serial": data[serial.body : serial.end][:40].hex(),
        "not_before": _time(data, dates[0]),
        "not_after": _time(data, dates[1]),
        "sha256": hashlib.sha256(data).hexdigest(),
        "spki_sha256": hashlib.sha256(data[spki.start : spki.end]).hexdigest(),
        "san": san,
        "self_signed": data[subject.start : subject.end] == data[issuer.start : issuer.end],
        "is_ca": is_ca,
        "signature_algorithm": _SIGNATURES.get(algorithm, algorithm),
        "key_type": kind,
        "key_bits": bits,
    }


def read_certificate(data: bytes) -> Data:
    """CERT of docs/observation-endpoints.md; {"malformed", "sha256"} when it cannot be read. Never raises."""
    try:
        if len(data) > MAX_CERT:
            raise DerError("a certificate of more than 64 KiB")
        return _read(data)
    except DerError as error:
        why = str(error)
    except (IndexError, ValueError, OverflowError):
        why = "an element is missing"
    return {"malformed": bound(why, 120), "sha256": hashlib.sha256(data).hexdigest()}


def common_name(subject: str) -> t.Optional[str]:
    """The last CN of a subject written by name_text, unescaped; None without one."""
    found = re.findall(r"(?:^|, |\+)CN=((?:\\.|[^,+\\])*)", subject)
    return re.sub(r"\\(.)", r"\1", found[-1]) if found else None


def _canonical_ip(text: str) -> t.Optional[bytes]:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            return socket.inet_pton(family, text)
        except (OSError, ValueError):
            continue
    return None


def name_matches(cert: Data, host: str) -> t.Optional[bool]:
    """RFC 6125 as browsers do it: SAN only when there is one, a wildcard stands for the whole leftmost label.

    None: the certificate is unreadable.
    """
    if "malformed" in cert:
        return None
    wanted = host.rstrip(".").lower()
    address = _canonical_ip(wanted)
    patterns = [s[4:] for s in cert["san"] if s.startswith("dns:")]
    if address is not None:
        return any(_canonical_ip(s[3:]) == address for s in cert["san"] if s.startswith("ip:"))
    if not cert["san"]:
        common = common_name(cert["subject"])
        patterns = [common] if common else []
    for pattern in patterns:
        text = pattern.rstrip(".").lower()
        if text == wanted:
            return True
        if text.startswith("*.") and text.count(".") >= 2 and "." in wanted and wanted.split(".", 1)[1] == text[2:]:
            return True
    return False
