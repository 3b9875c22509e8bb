# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's own outbound firewall, in force: what registry says (profiles, policy, rules) becomes routing rules of
its namespace, so that a forbidden connection fails at once with EACCES, as WFP's WSAEACCES does, and an allowed one
really goes out.

Approximation: rules with a program or service hold for nobody here, except DNS and DHCP clients (everybody's),
w32time (sockets with its mark, see sntp.py) and PowerShell (our modules). ICMP and protocols other than TCP and UDP
are left alone.
"""

from __future__ import annotations

import ipaddress
import re
import subprocess
from collections.abc import Iterator
from typing import Any

from windows_double import fwrules, sntp
from windows_double.fwrules import Rule
from windows_double.host import Host

LOCAL = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\SharedAccess\\Parameters\\FirewallPolicy"
POLICY = "HKLM\\SOFTWARE\\Policies\\Microsoft\\WindowsFirewall"
_LOCAL_NAMES = {"domain": "DomainProfile", "private": "StandardProfile", "public": "PublicProfile"}
_POLICY_NAMES = {"domain": "DomainProfile", "private": "PrivateProfile", "public": "PublicProfile"}
_EVERYBODY = {"dnscache", "dhcp"}
#: Our routing rules have these preferences: after the lab's faults, before the main table.
_FIRST, _ALLOW, _LAST = 31000, 31400, 31900
_KEPT = {"platform", "platform2", "lom", "lsm"}


def setting(host: Host, profile: str, name: str, fallback: int) -> int:
    """A profile value: policy first, then local, then what Windows does without one."""
    value = host.registry.data(f"{POLICY}\\{_POLICY_NAMES[profile]}", name)
    if (
        value is None
        and not any(host.registry.exists(f"{POLICY}\\{_POLICY_NAMES[p]}") for p in ("private", "public"))
        and profile != "domain"
    ):
        value = host.registry.data(f"{POLICY}\\StandardProfile", name)
    if value is None:
        value = host.registry.data(f"{LOCAL}\\{_LOCAL_NAMES[profile]}", name, fallback)
    return int(value)


def rules(host: Host, profile: str) -> Iterator[Rule]:
    """Active outbound rules of all stores that count for the profile."""
    stores = [f"{POLICY}\\FirewallRules", f"{LOCAL}\\Mdm\\FirewallRules"]
    merge = host.registry.data(f"{POLICY}\\{_POLICY_NAMES[profile]}", "AllowLocalPolicyMerge", 1)
    if merge != 0:
        stores.append(fwrules.RULES)
    bit = fwrules.PROFILES[profile.capitalize()]
    for store in stores:
        for value in host.registry.values(store).values():
            rule = fwrules.from_string(str(value.data))
            if rule.enabled and rule.direction == 2 and rule.profiles & bit:
                yield rule


def routing_rules(host: Host) -> list[tuple[int, str]]:
    """(family 4 or 6, `ip rule` selector and action) in order; empty when the firewall lets everything out."""
    profile = host.firewall_profiles[0]
    if setting(host, profile, "EnableFirewall", 1) == 0:
        return []
    blocks: list[tuple[int, str]] = []
    allows: list[tuple[int, str]] = []
    for rule in rules(host, profile):
        (blocks if rule.action == 0 else allows).extend(_selectors(rule))
    result = [(family, _FIRST + i, f"{selector} prohibit") for i, (family, selector) in enumerate(blocks)]
    if setting(host, profile, "DefaultOutboundAction", 0) == 1:
        result += [(family, _ALLOW + i, f"{selector} lookup main") for i, (family, selector) in enumerate(allows)]
        result += [(family, _LAST, f"ipproto {protocol} prohibit") for family in (4, 6) for protocol in ("tcp", "udp")]
    return [(family, f"pref {preference} {text}") for family, preference, text in result]


def _selectors(rule: Rule) -> Iterator[tuple[int, str]]:
    """The rule as selectors; none when it does not hold for our modules or the time service."""
    service = (rule.service or "").lower()
    program = (rule.program or "").lower().rsplit("\\", 1)[-1]
    mark = ""
    if (
        any(key.lower() not in _KEPT for key, _ in rule.rest)
        or rule.interface_types != "All"
        or rule.local_addresses != "*"
    ):
        return
    if service == "w32time" or (program == "svchost.exe" and not service):
        mark = f"fwmark {sntp.SERVICE_MARK:#x} "
    elif service not in {"", "*", *_EVERYBODY} or (not service and program not in ("", "powershell.exe")):
        return
    if rule.protocol not in (fwrules.TCP, fwrules.UDP, fwrules.ANY_PROTOCOL) or (
        (rule.local_ports or "*") != "*" and service not in _EVERYBODY
    ):
        return
    protocols = {fwrules.TCP: ["tcp"], fwrules.UDP: ["udp"]}.get(rule.protocol, ["tcp", "udp"])
    ports = (rule.remote_ports or "*").split(",")
    for protocol in protocols:
        for port in ports:
            if port != "*" and not re.fullmatch(r"\d+(-\d+)?", port):
                continue
            dport = "" if port == "*" else f"dport {port} "
            for family, target in _targets(rule.remote_addresses):
                yield family, f"{mark}{target}ipproto {protocol} {dport}".strip()


def _targets(addresses: str) -> Iterator[tuple[int, str]]:
    if addresses == "*":
        yield 4, ""
        yield 6, ""
        return
    for part in addresses.split(","):
        try:
            if "-" in part:
                low, _, high = part.partition("-")
                ends = ipaddress.ip_address(low), ipaddress.ip_address(high)
                networks: list[Any] = list(ipaddress.summarize_address_range(*ends))
            else:
                networks = [ipaddress.ip_network(part, strict=False)]
        except (ValueError, TypeError):
            # A keyword such as LocalSubnet: never a public address.
            continue
        for network in networks:
            yield network.version, f"to {network} "


def enforce(host: Host) -> None:
    """Put the firewall of a host in force in its namespace; a host without one is left alone."""
    if host.netns is None:
        return
    for family in (4, 6):
        lines = [f"rule del pref {number}" for number in _present(host.netns, family)]
        lines += [f"rule add {text}" for of, text in routing_rules(host) if of == family]
        if lines:
            _ip(host.netns, family, ["-batch", "-"], "\n".join(lines) + "\n")


def _present(netns: str, family: int) -> list[int]:
    listed = _ip(netns, family, ["rule", "show"], "")
    numbers = [int(line.split(":", 1)[0]) for line in listed.splitlines()]
    return [number for number in numbers if _FIRST <= number <= _LAST]


def _ip(netns: str, family: int, words: list[str], text: str) -> str:
    return subprocess.run(
        ["ip", f"-{family}", "-n", netns, *words], input=text, capture_output=True, text=True, check=True
    ).stdout
