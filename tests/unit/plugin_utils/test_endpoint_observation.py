# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parsers of the sections endpoints, proxy, network and identity; the wanted limits."""

from __future__ import annotations

import datetime
import typing as t

import observed as o
import pytest
from ansible_collections.edefter.ready.plugins.plugin_utils.model import OptionError, ShapeError
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.endpoints import parse_endpoints
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.identity import parse_identity
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.network import parse_network
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.proxy import parse_proxy
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.values import canonical
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted.endpoints import EndpointsWanted


def test_whole_section() -> None:
    raw = o.section(o.target(o.attempt(), proxy_attempts=[o.through()]), canaries=[o.neutral()])
    seen = parse_endpoints(raw)
    (target,) = seen.targets
    assert seen.resolvers == o.RESOLVERS
    assert target.used() == target.attempts
    tls = target.attempts[0].tls
    assert tls is not None
    assert tls.chain[0].not_after == datetime.datetime(2027, 2, 23, 7, 0, tzinfo=datetime.UTC)
    assert tls.chain_status == frozenset()
    assert target.dns is not None
    assert target.dns.answered() == {o.V4}
    assert target.proxy_attempts[0].tcp.address == "192.168.1.80"
    assert seen.canaries[0].ok is True


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("2001:DB8::0001", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.01", None),
        ("example.com", None),
        ("", None),
    ],
)
def test_addresses_have_one_spelling(text: str, spelling: str | None) -> None:
    assert canonical(text) == spelling


def broken(path: list[t.Any], value: object) -> o.Raw:
    raw = o.section(o.target(o.attempt(tls=o.broken_tls("alert", 40), http=o.http()), proxy_attempts=[o.through()]))
    at: t.Any = raw
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return raw


TARGET = ["targets", 0]
ATTEMPT = [*TARGET, "attempts", 0]


@pytest.mark.parametrize(
    ("path", "value", "where"),
    [
        (["targets"], {}, "endpoints.targets"),
        (["targets"], [1] * 200, "endpoints.targets"),
        (["resolvers"], ["1.2.3.4"], "endpoints.resolvers[0]"),
        ([*TARGET, "port"], 70000, "endpoints.targets[0].port"),
        ([*TARGET, "complete"], None, "endpoints.targets[0].complete"),
        ([*TARGET, "winner"], "x", "endpoints.targets[0].winner"),
        ([*TARGET, "dns", "system"], None, "endpoints.targets[0].dns.system"),
        ([*ATTEMPT, "address"], "x.example", "endpoints.targets[0].attempts[0].address"),
        ([*ATTEMPT, "tcp", "elapsed_ms"], -1, "endpoints.targets[0].attempts[0].tcp.elapsed_ms"),
        ([*ATTEMPT, "tls", "alert"], {"level": 2, "description": 300}, "endpoints.targets[0].attempts[0].tls.alert"),
        ([*ATTEMPT, "tls", "chain"], [{}], "endpoints.targets[0].attempts[0].tls.chain[0]"),
        ([*ATTEMPT, "http", "date"], "gestern", "endpoints.targets[0].attempts[0].http.date"),
        (
            [*ATTEMPT, "http", "headers"],
            {str(n): "" for n in range(65)},
            "endpoints.targets[0].attempts[0].http.headers",
        ),
    ],
)
def test_wrong_shape_says_where(path: list[t.Any], value: object, where: str) -> None:
    with pytest.raises(ShapeError) as error:
        parse_endpoints(broken(path, value))
    assert error.value.path.startswith(where)


def test_text_of_a_host_is_bounded_and_clean() -> None:
    raw = o.section(o.target(o.attempt(http=o.http(text="\x1b[31m" + "A" * 5000, title="T\x00" * 500))))
    (target,) = parse_endpoints(raw).targets
    http = target.attempts[0].http
    assert http is not None
    assert http.body is not None
    assert len(http.body.snippet) <= 512
    assert "\x1b" not in http.body.snippet
    assert "\x00" not in (http.body.title or "")


def test_time_without_zone_is_utc() -> None:
    raw = o.section(o.target(o.attempt(http=o.http(date="2026-11-25T07:00:00"))))
    http = parse_endpoints(raw).targets[0].attempts[0].http
    assert http is not None
    assert http.date == o.NOW


def test_proxy_section() -> None:
    seen = o.proxies(o.config(bypass=["<local>"]), pac=True)
    assert seen.pac
    assert not seen.wpad
    assert seen.configs[0].by_scheme["https"] == "proxy.example:3128"
    with pytest.raises(ShapeError, match="by_scheme"):
        parse_proxy({"configs": [o.config(by_scheme={str(n): "x" for n in range(9)})]})


def test_network_section() -> None:
    interface = {
        "name": "Ethernet",
        "description": None,
        "type": None,
        "up": True,
        "addresses": [{"address": "FE80::1%4", "prefix": 64}, {"address": "?", "prefix": None}],
        "gateways": ["192.168.1.254"],
        "dhcp": None,
    }
    entry = {"address": "10.0.0.1", "names": ["a", "b"], "line": 4}
    seen = o.network(
        interfaces=[interface],
        hosts_file={"path": "/etc/hosts", "error": o.fault("hosts_file", "access_denied"), "entries": [entry]},
        name_policy=[{"names": [".corp"], "servers": ["10.0.0.1"]}],
    )
    assert seen.interfaces[0].addresses == ("fe80::1",)
    assert seen.hosts_entries[0].line == 4
    assert seen.hosts_error is not None
    assert seen.name_policy[0].servers == ("10.0.0.1",)
    bare = parse_network({})
    assert bare.default_route4 is None
    assert bare.tls_client.tls12 is None


@pytest.mark.parametrize(
    ("build", "number"), [("19045.3803", 19045), ("26100", 26100), ("x", None), ("", None), (None, None)]
)
def test_identity_section(build: str | None, number: int | None) -> None:
    seen = parse_identity({"os": "windows", "hostname": "PC1", "build": build})
    assert seen.windows
    assert seen.build_number() == number
    assert parse_identity({"os": "posix", "hostname": "x", "build": "6"}).build_number() is None


def test_limits() -> None:
    wanted = EndpointsWanted.from_options(
        {
            "endpoints": [{"id": "firma", "enabled": False}],
            "slow_ms": 500,
            "slow_factor": 2,
            "expiry_warn_days": 30,
            "inspection": "fail",
            "bogon_networks": ["10.0.0.0/8"],
            "baseline": {"uyg": ["AB" * 32]},
        }
    )
    assert [endpoint.id for endpoint in wanted.endpoints] == ["uyg", "firma-4443", "portal", "portal-https"]
    assert (wanted.slow_ms, wanted.slow_factor, wanted.expiry_warn_days) == (500.0, 2.0, 30.0)
    assert wanted.inspection == "fail"
    assert str(wanted.bogon_networks[0]) == "10.0.0.0/8"
    assert wanted.baseline["uyg"] == {"ab" * 32}
    assert EndpointsWanted.from_options({}).slow_ms == 3000.0


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("slow_ms", 0),
        ("slow_ms", True),
        ("slow_ms", float("nan")),
        ("slow_factor", "much"),
        ("inspection", "never"),
        ("bogon_networks", "10.0.0.0/8"),
        ("bogon_networks", ["10.0.0.1/8"]),
        ("baseline", []),
        ("baseline", {"uyg": "x"}),
        ("baseline", {"uyg": ["zz" * 32]}),
        ("baseline", {"uyg": ["ab"]}),
        ("speed", 1),
    ],
)
def test_limits_that_cannot_be_meant_so(option: str, value: object) -> None:
    with pytest.raises(OptionError) as error:
        EndpointsWanted.from_options({option: value})
    assert error.value.option == f"endpoint.{option}"
