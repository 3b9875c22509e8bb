# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan as instructions for a person: the Windows dialog, and the commands for an elevated Windows PowerShell.

Pure. Rule names come from the host: whatever is not plain text gets no command, the rest is quoted so that PowerShell
reads it as one literal.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils import messages
from ansible_collections.edefter.ready.plugins.plugin_utils.model import Step

Text = t.Mapping[str, str]

# PowerShell takes these four for the straight quote too; doubled, each stands for itself.
_QUOTES = re.compile("(['\u2018\u2019\u201a\u201b])")
_WILDCARDS = re.compile(r"([\[\]*?`])")
_BARE = re.compile(r"[A-Za-z0-9_.:/\\=-]+")
_ZONES = {"Turkey Standard Time": {"tr": "(UTC+03:00) İstanbul", "en": "(UTC+03:00) Istanbul"}}
_PROTOCOLS = {"tcp": "TCP", "udp": "UDP"}
_TYPES = {"string": "REG_SZ", "dword": "REG_DWORD"}
_START = {"auto": "auto", "delayed": "delayed-auto", "disabled": "disabled", "manual": "demand"}


@dataclasses.dataclass(frozen=True)
class Instruction:
    """One step for a person. where: the dialog, or what to mind; commands: in order, none where typing is not safe."""

    id: str
    title: Text
    where: Text
    commands: tuple[str, ...]


class _Unsafe(ValueError):
    """A text that no command line may hold."""


def instructions(plan: t.Iterable[Step]) -> tuple[Instruction, ...]:
    """One instruction a step, in the plan's order."""
    return tuple(_instruction(step) for step in plan)


def _instruction(step: Step) -> Instruction:
    key, params, make = _BY_KIND.get(step.kind, _unknown)(step)
    try:
        commands = tuple(make())
    except _Unsafe:
        commands = ()
    title = messages.render(step.reason, "title", step.params)
    if key == "instruction.zone":
        known = _ZONES.get(params["zone"], {})
        where = {
            language: messages.render(key, "title", {"zone": known.get(language, params["zone"])})[language]
            for language in messages.LANGUAGES
        }
    else:
        where = messages.render(key, "title", params)
    return Instruction(step.id, title, where, commands)


def literal(text: str) -> str:
    """A PowerShell literal. Raises _Unsafe for what is not printable."""
    if not text.isprintable():
        raise _Unsafe(text)
    return "'" + _QUOTES.sub(r"\1\1", text) + "'"


def _argument(text: str) -> str:
    """One argument of a program: Windows PowerShell 5.1 hands a double quote on wrongly, so none may be in it."""
    if '"' in text:
        raise _Unsafe(text)
    if text.endswith("\\"):
        raise _Unsafe(text)
    return text if _BARE.fullmatch(text) else literal(text)


_Made = tuple[str, dict[str, str], t.Callable[[], list[str]]]


def _unknown(step: Step) -> _Made:
    return "instruction.other", {"module": step.module}, list


def _zone(step: Step) -> _Made:
    zone = str(step.args["timezone"])
    return "instruction.zone", {"zone": zone}, lambda: [f"tzutil.exe /s {_argument(zone)}"]


def _zone_auto(step: Step) -> _Made:
    return "instruction.zone_auto", {}, lambda: _service_commands(step)


def _service_commands(step: Step) -> list[str]:
    name, mode, state = str(step.args["name"]), step.args.get("start_mode"), step.args.get("state")
    made = []
    if mode is not None:
        made.append(f"sc.exe config {_argument(name)} start= {_START[str(mode)]}")
    if state is not None:
        verb = "Restart-Service" if state == "restarted" else "Start-Service"
        made.append(f"{verb} -Name {literal(name)}")
    return made


def _service(step: Step) -> _Made:
    delayed = step.args.get("start_mode") == "delayed"
    return "instruction.service_delayed" if delayed else "instruction.service", {}, lambda: _service_commands(step)


def _restart(step: Step) -> _Made:
    return "instruction.restart", {}, lambda: _service_commands(step)


def _registry(step: Step) -> _Made:
    path = str(step.args["path"]).replace("HKLM:", "HKLM", 1)
    name, data, kind = str(step.args["name"]), str(step.args["data"]), _TYPES[str(step.args["type"])]
    params = {"path": path, "name": name, "value": data, "type": kind}
    key = "instruction.restore" if step.kind == "restore" else "instruction.registry"
    return (
        key,
        params,
        lambda: [f"reg.exe add {_argument(path)} /v {_argument(name)} /t {kind} /d {_argument(data)} /f"],
    )


def _command(step: Step) -> _Made:
    argv = [str(word) for word in step.args["argv"]]
    key = {"resync": "instruction.resync", "reread": "instruction.reread"}.get(step.kind, "instruction.command")
    return key, {}, lambda: [" ".join(_argument(word) for word in argv)]


def _rule(step: Step) -> _Made:
    args = step.args
    name = str(args["name"])

    def remove() -> str:
        pattern = literal(_WILDCARDS.sub(r"`\1", name))
        return (
            f"Get-NetFirewallRule -DisplayName {pattern} -ErrorAction SilentlyContinue"
            " | Where-Object Direction -eq 'Outbound' | Remove-NetFirewallRule"
        )

    if args["state"] == "absent":
        return "instruction.rule_absent", {"rule": name}, lambda: [remove()]
    protocol = _PROTOCOLS[str(args["protocol"]).lower()]
    port, addresses = str(args["remoteport"]), str(args.get("remoteip") or "")
    params = {"rule": name, "protocol": protocol, "port": port, "group": str(args["group"])}

    def lay() -> list[str]:
        words = [
            f"New-NetFirewallRule -DisplayName {literal(name)} -Group {literal(str(args['group']))}",
            f"-Description {literal(str(args['description']))}",
            f"-Direction Outbound -Action Allow -Profile Any -Protocol {protocol} -RemotePort {literal(port)}",
        ]
        if addresses:
            words.append("-RemoteAddress " + ",".join(literal(one) for one in addresses.split(",")))
        if args.get("program"):
            words.append(f"-Program {literal(str(args['program']))}")
        if args.get("service"):
            words.append(f"-Service {literal(str(args['service']))}")
        # A rule that stands in another shape is taken away first: the new one is then the only one of its name.
        return [*([remove()] if step.before else []), " ".join(words)]

    return "instruction.rule_addresses" if addresses else "instruction.rule", {**params, "addresses": addresses}, lay


_BY_KIND: dict[str, t.Callable[[Step], _Made]] = {
    "zone": _zone,
    "zone_auto": _zone_auto,
    "registry": _registry,
    "widen": _registry,
    "restore": _registry,
    "trigger": _command,
    "service": _service,
    "update": _command,
    "restart": _restart,
    "resync": _command,
    "reread": _command,
    "rule": _rule,
}
