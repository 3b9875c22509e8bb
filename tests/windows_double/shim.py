# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a .ps1 shim of this collection: its literal $spec and the C# entry that it calls. No PowerShell here, so only that shape is understood."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

_ENTRY = re.compile(
    r"^\$module\.Result\.(?P<key>\w+) = "
    r"\[ansible_collections\.edefter\.ready\.plugins\.module_utils\.(?P<file>\w+)\.(?P<type>\w+)\]::Run\(\$module\.Params\)\s*$",
    re.MULTILINE,
)
_TOKEN = re.compile(
    r"""\s*(?:\#[^\n]*\n\s*)*(?P<token>@\{|@\(|[{}();,=]|\$\w+|'(?:[^']|'')*'|"[^"$`]*"|-?\d+(?:\.\d+)?|[A-Za-z_]\w*)""",
)
_CONSTANTS = {"$true": True, "$false": False, "$null": None}


class ShimError(ValueError):
    """The script is not a shim of the agreed shape."""


@dataclass(frozen=True)
class Shim:
    """options: as Ansible.Basic's spec; entry: the C# file and type name; result_key: where the result goes."""

    options: dict[str, Any]
    supports_check_mode: bool
    entry: str
    result_key: str


def parse(script: str) -> Shim:
    """Parse one shim. Raises ShimError."""
    text = script.replace("\r\n", "\n")
    entries = list(_ENTRY.finditer(text))
    if len(entries) != 1 or entries[0]["file"] != entries[0]["type"]:
        raise ShimError("a shim has exactly one line `$module.Result.X = […module_utils.F.F]::Run($module.Params)`")
    start = re.search(r"^\$spec = (?=@\{)", text, re.MULTILINE)
    if not start:
        raise ShimError("no literal $spec")
    if not re.search(r"^\$module = \[Ansible\.Basic\.AnsibleModule\]::Create\(\$args, \$spec\)\s*$", text, re.MULTILINE):
        raise ShimError("no AnsibleModule::Create($args, $spec)")
    if not re.search(r"^\$module\.ExitJson\(\)\s*$", text, re.MULTILINE):
        raise ShimError("no ExitJson()")
    spec = _Parser(text, start.end()).value()
    return Shim(
        options=spec.get("options", {}),
        supports_check_mode=bool(spec.get("supports_check_mode", False)),
        entry=entries[0]["type"],
        result_key=entries[0]["key"],
    )


class _Parser:
    """Literals only: hash tables, arrays, strings, numbers, $true, $false, $null."""

    def __init__(self, text: str, position: int) -> None:
        self._text = text
        self._position = position

    def _peek(self) -> str:
        match = _TOKEN.match(self._text, self._position)
        if not match:
            line = self._text.count("\n", 0, self._position) + 1
            raise ShimError(f"line {line}: not a literal")
        return match["token"]

    def _take(self) -> str:
        token = self._peek()
        match = _TOKEN.match(self._text, self._position)
        assert match
        self._position = match.end()
        return token

    def value(self) -> Any:
        """One value at the position."""
        token = self._take()
        if token == "@{":
            return self._table()
        if token == "@(":
            return self._array()
        if token.lower() in _CONSTANTS:
            return _CONSTANTS[token.lower()]
        if token[0] == "'":
            return token[1:-1].replace("''", "'")
        if token[0] == '"':
            return token[1:-1]
        if re.fullmatch(r"-?\d+", token):
            return int(token)
        if re.fullmatch(r"-?\d+\.\d+", token):
            return float(token)
        raise ShimError(f"{token!r} is not a literal")

    def _table(self) -> dict[str, Any]:
        result: dict[str, Any] = {}
        while True:
            token = self._take()
            if token == "}":
                return result
            if token == ";":
                continue
            key = token.strip("'\"")
            if key in result or self._take() != "=":
                raise ShimError(f"bad key {key!r} in a hash table")
            result[key] = self.value()

    def _array(self) -> list[Any]:
        result = []
        while True:
            if self._peek() == ")":
                self._take()
                return result
            result.append(self.value())
            if self._peek() == ",":
                self._take()
