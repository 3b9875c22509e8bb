# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a .reg export (regedit 4 and 5) into values for windows_double.registry. Only what tests need: no deletions."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Iterator

from windows_double.registry import Value

_KEY = re.compile(r"\[(-?)(HKEY_LOCAL_MACHINE|HKEY_USERS)\\(.+)\]\s*")
_VALUE = re.compile(r'(@|"(?:[^"\\]|\\.)*")=(.*)', re.DOTALL)
_HEX = re.compile(r"hex(?:\(([0-9a-fA-F]+)\))?:(.*)", re.DOTALL)
_HIVES = {"HKEY_LOCAL_MACHINE": "HKLM", "HKEY_USERS": "HKU"}


def read(path: pathlib.Path) -> dict[str, list[Value]]:
    """Key ("HKLM\\…") -> values; a key that stands twice is joined."""
    raw = path.read_bytes()
    text = raw.decode("utf-16") if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else raw.decode("utf-8", "replace")
    result: dict[str, list[Value]] = {}
    key: str | None = None
    for line in _lines(text):
        if match := _KEY.fullmatch(line):
            key = None if match[1] else f"{_HIVES[match[2]]}\\{match[3]}"
            if key is not None:
                result.setdefault(key, [])
        elif key is not None and (match := _VALUE.fullmatch(line)):
            value = _value("" if match[1] == "@" else _unquoted(match[1]), match[2].strip())
            if value is not None:
                result[key].append(value)
    return result


def _lines(text: str) -> Iterator[str]:
    joined = ""
    for line in text.splitlines():
        if line.endswith("\\") and "=hex" in (joined + line):
            joined += line[:-1].strip()
            continue
        yield (joined + line).strip()
        joined = ""


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1])


def _value(name: str, data: str) -> Value | None:
    if data.startswith('"'):
        return Value(name, "string", _unquoted(data))
    if data.startswith("dword:"):
        return Value(name, "dword", int(data[6:], 16))
    match = _HEX.fullmatch(data)
    if match is None:
        return None
    content = bytes.fromhex(re.sub(r"[^0-9A-Fa-f]", "", match[2]))
    kind = int(match[1], 16) if match[1] else 3
    if kind == 4:
        return Value(name, "dword", int.from_bytes(content, "little"))
    if kind == 11:
        return Value(name, "qword", int.from_bytes(content, "little"))
    if kind in (1, 2):
        # Behind the closing NUL there may be anything. XML cannot hold a NUL: the collector's own mark stands in.
        text = content.decode("utf-16-le", "replace").rstrip("\0").replace("\0", "\ufffd")
        return Value(name, "string" if kind == 1 else "expandstring", text)
    if kind == 7:
        return Value(name, "multistring", [x for x in content.decode("utf-16-le").split("\0") if x])
    return Value(name, "binary", content)
