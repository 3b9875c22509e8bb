# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The endpoint judge: one root cause for each endpoint, from what the host saw, weighed with what others saw.

Pure. Order: the clock, the name, the connection, the certificate, the answer; then the proxy that programs would use;
then where the failure sits. What was not observed is unknown, and only what was seen to work is fine.
"""

from __future__ import annotations

import dataclasses
import datetime
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils.catalog import Endpoint
from ansible_collections.edefter.ready.plugins.plugin_utils.judge import (
    endpoint_attempt,
    endpoint_dns,
    endpoint_proxy,
    endpoint_scope,
)
from ansible_collections.edefter.ready.plugins.plugin_utils.judge.endpoint_model import (
    DIFFERENTIAL,
    LOCAL,
    OWNERS,
    UNKNOWN,
    ClockOffset,
    Context,
    Layer,
    LocalFirewall,
    Trouble,
    attempt_text,
    milliseconds,
)
from ansible_collections.edefter.ready.plugins.plugin_utils.model import (
    Area,
    Evidence,
    Finding,
    Owner,
    Status,
)
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.endpoint_model import Attempt, Endpoints, Target
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.network import Network
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.proxy import Proxy
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted.endpoints import EndpointsWanted

__all__ = ["LocalFirewall", "Situation", "judge_endpoints"]

Judged = list[tuple[Attempt, Trouble | None]]


class ClockLike(t.Protocol):
    """What of the clock's verdict is needed: lo, hi hold `true - host` in seconds (None: not known)."""

    @property
    def lo(self) -> float | None: ...
    @property
    def hi(self) -> float | None: ...
    @property
    def host_utc(self) -> str: ...


@dataclasses.dataclass(frozen=True)
class Situation:
    """What one host's endpoints are judged with.

    vantage: what the control node saw; same_site: whether it sits behind the same firewall, None when nobody said.
    clock: the clock's verdict. started, elapsed_ms: of the observation, by the host's own clock.
    firewall: what the host's own firewall does, by endpoint id.
    """

    network: Network | None = None
    proxy: Proxy | None = None
    vantage: Endpoints | None = None
    same_site: bool | None = None
    clock: ClockLike | None = None
    started: str = ""
    elapsed_ms: float = 0.0
    firewall: t.Mapping[str, LocalFirewall] | None = None


def judge_endpoints(section: Endpoints, wanted: EndpointsWanted, situation: Situation) -> tuple[Finding, ...]:
    """One finding for each wanted endpoint, in the catalogue's order. An endpoint that was not probed is unknown."""
    now = _moment(situation.started) or _moment(situation.clock.host_utc if situation.clock is not None else "")
    clock = _offset(situation.clock)
    if clock is None and now is not None:
        clock = clock_from_dates(section, now, situation.elapsed_ms)
    by_id = {target.id: target for target in section.targets}
    findings = []
    for endpoint in wanted.endpoints:
        target = by_id.get(endpoint.id)
        if target is None or (target.host.lower(), target.port) != (endpoint.host.lower(), endpoint.port):
            findings.append(_not_probed(endpoint))
            continue
        ctx = Context(
            endpoint=endpoint,
            target=target,
            wanted=wanted,
            section=section,
            network=situation.network,
            proxy=situation.proxy,
            vantage=None if situation.vantage is None else _same(situation.vantage.targets, endpoint),
            same_site=situation.same_site,
            now=now,
            clock=clock,
            firewall=(situation.firewall or {}).get(endpoint.id),
        )
        findings.append(_finding(ctx, _judge(ctx), _required(ctx, by_id)))
    return tuple(findings)


def _moment(text: str) -> datetime.datetime | None:
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=datetime.UTC)


def _offset(clock: ClockLike | None) -> ClockOffset | None:
    """From `true - host` to `host - true`."""
    if clock is None or clock.lo is None or clock.hi is None:
        return None
    return ClockOffset(-clock.hi, -clock.lo)


def _same(targets: t.Iterable[Target], endpoint: Endpoint) -> Target | None:
    wanted = (endpoint.host.lower(), endpoint.port, endpoint.scheme)
    return next((target for target in targets if (target.host.lower(), target.port, target.scheme) == wanted), None)


def clock_from_dates(section: Endpoints, now: datetime.datetime, elapsed_ms: float) -> ClockOffset | None:
    """A coarse offset from the Date headers of several hosts: enough to see a clock that is wrong by minutes or years.

    A Date may be anybody's on plain http, so at least half of the hosts have to agree within two minutes.
    """
    by_host: dict[str, float] = {}
    for target in (*section.targets, *(canary.target for canary in section.canaries)):
        for attempt in sorted(target.attempts, key=lambda a: a.address):
            http, tls = attempt.http, attempt.tls
            if http is None or http.date is None or (http.status or 0) >= 500:
                continue
            if tls is not None and not tls.chain_status <= {"not_time_valid"}:
                continue
            by_host.setdefault(target.host.lower(), (now - http.date).total_seconds())
    if not by_host:
        return None
    offsets = sorted(by_host.values())
    middle = offsets[len(offsets) // 2]
    agreeing = [offset for offset in offsets if abs(offset - middle) <= 120]
    if 2 * len(agreeing) <= len(offsets):
        return None
    # A header came at some moment between start and end of the observation, and tells whole seconds.
    return ClockOffset(min(agreeing) - 1.0, max(agreeing) + elapsed_ms / 1000 + 1.0)


def _judge(ctx: Context) -> Trouble | None:
    """The root cause, or None for an endpoint that is fine; a Trouble of status PASS is a note to something fine."""
    through = endpoint_proxy.judge_proxies(ctx)
    judged: Judged = [
        (attempt, endpoint_attempt.judge_attempt(attempt, ctx))
        for attempt in sorted(ctx.target.attempts, key=lambda a: (a.family, a.address))
    ]
    direct = _direct(ctx, judged)
    trouble, proxy = endpoint_proxy.combine(direct, through, ctx)
    if trouble is None and proxy and direct is not None:
        return Trouble(
            cause="ok_via_proxy",
            layer=Layer.PROXY,
            status=Status.PASS,
            observed=f"proxy {proxy}",
            params=ctx.params(proxy=proxy),
            contributing=(f"endpoint.{direct.cause}",),
        )
    return trouble


def _direct(ctx: Context, judged: Judged) -> Trouble | None:
    dns = ctx.target.dns
    if dns is not None and not dns.system:
        return endpoint_dns.judge_no_address(dns, ctx, judged)
    used = [pair for pair in judged if pair[0].source in ("system", "literal")]
    if not used:
        return endpoint_attempt.incomplete(ctx, UNKNOWN, "tcp")
    if dns is not None and (lie := endpoint_dns.judge_lie(dns, ctx, judged)) is not None:
        return lie
    decisive = _decisive(ctx, used)
    trouble = decisive[1]
    if trouble is not None and trouble.status is Status.FAIL:
        found = endpoint_scope.port_dropped(trouble, decisive[0], ctx)
        found = endpoint_scope.site_wide(found, ctx)
        if found.cause not in ("captive_portal", "internet_down", "transparent_proxy"):
            found = endpoint_scope.compare(found, decisive[0].address, ctx, endpoint_scope.vantage_outcomes(ctx))
        others = sorted({pair[1].cause for pair in used if pair[1] is not None} - {trouble.cause, found.cause})
        return found.but(contributing=tuple(f"endpoint.{cause}" for cause in others))
    if trouble is not None and trouble.status is Status.UNKNOWN:
        return trouble
    return _some_fail(ctx, used) or trouble or _slow(ctx, used) or _other_addresses(ctx, used)


def _decisive(ctx: Context, used: Judged) -> tuple[Attempt, Trouble | None]:
    """The attempt that decides what a program meets: the race's winner; without one, the way that came furthest.

    Ties go to IPv4 (sorted first). A family that the host has no way into says nothing.
    """
    for pair in used:
        if pair[0].address == ctx.target.winner and pair[0].tcp.error is None:
            return pair
    fine = [pair for pair in used if pair[1] is None or pair[1].status in (Status.PASS, Status.WARN)]
    if fine:
        return fine[0]
    local = [pair for pair in used if pair[1] is not None and pair[1].cause in LOCAL]
    if local:
        return local[0]
    ways = [pair for pair in used if pair[0].tcp.error is None or pair[0].tcp.error.code not in endpoint_attempt.NO_WAY]
    return max(ways or used, key=lambda pair: pair[1].layer if pair[1] is not None else Layer.HTTP)


def _some_fail(ctx: Context, used: Judged) -> Trouble | None:
    """The chosen way works, another address does not: dead IPv6, or one server of several."""
    bad = [(a, trouble) for a, trouble in used if trouble is not None and trouble.status is Status.FAIL and _has_way(a)]
    if not bad:
        return None
    whole = {pair[0].family for pair in used} - {
        attempt.family for attempt, trouble in used if trouble is None or trouble.status is not Status.FAIL
    }
    dead6 = 6 in whole and all(attempt.family == 6 and trouble.layer is Layer.TCP for attempt, trouble in bad)
    addresses = " ".join(pair[0].address for pair in bad)
    return Trouble(
        cause="ipv6_broken" if dead6 else "some_addresses_fail",
        layer=Layer.TCP,
        status=Status.WARN,
        grade=DIFFERENTIAL,
        observed=endpoint_attempt.summary(used),
        params=ctx.params(address=addresses),
        contributing=tuple(sorted({f"endpoint.{pair[1].cause}" for pair in bad})),
    )


def _has_way(attempt: Attempt) -> bool:
    """False where the host simply has no IPv6 (or no IPv4): it says so at once, and that is no fault."""
    return attempt.tcp.error is None or attempt.tcp.error.code not in endpoint_attempt.NO_WAY


def _total(attempt: Attempt) -> float:
    return sum(phase.elapsed_ms or 0.0 for phase in (attempt.tcp, attempt.tls, attempt.http) if phase is not None)


def _slow(ctx: Context, used: Judged) -> Trouble | None:
    best = min(_total(attempt) for attempt, trouble in used if trouble is None)
    resolved = ctx.target.dns.system_ms if ctx.target.dns is not None else None
    limit = ctx.wanted.slow_ms
    params = ctx.params(elapsed=milliseconds(best), limit=milliseconds(limit), resolved=milliseconds(resolved))
    found = Trouble(cause="slow", layer=Layer.HTTP, status=Status.WARN, observed=milliseconds(best), params=params)
    if ctx.vantage is not None:
        own = [_total(a) for a in ctx.vantage.used() if a.http is not None and a.http.status is not None]
        if own and best > max(limit / 2, ctx.wanted.slow_factor * min(own)):
            seen = (Evidence("vantage", milliseconds(min(own))),)
            return found.but(grade=DIFFERENTIAL, evidence=seen, ruled_out=("endpoint.service_down",))
    if best > limit:
        return found
    if (
        resolved is not None
        and resolved > limit
        and ctx.target.dns
        and endpoint_dns.resolvers_lag(ctx.target.dns, limit)
    ):
        return found.but(cause="dns_slow", layer=Layer.DNS, observed=milliseconds(resolved))
    return None


def _other_addresses(ctx: Context, used: Judged) -> Trouble | None:
    """Fine, and yet worth a note: genuine, at addresses that the vantage does not know (another data centre)."""
    dns = ctx.target.dns
    if dns is None or not endpoint_dns.differs(dns, ctx):
        return None
    addresses = " ".join(pair[0].address for pair in used)
    return Trouble(
        cause="dns_differs",
        layer=Layer.DNS,
        status=Status.PASS,
        grade=DIFFERENTIAL,
        observed=_fine_text(ctx),
        params=ctx.params(address=addresses),
    )


def _required(ctx: Context, targets: t.Mapping[str, Target]) -> bool:
    """Required by the catalogue, or because another endpoint redirects to it."""
    endpoint = ctx.endpoint
    if endpoint.required:
        return True
    source = targets.get(endpoint.required_when_redirected_from)
    if source is None:
        return False
    prefix = f"{endpoint.scheme}://{endpoint.host}".lower()
    standard = {"https": 443, "http": 80}.get(endpoint.scheme) == endpoint.port
    for attempt in source.attempts:
        if attempt.http is None or not 300 <= (attempt.http.status or 0) < 400:
            continue
        location = attempt.http.headers.get("location", "").lower()
        rest = location.removeprefix(prefix) if location.startswith(prefix) else None
        if rest is None:
            continue
        if rest.startswith(f":{endpoint.port}") or (standard and (not rest or rest[0] in "/?#")):
            return True
    return False


def _fine_text(ctx: Context) -> str:
    winner = next((a for a in ctx.target.attempts if a.address == ctx.target.winner), None)
    best = winner or next((a for a in ctx.target.attempts if a.http is not None and a.http.status is not None), None)
    return attempt_text(best) if best is not None else "ok"


def _finding(ctx: Context, trouble: Trouble | None, required: bool) -> Finding:
    endpoint = ctx.endpoint
    if trouble is None:
        trouble = Trouble(
            cause="ok", layer=Layer.HTTP, status=Status.PASS, observed=_fine_text(ctx), params=ctx.params()
        )
    status = trouble.status
    if status is Status.FAIL and not required:
        status = Status.WARN
    owner = trouble.owner or OWNERS[trouble.cause]
    attempts = sorted(ctx.target.attempts, key=lambda a: (a.family, a.address))[:6]
    return Finding(
        id=f"endpoint:{endpoint.id}",
        area=Area.PROXY if trouble.cause.startswith("proxy_") else Area.ENDPOINT,
        check="endpoint",
        subject=endpoint.id,
        status=status,
        cause=f"endpoint.{trouble.cause}",
        owner=Owner.NOBODY if status is Status.PASS else owner,
        observed=trouble.observed,
        expected=f"{endpoint.scheme}://{endpoint.host}:{endpoint.port}",
        params=trouble.params,
        evidence=(*trouble.evidence, *(Evidence("attempt", attempt_text(attempt)) for attempt in attempts)),
        grade=trouble.grade,
        contributing=tuple(cause for cause in trouble.contributing if cause != f"endpoint.{trouble.cause}"),
        ruled_out=trouble.ruled_out,
        blocks_filing=required and status in (Status.FAIL, Status.UNKNOWN),
        steps=_steps(trouble, endpoint),
    )


def _steps(trouble: Trouble, endpoint: Endpoint) -> tuple[str, ...]:
    """Steps of the plan that would repair it. The caller leaves out those that its plan does not hold."""
    if trouble.cause in LOCAL:
        return (f"firewall.rule:tcp-{endpoint.port}",)
    return ("time.resync",) if trouble.cause == "cert_date_bad_clock" else ()


def _not_probed(endpoint: Endpoint) -> Finding:
    """Nothing is known of it: that is no success, and no failure of the endpoint either."""
    return Finding(
        id=f"endpoint:{endpoint.id}",
        area=Area.ENDPOINT,
        check="endpoint",
        subject=endpoint.id,
        status=Status.UNKNOWN,
        cause="endpoint.not_probed",
        owner=OWNERS["not_probed"],
        observed="no such target in the observation",
        expected=f"{endpoint.scheme}://{endpoint.host}:{endpoint.port}",
        params={"host": endpoint.host, "port": str(endpoint.port), "allow": endpoint.allow, "id": endpoint.id},
        blocks_filing=endpoint.required,
    )
