# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One rule of Windows Firewall: from its registry string to a typed rule, and back to the very same string.

Pure. `parse_rule` never raises, whatever the string: what cannot be read is listed in `problems`, what is not known in
`unknown`, and the evaluator then makes no claim that would rest on it.
"""

from __future__ import annotations

import dataclasses
import enum

from ansible_collections.edefter.ready.plugins.plugin_utils.winfw import grammar
from ansible_collections.edefter.ready.plugins.plugin_utils.winfw.grammar import Range, fold


class Action(enum.StrEnum):
    """What a rule does with what it matches."""

    ALLOW = "allow"
    BLOCK = "block"
    BYPASS = "bypass"


class Direction(enum.StrEnum):
    """Which way a rule looks."""

    IN = "in"
    OUT = "out"


_ACTIONS = {action.value: action for action in Action}
_DIRECTIONS = {direction.value: direction for direction in Direction}


@dataclasses.dataclass(frozen=True, slots=True)
class Ports:
    """Port numbers (inclusive ranges) and words; no object at all means any port."""

    ranges: tuple[Range, ...] = ()
    words: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Addresses:
    """Address ranges and words by IP version. has4, has6: the rule names addresses of that version; without, it never
    matches that version once it names the other."""

    ranges4: tuple[Range, ...] = ()
    ranges6: tuple[Range, ...] = ()
    words4: tuple[str, ...] = ()
    words6: tuple[str, ...] = ()
    has4: bool = False
    has6: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Rule:
    """A rule string, read.

    version: (2, 33), None when unreadable. fields: (key, value) in the string's order and spelling, value None where
    there was no `=`; with `head` they give back the string. protocol None: any. profiles: bits 1 domain, 2 private, 4
    public.
    conditions: what narrows it further, (canonical key, value). unknown: keys that no known version has. problems: why
    parts of it cannot be trusted (`repeated:App`, `value:Protocol`, `unfinished` …).
    """

    id: str
    store: str
    head: str
    fields: tuple[tuple[str, str | None], ...]
    version: tuple[int, int] | None
    action: Action | None
    direction: Direction | None
    active: bool
    protocol: int | None
    profiles: int
    local_ports: Ports | None
    remote_ports: Ports | None
    local_addresses: Addresses | None
    remote_addresses: Addresses | None
    app: str
    service: str
    name: str
    description: str
    group: str
    conditions: tuple[tuple[str, str], ...]
    unknown: tuple[str, ...]
    problems: tuple[str, ...]

    def text(self) -> str:
        """The string that this rule was read from, character for character."""
        return "|".join([self.head, *(key if value is None else f"{key}={value}" for key, value in self.fields)])


def parse_rule(raw: str, store: str = "", rule_id: str = "") -> Rule:
    """Reads one rule string. Never raises; see Rule.problems and Rule.unknown."""
    tokens = raw.split("|")
    head = tokens[0]
    problems: list[str] = []
    unknown: list[str] = []
    conditions: list[tuple[str, str]] = []
    fields: list[tuple[str, str | None]] = []
    once: dict[str, str] = {}
    ports: dict[str, list[str]] = {}
    addresses: list[tuple[str, str]] = []
    profiles = 0
    last = len(tokens) - 1
    version = grammar.read_version(head)
    if version is None:
        problems.append("version")
    if last == 0 or tokens[last]:
        problems.append("unfinished")
    spelling, inert, repeatable = grammar.SPELLING, grammar.INERT, grammar.REPEATABLE
    for index in range(1, last + 1):
        spelt, equals, value = tokens[index].partition("=")
        if not equals:
            fields.append((spelt, None))
            if index < last or spelt:
                problems.append("token")
            continue
        fields.append((spelt, value))
        key = spelling.get(spelt) or spelling.get(fold(spelt))
        if key is None:
            unknown.append(spelt)
        elif key not in repeatable:
            if key in once:
                problems.append(f"repeated:{key}")
            once[key] = value
            if key not in inert:
                conditions.append((key, value))
        elif key == "Profile":
            bit = grammar.PROFILE_BITS.get(fold(value))
            if bit is None:
                problems.append("value:Profile")
            else:
                profiles |= bit
        elif key in grammar.PORT_KEYS:
            ports.setdefault(grammar.PORT_KEYS[key], []).append(value)
        elif key in grammar.ADDRESS_KEYS:
            addresses.append((key, value))
        else:
            conditions.append((key, value))
    action = _ACTIONS.get(fold(once.get("Action", "")))
    direction = _DIRECTIONS.get(fold(once.get("Dir", "")))
    if action is None:
        problems.append("value:Action")
    if direction is None:
        problems.append("value:Dir")
    active = fold(once.get("Active", "FALSE"))
    if active not in ("true", "false"):
        problems.append("value:Active")
    protocol = None
    if "Protocol" in once:
        protocol = grammar.read_protocol(once["Protocol"])
        if protocol is None:
            problems.append("value:Protocol")
    if ports and protocol not in (grammar.PROTOCOL_TCP, grammar.PROTOCOL_UDP):
        # MS-GPFAS: ports may stand only beside protocol 6 or 17.
        problems.append("ports without protocol")
    return Rule(
        id=rule_id,
        store=store,
        head=head,
        fields=tuple(fields),
        version=version,
        action=action,
        direction=direction,
        active=active == "true",
        protocol=protocol,
        profiles=profiles or grammar.ALL_PROFILES,
        local_ports=_ports(ports.get("local"), problems),
        remote_ports=_ports(ports.get("remote"), problems),
        local_addresses=_addresses(addresses, "local", problems),
        remote_addresses=_addresses(addresses, "remote", problems),
        app=once.get("App", ""),
        service=once.get("Svc", ""),
        name=once.get("Name", ""),
        description=once.get("Desc", ""),
        group=once.get("EmbedCtxt", ""),
        conditions=tuple(conditions),
        unknown=tuple(unknown),
        problems=tuple(problems),
    )


def _ports(values: list[str] | None, problems: list[str]) -> Ports | None:
    if values is None:
        return None
    ranges, words = [], []
    for value in values:
        read = grammar.read_port(value)
        if read is None:
            problems.append("value:Port")
        elif isinstance(read, str):
            words.append(read)
        else:
            ranges.append(read)
    return Ports(tuple(ranges), tuple(words))


def _addresses(entries: list[tuple[str, str]], side: str, problems: list[str]) -> Addresses | None:
    if not entries:
        return None
    ranges: dict[int, list[Range]] = {4: [], 6: []}
    words: dict[int, list[str]] = {4: [], 6: []}
    seen: set[int] = set()
    for key, value in entries:
        which, version = grammar.ADDRESS_KEYS[key]
        if which != side:
            continue
        seen.add(version)
        read = grammar.read_address(value, version)
        if read is None:
            problems.append(f"value:{key}")
        elif isinstance(read, str):
            words[version].append(read)
        else:
            ranges[version].append(read)
    if not seen:
        return None
    return Addresses(
        tuple(ranges[4]), tuple(ranges[6]), tuple(words[4]), tuple(words[6]), has4=4 in seen, has6=6 in seen
    )
