# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role windows_time end to end: hosts of every kind in the lab, repaired, proven, and not touched a second time."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import lab
import pytest
import yaml
from windows_double import Double
from windows_double.ansible_run import Played, run

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(shutil.which("mono") is None, reason="no mono"),
    pytest.mark.lab,
    pytest.mark.slow,
]
W32TIME = r"HKLM\SYSTEM\CurrentControlSet\Services\W32Time"
PARAMETERS, CONFIG = W32TIME + r"\Parameters", W32TIME + r"\Config"
POLICY = r"HKLM\SOFTWARE\Policies\Microsoft\W32Time"
ZONE = r"HKLM\SYSTEM\CurrentControlSet\Control\TimeZoneInformation"
BIOS = r"HKLM\HARDWARE\DESCRIPTION\System\BIOS"
YEAR = 365.25 * 86400
PEERS = "time.ume.tubitak.gov.tr,0x8 time.windows.com,0x8 tr.pool.ntp.org,0x8 time.cloudflare.com,0x8"
GUEST = {"SystemManufacturer": "Microsoft Corporation", "SystemProductName": "Virtual Machine"}
DISABLED = {W32TIME: {"Start": 4}}
DC = ["ntp1.lab.example"]

GP_HISTORY = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Group Policy\History"

#: name -> state of the double. What is wrong is in the name.
REPAIRED: dict[str, dict[str, Any]] = {
    "fresh": {},
    "slow": {"clock_offset": -420.0},
    "ahead3h": {"clock_offset": 10800.0},
    "zone": {"registry": {ZONE: {"TimeZoneKeyName": "GTB Standard Time", "ActiveTimeBias": 0xFFFFFF88}}},
    "byhand": {
        "registry": {ZONE: {"TimeZoneKeyName": "UTC", "ActiveTimeBias": 0}},
        "clock_offset": 10800.0,
    },
    "dstoff": {"registry": {ZONE: {"DynamicDaylightTimeDisabled": 1}}},
    "disabled": {"registry": DISABLED, "clock_offset": -30.0},
    "nosync": {"registry": {PARAMETERS: {"Type": "NoSync"}}},
    "provider": {"registry": {W32TIME + r"\TimeProviders\NtpClient": {"Enabled": 0}}, "clock_offset": -12.0},
    "battery": {"clock_offset": -24 * YEAR},
    "future": {"clock_offset": 40 * YEAR},
    "narrow": {"registry": {CONFIG: {"MaxPosPhaseCorrection": 1, "MaxNegPhaseCorrection": 1}}},
    "server": {"base": "server2022", "clock_offset": -90.0},
    "pdc": {"base": "server2022-pdc", "clock_offset": 70.0},
    "entra": {
        "registry": {r"HKLM\SYSTEM\CurrentControlSet\Control\CloudDomainJoin\JoinInfo\0A1B": {"TenantId": "x"}},
        "clock_offset": -8.0,
    },
    "hyperv": {"registry": {BIOS: GUEST}, "clock_offset": -8.0},
    "azure": {"registry": {BIOS: GUEST, r"HKLM\SOFTWARE\Microsoft\Windows Azure": {"x": 1}}, "clock_offset": -8.0},
    "vmware": {"registry": {BIOS: {"SystemManufacturer": "VMware, Inc."}}, "clock_offset": -8.0},
    "upgraded": {
        "base": "windows11-member",
        "registry": {PARAMETERS: {"Type": "NTP"}},
        "domain_time": DC,
        "clock_offset": -20.0,
    },
}
#: A member whose controller is right: asked to follow it, nothing written.
LAGGING: dict[str, Any] = {
    "base": "windows11-member",
    "clock_offset": -240.0,
    "domain_time": DC,
    "registry": {GP_HISTORY: {"DCName": r"\\ntp1.lab.example"}},
}
#: Hosts that nothing may be written to, whatever is wrong with them.
UNTOUCHED: dict[str, dict[str, Any]] = {
    "member": {
        "base": "windows11-member",
        "clock_offset": -420.0,
        "domain_time": DC,
        "registry": {
            W32TIME: {"Start": 4},
            CONFIG: {"MaxPosPhaseCorrection": 5, "MaxPollInterval": 17},
            W32TIME + r"\TimeProviders\NtpClient": {"Enabled": 0},
        },
    },
    "follower": {
        "base": "windows11-member",
        "clock_offset": -240.0,
        "domain_time": ["ntp2.lab.example"],
        "registry": {GP_HISTORY: {"DCName": r"\\ntp2.lab.example"}},
    },
    "dc": {"base": "server2022-dc", "domain_time": DC, "registry": {PARAMETERS: {"Type": "NTP", "NtpServer": "x"}}},
    "policy": {
        "registry": {
            W32TIME: {"Start": 2},
            W32TIME + r"\TriggerInfo": None,
            PARAMETERS: {"Type": "NoSync", "NtpServer": ""},
            CONFIG: {"MaxPosPhaseCorrection": 1},
            POLICY + r"\Parameters": {"Type": "NT5DS", "NtpServer": "nowhere.example,0x4"},
            POLICY + r"\Config": {"MaxPosPhaseCorrection": 2, "MaxPollInterval": 17},
            POLICY + r"\TimeProviders\NtpClient": {"Enabled": 0, "SpecialPollInterval": 1},
        },
        "services": {"w32time": {"state": "running"}},
    },
}
OPTIONS: dict[str, Any] = {
    "edefter_probe": {"samples": 2, "sample_interval": 0.1, "timeout": 2.0, "seed": 7},
    "windows_time_proof_delay": 1,
    "windows_time_proof_retries": 3,
}


@pytest.fixture(scope="module")
def double(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Double]:
    hosts = {**REPAIRED, **UNTOUCHED, "lagging": LAGGING}
    with lab.Lab(f"wt{os.getpid() % 1000}") as net:
        net.add_site("sube")
        # The member's controller: four minutes behind.
        net.fault("ntp_skewed", endpoint="ntp2.lab.example", offset=-240)
        for name in hosts:
            net.add_host(name, site="sube")
        with Double({"hosts": hosts}, folder=tmp_path_factory.mktemp("double"), lab=net) as made:
            made.inventory(made.folder / "inventory.yml")
            yield made


@pytest.fixture(autouse=True)
def fresh(double: Double) -> Iterator[None]:
    double.reset()
    double.clear_log()
    yield
    # Refused calls, and C# that did not compile or crashed.
    assert double.errors() == []


def role(double: Double, *options: str, hosts: str = "all", **more: Any) -> Played:
    home = double.folder / "ansible"
    home.mkdir(exist_ok=True)
    book = home / "role.yml"
    play = {
        "hosts": hosts,
        "gather_facts": False,
        "vars": {**OPTIONS, **more},
        "roles": ["edefter.ready.windows_time"],
    }
    book.write_text(yaml.safe_dump([play], sort_keys=False), encoding="utf-8")
    return run(home, double.folder / "inventory.yml", book, "--forks", "20", *options)


def changed(played: Played, host: str) -> list[dict[str, Any]]:
    return [result for result in played.of(host) if result.get("changed")]


def digests(double: Double, names: Any) -> dict[str, str]:
    return {name: double.hosts[name].digest() for name in names}


def test_every_kind_is_repaired_proven_and_left_alone_the_second_time(double: Double) -> None:
    before = digests(double, double.hosts)
    looked = role(double, "--check", "--diff")
    assert looked.returncode == 0, looked.stdout + looked.stderr
    assert digests(double, double.hosts) == before
    assert all(changed(looked, name) for name in REPAIRED), looked.stdout
    assert not any(changed(looked, name) for name in UNTOUCHED), looked.stdout

    double.clear_log()
    done = role(double)
    assert done.returncode == 0, done.stdout + done.stderr
    assert double.errors() == []
    for name in REPAIRED:
        host = double.hosts[name]
        assert changed(done, name), name
        assert abs(host.clock_offset) < 0.5, (name, host.clock_offset)
        assert double.registry(name).data(ZONE, "TimeZoneKeyName") == "Turkey Standard Time", name
        assert double.registry(name).data(ZONE, "ActiveTimeBias") == 0xFFFFFF4C, name
        assert not double.registry(name).data(ZONE, "DynamicDaylightTimeDisabled"), name
        assert host.services["w32time"]["state"] == "running", name
        limit = double.registry(name).data(CONFIG, "MaxPosPhaseCorrection")
        assert limit == {"pdc": 172800, "upgraded": 0xFFFFFFFF}.get(name, 54000), name
        kind = double.registry(name).data(PARAMETERS, "Type")
        assert kind == ("NT5DS" if name == "upgraded" else "NTP"), name
        if name != "upgraded":
            assert double.registry(name).data(PARAMETERS, "NtpServer") == PEERS, name
        if name in ("server", "pdc"):
            assert double.registry(name).data(CONFIG, "UtilizeSslTimeData") == 0
        double.reboot(name)
        assert host.services["w32time"]["state"] == "running", f"{name}: gone after a reboot"
    assert digests(double, UNTOUCHED) == {name: before[name] for name in UNTOUCHED}
    for name in UNTOUCHED:
        assert not changed(done, name)
        assert double.executions(name) == ["edefter.ready.host_info"]

    repaired = digests(double, double.hosts)
    double.clear_log()
    again = role(double)
    assert again.returncode == 0, again.stdout + again.stderr
    assert not any(changed(again, name) for name in (*REPAIRED, *UNTOUCHED)), again.stdout
    assert digests(double, double.hosts) == repaired
    # A host in order costs one module on the Windows side.
    assert all(double.executions(name) == ["edefter.ready.host_info"] for name in double.hosts)


def test_a_members_wrong_clock_is_the_controllers_finding(double: Double) -> None:
    done = role(double, hosts="follower")
    observed = next(result for result in done.of("follower") if "findings" in result)
    found = {finding["check"]: finding for finding in observed["findings"]}
    assert found["time.domain"]["cause"] == "time.domain.wrong"
    assert found["time.domain"]["owner"] == "domain_admin"
    assert "ntp2.lab.example" in found["time.domain"]["title"]["tr"]
    assert observed["plan"] == []


def test_a_member_of_a_right_controller_is_asked_to_follow_it_and_nothing_is_written(double: Double) -> None:
    host = double.hosts["lagging"]
    before = host.digest()
    done = role(double, hosts="lagging")
    assert done.returncode == 0, done.stdout
    assert abs(host.clock_offset) < 0.5
    assert host.digest() == before
    assert double.executions("lagging")[1:3] == ["ansible.windows.win_service", "ansible.windows.win_command"]


@pytest.mark.cores
def test_the_zone_is_set_before_the_clock(double: Double) -> None:
    done = role(double, hosts="byhand")
    assert done.returncode == 0, done.stdout
    ran = double.executions("byhand")
    assert "ansible.windows.win_timezone" in ran, done.stdout + str(done.of("byhand"))
    assert ran.index("ansible.windows.win_timezone") < ran.index("ansible.windows.win_service")


def test_limits_come_back_even_when_the_clock_could_not_be_proven(double: Double) -> None:
    """The peers are not the ones measured: what W32Time asks does not answer, so the proof has to fail."""
    unreachable = [{"id": "lan", "host": "192.0.2.77", "peer": True}] + [
        {"id": name, "peer": False} for name in ("ume", "windows", "pool-tr", "cloudflare")
    ]
    done = role(double, hosts="battery", edefter_time_sources=unreachable, windows_time_proof_retries=1)
    assert done.returncode == 2, done.stdout
    registry = double.registry("battery")
    assert registry.data(PARAMETERS, "NtpServer") == "192.0.2.77,0x8"
    assert registry.data(CONFIG, "MaxPosPhaseCorrection") == 54000
    widened = [
        entry["args"]["data"]
        for entry in double.log("module", "battery")
        if entry["module"] == "ansible.windows.win_regedit" and entry["args"]["name"] == "MaxPosPhaseCorrection"
    ]
    assert widened == [0xFFFFFFFF, 54000]
    assert double.hosts["battery"].clock_offset < -20 * YEAR


def test_a_dead_battery_may_keep_its_limits_open(double: Double) -> None:
    wanted = {"keep_max_phase": True}
    assert role(double, hosts="battery", edefter_time=wanted).returncode == 0
    assert double.registry("battery").data(CONFIG, "MaxNegPhaseCorrection") == 0xFFFFFFFF
    assert abs(double.hosts["battery"].clock_offset) < 0.5
    assert not changed(role(double, hosts="battery", edefter_time=wanted), "battery")


@pytest.mark.cores
def test_a_plan_is_handed_in(double: Double) -> None:
    """As the playbook does: no observation of the role's own, and the steps' arguments as they are."""
    step = {
        "id": "time.zone",
        "area": "time",
        "kind": "zone",
        "module": "ansible.windows.win_timezone",
        "args": {"timezone": "Turkey Standard Time"},
    }
    done = role(double, hosts="zone", windows_time_plan=[step])
    assert done.returncode == 0, done.stdout
    assert double.executions("zone") == ["ansible.windows.win_timezone"]
    double.clear_log()
    role(double, hosts="zone", windows_time_plan=[])
    assert double.executions("zone") == []


def test_a_host_that_cannot_be_judged_is_not_called_good(double: Double) -> None:
    double.hosts["zone"].reply_fault = {"fault": "not_json"}
    done = role(double, hosts="zone")
    assert done.returncode == 2
    assert set(double.executions("zone")) == {"edefter.ready.host_info"}


def test_a_plan_of_the_wrong_type_is_refused(double: Double) -> None:
    done = role(double, hosts="zone", windows_time_plan="nonsense")
    assert done.returncode == 2
    assert double.executions("zone") == []
