# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every class of fault, injected in the lab, seen by both twins: named right, and nothing else disturbed.

The confusion matrix is the artefact: .build/fault-matrix.txt.
"""

from __future__ import annotations

import os
import shutil
import typing as t

import lab
import pytest
from diagnosis import matrix
from diagnosis.cases import CASES, Case
from diagnosis.world import Named, World
from tree import ROOT

pytestmark = [
    pytest.mark.lab,
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0 or shutil.which("mono") is None, reason="needs root and mono"),
]
ARTEFACT = ROOT / ".build" / "fault-matrix.txt"
HEALTHY_ROUNDS = 4


class Results:
    """What was seen so far."""

    def __init__(self) -> None:
        self.named: list[Named] = []
        self.healthy: list[Named] = []


@pytest.fixture(scope="module")
def results() -> t.Iterator[Results]:
    collected = Results()
    yield collected
    ARTEFACT.parent.mkdir(exist_ok=True)
    ARTEFACT.write_text(matrix.text(collected.named, collected.healthy), encoding="utf-8")
    print(f"\n{ARTEFACT.read_text(encoding='utf-8')}")


@pytest.fixture(scope="module")
def world() -> t.Iterator[World]:
    with World(lab.unique("dgm")) as made:
        yield made


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_fault_is_named_by_both_twins(case: Case, world: World, results: Results) -> None:
    found = world.run(case)
    results.named += found
    assert {named.twin: named.wrong for named in found if named.wrong} == {}


def test_long_and_lossy_line_raises_no_alarm(world: World, results: Results) -> None:
    results.healthy += world.healthy(HEALTHY_ROUNDS)
    assert [alarm for named in results.healthy for alarm in named.alarms] == []
    assert len(results.healthy) == 2 * HEALTHY_ROUNDS


def test_cases_cover_the_classes() -> None:
    """Each class that issue 5 names has its row."""
    named: set[str] = set()
    for case in CASES:
        for causes in case.expected.values():
            named.update((causes,) if isinstance(causes, str) else causes)
    wanted = (
        "dns_nxdomain dns_servfail dns_unreachable dns_timeout hosts_override dns_block_portal dns_bogon dns_differs "
        "dns_hijack ipv6_broken tcp_drop tcp_refused tcp_admin_prohibited no_route sni_filter tls_stall "
        "tls_inspection_trusted tls_inspected cert_self_signed cert_expired cert_date_bad_clock cert_name_mismatch "
        "tls_version http_blockpage http_block_redirect captive_portal http_forbidden proxy_auth http_server_error "
        "proxy_required proxy_timeout local_firewall_block port_dropped slow down_or_site_block service_down"
    )
    assert set(wanted.split()) <= named
