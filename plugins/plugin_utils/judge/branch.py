# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A branch's hosts side by side: what all of them suffer is said once, and what only one suffers is said of that one.

Pure. The hosts' own findings stay as they are; these stand above them.
"""

from __future__ import annotations

import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils.model import Area, Evidence, Finding, Owner, Status


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Each group: its own cause, who helps, and the hosts' causes that this one reason explains.
_GROUPS: tuple[tuple[str, Owner, frozenset[str]], ...] = (
    ("branch.internet", Owner.NETWORK_ADMIN, _words("internet_down no_route captive_portal")),
    (
        "branch.dns",
        Owner.NETWORK_ADMIN,
        _words(
            "dns_nxdomain dns_servfail dns_refused dns_timeout dns_unreachable dns_nodata dns_error dns_block_portal "
            "dns_bogon dns_hijack dns_injected dns_slow"
        ),
    ),
    (
        "branch.firewall",
        Owner.FIREWALL_ADMIN,
        _words(
            "tcp_refused tcp_drop tcp_reset tcp_unreachable tcp_admin_prohibited port_dropped sni_filter tls_reset "
            "tls_eof tls_stall tls_not_tls tls_blockpage http_blockpage http_block_redirect http_foreign_page "
            "http_reset http_eof http_stall transparent_proxy"
        ),
    ),
    ("branch.inspection", Owner.FIREWALL_ADMIN, _words("tls_inspected tls_inspection_trusted")),
    (
        "branch.proxy",
        Owner.FIREWALL_ADMIN,
        _words(
            "proxy_required proxy_unresolvable proxy_refused proxy_timeout proxy_broken proxy_auth proxy_denied "
            "proxy_upstream"
        ),
    ),
    ("branch.down_or_site_block", Owner.FIREWALL_ADMIN, _words("down_or_site_block")),
    (
        "branch.service",
        Owner.SERVICE,
        _words(
            "service_down http_server_error cert_expired cert_not_yet_valid cert_name_mismatch cert_self_signed "
            "cert_untrusted chain_incomplete cert_revoked tls_version tls_alert"
        ),
    ),
    ("branch.slow", Owner.NETWORK_ADMIN, _words("slow")),
)
# What a single host may rightly have alone: never a reason to look at the branch.
_OWN = frozenset({"ipv6_broken", "some_addresses_fail", "cert_expiring", "hosts_override", "not_probed", "incomplete"})

_Rows = dict[str, dict[str, Finding]]


def judge_branch(branch: str, hosts: t.Mapping[str, t.Sequence[Finding]]) -> tuple[Finding, ...]:
    """Findings about a branch from those of its hosts (by host name). At least two hosts have to be comparable.

    Every comparable host fails alike: one finding of that cause for all endpoints concerned. Some fail where others
    succeed: `branch.only_here` (or `branch.proxy_missing`), one for each endpoint.
    """
    rows = _rows(hosts)
    together: dict[str, dict[str, list[Finding]]] = {}
    alone: list[Finding] = []
    for subject in sorted(rows):
        seen = {host: finding for host, finding in rows[subject].items() if finding.status is not Status.UNKNOWN}
        if len(seen) < 2:
            continue
        groups = {host: _group(finding) for host, finding in seen.items()}
        bad = {host for host, group in groups.items() if group}
        kinds = {groups[host] for host in bad}
        if len(bad) == len(seen) and len(kinds) == 1:
            together.setdefault(kinds.pop(), {})[subject] = [seen[host] for host in sorted(seen)]
        elif bad and any(finding.status is Status.PASS for finding in seen.values()):
            alone.append(_only_here(branch, subject, sorted(bad), seen))
    common = [_common(branch, cause, together[cause]) for cause, owner, causes in _GROUPS if cause in together]
    return (*common, *alone)


def _rows(hosts: t.Mapping[str, t.Sequence[Finding]]) -> _Rows:
    rows: _Rows = {}
    for host in sorted(hosts):
        for finding in hosts[host]:
            if finding.check == "endpoint":
                rows.setdefault(finding.subject, {})[host] = finding
    return rows


def _group(finding: Finding) -> str:
    """The branch's cause that a host's finding belongs to; empty for a pass and for what is the host's own affair."""
    cause = finding.cause.removeprefix("endpoint.")
    if finding.status not in (Status.FAIL, Status.WARN) or cause in _OWN:
        return ""
    for name, owner, causes in _GROUPS:
        if cause in causes:
            return name if owner else ""
    return ""


def _common(branch: str, cause: str, by_subject: t.Mapping[str, t.Sequence[Finding]]) -> Finding:
    findings = [finding for found in by_subject.values() for finding in found]
    places = ", ".join(dict.fromkeys(_place(found[0]) for found in by_subject.values()))
    hosts = max(len(found) for found in by_subject.values())
    owner = next(who for name, who, causes in _GROUPS if name == cause)
    return Finding(
        id=cause,
        area=Area.ENDPOINT,
        check=cause,
        subject=branch,
        status=Status.FAIL if any(finding.status is Status.FAIL for finding in findings) else Status.WARN,
        cause=cause,
        owner=owner,
        observed=", ".join(sorted({finding.cause.removeprefix("endpoint.") for finding in findings})),
        expected=places,
        params={"branch": branch, "hosts": str(hosts), "places": places, "allow": _allow(findings)},
        evidence=tuple(Evidence("host_cause", cause) for cause in sorted({finding.cause for finding in findings})),
        grade="differential",
        contributing=tuple(sorted({finding.cause for finding in findings})),
        ruled_out=("branch.only_here",),
        blocks_filing=any(finding.blocks_filing for finding in findings),
    )


def _place(finding: Finding) -> str:
    return f"{finding.params.get('host', finding.subject)}:{finding.params.get('port', '–')}"


def _allow(findings: t.Iterable[Finding]) -> str:
    pairs = {f"{f.params.get('allow', f.subject)}:{f.params.get('port', '–')}" for f in findings}
    return ", ".join(sorted(pairs))


def _only_here(branch: str, subject: str, bad: list[str], seen: t.Mapping[str, Finding]) -> Finding:
    """Some fail, others come through: the reason is on these hosts, or in a rule for their addresses."""
    first = seen[bad[0]]
    good = sorted(host for host, finding in seen.items() if finding.status is Status.PASS)
    # Whoever comes through does so by a proxy: the others lack it.
    proxied = all(seen[host].cause == "endpoint.ok_via_proxy" for host in good)
    cause = "branch.proxy_missing" if proxied else "branch.only_here"
    return Finding(
        id=f"{cause}:{subject}",
        area=Area.PROXY if proxied else Area.ENDPOINT,
        check=cause,
        subject=subject,
        status=max((seen[host].status for host in bad), key=lambda status: status is Status.FAIL),
        cause=cause,
        owner=Owner.LOCAL_ADMIN,
        observed=", ".join(bad[:20]),
        expected=", ".join(good[:20]),
        params={
            "branch": branch,
            "places": _place(first),
            "hosts": ", ".join(bad[:20]),
            "others": ", ".join(good[:20]),
            "proxy": seen[good[0]].params.get("proxy", "–"),
        },
        evidence=tuple(Evidence("host_cause", f"{host}: {seen[host].cause}") for host in bad[:20]),
        grade="differential",
        contributing=tuple(sorted({seen[host].cause for host in bad})),
        ruled_out=("branch.firewall", "endpoint.service_down"),
        blocks_filing=any(seen[host].blocks_filing for host in bad),
    )
