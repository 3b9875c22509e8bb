# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The clock in the network lab: a share of the benchmark's trials, the LAN server first, and clock_info over WinRM."""

from __future__ import annotations

import os
import pathlib
import shutil
import time
from collections.abc import Iterator
from typing import Any

import lab
import pytest
from clock_trials import conditions, trials, workers
from clock_trials.conditions import CONDITIONS, Condition
from lab import ntp
from windows_double import Double, labs
from windows_double.ansible_run import play

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(os.geteuid() != 0 or shutil.which("mono") is None, reason="needs root and mono"),
]
# The whole list is in `make bench-clock`.
CLOCKS = ("+0.9", "-420", "+40y")
HOSTS = {"right": 0.0, "slow": -420.0, "zone": 10800.0, "dead": -700_000_000.0}


@pytest.fixture(scope="module")
def net() -> Iterator[lab.Lab]:
    with lab.Lab(lab.unique("tclk"), ipv6=False) as up:
        yield up


@pytest.fixture(scope="module")
def home(net: lab.Lab, tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return labs.trust_home(net.ca_file, tmp_path_factory.mktemp("home"))


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda c: c.name)
def test_trials(net: lab.Lab, home: pathlib.Path, condition: Condition) -> None:
    place = trials.Place(net, condition, home)
    found = list(place.run(rounds=1, seed=11, clocks=CLOCKS, twins=("csharp", "python"), together=3))
    assert len(found) == 6
    for trial in found:
        assert trial.contains, str(trial)
        assert not trial.wrong_verdict, str(trial)
        assert trial.named_right, str(trial)
        assert trial.verdict.stepped is None, str(trial)
        if not condition.blocked:
            assert trial.verdict.method == "ntp"
            # 5 ms beside half the path; the rest is for a machine that is busy with other tests.
            assert trial.verdict.half_width is not None
            assert trial.verdict.half_width < condition.half_path + 0.015, str(trial)


def wait_for(netns: str, server: str) -> None:
    end = time.monotonic() + 10
    while ntp.ask(netns, server, timeout=0.2) is None:
        assert time.monotonic() < end, "chronyd does not answer"


@pytest.mark.parametrize("twin", ["csharp", "python"])
def test_the_lan_server_goes_first_and_spares_the_public_ones(net: lab.Lab, home: pathlib.Path, twin: str) -> None:
    site = f"lan-{twin}"
    net.add_site(site)
    pc = net.add_host(f"pc-{twin}", site=site)
    server = net.add_host(f"srv-{twin}", site=site)
    config = pathlib.Path(home) / f"{twin}.conf"
    config.write_text(
        f"port 123\ncmdport 0\nbindcmdaddress /\nallow all\nlocal stratum 3\npidfile {config}.pid\nuser root\n"
    )
    chronyd = net.popen(server, ["chronyd", "-x", "-d", "-f", str(config)])
    try:
        wait_for(pc.netns, server.address)
        maker = workers.CSharpHost if twin == "csharp" else workers.PythonHost
        host = maker(pc.netns, "+0", home if twin == "csharp" else net.ca_file)
        options = conditions.options(1)
        options["time_sources"].append({"id": "dc", "host": server.address, "kind": "ntp", "operator": "firm"})
        data = host.measure(options)["sections"]["clock"]["data"]
        host.close()
    finally:
        chronyd.terminate()
        chronyd.wait(10)
    by_id = {source["id"]: source for source in data["sources"]}
    assert by_id["dc"]["lan"] is True
    assert by_id["dc"]["sent"] >= 2
    assert {by_id[name]["sent"] for name in conditions.NTP} == {1}
    assert not any(by_id[name]["lan"] for name in conditions.NTP)
    first = min(sample["mono"] for sample in by_id["dc"]["samples"])
    assert all(first < sample["mono"] for name in conditions.NTP for sample in by_id[name]["samples"])


@pytest.fixture(scope="module")
def double(net: lab.Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Double]:
    net.add_site("ankara")
    for name in HOSTS:
        net.add_host(name, site="ankara")
    hosts: dict[str, Any] = {name: {"clock_offset": offset} for name, offset in HOSTS.items()}
    with Double({"hosts": hosts}, folder=tmp_path_factory.mktemp("double"), lab=net) as made:
        made.inventory(made.folder / "inventory.yml")
        yield made


@pytest.mark.cores
def test_clock_info_over_winrm(double: Double, net: lab.Lab) -> None:
    """The whole way: ansible-core, WinRM, the shipped C# in the host's namespace, the judge, the result."""
    task = {"edefter.ready.clock_info": {"time_sources": conditions.options(0)["time_sources"], "pass_seconds": 0.5}}
    with net.fault("ntp_skewed", offset=33.0, site="ankara", endpoint=[conditions.full_name("ntp3")]):
        ended = play(double.folder / "ansible", double.folder / "inventory.yml", [task])
    assert ended.returncode == 0, ended.stdout + ended.stderr
    results = {name: ended.of(name)[0] for name in HOSTS}
    for name, ahead in HOSTS.items():
        result = results[name]
        assert result["changed"] is False
        assert result["falsetickers"] == ["ntp3"]
        assert result["corroborated"] is True
        assert result["bounds"][0] - 0.05 <= -ahead <= result["bounds"][1] + 0.05
        assert result["offset"] == pytest.approx(-ahead, abs=0.1)
        table = {row["id"]: row["verdict"] for row in result["sources"]}
        assert table["ntp3"] == "falseticker"
        assert table["ntp1"] == table["date"] == "agrees"
    assert {name: result["verdict"] for name, result in results.items()} == {
        "right": "pass",
        "slow": "fail",
        "zone": "fail",
        "dead": "fail",
    }
    causes = {name: {f["cause"] for f in result["findings"]} for name, result in results.items()}
    assert "clock.offset.whole_hours" in causes["zone"]
    assert "clock.battery.empty" in causes["dead"]
    assert results["slow"]["findings"][0]["title"]["tr"].startswith("Saat 7,0 dk geri")
    assert double.errors() == []
