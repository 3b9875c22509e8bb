# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings about the firewall: verdict, cause, owner, who is named, and the words for people."""

from __future__ import annotations

import json
import pathlib
import re
import typing as t

import pytest
from ansible_collections.edefter.ready.plugins.plugin_utils import catalog, messages
from ansible_collections.edefter.ready.plugins.plugin_utils.judge import firewall as room
from ansible_collections.edefter.ready.plugins.plugin_utils.judge.firewall import judge_firewall
from ansible_collections.edefter.ready.plugins.plugin_utils.judge.firewall_local import local_verdicts
from ansible_collections.edefter.ready.plugins.plugin_utils.model import Finding, Owner, Status
from ansible_collections.edefter.ready.plugins.plugin_utils.plan.firewall import plan_firewall
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted.firewall import FirewallContext, FirewallWanted
from ansible_collections.edefter.ready.plugins.plugin_utils.winfw import match
from firewall_host import ADDRESSES, CLOSED, CONTEXT, VOID, Host
from windows_double import fwrules

OUT = "v2.33|Action=Block|Active=TRUE|Dir=Out|Protocol=6|RPort=4443|Name=Engel|"
ALLOW = OUT.replace("Block", "Allow").replace("Engel", "Izin")
BY_POLICY = {"gpo": CLOSED}
MESSAGES = pathlib.Path(room.__file__).parents[1] / "data" / "messages" / "firewall.json"


def judge(host: Host, **options: t.Any) -> dict[str, Finding]:
    found = judge_firewall(host.firewall(), FirewallWanted.from_options(options), CONTEXT)
    by_id = {finding.id: finding for finding in found}
    assert len(by_id) == len(found)
    return by_id


def at(host: Host, endpoint: str = "firma-4443", **options: t.Any) -> tuple[str, str, str]:
    """(status, cause, owner) of one endpoint's verdict."""
    finding = judge(host, **options)[f"firewall.outbound:{endpoint}"]
    return str(finding.status), finding.cause.removeprefix("firewall."), str(finding.owner)


CASES = [
    ("pass", "allowed_default", "nobody", Host()),
    ("pass", "allowed_rule", "nobody", Host([ALLOW], {"local": CLOSED})),
    ("pass", "allowed_off", "nobody", Host([OUT], {"local": {"private": {"EnableFirewall": 0}}})),
    ("pass", "allowed_except", "nobody", Host([OUT + r"App=C:\x\chrome.exe|"])),
    ("warn", "blocked_program", "local_admin", Host([OUT + r"App=C:\Mikro\e-Defter\edefter.exe|"])),
    ("warn", "blocked_program", "domain_admin", Host(stores={"gpo": [OUT + r"App=C:\MIKRO\x.exe|"]})),
    ("warn", "blocked_if", "local_admin", Host([OUT + "LUOwn=S-1-5-21-1|"])),
    ("warn", "blocked_if", "domain_admin", Host(stores={"mdm": [OUT + "IFType=Wireless|"]})),
    ("fail", "blocked_by_rule", "local_admin", Host([OUT])),
    ("fail", "blocked_by_rule", "local_admin", Host([OUT], {"local": {"private": {"DisabledInterfaces": "{1}"}}})),
    ("fail", "blocked_by_policy_rule", "domain_admin", Host(stores={"gpo": [OUT]})),
    ("fail", "blocked_by_policy_rule", "domain_admin", Host(stores={"mdm": [OUT]})),
    ("fail", "default_block", "collection", Host(profiles={"local": CLOSED})),
    ("fail", "default_block", "collection", Host(profiles=BY_POLICY)),
    ("fail", "default_block_policy", "domain_admin", Host(profiles={"local": CLOSED, "gpo": VOID})),
    ("fail", "allowed_only_if", "collection", Host([ALLOW + r"App=C:\x.exe|"], {"local": CLOSED})),
    ("fail", "allowed_only_if", "collection", Host([ALLOW + "LUOwn=S-1|"], {"local": CLOSED})),
    ("warn", "dynamic_keyword", "nobody", Host([ALLOW + "RADynKey={1}|"], {"local": CLOSED})),
    ("unknown", "unknown_service", "local_admin", Host(service="stopped")),
    ("unknown", "unknown_settings", "local_admin", Host(profiles={"local": {"private": {"DefaultOutboundAction": 9}}})),
    ("unknown", "unknown_settings", "local_admin", Host(truncated=True)),
    # The active profile alone counts; not known, all three do.
    ("pass", "allowed_default", "nobody", Host(profiles={"local": {"public": CLOSED["public"]}}, active=2)),
    ("fail", "default_block", "collection", Host(profiles={"local": {"public": CLOSED["public"]}}, active=4)),
    ("fail", "default_block", "collection", Host(profiles={"local": {"public": CLOSED["public"]}}, active=None)),
    ("fail", "default_block", "collection", Host(profiles={"local": {"public": CLOSED["public"]}}, active=6)),
]


@pytest.mark.parametrize(("status", "cause", "owner", "host"), CASES, ids=[f"{n} {c[1]}" for n, c in enumerate(CASES)])
def test_one_endpoint(status: str, cause: str, owner: str, host: Host) -> None:
    assert at(host) == (status, cause, owner)
    finding = judge(host)["firewall.outbound:firma-4443"]
    assert finding.blocks_filing == (status in ("fail", "unknown"))
    for part in ("title", "remedy"):
        text = messages.render(finding.cause, part, finding.params)
        assert set(text) == {"tr", "en"}
        assert "?" not in text["tr"] + text["en"], text
        assert text["tr"] or status == "pass"
    assert bool(finding.steps) == (owner == "collection")


def test_the_blocking_rule_is_named_with_where_it_is_from() -> None:
    finding = judge(Host([OUT]))["firewall.outbound:firma-4443"]
    title = messages.render(finding.cause, "title", finding.params)
    assert "Engel" in title["tr"]
    assert "Özel" in title["tr"]
    assert "Private" in title["en"]
    assert {(e.key, e.value) for e in finding.evidence} >= {("rule", "Engel"), ("store", "local"), ("rule_text", OUT)}
    policy = judge(Host(stores={"gpo": [OUT]}))["firewall.outbound:firma-4443"]
    assert "Grup İlkesi" in messages.render(policy.cause, "title", policy.params)["tr"]


def test_other_endpoints_are_not_disturbed() -> None:
    found = judge(Host([OUT]))
    assert found["firewall.outbound:firma"].status is Status.PASS
    assert found["firewall.outbound:uyg"].status is Status.PASS


def test_what_is_not_required_only_warns() -> None:
    assert at(Host(profiles={"local": CLOSED}), "portal-https") == ("warn", "default_block", "collection")
    assert not judge(Host(profiles={"local": CLOSED}))["firewall.outbound:portal-https"].blocks_filing


def test_a_named_program_is_judged_exactly() -> None:
    program = r"C:\Mikro\edefter.exe"
    allowed = Host([ALLOW + f"App={program}|"], {"local": CLOSED})
    assert at(allowed, program=program) == ("pass", "allowed_rule", "nobody")
    assert at(Host([OUT + f"App={program}|"]), program=program) == ("fail", "blocked_by_rule", "local_admin")
    assert at(Host([OUT + r"App=C:\x.exe|"]), program=program) == ("pass", "allowed_default", "nobody")


def test_an_asked_removal_makes_it_ours() -> None:
    host, asked = Host([OUT]), {"remove_blocking_rules": ["engel"]}
    assert at(host, **asked) == ("fail", "blocked_by_rule", "collection")
    assert judge(host, **asked)["firewall.outbound:firma-4443"].steps == ("firewall.unblock:r0",)
    assert at(Host([OUT]), remove_blocking_rules=["baska"]) == ("fail", "blocked_by_rule", "local_admin")


def test_blocked_for_one_of_two_addresses_is_conditional() -> None:
    (verdict,) = local_verdicts(
        Host([OUT + "RA4=203.0.113.21|"]).firewall(),
        [e for e in CONTEXT.endpoints if e.id == "firma-4443"],
        {"firma.myedefter.com.tr": ("203.0.113.20", "203.0.113.21")},
    )
    assert (verdict.verdict, verdict.rule, verdict.store, verdict.otherwise) == (
        "conditional",
        "Engel",
        "local",
        "allowed",
    )


def test_local_verdicts_for_the_diagnosis() -> None:
    firewall = Host([OUT, ALLOW.replace("4443", "443") + r"App=C:\x.exe|"], {"local": CLOSED}).firewall()
    found = {v.endpoint_id: v for v in local_verdicts(firewall, CONTEXT.endpoints, ADDRESSES)}
    assert set(found) == {e.id for e in CONTEXT.endpoints}
    blocked = found["firma-4443"]
    assert (blocked.verdict, blocked.reason, blocked.rule, blocked.store, blocked.profile) == (
        "blocked",
        "block_rule",
        "Engel",
        "local",
        "private",
    )
    assert (found["portal"].verdict, found["portal"].reason, found["portal"].rule) == ("blocked", "default_block", "")
    uyg = found["uyg"]
    # Another program's permission is none for the prober; a program that nobody named might be the one.
    assert (uyg.verdict, uyg.reason, uyg.conditions) == ("blocked", "default_block", ())
    desktop = {v.endpoint_id: v for v in local_verdicts(firewall, CONTEXT.endpoints, ADDRESSES, match.DESKTOP)}["uyg"]
    assert (desktop.verdict, desktop.otherwise, desktop.conditions) == ("conditional", "blocked", (r"App=C:\x.exe",))
    stopped = local_verdicts(Host(service="absent").firewall(), CONTEXT.endpoints)
    assert {(v.verdict, v.reason) for v in stopped} == {("unknown", "service_stopped")}
    off = local_verdicts(Host(profiles={"gpo": {"private": {"EnableFirewall": 0}}}).firewall(), CONTEXT.endpoints)
    assert {(v.verdict, v.reason, v.store) for v in off} == {("allowed", "off", "gpo")}


def test_a_probe_that_is_blocked_where_edefter_is_not() -> None:
    """A hardening tool's rule on PowerShell keeps our probe in, and nobody else."""
    rule = OUT + r"App=%SystemRoot%\System32\WindowsPowerShell\v1.0\powershell.exe|"
    host = Host([rule])
    assert at(host) == ("pass", "allowed_default", "nobody")
    (probe,) = local_verdicts(host.firewall(), [e for e in CONTEXT.endpoints if e.id == "firma-4443"])
    assert probe.verdict == "conditional"
    assert "powershell.exe" in probe.conditions[0]


def test_time_and_names() -> None:
    closed = judge(Host(profiles={"local": CLOSED}))
    for subject in ("ntp", "dns"):
        finding = closed[f"firewall.outbound:{subject}"]
        assert (finding.status, finding.cause, finding.owner) == (
            Status.FAIL,
            "firewall.default_block",
            Owner.COLLECTION,
        )
        assert not finding.blocks_filing
    assert closed["firewall.outbound:ntp"].steps == ("firewall.rule:udp-123",)
    assert "firewall.outbound:dns" not in judge(Host())
    assert "firewall.outbound:ntp" not in judge(Host(), ntp=False)
    harden = r"v2.0|Action=Block|Dir=Out|App=%windir%\System32\svchost.exe|Svc=W32Time|"
    hardened = judge(Host(stores={"static": [harden]}))["firewall.outbound:ntp"]
    assert (hardened.status, hardened.cause) == (Status.FAIL, "firewall.blocked_by_rule")
    assert judge(Host(profiles={"local": CLOSED}), dns="never")["firewall.outbound:dns"].status is Status.WARN


def rules(host: Host, **options: t.Any) -> tuple[str, str, str]:
    finding = judge(host, **options)["firewall.rules"]
    for part in ("title", "remedy"):
        assert "?" not in str(messages.render(finding.cause, part, finding.params))
    return str(finding.status), finding.cause.removeprefix("firewall."), str(finding.owner)


def laid(**options: t.Any) -> Host:
    host = Host(profiles={"local": CLOSED})
    host.apply(plan_firewall(host.firewall(), FirewallWanted.from_options(options), CONTEXT))
    return host


def test_our_group_as_a_whole() -> None:
    assert rules(Host()) == ("pass", "rules_not_needed", "nobody")
    assert rules(Host(), when="always") == ("warn", "rules_missing", "collection")
    assert rules(Host(profiles={"local": CLOSED})) == ("warn", "rules_missing", "collection")
    assert rules(laid()) == ("pass", "rules_complete", "nobody")
    assert rules(laid(), state="absent") == ("warn", "rules_left", "collection")
    assert rules(Host(), state="absent") == ("pass", "rules_gone", "nobody")
    drifted = laid()
    key = next(k for k, v in drifted.local.items() if "TCP 443" in v.data)
    drifted.set(fwrules.RULES, key, "string", drifted.local[key].data.replace("TRUE", "FALSE"))
    assert rules(drifted) == ("warn", "rules_drifted", "collection")
    assert rules(Host(profiles={"local": CLOSED, "gpo": VOID})) == ("fail", "rules_forbidden", "domain_admin")
    assert rules(Host(profiles={"gpo": VOID}), when="always") == ("warn", "rules_forbidden", "domain_admin")
    assert rules(Host(profiles={"gpo": VOID})) == ("pass", "rules_not_needed", "nobody")
    assert rules(Host(profiles={"local": CLOSED}, service="stopped")) == ("unknown", "unknown_service", "local_admin")
    stopped = laid()
    stopped.service = "stopped"
    assert rules(stopped, state="absent") == ("warn", "rules_left", "local_admin")


def test_a_repaired_host_has_nothing_left_to_say() -> None:
    found = judge(laid())
    assert {finding.status for finding in found.values()} == {Status.PASS}
    assert not any(finding.steps for finding in found.values())


def test_a_stopped_service_is_said_and_nothing_is_claimed() -> None:
    found = judge(Host(service="stopped"))
    assert found["firewall.service"].status is Status.WARN
    assert {f.status for name, f in found.items() if name.startswith("firewall.outbound")} == {Status.UNKNOWN}
    assert "firewall.service" not in judge(Host(service=None))


def test_strays_are_reported() -> None:
    stray = ALLOW + "EmbedCtxt=edefter.ready|"
    found = judge(Host([stray, "v2.33|Action=Allow|Active=FALSE|Dir=In|Name=izin|"]), state="absent")
    finding = found["firewall.stray:r0"]
    assert finding.owner is Owner.LOCAL_ADMIN
    assert "Izin" in messages.render(finding.cause, "remedy", finding.params)["tr"]


def test_names_by_dynamic_keyword_are_advice() -> None:
    found = judge(Host(profiles={"local": CLOSED}), strategy="fqdn")
    advice = found["firewall.fqdn"]
    text = messages.render(advice.cause, "remedy", advice.params)
    assert "-Keyword '*.myedefter.com.tr'" in text["tr"]
    assert "-RemotePort 443,4443" in text["en"]
    assert "edefter.ready" not in re.findall(r"-DisplayName '([^']*)'", text["en"])[0]
    assert at(Host([ALLOW + "RADynKey={1}|"], {"local": CLOSED}), strategy="fqdn")[:2] == ("pass", "dynamic_keyword")
    assert at(Host(profiles={"local": CLOSED}), strategy="fqdn") == ("fail", "default_block", "local_admin")
    assert at(Host(profiles=BY_POLICY), strategy="fqdn") == ("fail", "default_block", "domain_admin")
    quoted = room.fqdn_commands(CONTEXT, FirewallWanted(program="C:\\it's.exe"))
    assert any("-Program 'C:\\it''s.exe'" in line for line in quoted)
    assert "firewall.fqdn" not in judge(Host(), strategy="fqdn", state="absent")


def test_hostile_names_are_bounded() -> None:
    host = Host([OUT.replace("Engel", "x" * 5000 + "\x07")])
    finding = judge(host)["firewall.outbound:firma-4443"]
    assert all(len(value) <= 700 for value in finding.params.values())
    assert all(len(item.value) <= 500 for item in finding.evidence)
    assert "\x07" not in finding.params["rule"]


def test_the_plan_may_be_handed_in() -> None:
    host, wanted = Host(profiles={"local": CLOSED}), FirewallWanted()
    steps = plan_firewall(host.firewall(), wanted, CONTEXT)
    assert judge_firewall(host.firewall(), wanted, CONTEXT, steps) == judge_firewall(host.firewall(), wanted, CONTEXT)


def test_without_time_sources_there_is_nothing_to_say_about_time() -> None:
    context = FirewallContext(catalog.endpoints())
    found = judge_firewall(Host().firewall(), FirewallWanted(), context)
    assert "firewall.outbound:ntp" not in {finding.id for finding in found}


def test_every_message_is_used_and_complete() -> None:
    used = "".join(
        (MESSAGES.parents[2] / name).read_text(encoding="utf-8") for name in ("judge/firewall.py", "plan/firewall.py")
    )
    for cause, message in json.loads(MESSAGES.read_text(encoding="utf-8")).items():
        assert f'"{cause}"' in used, f"{cause} is used nowhere"
        for part in ("title", "remedy"):
            both = message[part]
            assert set(both) == {"tr", "en"}
            turkish, english = (
                {name.removesuffix("_tr").removesuffix("_en") for name in messages.placeholders(both[language])}
                for language in ("tr", "en")
            )
            assert turkish == english, cause
            assert bool(both["tr"]) == bool(both["en"])
    assert set(re.findall(r'"(firewall\.[a-z_]+)"', used)) - set(messages.catalogue()) <= {
        "firewall.service",
        "firewall.outbound",
        "firewall.rules",
        "firewall.stray",
        "firewall.fqdn",
    }
