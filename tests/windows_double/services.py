# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services of a simulated host: configuration in the registry, live state beside it, and what starting one sets off."""

from __future__ import annotations

from windows_double import w32time
from windows_double.host import Host
from windows_double.registry import Value

ROOT = "HKLM\\SYSTEM\\CurrentControlSet\\Services"
START = {"auto": 2, "delayed": 2, "manual": 3, "disabled": 4}
TRIGGER_DOMAIN = 3


class ServiceError(RuntimeError):
    """The service control manager says no; `code` is the Win32 error."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def find(host: Host, name: str) -> str | None:
    """The service's key name in the host's spelling, by any spelling; None when it is not installed."""
    return name.lower() if host.registry.get(f"{ROOT}\\{name}", "Start") is not None else None


def start_mode(host: Host, name: str) -> str:
    """auto, delayed, manual or disabled."""
    start = host.registry.data(f"{ROOT}\\{name}", "Start")
    if start == 2 and host.registry.data(f"{ROOT}\\{name}", "DelayedAutostart", 0) == 1:
        return "delayed"
    return {0: "boot", 1: "system", 2: "auto", 3: "manual", 4: "disabled"}.get(start, "manual")


def set_start_mode(host: Host, name: str, mode: str) -> None:
    """As the SCM does it: Start, and DelayedAutostart only for delayed."""
    values = [Value("Start", "dword", START[mode])]
    if mode == "delayed":
        values.append(Value("DelayedAutostart", "dword", 1))
    registry = host.writable()
    registry.update(f"{ROOT}\\{name}", values)
    if mode != "delayed":
        registry.delete_value(f"{ROOT}\\{name}", "DelayedAutostart")


def state(host: Host, name: str) -> str:
    """running, stopped or paused."""
    return str(host.services.get(name.lower(), {}).get("state", "stopped"))


def start(host: Host, name: str) -> None:
    """Start a service. Raises ServiceError (1058) when it is disabled."""
    if state(host, name) == "running":
        return
    if start_mode(host, name) == "disabled":
        raise ServiceError(
            1058,
            "The service cannot be started, either because it is disabled or because it has no enabled devices "
            "associated with it.",
        )
    host.services.setdefault(name.lower(), {}).update(state="running", exit_code=0)
    if name.lower() == "w32time":
        w32time.started(host)


def stop(host: Host, name: str) -> None:
    """Stop a service; nothing happens to a stopped one."""
    host.services.setdefault(name.lower(), {}).update(state="stopped", exit_code=0)


def reboot(host: Host) -> None:
    """What a restart of the machine does to services: automatic ones run, and the time service obeys its triggers.

    A workgroup computer has "not joined" as a stop trigger: an automatic W32Time with the stock triggers stops right
    after boot; one that starts delayed does so after the triggers were handled, and stays (KB2385818).
    """
    for name in list(host.services):
        if find(host, name) is None:
            continue
        mode = start_mode(host, name)
        stop(host, name)
        if mode in ("auto", "delayed") or (name == "w32time" and mode == "manual" and _starts_by_trigger(host)):
            start(host, name)
        if name == "w32time" and mode == "auto" and _stops_by_trigger(host):
            stop(host, name)


def triggers(host: Host, name: str) -> list[tuple[int, int]]:
    """(type, action) of each trigger; action 1 starts, 2 stops."""
    key = f"{ROOT}\\{name}\\TriggerInfo"
    return [
        (host.registry.data(f"{key}\\{child}", "Type", 0), host.registry.data(f"{key}\\{child}", "Action", 0))
        for child in host.registry.subkeys(key)
    ]


def _joined(host: Host) -> bool:
    return int(host.answers()["domain_role"].get("machine_role", 0)) in (1, 3, 4, 5)


def _stops_by_trigger(host: Host) -> bool:
    return (TRIGGER_DOMAIN, 2) in triggers(host, "w32time") and not _joined(host)


def _starts_by_trigger(host: Host) -> bool:
    found = triggers(host, "w32time")
    # Type 2: the first network address arrives.
    return (2, 1) in found or ((TRIGGER_DOMAIN, 1) in found and _joined(host))
