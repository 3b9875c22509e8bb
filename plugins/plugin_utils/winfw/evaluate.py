# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Would Windows Firewall let this outbound connection out, and which rule says so?

Pure. Precedence (MS-FASP 2.2.34): bypass, then block, then allow, then the profile's default action. Administrators
cannot order rules, a specific rule never beats a block, and Group Policy does not outrank a local block.
"""

from __future__ import annotations

import dataclasses
import enum
import itertools
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils.winfw import match as matching
from ansible_collections.edefter.ready.plugins.plugin_utils.winfw.effective import (
    ALLOW,
    BLOCK,
    OFF,
    PROFILES,
    Effective,
)
from ansible_collections.edefter.ready.plugins.plugin_utils.winfw.grammar import PROFILE_BITS
from ansible_collections.edefter.ready.plugins.plugin_utils.winfw.match import Condition, Match, Query
from ansible_collections.edefter.ready.plugins.plugin_utils.winfw.rule import Action, Addresses, Direction, Rule

HARDENING = ("static", "configurable")
"""Stores of service hardening: they bind only the service that a rule names, and there an allow beats a block."""
MAX_CONDITIONS = 12


class Outcome(enum.StrEnum):
    """What would become of the connection."""

    ALLOWED = "allowed"
    BLOCKED = "blocked"
    CONDITIONAL = "conditional"
    UNKNOWN = "unknown"


@dataclasses.dataclass(frozen=True)
class Verdict:
    """One answer.

    reason: `off`, `bypass_rule`, `block_rule`, `allow_rule`, `default_allow`, `default_block`, `block_if` (a block
    that holds under conditions), `allow_if`, `bypass_if`, `interfaces` (the firewall is off on some), `settings` (not
    decidable), `truncated` (not all rules were read), `hardening`.
    otherwise: with CONDITIONAL, the outcome when the conditions do not hold.
    rule: the one that decides; of several the first by store and id, so that the order of rules never shows.
    """

    outcome: Outcome
    reason: str
    profile: str
    rule: Rule | None = None
    conditions: tuple[Condition, ...] = ()
    otherwise: Outcome | None = None


_Depends = tuple[tuple[str, str], ...]
# A rule, and on what it depends whether it matches.
_Hit = tuple[Rule, _Depends]


class RuleBook:
    """The rules and settings of one host, arranged for many questions. Nothing in it changes an answer: it only
    remembers.

    rules: of all stores, in any order. effective: profile → settings in force. complete: False when not all rules were
    read.
    """

    def __init__(self, rules: t.Iterable[Rule], effective: t.Mapping[str, Effective], complete: bool = True) -> None:
        in_force = [
            rule for rule in rules if rule.direction is Direction.OUT and (rule.active or rule.store in HARDENING)
        ]
        in_force.sort(key=_order)
        self.effective = effective
        self.complete = complete
        self._main = [rule for rule in in_force if rule.store not in HARDENING]
        self._hardening = [rule for rule in in_force if rule.store in HARDENING]
        self._candidates: dict[Query, list[tuple[Rule, Match, _Depends]]] = {}
        self._service: dict[Query, list[tuple[Rule, Match, _Depends]]] = {}

    def evaluate(self, query: Query, profile: str) -> Verdict:
        """The verdict under one profile."""
        return self.evaluate_all(query, (profile,))[0]

    def evaluate_all(self, query: Query, profiles: t.Sequence[str] = PROFILES) -> tuple[Verdict, ...]:
        """The verdict under each profile."""
        hits, service_hits = self._hits(query)
        return tuple(self._decide(hits, service_hits, profile) for profile in profiles)

    def blocks(self, query: Query, profile: str) -> tuple[Rule, ...]:
        """Every rule that surely blocks it under this profile, ordered by store and id."""
        settings = self.effective[profile]
        if settings.enable.value == OFF:
            return ()
        bit = PROFILE_BITS[profile]
        found = [
            rule
            for rule, level, depends in self._hits(query)[0]
            if level is Match.YES
            and not depends
            and rule.action is Action.BLOCK
            and rule.profiles & bit
            and (rule.store != "local" or settings.merge.value != OFF)
        ]
        return tuple(found)

    def _hits(self, query: Query) -> tuple[list[tuple[Rule, Match, _Depends]], list[tuple[Rule, Match, _Depends]]]:
        """Rules that match or may, of the main stores and of service hardening."""
        key = dataclasses.replace(query, address=None) if query.address is not None else query
        candidates = self._candidates.get(key)
        if candidates is None:
            candidates = self._candidates[key] = _static(self._main, key)
            self._service[key] = _static(self._hardening, key)
        where = matching.target(query.address) if query.address is not None else None
        hits = _addressed(candidates, where)
        service_hits = _addressed(self._service[key], where) if query.subject.service else []
        return hits, service_hits

    def _decide(
        self, hits: list[tuple[Rule, Match, _Depends]], service_hits: list[tuple[Rule, Match, _Depends]], profile: str
    ) -> Verdict:
        settings = self.effective[profile]
        hardened = _hardened(service_hits, profile)
        if hardened is not None and hardened.outcome is Outcome.BLOCKED:
            return hardened
        if settings.enable.value is None:
            return Verdict(Outcome.UNKNOWN, "settings", profile)
        if settings.enable.value == OFF:
            verdict = Verdict(Outcome.ALLOWED, "off", profile)
        elif settings.merge.value is None:
            # With and without the local rules: only when both say the same, it is said.
            both = {self._rules(hits, settings, profile, local) for local in (True, False)}
            verdict = both.pop() if len(both) == 1 else Verdict(Outcome.UNKNOWN, "settings", profile)
        else:
            verdict = self._rules(hits, settings, profile, settings.merge.value == 1)
        if not self.complete and verdict.reason not in ("off", "block_rule"):
            # An unread rule may block what is open, or open what the default blocks.
            return dataclasses.replace(verdict, outcome=Outcome.UNKNOWN, reason="truncated", otherwise=None)
        if hardened is not None and verdict.outcome is Outcome.ALLOWED:
            return dataclasses.replace(hardened, otherwise=Outcome.ALLOWED)
        return verdict

    def _rules(
        self, hits: list[tuple[Rule, Match, _Depends]], settings: Effective, profile: str, local: bool
    ) -> Verdict:
        bit = PROFILE_BITS[profile]
        sure: dict[Action, Rule] = {}
        maybe: dict[Action, list[_Hit]] = {Action.ALLOW: [], Action.BLOCK: [], Action.BYPASS: []}
        for rule, level, depends in hits:
            if not rule.profiles & bit or (rule.store == "local" and not local):
                continue
            # A rule whose action cannot be read might block: it never makes anything allowed.
            action = rule.action or Action.BLOCK
            if level is Match.YES:
                # In the order of store and id, so the first is the one to name.
                sure.setdefault(action, rule)
            else:
                maybe[action].append((rule, depends))
        if Action.BYPASS in sure:
            return Verdict(Outcome.ALLOWED, "bypass_rule", profile, sure[Action.BYPASS])
        base = _base(sure, maybe, settings, profile)
        if base.outcome is Outcome.BLOCKED and maybe[Action.BYPASS]:
            base = _conditional("bypass_if", maybe[Action.BYPASS], profile, Outcome.BLOCKED)
        if base.outcome is Outcome.BLOCKED and settings.disabled_interfaces:
            return Verdict(
                Outcome.CONDITIONAL,
                "interfaces",
                profile,
                base.rule,
                (Condition("", "", "DisabledInterfaces", settings.disabled_interfaces),),
                Outcome.BLOCKED,
            )
        return base


def _base(
    sure: t.Mapping[Action, Rule], maybe: t.Mapping[Action, list[_Hit]], settings: Effective, profile: str
) -> Verdict:
    """Block, allow, default: with the conditions of rules that may or may not match."""
    if Action.BLOCK in sure:
        return Verdict(Outcome.BLOCKED, "block_rule", profile, sure[Action.BLOCK])
    default = settings.outbound.value
    if Action.ALLOW in sure:
        open_way = Verdict(Outcome.ALLOWED, "allow_rule", profile, sure[Action.ALLOW])
    elif default == ALLOW:
        open_way = Verdict(Outcome.ALLOWED, "default_allow", profile)
    elif default != BLOCK:
        return Verdict(Outcome.UNKNOWN, "settings", profile)
    elif maybe[Action.ALLOW]:
        open_way = _conditional("allow_if", maybe[Action.ALLOW], profile, Outcome.BLOCKED)
    else:
        return Verdict(Outcome.BLOCKED, "default_block", profile)
    if not maybe[Action.BLOCK]:
        return open_way
    blocked = _conditional("block_if", maybe[Action.BLOCK], profile, open_way.outcome)
    if open_way.outcome is Outcome.CONDITIONAL:
        conditions = (*open_way.conditions, *blocked.conditions)[:MAX_CONDITIONS]
        return dataclasses.replace(open_way, conditions=conditions)
    return blocked


def _conditional(reason: str, hits: list[_Hit], profile: str, otherwise: Outcome) -> Verdict:
    conditions = (Condition(rule.id, rule.store, key, value) for rule, depends in hits for key, value in depends)
    few = tuple(itertools.islice(conditions, MAX_CONDITIONS))
    return Verdict(Outcome.CONDITIONAL, reason, profile, hits[0][0], few, otherwise)


def _hardened(hits: list[tuple[Rule, Match, _Depends]], profile: str) -> Verdict | None:
    """Service hardening: the service may only what one of its allow rules names, once it has a block rule."""
    bit = PROFILE_BITS[profile]
    hits = [hit for hit in hits if hit[0].profiles & bit]
    blocks = [(rule, depends) for rule, level, depends in hits if rule.action is Action.BLOCK]
    allowed = [hit[1] for hit in hits if hit[0].action is Action.ALLOW]
    if not blocks or Match.YES in allowed:
        return None
    sure = [hit[0] for hit in hits if hit[0].action is Action.BLOCK and hit[1] is Match.YES]
    if sure and not allowed:
        return Verdict(Outcome.BLOCKED, "hardening", profile, sure[0])
    return _conditional("hardening", blocks, profile, Outcome.ALLOWED)


def _static(rules: list[Rule], query: Query) -> list[tuple[Rule, Match, _Depends]]:
    result: list[tuple[Rule, Match, _Depends]] = []
    for rule in rules:
        level, depends = matching.match_static(rule, query)
        if level is not Match.NO:
            result.append((rule, level, depends))
    return result


def _addressed(
    candidates: list[tuple[Rule, Match, _Depends]], where: matching.Target | None
) -> list[tuple[Rule, Match, _Depends]]:
    result: list[tuple[Rule, Match, _Depends]] = []
    for candidate in candidates:
        rule, depends = candidate[0], candidate[2]
        remote = rule.remote_addresses
        if remote is None:
            result.append(candidate)
            continue
        dynamic = bool(rule.conditions) and any(condition[0] == "RADynKey" for condition in rule.conditions)
        address = matching.match_address(remote, where, dynamic)
        if address is Match.YES and dynamic:
            # Its own addresses hold whatever the keyword resolves to.
            rest = tuple(d for d in depends if d[0] != "RADynKey")
            result.append((rule, Match.MAYBE if rest else Match.YES, rest))
        elif address is Match.YES:
            result.append(candidate)
        elif address is Match.MAYBE or matching.loose(rule, "value:RA"):
            why = () if dynamic or matching.loose(rule, "value:RA") else (("RA", _words(remote)),)
            result.append((rule, Match.MAYBE, (*depends, *why)))
    return result


def _words(remote: Addresses) -> str:
    return ",".join(dict.fromkeys((*remote.words4, *remote.words6))) or "address"


_STORE_ORDER = {"gpo": "0", "mdm": "1", "local": "2"}


def _order(rule: Rule) -> tuple[str, str, str]:
    return _STORE_ORDER.get(rule.store, "3"), rule.id, rule.head
