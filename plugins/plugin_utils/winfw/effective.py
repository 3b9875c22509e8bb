# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which setting of a firewall profile is in force: Group Policy, then MDM, then the machine's own, then Windows'
default.

Pure. Registry numbers as they stand: DefaultOutboundAction 0 allows and 1 blocks (the COM interface has it the other
way).
"""

from __future__ import annotations

import dataclasses
import typing as t

PROFILES = ("domain", "private", "public")
OFF, ON = 0, 1
ALLOW, BLOCK = 0, 1


@dataclasses.dataclass(frozen=True)
class ProfileSettings:
    """One profile in one store, as found; None: the value is absent. -1 stands for a value that is not a number."""

    enable: int | None = None
    outbound: int | None = None
    inbound: int | None = None
    merge: int | None = None
    no_exceptions: int | None = None
    disabled_interfaces: str = ""
    log_dropped: int | None = None
    log_file: str = ""


@dataclasses.dataclass(frozen=True)
class Setting:
    """A value in force. value None: not decidable (a wrong type, or Group Policy and MDM contradict each other).

    source: `gpo`, `mdm`, `local` or `default`.
    """

    value: int | None
    source: str

    @property
    def by_policy(self) -> bool:
        """True when no setting of the machine itself could change it."""
        return self.source in ("gpo", "mdm")


@dataclasses.dataclass(frozen=True)
class Effective:
    """What is in force for one profile. merge 0: rules of the local store do not count."""

    profile: str
    enable: Setting
    outbound: Setting
    merge: Setting
    disabled_interfaces: str = ""


Stores = t.Mapping[str, t.Mapping[str, ProfileSettings | None]]


def policy_profile(store: t.Mapping[str, ProfileSettings | None], profile: str) -> ProfileSettings | None:
    """A profile of the Group Policy store. StandardProfile, from before Vista, feeds private and public while neither
    of their own keys exists."""
    if profile != "domain" and store.get("private") is None and store.get("public") is None:
        return store.get("standard")
    return store.get(profile)


def effective(stores: Stores, profile: str) -> Effective:
    """What is in force for a profile. stores: `local`, `gpo`, `mdm`, each profile → settings."""
    layers = {
        "gpo": policy_profile(stores.get("gpo", {}), profile),
        "mdm": stores.get("mdm", {}).get(profile),
        "local": stores.get("local", {}).get(profile),
    }
    interfaces = next((s.disabled_interfaces for s in layers.values() if s and s.disabled_interfaces), "")
    return Effective(
        profile=profile,
        enable=_setting(layers, "enable", ON),
        outbound=_setting(layers, "outbound", ALLOW),
        # Only policy can forbid local rules; a local copy of the value means nothing.
        merge=_setting({**layers, "local": None}, "merge", ON),
        disabled_interfaces=interfaces,
    )


def _setting(layers: t.Mapping[str, ProfileSettings | None], field: str, default: int) -> Setting:
    found = [(source, getattr(s, field)) for source, s in layers.items() if s and getattr(s, field) is not None]
    if not found:
        return Setting(default, "default")
    source, value = found[0]
    others = {v for s, v in found[1:] if s != "local"}
    if value not in (0, 1) or (source != "local" and others - {value}):
        return Setting(None, source)
    return Setting(value, source)
