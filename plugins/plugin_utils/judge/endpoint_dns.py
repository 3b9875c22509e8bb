# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Name resolution: why a name has no address, and whether the addresses that it has are the service's.

Pure.
"""

from __future__ import annotations

import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils.judge.endpoint_model import (
    DIFFERENTIAL,
    PROBE_FAULTS,
    SELF_PROVING,
    UNKNOWN,
    Context,
    Layer,
    Trouble,
    block_portal,
    fault_text,
    in_networks,
)
from ansible_collections.edefter.ready.plugins.plugin_utils.model import Evidence, Owner, Status
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.endpoint_model import Attempt, Dns, Query

Judged = t.Sequence[tuple[Attempt, Trouble | None]]

_RCODES = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED"}
_UNREACHED = frozenset(
    {"refused", "reset", "host_unreachable", "network_unreachable", "network_down", "address_not_available"}
)


def rcode_text(rcode: int) -> str:
    """RFC 1035's name of a reply code."""
    return _RCODES.get(rcode, f"RCODE {rcode}")


def query_text(query: Query) -> str:
    """One query's outcome: resolver, type, RCODE and addresses, or the error."""
    if query.reply is None:
        return f"{query.resolver} {query.type} {'no answer' if query.error is None else query.error.code}"
    found = " ".join(sorted(query.addresses())) or "no address"
    return f"{query.resolver} {query.type} {rcode_text(query.reply.rcode)} {found}"


def _evidence(dns: Dns) -> tuple[Evidence, ...]:
    system = " ".join(dns.system) or ("nothing" if dns.system_error is None else fault_text(dns.system_error))
    queries = tuple(Evidence("dns_query", query_text(query)) for query in sorted(dns.queries, key=query_text)[:8])
    hosts = (Evidence("hosts_file", " ".join(dns.hosts_file)),) if dns.hosts_file else ()
    return (Evidence("dns_system", system), *hosts, *queries)


def _name_policy(ctx: Context) -> tuple[Evidence, ...]:
    """Rules of the name resolution policy table (NRPT) that send this name to resolvers of their own."""
    host = ctx.endpoint.host.lower()
    found = []
    for rule in ctx.network.name_policy if ctx.network is not None else ():
        names = [name.lower() for name in rule.names]
        if any(host == name or (name.startswith(".") and (name == "." or host.endswith(name))) for name in names):
            found.append(Evidence("name_policy", f"{' '.join(names)[:200]} → {' '.join(rule.servers)[:200]}"))
    return tuple(found[:4])


def judge_no_address(dns: Dns, ctx: Context, judged: Judged) -> Trouble:
    """Why the system found no address. dns.system must be empty."""
    cause, resolvers = _why_none(dns, ctx)
    found = Trouble(
        cause=cause,
        layer=Layer.DNS,
        observed="no address: " + ("none" if dns.system_error is None else fault_text(dns.system_error)),
        params=ctx.params(resolver=", ".join(resolvers) or UNKNOWN, address=UNKNOWN),
        evidence=(*_evidence(dns), *_name_policy(ctx)),
    )
    if cause in ("incomplete", "probe_error"):
        return found.but(status=Status.UNKNOWN, layer=Layer.NONE, params={"phase": "dns"})
    if cause in ("dns_client", "dns_no_resolver", "dns_blocked_locally"):
        return found.but(grade=SELF_PROVING)
    vantage = ctx.vantage.dns if ctx.vantage is not None else None
    if vantage is not None and vantage.system:
        found = found.but(grade=DIFFERENTIAL, evidence=(Evidence("vantage_dns", " ".join(vantage.system)),))
        works = [attempt for attempt, trouble in judged if trouble is None and attempt.source in ("vantage", "query")]
        if works:
            found = found.but(ruled_out=("endpoint.service_down", "endpoint.tcp_drop"))
        return found
    if vantage is not None and not vantage.system and _names_resolve(ctx):
        # Other names do resolve here, this one nowhere.
        return _everywhere(found, ctx)
    if vantage is None and cause not in ("dns_unreachable", "dns_timeout"):
        return found.but(contributing=("endpoint.down_or_site_block",))
    return found


def _everywhere(found: Trouble, ctx: Context) -> Trouble:
    cause = "service_down" if ctx.same_site is False else "down_or_site_block"
    owner = Owner.SERVICE if ctx.same_site is False else None
    return found.but(cause=cause, owner=owner, grade=DIFFERENTIAL, contributing=(f"endpoint.{found.cause}",))


def _names_resolve(ctx: Context) -> bool:
    named = [canary.target.dns for kind in ("https", "http_text") for canary in ctx.canaries(kind)]
    return any(dns is not None and dns.system for dns in named)


def _why_none(dns: Dns, ctx: Context) -> tuple[str, list[str]]:
    code = dns.system_error.code if dns.system_error is not None else ""
    if code == "deadline":
        return "incomplete", []
    if code in PROBE_FAULTS:
        return "probe_error", []
    queries = dns.queries
    if not queries:
        if not ctx.section.resolvers:
            return "dns_no_resolver", []
        return {"nxdomain": "dns_nxdomain", "nodata": "dns_nodata", "timeout": "dns_timeout"}.get(code, "dns_error"), []
    rcodes = {query.reply.rcode for query in queries if query.reply is not None}

    def who(*wanted: int) -> list[str]:
        return sorted({q.resolver for q in queries if q.reply is not None and q.reply.rcode in wanted})

    if 3 in rcodes and (code in ("nxdomain", "nodata", "") or not dns.answered()):
        return "dns_nxdomain", who(3)
    bad = {2: "dns_servfail", 5: "dns_refused"}
    for rcode, cause in bad.items():
        if rcode in rcodes:
            return cause, who(rcode)
    if dns.answered():
        return "dns_client", []
    if rcodes == {0}:
        return "dns_nodata", who(0)
    if rcodes:
        return "dns_error", who(*rcodes)
    codes = {query.error.code for query in queries if query.error is not None}
    silent = sorted({query.resolver for query in queries})
    if "access_denied" in codes:
        return "dns_blocked_locally", silent
    if codes & _UNREACHED and "timeout" not in codes:
        return "dns_unreachable", silent
    if codes <= {"deadline"}:
        return "incomplete", silent
    return ("dns_timeout", silent) if "timeout" in codes else ("dns_error", silent)


def resolvers_lag(dns: Dns, limit: float) -> bool:
    """Whether the resolvers themselves are late or silent.

    Otherwise a late system look-up was a lost datagram, which the client repeated after seconds.
    """
    by_resolver: dict[str, list[float]] = {}
    for query in dns.queries:
        took = query.elapsed_ms if query.reply is not None and query.elapsed_ms is not None else float("inf")
        by_resolver.setdefault(query.resolver, []).append(took)
    return not by_resolver or any(min(times) > limit / 3 for times in by_resolver.values())


def injected(dns: Dns) -> tuple[str, ...]:
    """Resolvers on whose behalf somebody else answered too: one question, replies that contradict each other.

    A repeated question may rightly get other addresses of one pool, so then only a contradicting RCODE counts.
    """
    found = []
    for query in dns.queries:
        if query.reply is None:
            continue
        mine = query.reply.addresses()
        for other in query.others:
            if other.rcode != query.reply.rcode or (query.sent <= 1 and not (other.addresses() & mine)):
                found.append(query.resolver)
    return tuple(sorted(set(found)))


def judge_lie(dns: Dns, ctx: Context, judged: Judged) -> Trouble | None:
    """Whether the addresses that programs use are somebody else's. judged: all attempts with their troubles."""
    used = [(attempt, trouble) for attempt, trouble in judged if attempt.source in ("system", "literal")]
    if not used:
        return None
    bad = [(attempt, trouble) for attempt, trouble in used if trouble is not None and trouble.status is Status.FAIL]
    addresses = " ".join(sorted(pair[0].address for pair in used))
    found = Trouble(
        cause="",
        layer=Layer.DNS,
        observed=f"{ctx.endpoint.host} → {addresses}",
        params=ctx.params(address=addresses, resolver=", ".join(_liars(dns, used)) or UNKNOWN, product=UNKNOWN),
        evidence=(*_evidence(dns), *_name_policy(ctx)),
        contributing=tuple(sorted({f"endpoint.{pair[1].cause}" for pair in bad if pair[1] is not None})),
    )
    portal = next((name for pair in used if (name := block_portal(pair[0].address))), "")
    if (hosts := _hosts_file(dns, ctx, found, bad)) is not None:
        return hosts
    if portal:
        return found.but(cause="dns_block_portal", grade=SELF_PROVING, params={"product": portal})
    if injectors := injected(dns):
        status = Status.FAIL if len(bad) == len(used) else Status.WARN
        grade, params = SELF_PROVING, {"resolver": ", ".join(injectors)}
        return found.but(cause="dns_injected", status=status, grade=grade, params=params)
    return _bogon(ctx, found, used, bad) or _hijack(dns, ctx, found, judged, used, bad)


def _liars(dns: Dns, used: Judged) -> list[str]:
    addresses = {pair[0].address for pair in used}
    return sorted({query.resolver for query in dns.queries if query.addresses() & addresses})


def _hosts_file(dns: Dns, ctx: Context, found: Trouble, bad: Judged) -> Trouble | None:
    """The hosts file sets the name. It is to blame only for an address that no resolver and no vantage gives."""
    pinned = set(dns.hosts_file) & set(dns.system)
    if not pinned:
        return None
    known = set(dns.answered())
    if ctx.vantage is not None and ctx.vantage.dns is not None:
        known |= set(ctx.vantage.dns.system)
    guilty = [pair[0].address for pair in bad if pair[0].address in pinned and pair[0].address not in known]
    found = found.but(
        cause="hosts_override",
        grade=SELF_PROVING,
        params={"address": " ".join(sorted(pinned)), "line": _line(ctx, pinned), "path": _path(ctx)},
        ruled_out=("endpoint.dns_hijack",),
    )
    if guilty:
        return found
    if bad:
        # Right address, and still no way through: another cause, which the caller finds.
        return None
    return found.but(status=Status.WARN)


def _line(ctx: Context, pinned: set[str]) -> str:
    entries = ctx.network.hosts_entries if ctx.network is not None else ()
    host = ctx.endpoint.host.lower()
    return (
        ", ".join(
            str(entry.line)
            for entry in entries
            if host in (name.lower() for name in entry.names) and entry.address in pinned
        )
        or UNKNOWN
    )


def _path(ctx: Context) -> str:
    return (ctx.network.hosts_path if ctx.network is not None else "") or "hosts"


def _bogon(ctx: Context, found: Trouble, used: Judged, bad: Judged) -> Trouble | None:
    inside = [pair[0] for pair in used if in_networks(pair[0].address, ctx.wanted.bogon_networks)]
    if not inside or any(attempt.source == "literal" for attempt in inside):
        return None
    vantage = ctx.vantage.dns.system if ctx.vantage is not None and ctx.vantage.dns is not None else ()
    failed = {pair[0].address for pair in bad}
    # Plain http proves nothing about who answers; https does, by its certificate.
    unproven = [
        a for a in inside if a.address in failed or (ctx.endpoint.scheme == "http" and a.address not in vantage)
    ]
    if not unproven:
        return None
    whole = len(unproven) == len(used) or len(bad) == len(used)
    names = " ".join(sorted(attempt.address for attempt in unproven))
    status = Status.FAIL if whole else Status.WARN
    return found.but(cause="dns_bogon", grade=SELF_PROVING, status=status, params={"address": names})


def _hijack(dns: Dns, ctx: Context, found: Trouble, judged: Judged, used: Judged, bad: Judged) -> Trouble | None:
    """Foreign addresses: nothing genuine lives there, while other addresses of the name are genuine."""
    if len(bad) < len(used):
        return None
    mine = {pair[0].address for pair in used}
    raw = dns.answered()
    works = [attempt for attempt, trouble in judged if attempt.address not in mine and _fine(trouble)]
    local = [attempt for attempt in works if attempt.source == "query"]
    if local and raw and not mine & raw:
        # Every resolver gives the right address when asked directly; only programs on this host get another one.
        good = " ".join(sorted(attempt.address for attempt in local))
        return found.but(cause="dns_local_override", grade=SELF_PROVING, evidence=(Evidence("works_at", good),))
    vantage = ctx.vantage
    if vantage is None or vantage.dns is None or not vantage.dns.system:
        return None
    theirs = set(vantage.dns.system)
    families = {pair[0].family for pair in used} & {6 if ":" in address else 4 for address in theirs}
    disjoint = bool(families) and not mine & theirs
    if not disjoint or any(
        attempt.address in mine and attempt.tcp.error is None and _genuine(attempt, ctx) for attempt in vantage.attempts
    ):
        return None
    foreign = any(pair[1] is not None and pair[1].layer >= Layer.CERT for pair in bad)
    tried = any(attempt.address in mine for attempt in vantage.attempts)
    if works or foreign or tried:
        good = " ".join(sorted(theirs))
        return found.but(cause="dns_hijack", grade=DIFFERENTIAL, evidence=(Evidence("vantage_dns", good),))
    return None


def _fine(trouble: Trouble | None) -> bool:
    return trouble is None or trouble.status in (Status.PASS, Status.WARN)


def _genuine(attempt: Attempt, ctx: Context) -> bool:
    """Whether the vantage found the service itself at that address."""
    if ctx.endpoint.scheme == "https":
        return attempt.tls is not None and attempt.tls.trusted is True and attempt.tls.name_match is not False
    if attempt.http is None or attempt.http.status is None or attempt.http.body is None or ctx.vantage is None:
        return False
    own = [other.http for other in ctx.vantage.used() if other.http is not None and other.http.body is not None]
    return any(http.body is not None and http.body.sha256 == attempt.http.body.sha256 for http in own)


def differs(dns: Dns, ctx: Context) -> bool:
    """Whether this host and the vantage have no address of the name in common."""
    if ctx.vantage is None or ctx.vantage.dns is None:
        return False
    mine, theirs = set(dns.system), set(ctx.vantage.dns.system)
    return bool(mine and theirs) and not mine & theirs
