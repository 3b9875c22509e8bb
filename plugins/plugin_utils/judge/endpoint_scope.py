# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a failure sits: on this host, at its site, or at the service. Compares with the vantage and the canaries.

Pure. What cannot be told apart from inside is said so: `down_or_site_block`.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils.judge import endpoint_attempt, endpoint_http
from ansible_collections.edefter.ready.plugins.plugin_utils.judge.endpoint_model import (
    DIFFERENTIAL,
    INSEPARABLE,
    SELF_PROVING,
    UNKNOWN,
    Context,
    Layer,
    Trouble,
)
from ansible_collections.edefter.ready.plugins.plugin_utils.model import Evidence, Owner, Status
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.endpoint_model import Attempt, Target

# What a box that wants people to sign in first does to everything else.
_CAPTIVE = frozenset(
    {
        "tls_not_tls",
        "port_dropped",
        "tls_inspected",
        "tls_blockpage",
        "cert_self_signed",
        "cert_name_mismatch",
        "cert_untrusted",
    }
)

Judged = t.Sequence[tuple[Attempt, Trouble | None]]


def vantage_outcomes(ctx: Context) -> tuple[tuple[Attempt, Trouble | None], ...]:
    """The vantage's own attempts, judged by the same rules, with nothing to compare them with."""
    if ctx.vantage is None:
        return ()
    own = dataclasses.replace(ctx, vantage=None, same_site=None, now=None, clock=None, firewall=None, network=None)
    return tuple((attempt, endpoint_attempt.judge_attempt(attempt, own)) for attempt in ctx.vantage.attempts)


def _reached(attempt: Attempt, trouble: Trouble | None, layer: Layer) -> bool:
    """Whether an attempt came past a layer."""
    return trouble is None or trouble.layer > layer or trouble.status in (Status.PASS, Status.WARN)


def compare(trouble: Trouble, address: str, ctx: Context, vantage: Judged) -> Trouble:
    """A failure of the network weighed against the vantage: differential, everywhere, or not comparable."""
    same = [pair for pair in vantage if pair[0].address == address]
    seen = [pair for pair in same or vantage if pair[1] is None or pair[1].layer is not Layer.NONE]
    if not seen:
        if trouble.cause in INSEPARABLE or trouble.cause == "port_dropped":
            return trouble.but(contributing=("endpoint.down_or_site_block",))
        return trouble
    reached = [attempt for attempt, other in seen if _reached(attempt, other, trouble.layer)]
    evidence = tuple(
        Evidence("vantage", f"{attempt.address} {'ok' if other is None else other.cause}")
        for attempt, other in seen[:4]
    )
    if reached:
        grade = trouble.grade or DIFFERENTIAL
        out = ("endpoint.service_down", "endpoint.down_or_site_block")
        return trouble.but(grade=grade, evidence=evidence, ruled_out=out)
    if trouble.cause not in INSEPARABLE:
        return trouble.but(evidence=evidence, contributing=_also(trouble))
    if ctx.same_site is False:
        return trouble.but(
            cause="service_down",
            owner=Owner.SERVICE,
            grade=DIFFERENTIAL,
            evidence=evidence,
            contributing=(f"endpoint.{trouble.cause}",),
        )
    return trouble.but(
        cause="down_or_site_block",
        owner=Owner.FIREWALL_ADMIN,
        grade=DIFFERENTIAL,
        evidence=evidence,
        contributing=(f"endpoint.{trouble.cause}",),
        ruled_out=("endpoint.local_firewall_block",),
    )


def _also(trouble: Trouble) -> tuple[str, ...]:
    return ("endpoint.down_or_site_block",) if trouble.cause == "port_dropped" else ()


def port_dropped(trouble: Trouble, attempt: Attempt, ctx: Context) -> Trouble:
    """443 comes through and 4443 is swallowed at the very same address: a rule for ports, not for the host."""
    if trouble.cause != "tcp_drop":
        return trouble
    for target in ctx.section.targets:
        if target.host.lower() != ctx.endpoint.host.lower() or target.port == ctx.endpoint.port:
            continue
        for other in target.attempts:
            if other.address == attempt.address and other.tcp.error is None:
                return trouble.but(
                    cause="port_dropped",
                    grade=DIFFERENTIAL,
                    params={"other_port": str(target.port)},
                    evidence=(Evidence("other_port", f"{other.address}:{target.port} tcp ok"),),
                    ruled_out=("endpoint.tcp_drop",),
                )
    return trouble


def site_wide(trouble: Trouble, ctx: Context) -> Trouble:
    """What explains many failures at once: a login page in the way, a box that answers for everybody, a dead line."""
    if trouble.status is not Status.FAIL or trouble.layer not in (Layer.TCP, Layer.TLS, Layer.CERT):
        return trouble
    also = (f"endpoint.{trouble.cause}",)
    if (page := captive_page(ctx)) and trouble.cause in INSEPARABLE | _CAPTIVE:
        params = {"location": page, "status": UNKNOWN}
        evidence = (Evidence("captive_page", page),)
        return trouble.but(
            cause="captive_portal", owner=None, grade=SELF_PROVING, contributing=also, params=params, evidence=evidence
        )
    if trouble.layer is Layer.TLS and trouble.cause in INSEPARABLE and answers_for_all(ctx) and not neutral_ok(ctx):
        evidence = (Evidence("test_net", "connects"),)
        return trouble.but(cause="transparent_proxy", grade=SELF_PROVING, contributing=also, evidence=evidence)
    if trouble.cause in ("tcp_drop", "tcp_unreachable", "tcp_refused", "down_or_site_block") and line_down(ctx):
        return trouble.but(cause="internet_down", owner=None, grade=DIFFERENTIAL, contributing=also)
    return trouble


def captive_page(ctx: Context) -> str:
    """Where a well-known page leads to instead of its text, when neutral hosts fail too; else empty."""
    if neutral_ok(ctx):
        return ""
    for canary in ctx.canaries("http_text"):
        if canary.ok is not False:
            continue
        for attempt in canary.target.attempts:
            http = attempt.http
            if http is None or http.status is None:
                continue
            location = http.headers.get("location", "")
            if http.status == 511:
                return location or "511"
            if 300 <= http.status < 400 and location and endpoint_http.foreign_host(location, ctx):
                return location
    return ""


def answers_for_all(ctx: Context) -> bool:
    """Whether a connection to an address where nothing lives succeeds."""
    return any(canary.ok is False for canary in ctx.canaries("test_net"))


def neutral_ok(ctx: Context) -> bool:
    """Whether a neutral https host comes through untouched."""
    return any(canary.ok is True for canary in ctx.canaries("https"))


def _connects(target: Target) -> bool:
    return any(attempt.tcp.error is None for attempt in target.attempts)


def line_down(ctx: Context) -> bool:
    """Whether neither a neutral host nor any endpoint can be connected to; False without canaries to tell."""
    neutral = [canary.target for kind in ("https", "http_text") for canary in ctx.canaries(kind)]
    if len(neutral) < 2 or any(_connects(target) or not target.complete for target in neutral):
        return False
    return not any(_connects(target) for target in ctx.section.targets)
