# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Broken WinRM and hostile replies: the double plays them, ansible-core survives them, the other hosts are unharmed."""

from __future__ import annotations

import pathlib
import shutil
import time
from collections.abc import Iterator
from typing import Any

import pytest
from windows_double import Double
from windows_double.ansible_run import Played, play
from windows_double.state import REPLY_FAULTS, WINRM_FAULTS, StateError, load

pytestmark = pytest.mark.skipif(shutil.which("mono") is None, reason="no mono")
OBSERVE: dict[str, Any] = {"edefter.ready.host_info": {"sections": ["identity"]}}


@pytest.fixture(scope="module")
def double(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Double]:
    hosts: dict[str, Any] = {"good": {}, "slow": {"winrm": {"rtt_ms": 20, "module_seconds": 1.0}}}
    hosts.update({f"winrm-{fault}": {"winrm": {"fault": fault}} for fault in WINRM_FAULTS})
    hosts.update({f"reply-{fault}": {"reply": {"fault": fault}} for fault in REPLY_FAULTS})
    with Double({"hosts": hosts}, folder=tmp_path_factory.mktemp("double")) as made:
        made.inventory(made.folder / "inventory.yml")
        yield made


def run(double: Double, tasks: list[dict[str, Any]], *options: str, hosts: str = "all") -> Played:
    return play(double.folder / "ansible", double.folder / "inventory.yml", tasks, *options, hosts=hosts)


BOUNDED = ("-f", "20", "-e", "ansible_winrm_read_timeout_sec=4", "-e", "ansible_winrm_operation_timeout_sec=3")


def test_every_fault_at_once(double: Double) -> None:
    began = time.monotonic()
    ended = run(double, [OBSERVE], *BOUNDED)
    assert time.monotonic() - began < 60
    for name in ("good", "slow"):
        assert ended.of(name)[0]["observation"]["complete"], name
    for fault in WINRM_FAULTS:
        result = ended.of(f"winrm-{fault}")[0]
        assert result["failed"], fault
    unreachable = {fault for fault in WINRM_FAULTS if ended.of(f"winrm-{fault}")[0].get("unreachable")}
    assert unreachable >= {"refuse", "hang", "reject"}
    for fault in set(REPLY_FAULTS) - {"huge", "wrong_types"}:
        assert ended.of(f"reply-{fault}")[0]["failed"], fault
    assert ended.of("reply-wrong_types")[0]["observation"]["sections"]["time"] == 3
    assert len(ended.of("reply-huge")[0]["observation"]["filler"]) > 50_000_000
    slow = [entry for entry in double.log("request", "slow") if entry["action"] == "Receive"]
    # (An event loop may wake a little early by the clock that is read here.)
    assert slow[0]["ms"] >= 950


def test_faults_are_switched_while_running(double: Double) -> None:
    ping = {"ansible.windows.win_ping": {}}
    double.listen("good", False)
    assert run(double, [ping], hosts="good").of("good")[0]["unreachable"]
    double.listen("good", True)
    assert run(double, [ping], hosts="good").of("good")[0]["ping"] == "pong"


def test_a_module_longer_than_the_operation_timeout_is_waited_for(double: Double) -> None:
    double.clear_log()
    double.hosts["good"].module_seconds = 2.5
    options = ("-e", "ansible_winrm_read_timeout_sec=3", "-e", "ansible_winrm_operation_timeout_sec=1")
    ended = run(double, [{"ansible.windows.win_ping": {}}], *options, hosts="good")
    double.hosts["good"].module_seconds = 0.0
    assert ended.of("good")[0]["ping"] == "pong"
    receives = [entry["status"] for entry in double.log("request", "good") if entry["action"] == "Receive"]
    assert receives == [500, 500, 200]
    assert double.executions("good") == ["ansible.windows.win_ping"]


def test_equal_hosts_are_replayed_when_asked_to(tmp_path: pathlib.Path) -> None:
    fleet = {"alike": {"count": 3, "replay": True}, "other": {"replay": True, "clock_offset": -60.0}}
    with Double({"hosts": fleet}, folder=tmp_path / "double") as double:
        double.inventory(tmp_path / "inventory.yml")
        play(tmp_path / "ansible", tmp_path / "inventory.yml", [OBSERVE])
        log = {entry["host"]: entry["replayed"] for entry in double.log("module")}
        assert sorted(log) == ["alike0001", "alike0002", "alike0003", "other"]
        assert sorted(log[name] for name in log if name != "other") == [False, True, True]
        assert log["other"] is False
        assert double.mono_processes() == 2


@pytest.mark.parametrize(
    ("host", "message"),
    [
        ({"clock": 1}, "unknown keys clock"),
        ({"base": "windows95"}, "unknown base"),
        ({"winrm": {"fault": "sulk"}}, "winrm.fault"),
        ({"reply": {"fault": "sulk"}}, "reply.fault"),
        ({"winrm": {"timeout": 1}}, "unknown keys in winrm"),
    ],
)
def test_wrong_host_data_is_named(host: dict[str, Any], message: str) -> None:
    with pytest.raises(StateError, match=message):
        load({"hosts": {"pc1": host}})
