# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a proxy is set and for whom: the environment, WinINET, WinHTTP, bypass lists. No password ever comes along."""

from __future__ import annotations

import json
import pathlib
import struct
import time

import pytest
from ansible_collections.edefter.ready.plugins.module_utils import proxy
from hypothesis import given
from hypothesis import strategies as st
from windows_double import csharp
from windows_double.registry import Registry


@pytest.mark.parametrize(
    ("text", "place", "removed"),
    [
        ("proxy.lab:3128", "proxy.lab:3128", False),
        ("http://Proxy.Lab:3128/", "proxy.lab:3128", False),
        ("proxy", "proxy:80", False),
        ("https://proxy", "proxy:443", False),
        ("http://user:se:cret@proxy:8080", "proxy:8080", True),
        ("http://us@er:secret@proxy:8080", "proxy:8080", True),
        ("[2001:db8::1]:3128", "[2001:db8::1]:3128", False),
        ("proxy:0", None, False),
        ("proxy:99999", None, False),
        ("a b:1", None, False),
        ("", None, False),
    ],
)
def test_host_and_port(windows_part, text: str, place: str | None, removed: bool) -> None:
    assert proxy.host_port(text) == (place, removed)
    assert windows_part("host_port", text=text) == [place, removed]


@given(st.text(st.characters(codec="ascii"), max_size=40))
def test_any_text_as_proxy(windows_part, text: str) -> None:
    assert windows_part("host_port", text=text) == list(proxy.host_port(text))


@pytest.mark.parametrize(
    ("host", "patterns", "past"),
    [
        ("uyg.edefter.gov.tr", ["*.gov.tr"], True),
        ("uyg.edefter.gov.tr", ["*.edefter.gov.tr", "x"], True),
        ("uyg.edefter.gov.tr", ["gov.tr"], True),
        ("uyg.edefter.gov.tr", [".gov.tr"], True),
        ("gov.tr", [".gov.tr"], True),
        ("xgov.tr", ["gov.tr"], False),
        ("server", ["<local>"], True),
        ("server.firm", ["<local>"], False),
        ("10.1.2.3", ["10.*"], True),
        ("uyg.edefter.gov.tr", ["*"], True),
        ("a.b", [], False),
        ("a.b", ["", " "], False),
    ],
)
def test_bypass(windows_part, host: str, patterns: list[str], past: bool) -> None:
    assert proxy.bypassed(host, patterns) is past
    assert windows_part("bypassed", host=host, patterns=patterns) is past


def test_a_nasty_pattern_is_answered_at_once(windows_part) -> None:
    host, pattern = "a" * 250, "*a" * 100 + "*b"
    began = time.monotonic()
    assert proxy.bypassed(host, [pattern]) is False
    assert windows_part("bypassed", host=host, patterns=[pattern]) is False
    assert time.monotonic() - began < 2


@given(
    st.sampled_from(["uyg.edefter.gov.tr", "server", "10.0.0.1"]),
    st.lists(st.text("*.<>local gov.tr10", max_size=12), max_size=4),
)
def test_any_bypass_list(windows_part, host: str, patterns: list[str]) -> None:
    assert windows_part("bypassed", host=host, patterns=patterns) is proxy.bypassed(host, patterns)


def blob(flags: int, *texts: bytes, form: int = 0x28) -> bytes:
    return struct.pack("<3I", form, 0, flags) + b"".join(struct.pack("<I", len(t)) + t for t in texts)


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (blob(3, b"proxy:8080", b"<local>"), [3, "proxy:8080", "<local>", None]),
        (blob(1, b"", b""), [1, None, None, None]),
        (blob(15, b"p:1", b"", b"http://wpad/x.pac", form=0x46) + bytes(32), [15, "p:1", None, "http://wpad/x.pac"]),
        (blob(3)[:12] + b"\xff\xff\xff\xff", [3, None, None, None]),
        (blob(3, b"proxy:8080")[:-2], [3, None, None, None]),
        (b"\0" * 11, None),
        (b"", None),
    ],
)
def test_connection_settings(windows_part, data: bytes, value: list | None) -> None:
    assert windows_part("blob", hex=data.hex()) == value


@given(st.binary(max_size=80))
def test_any_connection_settings(windows_part, data: bytes) -> None:
    value = windows_part("blob", hex=data.hex())
    assert value is None or len(value) == 4


def test_environment_without_passwords() -> None:
    configs = proxy.from_environment(
        {
            "https_proxy": "http://ali:parola@proxy.firma:8080",
            "HTTP_PROXY": "evil:1",
            "all_proxy": "other:1",
            "NO_PROXY": "a.b, .c d",
        }
    )
    assert [c["by_scheme"] for c in configs] == [{"https": "proxy.firma:8080"}, {"https": "other:1", "http": "other:1"}]
    assert configs[0]["credentials_removed"] is True
    assert configs[0]["bypass"] == ["a.b", ".c", "d"]
    assert "parola" not in json.dumps(configs)
    assert "ali" not in json.dumps(configs)
    assert [p["proxy"] for p in proxy.distinct(configs)] == ["proxy.firma:8080", "other:1"]
    assert [p["proxy"] for p in proxy.for_target(configs, "http", "x.y")] == ["other:1"]
    assert proxy.for_target(configs, "https", "www.a.b") == []


SETTINGS = r"Software\Microsoft\Windows\CurrentVersion\Internet Settings"
POLICIES = r"Software\Policies\Microsoft\Windows\CurrentVersion\Internet Settings"
USER = r"HKU\S-1-5-21-1-2-3-1001"


def windows(folder: pathlib.Path, tree: dict) -> dict:
    """Section `proxy` of a Windows host with that registry."""
    Registry(folder).load(tree)
    with csharp.Worker(registry=folder) as worker:
        observation = worker.call("HostInfo", {"sections": ["proxy"]})
    section = observation["sections"]["proxy"]
    assert section["error"] is None
    return section["data"]


def test_windows_without_any(tmp_path: pathlib.Path) -> None:
    assert windows(tmp_path, {}) == {"configs": [], "proxies": [], "pac": False, "wpad": False}


def test_windows_user_winhttp_and_environment(tmp_path: pathlib.Path) -> None:
    data = windows(
        tmp_path,
        {
            rf"{USER}\{SETTINGS}": {
                "ProxyEnable": 1,
                "ProxyServer": "http=ali:parola@web:3128;https=web:3129;socks=s:1080",
                "ProxyOverride": "*.firma.local;<local>",
                "AutoConfigURL": "http://ali:parola@wpad.firma.local/wpad.dat",
            },
            rf"{USER}\{SETTINGS}\Connections": {
                "DefaultConnectionSettings": {"type": "binary", "data": blob(11, b"web:3128", b"", b"").hex()}
            },
            rf"{USER}_Classes\{SETTINGS}": {"ProxyEnable": 1, "ProxyServer": "classes:1"},
            rf"HKU\S-1-5-18\{SETTINGS}": {"ProxyEnable": 0, "ProxyServer": "web:3129"},
            rf"HKLM\{SETTINGS}": {"ProxyEnable": 1, "ProxyServer": "machine:1"},
            rf"HKLM\{SETTINGS}\Connections": {
                "WinHttpSettings": {"type": "binary", "data": blob(3, b"winhttp:8080", b"<local>").hex()}
            },
            r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment": {
                "HTTPS_PROXY": "http://env:1",
                "NO_PROXY": ".gov.tr",
            },
        },
    )
    by = {(c["source"], c["user"]): c for c in data["configs"]}
    user = by["wininet_user", "S-1-5-21-1-2-3-1001"]
    assert user["by_scheme"] == {"http": "web:3128", "https": "web:3129"}
    assert (user["enabled"], user["auto_detect"], user["credentials_removed"]) == (True, True, True)
    assert user["pac_url"] == "http://wpad.firma.local/wpad.dat"
    assert by["wininet_user", "S-1-5-18"]["enabled"] is False
    assert by["wininet_machine", None]["enabled"] is False, "no policy: nobody looks at it"
    assert by["winhttp", None]["bypass"] == ["<local>"]
    assert by["environment", None]["bypass"] == [".gov.tr"]
    assert [(p["proxy"], p["sources"]) for p in data["proxies"]] == [
        ("web:3128", ["wininet_user"]),
        ("web:3129", ["wininet_user"]),
        ("winhttp:8080", ["winhttp"]),
        ("env:1", ["environment"]),
    ]
    assert (data["pac"], data["wpad"]) == (True, True)
    assert "parola" not in json.dumps(data)
    assert not any("classes" in json.dumps(c) for c in data["configs"])


def test_windows_policy_for_the_machine(tmp_path: pathlib.Path) -> None:
    data = windows(
        tmp_path,
        {
            rf"HKLM\{POLICIES}": {"ProxySettingsPerUser": 0},
            rf"HKLM\{SETTINGS}": {"ProxyEnable": 1, "ProxyServer": "machine:1"},
            rf"{USER}\{SETTINGS}": {"ProxyEnable": 1, "ProxyServer": "user:1"},
        },
    )
    assert [p["proxy"] for p in data["proxies"]] == ["machine:1"]
    assert [c["per_machine"] for c in data["configs"] if c["source"] == "wininet_machine"] == [True]
