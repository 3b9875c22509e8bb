# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every failure class of the endpoint judge, from observations written by hand."""

from __future__ import annotations

import dataclasses
import typing as t

import observed as o
import pytest
from ansible_collections.edefter.ready.plugins.plugin_utils import messages
from ansible_collections.edefter.ready.plugins.plugin_utils.judge.endpoint_model import OWNERS
from ansible_collections.edefter.ready.plugins.plugin_utils.model import Finding, Owner, Status

VANTAGE = o.section(o.target())
PLAIN_VANTAGE = o.section(o.plain(o.page(), o.page(address=o.V6)))
BOTH = (o.V4, o.V6)


@dataclasses.dataclass(frozen=True)
class Clock:
    """As the clock judge's verdict: true - host."""

    lo: float | None
    hi: float | None
    host_utc: str = o.STARTED


@dataclasses.dataclass(frozen=True)
class Local:
    """As the firewall judge's verdict."""

    verdict: str
    rule: str = ""
    store: str = "local"


def failing(code: str, **more: t.Any) -> o.Raw:
    return o.target(*(o.failed(code, address, **more) for address in BOTH))


def handshake(**more: t.Any) -> o.Raw:
    """Both addresses connect, and the handshake ends so."""
    neutral = more.pop("neutral", None)
    return o.target(*(o.attempt(a, tls=o.broken_tls(**more), http=None, neutral_sni=neutral) for a in BOTH))


def chain(**more: t.Any) -> o.Raw:
    """Both addresses show such a chain."""
    return o.target(*(o.attempt(a, tls=o.tls(**more)) for a in BOTH))


def answer(**more: t.Any) -> o.Raw:
    return o.target(*(o.attempt(a, http=o.http(**more)) for a in BOTH))


def unresolved(error: str, queries: list[o.Raw], **more: t.Any) -> o.Raw:
    return o.target(o.attempt(o.V4, "vantage"), dns=o.dns((), error, queries), winner=None, **more)


def silent(code: str) -> list[o.Raw]:
    return o.every_query(rcode=None, error=o.fault("dns", code))


def resolving(*addresses: str, **more: t.Any) -> list[o.Raw]:
    return [
        o.query(resolver, kind, found=[a for a in addresses if (":" in a) == (kind == "AAAA")], **more)
        for resolver in o.RESOLVERS
        for kind in ("A", "AAAA")
    ]


def late(**more: t.Any) -> o.Raw:
    """The system's look-up took seconds."""
    return {**o.dns(**more), "system": {"addresses": list(BOTH), "error": None, "elapsed_ms": 5003.0}}


def forged(issuer: str, **more: t.Any) -> dict[str, t.Any]:
    return {"chain": [o.cert(issuer=issuer)], **more}


UNTRUSTED = ("untrusted_root",)
CLASSES: dict[str, tuple[o.Raw, str, str]] = {
    # name: target, cause with the vantage, its grade
    "healthy": (o.target(), "ok", ""),
    "one family": (o.target(o.attempt(o.V4)), "ok", ""),
    "literal address": (o.target(o.attempt(o.V4, "literal"), dns=None), "ok", ""),
    # DNS
    "nxdomain": (unresolved("nxdomain", o.every_query(rcode=3)), "dns_nxdomain", "differential"),
    "servfail": (unresolved("try_again", o.every_query(rcode=2)), "dns_servfail", "differential"),
    "refused by the resolver": (unresolved("try_again", o.every_query(rcode=5)), "dns_refused", "differential"),
    "nodata": (unresolved("nodata", o.every_query()), "dns_nodata", "differential"),
    "other rcode": (unresolved("no_recovery", o.every_query(rcode=4)), "dns_error", "differential"),
    "dns timeout": (unresolved("try_again", silent("timeout")), "dns_timeout", "differential"),
    "dns unreachable": (unresolved("try_again", silent("host_unreachable")), "dns_unreachable", "differential"),
    "dns garbage": (unresolved("try_again", silent("malformed")), "dns_error", "differential"),
    "dns blocked here": (unresolved("try_again", silent("access_denied")), "dns_blocked_locally", "self_proving"),
    "dns cut off": (unresolved("deadline", silent("deadline")), "incomplete", ""),
    "dns cut off late": (unresolved("try_again", silent("deadline")), "incomplete", ""),
    "only this client": (unresolved("nxdomain", resolving(*BOTH)), "dns_client", "self_proving"),
    "sinkhole": (o.target(o.failed("timeout", "208.91.112.55")), "dns_block_portal", "self_proving"),
    "sinkhole v6": (o.target(o.attempt("2001:cdba::3257:9652")), "dns_block_portal", "self_proving"),
    "private": (o.target(o.failed("timeout", "192.168.1.254")), "dns_bogon", "self_proving"),
    "loopback": (o.target(o.failed("refused", "127.0.0.1"), o.failed("refused", "::1")), "dns_bogon", "self_proving"),
    "zero": (o.target(o.failed("refused", "0.0.0.0")), "dns_bogon", "self_proving"),
    "private and genuine": (o.target(o.attempt("10.0.0.8")), "dns_differs", "differential"),
    "another data centre": (o.target(o.attempt("203.0.113.110")), "dns_differs", "differential"),
    "foreign web server": (
        o.target(
            o.attempt("203.0.113.200", tls=o.tls([o.cert("parked.example"), o.intermediate()], name=False)),
            o.attempt(o.V4, "vantage"),
        ),
        "dns_hijack",
        "differential",
    ),
    "nobody at a foreign address": (
        o.target(o.failed("timeout", "203.0.113.200"), o.attempt(o.V4, "vantage")),
        "dns_hijack",
        "differential",
    ),
    "only programs are lied to": (
        o.target(
            o.failed("timeout", "203.0.113.200"),
            o.attempt(o.V4, "query"),
            dns=o.dns(("203.0.113.200",), queries=resolving(o.V4)),
        ),
        "dns_local_override",
        "self_proving",
    ),
    "injected": (
        o.target(
            o.failed("timeout", "203.0.113.200"),
            dns=o.dns(
                ("203.0.113.200",),
                queries=resolving(
                    "203.0.113.200", others=[{"rcode": 0, "answers": [{"type": "A", "data": o.V4, "ttl": 1}]}]
                ),
            ),
        ),
        "dns_injected",
        "self_proving",
    ),
    "hosts file": (
        o.target(
            o.failed("timeout", "203.0.113.250"),
            dns=o.dns(("203.0.113.250",), queries=resolving(*BOTH), hosts_file=["203.0.113.250"]),
        ),
        "hosts_override",
        "self_proving",
    ),
    "hosts file, still right": (
        o.target(o.attempt(o.V4), dns=o.dns((o.V4,), queries=resolving(*BOTH), hosts_file=[o.V4])),
        "hosts_override",
        "self_proving",
    ),
    "hosts file right, line broken": (
        o.target(o.failed("timeout", o.V4), dns=o.dns((o.V4,), queries=resolving(*BOTH), hosts_file=[o.V4])),
        "tcp_drop",
        "differential",
    ),
    "slow dns": (o.target(dns=late(queries=resolving(*BOTH, elapsed_ms=1500.0))), "dns_slow", ""),
    "dead first resolver": (
        o.target(dns=late(queries=[*resolving(*BOTH)[2:], *silent("timeout")[:2]])),
        "dns_slow",
        "",
    ),
    "lost datagram": (o.target(dns=late()), "ok", ""),
    # TCP
    "drop": (failing("timeout", native=10060), "tcp_drop", "differential"),
    "refused": (failing("refused"), "tcp_refused", "differential"),
    "reset": (failing("reset"), "tcp_reset", "differential"),
    "unreachable": (failing("host_unreachable"), "tcp_unreachable", "differential"),
    "prohibited": (
        failing("host_unreachable", icmp={"from": "10.0.0.1", "type": 3, "code": 13}),
        "tcp_admin_prohibited",
        "self_proving",
    ),
    "prohibited v6": (
        o.target(o.failed("access_prohibited", o.V6, icmp={"from": "2001:db8::1", "type": 1, "code": 1})),
        "tcp_admin_prohibited",
        "self_proving",
    ),
    "host unreachable by a router": (
        failing("host_unreachable", icmp={"from": "10.0.0.1", "type": 3, "code": 1}),
        "tcp_unreachable",
        "differential",
    ),
    "no route": (failing("network_unreachable"), "no_route", "self_proving"),
    "network unreachable by a router": (
        failing("network_unreachable", icmp={"from": "10.0.0.1", "type": 3, "code": 0}),
        "tcp_unreachable",
        "differential",
    ),
    "odd socket error": (failing("socket_error"), "tcp_error", "differential"),
    "probe broke": (failing("error"), "probe_error", ""),
    "probe broke in tls": (handshake(code="error"), "probe_error", ""),
    "probe broke in http": (
        o.target(*(o.attempt(a, http=o.broken_http("error")) for a in BOTH)),
        "probe_error",
        "",
    ),
    "probe broke in dns": (unresolved("error", o.every_query(rcode=3)), "probe_error", ""),
    "blocked here": (failing("access_denied", native=10013), "local_firewall_block", "self_proving"),
    "tcp cut off": (failing("deadline"), "incomplete", ""),
    "dead v6": (o.target(o.attempt(o.V4), o.failed("timeout", o.V6)), "ipv6_broken", "differential"),
    "no v6 at all": (o.target(o.attempt(o.V4), o.failed("network_unreachable", o.V6)), "ok", ""),
    "one of two": (
        o.target(o.attempt(o.V4), o.failed("timeout", "203.0.113.11")),
        "some_addresses_fail",
        "differential",
    ),
    # TLS
    "tls reset": (handshake(code="reset"), "tls_reset", "differential"),
    "tls aborted": (handshake(code="aborted"), "tls_reset", "differential"),
    "tls eof": (handshake(code="eof"), "tls_eof", "differential"),
    "tls stall": (handshake(code="timeout"), "tls_stall", "differential"),
    "sni filter": (handshake(code="reset", neutral=o.tls()), "sni_filter", "self_proving"),
    "sni filter, alert": (handshake(code="timeout", neutral=o.broken_tls("alert", 112)), "sni_filter", "self_proving"),
    "no sni filter": (handshake(code="eof", neutral=o.broken_tls("eof")), "tls_eof", "differential"),
    "not tls": (handshake(code="not_tls", first_bytes="485454502f312e31"), "tls_not_tls", "self_proving"),
    "alert": (handshake(code="alert", alert=40), "tls_alert", "self_proving"),
    "unlisted alert": (handshake(code="alert", alert=201), "tls_alert", "self_proving"),
    "version alert": (handshake(code="alert", alert=70), "tls_version", "self_proving"),
    "version": (handshake(code="version"), "tls_version", "self_proving"),
    "old client": (
        handshake(code="alert", alert=70, offered=["TLSv1", "TLSv1.1"]),
        "client_tls_too_old",
        "self_proving",
    ),
    "handshake": (handshake(code="handshake"), "tls_handshake", "differential"),
    "tls cut off": (handshake(code="deadline"), "incomplete", ""),
    "tls never begun": (o.target(o.attempt(tls=None, http=None)), "incomplete", ""),
    # certificates
    "inspected": (chain(**forged(o.BOX), status=UNTRUSTED), "tls_inspected", "differential"),
    "inspected and trusted": (chain(**forged(o.BOX)), "tls_inspection_trusted", "differential"),
    "vendor": (chain(**forged(o.FORTINET), status=UNTRUSTED), "tls_inspected", "self_proving"),
    "vendor, trusted": (chain(**forged(o.FORTINET)), "tls_inspection_trusted", "self_proving"),
    "self-signed": (chain(chain=[o.cert(issuer=f"CN={o.HOST}")], status=UNTRUSTED), "cert_self_signed", "differential"),
    "expired": (chain(chain=[o.cert(days=(-90, -3))], status=["not_time_valid"]), "cert_expired", "self_proving"),
    "future": (chain(chain=[o.cert(days=(3, 90))], status=["not_time_valid"]), "cert_not_yet_valid", "self_proving"),
    "wrong name": (
        chain(chain=[o.cert("other.example", key="x"), o.intermediate()], name=False),
        "cert_name_mismatch",
        "differential",
    ),
    "unknown issuer, wrong name": (
        chain(chain=[o.cert("other.example", "CN=Nobody")], status=["other"], name=False),
        "cert_name_mismatch",
        "differential",
    ),
    "odd status": (chain(chain=[o.cert()], status=["malformed"]), "cert_untrusted", "differential"),
    "incomplete": (chain(chain=[o.cert()], status=["partial_chain"]), "chain_incomplete", "differential"),
    "root missing": (chain(status=["untrusted_root"]), "root_missing", "differential"),
    "revoked": (chain(status=["revoked"]), "cert_revoked", "differential"),
    "weak": (
        chain(chain=[o.cert(key_type="rsa", key_bits=1024), o.intermediate()], status=["weak_signature"]),
        "cert_weak",
        "self_proving",
    ),
    "weak, accepted": (
        chain(chain=[o.cert(key_type="rsa", key_bits=1024), o.intermediate()]),
        "cert_weak",
        "self_proving",
    ),
    "sha1, accepted": (
        chain(chain=[o.cert(signature_algorithm="sha1WithRSAEncryption"), o.intermediate()]),
        "cert_weak",
        "self_proving",
    ),
    "revocation": (chain(status=["revocation_unknown"]), "revocation_unreachable", "self_proving"),
    "ends soon": (chain(chain=[o.cert(days=(-80, 5)), o.intermediate()]), "cert_expiring", "self_proving"),
    "unreadable": (
        chain(chain=[{"malformed": "no DER", "sha256": "00"}], trusted=None),
        "cert_unreadable",
        "differential",
    ),
    "trust not known": (chain(trusted=None), "incomplete", ""),
    "untrusted without a reason": (chain(trusted=False), "cert_untrusted", "differential"),
    # HTTP
    "403": (answer(status=403), "http_forbidden", "differential"),
    "404": (answer(status=404), "http_client_error", "differential"),
    "500": (answer(status=500), "http_server_error", "differential"),
    "503 by a proxy": (answer(status=503, headers={"via": "1.1 box"}), "http_server_error", "differential"),
    "100 and no more": (answer(status=100), "http_malformed", "differential"),
    "407": (answer(status=407), "proxy_auth", "self_proving"),
    "511": (answer(status=511), "captive_portal", "self_proving"),
    "redirect within": (answer(status=302, headers={"location": f"https://{o.HOST}/login"}), "ok", ""),
    "http reset": (o.target(*(o.attempt(a, http=o.broken_http("reset")) for a in BOTH)), "http_reset", "differential"),
    "http empty": (o.target(*(o.attempt(a, http=o.broken_http("eof")) for a in BOTH)), "http_eof", "differential"),
    "http stall": (
        o.target(*(o.attempt(a, http=o.broken_http("timeout")) for a in BOTH)),
        "http_stall",
        "differential",
    ),
    "http garbage": (
        o.target(*(o.attempt(a, http=o.broken_http("malformed")) for a in BOTH)),
        "http_malformed",
        "differential",
    ),
    "http cut off": (o.target(*(o.attempt(a, http=o.broken_http("deadline")) for a in BOTH)), "incomplete", ""),
    "body broke off": (answer(error=o.fault("http", "reset")), "http_reset", "differential"),
    "slow": (o.target(*(o.attempt(a, http=o.http(elapsed_ms=3500.0)) for a in BOTH)), "slow", "differential"),
}


@pytest.mark.parametrize("name", CLASSES)
def test_class_is_named_with_its_grade(name: str) -> None:
    raw, cause, grade = CLASSES[name]
    found = o.one(raw, vantage=VANTAGE)
    assert (found.cause, found.grade) == (f"endpoint.{cause}", grade)
    _sound(found)


@pytest.mark.parametrize("name", CLASSES)
def test_class_without_vantage_is_never_fine_when_it_is_not(name: str) -> None:
    """Without comparison less can be said; but only what is fine with it may be fine without."""
    raw, cause, _ = CLASSES[name]
    found = o.one(raw)
    _sound(found)
    # Inspection by a trusted root and another page can only be seen by comparison.
    blind = ("inspected and trusted",)
    if o.one(raw, vantage=VANTAGE).status is not Status.PASS and name not in blind:
        assert found.status is not Status.PASS, (name, cause)


def _sound(found: Finding) -> None:
    """What holds for every finding: a message in both languages without gaps, an owner, no contradiction."""
    for part in ("title", "remedy"):
        for text in messages.render(found.cause, part, found.params).values():
            assert text or part == "remedy"
            assert "?" not in text.replace("?", "", 0) or "{" not in text
            missing = messages.placeholders(messages.catalogue()[found.cause][part]["tr"]) - set(found.params)
            assert not missing, (found.cause, part, missing)
            missing = messages.placeholders(messages.catalogue()[found.cause][part]["en"]) - set(found.params)
            assert not missing, (found.cause, part, missing)
    assert (found.owner is Owner.NOBODY) == (found.status is Status.PASS)
    assert found.cause not in found.contributing
    assert found.cause not in found.ruled_out
    assert found.blocks_filing == (found.status in (Status.FAIL, Status.UNKNOWN))
    assert found.grade in ("", "self_proving", "differential", "baseline")
    assert all(isinstance(value, str) for value in found.params.values())


def test_every_cause_has_a_message_and_every_message_a_cause() -> None:
    told = {name.removeprefix("endpoint.") for name in messages.catalogue() if name.startswith("endpoint.")}
    assert told == set(OWNERS)


# ---- plain http ------------------------------------------------------------------------------------------------------

BLOCKED = "<title>Web Page Blocked!</title> FortiGuard Intrusion Prevention"
LOGIN = {"location": "http://10.10.10.10:1000/fgtauth?02"}


@pytest.mark.parametrize(
    ("raw", "cause", "grade"),
    [
        (o.plain(o.page()), "ok", ""),
        (o.plain(o.page(text=BLOCKED, title="Web Page Blocked!")), "http_blockpage", "self_proving"),
        (o.plain(o.page(text="Erişim engellendi", title=None)), "http_blockpage", "self_proving"),
        (
            o.plain(o.page(status=302, headers={"location": "http://192.168.100.1:8008/blocked?u=1"})),
            "http_block_redirect",
            "self_proving",
        ),
        (
            o.plain(o.page(status=302, headers={"location": "http://208.91.112.55/x"})),
            "http_block_redirect",
            "self_proving",
        ),
        (
            o.plain(o.page(status=302, headers={"location": "http://elsewhere.example/"})),
            "http_block_redirect",
            "differential",
        ),
        (o.plain(o.page(status=302, headers={"location": "http://[bad"})), "http_block_redirect", "differential"),
        (o.plain(o.page(status=301, headers={"location": "https://portal.emikro.com.tr/"})), "ok", ""),
        (o.plain(o.page(status=301, headers={"location": "https://www.emikro.com.tr/"})), "ok", ""),
        (o.plain(o.page(status=301, headers={"location": "/giris"})), "ok", ""),
        (
            o.plain(o.page(text="x" * 9, title="Parked", headers={"server": "other"})),
            "http_foreign_page",
            "differential",
        ),
        (o.plain(o.page(status=403, headers={"x-squid-error": "ERR_ACCESS_DENIED 0"})), "proxy_denied", "self_proving"),
        (
            o.plain(o.page(status=503, headers={"x-squid-error": "ERR_CONNECT_FAIL 0"})),
            "proxy_upstream",
            "self_proving",
        ),
        (o.plain(o.page(status=407)), "proxy_auth", "self_proving"),
        (o.plain(o.page(address="192.168.1.9")), "dns_bogon", "self_proving"),
    ],
)
def test_plain_http(raw: o.Raw, cause: str, grade: str) -> None:
    found = o.one(raw, o.PORTAL, vantage=PLAIN_VANTAGE)
    assert (found.cause, found.grade) == (f"endpoint.{cause}", grade)
    _sound(found)


def test_foreign_web_server_at_a_foreign_address_is_the_resolvers_fault() -> None:
    parked = o.page(address="203.0.113.200", text="parked", title="Parked", headers={"server": "x"})
    raw = o.plain(parked, o.page(address=o.V4, source="vantage"))
    assert o.one(raw, o.PORTAL, vantage=PLAIN_VANTAGE).cause == "endpoint.dns_hijack"


def test_vantage_that_finds_the_same_page_at_that_address_clears_the_resolver() -> None:
    """Both ways: the vantage tried the host's address, and the genuine page is there, so the way to it is at fault."""
    raw = o.plain(o.failed("timeout", "203.0.113.110"), o.page(address=o.V4, source="vantage"))
    vantage = o.section(o.plain(o.page(), o.page(address="203.0.113.110", source="vantage")))
    assert o.one(raw, o.PORTAL, vantage=vantage).cause == "endpoint.tcp_drop"


def test_block_page_that_a_vantage_elsewhere_gets_too_is_the_services_own() -> None:
    raw = o.plain(o.page(text=BLOCKED))
    vantage = o.section(o.plain(o.page(text=BLOCKED)))
    assert o.one(raw, o.PORTAL, vantage=vantage, same_site=False).status is Status.PASS
    assert o.one(raw, o.PORTAL, vantage=vantage).cause == "endpoint.http_blockpage"


def test_redirect_that_the_vantage_gets_too_is_the_services_own() -> None:
    raw = o.plain(o.page(status=302, headers={"location": "http://elsewhere.example/"}))
    assert o.one(raw, o.PORTAL, vantage=o.section(raw)).status is Status.PASS
    alone = o.one(raw, o.PORTAL)
    assert (alone.cause, alone.grade) == ("endpoint.http_block_redirect", "")


# ---- the clock -------------------------------------------------------------------------------------------------------


def dated(days: tuple[float, float]) -> o.Raw:
    return chain(chain=[o.cert(days=days), o.intermediate()], status=["not_time_valid"])


def undated(raw: o.Raw) -> o.Raw:
    """The same without any Date header to tell the time by."""
    for attempt in raw["attempts"]:
        attempt["http"]["date"] = None
    return raw


@pytest.mark.parametrize(
    ("days", "clock", "cause", "grade"),
    [
        # host 60 days behind: true - host = +60 d
        ((30, 90), Clock(60 * 86400, 60 * 86400 + 2), "cert_date_bad_clock", "self_proving"),
        ((-90, -30), Clock(-60 * 86400 - 2, -60 * 86400), "cert_date_bad_clock", "self_proving"),
        ((-90, -3), Clock(-1, 1), "cert_expired", "self_proving"),
        ((3, 90), Clock(-1, 1), "cert_not_yet_valid", "self_proving"),
        ((-90, -3), Clock(None, None), "cert_expired", ""),
        ((3, 90), Clock(None, None), "cert_not_yet_valid", ""),
        # An interval that does not decide.
        ((-90, -3), Clock(-10 * 86400, 0), "cert_expired", ""),
    ],
)
def test_clock_comes_before_the_certificate(days: tuple[float, float], clock: Clock, cause: str, grade: str) -> None:
    found = o.one(undated(dated(days)), clock=clock)
    assert (found.cause, found.grade) == (f"endpoint.{cause}", grade)
    _sound(found)
    if grade == "" and clock.lo is None:
        assert "endpoint.cert_date_bad_clock" in found.contributing
    if cause == "cert_date_bad_clock":
        assert found.owner is Owner.COLLECTION
        assert "60 d" in found.params["offset_en"]
        assert "60 gün" in found.params["offset_tr"]
        assert ("geri" in found.params["offset_tr"]) == (days[0] > 0)


def test_expired_certificate_that_a_wrong_clock_lets_pass_is_still_expired() -> None:
    """The host's clock stands at a time when the certificate was valid."""
    found = o.one(chain(chain=[o.cert(days=(-30, 30)), o.intermediate()]), clock=Clock(60 * 86400, 60 * 86400))
    assert found.cause == "endpoint.cert_expired"


def test_same_certificate_trusted_by_the_vantage_proves_the_clock_wrong_without_a_clock() -> None:
    raw = undated(dated((30, 90)))
    vantage = o.section(chain(chain=[o.cert(days=(30, 90)), o.intermediate()]))
    found = o.one(raw, vantage=vantage, clock=Clock(None, None))
    assert (found.cause, found.grade) == ("endpoint.cert_date_bad_clock", "differential")


def test_date_headers_of_the_majority_stand_in_for_the_clock() -> None:
    later = "2027-01-24T07:00:05.000Z"
    raw = dated((30, 90))
    for attempt in raw["attempts"]:
        attempt["http"]["date"] = later
    liar = o.canary("http_text", True, o.page(date="1999-01-01T00:00:00.000Z"))
    good = [o.canary("http_text", True, o.page(date=later), host=f"h{i}.example") for i in range(2)]
    assert o.one(raw, canaries=[liar, *good]).cause == "endpoint.cert_date_bad_clock"
    # Two that disagree prove nothing.
    assert o.one(raw, canaries=[liar]).cause == "endpoint.cert_not_yet_valid"


def test_unreadable_start_falls_back_to_the_clocks_own_reading() -> None:
    found = o.one(dated((-90, -3)), started="yesterday", clock=Clock(-1, 1, "2026-11-25T07:00:00"))
    assert found.cause == "endpoint.cert_expired"
    assert o.one(undated(dated((-90, -3))), started="").cause == "endpoint.cert_expired"


def test_far_clock_does_not_overflow() -> None:
    found = o.one(undated(dated((-90, -3))), clock=Clock(-9e11, 9e11))
    assert found.cause == "endpoint.cert_expired"


# ---- scope -----------------------------------------------------------------------------------------------------------


def test_failure_everywhere_cannot_be_separated_from_inside() -> None:
    found = o.one(failing("timeout"), vantage=o.section(failing("timeout")))
    assert found.cause == "endpoint.down_or_site_block"
    assert "endpoint.tcp_drop" in found.contributing
    assert "endpoint down or blocked for the whole site" in messages.render(found.cause, "title", found.params)["en"]
    _sound(found)


def test_failure_at_another_site_too_is_the_service() -> None:
    found = o.one(failing("refused"), vantage=o.section(failing("refused")), same_site=False)
    assert (found.cause, found.owner) == ("endpoint.service_down", Owner.SERVICE)


def test_name_that_resolves_nowhere_while_others_do() -> None:
    raw = unresolved("nxdomain", o.every_query(rcode=3))
    seen = o.section(unresolved("nxdomain", o.every_query(rcode=3)))
    found = o.one(raw, vantage=seen, canaries=[o.neutral()])
    assert found.cause == "endpoint.down_or_site_block"
    assert o.one(raw, vantage=seen, canaries=[o.neutral()], same_site=False).cause == "endpoint.service_down"
    # Nothing resolves at all: the resolver's own word stands.
    assert o.one(raw, vantage=seen).cause == "endpoint.dns_nxdomain"
    assert "endpoint.down_or_site_block" in o.one(raw).contributing


def test_without_vantage_the_outage_is_not_ruled_out() -> None:
    found = o.one(failing("timeout"))
    assert found.cause == "endpoint.tcp_drop"
    assert "endpoint.down_or_site_block" in found.contributing
    with_it = o.one(failing("timeout"), vantage=VANTAGE)
    assert "endpoint.service_down" in with_it.ruled_out


def test_vantage_that_was_cut_off_says_nothing() -> None:
    found = o.one(failing("timeout"), vantage=o.section(failing("deadline")))
    assert (found.cause, found.grade) == ("endpoint.tcp_drop", "")


def test_443_fine_while_4443_dropped_names_the_port() -> None:
    service = o.endpoint(id="firma-4443", port=4443)
    dropped = {**failing("timeout"), "id": "firma-4443", "port": 4443}
    found = o.judge(o.section(o.target(), dropped), o.UYG, service, vantage=o.section(o.target(), o.target(port=4443)))
    assert [f.cause for f in found] == ["endpoint.ok", "endpoint.port_dropped"]
    assert found[1].params["other_port"] == "443"
    assert "4443" in messages.render(found[1].cause, "remedy", found[1].params)["tr"]
    # The vantage fails alike: still the port, and an outage is not ruled out.
    alike = o.judge(o.section(o.target(), dropped), o.UYG, service, vantage=o.section(o.target(), dropped))
    assert alike[1].cause == "endpoint.port_dropped"
    assert "endpoint.down_or_site_block" in alike[1].contributing
    # Both ports dropped: no word of a single port.
    both = o.judge(o.section(failing("timeout"), dropped), o.UYG, service, vantage=VANTAGE)
    assert both[0].cause == "endpoint.tcp_drop"


NEUTRAL_DEAD = [o.neutral(False), o.canary("http_text", None, o.failed("timeout", "198.51.100.21"))]


def test_dead_line_is_one_cause_and_no_rule_to_look_for() -> None:
    assert o.one(failing("timeout"), vantage=VANTAGE, canaries=NEUTRAL_DEAD).cause == "endpoint.internet_down"
    # One canary alone may be a web filter's doing.
    assert o.one(failing("timeout"), vantage=VANTAGE, canaries=NEUTRAL_DEAD[:1]).cause == "endpoint.tcp_drop"
    # A single endpoint that connects: the line is up.
    mixed = o.section(failing("timeout"), o.plain(o.page()), canaries=NEUTRAL_DEAD)
    assert [f.cause for f in o.judge(mixed, o.UYG, o.PORTAL)] == ["endpoint.tcp_drop", "endpoint.ok"]


@pytest.mark.parametrize(
    "raw",
    [failing("timeout"), handshake(code="not_tls"), chain(**forged("CN=Box,O=Hotspot"), status=UNTRUSTED)],
)
def test_login_page_explains_what_it_holds_back(raw: o.Raw) -> None:
    login = o.canary("http_text", False, o.page(status=302, headers=LOGIN))
    assert o.one(raw, vantage=VANTAGE, canaries=[login]).cause == "endpoint.captive_portal"
    # Neutral https works: then it is no sign-in page that holds this endpoint back.
    assert o.one(raw, vantage=VANTAGE, canaries=[login, o.neutral()]).cause != "endpoint.captive_portal"


def test_captive_portal_on_plain_http() -> None:
    login = o.canary("http_text", False, o.page(status=302, headers=LOGIN))
    raw = o.plain(o.page(status=302, headers=LOGIN))
    assert o.one(raw, o.PORTAL, canaries=[login]).cause == "endpoint.captive_portal"
    shown = o.canary("http_text", False, o.page(text="oturum", title="Oturum"))
    assert (
        o.one(o.plain(o.page(text="oturum", title="Oturum")), o.PORTAL, canaries=[shown]).cause
        == "endpoint.captive_portal"
    )
    notice = o.canary("http_text", False, o.page(status=511))
    assert o.one(failing("timeout"), canaries=[notice]).cause == "endpoint.captive_portal"


def test_device_that_answers_for_everybody() -> None:
    everything = o.canary("test_net", False, o.attempt("192.0.2.1", "literal"), dns=None)
    found = o.one(handshake(code="eof"), vantage=VANTAGE, canaries=[everything])
    assert found.cause == "endpoint.transparent_proxy"
    assert o.one(o.target(), vantage=VANTAGE, canaries=[everything]).cause == "endpoint.ok"


def test_vendor_box_that_spares_a_neutral_host_signed_a_block_page() -> None:
    raw = chain(**forged(o.FORTINET), status=UNTRUSTED)
    found = o.one(raw, vantage=VANTAGE, canaries=[o.neutral()])
    assert found.cause == "endpoint.tls_blockpage"
    assert found.params["product"] == "Fortinet"
    shown = o.target(o.attempt(tls=o.tls(**forged(o.FORTINET), status=UNTRUSTED), http=o.http(text=BLOCKED)))
    assert o.one(shown).cause == "endpoint.tls_blockpage"


def test_vendors_name_in_a_genuine_chain_elsewhere_is_no_inspection() -> None:
    raw = chain(**forged(o.FORTINET))
    assert o.one(raw, vantage=o.section(raw), same_site=False).status is Status.PASS
    # Behind the same firewall the vantage may be inspected just so.
    assert o.one(raw, vantage=o.section(raw)).cause == "endpoint.tls_inspection_trusted"


@pytest.mark.parametrize(("choice", "status"), [("warn", Status.WARN), ("fail", Status.FAIL), ("allow", Status.PASS)])
def test_trusted_inspection_counts_as_wanted(choice: str, status: Status) -> None:
    found = o.one(chain(**forged(o.BOX)), vantage=VANTAGE, wanted={"inspection": choice})
    assert (found.cause, found.status) == ("endpoint.tls_inspection_trusted", status)


def test_baseline_stands_in_for_the_vantage() -> None:
    genuine = o.cert()["spki_sha256"]
    baseline = {"baseline": {"uyg": frozenset({genuine})}}
    assert o.one(o.target(), wanted=baseline).status is Status.PASS
    found = o.one(chain(**forged(o.BOX)), wanted=baseline)
    assert (found.cause, found.grade) == ("endpoint.tls_inspection_trusted", "baseline")


def test_block_page_behind_trusted_inspection() -> None:
    raw = o.target(o.attempt(tls=o.tls(**forged(o.BOX)), http=o.http(text="Sayfa engellendi", title="Engel")))
    found = o.one(raw, vantage=VANTAGE)
    assert found.cause == "endpoint.http_blockpage"
    assert "endpoint.tls_inspection_trusted" in found.contributing


def test_missing_intermediate_is_known_by_other_chains_of_this_host() -> None:
    raw = chain(chain=[o.cert()], status=["partial_chain"])
    assert o.one(raw, canaries=[o.neutral()]).cause == "endpoint.chain_incomplete"
    assert o.one(raw).cause == "endpoint.cert_untrusted"


def test_service_in_trouble_for_everybody() -> None:
    assert o.one(answer(status=503), vantage=o.section(answer(status=503))).owner is Owner.SERVICE
    assert o.one(answer(status=404), vantage=o.section(answer(status=404))).status is Status.PASS
    assert o.one(answer(status=403), vantage=o.section(answer(status=403))).status is Status.PASS
    assert o.one(answer(status=403)).status is Status.WARN
    assert o.one(answer(status=404)).status is Status.WARN


def test_second_certificate_under_the_same_root_is_genuine() -> None:
    """RSA for this host, ECDSA for the vantage: two leaves, two intermediates, one root above both."""
    rsa = o.cert("", o.ROOT, (-300, 1500), subject="CN=Ornek CA RSA", san=[], is_ca=True)
    raw = chain(chain=[o.cert(issuer="CN=Ornek CA RSA", key="rsa"), rsa])
    assert o.one(raw, vantage=VANTAGE).status is Status.PASS


# ---- addresses -------------------------------------------------------------------------------------------------------


def test_race_winner_decides() -> None:
    """IPv6 connects and then stalls: that is what programs meet, although IPv4 would work."""
    raw = o.target(o.attempt(o.V4), o.attempt(o.V6, tls=o.broken_tls("timeout"), http=None), winner=o.V6)
    assert o.one(raw, vantage=VANTAGE).cause == "endpoint.tls_stall"
    raw["winner"] = o.V4
    found = o.one(raw, vantage=VANTAGE)
    assert (found.cause, found.status) == ("endpoint.some_addresses_fail", Status.WARN)


def test_furthest_way_decides_without_a_winner() -> None:
    raw = o.target(o.failed("network_unreachable", o.V6), o.failed("timeout", o.V4))
    assert o.one(raw, vantage=VANTAGE).cause == "endpoint.tcp_drop"
    raw = o.target(o.failed("timeout", o.V4), o.attempt(o.V6, tls=o.broken_tls("reset"), http=None), winner=None)
    found = o.one(raw, vantage=VANTAGE)
    assert found.cause == "endpoint.tls_reset"
    assert "endpoint.tcp_drop" in found.contributing


def test_host_without_resolvers() -> None:
    raw = o.section(unresolved("try_again", []))
    raw["resolvers"] = []
    (found,) = o.judge(raw)
    assert found.cause == "endpoint.dns_no_resolver"
    assert o.one(unresolved("nxdomain", [])).cause == "endpoint.dns_nxdomain"
    assert o.one(unresolved("odd", [])).cause == "endpoint.dns_error"


def test_nothing_tried_is_unknown() -> None:
    raw = o.target(o.attempt(o.V4, "query"), dns=o.dns((o.V4,)))
    assert o.one(raw).status is Status.UNKNOWN
    (missing,) = o.judge(o.section())
    assert (missing.cause, missing.status) == ("endpoint.not_probed", Status.UNKNOWN)
    assert missing.blocks_filing
    (other,) = o.judge(o.section(o.target(port=8443)))
    assert other.cause == "endpoint.not_probed"


def test_repeated_question_may_get_another_part_of_the_pool() -> None:
    other = {"rcode": 0, "answers": [{"type": "A", "data": "203.0.113.11", "ttl": 1}]}
    pool = o.target(dns=o.dns(queries=resolving(*BOTH, others=[other], sent=2)))
    assert o.one(pool, vantage=VANTAGE).cause == "endpoint.ok"
    contradiction = o.target(dns=o.dns(queries=resolving(*BOTH, others=[{"rcode": 3, "answers": []}], sent=2)))
    found = o.one(contradiction, vantage=VANTAGE)
    assert (found.cause, found.status) == ("endpoint.dns_injected", Status.WARN)
    silent_one = o.target(dns=o.dns(queries=[*resolving(*BOTH), *silent("timeout")]))
    assert o.one(silent_one, vantage=VANTAGE).cause == "endpoint.ok"


def test_hosts_file_line_and_path_are_named() -> None:
    entries = [{"address": "203.0.113.250", "names": [o.HOST.upper()], "line": 23}]
    hosts = o.network(hosts_file={"path": r"C:\Windows\hosts", "error": None, "lines": 30, "entries": entries})
    raw = CLASSES["hosts file"][0]
    found = o.one(raw, network=hosts)
    assert (found.params["line"], found.params["path"]) == ("23", r"C:\Windows\hosts")
    assert o.one(raw, network=None).params["line"] == "–"


def test_name_policy_is_shown() -> None:
    rules = [{"names": [".gov.tr"], "servers": ["10.0.0.53"]}, {"names": ["corp.example"], "servers": ["10.0.0.1"]}]
    found = o.one(CLASSES["only this client"][0], network=o.network(name_policy=rules))
    assert [e.value for e in found.evidence if e.key == "name_policy"] == [".gov.tr → 10.0.0.53"]


def test_one_bogon_among_genuine_addresses_is_a_warning() -> None:
    raw = o.target(o.attempt(o.V6), o.failed("timeout", "192.168.1.254"))
    found = o.one(raw, vantage=VANTAGE)
    assert (found.cause, found.status) == ("endpoint.dns_bogon", Status.WARN)


# ---- local firewall --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("local", "cause", "owner"),
    [
        (Local("blocked", "Kural 1"), "local_firewall_rule", Owner.LOCAL_ADMIN),
        (Local("blocked", "Kural 1", "gpo"), "local_firewall_rule", Owner.DOMAIN_ADMIN),
        (Local("blocked", "", "default"), "local_firewall_default", Owner.COLLECTION),
        (Local("allowed"), "local_firewall_block", Owner.LOCAL_ADMIN),
        (None, "local_firewall_block", Owner.LOCAL_ADMIN),
    ],
)
def test_local_firewall_names_the_rule(local: Local | None, cause: str, owner: Owner) -> None:
    found = o.one(failing("access_denied"), firewall={"uyg": local} if local else None)
    assert (found.cause, found.owner, found.grade) == (f"endpoint.{cause}", owner, "self_proving")
    assert found.steps == ("firewall.rule:tcp-443",)
    assert "endpoint.tcp_drop" in found.ruled_out
    _sound(found)


def test_firewalls_word_counts_only_where_the_connection_fails() -> None:
    blocked = {"uyg": Local("blocked", "Kural 1")}
    assert o.one(failing("timeout"), vantage=VANTAGE, firewall=blocked).cause == "endpoint.local_firewall_rule"
    assert o.one(o.target(), vantage=VANTAGE, firewall=blocked).status is Status.PASS
    assert (
        o.one(failing("timeout"), vantage=VANTAGE, firewall={"uyg": Local("conditional")}).cause == "endpoint.tcp_drop"
    )


# ---- required or not -------------------------------------------------------------------------------------------------

OPTIONAL = o.endpoint(
    id="portal-https",
    host="portal.emikro.com.tr",
    allow="portal.emikro.com.tr",
    required=False,
    required_when_redirected_from="portal",
)


@pytest.mark.parametrize(
    ("location", "status"),
    [
        ("https://portal.emikro.com.tr/", Status.FAIL),
        ("https://portal.emikro.com.tr", Status.FAIL),
        ("https://portal.emikro.com.tr:443/a", Status.FAIL),
        ("HTTPS://PORTAL.EMIKRO.COM.TR/A", Status.FAIL),
        ("https://portal.emikro.com.tr.evil.example/", Status.WARN),
        ("https://www.emikro.com.tr/", Status.WARN),
        ("", Status.WARN),
    ],
)
def test_redirect_makes_https_required(location: str, status: Status) -> None:
    portal = o.plain(o.page(status=301, headers={"location": location})) if location else o.plain(o.page())
    secure = {**failing("timeout"), "id": "portal-https", "host": "portal.emikro.com.tr"}
    found = o.judge(o.section(portal, secure), o.PORTAL, OPTIONAL)[1]
    assert (found.status, found.blocks_filing) == (status, status is Status.FAIL)
    alone = o.judge(o.section(secure), OPTIONAL)[0]
    assert alone.status is Status.WARN


@pytest.mark.parametrize(("took", "cause"), [(1100.0, "ok"), (1600.0, "slow"), (3100.0, "slow")])
def test_a_lost_syn_makes_no_slow_line(took: float, cause: str) -> None:
    raw = o.target(*(o.attempt(a, http=o.http(elapsed_ms=took)) for a in BOTH))
    assert o.one(raw, vantage=VANTAGE).cause == f"endpoint.{cause}"


def test_without_vantage_only_the_limit_counts() -> None:
    raw = o.target(*(o.attempt(a, http=o.http(elapsed_ms=1600.0)) for a in BOTH))
    assert o.one(raw).cause == "endpoint.ok"
    assert o.one(raw, wanted={"slow_ms": 1000.0}).cause == "endpoint.slow"
