# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""community.windows.win_firewall_rule, with the manners of the real one: matches by name alone, compares property by
property in its order (ports before the protocol), stores genuine rule strings. Options that its documentation does
not name are
refused."""

from __future__ import annotations

import re
import uuid
from dataclasses import replace
from typing import Any

from windows_double import effects, fwrules
from windows_double.fwrules import RULES, Rule, RuleError
from windows_double.host import Host
from windows_double.task import ModuleFailed, Task

NAME = "community.windows.win_firewall_rule"
BASIC = False
_PROTOCOLS = {"tcp": 6, "udp": 17}
#: COM property -> (option of the module, field of Rule), in the module's order.
_COMPARED = {
    "Description": ("description", "description"),
    "Direction": ("direction", "direction"),
    "Action": ("action", "action"),
    "ApplicationName": ("program", "program"),
    "Grouping": ("group", "group"),
    "ServiceName": ("service", "service"),
    "Enabled": ("enabled", "enabled"),
    "Profiles": ("profiles", "profiles"),
    "LocalAddresses": ("localip", "local_addresses"),
    "RemoteAddresses": ("remoteip", "remote_addresses"),
    "LocalPorts": ("localport", "local_ports"),
    "RemotePorts": ("remoteport", "remote_ports"),
    "Protocol": ("protocol", "protocol"),
    "IcmpTypesAndCodes": ("icmp_type_code", "icmp"),
}


def run(host: Host, task: Task) -> dict[str, Any]:
    """state present or absent of rules by name, or by group."""
    args = task.args
    if not args["name"] and not args["group"]:
        raise ModuleFailed("Either name or group must be specified")
    result: dict[str, Any] = {"changed": False, "diff": {"prepared": ""}}
    try:
        wanted = _wanted(args)
        existing = {
            name: fwrules.from_string(value.data)
            for name, value in host.registry.values(RULES).items()
            if isinstance(value.data, str)
        }
        if args["name"]:
            existing = {
                key: rule for key, rule in existing.items() if (rule.name or "").lower() == args["name"].lower()
            }
        else:
            existing = {
                key: rule for key, rule in existing.items() if (rule.group or "").lower() == args["group"].lower()
            }
        if args["state"] == "absent":
            _absent(host, task, existing, result)
        else:
            _present(host, task, existing, wanted, result)
    except RuleError as error:
        raise ModuleFailed(str(error), **result) from error
    if result["changed"] and not task.check:
        effects.firewall_changed(host)
    return result


def _wanted(args: dict[str, Any]) -> Rule:
    for what in ("name", "description", "group"):
        fwrules.check_text(what, args[what])
    rule = Rule(name=args["name"], description=args["description"], group=args["group"])
    rule = replace(rule, enabled=True if args["enabled"] is None else args["enabled"])
    if args["program"] not in (None, "any"):
        rule = replace(rule, program=_expanded(args["program"]))
    if args["service"] not in (None, "any"):
        rule = replace(rule, service=args["service"])
    if args["protocol"] not in (None, "any"):
        rule = rule.with_protocol(_protocol(args["protocol"]))
    for option, field in (("localport", "local_ports"), ("remoteport", "remote_ports")):
        if args[option] not in (None, "any"):
            rule = rule.with_ports(field, args[option])
    for option, field in (("localip", "local_addresses"), ("remoteip", "remote_addresses")):
        if args[option] not in (None, "any"):
            rule = replace(rule, **{field: fwrules.com_addresses(args[option])})  # type: ignore[arg-type]
    if args["icmp_type_code"]:
        codes = ",".join(args["icmp_type_code"])
        rule = rule if codes == "any" else replace(rule, icmp=codes)
    if args["direction"] is not None:
        rule = replace(rule, direction=2 if args["direction"].lower() == "out" else 1)
    if args["action"] is not None:
        rule = replace(rule, action=0 if args["action"].lower() == "block" else 1)
    if args["profiles"] is not None:
        rule = replace(rule, profiles=_profiles(args["profiles"]))
    return rule


def _expanded(program: str) -> str:
    known = {
        "systemroot": "C:\\WINDOWS",
        "windir": "C:\\WINDOWS",
        "programfiles": "C:\\Program Files",
        "systemdrive": "C:",
    }
    return re.sub(r"%([^%]+)%", lambda m: known.get(m[1].lower(), m[0]), program)


def _protocol(text: str) -> int:
    if re.fullmatch(r"\d+", text):
        return int(text)
    lower = text.lower()
    if lower in _PROTOCOLS:
        return _PROTOCOLS[lower]
    if lower.startswith("icmpv4"):
        return 1
    if lower.startswith("icmpv6"):
        return 58
    raise RuleError(f"Unknown protocol '{text}'.")


def _profiles(names: list[str]) -> int:
    bits = {name.lower(): bit for name, bit in fwrules.PROFILES.items()}
    total = 0
    for name in names:
        if name.lower() not in bits:
            raise RuleError(f"Unknown profile '{name}'.")
        total |= bits[name.lower()]
    return fwrules.ALL_PROFILES if total == 7 else total


def _absent(host: Host, task: Task, existing: dict[str, Rule], result: dict[str, Any]) -> None:
    if not existing:
        one = f"Firewall rule '{task.args['name']}' does not exist."
        result["msg"] = one if task.args["name"] else f"No firewall rules in group '{task.args['group']}' exist."
        return
    for key, rule in existing.items():
        result["diff"]["prepared"] += f"-[{rule.name}]\n" + _lines("-", rule)
        if not task.check:
            host.writable().delete_value(RULES, key)
    result["changed"] = True
    names = "', '".join(rule.name or "" for rule in existing.values())
    result["msg"] = f"Firewall rule(s) '{names}' removed."


def _present(host: Host, task: Task, existing: dict[str, Rule], wanted: Rule, result: dict[str, Any]) -> None:
    if not existing:
        if not task.args["name"]:
            return
        result["diff"]["prepared"] += f"+[{wanted.name}]\n" + _lines("+", wanted)
        if not task.check:
            host.writable().set(RULES, f"{{{str(uuid.uuid4()).upper()}}}", "string", fwrules.to_string(wanted))
        result["changed"] = True
        result["msg"] = f"Firewall rule '{task.args['name']}' created."
        return
    changed: list[str] = []
    unchanged: list[str] = []
    for key, rule in existing.items():
        result["diff"]["prepared"] += f"[{rule.name}]\n"
        after = _adapted(rule, wanted, task, result)
        (unchanged if after is rule else changed).append(rule.name or "")
        if after is not rule and not task.check:
            host.writable().set(RULES, key, "string", fwrules.to_string(after))
    result["changed"] = bool(changed)
    result["msg"] = f"Firewall rule(s) changed '{', '.join(changed)}' - unchanged '{', '.join(unchanged)}'"


def _adapted(rule: Rule, wanted: Rule, task: Task, result: dict[str, Any]) -> Rule:
    """The rule with each differing property set, one COM call after the other, as far as COM lets it."""
    before, target = fwrules.properties(rule), fwrules.properties(wanted)
    for name, (option, field) in _COMPARED.items():
        if task.args[option] is None or _same(name, before[name], target[name]):
            continue
        result["diff"]["prepared"] += f"-{name}='{_shown(before[name])}'\n+{name}='{_shown(target[name])}'\n"
        if task.check:
            # The real module only reports here: COM would complain later, when it really sets.
            rule = replace(rule, **{field: target[name]})
        elif name == "Protocol":
            rule = rule.with_protocol(target[name])
        elif name in ("LocalPorts", "RemotePorts"):
            rule = rule.with_ports(field, target[name] or "*")
        else:
            rule = replace(rule, **{field: target[name]})
    return rule


def _same(name: str, existing: Any, wanted: Any) -> bool:
    if name.endswith("Addresses"):
        return sorted(str(existing).lower().split(",")) == sorted(str(wanted).lower().split(","))
    if isinstance(existing, str) and isinstance(wanted, str):
        return existing.lower() == wanted.lower()
    return bool(existing == wanted)


def _lines(sign: str, rule: Rule) -> str:
    return "".join(f"{sign}{name}='{_shown(value)}'\n" for name, value in fwrules.properties(rule).items())


def _shown(value: Any) -> str:
    return "" if value is None else str(value)
