# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates: who signed what a host was shown, who stands in between, and whether clock or certificate is wrong.

Pure. Order: what the certificate is by itself (a vendor's, self-signed), trust, name; the clock before the dates.
"""

from __future__ import annotations

import datetime
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils.judge.endpoint_model import (
    BASELINE,
    DIFFERENTIAL,
    SELF_PROVING,
    UNKNOWN,
    Context,
    Layer,
    Trouble,
    block_page,
    inspector,
)
from ansible_collections.edefter.ready.plugins.plugin_utils.model import Evidence, Owner, Status
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.endpoint_model import Cert, Http, Tls

# What of a chain's status does not speak against who signed it.
_ASIDE = frozenset({"not_time_valid", "revocation_unknown"})
_WEAK_SIGNATURES = ("md5", "sha1")


def agrees(tls: Tls, ctx: Context) -> bool | None:
    """Whether the chain is the one that the vantage or the baseline knows; None when there is nothing to compare with.

    A service may have several certificates: one issuer in common is enough, but only where this host trusts the chain,
    because an issuer's name alone can be forged.
    """
    if not tls.chain:
        return None
    baseline = ctx.wanted.baseline.get(ctx.endpoint.id, frozenset())
    own = {cert.spki_sha256 for cert in tls.chain if cert.spki_sha256}
    if baseline:
        return bool(own & baseline)
    seen = _vantage_chains(ctx)
    if not seen:
        return None
    if any(tls.chain[0].spki_sha256 == chain[0].spki_sha256 for chain in seen):
        return True
    if tls.trusted is False and not tls.chain_status <= {"not_time_valid"}:
        return False
    known = set().union(*(_issuers(chain) for chain in seen))
    return bool(_issuers(tls.chain) & known)


def _issuers(chain: t.Sequence[Cert]) -> set[str]:
    """Keys and names of whoever signed something in a chain, up to the root that is not sent itself.

    A service with an RSA and an ECDSA certificate has two intermediates, and one root over both.
    """
    return {cert.spki_sha256 for cert in chain[1:] if cert.spki_sha256} | {cert.issuer for cert in chain if cert.issuer}


def same_leaf_trusted_by_vantage(tls: Tls, ctx: Context) -> bool:
    """Whether the vantage trusts this very certificate; then no date and no root of it can be wrong."""
    if ctx.vantage is None or not tls.chain:
        return False
    return any(
        attempt.tls.chain[0].sha256 == tls.chain[0].sha256
        for attempt in ctx.vantage.attempts
        if attempt.tls is not None and attempt.tls.chain and attempt.tls.trusted
    )


def _vantage_chains(ctx: Context) -> list[tuple[Cert, ...]]:
    if ctx.vantage is None:
        return []
    own = ctx.vantage.used() or ctx.vantage.attempts
    chains = [attempt.tls.chain for attempt in own if attempt.tls is not None and attempt.tls.chain]
    chains += [attempt.tls.chain for attempt in ctx.vantage.proxy_attempts if attempt.tls and attempt.tls.chain]
    return [chain for chain in chains if chain[0].spki_sha256]


def judge_chain(tls: Tls, http: Http | None, ctx: Context, address: str) -> Trouble | None:
    """The trouble with the certificates of one handshake, or None. The chain must not be empty."""
    leaf = tls.chain[0]
    agree = agrees(tls, ctx)
    params = ctx.params(address=address, subject=leaf.subject, issuer=leaf.issuer, product=_product(tls) or UNKNOWN)
    found = Trouble(
        cause="",
        layer=Layer.CERT,
        observed=f"{address}: {leaf.subject or 'unreadable'} / {leaf.issuer}",
        grade=_grade(ctx) if agree is not None else "",
        params=params,
        evidence=(
            Evidence("issuer", leaf.issuer),
            Evidence("subject", leaf.subject),
            Evidence("spki_sha256", leaf.spki_sha256),
            Evidence("chain_status", " ".join(sorted(tls.chain_status)) or "none"),
        ),
        owner=Owner.FIREWALL_ADMIN if agree is False else None,
        ruled_out=("endpoint.tls_inspected",) if agree else (),
    )
    if leaf.malformed is not None:
        return found.but(cause="cert_unreadable", observed=f"{address}: {leaf.malformed}")
    if _product(tls) and (agree is not True or ctx.same_site is not False):
        return _vendor(tls, http, ctx, found.but(grade=SELF_PROVING, owner=Owner.FIREWALL_ADMIN))
    return _identity(tls, ctx, found, agree) or _dates(tls, ctx, found, address) or _rest(tls, ctx, found, agree, http)


def _grade(ctx: Context) -> str:
    return BASELINE if ctx.wanted.baseline.get(ctx.endpoint.id) else DIFFERENTIAL


def _product(tls: Tls) -> str:
    """The inspecting product that signed the chain, by its issuers' names; the leaf's own subject is the service's."""
    return next((product for cert in tls.chain if (product := inspector(cert.issuer))), "")


def _vendor(tls: Tls, http: Http | None, ctx: Context, found: Trouble) -> Trouble:
    page = http is not None and http.body is not None and block_page(f"{http.body.title}\n{http.body.snippet}")
    elsewhere = [c.target for c in ctx.canaries("https") if c.ok]
    # A neutral host comes through untouched: the box does not inspect everything, it signed a page for this name.
    only_here = bool(elsewhere) and not any(
        _product(attempt.tls) for target in elsewhere for attempt in target.attempts if attempt.tls is not None
    )
    if isinstance(page, str) or (only_here and not tls.trusted):
        return found.but(cause="tls_blockpage")
    return _inspection(tls, ctx, found)


def _inspection(tls: Tls, ctx: Context, found: Trouble) -> Trouble:
    """Interception by trust: with a root that was rolled out here, or with one that nobody trusts."""
    if tls.trusted or (tls.trusted is False and tls.chain_status <= _ASIDE):
        status = {"fail": Status.FAIL, "warn": Status.WARN}.get(ctx.wanted.inspection, Status.PASS)
        return found.but(cause="tls_inspection_trusted", status=status)
    return found.but(cause="tls_inspected")


def _identity(tls: Tls, ctx: Context, found: Trouble, agree: bool | None) -> Trouble | None:
    """Who signed it, and for whom."""
    status = tls.chain_status - _ASIDE
    if "revoked" in status:
        return found.but(cause="cert_revoked")
    if tls.trusted is False and status:
        return _untrusted(tls, ctx, found, agree, status)
    if tls.name_match is False:
        names = ", ".join(name.partition(":")[2] for name in tls.chain[0].san[:5]) or tls.chain[0].subject
        return found.but(cause="cert_name_mismatch", params={"names": names}, grade=found.grade or SELF_PROVING)
    if agree is False and tls.trusted:
        return _inspection(tls, ctx, found)
    return None


def _untrusted(tls: Tls, ctx: Context, found: Trouble, agree: bool | None, status: frozenset[str]) -> Trouble:
    leaf = tls.chain[0]
    if leaf.self_signed:
        return found.but(cause="cert_self_signed", grade=found.grade or SELF_PROVING)
    if status <= {"weak_signature"}:
        return _weak(found, leaf)
    if status & {"untrusted_root", "partial_chain"}:
        same = same_leaf_trusted_by_vantage(tls, ctx)
        if len(tls.chain) == 1 and "partial_chain" in status and (same or leaf.issuer in _issuers_elsewhere(ctx)):
            return found.but(cause="chain_incomplete", owner=Owner.SERVICE, grade=DIFFERENTIAL)
        if same:
            return found.but(cause="root_missing", grade=DIFFERENTIAL)
        if agree is False:
            return found.but(cause="tls_inspected")
    if tls.name_match is False:
        names = ", ".join(name.partition(":")[2] for name in leaf.san[:5]) or leaf.subject
        return found.but(cause="cert_name_mismatch", params={"names": names}, contributing=("endpoint.cert_untrusted",))
    return found.but(cause="cert_untrusted")


def _issuers_elsewhere(ctx: Context) -> set[str]:
    """Subjects of the issuers in chains that are trusted on the vantage or at this host's neutral hosts."""
    targets = [canary.target for canary in ctx.canaries("https")] + ([ctx.vantage] if ctx.vantage else [])
    return {
        cert.subject
        for target in targets
        for attempt in target.attempts
        if attempt.tls is not None and attempt.tls.trusted
        for cert in attempt.tls.chain[1:]
    }


def _weak(found: Trouble, leaf: Cert) -> Trouble:
    what = f"{leaf.key_type} {leaf.key_bits or '–'}, {leaf.signature_algorithm}"
    return found.but(cause="cert_weak", params={"algorithm": what}, grade=SELF_PROVING)


def _state(chain: t.Iterable[Cert], early: datetime.datetime, late: datetime.datetime) -> str:
    """expired, not_yet_valid, valid, or unsure, for a moment somewhere between early and late."""
    result = "valid"
    for cert in chain:
        if cert.not_after is not None and early > cert.not_after:
            return "expired"
        if cert.not_before is not None and late < cert.not_before:
            return "not_yet_valid"
        if (cert.not_after is not None and late > cert.not_after) or (
            cert.not_before is not None and early < cert.not_before
        ):
            result = "unsure"
    return result


def _shift(moment: datetime.datetime, seconds: float) -> datetime.datetime:
    try:
        return moment + datetime.timedelta(seconds=seconds)
    except OverflowError:
        return moment


def _dates(tls: Tls, ctx: Context, found: Trouble, address: str) -> Trouble | None:
    """Expired or not yet valid: by the reference, blame the certificate; by this host's clock alone, the clock."""
    here = "unsure" if ctx.now is None else _state(tls.chain, ctx.now, ctx.now)
    refused = "not_time_valid" in tls.chain_status
    if ctx.now is not None and ctx.clock is not None:
        there = _state(tls.chain, _shift(ctx.now, -ctx.clock.high), _shift(ctx.now, -ctx.clock.low))
    else:
        there = "unsure"
    dated = found.but(
        params=_date_params(tls, ctx),
        evidence=(
            Evidence("not_before", _iso(tls.chain[0].not_before)),
            Evidence("not_after", _iso(tls.chain[0].not_after)),
            Evidence("host_clock", _iso(ctx.now)),
        ),
    )
    if there in ("expired", "not_yet_valid"):
        return dated.but(cause=f"cert_{there}", grade=SELF_PROVING, ruled_out=("endpoint.cert_date_bad_clock",))
    if not refused and here in ("valid", "unsure"):
        return None
    if there == "valid" or same_leaf_trusted_by_vantage(tls, ctx):
        grade = SELF_PROVING if there == "valid" else DIFFERENTIAL
        return dated.but(cause="cert_date_bad_clock", grade=grade, owner=Owner.COLLECTION)
    cause = "cert_not_yet_valid" if here == "not_yet_valid" else "cert_expired"
    # Nothing tells whether the clock or the certificate is wrong.
    return dated.but(cause=cause, contributing=("endpoint.cert_date_bad_clock",) if ctx.clock is None else ())


def _iso(moment: datetime.datetime | None) -> str:
    return "unknown" if moment is None else moment.strftime("%Y-%m-%d %H:%M:%SZ")


def _date_params(tls: Tls, ctx: Context) -> dict[str, str]:
    leaf = tls.chain[0]
    params = {"not_before": _iso(leaf.not_before), "not_after": _iso(leaf.not_after), "host_clock": _iso(ctx.now)}
    offset = None if ctx.clock is None else (ctx.clock.low + ctx.clock.high) / 2
    if offset is None:
        return {**params, "offset_tr": "bilinmeyen süre kadar", "offset_en": "by an unknown amount"}
    days, hours = divmod(int(abs(offset)) // 3600, 24)
    minutes = int(abs(offset)) // 60 % 60
    tr = f"{days} gün {hours} saat {minutes} dakika {'ileri' if offset > 0 else 'geri'}"
    en = f"{days} d {hours} h {minutes} min {'ahead' if offset > 0 else 'behind'}"
    return {**params, "offset_tr": tr, "offset_en": en}


def _rest(tls: Tls, ctx: Context, found: Trouble, agree: bool | None, http: Http | None) -> Trouble | None:
    """What is left: revocation that cannot be asked for, weak keys, an end that is near."""
    leaf = tls.chain[0]
    if tls.trusted is False and not tls.chain_status - {"not_time_valid"}:
        return found.but(cause="cert_untrusted")
    if "revocation_unknown" in tls.chain_status:
        return found.but(cause="revocation_unreachable", status=Status.WARN, grade=SELF_PROVING, owner=None)
    if (leaf.key_type == "rsa" and (leaf.key_bits or 2048) < 2048) or leaf.signature_algorithm.lower().startswith(
        _WEAK_SIGNATURES
    ):
        return _weak(found, leaf).but(status=Status.WARN)
    if tls.trusted is None:
        return found.but(cause="incomplete", status=Status.UNKNOWN, grade="", owner=None, params={"phase": "tls"})
    if ctx.now is not None and leaf.not_after is not None:
        reference = ctx.now if ctx.clock is None else _shift(ctx.now, -(ctx.clock.low + ctx.clock.high) / 2)
        left = (leaf.not_after - reference).total_seconds() / 86400
        if left < ctx.wanted.expiry_warn_days:
            params = {**_date_params(tls, ctx), "days": f"{max(0.0, left):.0f}"}
            return found.but(cause="cert_expiring", status=Status.WARN, grade=SELF_PROVING, params=params)
    return None
