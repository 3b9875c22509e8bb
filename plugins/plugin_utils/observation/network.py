# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Section `network`: interfaces, routes, resolvers, the hosts file, the TLS client (docs/observation-endpoints.md).

Pure; raises ShapeError.
"""

from __future__ import annotations

import dataclasses

from ansible_collections.edefter.ready.plugins.plugin_utils import shape
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.envelope import Fault, optional_fault
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.values import canonical, words


@dataclasses.dataclass(frozen=True)
class Interface:
    """One network interface; addresses are canonical and without their prefix length."""

    name: str
    description: str
    type: str
    up: bool
    addresses: tuple[str, ...]
    gateways: tuple[str, ...]
    dhcp: bool | None


@dataclasses.dataclass(frozen=True)
class HostsEntry:
    """One line of the hosts file that names one of the endpoints."""

    address: str
    names: tuple[str, ...]
    line: int


@dataclasses.dataclass(frozen=True)
class NamePolicy:
    """One rule of the name resolution policy table: names that go to resolvers of their own."""

    names: tuple[str, ...]
    servers: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class TlsClient:
    """What the host's TLS client may offer, from SChannel's and .NET's settings; None: not set, or not Windows."""

    tls12: bool | None
    tls13: bool | None
    strong_crypto: bool | None
    system_default: bool | None


@dataclasses.dataclass(frozen=True)
class Network:
    """The section. default_route4/6: None when it cannot be known."""

    interfaces: tuple[Interface, ...]
    resolvers: tuple[str, ...]
    gateways: tuple[str, ...]
    default_route4: bool | None
    default_route6: bool | None
    hosts_path: str
    hosts_error: Fault | None
    hosts_entries: tuple[HostsEntry, ...]
    name_policy: tuple[NamePolicy, ...]
    tls_client: TlsClient


def _interface_address(raw: object, path: str) -> str:
    value = shape.mapping(raw, path).get("address")
    return canonical(shape.text(value, f"{path}.address", 80)) or ""


def _interface(raw: object, path: str) -> Interface:
    m = shape.mapping(raw, path)
    found = shape.each(m.get("addresses"), f"{path}.addresses", _interface_address, 128)
    return Interface(
        name=shape.text(m.get("name"), f"{path}.name", 200),
        description=shape.text(m.get("description") or "", f"{path}.description", 300),
        type=shape.text(m.get("type") or "other", f"{path}.type", 20),
        up=shape.boolean(m.get("up"), f"{path}.up"),
        addresses=tuple(address for address in found if address),
        gateways=words(m.get("gateways"), f"{path}.gateways", 32, 80),
        dhcp=shape.optional_boolean(m.get("dhcp"), f"{path}.dhcp"),
    )


def _hosts_entry(raw: object, path: str) -> HostsEntry:
    m = shape.mapping(raw, path)
    return HostsEntry(
        address=shape.text(m.get("address"), f"{path}.address", 80),
        names=words(m.get("names"), f"{path}.names", 64),
        line=shape.integer(m.get("line", 0), f"{path}.line", 0),
    )


def _name_policy(raw: object, path: str) -> NamePolicy:
    m = shape.mapping(raw, path)
    return NamePolicy(words(m.get("names"), f"{path}.names", 128), words(m.get("servers"), f"{path}.servers", 32))


def _tls_client(raw: object, path: str) -> TlsClient:
    m = shape.optional_mapping(raw, path) or {}
    return TlsClient(
        **{
            key: shape.optional_boolean(m.get(key), f"{path}.{key}")
            for key in ("tls12", "tls13", "strong_crypto", "system_default")
        }
    )


def parse_network(raw: object) -> Network:
    """Reads the section's data. Raises ShapeError."""
    m = shape.mapping(raw, "network")
    route = shape.optional_mapping(m.get("default_route"), "network.default_route") or {}
    hosts = shape.optional_mapping(m.get("hosts_file"), "network.hosts_file") or {}
    return Network(
        interfaces=shape.each(m.get("interfaces"), "network.interfaces", _interface, 64),
        resolvers=words(m.get("resolvers"), "network.resolvers", 64, 80),
        gateways=words(m.get("gateways"), "network.gateways", 64, 80),
        default_route4=shape.optional_boolean(route.get("4"), "network.default_route.4"),
        default_route6=shape.optional_boolean(route.get("6"), "network.default_route.6"),
        hosts_path=shape.text(hosts.get("path") or "", "network.hosts_file.path", 300),
        hosts_error=optional_fault(hosts.get("error"), "network.hosts_file.error"),
        hosts_entries=shape.each(hosts.get("entries"), "network.hosts_file.entries", _hosts_entry, 128),
        name_policy=shape.each(m.get("name_policy"), "network.name_policy", _name_policy, 128),
        tls_client=_tls_client(m.get("tls_client"), "network.tls_client"),
    )
