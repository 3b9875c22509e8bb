# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan as instructions: every kind of step has dialog and commands, and no text of a host gets out of its quotes."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.edefter.ready.plugins.plugin_utils.model import Area, Step
from ansible_collections.edefter.ready.plugins.plugin_utils.plan import firewall as plan_firewall
from ansible_collections.edefter.ready.plugins.plugin_utils.plan import instructions as instruction_room
from ansible_collections.edefter.ready.plugins.plugin_utils.plan.instructions import instructions, literal
from ansible_collections.edefter.ready.plugins.plugin_utils.plan.sheet import Sheet, others, render
from ansible_collections.edefter.ready.plugins.plugin_utils.w32time import steps
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted.firewall import FirewallWanted, WantedRule
from hypothesis import given
from hypothesis import strategies as st

CONFIG = r"HKLM\SYSTEM\CurrentControlSet\Services\W32Time\Config"
RULE = {
    "name": "edefter.ready firma-4443",
    "group": "edefter.ready",
    "description": "d",
    "enabled": True,
    "state": "present",
    "direction": "out",
    "action": "allow",
    "protocol": "tcp",
    "remoteport": "4443",
    "profiles": ["domain", "private", "public"],
}


def rule(args: dict[str, object], before: str = "") -> Step:
    return Step(
        "firewall.rule:x", Area.FIREWALL, "rule", plan_firewall.MODULE, args, before, "", "firewall.step_lay",
        {"rule": str(args["name"]), "port": "TCP 4443"},
    )  # fmt: skip


PLAN = {
    "zone": (
        steps.zone("GTB Standard Time", "Turkey Standard Time"),
        ["tzutil.exe /s 'Turkey Standard Time'"],
        "(UTC+03:00) İstanbul",
    ),
    "zone_auto": (steps.automatic_zone_off(), ["sc.exe config tzautoupdate start= disabled"], "Kapalı"),
    "registry": (
        steps.registry("s", steps.PARAMETERS, "NtpServer", "time.windows.com,0x8 a.example,0x8", None, ()),
        [
            (
                r"reg.exe add HKLM\SYSTEM\CurrentControlSet\Services\W32Time\Parameters /v NtpServer /t REG_SZ"
                " /d 'time.windows.com,0x8 a.example,0x8' /f"
            )
        ],
        "Kayıt Defteri Düzenleyicisi",
    ),
    "widen": (
        steps.registry("s", steps.CONFIG, "MaxPosPhaseCorrection", 4294967295, 54000, (), "widen"),
        [rf"reg.exe add {CONFIG} /v MaxPosPhaseCorrection /t REG_DWORD /d 4294967295 /f"],
        "4294967295",
    ),
    "restore": (
        steps.registry("s", steps.CONFIG, "MaxPosPhaseCorrection", 54000, 1, (), "restore"),
        [rf"reg.exe add {CONFIG} /v MaxPosPhaseCorrection /t REG_DWORD /d 54000 /f"],
        "Saat düzeldikten sonra",
    ),
    "trigger": (steps.triggers(), ["sc.exe triggerinfo w32time start/networkon stop/networkoff"], "komut"),
    "service": (
        steps.service("manual", "auto"),
        ["sc.exe config w32time start= auto", "Start-Service -Name 'w32time'"],
        "Windows Saati > Başlangıç türü: Otomatik > ",
    ),
    "delayed": (
        steps.service("manual", "delayed"),
        ["sc.exe config w32time start= delayed-auto", "Start-Service -Name 'w32time'"],
        "Gecikmeli",
    ),
    "update": (steps.update(), ["w32tm.exe /config /update"], "komut"),
    "reread": (steps.update("time.reread", "reread"), ["w32tm.exe /config /update"], "sınırlar"),
    "restart": (steps.restart(), ["Restart-Service -Name 'w32time'"], "Yeniden Başlat"),
    "resync": (steps.resync(), ["w32tm.exe /resync /rediscover /nowait"], "Şimdi eşitle"),
    "rule": (
        rule(RULE),
        [
            (
                "New-NetFirewallRule -DisplayName 'edefter.ready firma-4443' -Group 'edefter.ready' -Description 'd'"
                " -Direction Outbound -Action Allow -Profile Any -Protocol TCP -RemotePort '4443'"
            )
        ],
        "Giden Kuralları > Yeni Kural > Bağlantı Noktası > TCP, belirli uzak bağlantı noktaları: 4443",
    ),
    "scoped": (
        rule({**RULE, "remoteip": "192.0.2.1,2001:db8::1", "program": r"C:\e d\x.exe", "service": "w32time"}),
        [
            (
                "New-NetFirewallRule -DisplayName 'edefter.ready firma-4443' -Group 'edefter.ready' -Description 'd'"
                " -Direction Outbound -Action Allow -Profile Any -Protocol TCP -RemotePort '4443'"
                r" -RemoteAddress '192.0.2.1','2001:db8::1' -Program 'C:\e d\x.exe' -Service 'w32time'"
            )
        ],
        "192.0.2.1,2001:db8::1",
    ),
    "absent": (
        rule({"name": "Block [all]*", "state": "absent"}),
        [
            (
                "Get-NetFirewallRule -DisplayName 'Block `[all`]`*' -ErrorAction SilentlyContinue"
                " | Where-Object Direction -eq 'Outbound' | Remove-NetFirewallRule"
            )
        ],
        "Sil",
    ),
}


@pytest.mark.parametrize("kind", PLAN)
def test_every_kind_of_step(kind: str) -> None:
    step, commands, dialog = PLAN[kind]
    (made,) = instructions([step])
    assert list(made.commands) == commands
    assert dialog in made.where["tr"]
    for text in (made.title, made.where):
        assert text["tr"] != text["en"]
        assert not any("?" in part for part in text.values()), "a placeholder without a value"


def test_no_kind_is_forgotten() -> None:
    assert set(steps.KINDS) <= set(PLAN)
    (unknown,) = instructions([dataclasses.replace(steps.resync(), kind="novel")])
    assert unknown.commands == ()
    assert "ansible.windows.win_command" in unknown.where["tr"]


def test_a_rule_in_another_shape_is_taken_away_first() -> None:
    (made,) = instructions([rule(RULE, before="v2.31|…")])
    assert [command.split()[0] for command in made.commands] == ["Get-NetFirewallRule", "New-NetFirewallRule"]


def test_the_firewall_plan_itself() -> None:
    wanted = FirewallWanted()
    args = plan_firewall.rule_args(WantedRule("firma", "edefter.ready firma", 6, 443), wanted)
    (made,) = instructions([rule(dict(args))])
    assert "-RemotePort '443'" in made.commands[0]


@given(st.text(max_size=40))
def test_a_literal_is_one_literal(text: str) -> None:
    if not text.isprintable():
        with pytest.raises(instruction_room._Unsafe):
            literal(text)
        return
    made = literal(text)
    assert made[0] == made[-1] == "'"
    # As PowerShell reads it: inside, each quote of the five kinds comes in pairs.
    inner, place, read = made[1:-1], 0, ""
    while place < len(inner):
        if inner[place] in "'\u2018\u2019\u201a\u201b":
            assert place + 1 < len(inner)
            assert inner[place + 1] in "'\u2018\u2019\u201a\u201b"
            place += 1
        read += inner[place]
        place += 1
    assert read == text


@pytest.mark.parametrize("name", ["a\nStop-Computer", "a\x00", "a\u2028b"])
def test_what_is_not_plain_gets_no_command(name: str) -> None:
    (made,) = instructions([rule({"name": name, "state": "absent"})])
    assert made.commands == ()
    assert made.where["tr"]


def test_a_double_quote_gets_no_command_of_a_program() -> None:
    (made,) = instructions([steps.registry("s", steps.PARAMETERS, "NtpServer", 'a" /f & calc', None, ())])
    assert made.commands == ()


def test_the_sheet_is_for_people_and_escapes() -> None:
    findings = [
        {
            "status": "fail",
            "steps": [],
            "owner": "firewall_admin",
            "title": {"tr": "4443 <b>", "en": "4443 <b>"},
            "remedy": {"tr": "Açın", "en": "Open"},
        },
        {"status": "fail", "steps": ["time.zone"], "owner": "collection", "title": {}, "remedy": {}},
        {"status": "warn", "steps": [], "owner": "local_admin", "title": {}, "remedy": {}},
    ]
    plan = instructions([PLAN["zone"][0], rule({"name": "<img src=x>", "state": "absent"})])
    sheet = Sheet("<script>", "Yıldız & Ortakları", {"tr": "Hazır değil", "en": "Not ready"}, plan, others(findings))
    for language in ("tr", "en"):
        page = render([sheet, Sheet("pc2", "", {"tr": "Hazır", "en": "Ready"}, ())], language)
        assert f'<html lang="{language}">' in page
        for bad in ("<script>", "<img", "4443 <b>"):
            assert bad not in page
        assert page.count("<section>") == 2
        assert "Yıldız &amp; Ortakları" in page
        assert "http" not in page
    assert "güvenlik duvarı yöneticisi" in render([sheet], "tr")
