# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible.windows.win_firewall: state and default actions of the local profiles. A policy that says otherwise goes on
ruling."""

from __future__ import annotations

from typing import Any

from windows_double import effects
from windows_double.host import Host
from windows_double.task import Task

NAME = "ansible.windows.win_firewall"
BASIC = True
POLICY = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\SharedAccess\\Parameters\\FirewallPolicy"
_KEYS = {"Domain": "DomainProfile", "Private": "StandardProfile", "Public": "PublicProfile"}
_ACTIONS = {"allow": 0, "block": 1}


def run(host: Host, task: Task) -> dict[str, Any]:
    """Reads and writes the local store, as the cmdlets do by default."""
    wanted = [name.lower() for name in task.args["profiles"]]
    result: dict[str, Any] = {
        "changed": False,
        "profiles": task.args["profiles"],
        "state": task.args["state"],
        "restart_required": False,
    }
    for profile, key in _KEYS.items():
        path = f"{POLICY}\\{key}"
        on = host.registry.data(path, "EnableFirewall", 1) == 1
        considered = profile.lower() in wanted
        result[profile] = {"enabled": on, "considered": considered, "currentstate": int(on)}
        if not considered:
            continue
        enable = task.args["state"] == "enabled"
        if on != enable:
            result["changed"] = True
            result[profile]["enabled"] = enable
            if not task.check:
                host.writable().set(path, "EnableFirewall", "dword", int(enable))
        if enable:
            _default(host, task, path, "DefaultInboundAction", task.args["inbound_action"], result)
            _default(host, task, path, "DefaultOutboundAction", task.args["outbound_action"], result)
    if result["changed"] and not task.check:
        effects.firewall_changed(host)
    return result


def _default(host: Host, task: Task, path: str, name: str, action: str | None, result: dict[str, Any]) -> None:
    if action is None:
        return
    wanted = _ACTIONS.get(action)
    if host.registry.data(path, name) == wanted:
        return
    result["changed"] = True
    if task.check:
        return
    if wanted is None:
        host.writable().delete_value(path, name)
    else:
        host.writable().set(path, name, "dword", wanted)
