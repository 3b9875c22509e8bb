# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way through a proxy: what the accountant's software meets when one is set.

Pure. A proxy that is set is the way that programs take, so a broken one is a fault even where the direct way is open.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils.judge import endpoint_attempt
from ansible_collections.edefter.ready.plugins.plugin_utils.judge.endpoint_model import (
    DIFFERENTIAL,
    LOCAL,
    PROBE_FAULTS,
    SELF_PROVING,
    UNKNOWN,
    Context,
    Layer,
    Trouble,
    fault_text,
)
from ansible_collections.edefter.ready.plugins.plugin_utils.model import Evidence, Owner, Status
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.endpoint_model import Http, ProxyAttempt
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.proxy import ProxyConfig

# What programs of a signed-in user obey; WinHTTP and the environment concern services only.
INTERACTIVE = frozenset({"wininet_user", "wininet_machine", "policy_machine", "policy_user"})


@dataclasses.dataclass(frozen=True)
class Through:
    """One proxy's outcome; trouble None: it lets the endpoint through."""

    attempt: ProxyAttempt
    trouble: Trouble | None
    interactive: bool


def judge_proxies(ctx: Context) -> tuple[Through, ...]:
    """Every proxy that the endpoint's host is not excepted from, ordered by its name."""
    result = []
    for attempt in sorted(ctx.target.proxy_attempts, key=_name):
        if _bypassed(attempt, ctx):
            continue
        interactive = bool(INTERACTIVE & set(attempt.sources)) or not attempt.sources
        result.append(Through(attempt, _judge(attempt, ctx), interactive))
    return tuple(result)


def _bypassed(attempt: ProxyAttempt, ctx: Context) -> bool:
    """Whether every place that sets this proxy excepts the host."""
    if ctx.proxy is None:
        return False
    places = [config for config in ctx.proxy.configs if config.enabled and attempt.proxy in config.by_scheme.values()]
    return bool(places) and all(bypasses(config, ctx.endpoint.host) for config in places)


def bypasses(config: ProxyConfig, host: str) -> bool:
    """WinINET's exception list: `*` stands for any characters, `<local>` for names without a dot, a port is ignored."""
    name = host.lower()
    for raw in config.bypass:
        pattern = raw.strip().lower().rpartition("://")[2]
        if pattern == "<local>":
            if "." not in name and ":" not in name:
                return True
            continue
        if pattern.count(":") == 1:
            pattern = pattern.partition(":")[0]
        if pattern and (_matches(name, pattern) or (pattern.startswith(".") and name.endswith(pattern))):
            return True
    return False


def _matches(name: str, pattern: str) -> bool:
    """Ordinal wildcard match in linear time (fnmatch would compile what a host wrote into a regular expression)."""
    parts = pattern.split("*")
    if len(parts) == 1:
        return name == pattern
    if not name.startswith(parts[0]) or not name.endswith(parts[-1]) or len(name) < len(parts[0]) + len(parts[-1]):
        return False
    at = len(parts[0])
    end = len(name) - len(parts[-1])
    for part in parts[1:-1]:
        at = name.find(part, at, end)
        if at < 0:
            return False
        at += len(part)
    return True


def _judge(attempt: ProxyAttempt, ctx: Context) -> Trouble | None:
    found = Trouble(
        cause="",
        layer=Layer.PROXY,
        observed=f"proxy {attempt.proxy}",
        grade=SELF_PROVING,
        params=ctx.params(
            proxy=attempt.proxy,
            source=", ".join(attempt.sources) or UNKNOWN,
            address=attempt.tcp.address or UNKNOWN,
            status=UNKNOWN,
        ),
        evidence=(Evidence("proxy", attempt.proxy), Evidence("proxy_set_in", ", ".join(attempt.sources) or UNKNOWN)),
    )
    fault = attempt.tcp.error
    if fault is not None:
        found = found.but(observed=f"proxy {attempt.proxy}: {fault_text(fault)}")
        if fault.code == "deadline":
            return _unfinished(found)
        if fault.code in PROBE_FAULTS:
            return endpoint_attempt.probe_error(ctx, attempt.proxy, fault)
        if fault.phase == "dns":
            return found.but(cause="proxy_unresolvable")
        if fault.code == "access_denied":
            return endpoint_attempt.blocked_here(ctx, attempt.tcp.address or attempt.proxy, SELF_PROVING, fault).but(
                layer=Layer.PROXY, params={"proxy": attempt.proxy}
            )
        return found.but(cause="proxy_refused" if fault.code in ("refused", "reset") else "proxy_timeout")
    if ctx.endpoint.scheme == "https":
        return _connect(attempt, ctx, found)
    return _plain(attempt, ctx, found)


def _unfinished(found: Trouble) -> Trouble:
    return found.but(cause="incomplete", status=Status.UNKNOWN, layer=Layer.NONE, grade="", params={"phase": "proxy"})


def _connect(attempt: ProxyAttempt, ctx: Context, found: Trouble) -> Trouble | None:
    answer = attempt.connect
    if answer is None or (answer.error is not None and answer.error.code == "deadline"):
        return _unfinished(found)
    if answer.status is None:
        return _no_answer(answer, "CONNECT", attempt, ctx, found)
    if 200 <= answer.status < 300:
        return endpoint_attempt.judge_tunnel(attempt.tls, attempt.http, ctx, f"proxy {attempt.proxy}")
    return _refusal(answer, attempt, found.but(observed=f"proxy {attempt.proxy}: CONNECT {answer.status}"))


def _plain(attempt: ProxyAttempt, ctx: Context, found: Trouble) -> Trouble | None:
    answer = attempt.http
    if answer is None or (answer.error is not None and answer.error.code == "deadline"):
        return _unfinished(found)
    if answer.status is None:
        return _no_answer(answer, "GET", attempt, ctx, found)
    if answer.status == 407 or answer.headers.get("x-squid-error"):
        return _refusal(answer, attempt, found.but(observed=f"proxy {attempt.proxy}: GET {answer.status}"))
    return endpoint_attempt.judge_tunnel(None, answer, ctx, f"proxy {attempt.proxy}")


def _no_answer(answer: Http, method: str, attempt: ProxyAttempt, ctx: Context, found: Trouble) -> Trouble:
    if answer.error is not None and answer.error.code in PROBE_FAULTS:
        return endpoint_attempt.probe_error(ctx, attempt.proxy, answer.error)
    what = "malformed" if answer.error is None else fault_text(answer.error)
    return found.but(cause="proxy_broken", observed=f"proxy {attempt.proxy}: {method} {what}")


def _refusal(answer: Http, attempt: ProxyAttempt, found: Trouble) -> Trouble:
    status = answer.status or 0
    squid = answer.headers.get("x-squid-error", "").upper()
    found = found.but(
        params={"status": str(status), "scheme": answer.headers.get("proxy-authenticate", UNKNOWN)},
        evidence=(Evidence("proxy_answer", f"{status} {squid}".strip()),),
    )
    if status == 407:
        return found.but(cause="proxy_auth")
    if status >= 500 and "DENIED" not in squid:
        return found.but(cause="proxy_upstream")
    return found.but(cause="proxy_denied")


def combine(direct: Trouble | None, through: t.Sequence[Through], ctx: Context) -> tuple[Trouble | None, str]:
    """One trouble out of the direct way and the ways through proxies, and the proxy that leads there ("": none).

    A proxy that cannot reach the endpoint either adds nothing to a direct failure; one that is itself broken is the
    cause, because programs never get past it.
    """
    fails = direct is not None and direct.status in (Status.FAIL, Status.UNKNOWN)
    works = [one for one in through if one.trouble is None or one.trouble.status in (Status.PASS, Status.WARN)]
    broken = [one for one in through if one not in works]
    if broken:
        first = min(broken, key=lambda one: (not one.interactive, one.attempt.proxy))
        trouble = t.cast("Trouble", first.trouble)
        if fails and direct is not None:
            if works:
                return None, works[0].attempt.proxy
            if trouble.layer is not Layer.PROXY or trouble.cause == "proxy_upstream":
                return direct, ""
            return trouble.but(contributing=(f"endpoint.{direct.cause}",)), ""
        if trouble.status is Status.UNKNOWN:
            return direct or trouble, ""
        status = trouble.status if first.interactive else Status.WARN
        return trouble.but(status=status, evidence=(Evidence("direct", "works"),)), ""
    if works:
        best = works[0]
        return (None if fails else direct) or best.trouble, best.attempt.proxy
    if fails and direct is not None and direct.cause not in (*LOCAL, "incomplete"):
        return _required(direct, ctx), ""
    return direct, ""


def _required(direct: Trouble, ctx: Context) -> Trouble:
    """No proxy set here: does the evidence say that this network wants one?"""
    named = _vantage_proxy(ctx)
    if named:
        return direct.but(
            cause="proxy_required",
            layer=Layer.PROXY,
            grade=DIFFERENTIAL,
            owner=Owner.LOCAL_ADMIN,
            params={"proxy": named, "source": UNKNOWN},
            contributing=(f"endpoint.{direct.cause}",),
            evidence=(Evidence("vantage_proxy", named),),
        )
    if ctx.proxy is not None and ctx.proxy.pac and direct.layer in (Layer.TCP, Layer.DNS):
        return direct.but(contributing=("proxy.pac_not_evaluated",))
    return direct


def _name(attempt: ProxyAttempt) -> str:
    return attempt.proxy


def _vantage_proxy(ctx: Context) -> str:
    """The proxy that brings the vantage to the endpoint where the direct way fails for it too; else empty."""
    if ctx.vantage is None or any(attempt.tcp.error is None for attempt in ctx.vantage.attempts):
        return ""
    for attempt in sorted(ctx.vantage.proxy_attempts, key=_name):
        answer = attempt.connect if ctx.endpoint.scheme == "https" else attempt.http
        if answer is not None and answer.status is not None and 200 <= answer.status < 400:
            return attempt.proxy
    return ""
