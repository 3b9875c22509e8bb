# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's own findings, and a branch's hosts side by side."""

from __future__ import annotations

import typing as t

import observed as o
import pytest
from ansible_collections.edefter.ready.plugins.plugin_utils import messages
from ansible_collections.edefter.ready.plugins.plugin_utils.judge.branch import judge_branch
from ansible_collections.edefter.ready.plugins.plugin_utils.judge.host import judge_host
from ansible_collections.edefter.ready.plugins.plugin_utils.model import Finding, Owner, Status
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.endpoints import parse_endpoints
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.identity import Identity, parse_identity

PC = {
    "os": "windows",
    "hostname": "PC1",
    "dns_suffix": None,
    "product_name": "Windows 10 Pro",
    "edition": "Professional",
    "display_version": "22H2",
    "build": "19045.3803",
    "product_type": "WinNT",
    "dotnet_release": 533320,
    "entra_joined": False,
    "manufacturer": None,
    "model": None,
    "hypervisor": None,
    "bios_date": None,
    "domain_role": {"machine_role": 0, "domain": "WORKGROUP", "dns_domain": None, "forest": None},
    "domain_role_error": None,
    "is_admin": True,
}


def identity(**more: t.Any) -> Identity:
    return parse_identity({**PC, **more})


def complete(findings: t.Iterable[Finding]) -> None:
    for found in findings:
        for part in ("title", "remedy"):
            for language in messages.LANGUAGES:
                template = messages.catalogue()[found.cause][part][language]
                assert messages.placeholders(template) <= set(found.params), found.cause


def host(*sections: t.Any, **more: t.Any) -> dict[str, Finding]:
    network, proxy, endpoints = (*sections, None, None, None)[:3]
    found = judge_host(identity(**more), network, proxy, endpoints)
    complete(found)
    assert len({finding.id for finding in found}) == len(found)
    return {finding.cause: finding for finding in found}


def interface(**more: t.Any) -> dict[str, t.Any]:
    return {
        "name": "Ethernet",
        "description": "",
        "type": "ethernet",
        "up": True,
        "addresses": [{"address": "192.168.1.20", "prefix": 24}],
        "gateways": [],
        "resolvers": [],
        "suffix": None,
        "dhcp": True,
        "mtu": 1500,
        **more,
    }


def test_healthy_host_has_one_finding() -> None:
    seen = parse_endpoints(o.section(o.target(), canaries=[o.neutral(), o.canary("http_text", True, o.page())]))
    found = host(o.network(interfaces=[interface()]), o.proxies(), seen)
    assert list(found) == ["host.ok"]
    assert found["host.ok"].status is Status.PASS
    assert list(host(o.network(), o.proxies(o.config(server=None), o.config("winhttp", None)), None)) == ["host.ok"]
    assert list(host(os="posix", build="6.1.0", dotnet_release=None)) == ["host.ok"]


@pytest.mark.parametrize(
    ("more", "cause"),
    [
        ({"build": "9600"}, "host.windows_old"),
        ({"build": "7601.24545"}, "host.windows_old"),
        ({"dotnet_release": 378000}, "host.dotnet_old"),
        ({"build": "kaputt"}, "host.ok"),
        ({"build": None}, "host.ok"),
    ],
)
def test_machine(more: dict[str, t.Any], cause: str) -> None:
    assert list(host(**more)) == [cause]


@pytest.mark.parametrize(
    ("more", "cause"),
    [
        ({"interfaces": [interface(addresses=[{"address": "169.254.7.7", "prefix": 16}])]}, "network.apipa"),
        ({"default_route": {"4": False, "6": None}}, "network.no_default_route"),
        ({"interfaces": [interface()], "resolvers": []}, "network.no_resolver"),
        ({"tls_client": {"tls12": False}}, "host.tls12_off"),
    ],
)
def test_network(more: dict[str, t.Any], cause: str) -> None:
    found = host(o.network(**more))
    assert found[cause].status is Status.FAIL
    assert found[cause].blocks_filing


def test_second_address_besides_a_self_given_one_is_no_fault() -> None:
    both = [{"address": "169.254.7.7", "prefix": 16}, {"address": "192.168.1.2", "prefix": 24}]
    assert "network.apipa" not in host(o.network(interfaces=[interface(addresses=both)]))
    only6 = o.network(default_route={"4": False, "6": True})
    assert "network.no_default_route" not in host(only6)
    odd = interface(addresses=[{"address": "not one", "prefix": None}])
    assert list(host(o.network(interfaces=[odd]))) == ["host.ok"]


def test_proxies_that_differ() -> None:
    users = o.proxies(o.config(), o.config(server=None, user="S-1-5-21-2"))
    assert host(o.network(), users)["proxy.config_differs"].status is Status.WARN
    services = o.proxies(o.config(), o.config("winhttp", None))
    assert "proxy.config_differs" in host(o.network(), services)
    same = o.proxies(o.config(), o.config("winhttp"))
    assert "proxy.config_differs" not in host(o.network(), same)
    secret = o.proxies(o.config(credentials_removed=True))
    assert "proxy.credentials_stored" in host(o.network(), secret)


def test_dead_resolver_beside_a_living_one() -> None:
    def seen(*dead: str, asked: int = 2) -> t.Any:
        queries = [
            o.query(resolver, kind, None if resolver in dead else 0, error=o.fault("dns", "timeout"))
            for resolver in o.RESOLVERS
            for kind in ("A", "AAAA")
        ]
        return parse_endpoints(o.section(*[o.target(dns=o.dns(queries=queries))] * asked))

    first = o.RESOLVERS[0]
    found = host(None, None, seen(first))["network.resolver_dead"]
    assert (found.subject, found.status) == (first, Status.WARN)
    # Lost packets, or none that answers: not this finding.
    assert "network.resolver_dead" not in host(None, None, seen(first, asked=1))
    assert "network.resolver_dead" not in host(None, None, seen(*o.RESOLVERS))
    cut = [o.query(first, "A", None, error=o.fault("dns", "deadline"))] * 8 + [o.query(o.RESOLVERS[1])] * 8
    assert list(host(None, None, parse_endpoints(o.section(o.target(dns=o.dns(queries=cut)))))) == ["host.ok"]


def test_canaries() -> None:
    page = o.page(status=302, headers={"location": "http://10.0.0.1/"})
    names = o.canary("random_name", False, dns=o.dns(("10.0.0.1",)), attempts=[])
    nowhere = o.canary("test_net", False, o.attempt("192.0.2.1", "literal"), dns=None)
    found = host(None, None, parse_endpoints(o.section(canaries=[names, nowhere, o.canary("http_text", False, page)])))
    assert set(found) == {"host.ok", "network.dns_wildcard", "network.transparent_proxy", "network.captive"}
    # A firewall that lets nothing neutral out is right to do so.
    closed = o.canary("http_text", False, o.failed("timeout"))
    assert list(host(None, None, parse_endpoints(o.section(canaries=[closed])))) == ["host.ok"]
    fine = [o.canary("http_text", False, page), o.neutral()]
    assert list(host(None, None, parse_endpoints(o.section(canaries=fine)))) == ["host.ok"]


# ---- a branch --------------------------------------------------------------------------------------------------------

DROP = o.target(o.failed("timeout", o.V4), o.failed("timeout", o.V6))
VANTAGE = o.section(o.target())


def branch(**hosts: o.Raw) -> tuple[Finding, ...]:
    found = judge_branch("Ankara", {name: o.judge(o.section(raw), vantage=VANTAGE) for name, raw in hosts.items()})
    complete(found)
    return found


def test_all_alike_is_said_once() -> None:
    (found,) = branch(pc1=DROP, pc2=DROP, pc3=DROP)
    assert (found.cause, found.owner, found.status) == ("branch.firewall", Owner.FIREWALL_ADMIN, Status.FAIL)
    assert found.params["hosts"] == "3"
    assert found.params["places"] == "uyg.edefter.gov.tr:443"
    assert found.blocks_filing
    assert "endpoint.tcp_drop" in found.contributing


def test_alike_by_different_signs_is_still_one_firewall() -> None:
    refused = o.target(o.failed("refused", o.V4), o.failed("refused", o.V6))
    (found,) = branch(pc1=DROP, pc2=refused)
    assert found.cause == "branch.firewall"
    assert found.observed == "tcp_drop, tcp_refused"


def test_several_endpoints_are_one_finding() -> None:
    service = o.endpoint(id="firma", host="firma.myedefter.com.tr", port=4443, allow="*.myedefter.com.tr")
    both = o.section(DROP, {**DROP, "id": "firma", "host": "firma.myedefter.com.tr", "port": 4443})
    (found,) = judge_branch("Ankara", dict.fromkeys(("pc1", "pc2"), o.judge(both, o.UYG, service)))
    assert found.params["allow"] == "*.edefter.gov.tr:443, *.myedefter.com.tr:4443"


def test_only_here() -> None:
    (found,) = branch(pc1=DROP, pc2=o.target(), pc3=o.target())
    assert (found.cause, found.params["hosts"], found.params["others"]) == ("branch.only_here", "pc1", "pc2, pc3")
    assert found.status is Status.FAIL


def test_proxy_that_some_hosts_lack() -> None:
    behind = o.target(o.failed("timeout"), proxy_attempts=[o.through()])
    (found,) = branch(pc1=DROP, pc2=behind)
    assert (found.cause, found.params["hosts"]) == ("branch.proxy_missing", "pc1")
    assert found.params["proxy"] == "proxy.example:3128"
    (found,) = branch(pc1=DROP, pc2=behind, pc3=o.target())
    assert found.cause == "branch.only_here"


@pytest.mark.parametrize(
    ("raw", "cause"),
    [
        (o.target(o.attempt(tls=o.tls([o.cert(issuer=o.BOX)], ["untrusted_root"]))), "branch.inspection"),
        (o.target(o.failed("timeout", "192.168.1.254")), "branch.dns"),
        (
            o.target(o.attempt(tls=o.tls([o.cert(days=(-90, -3)), o.intermediate()], ["not_time_valid"]))),
            "branch.service",
        ),
        (o.target(proxy_attempts=[o.refusing(407)]), "branch.proxy"),
        (o.target(*(o.attempt(a, http=o.http(elapsed_ms=9000.0)) for a in (o.V4, o.V6))), "branch.slow"),
    ],
)
def test_each_kind_of_common_cause(raw: o.Raw, cause: str) -> None:
    (found,) = branch(pc1=raw, pc2=raw)
    assert found.cause == cause


def test_nothing_to_compare() -> None:
    assert branch(pc1=DROP) == ()
    assert branch(pc1=o.target(), pc2=o.target()) == ()
    unknown = o.target(o.failed("deadline"))
    assert branch(pc1=DROP, pc2=unknown) == ()
    # Each has its own trouble: no common word.
    assert branch(pc1=DROP, pc2=o.target(o.failed("timeout", "192.168.1.254"))) == ()
    # A host's own affair is no matter of the branch.
    assert branch(pc1=o.target(o.attempt(), o.failed("timeout", o.V6)), pc2=o.target()) == ()
    assert judge_branch("Ankara", {"pc1": judge_host(identity(), None, None), "pc2": ()}) == ()


def test_every_message_of_these_judges_is_in_both_languages() -> None:
    for cause, message in messages.catalogue().items():
        if cause.split(".")[0] in ("endpoint", "network", "host", "proxy", "branch"):
            for part in ("title", "remedy"):
                texts = message[part]
                assert bool(texts["tr"]) == bool(texts["en"]), cause
                names = [messages.placeholders(texts[language]) for language in messages.LANGUAGES]
                plain = [{name.removesuffix("_tr").removesuffix("_en") for name in found} for found in names]
                assert part == "remedy" or plain[0] == plain[1], (cause, part)
