# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does a rule match a connection? Yes, no, or it depends, and then on what. Pure."""

from __future__ import annotations

import dataclasses
import enum
import functools
import ipaddress
import re
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils.winfw import grammar
from ansible_collections.edefter.ready.plugins.plugin_utils.winfw.grammar import fold
from ansible_collections.edefter.ready.plugins.plugin_utils.winfw.rule import Addresses, Ports, Rule

_BACKSLASHES = re.compile(r"\\+")


class Match(enum.IntEnum):
    """How surely a rule matches; the order makes min() mean "and", max() mean "or"."""

    NO = 0
    MAYBE = 1
    YES = 2


@dataclasses.dataclass(frozen=True)
class Subject:
    """Who connects. None: not known, so it may be anybody; "": surely none (an ordinary desktop program is no service
    and in no package).

    program: path of the executable, environment variables allowed. service: short name. package: family name or SID.
    third_party: with an unknown program, that it surely is none of Windows' own below %SystemRoot%.
    candidates: with an unknown program, that it is one of these (paths, or names of files wherever they are).
    """

    program: str | None = None
    service: str | None = None
    package: str | None = None
    third_party: bool = False
    candidates: tuple[str, ...] = ()


ANYBODY = Subject()
DESKTOP = Subject(service="", package="")
"""Some desktop program: not a service, not a Store app."""
EDEFTER = Subject(service="", package="", third_party=True)
"""The program that sends ledgers, by whatever name: none of Windows' own."""
PROBE = Subject(
    service="",
    package="",
    candidates=(
        r"%SystemRoot%\System32\WindowsPowerShell\v1.0\powershell.exe",
        r"%SystemRoot%\SysWOW64\WindowsPowerShell\v1.0\powershell.exe",
        r"%SystemRoot%\System32\wsmprovhost.exe",
        "pwsh.exe",
        "edefter-kontrol.exe",
    ),
)
"""Whoever runs our observer: PowerShell (over WinRM, PSRP, SSH) or the offline check."""
TIME_SERVICE = Subject(r"%SystemRoot%\System32\svchost.exe", "W32Time", "")
DNS_CLIENT = Subject(r"%SystemRoot%\System32\svchost.exe", "Dnscache", "")

# Windows hands out source ports from here up (netsh refuses a dynamic range that begins lower).
EPHEMERAL = (1025, 65535)
NTP_SOURCE = (123, 123)


@dataclasses.dataclass(frozen=True)
class Query:
    """One outbound connection. address None: the name was not resolved. protocol: 6 or 17."""

    port: int
    address: str | None = None
    protocol: int = grammar.PROTOCOL_TCP
    subject: Subject = DESKTOP
    source_ports: tuple[int, int] = EPHEMERAL


@dataclasses.dataclass(frozen=True)
class Condition:
    """On what a verdict depends: a rule's key and value."""

    rule_id: str
    store: str
    key: str
    value: str


@dataclasses.dataclass(frozen=True)
class Target:
    """An address, read once: version, number, and whether it is a public one."""

    version: int
    number: int
    public: bool


@functools.lru_cache(maxsize=4096)
def target(address: str) -> Target | None:
    """None when the text is no address. An IPv4 address mapped into IPv6 is the IPv4 address that goes on the wire."""
    try:
        read = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    if isinstance(read, ipaddress.IPv6Address) and read.ipv4_mapped is not None:
        read = read.ipv4_mapped
    return Target(read.version, int(read), read.is_global)


# (how surely, on what)
Result = tuple[Match, tuple[tuple[str, str], ...]]
_YES: Result = (Match.YES, ())
_NO: Result = (Match.NO, ())


def match_static(rule: Rule, query: Query) -> Result:
    """All but the remote address and the profile: what stays the same over the addresses of an endpoint."""
    if rule.protocol is not None and rule.protocol != query.protocol:
        return _NO
    depends: list[tuple[str, str]] = []
    if rule.remote_ports is not None:
        match = _ports(rule.remote_ports, query.port, query.port)
        if match is Match.NO:
            if not loose(rule, "value:Port"):
                return _NO
        elif match is Match.MAYBE:
            depends.append(("RPort", ",".join(rule.remote_ports.words)))
    if rule.local_ports is not None:
        match = _ports(rule.local_ports, *query.source_ports)
        if match is Match.NO:
            if not loose(rule, "value:Port"):
                return _NO
        elif match is Match.MAYBE:
            depends.append(("LPort", _show_ports(rule.local_ports)))
    if rule.local_addresses is not None:
        depends.append(("LA", "local address"))
    if rule.conditions:
        for key, value in rule.conditions:
            match = _CONDITIONS[key](value, query.subject) if key in _CONDITIONS else Match.MAYBE
            if match is Match.NO:
                return _NO
            if match is Match.MAYBE:
                depends.append((key, value))
    depends += [(key, "?") for key in rule.unknown]
    depends += [(problem, "?") for problem in rule.problems]
    return (Match.MAYBE, tuple(depends)) if depends else _YES


def match_address(remote: Addresses | None, where: Target | None, dynamic: bool = False) -> Match:
    """The remote address. where None: not known. dynamic: the rule names dynamic keywords beside its addresses."""
    if remote is None:
        return Match.YES
    if where is None:
        return Match.MAYBE
    v4 = where.version == 4
    if not (remote.has4 if v4 else remote.has6):
        return Match.MAYBE if dynamic else Match.NO
    number = where.number
    for low, high in remote.ranges4 if v4 else remote.ranges6:
        if low <= number <= high:
            return Match.YES
    for word in remote.words4 if v4 else remote.words6:
        if word in grammar.FAR_WORDS or not where.public:
            return Match.MAYBE
    return Match.MAYBE if dynamic else Match.NO


def loose(rule: Rule, problem: str) -> bool:
    """True when a list of the rule may hold more than was read: a value of it was not readable, or the string is
    cut."""
    return bool(rule.problems) and any(p.startswith(problem) or p == "unfinished" for p in rule.problems)


def _ports(ports: Ports, low: int, high: int) -> Match:
    """Ports against the range that the connection's port is from: one number, or the dynamic range."""
    best = Match.NO
    for first, last in ports.ranges:
        if first <= low and high <= last:
            return Match.YES
        if first <= high and low <= last:
            best = Match.MAYBE
    # Port words name what another component registers (IPHTTPSOut, Teredo): which number that is, the string does not
    # say.
    return Match.MAYBE if ports.words else best


def _show_ports(ports: Ports) -> str:
    return ",".join([*(str(a) if a == b else f"{a}-{b}" for a, b in ports.ranges), *ports.words])


_ROOTS = (
    (re.compile(r"(?:[a-z]:\\windows|%windir%|%systemroot%)\\"), "%systemroot%\\"),
    (re.compile(r"(?:[a-z]:\\program files \(x86\)|%programfiles\(x86\)%)\\"), "%programfiles(x86)%\\"),
    (re.compile(r"(?:[a-z]:\\program files|%programfiles%|%programw6432%)\\"), "%programfiles%\\"),
    (re.compile(r"(?:[a-z]:\\programdata|%programdata%|%allusersprofile%)\\"), "%programdata%\\"),
)


def _small(path: str) -> str:
    """Lower case as file systems see it: letter by letter, and without the dotted and dotless i of Turkish."""
    if path.isascii():
        return path.lower()
    return "".join(c if c in "ıİ" or len(c.lower()) != 1 else c.lower() for c in path)


@functools.lru_cache(maxsize=4096)
def normal_path(path: str) -> str:
    """A path for comparison: folded, one kind of slash, the usual folders under their variable's name."""
    text = _BACKSLASHES.sub(r"\\", _small(path.strip().strip('"')).replace("/", "\\"))
    for pattern, name in _ROOTS:
        match = pattern.match(text)
        if match:
            return name + text[match.end() :]
    return text


def _program(value: str, subject: Subject) -> Match:
    if fold(value) == "system":
        # The kernel itself: no program runs as it.
        return Match.NO if subject.program is not None or subject.service == "" else Match.MAYBE
    if subject.program is None and subject.candidates:
        path = normal_path(value)
        return Match.MAYBE if any(_is(path, candidate) for candidate in subject.candidates) else Match.NO
    if subject.program is None:
        own = subject.third_party and normal_path(value).startswith("%systemroot%\\")
        return Match.NO if own else Match.MAYBE
    if subject.program == "":
        return Match.NO
    return Match.YES if normal_path(value) == normal_path(subject.program) else Match.NO


def _is(path: str, candidate: str) -> bool:
    """A normal path is that of the candidate, or ends in its file name when it has no folder."""
    return path == normal_path(candidate) if "\\" in candidate else path.rsplit("\\", 1)[-1] == fold(candidate)


def _service(value: str, subject: Subject) -> Match:
    if subject.service is None:
        return Match.MAYBE
    if subject.service == "":
        return Match.NO
    return Match.YES if value == "*" or fold(value) == fold(subject.service) else Match.NO


def _package(value: str, subject: Subject) -> Match:
    if subject.package is None:
        return Match.MAYBE
    if subject.package == "":
        return Match.NO
    return Match.YES if fold(value) == fold(subject.package) else Match.MAYBE


_CONDITIONS: t.Mapping[str, t.Callable[[str, Subject], Match]] = {
    "App": _program,
    "Svc": _service,
    "AppPkgId": _package,
    "PFN": _package,
}
