# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of the Windows double on their own: WSMan, payloads, argument specs, registry, time service, firewall."""

from __future__ import annotations

import base64
import json
import os
import pathlib
import textwrap
from typing import Any

import pytest
from windows_double import argspec, fwrules, outbound, payload, services, state, tasks, w32time, wsman, zones
from windows_double.host import Host
from windows_double.log import EventLog
from windows_double.registry import Registry, RegistryError

PROFILE = f"{outbound.LOCAL}\\PublicProfile"


def make(tmp_path: pathlib.Path, **data: Any) -> Host:
    [spec] = state.load({"hosts": {"pc1": {"firewall_profiles": ["public"], **data}}})
    (tmp_path / "templates").mkdir(exist_ok=True)
    return Host(spec, state.Templates(tmp_path / "templates").of(spec), tmp_path / "pc1")


# ---- WSMan -----------------------------------------------------------------------------------------------------------


def soap(action: str, body: str = "", header: str = "") -> bytes:
    return (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
        'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
        'xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" xmlns:rsp="' + wsman.SHELL + '">'
        f"<s:Header><a:Action>{wsman.SHELL}/{action}</a:Action><a:MessageID>uuid:1</a:MessageID>{header}</s:Header>"
        f"<s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def test_send_carries_stdin_and_its_end() -> None:
    text = base64.b64encode(b"line\n").decode()
    request = wsman.parse(
        soap(
            "Send",
            f'<rsp:Send><rsp:Stream Name="stdin" CommandId="C" End="true">{text}</rsp:Stream></rsp:Send>',
            "<w:OperationTimeout>PT20S</w:OperationTimeout>"
            '<w:SelectorSet><w:Selector Name="ShellId">S</w:Selector></w:SelectorSet>',
        )
    )
    assert (request.action, request.shell_id, request.command_id) == ("Send", "S", "C")
    assert (request.stdin, request.end, request.operation_timeout) == (b"line\n", True, 20.0)


@pytest.mark.parametrize("stream", ['<rsp:Stream CommandId="C"/>', '<rsp:Stream CommandId="C"></rsp:Stream>'])
def test_a_stream_may_be_empty(stream: str) -> None:
    request = wsman.parse(soap("Send", f"<rsp:Send>{stream}</rsp:Send>"))
    assert (request.command_id, request.stdin) == ("C", b"")


def test_a_stream_is_base64_and_nothing_else() -> None:
    with pytest.raises(ValueError, match="base64"):
        wsman.parse(soap("Send", '<rsp:Send><rsp:Stream CommandId="C">QUJD &amp; RA==</rsp:Stream></rsp:Send>'))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"GET / HTTP/1.1",
        b"<a/>",
        soap("Send"),
        soap("Command"),
        b'<!DOCTYPE x [<!ENTITY a "b">]>' + soap("Receive"),
    ],
    ids=["empty", "text", "no header", "send without stream", "command without line", "document type"],
)
def test_what_is_not_wsman_is_refused(body: bytes) -> None:
    with pytest.raises(wsman.WsmanError):
        wsman.parse(body)


# ---- payload ---------------------------------------------------------------------------------------------------------


def sent(**changes: Any) -> bytes:
    name = "ansible_collections.a.b.plugins.modules.m.ps1"
    params: dict[str, Any] = {
        "Script": name,
        "Environment": {},
        "Variables": [
            {"Name": "complex_args", "Value": {"x": "ğ", "_ansible_check_mode": True, "_ansible_diff": False}}
        ],
        "CSharpModules": ["Ansible.Basic.cs"],
        **changes,
    }
    code = base64.b64encode("// ş".encode()).decode()
    scripts = {name: {"script": code, "path": "/m.ps1"}, "Ansible.Basic.cs": {"script": code, "path": "/b.cs"}}
    manifest = {"scripts": scripts, "actions": [{"name": "module_wrapper.ps1", "params": params}]}
    return (
        json.dumps({"name": "exec_wrapper", "script": "x"}).encode() + b"\n\0\0\0\0\n" + json.dumps(manifest).encode()
    )


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_a_module_is_found_in_the_payload(line_end: bytes) -> None:
    call = payload.decode(sent().replace(b"\n", line_end))
    assert (call.name, call.args, call.check_mode, call.diff_mode) == ("a.b.m", {"x": "ğ"}, True, False)
    assert call.csharp == {"Ansible.Basic.cs": "// ş"}
    assert call.script_path == "/m.ps1"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no delimiter"),
        (b"{}\n\0\0\0\0\n{}", "no script"),
        (sent()[:-1], "not JSON"),
        (sent(Script="other.ps1"), "did not arrive"),
        (sent(Variables=[]), "not a module"),
        (
            sent().replace(b'[{"name": "module_wrapper', b'[{"name": "async_wrapper.ps1"}, {"name": "module_wrapper'),
            "async",
        ),
    ],
    ids=["empty", "no wrapper", "cut off", "script missing", "a script task", "async"],
)
def test_other_payloads_are_refused_with_a_reason(data: bytes, message: str) -> None:
    with pytest.raises(payload.PayloadError, match=message):
        payload.decode(data)


# ---- documented arguments --------------------------------------------------------------------------------------------


def test_documentation_with_fragments_rules_the_arguments(tmp_path: pathlib.Path) -> None:
    plugins = tmp_path / "ansible_collections" / "n" / "c" / "plugins"
    (plugins / "modules").mkdir(parents=True)
    (plugins / "doc_fragments").mkdir()
    (plugins / "modules" / "m.py").write_text(
        textwrap.dedent(
            '''
            DOCUMENTATION = """
            module: m
            extends_documentation_fragment: [n.c.more]
            options:
              name: {type: str, required: true, aliases: [title]}
              ports: {type: list, elements: int}
              state: {type: str, choices: [started, stopped], default: started}
              rows: {type: list, elements: dict, options: {id: {type: int, required: true}}}
            """
            '''
        )
    )
    (plugins / "doc_fragments" / "more.py").write_text(
        'class ModuleDocFragment(object):\n    DOCUMENTATION = "options: {wait: {type: float, default: 1}}"\n'
    )
    options = argspec.documented_options(str(plugins / "modules" / "m.ps1"))
    assert argspec.checked(options, {"title": 5, "ports": "1, 2", "rows": [{"id": "3"}]}) == {
        "name": "5",
        "ports": [1, 2],
        "state": "started",
        "rows": [{"id": 3}],
        "wait": 1.0,
    }
    assert argspec.given_names(options, {"title": "x", "wait": None}) == {"name"}
    for args, message in [
        ({}, "missing required argument name"),
        ({"name": "x", "prts": 1}, "undocumented argument prts"),
        ({"name": "x", "title": "y"}, "given twice"),
        ({"name": ["x"]}, "not of type str"),
        ({"name": "x", "ports": ["a"]}, r"ports\[0\]: 'a' is not of type int"),
        ({"name": "x", "state": "paused"}, "not one of"),
        ({"name": "x", "rows": [{"id": 1, "idx": 2}]}, r"undocumented argument rows\[0\].idx"),
        ({"name": "x", "wait": True}, "not of type float"),
    ]:
        with pytest.raises(argspec.SpecError, match=message):
            argspec.checked(options, args)
    with pytest.raises(argspec.NoDocumentation):
        argspec.documented_options(str(plugins / "modules" / "other.ps1"))


# ---- registry --------------------------------------------------------------------------------------------------------


def test_registry_finds_names_by_any_spelling_and_keeps_the_first(tmp_path: pathlib.Path) -> None:
    registry = Registry(tmp_path)
    registry.set("HKLM\\Software\\X", "NtpServer", "string", "a")
    registry.set("hklm:\\SOFTWARE\\x", "NTPSERVER", "expandstring", "b")
    assert [v.name for v in registry.values("HKLM\\SOFTWARE\\X").values()] == ["NtpServer"]
    assert registry.get("HKLM\\SOFTWARE\\X", "ntpserver").kind == "expandstring"  # type: ignore[union-attr]
    registry.set("HKLM\\SOFTWARE\\X", "Limit", "dword", -1)
    assert registry.data("HKLM\\SOFTWARE\\X", "limit") == 0xFFFFFFFF
    registry.load({"HKLM\\SOFTWARE\\X": {"Limit": None}, "HKLM\\SOFTWARE\\Y": {"": "default"}})
    assert registry.get("HKLM\\SOFTWARE\\X", "Limit") is None
    assert registry.data("HKLM\\SOFTWARE\\Y", None) == "default"
    registry.load({"HKLM\\SOFTWARE\\Y": None})
    assert registry.subkeys("HKLM\\SOFTWARE") == ["x"]


@pytest.mark.parametrize("key", ["HKXX\\A", "HKLM\\a\\..\\b", "HKLM\\a/b"])
def test_registry_refuses_other_paths(tmp_path: pathlib.Path, key: str) -> None:
    with pytest.raises(RegistryError):
        Registry(tmp_path).create(key)


@pytest.mark.parametrize(("kind", "data"), [("dword", 2**32), ("dword", True), ("qword", 2**64), ("word", 1)])
def test_registry_refuses_what_does_not_fit(tmp_path: pathlib.Path, kind: str, data: Any) -> None:
    with pytest.raises(RegistryError):
        Registry(tmp_path).set("HKLM\\A", "x", kind, data)


def test_hosts_share_a_template_until_they_write(tmp_path: pathlib.Path) -> None:
    (tmp_path / "templates").mkdir()
    templates = state.Templates(tmp_path / "templates")
    one, two = (
        Host(spec, templates.of(spec), tmp_path / spec.name) for spec in state.load({"hosts": {"pc": {"count": 2}}})
    )
    assert one.registry.root == two.registry.root
    before = two.digest()
    one.writable().set("HKLM\\SOFTWARE\\X", "a", "dword", 1)
    one.writable().set(f"{w32time.LOCAL}\\Config", "MaxPosPhaseCorrection", "dword", 7)
    assert two.digest() == before != one.digest()
    assert two.registry.data(f"{w32time.LOCAL}\\Config", "MaxPosPhaseCorrection") == 54000
    one.reset()
    assert one.digest() == before


# ---- state -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(state.BASES.glob("*.yml")), ids=lambda path: path.stem)
def test_every_base_makes_a_host(tmp_path: pathlib.Path, path: pathlib.Path) -> None:
    host = make(tmp_path, base=path.stem)
    assert host.digest()


def test_the_hosts_that_come_along_can_be_made(tmp_path: pathlib.Path) -> None:
    (tmp_path / "templates").mkdir()
    templates = state.Templates(tmp_path / "templates")
    hosts = {spec.name: Host(spec, templates.of(spec), tmp_path / spec.name) for spec in state.load("troubles")}
    assert rules_of(hosts["closed"])[-1] == rules_of(hosts["closed-by-policy"])[-1] == "ipproto udp prohibit"
    assert rules_of(hosts["blocked-by-rule"]) == ["ipproto tcp dport 4443 prohibit"]
    assert w32time.effective(hosts["ruled-by-policy"], "Parameters", "NtpServer", "") == "dc.firma.local,0x9"
    assert zones.current(hosts["zone-without-summer"].registry) == "Turkey Standard Time_dstoff"


def test_host_data_lies_over_its_base(tmp_path: pathlib.Path) -> None:
    path = r"\Microsoft\Windows\Time Synchronization\SynchronizeTime"
    host = make(tmp_path, zone="UTC", hostname="pc7", tasks={path: {"enabled": False}}, base="server2022-pdc")
    zone = r"HKLM\SYSTEM\CurrentControlSet\Control\TimeZoneInformation"
    assert host.registry.data(zone, "TimeZoneKeyName") == "UTC"
    assert host.registry.data(zone, "ActiveTimeBias") == 0
    assert host.registry.data(r"HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters", "Hostname") == "pc7"
    assert host.registry.data(r"HKLM\SYSTEM\CurrentControlSet\Control\ProductOptions", "ProductType") == "LanmanNT"
    assert tasks.enabled(host.registry.root, path) is False
    assert host.answers()["domain_role"]["machine_role"] == 5
    with pytest.raises(state.StateError, match="unknown zone"):
        make(tmp_path, zone="Istanbul")


# ---- time service ----------------------------------------------------------------------------------------------------


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """Servers that answer: name -> offset from the true time."""
    answering: dict[str, float] = {}

    def ask(_netns: str | None, names: list[str]) -> list[dict[str, object]]:
        return [{"server": name, "offset": answering.get(name), "error": None} for name in names]

    monkeypatch.setattr("windows_double.sntp.ask_from", ask)
    return answering


@pytest.mark.parametrize(
    ("offset", "limit", "ends_at"),
    [(-53999.0, 54000, 0.0), (-54001.0, 54000, -54001.0), (54001.0, 54000, 54001.0), (9e8, 0xFFFFFFFF, 0.0)],
)
def test_phase_limits(
    tmp_path: pathlib.Path, servers: dict[str, float], offset: float, limit: int, ends_at: float
) -> None:
    servers["a"] = 0.0
    config = {"MaxPosPhaseCorrection": limit, "MaxNegPhaseCorrection": limit}
    host = make(
        tmp_path,
        clock_offset=offset,
        registry={f"{w32time.LOCAL}\\Config": config, f"{w32time.LOCAL}\\Parameters": {"NtpServer": "a,0x8"}},
    )
    services.start(host, "w32time")
    assert host.clock_offset == ends_at


@pytest.mark.parametrize(
    ("kind", "peers", "expected"),
    [
        ("NTP", "b,0x2 a,0x8 c", 1.0),
        ("NTP", "gone,0x8 b,0x2", 2.0),
        ("NoSync", "a,0x8", 50.0),
        ("NT5DS", "a,0x8", 3.0),
        ("AllSync", "a,0x8", 1.0),
        ("NTP", "a,zzz", 1.0),
        ("NTP", "", 50.0),
    ],
)
def test_sources_by_type_and_flags(
    tmp_path: pathlib.Path, servers: dict[str, float], kind: str, peers: str, expected: float
) -> None:
    servers.update(a=1.0, b=2.0, dc=3.0)
    parameters = {"Type": kind, "NtpServer": peers}
    host = make(tmp_path, clock_offset=50.0, domain_time=["dc"], registry={f"{w32time.LOCAL}\\Parameters": parameters})
    services.start(host, "w32time")
    assert host.clock_offset == expected


def test_a_disabled_service_does_not_start(tmp_path: pathlib.Path) -> None:
    host = make(tmp_path, registry={w32time.LOCAL: {"Start": 4}})
    with pytest.raises(services.ServiceError) as raised:
        services.start(host, "W32Time")
    assert raised.value.code == 1058
    assert services.state(host, "w32time") == "stopped"


# ---- outbound firewall -----------------------------------------------------------------------------------------------


def rules_of(host: Host) -> list[str]:
    return [text.split(" ", 2)[2] for family, text in outbound.routing_rules(host) if family == 4]


def test_stock_windows_lets_everything_out(tmp_path: pathlib.Path) -> None:
    assert outbound.routing_rules(make(tmp_path)) == []


@pytest.mark.parametrize(
    ("rule", "selectors"),
    [
        (
            "Action=Allow|Active=TRUE|Dir=Out|Protocol=6|RPort=443|RPort=4443|",
            ["ipproto tcp dport 443", "ipproto tcp dport 4443"],
        ),
        ("Action=Allow|Active=TRUE|Dir=Out|Protocol=6|RPort2_10=440-450|", ["ipproto tcp dport 440-450"]),
        (
            "Action=Allow|Active=TRUE|Dir=Out|Protocol=17|RPort=123|Svc=w32time|",
            ["fwmark 0x7732 ipproto udp dport 123"],
        ),
        (
            "Action=Allow|Active=TRUE|Dir=Out|RA4=203.0.113.0/24|",
            ["to 203.0.113.0/24 ipproto tcp", "to 203.0.113.0/24 ipproto udp"],
        ),
        ("Action=Allow|Active=FALSE|Dir=Out|Protocol=6|RPort=443|", []),
        ("Action=Allow|Active=TRUE|Dir=In|Protocol=6|RPort=443|", []),
        ("Action=Allow|Active=TRUE|Dir=Out|Protocol=6|Profile=Domain|RPort=443|", []),
        ("Action=Allow|Active=TRUE|Dir=Out|Protocol=6|RPort=443|App=C:\\x.exe|", []),
        ("Action=Allow|Active=TRUE|Dir=Out|Protocol=6|RPort=443|PFN=store|", []),
        ("Action=Allow|Active=TRUE|Dir=Out|Protocol=6|RPort=443|RA4=LocalSubnet|RA6=LocalSubnet|", []),
    ],
)
def test_rules_become_routing_rules(tmp_path: pathlib.Path, rule: str, selectors: list[str]) -> None:
    host = make(tmp_path, registry={PROFILE: {"DefaultOutboundAction": 1}, fwrules.RULES: {"test": f"v2.33|{rule}"}})
    plain = make(tmp_path, registry={PROFILE: {"DefaultOutboundAction": 1}})
    added = [text for text in rules_of(host) if text not in rules_of(plain)]
    assert added == [f"{selector} lookup main" for selector in selectors]
    assert rules_of(host)[-2:] == ["ipproto tcp prohibit", "ipproto udp prohibit"]


def test_a_block_rule_comes_before_every_allow_rule(tmp_path: pathlib.Path) -> None:
    block = "v2.33|Action=Block|Active=TRUE|Dir=Out|Protocol=6|RPort=443|Name=no|"
    assert rules_of(make(tmp_path, registry={fwrules.RULES: {"z": block}})) == ["ipproto tcp dport 443 prohibit"]


def test_policy_rules_over_local_profile_values(tmp_path: pathlib.Path) -> None:
    policy = f"{outbound.POLICY}\\PublicProfile"
    closed = make(tmp_path, registry={policy: {"DefaultOutboundAction": 1}})
    assert rules_of(closed)[-1] == "ipproto udp prohibit"
    opened = make(tmp_path, registry={PROFILE: {"DefaultOutboundAction": 1}, policy: {"EnableFirewall": 0}})
    assert rules_of(opened) == []


# ---- log -------------------------------------------------------------------------------------------------------------


def test_the_log_on_disk_is_the_log_in_memory(tmp_path: pathlib.Path) -> None:
    log = EventLog(tmp_path / "log.jsonl", requests=False)
    log.add("request", "pc1", action="Create")
    log.add("module", "pc1", module="a.b.c", args={"x": "ğ"})
    log.add("error", "pc2", message="no")
    log.close()
    assert [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()] == log.entries()
    assert [entry["host"] for entry in log.entries("error")] == ["pc2"]
    assert os.stat(tmp_path / "log.jsonl").st_size > 0
