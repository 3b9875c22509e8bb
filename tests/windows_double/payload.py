# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ansible-core sends to a Windows host's stdin, taken apart: the exec payload of ansible-core 2.19, 2.20 and 2.21.

The command line is ``powershell … -EncodedCommand <bootstrap wrapper>``. On stdin come a JSON line with the exec
wrapper, a line of four NUL bytes, and a JSON manifest with the scripts (base64), the actions and the module's
arguments.
"""

from __future__ import annotations

import base64
import binascii
import functools
import json
import re
from dataclasses import dataclass, field
from typing import Any

_ENCODED = re.compile(r"-EncodedCommand\s+\"?([A-Za-z0-9+/=]+)\"?", re.IGNORECASE)
_DELIMITER = b"\n\0\0\0\0"


class PayloadError(ValueError):
    """The bytes on stdin are not an exec payload that this double knows."""


@dataclass(frozen=True)
class ModuleCall:
    """One module as it arrived."""

    name: str
    """As ansible-core resolved it: ``ansible.windows.win_ping``."""
    script: str
    script_path: str
    """Where the control node has it: the documentation is beside it."""
    args: dict[str, Any]
    """The task's own arguments, without ansible's ``_ansible_*``."""
    internal: dict[str, Any] = field(repr=False)
    csharp: dict[str, str] = field(default_factory=dict, repr=False)
    """C# util name (``ansible_collections….Core.cs``) to source."""
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def check_mode(self) -> bool:
        return bool(self.internal.get("_ansible_check_mode", False))

    @property
    def diff_mode(self) -> bool:
        return bool(self.internal.get("_ansible_diff", False))

    @property
    def core_version(self) -> str:
        return str(self.internal.get("_ansible_version", ""))


def decode_command(command: str) -> str | None:
    """The PowerShell text behind -EncodedCommand, or None when the command line has none."""
    match = _ENCODED.search(command)
    if not match:
        return None
    try:
        return base64.b64decode(match.group(1), validate=True).decode("utf-16-le")
    except (binascii.Error, UnicodeDecodeError):
        return None


def is_bootstrap(powershell: str) -> bool:
    """True for ansible-core's bootstrap wrapper, which reads a payload from stdin."""
    return "$codeJson" in powershell and "ConvertFrom-Json" in powershell


@functools.lru_cache(maxsize=64)
def decode(stdin: bytes) -> ModuleCall:
    """Take a payload apart. Raises PayloadError with what was wrong.

    The answer is shared, not to be changed: in a fleet, hosts with the same place in their branch get the same bytes.
    """
    head, delimiter, rest = stdin.partition(_DELIMITER)
    if not delimiter:
        raise PayloadError("no delimiter line between the exec wrapper and the manifest")
    wrapper = _json(head, "exec wrapper")
    if not isinstance(wrapper.get("script"), str) or "name" not in wrapper:
        raise PayloadError("the exec wrapper has no script")
    manifest = _json(rest.partition(_DELIMITER)[0], "manifest")
    scripts, actions = manifest.get("scripts"), manifest.get("actions")
    if not isinstance(scripts, dict) or not isinstance(actions, list) or not actions:
        raise PayloadError("the manifest has no scripts or no actions")
    names = [str(action.get("name")) for action in actions]
    if names[-1] != "module_wrapper.ps1":
        raise PayloadError(f"not a module: the last action is {names[-1]}")
    if extra := [name for name in names[:-1] if name not in ("coverage_wrapper.ps1",)]:
        raise PayloadError(f"not supported by the double: {', '.join(extra)} (become or async)")
    params = actions[-1].get("params") or {}
    script_name = str(params.get("Script", ""))
    entry = scripts.get(script_name)
    if not isinstance(entry, dict):
        raise PayloadError(f"the module's script {script_name!r} did not arrive")
    values = [v.get("Value") for v in params.get("Variables") or [] if v.get("Name") == "complex_args"]
    if len(values) != 1 or not isinstance(values[0], dict):
        raise PayloadError("no complex_args: a script task, not a module")
    return ModuleCall(
        name=_short(script_name.removesuffix(".ps1")),
        script=_text(entry),
        script_path=str(entry.get("path", "")),
        args={k: v for k, v in values[0].items() if not k.startswith("_ansible_")},
        internal={k: v for k, v in values[0].items() if k.startswith("_ansible_")},
        csharp={name: _text(scripts[name]) for name in params.get("CSharpModules") or []},
        environment={str(k): str(v) for k, v in (params.get("Environment") or {}).items()},
    )


def _short(name: str) -> str:
    """`ansible_collections.N.C.plugins.modules.M` as people write it: `N.C.M`."""
    parts = name.split(".")
    if len(parts) == 6 and parts[0] == "ansible_collections" and parts[3:5] == ["plugins", "modules"]:
        return ".".join([parts[1], parts[2], parts[5]])
    return name


def _json(data: bytes, what: str) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except ValueError as error:
        raise PayloadError(f"the {what} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise PayloadError(f"the {what} is not an object")
    return value


def _text(entry: dict[str, Any]) -> str:
    return _decoded(str(entry["script"]))


@functools.lru_cache(maxsize=128)
def _decoded(script: str) -> str:
    """The same scripts arrive for every host: equal text is one object, which also makes comparing it cheap."""
    return base64.b64decode(script).decode("utf-8-sig")
