# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One attempt, from TCP to HTTP: the first phase that went wrong, named.

Pure. Nothing of another endpoint is looked at here, apart from the host's canaries.
"""

from __future__ import annotations

import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils.judge import endpoint_cert, endpoint_http
from ansible_collections.edefter.ready.plugins.plugin_utils.judge.endpoint_model import (
    PROBE_FAULTS,
    SELF_PROVING,
    UNKNOWN,
    Context,
    Layer,
    Trouble,
    fault_text,
)
from ansible_collections.edefter.ready.plugins.plugin_utils.model import Evidence, Owner, Status
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.endpoint_model import (
    Attempt,
    Http,
    Icmp,
    Tcp,
    Tls,
)
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.envelope import Fault

# The host itself has no way there: normal for IPv6 in an IPv4-only network.
NO_WAY = frozenset({"network_unreachable", "network_down", "address_not_available", "family_not_supported"})
# RFC 1812 5.2.7.1: net, host, communication administratively prohibited; RFC 4443 3.1: policy, reject route.
_PROHIBITED = {(3, 9), (3, 10), (3, 13), (1, 1), (1, 5), (1, 6)}
_ALERTS = {
    0: "close_notify",
    10: "unexpected_message",
    40: "handshake_failure",
    42: "bad_certificate",
    47: "illegal_parameter",
    48: "unknown_ca",
    49: "access_denied",
    70: "protocol_version",
    71: "insufficient_security",
    80: "internal_error",
    86: "inappropriate_fallback",
    90: "user_canceled",
    112: "unrecognized_name",
    116: "certificate_required",
    120: "no_application_protocol",
}
_MODERN = ("TLSv1.2", "TLSv1.3")


def judge_attempt(attempt: Attempt, ctx: Context) -> Trouble | None:
    """The trouble of one direct attempt, or None when it came through to a good answer."""
    return _tcp(attempt, ctx) or _above(attempt.tls, attempt.http, attempt.neutral_sni, ctx, attempt.address)


def judge_tunnel(tls: Tls | None, http: Http | None, ctx: Context, address: str) -> Trouble | None:
    """What lies above an established connection: also what came through a proxy's tunnel."""
    return _above(tls, http, None, ctx, address)


def _above(tls: Tls | None, http: Http | None, neutral: Tls | None, ctx: Context, address: str) -> Trouble | None:
    certificate = None
    if ctx.endpoint.scheme == "https":
        if tls is None:
            return incomplete(ctx, address, "tls")
        certificate = _tls(tls, http, neutral, ctx, address)
        if certificate is not None and certificate.status in (Status.FAIL, Status.UNKNOWN):
            return certificate
    page = endpoint_http.judge_http(http, tls, ctx, address)
    if certificate is None or page is None:
        return page or certificate
    if page.status in (Status.FAIL, Status.UNKNOWN):
        return page.but(contributing=(f"endpoint.{certificate.cause}",))
    return certificate.but(contributing=(f"endpoint.{page.cause}",))


def incomplete(ctx: Context, address: str, phase: str) -> Trouble:
    """A phase that the deadline cut off: unknown, whatever the other phases say."""
    return Trouble(
        cause="incomplete",
        layer=Layer.NONE,
        status=Status.UNKNOWN,
        observed=f"{address}: {phase} not finished",
        params=ctx.params(address=address, phase=phase),
    )


def probe_error(ctx: Context, address: str, fault: Fault) -> Trouble:
    """The probe itself failed. That says nothing of the network, so it is never called a failure of the endpoint."""
    return Trouble(
        cause="probe_error",
        layer=Layer.NONE,
        status=Status.UNKNOWN,
        observed=f"{address}: {fault_text(fault)}",
        params=ctx.params(address=address, phase=fault.phase),
        evidence=(Evidence("error", f"{fault_text(fault)}: {fault.message[:200]}"),),
    )


def blocked_here(ctx: Context, address: str, grade: str, fault: Fault) -> Trouble:
    """A filter on the very host; the firewall's verdict names the rule where it is known."""
    local = ctx.firewall if ctx.firewall is not None and ctx.firewall.verdict == "blocked" else None
    owner = Owner.LOCAL_ADMIN
    if local is not None and local.store in ("gpo", "mdm"):
        owner = Owner.DOMAIN_ADMIN
    elif local is not None and not local.rule:
        # A default action that blocks: the role adds the rule that is missing.
        owner = Owner.COLLECTION
    cause = "local_firewall_block"
    if local is not None:
        cause = "local_firewall_rule" if local.rule else "local_firewall_default"
    rule, store = (local.rule, local.store) if local is not None else ("", "")
    return Trouble(
        cause=cause,
        layer=Layer.TCP,
        observed=f"{address}:{ctx.endpoint.port}: {fault_text(fault)}",
        grade=grade,
        owner=owner,
        params=ctx.params(address=address, rule=rule or UNKNOWN, store=store or UNKNOWN),
        evidence=(
            Evidence("error", fault_text(fault)),
            Evidence("rule", rule or UNKNOWN),
            Evidence("store", store or UNKNOWN),
        ),
        ruled_out=("endpoint.tcp_drop", "endpoint.tcp_refused"),
    )


def _tcp(attempt: Attempt, ctx: Context) -> Trouble | None:
    fault = attempt.tcp.error
    if fault is None:
        return None
    where = f"{attempt.address}:{ctx.endpoint.port}"
    if fault.code == "deadline":
        return incomplete(ctx, attempt.address, "tcp")
    if fault.code in PROBE_FAULTS:
        return probe_error(ctx, attempt.address, fault)
    if fault.code == "access_denied":
        return blocked_here(ctx, attempt.address, SELF_PROVING, fault)
    if ctx.firewall is not None and ctx.firewall.verdict == "blocked" and fault.code not in NO_WAY:
        return blocked_here(ctx, attempt.address, "", fault)
    evidence = [Evidence("error", fault_text(fault))]
    if attempt.tcp.icmp is not None:
        evidence.append(Evidence("icmp", _icmp_text(attempt.tcp.icmp)))
    found = Trouble(
        cause=_tcp_cause(attempt.tcp, fault),
        layer=Layer.TCP,
        observed=f"{where}: {fault_text(fault)}",
        params=ctx.params(address=attempt.address, sender=attempt.tcp.icmp.sender if attempt.tcp.icmp else UNKNOWN),
        evidence=tuple(evidence),
    )
    if found.cause in ("tcp_admin_prohibited", "no_route"):
        found = found.but(grade=SELF_PROVING)
    return found


def _icmp_text(icmp: Icmp) -> str:
    return f"type {icmp.type} code {icmp.code} from {icmp.sender}"


def _tcp_cause(tcp: Tcp, fault: Fault) -> str:
    code = fault.code
    if code == "timeout":
        return "tcp_drop"
    if code in ("refused", "reset"):
        return f"tcp_{code}"
    if tcp.icmp is not None and tcp.icmp.sender != tcp.local_address and (tcp.icmp.type, tcp.icmp.code) in _PROHIBITED:
        return "tcp_admin_prohibited"
    if code in NO_WAY and tcp.icmp is None:
        # Nobody on the way said so: the host's own routing table did.
        return "no_route"
    if code in ("host_unreachable", *NO_WAY):
        return "tcp_unreachable"
    return "tcp_error"


def _tls(tls: Tls, http: Http | None, neutral: Tls | None, ctx: Context, address: str) -> Trouble | None:
    if tls.chain:
        found = endpoint_cert.judge_chain(tls, http, ctx, address)
        if found is not None and (tls.error is None or found.status is Status.FAIL):
            return found
    if tls.error is None:
        return None if tls.chain else incomplete(ctx, address, "tls")
    if tls.error.code == "deadline":
        return incomplete(ctx, address, "tls")
    if tls.error.code in PROBE_FAULTS:
        return probe_error(ctx, address, tls.error)
    return _handshake(tls, tls.error, neutral, ctx, address)


def _handshake(tls: Tls, fault: Fault, neutral: Tls | None, ctx: Context, address: str) -> Trouble:
    alert = "" if tls.alert is None else f"{tls.alert} {_ALERTS.get(tls.alert, 'unknown')}"
    found = Trouble(
        cause="tls_handshake",
        layer=Layer.TLS,
        observed=f"{address}:{ctx.endpoint.port}: {fault_text(fault)}",
        params=ctx.params(address=address, alert=alert or UNKNOWN, offered=", ".join(tls.offered) or UNKNOWN),
        evidence=(
            Evidence("error", fault_text(fault)),
            Evidence("bytes_received", str(tls.bytes_received)),
            Evidence("first_bytes", tls.first_bytes or "none"),
        ),
    )
    if neutral is not None:
        state = "ok" if neutral.error is None else neutral.error.code
        found = found.but(evidence=(Evidence("neutral_sni", f"{neutral.sni}: {state}"),))
    if _too_old(tls, ctx):
        return found.but(cause="client_tls_too_old", grade=SELF_PROVING)
    if fault.code == "version" or tls.alert in (70, 86):
        return found.but(cause="tls_version", grade=SELF_PROVING)
    if fault.code == "alert" or tls.alert is not None:
        return found.but(cause="tls_alert", grade=SELF_PROVING)
    if fault.code == "not_tls":
        return found.but(cause="tls_not_tls", grade=SELF_PROVING)
    cut = {"reset": "tls_reset", "aborted": "tls_reset", "eof": "tls_eof", "timeout": "tls_stall"}.get(fault.code)
    if cut is None:
        return found
    if neutral is not None and tls.bytes_received == 0 and _answered(neutral):
        # Same address, same port, another name: let through. Only the name can be the reason.
        return found.but(
            cause="sni_filter",
            grade=SELF_PROVING,
            contributing=(f"endpoint.{cut}",),
            ruled_out=("endpoint.service_down",),
        )
    return found.but(cause=cut)


def _answered(tls: Tls) -> bool:
    return bool(tls.chain) or tls.error is None or tls.bytes_received > 0


def _too_old(tls: Tls, ctx: Context) -> bool:
    if tls.offered:
        return not any(version in _MODERN for version in tls.offered)
    return ctx.network is not None and ctx.network.tls_client.tls12 is False


def summary(troubles: t.Iterable[tuple[Attempt, Trouble | None]]) -> str:
    """All attempts in one line, sorted, for `observed`."""
    texts = sorted(f"{attempt.address} {'ok' if trouble is None else trouble.cause}" for attempt, trouble in troubles)
    return ", ".join(texts)
