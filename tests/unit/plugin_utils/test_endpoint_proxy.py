# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way through proxies: what is set, what it does, and what of it counts."""

from __future__ import annotations

import observed as o
import pytest
from ansible_collections.edefter.ready.plugins.plugin_utils import messages
from ansible_collections.edefter.ready.plugins.plugin_utils.judge.endpoint_proxy import bypasses
from ansible_collections.edefter.ready.plugins.plugin_utils.model import Area, Status

SET = o.proxies(o.config())
DEAD = o.failed("timeout")


def with_proxy(*attempts: o.Raw, through: o.Raw | list[o.Raw], **more: object) -> o.Raw:
    ways = through if isinstance(through, list) else [through]
    return o.target(*attempts, proxy_attempts=ways, **more)


def tcp(code: str, phase: str = "tcp") -> o.Raw:
    return {**o.tcp(code), "error": o.fault(phase, code), "address": None}


BROKEN = {
    "proxy_unresolvable": o.through(tcp=tcp("nxdomain", "dns"), connect=None, tls=None, http=None),
    "proxy_refused": o.through(tcp=tcp("refused"), connect=None, tls=None, http=None),
    "proxy_timeout": o.through(tcp=tcp("timeout"), connect=None, tls=None, http=None),
    "proxy_auth": o.refusing(407, proxy_authenticate="NTLM"),
    "proxy_denied": o.refusing(403, x_squid_error="ERR_ACCESS_DENIED 0"),
    "proxy_broken": o.through(connect=o.broken_http("eof"), tls=None, http=None),
}


@pytest.mark.parametrize("cause", BROKEN)
@pytest.mark.parametrize("direct", [True, False])
def test_broken_proxy_is_the_cause_whether_the_direct_way_works_or_not(cause: str, direct: bool) -> None:
    attempts = () if direct else (DEAD,)
    found = o.one(with_proxy(*attempts, through=BROKEN[cause]), proxy=SET)
    assert (found.cause, found.status, found.area) == (f"endpoint.{cause}", Status.FAIL, Area.PROXY)
    assert found.params["proxy"] == "proxy.example:3128"
    assert found.grade == "self_proving"
    assert ("endpoint.tcp_drop" in found.contributing) is not direct
    assert "proxy.example:3128" in messages.render(found.cause, "title", found.params)["tr"]


def test_denied_with_a_server_error_is_denied() -> None:
    found = o.one(with_proxy(through=o.refusing(503, x_squid_error="ERR_ACCESS_DENIED 0")), proxy=SET)
    assert found.cause == "endpoint.proxy_denied"


def test_proxy_that_leads_out_where_nothing_else_does() -> None:
    found = o.one(with_proxy(DEAD, through=o.through()), proxy=SET)
    assert (found.cause, found.status) == ("endpoint.ok_via_proxy", Status.PASS)
    assert "endpoint.tcp_drop" in found.contributing


def test_proxy_and_direct_way_both_fine() -> None:
    assert o.one(with_proxy(through=o.through()), proxy=SET).cause == "endpoint.ok"


def test_services_proxy_alone_is_a_warning_only() -> None:
    found = o.one(with_proxy(through={**BROKEN["proxy_refused"], "sources": ["winhttp"]}), proxy=SET)
    assert (found.cause, found.status) == ("endpoint.proxy_refused", Status.WARN)


def test_users_proxy_is_named_before_the_services() -> None:
    ways = [{**BROKEN["proxy_refused"], "proxy": "a.example:1", "sources": ["winhttp"]}, BROKEN["proxy_auth"]]
    assert o.one(with_proxy(through=ways), proxy=SET).cause == "endpoint.proxy_auth"


def test_proxy_that_cannot_get_there_either_adds_nothing() -> None:
    found = o.one(with_proxy(DEAD, through=o.refusing(503, x_squid_error="ERR_CONNECT_FAIL 110")), proxy=SET)
    assert found.cause == "endpoint.tcp_drop"
    alone = o.one(with_proxy(through=o.refusing(504)), proxy=SET)
    assert alone.cause == "endpoint.proxy_upstream"


def test_what_the_proxy_hands_out_is_judged_like_any_answer() -> None:
    forged = o.tls([o.cert(issuer=o.BOX)], ["untrusted_root"])
    found = o.one(with_proxy(DEAD, through=o.through(tls=forged)), proxy=SET, vantage=o.section(o.target()))
    assert found.cause == "endpoint.tcp_drop"
    found = o.one(with_proxy(through=o.through(tls=forged)), proxy=SET, vantage=o.section(o.target()))
    assert found.cause == "endpoint.tls_inspected"


def test_cut_off_proxy_attempt_is_no_failure_of_the_endpoint() -> None:
    cut = o.through(tcp=tcp("deadline"), connect=None, tls=None, http=None)
    found = o.one(with_proxy(through=cut), proxy=SET)
    assert (found.cause, found.status) == ("endpoint.incomplete", Status.UNKNOWN)
    never = o.through(connect=None, tls=None, http=None)
    assert o.one(with_proxy(through=never), proxy=SET).status is Status.UNKNOWN


@pytest.mark.parametrize(
    "broke",
    [
        o.through(tcp=tcp("error"), connect=None, tls=None, http=None),
        o.through(tcp=tcp("error", "dns"), connect=None, tls=None, http=None),
        o.through(connect=o.broken_http("error"), tls=None, http=None),
    ],
)
def test_a_bug_of_ours_is_not_the_proxys(broke: o.Raw) -> None:
    found = o.one(with_proxy(through=broke), proxy=SET)
    assert (found.cause, found.status) == ("endpoint.probe_error", Status.UNKNOWN)
    assert "proxy.example:3128" in found.observed


def test_a_bug_of_ours_in_plain_http_is_not_the_proxys() -> None:
    raw = o.plain(DEAD, proxy_attempts=[o.through(connect=None, tls=None, http=o.broken_http("error"))])
    assert o.one(raw, o.PORTAL, proxy=SET).status is not Status.PASS
    through = o.plain(o.page(), proxy_attempts=[o.through(connect=None, tls=None, http=o.broken_http("error"))])
    assert o.one(through, o.PORTAL, proxy=SET).cause == "endpoint.probe_error"


def test_local_filter_in_front_of_the_proxy() -> None:
    found = o.one(with_proxy(through=o.through(tcp=tcp("access_denied"), connect=None, tls=None, http=None)), proxy=SET)
    assert found.cause == "endpoint.local_firewall_block"


PLAIN_WAYS = {
    "ok_via_proxy": o.http(),
    "proxy_auth": o.http(407),
    "proxy_denied": o.http(403, headers={"x-squid-error": "ERR_ACCESS_DENIED 0"}),
    "proxy_broken": o.broken_http("malformed"),
}


@pytest.mark.parametrize("cause", PLAIN_WAYS)
def test_plain_http_through_a_proxy(cause: str) -> None:
    way = o.through(connect=None, tls=None, http=PLAIN_WAYS[cause])
    raw = o.plain(DEAD, proxy_attempts=[way])
    assert o.one(raw, o.PORTAL, proxy=SET).cause == f"endpoint.{cause}"


def test_unfinished_plain_http_through_a_proxy() -> None:
    raw = o.plain(o.page(), proxy_attempts=[o.through(connect=None, tls=None, http=None)])
    assert o.one(raw, o.PORTAL, proxy=SET).status is Status.UNKNOWN


def test_proxy_that_the_vantage_goes_through_is_required_here() -> None:
    behind = o.section(o.target(DEAD, proxy_attempts=[o.through()]))
    found = o.one(o.target(DEAD), vantage=behind)
    assert (found.cause, found.grade) == ("endpoint.proxy_required", "differential")
    assert found.params["proxy"] == "proxy.example:3128"
    # A vantage that comes through directly proves nothing of the kind.
    free = o.section(o.target(proxy_attempts=[o.through()]))
    assert o.one(o.target(DEAD), vantage=free).cause == "endpoint.tcp_drop"
    refused = o.section(o.target(DEAD, proxy_attempts=[o.refusing(407)]))
    assert o.one(o.target(DEAD), vantage=refused).cause == "endpoint.down_or_site_block"


def test_local_block_is_never_a_missing_proxy() -> None:
    behind = o.section(o.target(DEAD, proxy_attempts=[o.through()]))
    assert o.one(o.target(o.failed("access_denied")), vantage=behind).cause == "endpoint.local_firewall_block"


def test_script_that_was_not_evaluated_is_said() -> None:
    found = o.one(o.target(DEAD), proxy=o.proxies(pac=True))
    assert found.cause == "endpoint.tcp_drop"
    assert "proxy.pac_not_evaluated" in found.contributing


def test_host_on_the_exception_list_does_not_meet_the_proxy() -> None:
    excepted = o.proxies(o.config(bypass=["*.edefter.gov.tr"]))
    assert o.one(with_proxy(through=BROKEN["proxy_timeout"]), proxy=excepted).status is Status.PASS
    # One place excepts it, another does not.
    mixed = o.proxies(o.config(bypass=["*.edefter.gov.tr"]), o.config("winhttp"))
    assert o.one(with_proxy(through=BROKEN["proxy_timeout"]), proxy=mixed).status is Status.FAIL
    assert o.one(with_proxy(through=BROKEN["proxy_timeout"]), proxy=None).status is Status.FAIL


@pytest.mark.parametrize(
    ("pattern", "host", "bypassed"),
    [
        ("*.edefter.gov.tr", "uyg.edefter.gov.tr", True),
        ("*.EDEFTER.gov.tr", "UYG.edefter.GOV.tr", True),
        ("uyg*", "uyg.edefter.gov.tr", True),
        ("*efte*gov*", "uyg.edefter.gov.tr", True),
        ("*gov*efte*", "uyg.edefter.gov.tr", False),
        ("*tr*tr", "uyg.tr", False),
        (".gov.tr", "uyg.edefter.gov.tr", True),
        ("https://uyg.edefter.gov.tr", "uyg.edefter.gov.tr", True),
        ("uyg.edefter.gov.tr:443", "uyg.edefter.gov.tr", True),
        ("edefter.gov.tr", "uyg.edefter.gov.tr", False),
        ("<local>", "uyg.edefter.gov.tr", False),
        ("<local>", "server", True),
        ("", "uyg.edefter.gov.tr", False),
        ("*", "uyg.edefter.gov.tr", True),
        ("2001:db8::1", "2001:db8::1", True),
    ],
)
def test_exception_list(pattern: str, host: str, bypassed: bool) -> None:
    (config,) = o.proxies(o.config(bypass=[pattern])).configs
    assert bypasses(config, host) is bypassed


def test_exception_list_of_a_hostile_host_costs_nothing() -> None:
    (config,) = o.proxies(o.config(bypass=["*a" * 140] * 64)).configs
    assert not bypasses(config, "a" * 120 + "b")
