# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Section `network`: hosts file, name policy and TLS switches of Windows, and both twins' view of this very machine."""

from __future__ import annotations

import pathlib
import shutil
import typing as t

import pytest
from ansible_collections.edefter.ready.plugins.module_utils import network, resolving
from ansible_collections.edefter.ready.plugins.module_utils.core import Deadline
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.network import parse_network
from windows_double import csharp
from windows_double.registry import Registry

pytestmark = pytest.mark.skipif(shutil.which("mcs") is None, reason="no mcs (scripts/setup.sh installs it)")

OPTIONS = {"endpoints": [{"id": "uyg", "host": "uyg.edefter.gov.tr", "port": 443}], "time_sources": [], "canaries": []}
HOSTS = "127.0.0.1 localhost\n203.0.113.9 UYG.edefter.gov.tr other\n203.0.113.8 else.example\n"
CLIENT = r"HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2\Client"
NRPT = r"SOFTWARE\Policies\Microsoft\Windows NT\DNSClient\DnsPolicyConfig\{1}"


def windows(
    folder: pathlib.Path, tree: dict[str, t.Any] | None = None, hosts: pathlib.Path | None = None
) -> dict[str, t.Any]:
    Registry(folder).load(tree or {})
    params = {**OPTIONS, "sections": ["network"]}
    with csharp.Worker(registry=folder) as worker:
        observation = worker.call("HostInfo", params, {"hosts_file": str(hosts)} if hosts else None)
    section = observation["sections"]["network"]
    assert section["error"] is None
    return t.cast("dict[str, t.Any]", section["data"])


def test_the_hosts_file_and_only_our_lines(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text(HOSTS)
    monkeypatch.setattr(resolving, "HOSTS", str(hosts))
    expected = {
        "path": str(hosts),
        "error": None,
        "lines": 3,
        "entries": [{"address": "203.0.113.9", "names": ["UYG.edefter.gov.tr", "other"], "line": 2}],
    }
    assert network.hosts_file(OPTIONS) == expected
    assert windows(tmp_path / "registry", hosts=hosts)["hosts_file"] == expected


def test_a_missing_hosts_file_is_an_error_of_its_own(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = tmp_path / "none"
    monkeypatch.setattr(resolving, "HOSTS", str(missing))
    for found in (network.hosts_file(OPTIONS), windows(tmp_path / "registry", hosts=missing)["hosts_file"]):
        assert found["error"]["phase"] == "hosts_file"
        assert found["error"]["code"] == "not_found"
        assert found["entries"] == []


def test_name_policy(tmp_path: pathlib.Path) -> None:
    data = windows(
        tmp_path, {rf"HKLM\{NRPT}": {"Name": [".gov.tr", ".firma.local"], "GenericDNSServers": "10.0.0.1;10.0.0.2"}}
    )
    assert data["name_policy"] == [{"names": [".gov.tr", ".firma.local"], "servers": ["10.0.0.1", "10.0.0.2"]}]


@pytest.mark.parametrize(
    ("values", "tls12"),
    [
        ({}, None),
        ({"Enabled": 1}, True),
        ({"Enabled": 0}, False),
        ({"DisabledByDefault": 1}, False),
        ({"Enabled": 0xFFFFFFFF}, True),
    ],
)
def test_schannel(tmp_path: pathlib.Path, values: dict[str, int], tls12: bool | None) -> None:
    assert windows(tmp_path, {CLIENT: values})["tls_client"]["tls12"] is tls12


@pytest.mark.parametrize(
    ("wide", "narrow", "strong"), [(1, 1, True), (1, None, False), (None, None, None), (1, 0, False)]
)
def test_dotnet(tmp_path: pathlib.Path, wide: int | None, narrow: int | None, strong: bool | None) -> None:
    tree = {
        r"HKLM\SOFTWARE\Microsoft\.NETFramework\v4.0.30319": {"SchUseStrongCrypto": wide},
        r"HKLM\SOFTWARE\WOW6432Node\Microsoft\.NETFramework\v4.0.30319": {"SchUseStrongCrypto": narrow},
    }
    assert windows(tmp_path, tree)["tls_client"]["strong_crypto"] is strong


def test_both_twins_on_this_machine(tmp_path: pathlib.Path) -> None:
    ours, theirs = network.collect(OPTIONS, Deadline(5)), windows(tmp_path)
    for data in (ours, theirs):
        parse_network(data)
    assert ours.keys() == theirs.keys()
    assert ours["resolvers"] == theirs["resolvers"]
    names = [{i["name"] for i in data["interfaces"] if i["up"]} for data in (ours, theirs)]
    assert names[0] == names[1]
    loopback = [next(i for i in data["interfaces"] if i["name"] == "lo") for data in (ours, theirs)]
    assert [i["type"] for i in loopback] == ["loopback", "loopback"]
    assert all("127.0.0.1" in {a["address"] for a in i["addresses"]} for i in loopback)
