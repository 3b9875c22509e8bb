# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the perimeter has to let out, and how a device's export is put together. Pure."""

from __future__ import annotations

import dataclasses
import hashlib
import ipaddress
import re
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils import catalog, messages
from ansible_collections.edefter.ready.plugins.plugin_utils.option_reader import OptionReader, defaults

MARK = "edefter.ready"
"""Stands in the comment of every object, so that all of them are found again (and taken away)."""
PRIVATE_NETS = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
_PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,11}")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,30}")


@dataclasses.dataclass(frozen=True)
class Target:
    """One name to let out. pattern: `*.x` or a host. hosts: the hosts known below it, for devices without wildcards."""

    pattern: str
    hosts: tuple[str, ...]
    ports: tuple[int, ...]
    protocol: str = "tcp"
    required: bool = True
    purpose_tr: str = ""
    purpose_en: str = ""

    @property
    def wildcard(self) -> bool:
        """True when the pattern stands for a whole domain."""
        return self.pattern.startswith("*.")

    @property
    def domain(self) -> str:
        """The pattern without its `*.`."""
        return self.pattern.removeprefix("*.")


@dataclasses.dataclass(frozen=True)
class PortGroup:
    """The targets that need the same ports: one rule on the device, so that no name gets a port it does not need."""

    protocol: str
    ports: tuple[int, ...]
    targets: tuple[Target, ...]

    @property
    def key(self) -> str:
        """`tcp_443_4443`."""
        return "_".join([self.protocol, *map(str, self.ports)])

    @property
    def domains(self) -> tuple[Target, ...]:
        """The targets without those that a wildcard of the same group covers."""
        wide = [target.domain for target in self.targets if target.wildcard]
        return tuple(
            target
            for target in self.targets
            if target.wildcard or not any(target.pattern.endswith(f".{domain}") for domain in wide)
        )

    @property
    def hosts(self) -> tuple[str, ...]:
        """Every known host, in order, once."""
        return tuple(dict.fromkeys(host for target in self.targets for host in target.hosts))


@dataclasses.dataclass(frozen=True)
class Options:
    """How objects are called and what the device is like.

    prefix: of object names. clients: networks of the PCs. dns_server: the resolver that MikroTik forwards to. inside,
    outside: interface
    names (FortiGate, ASA access list). nft_table: table of family inet that the nftables list joins.
    """

    prefix: str = "edefter"
    clients: tuple[str, ...] = PRIVATE_NETS
    dns_server: str = ""
    inside: str = "any"
    outside: str = "any"
    nft_table: str = "filter"

    @classmethod
    def from_options(cls, given: t.Mapping[str, t.Any] | None = None) -> Options:
        """From the user's dictionary. Raises OptionError."""
        reader = OptionReader("perimeter", given, defaults(cls))
        words = {
            key: reader.text(key, _WORD, "use letters, digits, dot, dash and underscore")
            for key in ("inside", "outside", "nft_table")
        }
        return cls(
            prefix=reader.text("prefix", _PREFIX, "use at most 12 letters, digits, dash, underscore"),
            clients=_networks(reader),
            dns_server=_address(reader),
            **words,
        )


def _networks(reader: OptionReader) -> tuple[str, ...]:
    items = reader.items("clients", "networks such as 192.168.1.0/24")
    if not items:
        raise reader.refused("clients", "give a list of networks such as 192.168.1.0/24")
    result = []
    for item in items:
        try:
            result.append(str(ipaddress.ip_network(item, strict=False)))
        except ValueError as error:
            raise reader.refused("clients", "give a network such as 192.168.1.0/24", item) from error
    return tuple(result)


def _address(reader: OptionReader) -> str:
    if not reader["dns_server"]:
        return ""
    try:
        return str(ipaddress.ip_address(str(reader["dns_server"])))
    except ValueError as error:
        raise reader.refused("dns_server", "give an IP address") from error


@dataclasses.dataclass(frozen=True)
class Export:
    """What one device gets. files: (name, content). warnings: {"tr", "en"}. rollback: how to take it away again."""

    device: str
    files: tuple[tuple[str, str], ...]
    warnings: tuple[dict[str, str], ...] = ()
    rollback: str = ""


def targets(endpoints: t.Iterable[catalog.Endpoint], sources: t.Iterable[catalog.TimeSource]) -> tuple[Target, ...]:
    """The catalogue as targets: by the pattern that the vendor asks for; NTP sources as UDP targets."""
    by_pattern: dict[str, list[catalog.Endpoint]] = {}
    for endpoint in endpoints:
        by_pattern.setdefault(endpoint.allow or endpoint.host, []).append(endpoint)
    result = [
        Target(
            pattern=pattern,
            hosts=tuple(dict.fromkeys(e.host for e in group)),
            ports=tuple(sorted({e.port for e in group})),
            required=any(e.required for e in group),
            purpose_tr="; ".join(dict.fromkeys(e.purpose_tr for e in group if e.purpose_tr)),
            purpose_en="; ".join(dict.fromkeys(e.purpose_en for e in group if e.purpose_en)),
        )
        for pattern, group in by_pattern.items()
    ]
    result += [
        Target(
            pattern=source.host,
            hosts=(source.host,),
            ports=(source.port,),
            protocol="udp",
            purpose_tr="Saat eşitleme (NTP)",
            purpose_en="Clock synchronisation (NTP)",
        )
        for source in sources
        if source.kind == "ntp"
    ]
    return tuple(result)


def groups(wanted: t.Iterable[Target]) -> tuple[PortGroup, ...]:
    """Targets by protocol and ports, TCP first."""
    found: dict[tuple[str, tuple[int, ...]], list[Target]] = {}
    for target in wanted:
        found.setdefault((target.protocol, target.ports), []).append(target)
    return tuple(PortGroup(key[0], key[1], tuple(found[key])) for key in sorted(found))


def safe_name(text: str, limit: int, extra: str = "") -> str:
    """A name of ASCII letters, digits and `extra`, else `_`; too long: cut, with a digest so that two stay two."""
    name = "".join(c if c.isascii() and (c.isalnum() or c in extra) else "_" for c in text)
    if len(name) > limit:
        name = f"{name[: limit - 7]}_{hashlib.sha256(text.encode()).hexdigest()[:6]}"
    return name


def warning(cause: str, **params: str) -> dict[str, str]:
    """A warning in every language, from the catalogue of messages."""
    return messages.render(f"perimeter.{cause}", "title", params)


def skipped_wildcards(wanted: t.Iterable[Target]) -> tuple[dict[str, str], ...]:
    """For devices without wildcards: which hosts stand in for which pattern."""
    return tuple(
        warning("no_wildcard", pattern=target.pattern, hosts=", ".join(target.hosts))
        for target in wanted
        if target.wildcard
    )
