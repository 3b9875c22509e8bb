# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps that repair zone and Windows Time: each is one call of a stock module, with the arguments the role passes.

Pure. Registry writes of a REG_DWORD are given as numbers 0..2^32-1; ansible.windows.win_regedit takes them so.
"""

from __future__ import annotations

import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils.model import Area, Step

W32TIME = r"HKLM:\SYSTEM\CurrentControlSet\Services\W32Time"
PARAMETERS = W32TIME + r"\Parameters"
CONFIG = W32TIME + r"\Config"
NTP_CLIENT = W32TIME + r"\TimeProviders\NtpClient"
VMIC = W32TIME + r"\TimeProviders\VMICTimeProvider"

UPDATE = "w32time_update"
RESTART = "w32time_restart"
RESYNC = "resync"
REBOOT = "reboot"

KINDS = (
    "zone_auto",
    "zone",
    "registry",
    "widen",
    "trigger",
    "service",
    "update",
    "restart",
    "resync",
    "restore",
    "reread",
)
"""In the order in which the role runs them. restore and reread run after the proof, whatever its outcome."""

_NOT_SET = "-"


def _text(value: object) -> str:
    return _NOT_SET if value is None else str(value)


def zone(before: str | None, after: str) -> Step:
    """The time zone."""
    return Step(
        id="time.zone",
        area=Area.TIME,
        kind="zone",
        module="ansible.windows.win_timezone",
        args={"timezone": after},
        before=_text(before),
        after=after,
        reason="time.step.zone",
        params={"zone": after},
    )


def automatic_zone_off() -> Step:
    """Windows' "Set time zone automatically": its service is switched off, as the switch in Settings does."""
    return Step(
        id="time.zone_auto",
        area=Area.TIME,
        kind="zone_auto",
        module="ansible.windows.win_service",
        args={"name": "tzautoupdate", "start_mode": "disabled"},
        before="manual",
        after="disabled",
        reason="time.step.zone_auto",
    )


def registry(
    step: str, path: str, name: str, value: str | int, before: object, needs: tuple[str, ...], kind: str = "registry"
) -> Step:
    """One value below W32Time's key: text as REG_SZ, a number as REG_DWORD."""
    return Step(
        id=step,
        area=Area.TIME,
        kind=kind,
        module="ansible.windows.win_regedit",
        args={"path": path, "name": name, "data": value, "type": "string" if isinstance(value, str) else "dword"},
        before=_text(before),
        after=str(value),
        reason=f"time.step.{kind}",
        params={"name": name, "value": str(value)},
        needs=needs,
    )


def triggers() -> Step:
    """A network address starts the service, the last one's going stops it: for a PC in no domain (KB2385818)."""
    return _command(
        "time.triggers",
        "trigger",
        ["sc.exe", "triggerinfo", "w32time", "start/networkon", "stop/networkoff"],
        before="domain",
        after="start/networkon stop/networkoff",
        needs=(RESYNC,),
    )


def service(before: str, start_mode: str) -> Step:
    """Start mode, and the service running."""
    return Step(
        id="time.service",
        area=Area.TIME,
        kind="service",
        module="ansible.windows.win_service",
        args={"name": "w32time", "start_mode": start_mode, "state": "started"},
        before=before,
        after=f"{start_mode}, started",
        reason="time.step.service",
        needs=(RESYNC,),
    )


def update(step: str = "time.update", kind: str = "update") -> Step:
    """The running service reads its settings again."""
    return _command(step, kind, ["w32tm.exe", "/config", "/update"])


def restart() -> Step:
    """A restart also reads what an update does not (providers, SpecialPollInterval) and forgets a watched "spike"."""
    return Step(
        id="time.restart",
        area=Area.TIME,
        kind="restart",
        module="ansible.windows.win_service",
        args={"name": "w32time", "state": "restarted"},
        before="running",
        after="restarted",
        reason="time.step.restart",
    )


def resync() -> Step:
    """Asks the sources now, finding them anew; does not wait, the proof does."""
    return _command("time.resync", "resync", ["w32tm.exe", "/resync", "/rediscover", "/nowait"])


def _command(
    step: str, kind: str, argv: t.Sequence[str], before: str = "", after: str = "", needs: tuple[str, ...] = ()
) -> Step:
    command = " ".join(argv)
    return Step(
        id=step,
        area=Area.TIME,
        kind=kind,
        module="ansible.windows.win_command",
        args={"argv": list(argv)},
        before=before,
        after=after or command,
        reason=f"time.step.{kind}",
        params={"command": command},
        needs=needs,
    )
