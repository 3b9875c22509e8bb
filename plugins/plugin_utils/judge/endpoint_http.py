# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP phase: block pages, captive portals, foreign redirects, proxies in the service's place, its own errors.

Pure. What came through TLS that agrees with the vantage is the service's own word; anything else may be anybody's.
"""

from __future__ import annotations

import ipaddress
import urllib.parse

from ansible_collections.edefter.ready.plugins.plugin_utils.judge import endpoint_cert
from ansible_collections.edefter.ready.plugins.plugin_utils.judge.endpoint_model import (
    DIFFERENTIAL,
    PROBE_FAULTS,
    SELF_PROVING,
    UNKNOWN,
    Context,
    Layer,
    Trouble,
    block_page,
    block_portal,
    fault_text,
    in_networks,
)
from ansible_collections.edefter.ready.plugins.plugin_utils.model import Evidence, Owner, Status
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.endpoint_model import Http, Tls
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.values import canonical

_REDIRECTS = (301, 302, 303, 307, 308)
_ERRORS = {"timeout": "http_stall", "reset": "http_reset", "aborted": "http_reset", "eof": "http_eof"}


def judge_http(http: Http | None, tls: Tls | None, ctx: Context, address: str) -> Trouble | None:
    """The trouble of one HTTP exchange, or None."""
    found = Trouble(cause="incomplete", layer=Layer.HTTP, observed="", params=ctx.params(address=address, phase="http"))
    if http is None or (http.error is not None and http.error.code == "deadline"):
        return found.but(status=Status.UNKNOWN, layer=Layer.NONE, observed=f"{address}: http not finished")
    if http.error is not None and http.error.code in PROBE_FAULTS and http.status is None:
        error = Evidence("error", f"{fault_text(http.error)}: {http.error.message[:200]}")
        observed = f"{address}: {fault_text(http.error)}"
        return found.but(
            cause="probe_error", status=Status.UNKNOWN, layer=Layer.NONE, observed=observed, evidence=(error,)
        )
    found = found.but(
        observed=f"{address}: HTTP {http.status}" if http.status is not None else f"{address}: no HTTP answer",
        params={"status": str(http.status or UNKNOWN), "product": UNKNOWN, "location": UNKNOWN},
        evidence=_evidence(http),
    )
    if http.status is None:
        code = "malformed" if http.error is None else http.error.code
        if http.error is not None:
            found = found.but(observed=f"{address}: {fault_text(http.error)}")
        return found.but(cause=_ERRORS.get(code, "http_malformed"))
    ours = tls is not None and (endpoint_cert.agrees(tls, ctx) is True or _unsigned_by_a_box(tls, ctx))
    return _proxy_word(http, ctx, found, ours) or (
        _own(http, ctx, found) if ours else _anybody(http, ctx, found) or _own(http, ctx, found)
    )


def _unsigned_by_a_box(tls: Tls, ctx: Context) -> bool:
    """Trusted, right name, and nothing to compare with: as good as a browser's padlock."""
    return bool(tls.trusted and tls.name_match) and endpoint_cert.agrees(tls, ctx) is None


def _evidence(http: Http) -> tuple[Evidence, ...]:
    kept = ("server", "via", "location", "x-squid-error", "proxy-authenticate", "content-type")
    result = [Evidence(f"http_{name}", http.headers[name]) for name in kept if http.headers.get(name)]
    if http.body is not None and http.body.title:
        result.append(Evidence("http_title", http.body.title))
    if http.error is not None:
        result.append(Evidence("http_error", fault_text(http.error)))
    return tuple(result)


def _proxy_word(http: Http, ctx: Context, found: Trouble, ours: bool) -> Trouble | None:
    """A proxy answers in the service's place although nobody asked for one."""
    if http.status == 511:
        return found.but(cause="captive_portal", grade=SELF_PROVING)
    if http.status == 407:
        return found.but(cause="proxy_auth", grade=SELF_PROVING, params={"proxy": UNKNOWN, "source": UNKNOWN})
    squid = http.headers.get("x-squid-error", "")
    if squid and not ours:
        cause = "proxy_denied" if "DENIED" in squid.upper() else "proxy_upstream"
        return found.but(cause=cause, grade=SELF_PROVING, params={"proxy": UNKNOWN, "source": UNKNOWN})
    return None


def _anybody(http: Http, ctx: Context, found: Trouble) -> Trouble | None:
    """What an unprotected answer betrays of somebody else."""
    page = None
    if http.body is not None:
        page = block_page(f"{http.body.title or ''}\n{http.body.snippet}")
    redirect = http.status in _REDIRECTS
    location = http.headers.get("location", "")
    if redirect and (foreign := foreign_host(location, ctx)):
        return _foreign_redirect(ctx, found, location, foreign)
    if page is not None and not _vantage_has(http, ctx):
        return found.but(cause="http_blockpage", grade=SELF_PROVING, params={"product": page or UNKNOWN})
    if not redirect and _same_page_as_captive(http, ctx):
        return found.but(cause="captive_portal", grade=SELF_PROVING)
    if not redirect and _differs(http, ctx):
        return found.but(cause="http_foreign_page", grade=DIFFERENTIAL)
    return None


def foreign_host(location: str, ctx: Context) -> str:
    """The host that a redirect leads to, when it is neither the endpoint's own nor of the vendor's domain."""
    try:
        host = (urllib.parse.urlsplit(location).hostname or "").rstrip(".").lower()
    except ValueError:
        return location[:80] or UNKNOWN
    if not host or host == ctx.endpoint.host.lower():
        return ""
    base = ctx.endpoint.allow.lower().removeprefix("*.")
    # `portal.emikro.com.tr` may lead to `www.emikro.com.tr`: the vendor's own domain is the name's last three labels.
    own = ".".join(ctx.endpoint.host.lower().split(".")[-3:]) if canonical(ctx.endpoint.host) is None else base
    family = [base, own]
    return "" if any(host == name or host.endswith("." + name) for name in family) else host


def _foreign_redirect(ctx: Context, found: Trouble, location: str, host: str) -> Trouble | None:
    found = found.but(params={"location": location, "product": block_page(location) or UNKNOWN})
    if _vantage_redirects(host, ctx):
        return None
    if _captive(host, ctx):
        return found.but(cause="captive_portal", grade=SELF_PROVING)
    address = canonical(host.strip("[]"))
    proof = block_page(location) is not None or (
        address is not None and (block_portal(address) or in_networks(address, ctx.wanted.bogon_networks))
    )
    grade = SELF_PROVING if proof else (DIFFERENTIAL if ctx.vantage is not None else "")
    return found.but(cause="http_block_redirect", grade=grade)


def _vantage_http(ctx: Context) -> list[Http]:
    if ctx.vantage is None:
        return []
    own = ctx.vantage.used() or ctx.vantage.attempts
    return [attempt.http for attempt in own if attempt.http is not None and attempt.http.status is not None]


def _vantage_redirects(host: str, ctx: Context) -> bool:
    return any(foreign_host(http.headers.get("location", ""), ctx) == host for http in _vantage_http(ctx))


def _vantage_has(http: Http, ctx: Context) -> bool:
    """Whether the vantage, elsewhere, got the very same page: then it is the service's own."""
    if ctx.same_site is not False or http.body is None:
        return False
    return any(seen.body is not None and seen.body.sha256 == http.body.sha256 for seen in _vantage_http(ctx))


def _captive_pages(ctx: Context) -> list[Http]:
    """What the host got in place of a well-known text."""
    return [
        attempt.http
        for canary in ctx.canaries("http_text")
        if canary.ok is False
        for attempt in canary.target.attempts
        if attempt.http is not None and attempt.http.status is not None
    ]


def _captive(host: str, ctx: Context) -> bool:
    pages = _captive_pages(ctx)
    return any(_location_host(page) == host for page in pages)


def _location_host(http: Http) -> str:
    try:
        return (urllib.parse.urlsplit(http.headers.get("location", "")).hostname or "").rstrip(".").lower()
    except ValueError:
        return ""


def _same_page_as_captive(http: Http, ctx: Context) -> bool:
    if http.body is None:
        return False
    mine = (http.body.sha256, http.body.title)
    return any(
        page.body is not None and (page.body.sha256 == mine[0] or (mine[1] and page.body.title == mine[1]))
        for page in _captive_pages(ctx)
    )


def _differs(http: Http, ctx: Context) -> bool:
    """Neither status, nor length, nor title, nor server are what any of the vantage's answers had."""
    seen = [page for page in _vantage_http(ctx) if page.status is not None]
    return bool(seen) and not any(_alike(http, page) for page in seen)


def _alike(one: Http, other: Http) -> bool:
    if one.status != other.status and (one.status or 0) // 100 != 3 and (other.status or 0) // 100 != 3:
        # Another status is judged as such, not as another page.
        return True
    if one.body is None or other.body is None or one.body.sha256 == other.body.sha256:
        return True
    if (one.body.title or "") == (other.body.title or "") and one.body.title:
        return True
    short, long = sorted((one.body.length, other.body.length))
    same_server = one.headers.get("server") == other.headers.get("server")
    return same_server and long > 0 and short / long > 0.7


def _own(http: Http, ctx: Context, found: Trouble) -> Trouble | None:
    """The service's own answer: refusals and errors, compared with what the vantage gets."""
    status = http.status or 0
    seen = [page.status or 0 for page in _vantage_http(ctx)]
    better = any(200 <= other < 400 for other in seen)
    found = found.but(grade=DIFFERENTIAL if seen else "")
    if status >= 500:
        owner = Owner.FIREWALL_ADMIN if better and http.headers.get("via") else Owner.SERVICE
        return found.but(cause="http_server_error", owner=owner)
    if http.error is not None and http.error.code != "tls":
        return found.but(cause=_ERRORS.get(http.error.code, "http_malformed"), status=Status.WARN)
    if status == 403 and (better or not seen):
        return found.but(cause="http_forbidden", status=Status.FAIL if better else Status.WARN)
    if 400 <= status < 500 and better:
        return found.but(cause="http_client_error")
    if 400 <= status < 500 and not seen:
        return found.but(cause="http_client_error", status=Status.WARN)
    if status < 200:
        return found.but(cause="http_malformed")
    return None


def resolved_private(address: str, ctx: Context) -> bool:
    """Whether an address is one that a public service never has."""
    return in_networks(str(ipaddress.ip_address(address)), ctx.wanted.bogon_networks)
