# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible.windows.win_service: start mode and state of an installed service."""

from __future__ import annotations

from typing import Any

from windows_double import services
from windows_double.host import Host
from windows_double.task import ModuleFailed, Task

NAME = "ansible.windows.win_service"
BASIC = True
_STATE = {"running": "started", "stopped": "stopped", "paused": "paused"}


def run(host: Host, task: Task) -> dict[str, Any]:
    """start_mode and state; what else the module can do is not modelled."""
    task.refuse(
        "dependencies", "description", "display_name", "error_control", "failure_actions",
        "failure_actions_on_non_crash_failure",
        "failure_command", "failure_reboot_msg", "failure_reset_period_sec", "load_order_group", "password", "path",
        "pre_shutdown_timeout_ms", "required_privileges", "service_type", "sid_info", "update_password", "username",
    )  # fmt: skip
    name = task.args["name"]
    service = services.find(host, name)
    wanted_state, wanted_mode = task.args["state"], task.args["start_mode"]
    if wanted_state in ("absent", "paused"):
        task.refuse("state")
    if service is None:
        if wanted_state is None and wanted_mode is None:
            return {"changed": False, "exists": False, "diff": {"before": "", "after": ""}}
        raise ModuleFailed(
            f"Service '{name}' is not installed, need to set 'path' to create a new service", exists=False
        )
    before = _described(host, service)
    after = dict(before)
    if wanted_mode and wanted_mode != before["start_mode"]:
        after["start_mode"] = wanted_mode
        if not task.check:
            services.set_start_mode(host, service, wanted_mode)
    if wanted_state:
        after["state"] = wanted_state
    changed = after["start_mode"] != before["start_mode"]
    if (wanted_state and wanted_state != before["state"]) or wanted_state == "restarted":
        changed = True
        if not task.check:
            _put(host, service, str(before["display_name"]), wanted_state)
    return {
        "changed": changed,
        "exists": True,
        **{
            key: after[key]
            for key in ("name", "display_name", "start_mode", "path", "dependencies", "desktop_interact")
        },
        "state": "running" if after["state"] in ("started", "restarted") else after["state"],
        "username": before["username"],
        "diff": {"before": before, "after": after},
    }


def _put(host: Host, service: str, display: str, wanted: str) -> None:
    try:
        if wanted in ("stopped", "restarted"):
            services.stop(host, service)
        if wanted in ("started", "restarted"):
            services.start(host, service)
    except services.ServiceError as error:
        raise ModuleFailed(
            f"Unhandled exception while executing module: Service '{display} ({service})' cannot be started due to the "
            f"following error: Cannot start service {service} on computer '.'.",
            exception=str(error),
        ) from error


def _described(host: Host, service: str) -> dict[str, Any]:
    key = f"{services.ROOT}\\{service}"
    return {
        "name": service,
        "display_name": host.registry.data(key, "DisplayName", service),
        "start_mode": services.start_mode(host, service),
        "state": _STATE[services.state(host, service)],
        "path": host.registry.data(key, "ImagePath", ""),
        "username": host.registry.data(key, "ObjectName", "LocalSystem"),
        "dependencies": list(host.registry.data(key, "DependOnService", [])),
        "desktop_interact": False,
    }
