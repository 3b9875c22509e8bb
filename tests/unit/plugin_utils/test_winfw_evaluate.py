# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The evaluator: truth table, and what must hold for any rules."""

from __future__ import annotations

import random

import pytest
from ansible_collections.edefter.ready.plugins.plugin_utils.winfw import match
from ansible_collections.edefter.ready.plugins.plugin_utils.winfw.effective import (
    PROFILES,
    Effective,
    ProfileSettings,
    Setting,
    effective,
)
from ansible_collections.edefter.ready.plugins.plugin_utils.winfw.evaluate import Outcome, RuleBook, Verdict
from ansible_collections.edefter.ready.plugins.plugin_utils.winfw.match import Match, Query, Subject
from ansible_collections.edefter.ready.plugins.plugin_utils.winfw.rule import Action, Rule, parse_rule
from firewall_cases import EDEFTER, LAN, PUBLIC, PUBLIC6, TABLE, Case
from hypothesis import given
from hypothesis import strategies as st

WHO = {
    "desktop": match.DESKTOP,
    "anybody": match.ANYBODY,
    "edefter": Subject(EDEFTER, "", ""),
    "third": match.EDEFTER,
    "probe": match.PROBE,
    "time": match.TIME_SERVICE,
    "package": Subject("C:\\x.exe", "", "App_1"),
}
FIELDS = {
    "out": "outbound",
    "enable": "enable",
    "merge": "merge",
    "inbound": "inbound",
    "no_exceptions": "no_exceptions",
}


def rule(text: str, number: int = 0) -> Rule:
    """A rule of the table's short notation."""
    store, colon, rest = text.partition(":")
    if not colon or store not in ("gpo", "mdm", "local", "appiso", "static", "configurable"):
        store, rest = "local", text
    if rest.startswith("!"):
        return parse_rule(rest[1:], store, f"r{number}")
    action, _, tail = rest.partition("|")
    keys = tail.lower()
    active = "" if "active" in keys else "Active=TRUE|"
    direction = "" if "dir=" in keys else "Dir=Out|"
    tail = tail.replace("-Active", "").strip("|").replace("||", "|")
    raw = f"v2.33|Action={action}|{active}{direction}{tail}{'|' if tail else ''}"
    return parse_rule(raw, store, f"r{number}")


def settings(text: str, profile: str) -> dict[str, Effective]:
    """Settings of the table's notation, in force."""
    given_values: dict[tuple[str, str], dict[str, object]] = {}
    for word in text.split():
        left, _, value = word.partition("=")
        where, dot, name = left.rpartition(".")
        store, _, which = (where if dot else "local").partition("/")
        target = given_values.setdefault((store, which or profile), {})
        if name == "interfaces":
            target["disabled_interfaces"] = value
        else:
            target[FIELDS[name]] = int(value)
    stores: dict[str, dict[str, ProfileSettings | None]] = {"local": {}, "gpo": {}, "mdm": {}}
    for (store, which), values in given_values.items():
        stores[store][which] = ProfileSettings(**values)  # type: ignore[arg-type]
    return {name: effective(stores, name) for name in PROFILES}


def verdict(case: Case, order: list[int] | None = None) -> Verdict:
    rules = [rule(text, number) for number, text in enumerate(case.rules)]
    if order:
        rules = [rules[i] for i in order]
    book = RuleBook(rules, settings(case.settings, case.profile), case.complete)
    who = WHO[case.who]
    query = Query(
        case.port,
        case.to or None,
        17 if case.udp else 6,
        who,
        match.NTP_SOURCE if case.who == "time" else match.EPHEMERAL,
    )
    return book.evaluate(query, case.profile)


def shown(found: Verdict) -> str:
    """A verdict in the notation of the table."""
    words = [str(found.outcome), found.reason]
    if found.rule is not None:
        words.append(found.rule.id)
    words += [f"?{condition.key.split()[0]}" for condition in found.conditions]
    if found.otherwise:
        words.append(f">{found.otherwise}")
    return " ".join(words)


def test_table_is_long_and_gives_reasons() -> None:
    assert len(TABLE) >= 150
    assert all(case.why for case in TABLE)
    assert {shown(verdict(case)).split()[0] for case in TABLE} == {str(outcome) for outcome in Outcome}


@pytest.mark.parametrize("case", TABLE, ids=[f"{i:03d} {case.why}" for i, case in enumerate(TABLE)])
def test_truth_table(case: Case) -> None:
    found = verdict(case)
    outcome = shown(found)
    if found.outcome is Outcome.UNKNOWN:
        # What the verdict would have been does not matter.
        outcome = " ".join(outcome.split()[:2])
    assert outcome == case.expect


@pytest.mark.parametrize("case", [c for c in TABLE if len(c.rules) > 1], ids=lambda c: c.why)
def test_order_of_rules_never_matters_in_the_table(case: Case) -> None:
    count = len(case.rules)
    assert verdict(case, list(range(count))[::-1]) == verdict(case)


# Rules that often match one another's connections, so that precedence is exercised.
_actions = st.sampled_from(["Allow", "Block", "Block", "Allow", "ByPass"])
_parts = st.lists(
    st.sampled_from(
        [
            "Protocol=6|RPort=443",
            "Protocol=6|RPort2_10=400-500",
            "Protocol=17|RPort=123",
            "Protocol=6",
            "Profile=Private",
            "Profile=Public",
            f"RA4={PUBLIC}",
            "RA4=LocalSubnet",
            "RA6=::/0",
            "RA42=IntErnet",
            f"App={EDEFTER}",
            "App=C:\\x.exe",
            "Svc=W32Time",
            "PFN=App_1",
            "LUOwn=S-1-5-21",
            "Active=FALSE",
            "RADynKey={1}",
            "Later=1",
            "LPort2_10=1024-60000|Protocol=6",
        ]
    ),
    max_size=3,
    unique=True,
).map("|".join)
_stores = st.sampled_from(["local", "local", "gpo", "mdm"])
_rules = st.lists(st.builds(lambda s, a, p: f"{s}:{a}|{p}", _stores, _actions, _parts), max_size=6)
_settings = st.sampled_from(
    [
        "",
        "out=1",
        "gpo.out=1",
        "enable=0",
        "out=1 gpo.merge=0",
        "gpo.merge=0",
        "gpo.out=1 mdm.out=0",
        "out=1 mdm.merge=0",
    ]
)
_query = st.builds(
    Query,
    port=st.sampled_from([443, 123]),
    address=st.sampled_from([PUBLIC, PUBLIC6, LAN, None]),
    protocol=st.sampled_from([6, 17]),
    subject=st.sampled_from(list(WHO.values())),
)


def book(texts: list[str], text: str, extra: list[str] = ()) -> RuleBook:  # type: ignore[assignment]
    rules = [rule(t, i) for i, t in enumerate([*texts, *extra])]
    return RuleBook(rules, settings(text, "private"))


@given(_rules, _settings, _query, st.randoms())
def test_order_never_matters(texts: list[str], text: str, query: Query, shuffle: random.Random) -> None:
    rules = [rule(t, i) for i, t in enumerate(texts)]
    before = RuleBook(rules, settings(text, "private")).evaluate_all(query)
    shuffle.shuffle(rules)
    assert RuleBook(rules, settings(text, "private")).evaluate_all(query) == before


@given(_rules, _settings, _query, _parts, _stores)
def test_an_allow_never_closes(texts: list[str], text: str, query: Query, parts: str, store: str) -> None:
    before = book(texts, text).evaluate_all(query)
    after = book(texts, text, [f"{store}:Allow|{parts}"]).evaluate_all(query)
    for old, new in zip(before, after, strict=True):
        if old.outcome is Outcome.ALLOWED:
            assert new.outcome is Outcome.ALLOWED
        if new.outcome is Outcome.BLOCKED:
            assert old.outcome is Outcome.BLOCKED


@given(_rules, _settings, _query, _stores)
def test_a_matching_block_never_leaves_open(texts: list[str], text: str, query: Query, store: str) -> None:
    texts = [t for t in texts if ":ByPass" not in t]
    at = book(texts, text, [f"{store}:Block|"])
    for profile in PROFILES:
        force = at.effective[profile]
        if force.enable.value == 0 or (store == "local" and force.merge.value != 1):
            continue
        assert at.evaluate(query, profile).outcome is Outcome.BLOCKED


@given(_rules, _settings, _query, _actions, _parts, _stores)
def test_a_disabled_rule_changes_nothing(
    texts: list[str], text: str, query: Query, action: str, parts: str, store: str
) -> None:
    parts = parts.replace("Active=FALSE", "").strip("|")
    extra = f"{store}:{action}|Active=FALSE|{parts}"
    assert book(texts, text, [extra]).evaluate_all(query) == book(texts, text).evaluate_all(query)


@given(_rules, _settings, _query)
def test_an_inbound_copy_changes_nothing(texts: list[str], text: str, query: Query) -> None:
    inbound = [f"{t}|Dir=In" for t in texts]
    assert book(texts, text, inbound).evaluate_all(query) == book(texts, text).evaluate_all(query)


@given(_rules, _settings, _query)
def test_without_the_merge_local_rules_do_not_exist(texts: list[str], text: str, query: Query) -> None:
    local = book(texts, f"{text} gpo.merge=0".replace("mdm.merge=0", "")).evaluate(query, "private")
    none = book([t for t in texts if not t.startswith("local:")], text.replace("mdm.merge=0", ""))
    bare = none.evaluate(query, "private")
    assert (local.outcome, local.reason) == (bare.outcome, bare.reason)


@given(_rules, _settings, _query)
def test_an_answer_does_not_depend_on_what_was_asked_before(texts: list[str], text: str, query: Query) -> None:
    asked = book(texts, text)
    for port in (80, 443):
        asked.evaluate_all(Query(port, PUBLIC6))
    assert asked.evaluate_all(query) == book(texts, text).evaluate_all(query)


@given(_rules, _settings, _query)
def test_blocks_are_what_blocks(texts: list[str], text: str, query: Query) -> None:
    at = book(texts, text)
    for profile in PROFILES:
        found = at.evaluate(query, profile)
        blocks = at.blocks(query, profile)
        assert all(r.action is Action.BLOCK for r in blocks)
        if found.reason == "block_rule":
            assert found.rule == blocks[0]


def test_blocks_is_empty_with_the_firewall_off() -> None:
    assert book(["Block|"], "enable=0").blocks(Query(443, PUBLIC), "private") == ()


def test_an_address_that_is_none_may_be_any() -> None:
    assert match.target("not-an-address") is None
    found = book([f"Block|RA4={PUBLIC}"], "").evaluate(Query(443, "not-an-address"), "private")
    assert found.outcome is Outcome.CONDITIONAL


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (r"C:\Program Files\Mikro\a.exe", r"%ProgramFiles%\mikro\A.EXE"),
        (r"D:\Program Files (x86)\a.exe", r"%PROGRAMFILES(X86)%\a.exe"),
        (r"C:\Windows\System32\svchost.exe", r"%windir%\system32\svchost.exe"),
        (r"C:\ProgramData\x.exe", r"%ALLUSERSPROFILE%\x.exe"),
        ("C:/tools/x.exe", r"c:\\tools\\x.exe"),
        (r'"C:\tools\x.exe"', r"C:\tools\x.exe"),
        (r"C:\ÇALIŞMA ÖĞLE\Ü.exe", r"C:\çalIşma öğle\ü.exe"),
    ],
)
def test_paths_that_are_the_same(one: str, other: str) -> None:
    assert match.normal_path(one) == match.normal_path(other)


def test_paths_that_are_not() -> None:
    assert match.normal_path("C:\\ışık.exe") != match.normal_path("C:\\IŞIK.exe")
    assert match.normal_path(r"C:\Windows.old\x.exe") != match.normal_path(r"%windir%\x.exe")


def test_no_program_at_all_matches_no_program() -> None:
    found = book(["Block|App=C:\\x.exe"], "").evaluate(Query(443, PUBLIC, subject=Subject("", "", "")), "private")
    assert found.outcome is Outcome.ALLOWED


def test_a_setting_knows_whether_policy_made_it() -> None:
    assert Setting(1, "gpo").by_policy
    assert Setting(1, "mdm").by_policy
    assert not Setting(1, "local").by_policy
    assert max(Match.NO, Match.MAYBE) is Match.MAYBE
