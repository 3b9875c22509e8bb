# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module endpoint_info as a playbook runs it: over WinRM at a Windows host, and with a clock that is wrong."""

from __future__ import annotations

import os
import shutil
import typing as t
from collections.abc import Iterator

import lab
import pytest
from twins import PosixTwin
from windows_double import Double, csharp
from windows_double.ansible_run import play

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(os.geteuid() != 0 or shutil.which("mono") is None, reason="needs root and mono"),
]
ENDPOINTS = [
    {"id": "uyg", "host": "uyg.edefter.gov.tr", "port": 443},
    {"id": "portal", "host": "portal.emikro.com.tr", "port": 80, "scheme": "http"},
]
TEN_YEARS = 10 * 365 * 86400.0


@pytest.fixture(scope="module")
def net() -> Iterator[lab.Lab]:
    with lab.Lab(lab.unique("ei")) as net:
        net.add_site("ankara")
        for name in ("pc1", "ahead", "behind"):
            net.add_host(name, site="ankara")
        yield net


@pytest.fixture(scope="module")
def double(net: lab.Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Double]:
    hosts: dict[str, t.Any] = {"pc1": {}, "ahead": {"clock_offset": TEN_YEARS}, "behind": {"clock_offset": -TEN_YEARS}}
    with Double({"hosts": hosts}, folder=tmp_path_factory.mktemp("double"), lab=net) as made:
        made.inventory(made.folder / "inventory.yml")
        yield made


def targets(observation: dict[str, t.Any]) -> list[dict[str, t.Any]]:
    section = observation["sections"]["endpoints"]
    assert section["error"] is None
    return t.cast(list[dict[str, t.Any]], section["data"]["targets"])


def trust(observation: dict[str, t.Any]) -> set[tuple[bool, tuple[str, ...]]]:
    return {(a["tls"]["trusted"], tuple(a["tls"]["chain_status"])) for a in targets(observation)[0]["attempts"]}


def test_over_winrm(double: Double) -> None:
    task = {"edefter.ready.endpoint_info": {"endpoints": ENDPOINTS, "canaries": [], "timeout": 3}}
    played = play(double.folder / "ansible", double.folder / "inventory.yml", [task])
    for host, expected in (
        ("pc1", (True, ())),
        ("ahead", (False, ("not_time_valid",))),
        ("behind", (False, ("not_time_valid",))),
    ):
        (result,) = played.of(host)
        assert not result["changed"], host
        observation = result["observation"]
        assert observation["collector"]["runtime"] == "clr", host
        assert observation["complete"] is True, host
        assert trust(observation) == {expected}, host
        for target in targets(observation):
            assert {a["http"]["status"] for a in target["attempts"]} == {200}, host


@pytest.mark.parametrize("offset", [TEN_YEARS, -TEN_YEARS])
def test_a_wrong_clock_on_posix(net: lab.Lab, offset: float) -> None:
    """Only the dates are wrong, and that is all that is said."""
    fake = {"LD_PRELOAD": csharp.faketime_library(), "FAKETIME": f"{offset:+.0f}s", "DONT_FAKE_MONOTONIC": "1"}
    twin = PosixTwin(net.host("pc1").netns, fake)
    try:
        observation = twin.call("EndpointInfo", {"endpoints": ENDPOINTS, "canaries": [], "timeout": 3.0})
    finally:
        twin.close()
    assert trust(observation) == {(False, ("not_time_valid",))}
    for target in targets(observation):
        assert {a["http"]["status"] for a in target["attempts"]} == {200}


def test_a_line_that_loses_packets(net: lab.Lab) -> None:
    """40 ms and 2 % loss each way: slower, and nothing else."""
    twin = PosixTwin(net.host("pc1").netns)
    try:
        with net.fault("slow", host="pc1", delay_ms=20), net.fault("loss", host="pc1", percent=2, seed=5):
            for _round in range(3):
                observation = twin.call("EndpointInfo", {"endpoints": ENDPOINTS, "canaries": [], "timeout": 5.0})
                for target in targets(observation):
                    assert {a["http"]["status"] for a in target["attempts"]} == {200}
                    assert {q["rcode"] for q in target["dns"]["queries"]} == {0}
    finally:
        twin.close()
