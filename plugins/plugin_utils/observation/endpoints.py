# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Section `endpoints`: what a host met on its way to each endpoint (docs/observation-endpoints.md), read.

Pure. Untrusted data becomes the frozen dataclasses of endpoint_model.py; what does not fit the contract raises
ShapeError. Text is bounded and addresses are canonical: nothing here can surprise a report or a rule.
"""

from __future__ import annotations

import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils import shape
from ansible_collections.edefter.ready.plugins.plugin_utils.model import ShapeError
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.endpoint_model import (
    Answer,
    Attempt,
    Body,
    Canary,
    Cert,
    Dns,
    Endpoints,
    Http,
    Icmp,
    ProxyAttempt,
    Query,
    Reply,
    Target,
    Tcp,
    Tls,
)
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.envelope import optional_fault
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.values import (
    address,
    addresses,
    elapsed,
    moment,
    words,
)

MAX_TARGETS = 128
MAX_ATTEMPTS = 32
MAX_QUERIES = 64
MAX_CHAIN = 16


def _answer(raw: object, path: str) -> Answer:
    m = shape.mapping(raw, path)
    return Answer(
        type=shape.text(m.get("type"), f"{path}.type", 16),
        data=shape.text(m.get("data"), f"{path}.data", 300),
        ttl=shape.integer(m.get("ttl", 0), f"{path}.ttl", 0, 2**32 - 1),
    )


def _reply(m: t.Mapping[str, object], path: str) -> Reply:
    return Reply(
        rcode=shape.integer(m.get("rcode"), f"{path}.rcode", 0, 4095),
        answers=shape.each(m.get("answers"), f"{path}.answers", _answer, 64),
    )


def _query(raw: object, path: str) -> Query:
    m = shape.mapping(raw, path)
    return Query(
        resolver=shape.text(m.get("resolver"), f"{path}.resolver", 80),
        type=shape.text(m.get("type"), f"{path}.type", 16),
        reply=None if m.get("rcode") is None else _reply(m, path),
        error=optional_fault(m.get("error"), f"{path}.error"),
        elapsed_ms=elapsed(m.get("elapsed_ms"), f"{path}.elapsed_ms"),
        replies=shape.integer(m.get("replies", 0), f"{path}.replies", 0, 10**6),
        others=shape.each(m.get("others"), f"{path}.others", lambda r, p: _reply(shape.mapping(r, p), p), 16),
        sent=shape.integer(m.get("sent", 0), f"{path}.sent", 0, 10**6),
        case_kept=shape.optional_boolean(m.get("case_kept"), f"{path}.case_kept"),
    )


def _dns(raw: object, path: str) -> Dns | None:
    m = shape.optional_mapping(raw, path)
    if m is None:
        return None
    system = shape.mapping(m.get("system"), f"{path}.system")
    return Dns(
        system=addresses(system.get("addresses"), f"{path}.system.addresses"),
        system_error=optional_fault(system.get("error"), f"{path}.system.error"),
        system_ms=elapsed(system.get("elapsed_ms"), f"{path}.system.elapsed_ms"),
        hosts_file=addresses(m.get("hosts_file"), f"{path}.hosts_file"),
        queries=shape.each(m.get("queries"), f"{path}.queries", _query, MAX_QUERIES),
    )


def _tcp(raw: object, path: str) -> Tcp:
    m = shape.mapping(raw, path)
    icmp = shape.optional_mapping(m.get("icmp"), f"{path}.icmp")
    found = m.get("address")
    return Tcp(
        error=optional_fault(m.get("error"), f"{path}.error"),
        elapsed_ms=elapsed(m.get("elapsed_ms"), f"{path}.elapsed_ms"),
        local_address=shape.optional_text(m.get("local_address"), f"{path}.local_address", 80),
        icmp=None
        if icmp is None
        else Icmp(
            sender=address(icmp.get("from"), f"{path}.icmp.from"),
            type=shape.integer(icmp.get("type"), f"{path}.icmp.type", 0, 255),
            code=shape.integer(icmp.get("code"), f"{path}.icmp.code", 0, 255),
        ),
        address=None if found is None else address(found, f"{path}.address"),
    )


def _cert(raw: object, path: str) -> Cert:
    m = shape.mapping(raw, path)
    sha256 = shape.text(m.get("sha256", ""), f"{path}.sha256", 64)
    broken = shape.optional_text(m.get("malformed"), f"{path}.malformed", 200)
    if broken is not None:
        return Cert("", "", None, None, sha256, "", (), False, "", "", None, broken)
    return Cert(
        subject=shape.text(m.get("subject"), f"{path}.subject", 400),
        issuer=shape.text(m.get("issuer"), f"{path}.issuer", 400),
        not_before=moment(m.get("not_before"), f"{path}.not_before"),
        not_after=moment(m.get("not_after"), f"{path}.not_after"),
        sha256=sha256,
        spki_sha256=shape.text(m.get("spki_sha256"), f"{path}.spki_sha256", 64),
        san=words(m.get("san"), f"{path}.san", 256),
        self_signed=shape.boolean(m.get("self_signed"), f"{path}.self_signed"),
        signature_algorithm=shape.text(m.get("signature_algorithm", ""), f"{path}.signature_algorithm", 80),
        key_type=shape.text(m.get("key_type", ""), f"{path}.key_type", 80),
        key_bits=shape.optional_integer(m.get("key_bits"), f"{path}.key_bits", 0, 10**6),
    )


def _tls(raw: object, path: str) -> Tls | None:
    m = shape.optional_mapping(raw, path)
    if m is None:
        return None
    alert = shape.optional_mapping(m.get("alert"), f"{path}.alert")
    return Tls(
        error=optional_fault(m.get("error"), f"{path}.error"),
        elapsed_ms=elapsed(m.get("elapsed_ms"), f"{path}.elapsed_ms"),
        sni=shape.optional_text(m.get("sni"), f"{path}.sni", 255),
        version=shape.optional_text(m.get("version"), f"{path}.version", 20),
        offered=words(m.get("offered"), f"{path}.offered", 16, 20),
        alert=None if alert is None else shape.integer(alert.get("description"), f"{path}.alert.description", 0, 255),
        bytes_received=shape.integer(m.get("bytes_received", 0), f"{path}.bytes_received", 0),
        first_bytes=shape.text(m.get("first_bytes") or "", f"{path}.first_bytes", 64).lower(),
        name_match=shape.optional_boolean(m.get("name_match"), f"{path}.name_match"),
        trusted=shape.optional_boolean(m.get("trusted"), f"{path}.trusted"),
        chain_status=frozenset(words(m.get("chain_status"), f"{path}.chain_status", 32, 60)),
        chain=shape.each(m.get("chain"), f"{path}.chain", _cert, MAX_CHAIN),
    )


def _body(raw: object, path: str) -> Body | None:
    m = shape.optional_mapping(raw, path)
    if m is None:
        return None
    return Body(
        length=shape.integer(m.get("length"), f"{path}.length", 0),
        sha256=shape.text(m.get("sha256", ""), f"{path}.sha256", 64),
        snippet=shape.text(m.get("snippet") or "", f"{path}.snippet", 512),
        title=shape.optional_text(m.get("title"), f"{path}.title", 200),
    )


def _http(raw: object, path: str) -> Http | None:
    m = shape.optional_mapping(raw, path)
    if m is None:
        return None
    headers = shape.optional_mapping(m.get("headers"), f"{path}.headers") or {}
    if len(headers) > 64:
        raise ShapeError(f"{path}.headers", f"{len(headers)} headers, at most 64 are read")
    return Http(
        error=optional_fault(m.get("error"), f"{path}.error"),
        elapsed_ms=elapsed(m.get("elapsed_ms"), f"{path}.elapsed_ms"),
        status=shape.optional_integer(m.get("status"), f"{path}.status", 0, 999),
        headers={name.lower()[:60]: shape.text(value, f"{path}.headers", 300) for name, value in headers.items()},
        date=moment(m.get("date"), f"{path}.date"),
        body=_body(m.get("body"), f"{path}.body"),
    )


def _attempt(raw: object, path: str) -> Attempt:
    m = shape.mapping(raw, path)
    where = address(m.get("address"), f"{path}.address")
    return Attempt(
        address=where,
        family=6 if ":" in where else 4,
        source=shape.text(m.get("source"), f"{path}.source", 20),
        tcp=_tcp(m.get("tcp"), f"{path}.tcp"),
        tls=_tls(m.get("tls"), f"{path}.tls"),
        http=_http(m.get("http"), f"{path}.http"),
        neutral_sni=_tls(m.get("neutral_sni"), f"{path}.neutral_sni"),
    )


def _proxy_attempt(raw: object, path: str) -> ProxyAttempt:
    m = shape.mapping(raw, path)
    return ProxyAttempt(
        proxy=shape.text(m.get("proxy"), f"{path}.proxy", 300),
        sources=words(m.get("sources"), f"{path}.sources", 32, 40),
        users=words(m.get("users"), f"{path}.users", 64, 200),
        tcp=_tcp(m.get("tcp"), f"{path}.tcp"),
        connect=_http(m.get("connect"), f"{path}.connect"),
        tls=_tls(m.get("tls"), f"{path}.tls"),
        http=_http(m.get("http"), f"{path}.http"),
    )


def _target(raw: object, path: str) -> Target:
    m = shape.mapping(raw, path)
    winner = m.get("winner")
    return Target(
        id=shape.text(m.get("id"), f"{path}.id", 80),
        host=shape.text(m.get("host"), f"{path}.host", 255),
        port=shape.integer(m.get("port"), f"{path}.port", 0, 65535),
        scheme=shape.text(m.get("scheme"), f"{path}.scheme", 8),
        elapsed_ms=elapsed(m.get("elapsed_ms"), f"{path}.elapsed_ms"),
        complete=shape.boolean(m.get("complete"), f"{path}.complete"),
        dns=_dns(m.get("dns"), f"{path}.dns"),
        attempts=shape.each(m.get("attempts"), f"{path}.attempts", _attempt, MAX_ATTEMPTS),
        winner=None if winner is None else address(winner, f"{path}.winner"),
        proxy_attempts=shape.each(m.get("proxy_attempts"), f"{path}.proxy_attempts", _proxy_attempt, 16),
    )


def _canary(raw: object, path: str) -> Canary:
    m = shape.mapping(raw, path)
    return Canary(
        id=shape.text(m.get("id"), f"{path}.id", 80),
        kind=shape.text(m.get("kind"), f"{path}.kind", 20),
        ok=shape.optional_boolean(m.get("ok"), f"{path}.ok"),
        target=_target(m.get("target"), f"{path}.target"),
    )


def parse_endpoints(raw: object) -> Endpoints:
    """Reads the section's data. Raises ShapeError where it is not what docs/observation-endpoints.md says."""
    m = shape.mapping(raw, "endpoints")
    return Endpoints(
        resolvers=shape.each(
            m.get("resolvers"),
            "endpoints.resolvers",
            lambda item, path: shape.text(shape.mapping(item, path).get("address"), f"{path}.address", 80),
            32,
        ),
        neutral_sni=shape.optional_text(m.get("neutral_sni"), "endpoints.neutral_sni", 255),
        targets=shape.each(m.get("targets"), "endpoints.targets", _target, MAX_TARGETS),
        canaries=shape.each(m.get("canaries"), "endpoints.canaries", _canary, 32),
    )
