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
from ansible_collections.edefter.ready.plugins.plugin_utils.option_reader import OptionReader, defaults
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
_NAME_REMEDY = "begin with edefter, then letters, digits, space, dot, dash; at most 64 characters"
# Only variables that are the same for every user: what Windows stores is the path with its variables replaced.
_PROGRAM = re.compile(
    r"""(?i:[a-z]:|%(?:ProgramFiles|ProgramFiles\(x86\)|ProgramW6432|ProgramData|SystemRoot|windir)%)\\[^|<>"*?/\x00-\x1f]{1,240}"""
)
_PROGRAM_REMEDY = r"give a full path such as C:\Mikro\edefter.exe, without variables of a user"

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
    name_prefix: str = PREFIX
    program: str = ""
    ntp: bool = True
    ntp_service_only: bool = False
    dns: str = "auto"
    remove_blocking_rules: tuple[str, ...] = ()

    @classmethod
    def from_options(cls, options: Options | None = None) -> FirewallWanted:
        """From the suboptions of `firewall`. Raises OptionError."""
        given = OptionReader("firewall", options, defaults(cls))
        return cls(
            state=given.choice("state", STATES),
            when=given.choice("when", WHEN),
            strategy=given.choice("strategy", STRATEGIES),
            group=given.text("group", _NAME, _NAME_REMEDY).rstrip(),
            name_prefix=given.text("name_prefix", _NAME, _NAME_REMEDY).rstrip() + " ",
            program=given.text("program", _PROGRAM, _PROGRAM_REMEDY),
            ntp=given.boolean("ntp"),
            ntp_service_only=given.boolean("ntp_service_only"),
            dns=given.choice("dns", DNS),
            remove_blocking_rules=_removable(given),
        )

    @property
    def subject(self) -> match.Subject:
        """Who e-Defter is to the evaluator: the named program, else some program that is not Windows' own."""
        return match.Subject(self.program, "", "") if self.program else match.EDEFTER


def _removable(given: OptionReader) -> tuple[str, ...]:
    names = given.items("remove_blocking_rules", "rule names")
    for name in names:
        if not isinstance(name, str) or not name.strip():
            raise given.refused("remove_blocking_rules", "give a list of rule names")
        # The stock module finds a rule by its shown name; "all" means every rule to Windows.
        if "|" in name or name.startswith("@") or fold(name) == "all":
            remedy = "give the name that Windows shows, not all and no @resource"
            raise given.refused("remove_blocking_rules", remedy, name)
    return names


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
        rules.setdefault(key, WantedRule(key, wanted.name_prefix + label, protocol, port, **more))

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
