# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wanted state and plan of the firewall: exactly our rules, by calls that the stock module takes, and then nothing."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
import yaml
from ansible_collections.edefter.ready.plugins.plugin_utils import catalog, messages
from ansible_collections.edefter.ready.plugins.plugin_utils.model import Area, OptionError, Step
from ansible_collections.edefter.ready.plugins.plugin_utils.plan.firewall import plan_firewall, situation
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted.firewall import (
    DESCRIPTION,
    FirewallContext,
    FirewallWanted,
    wanted_rules,
)
from ansible_collections.edefter.ready.plugins.plugin_utils.winfw.evaluate import Outcome
from ansible_collections.edefter.ready.plugins.plugin_utils.winfw.match import Query
from firewall_host import ADDRESSES, CLOSED, CONTEXT, VOID, Host, documented
from hypothesis import given, settings
from hypothesis import strategies as st
from tree import ROOT

DEFAULT = FirewallWanted.from_options({})
ALWAYS = FirewallWanted.from_options({"when": "always"})
RESOLVED = FirewallWanted.from_options({"strategy": "resolved"})
ABSENT = FirewallWanted.from_options({"state": "absent"})
LOCAL_CLOSED = {"local": CLOSED}
NAMES = {f"edefter.ready {x}" for x in ("TCP 80", "TCP 443", "TCP 4443", "UDP 123", "DNS TCP 53", "DNS UDP 53")}
DNS_ALLOWED = (
    r"v2.33|Action=Allow|Active=TRUE|Dir=Out|RPort=53|Protocol=17|App=%SystemRoot%\system32\svchost.exe|Svc=dnscache|"
)
TAIL = f"Desc={DESCRIPTION}|EmbedCtxt=edefter.ready|"
TCP443 = f"v2.33|Action=Allow|Active=TRUE|Dir=Out|Protocol=6|RPort=443|Name=edefter.ready TCP 443|{TAIL}"


def plan(host: Host, wanted: FirewallWanted = DEFAULT, context: FirewallContext = CONTEXT) -> tuple[Step, ...]:
    return plan_firewall(host.firewall(), wanted, context)


def laid(wanted: FirewallWanted = DEFAULT, **more: t.Any) -> Host:
    """A closed host with our rules on it."""
    host = Host(profiles=LOCAL_CLOSED, **more)
    host.apply(plan(host, wanted))
    assert plan(host, wanted) == ()
    return host


def edit(host: Host, name: str, *changes: tuple[str, str]) -> None:
    """Changes the string of the rule called so."""
    (key,) = (k for k, v in host.local.items() if f"|Name={name}|" in v.data)
    for old, new in changes:
        assert old in host.local[key].data
        host.local[key] = dataclasses.replace(host.local[key], data=host.local[key].data.replace(old, new, 1))


# --- options


def test_defaults() -> None:
    assert FirewallWanted() == DEFAULT
    assert FirewallWanted.from_options(None) == DEFAULT
    assert (DEFAULT.state, DEFAULT.when, DEFAULT.strategy, DEFAULT.dns) == ("present", "needed", "any", "auto")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("state", "gone"),
        ("when", "sometimes"),
        ("strategy", 1),
        ("dns", True),
        ("ntp", "yes"),
        ("ntp_service_only", 1),
        ("group", "Ofis"),
        ("group", "edefter|x"),
        ("group", "edefter" + "x" * 80),
        ("name_prefix", "all"),
        ("program", "edefter.exe"),
        ("program", 'C:\\a"b.exe'),
        ("program", "C:\\a|b.exe"),
        ("program", r"%LocalAppData%\edefter.exe"),
        ("program", 7),
        ("remove_blocking_rules", "x"),
        ("remove_blocking_rules", [""]),
        ("remove_blocking_rules", ["a|b"]),
        ("remove_blocking_rules", ["ALL"]),
        ("remove_blocking_rules", ["@FirewallAPI.dll,-1"]),
        ("typo", 1),
    ],
)
def test_options_that_cannot_be_meant(option: str, value: object) -> None:
    with pytest.raises(OptionError) as caught:
        FirewallWanted.from_options({option: value})
    assert caught.value.option == f"firewall.{option}"
    assert caught.value.remedy


def test_options_that_can() -> None:
    wanted = FirewallWanted.from_options(
        {
            "group": "eDefter Mikro",
            "name_prefix": "eDefter-Mikro",
            "program": r"%ProgramFiles(x86)%\Mikro\e-Defter\edefter.exe",
            "remove_blocking_rules": ["Güvenlik 4443"],
            "dns": None,
        }
    )
    assert wanted.name_prefix == "eDefter-Mikro "
    assert wanted.subject.program == wanted.program
    assert DEFAULT.subject.third_party


# --- the rules themselves


def test_one_rule_for_each_port() -> None:
    rules = wanted_rules(DEFAULT, CONTEXT, dns=True)
    assert {rule.name for rule in rules} == NAMES
    assert [rule.name for rule in rules] == sorted(rule.name for rule in rules)
    assert all(not rule.addresses and not rule.unresolved for rule in rules)
    dns = [rule for rule in rules if rule.port == 53]
    assert {(rule.protocol_name, rule.service) for rule in dns} == {("tcp", "Dnscache"), ("udp", "Dnscache")}


def test_one_rule_for_each_host_and_port_when_resolved() -> None:
    rules = {rule.key: rule for rule in wanted_rules(RESOLVED, CONTEXT, dns=False)}
    assert rules["firma.myedefter.com.tr-tcp-4443"].addresses == ("203.0.113.20",)
    assert rules["uyg.edefter.gov.tr-tcp-443"].addresses == ("203.0.113.10", "2001:db8:113::10")
    assert rules["time.windows.com-udp-123"].addresses == ("198.51.100.101",)
    assert rules["tr.pool.ntp.org-udp-123"].unresolved


def test_fqdn_lays_nothing_for_endpoints() -> None:
    wanted = FirewallWanted.from_options({"strategy": "fqdn"})
    assert {rule.key for rule in wanted_rules(wanted, CONTEXT, dns=False)} == {"udp-123"}


def test_least_privilege() -> None:
    wanted = FirewallWanted.from_options({"program": r"C:\e.exe", "ntp_service_only": True})
    for rule in wanted_rules(wanted, CONTEXT, dns=False):
        if rule.protocol_name == "tcp":
            assert (rule.program, rule.service) == (r"C:\e.exe", "")
        else:
            assert (rule.program, rule.service) == (r"%SystemRoot%\System32\svchost.exe", "W32Time")
    without = FirewallWanted.from_options({"ntp": False})
    assert not [rule for rule in wanted_rules(without, CONTEXT, dns=False) if rule.protocol_name == "udp"]


def test_the_context_bounds_and_sorts_addresses() -> None:
    many = (*(f"10.0.{n // 256}.{n % 256}" for n in range(300, 0, -1)), "junk", "10.0.0.1")
    context = FirewallContext(CONTEXT.endpoints, (), {"h": many})
    assert context.of("h")[:2] == ("10.0.0.1", "10.0.0.2")
    assert len(context.of("h")) == 64
    assert context.of("other") == ()


# --- when rules are laid


@pytest.mark.parametrize(
    ("host", "wanted", "why"),
    [
        (Host(), DEFAULT, "Windows lets everything out"),
        (
            Host(profiles={"local": {"private": {"EnableFirewall": 0, "DefaultOutboundAction": 1}}}),
            DEFAULT,
            "it is off",
        ),
        (Host(profiles={"local": CLOSED, "gpo": VOID}), DEFAULT, "policy makes local rules void"),
        (Host(profiles={"local": CLOSED, "gpo": VOID}), ALWAYS, "policy makes local rules void"),
        (Host(profiles={"gpo": VOID}), ALWAYS, "policy makes local rules void, and nothing is closed"),
        (Host(profiles=LOCAL_CLOSED, service="stopped"), DEFAULT, "the service does not run"),
        (
            Host(profiles=LOCAL_CLOSED, stores={"gpo": ["v2.33|Action=Allow|Active=TRUE|Dir=Out|"]}),
            DEFAULT,
            "open by policy",
        ),
        (
            Host(["v2.33|Action=Block|Active=TRUE|Dir=Out|Protocol=6|RPort=443|Name=x|"]),
            DEFAULT,
            "an allow beats no block",
        ),
        (
            Host(profiles={"local": {"public": CLOSED["public"]}, "gpo": {"public": VOID["public"]}}),
            DEFAULT,
            "void there",
        ),
        (Host(), ABSENT, "nothing of ours is there"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_nothing_is_written(host: Host, wanted: FirewallWanted, why: str) -> None:
    assert plan(host, wanted) == (), why


@pytest.mark.parametrize(
    "host",
    [
        Host(profiles=LOCAL_CLOSED),
        Host(profiles={"gpo": CLOSED}),
        Host(profiles={"mdm": {"public": CLOSED["public"]}}),
        Host(profiles={"local": {"domain": {"DefaultOutboundAction": 7}}}),
        Host(profiles={"local": CLOSED, "gpo": {"public": VOID["public"]}}),
        Host([r"v2.33|Action=Allow|Active=TRUE|Dir=Out|App=C:\x.exe|Name=x|"], profiles=LOCAL_CLOSED),
        Host(profiles=LOCAL_CLOSED, service=None),
        Host(profiles=LOCAL_CLOSED, active=None),
        Host(profiles=LOCAL_CLOSED, truncated=True),
    ],
)
def test_closed_hosts_get_our_rules_once(host: Host) -> None:
    steps = plan(host)
    assert {step.args["name"] for step in steps} == NAMES
    before = list(host.raw())
    assert all(result["changed"] for result in host.apply(steps))
    assert plan(host) == ()
    assert host.raw()[: len(before)] == before


def test_always_means_always() -> None:
    host = Host()
    steps = plan(host, ALWAYS)
    # With nothing closed, DNS needs no rule.
    assert {step.args["name"] for step in steps} == {name for name in NAMES if "DNS" not in name}
    host.apply(steps)
    assert plan(host, ALWAYS) == ()


def test_dns_only_where_nothing_else_lets_it_out() -> None:
    assert not any("DNS" in step.args["name"] for step in plan(Host([DNS_ALLOWED], profiles=LOCAL_CLOSED)))
    never = FirewallWanted.from_options({"dns": "never"})
    assert not any("DNS" in step.args["name"] for step in plan(Host(profiles=LOCAL_CLOSED), never))
    always = FirewallWanted.from_options({"dns": "always", "when": "always"})
    assert any("DNS" in step.args["name"] for step in plan(Host(), always))


def test_once_laid_the_group_is_kept_whole() -> None:
    host = laid()
    # The default goes back to allow: the rules stay, except those for DNS, which only a closed host has.
    host.profiles = {}
    steps = plan(host)
    assert {(step.args["name"], step.args["state"]) for step in steps} == {
        ("edefter.ready DNS TCP 53", "absent"),
        ("edefter.ready DNS UDP 53", "absent"),
    }
    host.apply(steps)
    edit(host, "edefter.ready TCP 443", ("Active=TRUE", "Active=FALSE"))
    assert [step.args["name"] for step in plan(host)] == ["edefter.ready TCP 443"]


def test_laid_rules_open_the_host_whatever_the_profile() -> None:
    book = laid().firewall().book()
    for port in (80, 443, 4443):
        for verdict in book.evaluate_all(Query(port, "203.0.113.10")):
            assert verdict.outcome is Outcome.ALLOWED
            assert verdict.rule is not None
            assert verdict.rule.group == "edefter.ready"
    assert book.evaluate(Query(8443, "203.0.113.10"), "public").outcome is Outcome.BLOCKED


# --- drift


@pytest.mark.parametrize(
    ("changes", "in_place"),
    [
        ([("Active=TRUE", "Active=FALSE")], True),
        ([("Active=TRUE|", "")], True),
        ([("Action=Allow", "Action=Block")], True),
        ([("RPort=443", "RPort=8443")], True),
        ([("RPort=443", "RPort=443|RPort=80")], True),
        ([("RPort=443", "Profile=Domain|RPort=443")], True),
        ([("EmbedCtxt=edefter.ready", "EmbedCtxt=Ofis")], True),
        ([(DESCRIPTION, "benim")], True),
        ([("Active=TRUE", "Active=FALSE"), ("Action=Allow", "Action=Block"), ("RPort=443", "RPort=1")], True),
        ([("Protocol=6", "Protocol=17")], False),
        ([("Protocol=6|RPort=443|", "")], False),
        ([("Dir=Out", "Dir=In")], False),
        ([("RPort=443", "RPort=443|RA4=1.1.1.1")], False),
        ([("RPort=443", "LPort=1000|RPort=443")], False),
        ([("RPort=443", "RPort=443|LA4=10.0.0.1")], False),
        ([("Name=", r"App=C:\x.exe|Name=")], False),
        ([("Name=", "Svc=x|Name=")], False),
        ([("EmbedCtxt=", "LUOwn=S-1-5-21-1|EmbedCtxt=")], False),
        ([("EmbedCtxt=", "Future=1|EmbedCtxt=")], False),
        ([("RPort=443", "RPort=443|RA4=junk")], False),
    ],
)
def test_an_edited_rule_is_repaired(changes: list[tuple[str, str]], in_place: bool) -> None:
    host = laid()
    whole = sorted(host.raw())
    edit(host, "edefter.ready TCP 443", *changes)
    steps = plan(host)
    states = [step.args["state"] for step in steps if step.args["name"] == "edefter.ready TCP 443"]
    assert states == (["present"] if in_place else ["absent", "present"])
    assert len(steps) == len(states)
    assert {step.args["name"] for step in steps} == {"edefter.ready TCP 443"}
    assert steps[-1].params["drift"]
    if "Future" not in str(changes) and "junk" not in str(changes):
        # (The double of the stock module cannot read these two; the plan needs not.)
        host.apply(steps)
        assert sorted(host.raw()) == whole
        assert plan(host) == ()


def test_duplicates_are_made_one() -> None:
    host = laid()
    whole = sorted(host.raw())
    host.local["copy"] = dataclasses.replace(next(iter(host.local.values())), name="copy")
    steps = plan(host)
    assert [step.args["state"] for step in steps] == ["absent", "present"]
    host.apply(steps)
    assert sorted(host.raw()) == whole


def test_a_lost_rule_comes_back_and_a_surplus_one_goes() -> None:
    host = laid()
    whole = sorted(host.raw())
    del host.local[next(k for k, v in host.local.items() if "TCP 80" in v.data)]
    host.local["old"] = dataclasses.replace(
        next(iter(host.local.values())), name="old", data=TCP443.replace("TCP 443", "TCP 9443")
    )
    steps = plan(host)
    assert {(step.args["name"], step.args["state"]) for step in steps} == {
        ("edefter.ready TCP 80", "present"),
        ("edefter.ready TCP 9443", "absent"),
    }
    assert steps[0].args["state"] == "absent"
    host.apply(steps)
    assert sorted(host.raw()) == whole


def test_a_foreign_rule_of_the_wanted_name_is_adopted() -> None:
    """Somebody made the rule by hand, in no group: the stock module would rewrite it anyway, as it goes by name."""
    host = Host([TCP443.replace(TAIL, "")], profiles=LOCAL_CLOSED)
    step = next(step for step in plan(host) if step.args["name"] == "edefter.ready TCP 443")
    assert step.args["group"] == "edefter.ready"
    host.apply(plan(host))
    assert plan(host) == ()
    assert len([raw for raw in host.raw() if "TCP 443" in raw]) == 1


def test_names_are_matched_as_the_module_does() -> None:
    host = Host(
        [TCP443.replace("edefter.ready TCP", "EDEFTER.READY tcp").replace("TRUE", "FALSE")], profiles=LOCAL_CLOSED
    )
    host.apply(plan(host))
    assert plan(host) == ()


def test_a_rule_of_policy_is_not_ours_to_touch() -> None:
    host = Host(profiles={"local": CLOSED}, stores={"gpo": [TCP443.replace("TRUE", "FALSE")]})
    assert "edefter.ready TCP 443" in {step.args["name"] for step in plan(host)}
    assert situation(host.firewall(), DEFAULT, CONTEXT).ours == ()


# --- resolved addresses


def test_new_addresses_are_followed() -> None:
    host = laid(RESOLVED)
    assert any("RA4=203.0.113.20|" in raw for raw in host.raw())
    moved = dataclasses.replace(CONTEXT, addresses={**ADDRESSES, "firma.myedefter.com.tr": ("203.0.113.99",)})
    steps = plan(host, RESOLVED, moved)
    assert {step.args["name"] for step in steps} == {
        "edefter.ready firma.myedefter.com.tr TCP 443",
        "edefter.ready firma.myedefter.com.tr TCP 4443",
    }
    assert all(step.args["remoteip"] == "203.0.113.99" for step in steps)
    host.apply(steps)
    assert plan(host, RESOLVED, moved) == ()


def test_rotating_answers_are_no_drift() -> None:
    both = dataclasses.replace(
        CONTEXT, addresses={**ADDRESSES, "firma.myedefter.com.tr": ("203.0.113.20", "203.0.113.21")}
    )
    host = Host(profiles=LOCAL_CLOSED)
    host.apply(plan(host, RESOLVED, both))
    assert plan(host, RESOLVED, both) == ()
    assert plan(host, RESOLVED) == ()


def test_but_not_without_end() -> None:
    many = tuple(f"203.0.113.{n}" for n in range(1, 41))
    host = Host(profiles=LOCAL_CLOSED)
    host.apply(
        plan(host, RESOLVED, dataclasses.replace(CONTEXT, addresses={**ADDRESSES, "firma.myedefter.com.tr": many}))
    )
    assert plan(host, RESOLVED)


def test_a_name_that_is_not_resolved_today_keeps_its_rule() -> None:
    host = laid(RESOLVED)
    none = dataclasses.replace(CONTEXT, addresses={})
    assert plan(host, RESOLVED, none) == ()
    assert not [step for step in plan(Host(profiles=LOCAL_CLOSED), RESOLVED, none) if "DNS" not in step.args["name"]]


@pytest.mark.parametrize(
    "edited", ["RA4=LocalSubnet", "RA4=203.0.113.0/24", "RA4=203.0.113.20|RA4=203.0.113.0-203.0.113.9"]
)
def test_a_widened_address_is_drift(edited: str) -> None:
    host = laid(RESOLVED)
    edit(host, "edefter.ready firma.myedefter.com.tr TCP 443", ("RA4=203.0.113.20", edited))
    host.apply(plan(host, RESOLVED))
    assert plan(host, RESOLVED) == ()


def test_from_one_strategy_to_another() -> None:
    host = laid()
    steps = plan(host, RESOLVED)
    assert {step.args["name"] for step in steps if step.args["state"] == "absent"} >= {"edefter.ready TCP 443"}
    host.apply(steps)
    assert plan(host, RESOLVED) == ()
    host.apply(plan(host))
    assert {raw.split("Name=")[1].split("|")[0] for raw in host.raw()} == NAMES


# --- absent


@settings(max_examples=25)
@given(st.sets(st.sampled_from(sorted(NAMES))), st.booleans())
def test_absent_leaves_no_trace(lost: set[str], closed: bool) -> None:
    foreign = ["v2.33|Action=Block|Active=TRUE|Dir=Out|Name=edefterim|EmbedCtxt=Ofis|", DNS_ALLOWED]
    host = Host(foreign, profiles=LOCAL_CLOSED if closed else {})
    host.apply(plan(host, ALWAYS))
    for key in [k for k, v in host.local.items() if any(f"Name={name}|" in v.data for name in lost)]:
        del host.local[key]
    host.apply(plan(host, ABSENT))
    assert host.raw() == foreign
    assert plan(host, ABSENT) == ()


def test_absent_works_under_a_policy_that_forbids_rules() -> None:
    host = laid()
    host.profiles = {"local": CLOSED, "gpo": VOID}
    assert plan(host) == ()
    host.apply(plan(host, ABSENT))
    assert host.raw() == []


def test_a_rule_of_ours_under_a_foreign_name_is_not_removed_by_name() -> None:
    """The stock module goes by name: it would take the foreign rule along."""
    stray = TCP443.replace("edefter.ready TCP 443", "Muhasebe")
    foreign = "v2.33|Action=Allow|Active=FALSE|Dir=In|Name=muhasebe|"
    host = Host([stray, foreign], profiles=LOCAL_CLOSED)
    assert "Muhasebe" not in {step.args["name"] for step in plan(host, ABSENT)}
    assert "Muhasebe" not in {step.args["name"] for step in plan(host)}
    assert [rule.name for rule in situation(host.firewall(), DEFAULT, CONTEXT).strays] == ["Muhasebe"]
    alone = Host([stray], profiles=LOCAL_CLOSED)
    assert [step.args for step in plan(alone, ABSENT)] == [{"name": "Muhasebe", "state": "absent"}]


# --- foreign block rules


BLOCK = "v2.33|Action=Block|Active=TRUE|Dir=Out|Protocol=6|RPort=4443|Name=Güvenlik 4443|"


def test_block_rules_go_only_when_named_and_blocking() -> None:
    host = Host([BLOCK, BLOCK.replace("4443", "25")], stores={"gpo": [BLOCK.replace("Güvenlik", "Genel")]})
    assert plan(host) == ()
    asked = FirewallWanted.from_options({"remove_blocking_rules": ["Güvenlik 4443", "Güvenlik 25", "Genel 4443"]})
    (step,) = plan(host, asked)
    assert step.args == {"name": "Güvenlik 4443", "state": "absent"}
    assert step.before == BLOCK
    assert step.reason == "firewall.step_unblock"


def test_a_block_that_may_match_is_not_removed() -> None:
    asked = FirewallWanted.from_options({"remove_blocking_rules": ["Güvenlik 4443"]})
    assert plan(Host([BLOCK + "LUOwn=S-1-5-21|"]), asked) == ()


def test_both_blocks_of_one_name_are_one_step() -> None:
    asked = FirewallWanted.from_options({"remove_blocking_rules": ["güvenlik 4443"]})
    assert len(plan(Host([BLOCK, BLOCK]), asked)) == 1


# --- the calls


@settings(max_examples=20)
@given(
    st.sampled_from([DEFAULT, ALWAYS, RESOLVED, ABSENT, FirewallWanted.from_options({"program": r"C:\e.exe"})]),
    st.sampled_from([Host(profiles=LOCAL_CLOSED), Host([TCP443], profiles=LOCAL_CLOSED), Host([BLOCK])]),
)
def test_calls_are_what_the_module_documents(wanted: FirewallWanted, host: Host) -> None:
    options = documented()
    ids = set()
    for step in plan(host, wanted):
        assert step.area is Area.FIREWALL
        assert step.kind == "rule"
        assert step.id not in ids
        ids.add(step.id)
        # The module drops options that it does not know without a word: a slip would open every port.
        assert set(step.args) <= set(options)
        for name, value in step.args.items():
            kind = options[name]["type"]
            assert isinstance(value, {"str": str, "bool": bool, "list": list}[kind]), name
            assert "\n" not in str(value)
        title = messages.render(step.reason, "title", step.params)
        assert all(text and "?" not in text for text in title.values())
        if step.args["state"] == "present":
            assert step.args["direction"] == "out"
            assert step.args["remoteport"].isdigit()
            assert step.args["protocol"] in ("tcp", "udp")
            assert step.args["profiles"] == ["domain", "private", "public"]
            assert " " not in step.args.get("remoteip", "")
        else:
            assert set(step.args) == {"name", "state"}


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(sorted(NAMES)),
            st.sampled_from(
                ["Active=FALSE", "Action=Block", "Dir=In", "Profile=Public", "Svc=x", "RPort=1", "RA4=1.1.1.1"]
            ),
        ),
        max_size=6,
    ),
    st.lists(st.sampled_from(sorted(NAMES)), max_size=2),
)
def test_any_drift_is_repaired_in_one_round(edits: list[tuple[str, str]], copies: list[str]) -> None:
    host = laid()
    whole = sorted(host.raw())
    for name, change in edits:
        key, equals, value = change.partition("=")
        raw = next(v.data for v in host.local.values() if f"Name={name}|" in v.data)
        parts = [part for part in raw.split("|") if not part.startswith(f"{key}=") or key in ("Profile", "RA4")]
        parts.insert(1, f"{key}{equals}{value}")
        (where,) = (k for k, v in host.local.items() if v.data == raw)
        host.local[where] = dataclasses.replace(host.local[where], data="|".join(parts))
    for number, name in enumerate(copies):
        original = next(v for v in host.local.values() if f"Name={name}|" in v.data)
        host.local[f"copy{number}"] = dataclasses.replace(original, name=f"copy{number}")
    host.apply(plan(host))
    assert sorted(host.raw()) == whole
    assert plan(host) == ()


def test_a_catalogue_of_ones_own_makes_its_own_rules() -> None:
    context = FirewallContext(catalog.endpoints([{"id": "banka", "host": "banka.example.com.tr", "port": 8443}]), ())
    steps = plan(Host(profiles=LOCAL_CLOSED), DEFAULT, context)
    assert "edefter.ready TCP 8443" in {step.args["name"] for step in steps}
    assert not any("123" in step.args["name"] for step in steps)


# --- the role that applies it

ROLE = ROOT / "roles" / "windows_firewall"


def test_the_role_passes_every_argument_on() -> None:
    """What the role's task does not name would be dropped without a word: a rule without its port allows every port."""
    tasks = yaml.safe_load((ROLE / "tasks" / "main.yml").read_text(encoding="utf-8"))
    passed = next(task["community.windows.win_firewall_rule"] for task in tasks if len(task) == 4 and "loop" in task)
    wanted = FirewallWanted.from_options(
        {"strategy": "resolved", "program": r"C:\e.exe", "ntp_service_only": True, "dns": "always", "when": "always"}
    )
    used = {name for step in plan(Host(profiles=LOCAL_CLOSED), wanted) for name in step.args}
    assert {"remoteip", "program", "service", "remoteport"} <= used
    assert used <= set(passed)
    for name, template in passed.items():
        always = name in ("name", "state")
        assert template == f"{{{{ item.args.{name}{'' if always else ' | default(omit)'} }}}}"


def test_every_key_is_explained() -> None:
    text = (ROLE / "README.md").read_text(encoding="utf-8")
    assert all(f"| `{field.name}` |" in text for field in dataclasses.fields(FirewallWanted))
