# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Section `firewall`: settings and rules of Windows Firewall, as `plugins/module_utils/Firewall.cs` sends them. Pure.

The shape of its `data`:

    {"policy_version": 545 | null,
     "active_profiles": {"bits": 1 domain + 2 private + 4 public | null, "error": ERR | null},
     "services": {"mpssvc": {"state": "running" | … | null, "start": 2 | null, "error": ERR | null}, "bfe": the same},
     "profiles": {"local" | "gpo" | "mdm": {"domain" | "private" | "public" (gpo also "standard"): null | SETTINGS}},
     "stores": {"local" | "gpo" | "mdm" | "appiso" | "static" | "configurable": {"present": false} | STORE}}

    SETTINGS = the registry values that are there: EnableFirewall, DefaultOutboundAction, DefaultInboundAction,
        AllowLocalPolicyMerge, DoNotAllowExceptions, DisabledInterfaces, LogDroppedPackets, LogFilePath
    STORE = {"present": true, "total": n, "outbound": n active outbound ones; of these, counted and not sent:
             "packaged": n for Store apps, "services": n for services other than Windows Time and the DNS client,
             "protocols": n for neither TCP nor UDP; "malformed": n, "truncated": bool,
             "rules": [[value name, rule string] …]}
"""

from __future__ import annotations

import dataclasses
import functools
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils import shape
from ansible_collections.edefter.ready.plugins.plugin_utils.model import ShapeError
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.envelope import Fault, optional_fault
from ansible_collections.edefter.ready.plugins.plugin_utils.winfw.effective import (
    PROFILES,
    Effective,
    ProfileSettings,
    effective,
)
from ansible_collections.edefter.ready.plugins.plugin_utils.winfw.evaluate import RuleBook
from ansible_collections.edefter.ready.plugins.plugin_utils.winfw.grammar import PROFILE_BITS
from ansible_collections.edefter.ready.plugins.plugin_utils.winfw.rule import Rule, parse_rule

STORES = ("local", "gpo", "mdm", "appiso", "static", "configurable")
MAX_RULES = 3000
MAX_RULE_TEXT = 16400


@dataclasses.dataclass(frozen=True)
class ServiceState:
    """A service's live state and start mode; state None: not known, error says why."""

    state: str | None
    start: int | None
    error: Fault | None


@dataclasses.dataclass(frozen=True)
class RuleStore:
    """One rule store: the rules that were sent, and how many were only counted."""

    present: bool
    total: int
    outbound: int
    packaged: int
    services: int
    protocols: int
    malformed: int
    truncated: bool
    rules: tuple[Rule, ...]


@dataclasses.dataclass(frozen=True)
class Firewall:
    """The section. active: the active profiles, None when not known (then all three are judged)."""

    policy_version: int | None
    active: tuple[str, ...] | None
    active_error: Fault | None
    mpssvc: ServiceState
    bfe: ServiceState
    profiles: t.Mapping[str, t.Mapping[str, ProfileSettings | None]]
    stores: t.Mapping[str, RuleStore]

    @property
    def judged(self) -> tuple[str, ...]:
        """The profiles that count now: the active ones, all when that is not known."""
        return self.active or PROFILES

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules of all stores."""
        return tuple(rule for store in self.stores.values() for rule in store.rules)

    @property
    def complete(self) -> bool:
        """False when a store was not read to its end."""
        return not any(store.truncated for store in self.stores.values())

    def effective(self) -> dict[str, Effective]:
        """What is in force, by profile."""
        return {profile: effective(self.profiles, profile) for profile in PROFILES}

    def book(self, without: t.Callable[[Rule], bool] | None = None) -> RuleBook:
        """The evaluator over this host's rules. without: rules to leave out (what would be without them?)."""
        if without is None:
            return self._book
        return RuleBook((rule for rule in self.rules if not without(rule)), self.effective(), self.complete)

    @functools.cached_property
    def _book(self) -> RuleBook:
        """Judge and plan ask the same questions: they share what is remembered."""
        return RuleBook(self.rules, self.effective(), self.complete)


def parse_firewall(raw: object) -> Firewall:
    """Reads the section's data. Raises ShapeError."""
    m = shape.mapping(raw, "firewall")
    active = shape.mapping(m.get("active_profiles"), "firewall.active_profiles")
    bits = shape.optional_integer(active.get("bits"), "firewall.active_profiles.bits", 0, 2**31)
    services = shape.mapping(m.get("services"), "firewall.services")
    profiles = shape.mapping(m.get("profiles"), "firewall.profiles")
    stores = shape.mapping(m.get("stores"), "firewall.stores")
    return Firewall(
        policy_version=shape.optional_integer(m.get("policy_version"), "firewall.policy_version", 0, 2**32),
        active=None if bits is None else tuple(p for p in PROFILES if bits & PROFILE_BITS[p]) or None,
        active_error=optional_fault(active.get("error"), "firewall.active_profiles.error"),
        mpssvc=_service(services.get("mpssvc"), "firewall.services.mpssvc"),
        bfe=_service(services.get("bfe"), "firewall.services.bfe"),
        profiles={
            store: _profiles(profiles.get(store), store, f"firewall.profiles.{store}")
            for store in ("local", "gpo", "mdm")
        },
        stores={name: _store(stores.get(name), name, f"firewall.stores.{name}") for name in STORES},
    )


def _service(raw: object, path: str) -> ServiceState:
    m = shape.mapping(raw, path)
    return ServiceState(
        state=shape.optional_text(m.get("state"), f"{path}.state", 20),
        start=shape.optional_integer(m.get("start"), f"{path}.start", 0, 2**32),
        error=optional_fault(m.get("error"), f"{path}.error"),
    )


def _profiles(raw: object, store: str, path: str) -> dict[str, ProfileSettings | None]:
    m = shape.mapping(raw, path)
    names = (*PROFILES, "standard") if store == "gpo" else PROFILES
    return {name: _settings(m.get(name), f"{path}.{name}") for name in names}


def _settings(raw: object, path: str) -> ProfileSettings | None:
    m = shape.optional_mapping(raw, path)
    if m is None:
        return None

    def number(name: str) -> int | None:
        return shape.optional_integer(m.get(name), f"{path}.{name}", -1, 2**32)

    return ProfileSettings(
        enable=number("EnableFirewall"),
        outbound=number("DefaultOutboundAction"),
        inbound=number("DefaultInboundAction"),
        merge=number("AllowLocalPolicyMerge"),
        no_exceptions=number("DoNotAllowExceptions"),
        disabled_interfaces=shape.text(m.get("DisabledInterfaces", ""), f"{path}.DisabledInterfaces"),
        log_dropped=number("LogDroppedPackets"),
        log_file=shape.text(m.get("LogFilePath", ""), f"{path}.LogFilePath", 300),
    )


def _store(raw: object, name: str, path: str) -> RuleStore:
    m = shape.mapping(raw, path)
    if not shape.boolean(m.get("present"), f"{path}.present"):
        return RuleStore(False, 0, 0, 0, 0, 0, 0, False, ())

    def count(key: str) -> int:
        return shape.integer(m.get(key), f"{path}.{key}", 0, 10**6)

    return RuleStore(
        present=True,
        total=count("total"),
        outbound=count("outbound"),
        packaged=count("packaged"),
        services=count("services"),
        protocols=shape.integer(m.get("protocols", 0), f"{path}.protocols", 0, 10**6),
        malformed=count("malformed"),
        truncated=shape.boolean(m.get("truncated"), f"{path}.truncated"),
        rules=_rules(m.get("rules"), name, f"{path}.rules"),
    )


def _rules(raw: object, store: str, path: str) -> tuple[Rule, ...]:
    result = []
    for index, pair in enumerate(shape.items(raw, path, MAX_RULES)):
        # Not shape.text for the string: a thousand rules are read here, and what of them reaches people is bounded
        # there.
        if not (
            isinstance(pair, (list, tuple)) and len(pair) == 2 and isinstance(pair[0], str) and isinstance(pair[1], str)
        ):
            raise ShapeError(f"{path}[{index}]", "a pair of texts was expected")
        if len(pair[0]) > 600 or len(pair[1]) > MAX_RULE_TEXT:
            raise ShapeError(f"{path}[{index}]", "longer than our collector sends")
        result.append(parse_rule(pair[1], store, pair[0]))
    return tuple(result)
