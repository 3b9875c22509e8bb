# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The C# that ships reads section `time` from a registry: a ready PC's, broken ones, and real exports."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
import regfile
import w32time_cases as cases
from ansible_collections.edefter.ready.plugins.module_utils import time_settings
from ansible_collections.edefter.ready.plugins.module_utils.core import Deadline
from ansible_collections.edefter.ready.plugins.plugin_utils.judge.time import judge_time
from ansible_collections.edefter.ready.plugins.plugin_utils.model import Status
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.time import TimeObservation, parse_time
from ansible_collections.edefter.ready.plugins.plugin_utils.plan.time import plan_time
from ansible_collections.edefter.ready.plugins.plugin_utils.w32time import steps as kinds
from ansible_collections.edefter.ready.plugins.plugin_utils.w32time.case import ClockView
from windows_double import csharp
from windows_double.registry import Registry, Value

EXPORTS = pathlib.Path(__file__).parents[2].parent / "shared" / "data" / "w32time"
SERVICE = r"HKLM\SYSTEM\CurrentControlSet\Services\W32Time"
POLICY = r"HKLM\SOFTWARE\Policies\Microsoft\W32Time"
ZONE = r"HKLM\SYSTEM\CurrentControlSet\Control\TimeZoneInformation"
ZONES = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Time Zones"
JOIN = "ba0ae21c5198214494301ddeb766e809"
TASK = """<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.4" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <Triggers><CalendarTrigger><Enabled>{trigger}</Enabled></CalendarTrigger></Triggers>
  <Settings><Priority>7</Priority>{settings}</Settings>
</Task>"""


def read(registry: Registry, **more: t.Any) -> dict[str, t.Any]:
    """Section `time` as the C# gives it."""
    more.setdefault("api", {"service:w32time": {"state": "running", "exit_code": 0}})
    section = csharp.run("HostInfo", {"sections": ["time"]}, registry=registry.root, **more)["sections"]["time"]
    assert section["status"] == "ok", section["error"]
    return t.cast("dict[str, t.Any]", section["data"])


@pytest.fixture
def registry(tmp_path: pathlib.Path) -> Registry:
    """An empty one."""
    result = Registry(tmp_path / "registry")
    result.create(r"HKLM\SOFTWARE")
    return result


def tzi(bias: int, daylight: bool) -> dict[str, str]:
    """A zone's TZI as registry data."""
    change = "00000a0005000300000000000000" + "0000"
    rest = change * 2 if daylight else "00" * 32
    return {
        "type": "binary",
        "data": b"".join(x.to_bytes(4, "little", signed=True) for x in (bias, 0, -60)).hex() + rest,
    }


def test_an_empty_registry_gives_nulls_and_no_error(registry: Registry) -> None:
    data = read(registry, api={})
    assert data["w32time"]["present"] is False
    assert data["w32time"]["state_error"]["phase"] == "api"
    observed = parse_time(data)
    assert observed.zone.key is None
    found = judge_time(observed, cases.host("workgroup_pc"), cases.WANTED)
    assert {f.check: f.status for f in found}["time.service"] is Status.FAIL


def test_values_as_stored_under_any_spelling(registry: Registry) -> None:
    registry.load(
        {
            SERVICE: {"start": 3, "DelayedAutoStart": 1},
            SERVICE + r"\Parameters": {"type": "NTP", "NTPServer": "a,0x8 b,0x8"},
            SERVICE + r"\Config": {"MaxPosPhaseCorrection": 0xFFFFFFFF, "minpollinterval": 6, "UtilizeSslTimeData": 0},
            SERVICE + r"\TimeProviders\NtpClient": {"Enabled": 1, "SpecialPollInterval": 604800},
            SERVICE + r"\TimeProviders\VMICTimeProvider": {"Enabled": 0},
            SERVICE + r"\TriggerInfo\0": {"Type": 3, "Action": 1, "GUID": {"type": "binary", "data": JOIN}},
            SERVICE + r"\TriggerInfo\1": {"Type": 2, "Action": 2, "GUID": {"type": "binary", "data": "00"}},
            SERVICE + r"\SecureTimeLimits": {"SecureTimeEstimated": {"type": "qword", "data": 0x01D3CD7B3F377BDC}},
            POLICY + r"\Parameters": {"NtpServer": "dc,0x8"},
            POLICY + r"\TimeProviders\NtpClient": {"Type": "NTP", "Enabled": 1},
            ZONE: {
                "TimeZoneKeyName": "GTB Standard Time",
                "DynamicDaylightTimeDisabled": 1,
                "Bias": 0xFFFFFF88,
                "ActiveTimeBias": 0xFFFFFF4C,
                "RealTimeIsUniversal": {"type": "qword", "data": 1},
            },
            ZONES + r"\Turkey Standard Time": {"TZI": tzi(-180, False)},
            ZONES + r"\GTB Standard Time": {"TZI": tzi(-120, True)},
            r"HKLM\SYSTEM\CurrentControlSet\Services\tzautoupdate": {"Start": 3},
        }
    )
    data = read(registry)
    settings = data["w32time"]
    assert (settings["start"], settings["delayed"], settings["state"]) == (3, 1, "running")
    assert settings["parameters"] == {"Type": "NTP", "NtpServer": "a,0x8 b,0x8"}
    assert settings["config"]["MaxPosPhaseCorrection"] == 4294967295
    assert settings["config"]["MinPollInterval"] == 6
    assert settings["config"]["MaxPollInterval"] is None
    assert settings["vmic"] == {"Enabled": 0}
    assert settings["triggers"] == [
        {"type": 3, "action": 1, "guid": "1ce20aba-9851-4421-9430-1ddeb766e809"},
        {"type": 2, "action": 2, "guid": None},
    ]
    assert settings["secure_time_limits"]["estimated_utc"].startswith("2018-04-06T")
    assert data["policy"]["parameters"] == {"Type": None, "NtpServer": "dc,0x8"}
    assert data["policy"]["ntp_client"]["Type"] == "NTP"
    assert data["policy"]["config"] is None
    assert data["zone"]["key"] == "GTB Standard Time"
    assert (data["zone"]["bias_min"], data["zone"]["utc_offset_s"]) == (-120, 10800)
    assert data["zone"]["data"]["Turkey Standard Time"] == {
        "bias_min": -180,
        "standard_bias_min": 0,
        "daylight_bias_min": -60,
        "has_daylight": False,
    }
    assert data["zone"]["data"]["GTB Standard Time"]["has_daylight"] is True
    observed = parse_time(data)
    assert observed.zone.shown == "GTB Standard Time_dstoff"
    assert observed.zone.rtc_is_universal
    assert observed.odd == ()


def test_wrong_types_and_a_failing_api_spoil_nothing(registry: Registry) -> None:
    registry.load(
        {
            SERVICE: {"Start": "4"},
            SERVICE + r"\Parameters": {"Type": 1, "NtpServer": ["a,0x8", "b,0x8"]},
            SERVICE + r"\TriggerInfo\0": {"Type": "3", "GUID": "text"},
            SERVICE + r"\SecureTimeLimits": {
                "SecureTimeLow": {"type": "qword", "data": 2**64 - 1},
                "SecureTimeHigh": 1,
            },
            ZONE: {"TimeZoneKeyName": "..\\..\\SAM", "ActiveTimeBias": "x"},
            ZONES + r"\Turkey Standard Time": {"TZI": {"type": "binary", "data": "0011"}},
        }
    )
    data = read(registry, api={"service": {"throw": "access denied"}})
    assert data["w32time"]["state"] is None
    assert data["w32time"]["state_error"]["code"] == "error"
    assert list(data["zone"]["data"]) == ["Turkey Standard Time"]
    observed = parse_time(data)
    assert set(observed.odd) >= {"w32time.Start", "w32time.Parameters.Type", "w32time.Parameters.NtpServer"}
    judge_time(observed, cases.host("workgroup_pc"), cases.WANTED)


@pytest.mark.parametrize(
    ("trigger", "settings", "encoding", "state"),
    [
        ("true", "<Enabled>false</Enabled>", "utf-16", "disabled"),
        ("false", "<Enabled>true</Enabled>", "utf-16", "enabled"),
        ("false", "", "utf-16", "enabled"),
        ("false", "<Enabled>0", "utf-16", "unknown"),
        ("&xxe;", "", "utf-16", "unknown"),
        (None, "", "", "absent"),
    ],
)
def test_the_weekly_task(
    registry: Registry, tmp_path: pathlib.Path, trigger: str | None, settings: str, encoding: str, state: str
) -> None:
    folder = tmp_path / "Windows" / "System32" / "Tasks" / "Microsoft" / "Windows" / "Time Synchronization"
    folder.mkdir(parents=True)
    if trigger is not None:
        text = TASK.format(trigger=trigger, settings=settings)
        if trigger == "&xxe;":
            text = text.replace("<Task ", '<!DOCTYPE Task [<!ENTITY xxe SYSTEM "file:///etc/passwd">]><Task ')
        (folder / "SynchronizeTime").write_bytes(text.encode(encoding))
    task = read(registry, env={"SystemRoot": str(tmp_path / "Windows")})["task"]
    assert task["state"] == state
    assert (task["error"] is not None) == (state == "unknown")


@pytest.mark.parametrize("number", [f"{n:02d}" for n in range(1, 36, 2)])
def test_real_exports_are_read_and_judged(registry: Registry, number: str) -> None:
    path = EXPORTS / f"{number}.reg"
    if not path.is_file():
        pytest.skip("the collected exports (../shared/data/w32time) are not here")
    content = regfile.read(path)
    assert content
    for key, values in content.items():
        registry.create(key)
        # ControlSet001 is CurrentControlSet on almost every machine; there a link makes it so.
        registry.create(key.replace("ControlSet001", "CurrentControlSet"))
        registry.update(
            key.replace("ControlSet001", "CurrentControlSet"), [Value(v.name, v.kind, v.data) for v in values]
        )
    observed = parse_time(read(registry))
    _expected(number, observed)
    for kind in cases.KINDS:
        host = cases.host(kind)
        for clock in (None, ClockView(-0.01, 0.01), ClockView(7e8, 7e8 + 1)):
            findings = judge_time(observed, host, cases.WANTED, clock)
            assert findings
            plan = plan_time(observed, host, cases.WANTED, clock)
            assert all(step.kind in kinds.KINDS for step in plan)


def _expected(number: str, observed: TimeObservation) -> None:
    """What a person reads in some of the files."""
    settings, zone = observed.settings, observed.zone
    assert settings is not None
    assert observed.policies is not None
    if number in ("01", "03", "05"):
        assert settings.parameters.text("Type") == {"01": "NT5DS", "03": "NTP", "05": "NTP"}[number]
        assert settings.triggers[0].guid == "1ce20aba-9851-4421-9430-1ddeb766e809"
        assert (zone.key, zone.utc_offset_s) == ("Eastern Standard Time", -14400)
        assert settings.config.number("MaxPosPhaseCorrection") == {"01": 0xFFFFFFFF, "03": 54000, "05": 54000}[number]
    elif number == "19":
        assert settings.config.number("MaxNegPhaseCorrection") == 0xFFFFFFFF
    elif number == "21":
        assert settings.ntp_client.number("Enabled") == settings.vmic.number("Enabled") == 0
    elif number == "25":
        assert settings.start == 4
    elif number == "31":
        assert (zone.key, zone.utc_offset_s) == ("Romance Standard Time", 7200)
    elif number == "33":
        assert zone.rtc_is_universal
    elif number == "35":
        assert observed.policies.parameters.text("NtpServer") == "pool.ntp.org,0x8"
        assert observed.policies.ntp_client.number("SpecialPollInterval") == 3600
    assert observed.odd == ()


HISTORY = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Group Policy\History"


@pytest.mark.parametrize(
    ("role", "last", "dns_domain", "host"),
    [
        (1, "\\\\DC1.firma.local", "firma.local", "DC1.firma.local"),
        (3, None, "firma.local", "firma.local"),
        (1, "\\\\bad name;", None, None),
        (0, "\\\\DC1.firma.local", "firma.local", None),
        (4, "\\\\DC1.firma.local", "firma.local", None),
        ({"throw": "no role"}, "\\\\DC1.firma.local", None, None),
    ],
)
def test_a_members_controller_is_measured_along(
    registry: Registry, role: t.Any, last: str | None, dns_domain: str | None, host: str | None
) -> None:
    registry.load({HISTORY: {"DCName": last}})
    answer = role if isinstance(role, dict) else {"machine_role": role, "dns_domain": dns_domain}
    # Port 9 of this machine: what is asked for answers nothing, and that at once.
    source = {"id": "x", "host": "127.0.0.1", "port": 9}
    params = {"time_sources": [source], "samples": 1, "timeout": 0.2, "deadline": 1}
    done = csharp.run("ClockInfo", params, registry=registry.root, api={"domain_role": answer})
    rows = done["sections"]["clock"]["data"]["sources"]
    assert [(row["id"], row["host"]) for row in rows] == [("x", "127.0.0.1"), *([("domain", host)] if host else [])]
    none = csharp.run(
        "ClockInfo", {"time_sources": [], "deadline": 1}, registry=registry.root, api={"domain_role": answer}
    )
    assert none["sections"]["clock"]["data"]["sources"] == []


def test_the_python_twin_gives_the_same_keys(registry: Registry) -> None:
    theirs, ours = read(registry), time_settings.collect({}, Deadline(5))
    assert set(ours) == set(theirs)
    assert set(ours["zone"]) == set(theirs["zone"])
    assert isinstance(ours["zone"]["utc_offset_s"], int)
    parse_time(ours)


def test_the_python_twins_zone_name(tmp_path: pathlib.Path) -> None:
    link, plain, listed = tmp_path / "localtime", tmp_path / "copy", tmp_path / "timezone"
    target = tmp_path / "zoneinfo" / "Europe" / "Istanbul"
    target.parent.mkdir(parents=True)
    target.write_bytes(b"TZif")
    plain.write_bytes(b"TZif")
    link.symlink_to(target)
    assert time_settings.zone_name(str(link), str(listed)) == "Europe/Istanbul"
    assert time_settings.zone_name(str(plain), str(listed)) is None
    listed.write_text("Europe/Istanbul\n", encoding="utf-8")
    assert time_settings.zone_name(str(plain), str(listed)) == "Europe/Istanbul"
