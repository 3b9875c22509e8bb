# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The double in the network lab: its clock moves only when real time servers answer, its firewall really opens."""

from __future__ import annotations

import os
import pathlib
import shutil
from collections.abc import Iterator
from typing import Any

import lab
import pytest
from windows_double import Double, w32time
from windows_double.ansible_run import Played, play

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(os.geteuid() != 0 or shutil.which("mono") is None, reason="needs root and mono"),
]
W32TIME = r"HKLM\SYSTEM\CurrentControlSet\Services\W32Time"
W32TIME_POLICY = r"HKLM\SOFTWARE\Policies\Microsoft\W32Time"
PROFILE = r"HKLM\SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy\StandardProfile"
SERVER = "ntp1.lab.example"
YEARS = -700_000_000.0


@pytest.fixture(scope="module")
def net() -> Iterator[lab.Lab]:
    with lab.Lab("wdouble") as up:
        up.add_site("ankara")
        for name in ("slow", "dead", "closed"):
            up.add_host(name, site="ankara")
        yield up


@pytest.fixture(scope="module")
def double(net: lab.Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Double]:
    hosts: dict[str, Any] = {
        "slow": {"clock_offset": -420.0, "registry": {f"{W32TIME}\\Parameters": {"NtpServer": f"{SERVER},0x8"}}},
        "dead": {"clock_offset": YEARS, "registry": {f"{W32TIME}\\Parameters": {"NtpServer": f"{SERVER},0x8"}}},
        "closed": {"registry": {PROFILE: {"DefaultOutboundAction": 1}}},
    }
    with Double({"hosts": hosts}, folder=tmp_path_factory.mktemp("double"), lab=net) as made:
        made.inventory(made.folder / "inventory.yml")
        yield made


@pytest.fixture(autouse=True)
def fresh(double: Double, net: lab.Lab) -> Iterator[None]:
    double.reset()
    double.clear_log()
    yield
    net.clear_faults()


def run(double: Double, tasks: list[dict[str, Any]], hosts: str, *options: str) -> Played:
    return play(double.folder / "ansible", double.folder / "inventory.yml", tasks, *options, hosts=hosts)


def service(state: str, **more: str) -> dict[str, Any]:
    return {"ansible.windows.win_service": {"name": "w32time", "state": state, **more}}


RESYNC = {"ansible.windows.win_command": "w32tm /resync /rediscover"}


def limits(seconds: int) -> list[dict[str, Any]]:
    return [
        {
            "ansible.windows.win_regedit": {
                "path": W32TIME.replace("HKLM", "HKLM:") + "\\Config",
                "name": name,
                "type": "dword",
                "data": seconds,
            }
        }
        for name in ("MaxPosPhaseCorrection", "MaxNegPhaseCorrection")
    ]


def test_a_start_of_the_service_corrects_a_slow_clock(double: Double) -> None:
    ended = run(double, [service("started")], "slow")
    assert ended.of("slow")[0]["changed"]
    assert double.hosts["slow"].clock_offset == pytest.approx(0.0, abs=0.05)


def test_the_clock_stays_when_no_server_answers(double: Double, net: lab.Lab) -> None:
    with net.fault("ntp_blocked", site="ankara"):
        run(double, [service("started"), RESYNC], "slow")
    assert double.hosts["slow"].clock_offset == -420.0


def test_a_running_service_takes_a_big_error_for_a_spike_until_it_is_restarted(double: Double) -> None:
    host = double.hosts["slow"]
    host.services["w32time"]["state"] = "running"
    assert run(double, [RESYNC], "slow").of("slow")[0]["rc"] == 0
    assert host.clock_offset == -420.0
    run(double, [service("restarted")], "slow")
    assert host.clock_offset == pytest.approx(0.0, abs=0.05)


def test_phase_limits_refuse_years_and_widened_limits_allow_them_after_a_restart(double: Double) -> None:
    host = double.hosts["dead"]
    run(double, [service("started"), RESYNC, *limits(4294967295), RESYNC], "dead")
    assert host.clock_offset == YEARS, "the running service has not read the new limits"
    run(double, [service("restarted")], "dead")
    assert host.clock_offset == pytest.approx(0.0, abs=0.05)


def test_a_policy_twin_rules_over_local_settings(double: Double) -> None:
    host = double.hosts["slow"]
    host.writable().set(f"{W32TIME_POLICY}\\Parameters", "Type", "string", "NoSync")
    run(double, [service("restarted")], "slow")
    assert host.clock_offset == -420.0
    assert w32time.effective(host, "Parameters", "Type", "") == "NoSync"


def test_a_switched_off_provider_never_corrects(double: Double) -> None:
    host = double.hosts["slow"]
    host.writable().set(f"{W32TIME}\\TimeProviders\\NtpClient", "Enabled", "dword", 0)
    run(double, [service("restarted"), RESYNC], "slow")
    assert host.clock_offset == -420.0


ENDPOINT = {"id": "uyg", "host": "uyg.edefter.gov.tr", "port": 443, "scheme": "https"}
CLOSED_RULE = {
    "community.windows.win_firewall_rule": {
        "name": "edefter-test",
        "group": "e-Defter",
        "direction": "out",
        "protocol": "tcp",
        "remoteport": "443",
        "state": "present",
    }
}
WAIT = {"ansible.windows.win_wait_for": {"host": "uyg.edefter.gov.tr", "port": 443, "timeout": 1, "connect_timeout": 1}}


def test_a_rule_opens_what_default_outbound_block_closed(double: Double) -> None:
    observe = {
        "edefter.ready.host_info": {"sections": ["endpoints", "firewall"], "endpoints": [ENDPOINT], "timeout": 3}
    }
    before, closed, rule, opened, after = run(double, [observe, WAIT, CLOSED_RULE, WAIT, observe], "closed").of(
        "closed"
    )
    refused, reached = (
        step["observation"]["sections"]["endpoints"]["data"]["targets"][0]["attempts"] for step in (before, after)
    )
    # As Windows says it: WSAEACCES, at once.
    assert {(a["tcp"]["error"]["code"], a["tcp"]["error"]["native"]) for a in refused} == {("access_denied", 10013)}
    assert [(a["tcp"]["error"], a["tls"]["trusted"], a["http"]["status"]) for a in reached] == [(None, True, 200)] * 2
    assert closed["failed"]
    assert rule["changed"]
    assert not opened["failed"]
    checked = run(double, [CLOSED_RULE], "closed", "--check").of("closed")
    assert not checked[0]["changed"]


def test_a_rule_is_void_where_policy_merges_no_local_rules(double: Double) -> None:
    double.hosts["closed"].writable().set(
        r"HKLM\SOFTWARE\Policies\Microsoft\WindowsFirewall\PrivateProfile", "AllowLocalPolicyMerge", "dword", 0
    )
    assert run(double, [CLOSED_RULE, WAIT], "closed").of("closed")[1]["failed"]


def test_the_time_service_needs_its_own_way_out(double: Double) -> None:
    host = double.hosts["closed"]
    host.writable().set(f"{W32TIME}\\Parameters", "NtpServer", "string", f"{SERVER},0x8")
    host.set_clock_offset(-60.0)
    run(double, [service("started")], "closed")
    assert host.clock_offset == -60.0
    rule = {
        "community.windows.win_firewall_rule": {
            "name": "edefter-ntp",
            "direction": "out",
            "protocol": "udp",
            "remoteport": "123",
            "program": r"%SystemRoot%\system32\svchost.exe",
            "service": "w32time",
        }
    }
    run(double, [rule, service("restarted")], "closed")
    assert host.clock_offset == pytest.approx(0.0, abs=0.05)


def test_trusted_roots_are_the_lab_hosts(double: Double, net: lab.Lab) -> None:
    home = pathlib.Path(double.hosts["slow"].home_of() or "")
    assert (home / ".config" / ".mono" / "new-certs" / "Trust").is_dir()
    assert home == pathlib.Path(double.hosts["dead"].home_of() or "")
