# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The changes that bring the outbound firewall to the wanted state, as calls of community.windows.win_firewall_rule.

Pure. What shapes the calls (community.windows 3.2, facts read in its source): the module finds rules by name alone; it
ignores options that it does not know; it writes ports before the protocol, so a rule of another protocol cannot be
changed in place; it compares ports as strings; addresses are one string with commas.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils.model import Area, Step
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.firewall import Firewall
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted.firewall import (
    DESCRIPTION,
    FirewallContext,
    FirewallWanted,
    WantedRule,
    wanted_rules,
)
from ansible_collections.edefter.ready.plugins.plugin_utils.winfw import effective, grammar, match
from ansible_collections.edefter.ready.plugins.plugin_utils.winfw.evaluate import Outcome, RuleBook
from ansible_collections.edefter.ready.plugins.plugin_utils.winfw.grammar import fold
from ansible_collections.edefter.ready.plugins.plugin_utils.winfw.match import Query
from ansible_collections.edefter.ready.plugins.plugin_utils.winfw.rule import Action, Direction, Rule

MODULE = "community.windows.win_firewall_rule"
# A rule for resolved addresses that holds more than the current ones stays while it is this small: DNS answers rotate.
MAX_KEPT_ADDRESSES = 16
# What the module can change in a rule that stands; everything else means: remove it, create it anew.
_IN_PLACE = frozenset(["active", "action", "remote_ports", "remote_addresses", "profiles", "group", "description"])


@dataclasses.dataclass(frozen=True)
class Situation:
    """What plan and judge both need to know.

    lay: our rules have to be there. needed: profiles under which something is kept in by the default action. forbidden:
    profiles where policy makes local rules void. running: MpsSvc and BFE are not known to be stopped. ours: local
    rules of our group or name. strays: rules of our group whose name somebody else's rule has too.
    """

    wanted: tuple[WantedRule, ...]
    lay: bool
    needed: tuple[str, ...]
    forbidden: tuple[str, ...]
    running: bool
    ours: tuple[Rule, ...]
    strays: tuple[Rule, ...]


def is_ours(rule: Rule, wanted: FirewallWanted) -> bool:
    """A local rule of our group, or with our prefix in its name."""
    if rule.store != "local":
        return False
    return fold(rule.group) == fold(wanted.group) or fold(rule.name).startswith(fold(wanted.name_prefix))


def situation(firewall: Firewall, wanted: FirewallWanted, context: FirewallContext) -> Situation:
    """Reads the host once for plan and judge."""
    settings = firewall.effective()
    ours = tuple(rule for rule in firewall.rules if is_ours(rule, wanted))
    others = {fold(rule.name) for rule in firewall.stores["local"].rules if not is_ours(rule, wanted)}
    strays = tuple(rule for rule in ours if fold(rule.name) in others)
    blocking = tuple(
        name
        for name, value in settings.items()
        if value.enable.value != effective.OFF and value.outbound.value != effective.ALLOW
    )
    forbidden = tuple(name for name, value in settings.items() if value.merge.value != effective.ON)
    book = firewall.book(without=lambda rule: is_ours(rule, wanted)) if blocking else None
    dns = wanted.dns == "always"
    if book is not None and wanted.dns == "auto":
        dns = any(not _open(book, dns_query(), profile) for profile in blocking)
    rules = wanted_rules(wanted, context, dns)
    needed: tuple[str, ...] = ()
    if book is not None:
        queries = [_query(rule, wanted) for rule in rules]
        needed = tuple(p for p in blocking if any(not _open(book, query, p) for query in queries))
    useful = [name for name in (needed or settings) if name not in forbidden]
    wish = wanted.when == "always" or bool(needed) or bool(ours)
    running = not any(state.state in ("stopped", "absent") for state in (firewall.mpssvc, firewall.bfe))
    lay = wanted.state == "present" and wish and bool(useful)
    return Situation(rules, lay, needed, forbidden, running, ours, strays)


def dns_query() -> Query:
    """The DNS client asking a server."""
    return Query(53, protocol=grammar.PROTOCOL_UDP, subject=match.DNS_CLIENT)


def ntp_query(port: int = 123, address: str | None = None) -> Query:
    """Windows Time asking a server: it sends from port 123."""
    return Query(
        port,
        address,
        protocol=grammar.PROTOCOL_UDP,
        subject=match.TIME_SERVICE,
        source_ports=match.NTP_SOURCE,
    )


def _query(rule: WantedRule, wanted: FirewallWanted) -> Query:
    address = rule.addresses[0] if rule.addresses else None
    if rule.port == 53 and rule.service:
        return dataclasses.replace(dns_query(), protocol=rule.protocol)
    if rule.protocol == grammar.PROTOCOL_UDP:
        return ntp_query(rule.port, address)
    return Query(rule.port, address, rule.protocol, wanted.subject)


def _open(book: RuleBook, query: Query, profile: str) -> bool:
    """False when the default action (or a rule that holds only sometimes) would keep it in."""
    verdict = book.evaluate(query, profile)
    return verdict.outcome is Outcome.ALLOWED or verdict.otherwise is Outcome.ALLOWED


def plan_firewall(
    firewall: Firewall, wanted: FirewallWanted, context: FirewallContext, found: Situation | None = None
) -> tuple[Step, ...]:
    """The steps, in the order in which they are to be taken; empty when the host is as wanted."""
    found = found or situation(firewall, wanted, context)
    if not found.running:
        # Without MpsSvc the COM interface that the stock module uses answers nothing.
        return ()
    steps = _unblock(firewall, wanted, context)
    by_name: dict[str, list[Rule]] = {}
    for rule in found.ours:
        by_name.setdefault(fold(rule.name), []).append(rule)
    strays = {fold(rule.name) for rule in found.strays}
    if wanted.state == "absent":
        for name, rules in sorted(by_name.items()):
            if name not in strays:
                steps.append(_absent(rules, "firewall.step_absent"))
        return tuple(steps)
    if not found.lay:
        return tuple(steps)
    names = {fold(rule.name) for rule in found.wanted}
    for name, rules in sorted(by_name.items()):
        if name not in names and name not in strays:
            steps.append(_absent(rules, "firewall.step_surplus"))
    for want in found.wanted:
        steps.extend(_lay(want, by_name.get(fold(want.name), []), wanted))
    return tuple(steps)


def _lay(want: WantedRule, rules: list[Rule], wanted: FirewallWanted) -> list[Step]:
    """Create, repair in place, or remove and create anew."""
    if not rules:
        return [] if want.unresolved else [_present(want, wanted, "firewall.step_lay", "")]
    if want.unresolved:
        return []
    drift = differences(rules[0], want, wanted)
    if len(rules) == 1:
        if not drift:
            return []
        if set(drift) <= _IN_PLACE:
            return [_present(want, wanted, "firewall.step_repair", _shown(rules[0]), drift)]
    else:
        drift = ("duplicate", *drift)
    return [
        _absent(rules, "firewall.step_recreate", want.key, drift),
        _present(want, wanted, "firewall.step_repair", "", drift),
    ]


def differences(rule: Rule, want: WantedRule, wanted: FirewallWanted) -> tuple[str, ...]:
    """In what a rule that stands is not the wanted one; names of fields."""
    found = []
    known = {"App", "Svc"}
    checks: tuple[tuple[str, bool], ...] = (
        ("unreadable", bool(rule.problems or rule.unknown)),
        ("direction", rule.direction is not Direction.OUT),
        ("protocol", rule.protocol != want.protocol),
        ("action", rule.action is not Action.ALLOW),
        ("active", not rule.active),
        (
            "remote_ports",
            rule.remote_ports is None
            or rule.remote_ports.ranges != ((want.port, want.port),)
            or bool(rule.remote_ports.words),
        ),
        ("local_ports", rule.local_ports is not None),
        ("local_addresses", rule.local_addresses is not None),
        ("remote_addresses", not _addresses_fit(rule, want)),
        ("profiles", rule.profiles != grammar.ALL_PROFILES),
        ("program", match.normal_path(rule.app) != match.normal_path(want.program)),
        ("service", fold(rule.service) != fold(want.service)),
        ("conditions", any(condition[0] not in known for condition in rule.conditions)),
        ("group", rule.group != wanted.group),
        ("description", rule.description != DESCRIPTION),
    )
    for name, differs in checks:
        if differs:
            found.append(name)
    if "remote_addresses" in found and (rule.remote_addresses is None or not want.addresses):
        # From some addresses to every address, or back, is no change of a value: the rule is made anew.
        found.append("scope")
    return tuple(found)


def _addresses_fit(rule: Rule, want: WantedRule) -> bool:
    remote = rule.remote_addresses
    if not want.addresses or remote is None:
        return remote is None and not want.addresses
    if remote.words4 or remote.words6:
        return False
    ranges = {*((4, *r) for r in remote.ranges4), *((6, *r) for r in remote.ranges6)}
    if any(low != high for version, low, high in ranges):
        return False
    wished = {(where.version, where.number, where.number) for a in want.addresses if (where := match.target(a))}
    return ranges == wished or (wished <= ranges and len(ranges) <= MAX_KEPT_ADDRESSES)


def _unblock(firewall: Firewall, wanted: FirewallWanted, context: FirewallContext) -> list[Step]:
    """Removal of the foreign local block rules that the user named, and only of those that do block an endpoint."""
    if not wanted.remove_blocking_rules:
        return []
    opted = {fold(name) for name in wanted.remove_blocking_rules}
    steps = {}
    for rule in blocking_rules(firewall, wanted, context):
        name = fold(rule.name)
        if rule.store == "local" and name in opted and name not in steps:
            steps[name] = Step(
                id=f"firewall.unblock:{rule.id}"[:200],
                area=Area.FIREWALL,
                kind="rule",
                module=MODULE,
                args={"name": rule.name, "state": "absent"},
                before=_shown(rule),
                after="",
                reason="firewall.step_unblock",
                params={"rule": rule.name},
            )
    return list(steps.values())


def blocking_rules(firewall: Firewall, wanted: FirewallWanted, context: FirewallContext) -> tuple[Rule, ...]:
    """Every rule that surely blocks an endpoint under a profile that counts now."""
    book = firewall.book()
    found: dict[tuple[str, str], Rule] = {}
    for endpoint in context.endpoints:
        for address in context.of(endpoint.host) or (None,):
            query = Query(endpoint.port, address, grammar.PROTOCOL_TCP, wanted.subject)
            for profile in firewall.judged:
                for rule in book.blocks(query, profile):
                    found.setdefault((rule.store, rule.id), rule)
    return tuple(found.values())


def rule_args(want: WantedRule, wanted: FirewallWanted) -> dict[str, t.Any]:
    """The module's arguments for one rule, complete: whatever the rule's state, they make it the wanted one."""
    args: dict[str, t.Any] = {
        "name": want.name,
        "group": wanted.group,
        "description": DESCRIPTION,
        "enabled": True,
        "state": "present",
        "direction": "out",
        "action": "allow",
        "protocol": want.protocol_name,
        "remoteport": str(want.port),
        # All three by name: the module turns them into Windows' "all profiles", and repairs a rule that lost one.
        "profiles": ["domain", "private", "public"],
    }
    if want.addresses:
        args["remoteip"] = ",".join(want.addresses)
    if want.program:
        args["program"] = want.program
    if want.service:
        args["service"] = want.service
    return args


def _present(want: WantedRule, wanted: FirewallWanted, reason: str, before: str, drift: tuple[str, ...] = ()) -> Step:
    args = rule_args(want, wanted)
    where = f"{want.protocol_name.upper()} {want.port}"
    return Step(
        id=f"firewall.rule:{want.key}",
        area=Area.FIREWALL,
        kind="rule",
        module=MODULE,
        args=args,
        before=before,
        after=f"allow out {where} to {', '.join(want.addresses) or 'any address'}"
        + (f", only {want.program}" if want.program else ""),
        reason=reason,
        params={"rule": want.name, "port": where, "drift": ", ".join(drift)},
    )


def _absent(rules: list[Rule], reason: str, key: str = "", drift: tuple[str, ...] = ()) -> Step:
    name = rules[0].name
    return Step(
        id=f"firewall.recreate:{key}" if key else f"firewall.absent:{fold(name)}"[:200],
        area=Area.FIREWALL,
        kind="rule",
        module=MODULE,
        args={"name": name, "state": "absent"},
        before="; ".join(_shown(rule) for rule in rules),
        after="",
        reason=reason,
        params={"rule": name, "drift": ", ".join(drift)},
    )


def _shown(rule: Rule) -> str:
    return rule.text()[:500]
