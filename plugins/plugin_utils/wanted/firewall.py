# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The wanted state of the outbound firewall, and the rules that follow from it.

Pure. `FirewallWanted.from_options` takes the user's variables and raises OptionError for what cannot be meant so.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils import catalog
from ansible_collections.edefter.ready.plugins.plugin_utils.model import OptionError
from ansible_collections.edefter.ready.plugins.plugin_utils.winfw import grammar, match
from ansible_collections.edefter.ready.plugins.plugin_utils.winfw.grammar import fold

GROUP = "edefter.ready"
PREFIX = "edefter.ready "
DESCRIPTION = "e-Defter: managed by the Ansible collection edefter.ready, changes here are undone"
STATES = ("present", "absent")
WHEN = ("needed", "always")
STRATEGIES = ("any", "resolved", "fqdn")
DNS = ("auto", "always", "never")
MAX_ADDRESSES = 64

# Windows forbids the bar (it separates the fields of a rule string); Firewall.cs finds our rules by this beginning.
_NAME = re.compile(r"(?i:edefter)[A-Za-z0-9 ._-]{0,57}")
# Only variables that are the same for every user: what Windows stores is the path with its variables replaced.
_PROGRAM = re.compile(
    r"""(?i:[a-z]:|%(?:ProgramFiles|ProgramFiles\(x86\)|ProgramW6432|ProgramData|SystemRoot|windir)%)\\[^|<>"*?/\x00-\x1f]{1,240}"""
)

Options = t.Mapping[str, t.Any]


@dataclasses.dataclass(frozen=True)
class FirewallWanted:
    """What the outbound firewall ought to hold.

    state: present lays and keeps our rules, absent removes every one of them.
    when: `needed` lays them where the default outbound action of a profile blocks and nothing else lets e-Defter out
    (rules once laid are kept whole); `always` lays them on every host.
    strategy: `any` allows ports to every address, `resolved` the current addresses, `fqdn` gives advice only.
    program: path of the only program that may use the rules; "": every program.
    ntp: also UDP 123; ntp_service_only: for Windows Time alone, which shuts our own measurement out under a default
    block.
    dns: `auto` allows port 53 where the default action blocks and no other rule lets the DNS client out.
    remove_blocking_rules: names of foreign local rules that may be removed when they block an endpoint.
    """

    state: str = "present"
    when: str = "needed"
    strategy: str = "any"
    group: str = GROUP
    prefix: str = PREFIX
    program: str = ""
    ntp: bool = True
    ntp_service_only: bool = False
    dns: str = "auto"
    remove_blocking_rules: tuple[str, ...] = ()

    @classmethod
    def from_options(cls, options: Options | None = None) -> FirewallWanted:
        """From the suboptions of `firewall`. Raises OptionError."""
        given = dict(options or {})
        unknown = sorted(set(given) - set(OPTIONS))
        if unknown:
            raise OptionError(f"firewall.{unknown[0]}", given[unknown[0]], f"the keys are {', '.join(sorted(OPTIONS))}")
        strategy = _choice(given, "strategy", STRATEGIES, "any")
        program = given.get("program") or ""
        if program and not (isinstance(program, str) and _PROGRAM.fullmatch(program)):
            raise OptionError(
                "firewall.program",
                program,
                r"give a full path such as C:\Mikro\edefter.exe, without variables of a user",
            )
        names = given.get("remove_blocking_rules") or ()
        if not isinstance(names, (list, tuple)) or not all(isinstance(n, str) and n.strip() for n in names):
            raise OptionError("firewall.remove_blocking_rules", names, "give a list of rule names")
        for name in names:
            # The stock module finds a rule by its shown name; "all" means every rule to Windows.
            if "|" in name or name.startswith("@") or fold(name) == "all":
                raise OptionError(
                    "firewall.remove_blocking_rules", name, "give the name that Windows shows, not all and no @resource"
                )
        group, prefix = (_name(given, key, default) for key, default in (("group", GROUP), ("name_prefix", PREFIX)))
        return cls(
            state=_choice(given, "state", STATES, "present"),
            when=_choice(given, "when", WHEN, "needed"),
            strategy=strategy,
            group=group.rstrip(),
            prefix=prefix.rstrip() + " ",
            program=program,
            ntp=_boolean(given, "ntp", True),
            ntp_service_only=_boolean(given, "ntp_service_only", False),
            dns=_choice(given, "dns", DNS, "auto"),
            remove_blocking_rules=tuple(names),
        )

    @property
    def subject(self) -> match.Subject:
        """Who e-Defter is to the evaluator: the named program, else some program that is not Windows' own."""
        return match.Subject(self.program, "", "") if self.program else match.EDEFTER


OPTIONS = frozenset(
    [
        "state",
        "when",
        "strategy",
        "group",
        "name_prefix",
        "program",
        "ntp",
        "ntp_service_only",
        "dns",
        "remove_blocking_rules",
    ]
)


def _choice(options: Options, key: str, choices: tuple[str, ...], default: str) -> str:
    value = options.get(key)
    if value is None:
        return default
    if not isinstance(value, str) or value not in choices:
        raise OptionError(f"firewall.{key}", value, f"use one of {', '.join(choices)}")
    return value


def _boolean(options: Options, key: str, default: bool) -> bool:
    value = options.get(key)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise OptionError(f"firewall.{key}", value, "give true or false")
    return value


def _name(options: Options, key: str, default: str) -> str:
    value = options.get(key) or default
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise OptionError(
            f"firewall.{key}",
            value,
            "begin with edefter, then letters, digits, space, dot, dash; at most 64 characters",
        )
    return value


@dataclasses.dataclass(frozen=True)
class FirewallContext:
    """What the rules are for. addresses: host → addresses, from this host's own DNS answers and the vantage's."""

    endpoints: tuple[catalog.Endpoint, ...]
    time_sources: tuple[catalog.TimeSource, ...] = ()
    addresses: t.Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)

    def of(self, host: str) -> tuple[str, ...]:
        """Known addresses of a host, sorted by version and number; none when it was not resolved."""
        found = {a for a in self.addresses.get(host, ()) if match.target(a)}
        return tuple(sorted(found, key=_by_number)[:MAX_ADDRESSES])


def _by_number(address: str) -> tuple[int, int]:
    where = match.target(address)
    return (where.version, where.number) if where else (0, 0)


@dataclasses.dataclass(frozen=True)
class WantedRule:
    """One allow-rule for outbound traffic, on all profiles. addresses (): every address. unresolved: addresses are
    wanted and none is known, so a rule that stands is left as it is."""

    key: str
    name: str
    protocol: int
    port: int
    addresses: tuple[str, ...] = ()
    program: str = ""
    service: str = ""
    unresolved: bool = False

    @property
    def protocol_name(self) -> str:
        """As the stock module takes it."""
        return "tcp" if self.protocol == grammar.PROTOCOL_TCP else "udp"


_SVCHOST = r"%SystemRoot%\System32\svchost.exe"


def wanted_rules(wanted: FirewallWanted, context: FirewallContext, dns: bool) -> tuple[WantedRule, ...]:
    """The whole group, in a stable order. dns: port 53 is wanted too. One port a rule: Windows hands several ports
    back as one string whose order is its own, and the stock module would compare that string with ours."""
    rules: dict[str, WantedRule] = {}

    def add(label: str, protocol: int, port: int, **more: t.Any) -> None:
        key = fold(label).replace(" ", "-")
        rules.setdefault(key, WantedRule(key, wanted.prefix + label, protocol, port, **more))

    for endpoint in context.endpoints:
        if wanted.strategy == "any":
            add(f"TCP {endpoint.port}", grammar.PROTOCOL_TCP, endpoint.port, program=wanted.program)
        elif wanted.strategy == "resolved":
            addresses = context.of(endpoint.host)
            add(
                f"{endpoint.host} TCP {endpoint.port}",
                grammar.PROTOCOL_TCP,
                endpoint.port,
                addresses=addresses,
                program=wanted.program,
                unresolved=not addresses,
            )
    if wanted.ntp:
        who = {"program": _SVCHOST, "service": "W32Time"} if wanted.ntp_service_only else {}
        for source in context.time_sources:
            if source.kind != "ntp":
                continue
            if wanted.strategy == "resolved":
                addresses = context.of(source.host)
                add(
                    f"{source.host} UDP {source.port}",
                    grammar.PROTOCOL_UDP,
                    source.port,
                    addresses=addresses,
                    unresolved=not addresses,
                    **who,
                )
            else:
                add(f"UDP {source.port}", grammar.PROTOCOL_UDP, source.port, **who)
    if dns:
        add("DNS UDP 53", grammar.PROTOCOL_UDP, 53, program=_SVCHOST, service="Dnscache")
        add("DNS TCP 53", grammar.PROTOCOL_TCP, 53, program=_SVCHOST, service="Dnscache")
    return tuple(sorted(rules.values(), key=lambda rule: rule.name))
