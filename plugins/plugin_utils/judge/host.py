# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host itself: its network, its proxies, its TLS client, and what the canaries say of the way out.

Pure. A healthy host gets one finding; every other one names something that a person can change.
"""

from __future__ import annotations

import ipaddress
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils.model import Area, Evidence, Finding, Owner, Status
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.endpoint_model import Endpoints
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.identity import Identity
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.network import Network
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.proxy import Proxy, ProxyConfig
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.values import canonical

# .NET Framework 4.5, the oldest that this collection's observers run on (Microsoft, "How to determine which .NET
# Framework versions are installed").
DOTNET_45 = 378389
# Windows 10 and Server 2016: the first with the settings that the roles write.
WINDOWS_10 = 10240

_APIPA = ipaddress.ip_network("169.254.0.0/16")


def _finding(
    check: str,
    cause: str,
    status: Status,
    owner: Owner,
    observed: str,
    expected: str,
    *,
    subject: str = "",
    area: Area = Area.HOST,
    blocks: bool = False,
    params: t.Mapping[str, str] | None = None,
) -> Finding:
    return Finding(
        id=f"{check}:{subject}" if subject else check,
        area=area,
        check=check,
        subject=subject,
        status=status,
        cause=cause,
        owner=owner,
        observed=observed,
        expected=expected,
        params=params or {},
        evidence=(Evidence(check.rpartition(".")[2], observed),) if observed else (),
        grade="" if status is Status.PASS else "self_proving",
        blocks_filing=blocks,
    )


def judge_host(
    identity: Identity, network: Network | None, proxy: Proxy | None, endpoints: Endpoints | None = None
) -> tuple[Finding, ...]:
    """Findings about the machine, its network and its proxies. What is None is judged elsewhere as unknown."""
    found = list(_machine(identity))
    if network is not None:
        found += _network(network, identity)
    if proxy is not None:
        found += _proxy(proxy)
    if endpoints is not None:
        found += _resolvers(endpoints)
        found += _canaries(endpoints)
    return tuple(found)


def _machine(identity: Identity) -> t.Iterator[Finding]:
    name = " ".join(part for part in (identity.product_name, identity.display_version, identity.build) if part)
    params = {"name": name or "–", "release": str(identity.dotnet_release or "–")}
    build = identity.build_number()
    if build is not None and build < WINDOWS_10:
        yield _finding(
            "host.windows",
            "host.windows_old",
            Status.WARN,
            Owner.LOCAL_ADMIN,
            name,
            "Windows 10 / Server 2016",
            params=params,
        )
    elif identity.windows and identity.dotnet_release is not None and identity.dotnet_release < DOTNET_45:
        yield _finding(
            "host.dotnet", "host.dotnet_old", Status.WARN, Owner.LOCAL_ADMIN, params["release"], ">= 4.5", params=params
        )
    else:
        yield _finding("host.identity", "host.ok", Status.PASS, Owner.NOBODY, name, "", params=params)


def _network(network: Network, identity: Identity) -> t.Iterator[Finding]:
    up = [one for one in network.interfaces if one.up and one.type != "loopback"]
    addresses = [address for one in up for address in one.addresses]
    v4 = [ipaddress.IPv4Address(a) for a in addresses if ":" not in a]
    if v4 and all(address in _APIPA for address in v4):
        text = ", ".join(map(str, v4))
        yield _finding(
            "network.address",
            "network.apipa",
            Status.FAIL,
            Owner.NETWORK_ADMIN,
            text,
            "DHCP",
            blocks=True,
            params={"addresses": text},
        )
    elif network.default_route4 is False and network.default_route6 is not True:
        yield _finding(
            "network.route", "network.no_default_route", Status.FAIL, Owner.NETWORK_ADMIN, "none", "one", blocks=True
        )
    if network.interfaces and not network.resolvers:
        yield _finding("network.dns", "network.no_resolver", Status.FAIL, Owner.LOCAL_ADMIN, "none", "one", blocks=True)
    if identity.windows and network.tls_client.tls12 is False:
        yield _finding(
            "host.tls", "host.tls12_off", Status.FAIL, Owner.LOCAL_ADMIN, "TLS 1.2 off", "TLS 1.2 on", blocks=True
        )


def _meaning(config: ProxyConfig) -> tuple[tuple[str, str], ...]:
    """What a place makes of https and http; nothing when it is switched off."""
    return tuple(sorted(config.by_scheme.items())) if config.enabled else ()


def _proxy(proxy: Proxy) -> t.Iterator[Finding]:
    machine = [c for c in proxy.configs if c.source == "winhttp"]
    users = [
        c for c in proxy.configs if c.source in ("wininet_user", "wininet_machine", "policy_user", "policy_machine")
    ]
    meanings = {_meaning(config) for config in users}
    services = {_meaning(config) for config in machine}
    text = "; ".join(
        f"{config.source}{f' {config.user}' if config.user else ''}: {config.server or config.pac_url or '–'}"
        for config in proxy.configs
        if config.enabled or config.pac_url
    )[:500]
    if len(meanings) > 1 or (meanings and services and meanings != services and any(meanings)):
        yield _finding(
            "proxy.config",
            "proxy.config_differs",
            Status.WARN,
            Owner.LOCAL_ADMIN,
            text or "–",
            "the same everywhere",
            area=Area.PROXY,
            params={"places": text or "–"},
        )
    if any(config.credentials_removed for config in proxy.configs):
        yield _finding(
            "proxy.credentials",
            "proxy.credentials_stored",
            Status.WARN,
            Owner.LOCAL_ADMIN,
            "a password in a proxy address",
            "none",
            area=Area.PROXY,
        )


def _resolvers(endpoints: Endpoints) -> t.Iterator[Finding]:
    """A resolver that never answers while another one does: names still resolve, late."""
    answered: dict[str, bool] = {}
    asked: dict[str, int] = {}
    for target in endpoints.targets:
        for query in target.dns.queries if target.dns is not None else ():
            if query.error is not None and query.error.code == "deadline":
                continue
            answered[query.resolver] = answered.get(query.resolver, False) or query.reply is not None
            asked[query.resolver] = asked.get(query.resolver, 0) + 1
    if not any(answered.values()):
        # None works: the endpoints' own findings say so.
        return
    # One lost pair of datagrams is no dead resolver.
    dead = sorted(resolver for resolver, worked in answered.items() if not worked and asked[resolver] >= 4)
    for resolver in dead:
        shown = canonical(resolver) or resolver
        yield _finding(
            "network.resolver",
            "network.resolver_dead",
            Status.WARN,
            Owner.NETWORK_ADMIN,
            f"{shown}: {asked[resolver]} / 0",
            "answers",
            subject=shown,
            params={"resolver": shown},
        )


def _canaries(endpoints: Endpoints) -> t.Iterator[Finding]:
    causes = {
        "random_name": "network.dns_wildcard",
        "test_net": "network.transparent_proxy",
        "http_text": "network.captive",
    }
    for canary in endpoints.canaries:
        if canary.ok is not False or canary.kind not in causes:
            continue
        if canary.kind == "http_text" and not any(
            attempt.http is not None and attempt.http.status is not None for attempt in canary.target.attempts
        ):
            # Not reached at all: a firewall that allows only what is needed does that, rightly.
            continue
        if canary.kind == "http_text" and _neutral_works(endpoints):
            continue
        yield _finding(
            "network.canary",
            causes[canary.kind],
            Status.WARN,
            Owner.NETWORK_ADMIN,
            canary.target.host,
            "",
            subject=canary.id,
            params={"host": canary.target.host},
        )


def _neutral_works(endpoints: Endpoints) -> bool:
    return any(canary.kind == "https" and canary.ok is True for canary in endpoints.canaries)
