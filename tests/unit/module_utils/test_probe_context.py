# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The race that a browser would run (RFC 8305), and the canaries' verdicts."""

from __future__ import annotations

import pytest
from ansible_collections.edefter.ready.plugins.module_utils import endpoints, network, probe_context
from hypothesis import given
from hypothesis import strategies as st


def both(windows_part, order: list[str], outcomes: dict[str, tuple[bool, float | None]]):
    attempts = [
        {"address": a, "tcp": {"error": {} if failed else None, "elapsed_ms": took}}
        for a, (failed, took) in outcomes.items()
    ]
    mine = probe_context.race(order, attempts)
    plain = [{"address": a, "failed": failed, "took": took} for a, (failed, took) in outcomes.items()]
    assert windows_part("race", order=order, attempts=plain) == mine
    return mine


@pytest.mark.parametrize(
    ("order", "outcomes", "winner"),
    [
        (["::1", "1.1.1.1"], {"::1": (False, 20.0), "1.1.1.1": (False, 5.0)}, "::1"),
        (["::1", "1.1.1.1"], {"::1": (False, 300.0), "1.1.1.1": (False, 5.0)}, "1.1.1.1"),
        (["::1", "1.1.1.1"], {"::1": (True, 5000.0), "1.1.1.1": (False, 5.0)}, "1.1.1.1"),
        (["::1", "1.1.1.1"], {"::1": (True, 5000.0), "1.1.1.1": (True, 1.0)}, None),
        (["::1", "::2", "1.1.1.1"], {"::1": (True, 1.0), "::2": (False, 1.0), "1.1.1.1": (False, 9.0)}, "1.1.1.1"),
        (["1.1.1.1"], {"1.1.1.1": (True, None), "2.2.2.2": (False, 1.0)}, None),
        ([], {"1.1.1.1": (False, 1.0)}, None),
    ],
)
def test_race(windows_part, order, outcomes, winner) -> None:
    assert both(windows_part, order, outcomes) == winner


addresses = st.sampled_from(["1.1.1.1", "2.2.2.2", "::1", "::2", "::3"])


@given(
    st.lists(addresses, unique=True),
    st.dictionaries(addresses, st.tuples(st.booleans(), st.one_of(st.none(), st.integers(0, 2000).map(float)))),
)
def test_the_twins_race_alike(windows_part, order, outcomes) -> None:
    winner = both(windows_part, order, outcomes)
    assert winner is None or not outcomes[winner][0]


def target(**over):
    return {"dns": None, "attempts": [], **over}


def dns(*rcodes: int | None, answers=(), system=()):
    queries = [{"rcode": r, "answers": list(answers)} for r in rcodes]
    return {"queries": queries, "system": {"addresses": list(system)}}


A = {"type": "A", "data": "1.2.3.4", "ttl": 1}


@pytest.mark.parametrize(
    ("kind", "seen", "ok"),
    [
        ("random_name", target(dns=dns(3, 3)), True),
        ("random_name", target(dns=dns(0, 3)), True),
        ("random_name", target(dns=dns(0, answers=[A])), False),
        ("random_name", target(dns=dns(3, system=["1.2.3.4"])), False),
        ("random_name", target(dns=dns(None, 2)), None),
        ("test_net", target(attempts=[{"tcp": {"error": {"code": "timeout"}}}]), True),
        ("test_net", target(attempts=[{"tcp": {"error": None}}]), False),
        ("test_net", target(), None),
        ("https", target(), False),
        (
            "http_text",
            target(attempts=[{"http": {"status": 200, "body": {"snippet": "Microsoft Connect Test"}}}]),
            True,
        ),
        ("http_text", target(attempts=[{"http": {"status": 200, "body": {"snippet": "<html>"}}}]), False),
        ("http_text", target(attempts=[{"http": None}]), False),
    ],
)
def test_canaries(kind, seen, ok) -> None:
    assert endpoints.canary_ok(kind, seen, "Microsoft Connect Test") is ok


def test_routes() -> None:
    four = (
        "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
        "eth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
        "eth0\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
    )
    assert network.parse_routes4(four) == [("eth0", "10.0.0.1")]
    zero = "0" * 32
    six = (
        f"{zero} 00 {zero} 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003     eth0\n"
        f"{zero} 00 {zero} 00 {zero} ffffffff 00000001 00000000 00200200       lo\n"
    )
    assert network.parse_routes6(six) == [("eth0", "fe80::1")]
    assert network.parse_addresses6("20010db8000000000000000000000001 02 40 00 80 eth0\nbad\n") == {
        "eth0": [{"address": "2001:db8::1", "prefix": 64}]
    }
