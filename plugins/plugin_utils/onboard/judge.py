# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges the way to a host: one finding a stage, up to the one that fails.

Pure. A stage that was not reached has no finding.
"""

from __future__ import annotations

import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils.model import Area, Evidence, Finding, Owner, Status
from ansible_collections.edefter.ready.plugins.plugin_utils.onboard import causes
from ansible_collections.edefter.ready.plugins.plugin_utils.onboard.stages import (
    PLAIN,
    SECURE,
    WINRM,
    Attempt,
    Connection,
    Looked,
)

# Who can do something about a cause; the machine's administrator where nothing is said.
_OWNERS = {
    "onboard.name_unknown": Owner.NETWORK_ADMIN,
    "onboard.dns_silent": Owner.CONTROLLER,
    "onboard.port_unreachable": Owner.NETWORK_ADMIN,
    "onboard.other_port": Owner.CONTROLLER,
    "onboard.cert_wrong_name": Owner.LOCAL_ADMIN,
    "onboard.tls_not_verified": Owner.CONTROLLER,
    "onboard.not_tls": Owner.CONTROLLER,
    "onboard.basic_in_clear": Owner.CONTROLLER,
    "onboard.auth_not_offered": Owner.CONTROLLER,
    "onboard.rejected_domain": Owner.CONTROLLER,
    "onboard.no_credentials": Owner.CONTROLLER,
    "onboard.library_missing": Owner.CONTROLLER,
    "onboard.kerberos_kdc": Owner.CONTROLLER,
    "onboard.kerberos_name": Owner.CONTROLLER,
    "onboard.kerberos_local": Owner.CONTROLLER,
    "onboard.kerberos_spn": Owner.DOMAIN_ADMIN,
    "onboard.password_expired": Owner.DOMAIN_ADMIN,
    "onboard.account_locked": Owner.DOMAIN_ADMIN,
    "onboard.execution_policy": Owner.DOMAIN_ADMIN,
    "onboard.constrained": Owner.DOMAIN_ADMIN,
    "onboard.not_winrm": Owner.NETWORK_ADMIN,
    "onboard.not_wsman": Owner.NETWORK_ADMIN,
    "onboard.through_proxy": Owner.CONTROLLER,
}
_TLS = {
    "expired": "onboard.cert_expired",
    "not_yet_valid": "onboard.cert_not_yet_valid",
    "wrong_name": "onboard.cert_wrong_name",
    "untrusted": "onboard.cert_untrusted",
    "not_tls": "onboard.not_tls",
}
_UNREACHABLE = ("host_unreachable", "network_unreachable", "access_denied", "network_down")
_ODD = (400, 403, 405, 411, 415)
# What each way of logging on needs to be offered (RFC 4559: Kerberos and NTLM both go inside Negotiate).
_OFFERS = {
    "basic": ("basic",),
    "plaintext": ("basic",),
    "ntlm": ("negotiate", "ntlm"),
    "kerberos": ("kerberos", "negotiate"),
    "negotiate": ("negotiate", "kerberos", "ntlm"),
    "credssp": ("credssp",),
}


def _finding(
    stage: str, cause: str, status: Status, observed: str = "", evidence: t.Iterable[Evidence] = (), /, **params: str
) -> Finding:
    fine = status is Status.PASS
    return Finding(
        id=f"onboard:{stage}",
        area=Area.REACH,
        check="onboard",
        subject=stage,
        status=status,
        cause=cause,
        owner=Owner.NOBODY if fine else _OWNERS.get(cause, Owner.LOCAL_ADMIN),
        observed=observed,
        expected="",
        params=params,
        evidence=tuple(evidence),
        grade="" if fine else "self_proving",
        blocks_filing=status in (Status.FAIL, Status.UNKNOWN),
    )


def outside(connection: Connection, looked: Looked) -> tuple[Finding, ...]:
    """The stages before logging on. The last one is a fail when the way ends there."""
    if connection.proxied:
        return (_finding("port", "onboard.through_proxy", Status.WARN, "proxy"),)
    found: list[Finding] = []
    for judge in (_dns, _port, _tls, _http):
        one = judge(connection, looked)
        if one is not None:
            found.append(one)
            if one.status is Status.FAIL:
                break
    return tuple(found)


def ended(findings: t.Iterable[Finding]) -> bool:
    """Whether the way ends before logging on."""
    return any(finding.status is Status.FAIL for finding in findings)


def inside(connection: Connection, looked: Looked, attempt: Attempt) -> tuple[Finding, ...]:
    """The stages of logging on and of running PowerShell."""
    cause = causes.of(attempt, connection, looked)
    passed_auth = _finding("auth", "onboard.auth_ok", Status.PASS, connection.auth, auth=connection.auth or "-")
    if cause is None:
        return passed_auth, _finding("shell", "onboard.shell_ok", Status.PASS, "ok")
    stage, key, params = cause
    evidence = [Evidence("error", " ".join((attempt.text or attempt.output).split())[:500])]
    if attempt.types:
        evidence.append(Evidence("error_type", attempt.types[0]))
    failed = _finding(stage, key, Status.FAIL, key.rpartition(".")[2], evidence, **params)
    return (failed,) if stage == "auth" else (passed_auth, failed)


def _dns(connection: Connection, looked: Looked) -> Finding | None:
    name = connection.address
    if connection.literal:
        return None
    shown = ", ".join(looked.addresses[:4])
    if looked.dns == "ok":
        return _finding("dns", "onboard.dns_ok", Status.PASS, shown, name=name, addresses=shown)
    cause = "onboard.name_unknown" if looked.dns in ("nxdomain", "nodata") else "onboard.dns_silent"
    return _finding("dns", cause, Status.FAIL, looked.dns, name=name)


def _port(connection: Connection, looked: Looked) -> Finding:
    port = connection.port
    code = looked.ports.get(port, "error")
    where = f"{connection.address}:{port}"
    evidence = [Evidence(f"port_{number}", result) for number, result in sorted(looked.ports.items())]
    if code == "ok":
        return _finding("port", "onboard.port_ok", Status.PASS, code, evidence, port=str(port))
    others = [number for number, result in sorted(looked.ports.items()) if number != port and result == "ok"]
    if others and connection.kind in WINRM:
        other = others[0]
        scheme = {PLAIN: "http", SECURE: "https"}.get(other, "?")
        return _finding(
            "port", "onboard.other_port", Status.FAIL, code, evidence, port=str(port), other=str(other), scheme=scheme
        )
    if code == "refused":
        cause = "onboard.port_refused"
    elif code in _UNREACHABLE:
        cause = "onboard.port_unreachable"
    else:
        cause = "onboard.port_silent"
    return _finding("port", cause, Status.FAIL, code, evidence, where=where, port=str(port))


def _tls(connection: Connection, looked: Looked) -> Finding | None:
    if connection.kind not in WINRM:
        return None
    if not connection.tls:
        if connection.auth in ("basic", "plaintext"):
            return _finding("tls", "onboard.basic_in_clear", Status.WARN, "http")
        return None
    cert = looked.certificate
    evidence = []
    params = {"name": connection.address, "names": "-", "issuer": "-", "from": "-", "until": "-", "error": looked.tls}
    if cert is not None:
        params.update(
            {
                "names": ", ".join(cert.names[:6]) or cert.subject,
                "issuer": cert.issuer,
                "from": cert.not_before[:10],
                "until": cert.not_after[:10],
            }
        )
        evidence = [Evidence("subject", cert.subject), Evidence("issuer", cert.issuer)]
        evidence.append(Evidence("validity", f"{cert.not_before} – {cert.not_after}"))
    if looked.tls == "ok":
        return _finding("tls", "onboard.tls_ok", Status.PASS, looked.tls, evidence, until=params["until"])
    cause = _TLS.get(looked.tls, "onboard.tls_failed")
    if cert is not None and not connection.verify and cause.startswith("onboard.cert_"):
        return _finding("tls", "onboard.tls_not_verified", Status.WARN, looked.tls, evidence, error=looked.tls)
    return _finding("tls", cause, Status.FAIL, looked.tls, evidence, **params)


def _http(connection: Connection, looked: Looked) -> Finding | None:
    if connection.kind not in WINRM:
        return None
    evidence = [Evidence("status", str(looked.status or "-")), Evidence("server", looked.server or "-")]
    evidence.append(Evidence("offers", ", ".join(looked.offers) or "-"))
    port = str(connection.port)
    if looked.http != "ok":
        cause = "onboard.http_silent" if looked.http in ("timeout", "deadline") else "onboard.not_winrm"
        return _finding("http", cause, Status.FAIL, looked.http, evidence, port=port, answer=looked.http)
    status = str(looked.status)
    if looked.status == 503:
        return _finding("http", "onboard.unavailable", Status.FAIL, status, evidence, answer=status)
    # 401 is usual. HTTP.sys may also find fault with a request that has no body, and is Windows all the same.
    odd = looked.status in _ODD and looked.server.startswith("Microsoft-HTTPAPI")
    if looked.status != 401 and not odd:
        return _finding("http", "onboard.not_winrm", Status.FAIL, status, evidence, port=port, answer=status)
    wanted = _OFFERS.get(connection.auth)
    if wanted is not None and looked.offers and not set(wanted) & set(looked.offers):
        offers = ", ".join(looked.offers)
        return _finding(
            "auth", "onboard.auth_not_offered", Status.FAIL, offers, evidence, auth=connection.auth, offers=offers
        )
    return _finding("http", "onboard.http_ok", Status.PASS, status, evidence, offers=", ".join(looked.offers) or "-")
