# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The WinRM double under the real ansible-core: it runs what is right, refuses what is wrong, and remembers what was
changed."""

from __future__ import annotations

import pathlib
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from windows_double import Double, csharp, fwrules
from windows_double.ansible_run import Played, play
from windows_double.stock import win_firewall_rule

pytestmark = pytest.mark.skipif(shutil.which("mono") is None, reason="no mono")
W32TIME = r"HKLM\SYSTEM\CurrentControlSet\Services\W32Time"


@pytest.fixture(scope="module")
def double(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Double]:
    hosts = {
        "pc1": {"hostname": "MUHASEBE1"},
        "pc2": {"base": "server2022", "clock_offset": -420.0},
        "broken": {"reply": {"fault": "not_json"}},
    }
    with Double({"hosts": hosts}, folder=tmp_path_factory.mktemp("double")) as made:
        made.inventory(made.folder / "inventory.yml")
        yield made


@pytest.fixture(autouse=True)
def fresh(double: Double) -> None:
    double.reset()
    double.clear_log()


def run(double: Double, tasks: list[dict[str, Any]], *options: str, hosts: str = "pc1") -> Played:
    return play(double.folder / "ansible", double.folder / "inventory.yml", tasks, *options, hosts=hosts)


@pytest.mark.cores
def test_ping_and_our_module_on_several_hosts(double: Double) -> None:
    ended = run(
        double,
        [{"ansible.windows.win_ping": {}}, {"edefter.ready.host_info": {"sections": ["identity"]}}],
        hosts="pc1:pc2",
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.of("pc1")[0]["ping"] == "pong"
    one, two = (ended.of(name)[1]["observation"] for name in ("pc1", "pc2"))
    assert one["complete"]
    assert one["collector"]["runtime"] == "clr"
    assert one["sections"]["identity"]["data"]["hostname"] == "MUHASEBE1"
    assert two["sections"]["identity"]["data"]["product_type"] == "ServerNT"
    assert double.executions("pc1") == ["ansible.windows.win_ping", "edefter.ready.host_info"]
    assert double.errors() == []
    # Seven minutes slow by its own clock, however the two were scheduled (a minute apart at most).
    from datetime import datetime

    apart = datetime.fromisoformat(two["started_utc"]) - datetime.fromisoformat(one["started_utc"])
    assert -480 < apart.total_seconds() < -360


@pytest.mark.cores
def test_mistakes_are_refused_loudly(double: Double) -> None:
    mistakes = [
        ({"ansible.windows.win_ping": {"dta": "x"}}, "undocumented argument dta"),
        (
            {"community.windows.win_firewall_rule": {"name": "x", "remoteports": "443"}},
            "undocumented argument remoteports",
        ),
        ({"ansible.windows.win_service": {"name": "w32time", "force_dependent_services": [1]}}, "not of type bool"),
        ({"ansible.windows.win_service": {"name": "w32time", "start_mode": "automatic"}}, "is not one of"),
        ({"ansible.windows.win_timezone": {}}, "missing required argument timezone"),
        ({"ansible.windows.win_user": {"name": "x"}}, "unknown module"),
        ({"ansible.windows.win_service": {"name": "w32time", "description": "x"}}, "does not model description"),
        ({"ansible.windows.win_command": "shutdown.exe /r"}, "no program"),
        ({"ansible.windows.win_powershell": {"script": "Get-Date"}}, "no answer to this script"),
        ({"edefter.ready.host_info": {"sectionz": ["time"]}}, "undocumented argument sectionz"),
        ({"edefter.ready.host_info": {"timeout": "soon"}}, "not of type float"),
    ]
    ended = run(double, [task for task, _ in mistakes])
    for result, (task, message) in zip(ended.of("pc1"), mistakes, strict=True):
        assert result["failed"], task
        assert "windows_double refuses" in result["msg"], result
        assert message in result["msg"], result
    assert len(double.errors()) == len(mistakes)


@pytest.mark.cores
def test_wrong_password_is_unreachable(double: Double) -> None:
    ended = run(double, [{"ansible.windows.win_ping": {}}], "-e", "ansible_password=wrong")
    assert ended.returncode == 4
    assert "credentials were rejected" in ended.stdout
    assert [entry["status"] for entry in double.log("request")] == [401] * len(double.log("request"))
    assert double.executions() == []


@pytest.mark.cores
def test_a_reply_that_is_not_json_fails_that_host_only(double: Double) -> None:
    ended = run(double, [{"edefter.ready.host_info": {"sections": ["identity"]}}], hosts="pc1:broken")
    assert ended.of("broken")[0]["failed"]
    assert not ended.of("pc1")[0]["failed"]


def changing(double: Double, tasks: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Check mode, for real, again. Returns the results of check mode and of the real run; asserts what all modules
    promise."""
    before = double.hosts["pc1"].digest()
    checked = run(double, tasks, "--check", "--diff").of("pc1")
    assert double.hosts["pc1"].digest() == before, "check mode changed the host"
    real = run(double, tasks, "--diff").of("pc1")
    again = run(double, tasks).of("pc1")
    for task, first, second, third in zip(tasks, checked, real, again, strict=True):
        assert not second["failed"], second
        assert first["changed"] == second["changed"], task
        assert first.get("diff") == second.get("diff"), task
        assert third["changed"] is False, (task, third)
    assert double.errors() == []
    return checked, real


def test_registry_values_of_every_type_reach_the_real_csharp(double: Double) -> None:
    key = r"HKLM:\SOFTWARE\edefter test Iıİi"
    values = {
        "text": ("string", 'Ölçü <&> "ğ"', 'Ölçü <&> "ğ"'),
        "limit": ("dword", 4294967295, 4294967295),
        "big": ("qword", 5000000000, 5000000000),
        "path": ("expandstring", r"%SystemRoot%\x", r"%SystemRoot%\x"),
        "many": ("multistring", ["a", "b c"], ["a", "b c"]),
        "raw": ("binary", "hex:01,02,ff", {"hex": "0102ff"}),
    }
    tasks: list[dict[str, Any]] = [
        {"ansible.windows.win_regedit": {"path": key, "name": name, "type": kind, "data": data}}
        for name, (kind, data, _) in values.items()
    ]
    # In check mode the real module shows no values of a key that is still missing.
    assert run(double, [{"ansible.windows.win_regedit": {"path": key}}]).of("pc1")[0]["changed"]
    _, real = changing(double, tasks)
    assert all(result["changed"] for result in real)
    assert real[1]["diff"]["after"][key] == {"limit": {"type": "DWord", "value": "0xffffffff"}}
    read = _read_by_csharp(double.registry("pc1").root, key.replace("HKLM:\\", ""))
    assert read == {name: expected for name, (_, _, expected) in values.items()}
    removal = [{"ansible.windows.win_regedit": {"path": key, "name": "LIMIT", "state": "absent"}}]
    assert changing(double, removal)[1][0]["changed"]
    assert "limit" not in _read_by_csharp(double.registry("pc1").root, key.replace("HKLM:\\", ""))


def _read_by_csharp(registry: pathlib.Path, path: str) -> dict[str, Any]:
    """The values of a key as Core.Reg, the C# that ships, reads them."""
    source = """
        using System.Collections;
        using System.Collections.Generic;
        using System.Globalization;
        using System.Threading;
        using ansible_collections.edefter.ready.plugins.module_utils.Core;
        namespace ansible_collections.edefter.ready.plugins.module_utils.Reader
        {
            public static class Reader
            {
                public static Dictionary<string, object> Run(IDictionary parameters)
                {
                    Thread.CurrentThread.CurrentCulture = CultureInfo.InvariantCulture;
                    return Reg.Values((string)parameters["path"]);
                }
            }
        }"""
    shipped = csharp.shipped_sources()
    library = csharp.build({"Core.cs": shipped["Core.cs"], "HostApi.cs": shipped["HostApi.cs"], "Reader.cs": source})
    return csharp.run("Reader", {"path": path}, library=library, registry=registry)


@pytest.mark.cores
def test_service_zone_and_task(double: Double) -> None:
    tasks: list[dict[str, Any]] = [
        {"ansible.windows.win_timezone": {"timezone": "GTB Standard Time"}},
        {"ansible.windows.win_service": {"name": "W32Time", "start_mode": "delayed", "state": "started"}},
        {
            "community.windows.win_scheduled_task": {
                "name": "SynchronizeTime",
                "path": r"\Microsoft\Windows\Time Synchronization",
                "enabled": False,
            }
        },
    ]
    _, real = changing(double, tasks)
    assert real[0]["previous_timezone"] == "Turkey Standard Time"
    registry = double.registry("pc1")
    zone = r"HKLM\SYSTEM\CurrentControlSet\Control\TimeZoneInformation"
    assert registry.data(zone, "Bias") == 2**32 - 120
    assert registry.data(zone, "TimeZoneKeyName") == "GTB Standard Time"
    assert (registry.data(W32TIME, "Start"), registry.data(W32TIME, "DelayedAutostart")) == (2, 1)
    assert double.hosts["pc1"].services["w32time"]["state"] == "running"
    observed = run(double, [{"edefter.ready.host_info": {"sections": ["time"]}}]).of("pc1")[0]["observation"]
    data = observed["sections"]["time"]["data"]
    assert data["zone"]["key"] == "GTB Standard Time"
    assert data["zone"]["utc_offset_s"] == 7200


def test_stock_triggers_stop_an_automatic_time_service_at_boot_and_delayed_start_survives(double: Double) -> None:
    host = double.hosts["pc1"]
    for task, after in [
        ({"name": "w32time", "start_mode": "auto", "state": "started"}, "stopped"),
        ({"name": "w32time", "start_mode": "delayed", "state": "started"}, "running"),
    ]:
        assert run(double, [{"ansible.windows.win_service": task}]).of("pc1")[0]["state"] == "running"
        double.reboot("pc1")
        assert host.services["w32time"]["state"] == after
    run(double, [{"ansible.windows.win_command": "sc.exe triggerinfo w32time start/networkon stop/networkoff"}])
    assert run(double, [{"ansible.windows.win_service": {"name": "w32time", "start_mode": "auto"}}]).of("pc1")[0][
        "changed"
    ]
    double.reboot("pc1")
    assert host.services["w32time"]["state"] == "running"


def test_w32tm_without_the_service_fails(double: Double) -> None:
    results = run(double, [{"ansible.windows.win_command": "w32tm /resync /rediscover /nowait"}]).of("pc1")
    assert results[0]["failed"]
    assert results[0]["rc"] == -2147023834
    assert run(double, [{"ansible.windows.win_command": "w32tm /resync"}], "--check").of("pc1")[0]["skipped"]


RULE: dict[str, Any] = {
    "name": "edefter-https",
    "group": "e-Defter",
    "direction": "out",
    "action": "allow",
    "protocol": "tcp",
    "remoteport": "443,4443",
    "profiles": ["domain", "private", "public"],
    "state": "present",
}


def test_firewall_rule_is_stored_as_windows_stores_it(double: Double) -> None:
    module = "community.windows.win_firewall_rule"
    checked, _ = changing(double, [{module: RULE}])
    assert "+RemotePorts='443,4443'" in checked[0]["diff"]["prepared"]
    stored = _rules(double, "edefter-https")
    assert stored == [
        "v2.33|Action=Allow|Active=TRUE|Dir=Out|Protocol=6|RPort=443|RPort=4443|Name=edefter-https|EmbedCtxt=e-Defter|",
    ]
    drifted = {module: {**RULE, "remoteip": "10.0.0.1,2001:db8::1", "enabled": False}}
    assert changing(double, [drifted])[1][0]["changed"]
    assert "|Active=FALSE|" in _rules(double, "edefter-https")[0]
    assert "|RA4=10.0.0.1|RA6=2001:db8::1|" in _rules(double, "edefter-https")[0]
    assert changing(double, [{module: {"name": "EDEFTER-https", "state": "absent"}}])[1][0]["changed"]
    assert _rules(double, "edefter-https") == []


def test_firewall_rule_keeps_the_real_modules_manners(double: Double) -> None:
    module = "community.windows.win_firewall_rule"
    udp = {**RULE, "protocol": "udp", "remoteport": "123"}
    results = run(
        double,
        [
            {module: udp},
            # Ports are set before the protocol, and setting the protocol resets them: adopting another protocol takes
            # two runs.
            {module: RULE},
            {module: {"name": "edefter-x", "remoteport": "443", "direction": "out"}},
            {module: {**RULE, "name": "edefter-y", "remoteip": "uyg.edefter.gov.tr"}},
            {module: {"direction": "out"}},
        ],
    ).of("pc1")
    assert results[1]["changed"]
    assert "RPort" not in _rules(double, "edefter-https")[0]
    assert "0x80070057" in results[2]["msg"]
    assert "uyg.edefter.gov.tr" in results[3]["msg"]
    assert results[4]["msg"] == "Either name or group must be specified"


def _rules(double: Double, name: str) -> list[str]:
    return [v.data for v in double.registry("pc1").values(fwrules.RULES).values() if f"|Name={name}|" in v.data]


def test_every_stock_rule_survives_parsing_and_formatting(double: Double) -> None:
    for value in double.registry("pc1").values(fwrules.RULES).values():
        rule = fwrules.from_string(value.data)
        assert fwrules.from_string(fwrules.to_string(rule)) == rule
        assert sorted(fwrules.parse(fwrules.to_string(rule))) == sorted(fwrules.parse(value.data))


def test_double_knows_every_option_that_it_compares() -> None:
    assert set(win_firewall_rule._COMPARED) < set(fwrules.properties(fwrules.Rule()))
