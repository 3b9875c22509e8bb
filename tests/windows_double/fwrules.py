# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows firewall rules: the registry's rule string (MS-GPFAS) and the properties that COM shows of it, both ways."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

RULES = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\SharedAccess\\Parameters\\FirewallPolicy\\FirewallRules"
VERSION = "v2.33"
ALL_PROFILES = 0x7FFFFFFF
PROFILES = {"Domain": 1, "Private": 2, "Public": 4}
ANY_PROTOCOL = 256
TCP, UDP = 6, 17


class RuleError(ValueError):
    """What COM answers with an HRESULT; the message names it as the module prints it."""


def parse(text: str) -> list[tuple[str, str]]:
    """Fields of a rule string in order; the version comes as ("", "v2.33")."""
    head, *fields = text.split("|")
    return [("", head), *((key, value) for key, _, value in (field.partition("=") for field in fields if field))]


@dataclass(frozen=True)
class Rule:
    """A rule as INetFwRule shows it, plus `rest`: fields that COM does not show, kept as they are."""

    name: str | None = None
    description: str | None = None
    direction: int = 1
    action: int = 1
    program: str | None = None
    group: str | None = None
    service: str | None = None
    enabled: bool = False
    profiles: int = ALL_PROFILES
    local_addresses: str = "*"
    remote_addresses: str = "*"
    local_ports: str | None = None
    remote_ports: str | None = None
    protocol: int = ANY_PROTOCOL
    interface_types: str = "All"
    edge: int = 0
    secure: int = 0
    icmp: str | None = None
    rest: tuple[tuple[str, str], ...] = ()

    def with_protocol(self, protocol: int) -> Rule:
        """COM's Protocol setter: it resets ports to what the protocol allows."""
        ports = "*" if protocol in (TCP, UDP) else None
        return replace(
            self, protocol=protocol, local_ports=ports, remote_ports=ports, icmp="*" if protocol in (1, 58) else None
        )

    def with_ports(self, field: str, value: str) -> Rule:
        """COM's LocalPorts and RemotePorts setters: only TCP and UDP have ports."""
        if self.protocol not in (TCP, UDP):
            raise RuleError(
                "Value does not fall within the expected range. (0x80070057: set the protocol to tcp or udp first)"
            )
        for part in value.split(","):
            low, _, high = part.partition("-")
            named = part in ("*", "RPC", "RPC-EPMap", "IPHTTPS", "Teredo", "Ply2Disc")
            numbers = all(n.isascii() and n.isdigit() and int(n) <= 65535 for n in ([low, high] if high else [low]))
            if not named and not numbers:
                raise RuleError(f"Value does not fall within the expected range. (port {part!r})")
        return replace(self, **{field: value})  # type: ignore[arg-type]


def from_string(text: str) -> Rule:
    """What COM shows of a stored rule."""
    one: dict[str, str] = {}
    many: dict[str, list[str]] = {}
    rest = []
    known_one = {"action", "active", "dir", "protocol", "app", "svc", "name", "desc", "embedctxt", "edge", "defer"}
    known_many = {
        "profile",
        "lport",
        "rport",
        "lport2_10",
        "rport2_10",
        "la4",
        "la6",
        "ra4",
        "ra6",
        "icmp4",
        "icmp6",
        "iftype",
    }
    for key, value in parse(text)[1:]:
        lower = key.lower()
        if lower in known_one:
            one[lower] = value
        elif lower in known_many:
            many.setdefault(lower, []).append(value)
        else:
            rest.append((key, value))
    protocol = int(one.get("protocol", ANY_PROTOCOL))
    has_ports = protocol in (TCP, UDP)

    def joined(*keys: str) -> str:
        return ",".join(value for key in keys for value in many.get(key, []))

    profiles = sum(PROFILES.get(name, 0) for name in many.get("profile", []))
    edge = {"true": 1}.get(one.get("edge", "").lower(), 0)
    if "defer" in one:
        edge = 3 if one["defer"].lower() == "user" else 2
    return Rule(
        name=one.get("name"),
        description=one.get("desc"),
        direction=2 if one.get("dir", "In").lower() == "out" else 1,
        action=0 if one.get("action", "Allow").lower() == "block" else 1,
        program=one.get("app"),
        group=one.get("embedctxt"),
        service=one.get("svc"),
        enabled=one.get("active", "FALSE").upper() == "TRUE",
        profiles=profiles or ALL_PROFILES,
        local_addresses=_com_addresses(joined("la4", "la6")),
        remote_addresses=_com_addresses(joined("ra4", "ra6")),
        local_ports=(joined("lport", "lport2_10") or "*") if has_ports else None,
        remote_ports=(joined("rport", "rport2_10") or "*") if has_ports else None,
        protocol=protocol,
        interface_types=",".join(many.get("iftype", [])) or "All",
        edge=edge,
        icmp=(joined("icmp4", "icmp6") or "*") if protocol in (1, 58) else None,
        rest=tuple(rest),
    )


def to_string(rule: Rule) -> str:
    """The string that Windows stores for a rule."""
    fields: list[tuple[str, str]] = [
        ("Action", "Block" if rule.action == 0 else "Allow"),
        ("Active", "TRUE" if rule.enabled else "FALSE"),
        ("Dir", "Out" if rule.direction == 2 else "In"),
    ]
    if rule.protocol != ANY_PROTOCOL:
        fields.append(("Protocol", str(rule.protocol)))
    if rule.profiles != ALL_PROFILES:
        fields += [("Profile", name) for name, bit in PROFILES.items() if rule.profiles & bit]
    for key, ports in (("LPort", rule.local_ports), ("RPort", rule.remote_ports)):
        for part in (ports or "*").split(","):
            if part != "*":
                later = (part[0].isdigit() and "-" in part) or part.startswith(("IPTLS", "IPHTTPS"))
                fields.append((f"{key}2_10" if later else key, part))
    for key, addresses in (("LA", rule.local_addresses), ("RA", rule.remote_addresses)):
        for part in addresses.split(","):
            if part == "LocalSubnet":
                fields += [(f"{key}{family}", part) for family in (4, 6) if (family, rule.protocol) != (6, 1)]
            elif part != "*":
                fields.append((f"{key}6" if ":" in part else f"{key}4", _stored(part)))
    if rule.icmp and rule.icmp != "*":
        fields += [("ICMP6" if rule.protocol == 58 else "ICMP4", part) for part in rule.icmp.split(",")]
    fields += [("IFType", part) for part in rule.interface_types.split(",") if part != "All"]
    for key, value in (
        ("App", rule.program),
        ("Svc", rule.service),
        ("Name", rule.name),
        ("Desc", rule.description),
        ("EmbedCtxt", rule.group),
    ):
        if value:
            fields.append((key, value))
    if rule.edge == 1:
        fields.append(("Edge", "TRUE"))
    elif rule.edge:
        fields.append(("Defer", "User" if rule.edge == 3 else "App"))
    fields += list(rule.rest)
    return VERSION + "|" + "".join(f"{key}={value}|" for key, value in fields)


def check_text(what: str, value: str | None) -> None:
    """Name and description take no pipe; the name is not "all"."""
    if value is not None and ("|" in value or (what == "name" and value.lower() == "all")):
        raise RuleError(f"Value does not fall within the expected range. ({what} {value!r})")


def com_addresses(given: str) -> str:
    """COM's address setters: single addresses get a mask; host names and blanks are refused."""
    parts = given.split(",")
    for part in parts:
        if part.lower() in ("*", "localsubnet", "dns", "dhcp", "wins", "defaultgateway", "internet", "intranet"):
            continue
        if not part or any(c not in "0123456789abcdefABCDEF.:/-" for c in part):
            raise RuleError(f"Value does not fall within the expected range. (address {part!r})")
    return _com_addresses(",".join(parts))


def _com_addresses(stored: str) -> str:
    if not stored:
        return "*"
    shown: list[str] = []
    for part in stored.split(","):
        text = part
        if "." in part and not any(c in part for c in "/-:") and part[0].isdigit():
            text = f"{part}/255.255.255.255"
        elif ":" in part and not any(c in part for c in "/-"):
            text = f"{part}-{part}"
        if text not in shown:
            shown.append(text)
    return ",".join(shown)


def _stored(shown: str) -> str:
    """A single address is stored without the mask or the range that COM shows."""
    low, _, high = shown.partition("-")
    return low if low == high else shown.removesuffix("/255.255.255.255")


def properties(rule: Rule) -> dict[str, Any]:
    """By COM's property names, in the order in which win_firewall_rule compares and prints them."""
    return {
        "Description": rule.description,
        "Direction": rule.direction,
        "Action": rule.action,
        "ApplicationName": rule.program,
        "Grouping": rule.group,
        "ServiceName": rule.service,
        "Enabled": rule.enabled,
        "Profiles": rule.profiles,
        "LocalAddresses": rule.local_addresses,
        "RemoteAddresses": rule.remote_addresses,
        "LocalPorts": rule.local_ports,
        "RemotePorts": rule.remote_ports,
        "Protocol": rule.protocol,
        "InterfaceTypes": rule.interface_types,
        "EdgeTraversalOptions": rule.edge,
        "SecureFlags": rule.secure,
        "IcmpTypesAndCodes": rule.icmp,
    }
