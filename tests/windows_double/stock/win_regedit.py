# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible.windows.win_regedit: keys and values, with the diff that the real module returns."""

from __future__ import annotations

import re
from typing import Any

from windows_double import effects
from windows_double.host import Host
from windows_double.registry import Value
from windows_double.task import ModuleFailed, Task

NAME = "ansible.windows.win_regedit"
BASIC = True


def run(host: Host, task: Task) -> dict[str, Any]:
    """state present or absent of one value, or of a key."""
    task.refuse("hive")
    path = task.args["path"]
    if not re.match(r"HK(CC|CR|CU|LM|U):\\", path):
        raise ModuleFailed(f"path: {path} is not a valid powershell path, see module documentation for examples.")
    result: dict[str, Any] = {
        "changed": False,
        "data_changed": False,
        "data_type_changed": False,
        "diff": {"before": {}, "after": {}},
    }
    name = task.args["name"] or None
    if task.args["state"] == "absent":
        _absent(host, task, path, name, result)
    else:
        kind = "string" if name is None else task.args["type"]
        _present(host, task, path, name, kind, result)
    if result["changed"] and not task.check:
        effects.registry_changed(host, path)
    return result


def _absent(host: Host, task: Task, path: str, name: str | None, result: dict[str, Any]) -> None:
    if not host.registry.exists(path):
        return
    if task.args["delete_key"] and name is None:
        result["changed"] = True
        result["diff"] = {"before": {path: {}}, "after": {}}
        if not task.check:
            host.writable().delete_key(path)
        return
    value = host.registry.get(path, name)
    if value is None:
        return
    result["changed"] = True
    result["diff"] = {"before": {path: {value.name: _shown(value)}}, "after": {path: {}}}
    if not task.check:
        host.writable().delete_value(path, name)


def _present(host: Host, task: Task, path: str, name: str | None, kind: str, result: dict[str, Any]) -> None:
    data = _data(kind, task.args["data"], name)
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    existed = host.registry.exists(path)
    result["diff"] = {"before": {path: before} if existed else {}, "after": {path: after}}
    if not existed:
        result["changed"] = True
        if task.check or data is None:
            if not task.check:
                host.writable().create(path)
            return
    if data is None:
        return
    old = host.registry.get(path, name) if existed else None
    new = Value(name or "", kind, data)
    after[name or ""] = _shown(new)
    if old is not None:
        before[name or ""] = _shown(old)
        result["data_type_changed"] = old.kind != kind
        result["data_changed"] = old.data != data
        if old.kind == kind and old.data == data:
            return
    result["changed"] = True
    if not task.check:
        host.writable().set(path, name, kind, data)


def _data(kind: str, data: Any, name: str | None) -> Any:
    if kind in ("binary", "none"):
        return _binary(data)
    if kind in ("dword", "qword"):
        return _number(kind, data)
    if kind == "multistring":
        return [] if data is None else [str(item) for item in data] if isinstance(data, list) else [str(data)]
    if data is None:
        return "" if name is not None else None
    return str(data)


def _binary(data: Any) -> bytes:
    if data is None:
        return b""
    if isinstance(data, list):
        return bytes(int(item) for item in data)
    if isinstance(data, int):
        if data > 255:
            raise ModuleFailed(
                f"cannot convert binary data '{data}' to byte array, please specify this value as a yaml byte array or "
                "a comma separated hex value string"
            )
        return bytes([data])
    text = re.sub(r"[^a-f0-9,x\-:]", "", re.sub(r"^hex:", "", str(data).lower())).replace(",", ":")
    if ":" in text:
        return bytes(int(part, 16) for part in text.split(":") if part)
    return bytes.fromhex(text) if len(text) % 2 == 0 else bytes([int(text, 16)]) if len(text) == 1 else b""


def _number(kind: str, data: Any) -> int:
    if data is None:
        return 0
    if isinstance(data, float):
        if data % 1:
            raise ModuleFailed(f"data '{data}' cannot be a decimal or float value with a remainder when type is {kind}")
        data = int(data)
    try:
        number = int(str(data), 0) if not isinstance(data, int) else int(data)
    except ValueError as error:
        raise ModuleFailed(
            f'Cannot convert value "{data}" to type "System.UInt64". Error: "Input string was not in a correct format."'
        ) from error
    bits = 32 if kind == "dword" else 64
    if number >= 2**bits:
        raise ModuleFailed(f"data cannot be larger than 0x{'f' * (bits // 4)} when type is {kind}")
    return int(number % 2**bits)


def _shown(value: Value) -> dict[str, Any]:
    """A value as the real module's diff shows it."""
    names = {
        "string": "String",
        "expandstring": "ExpandString",
        "multistring": "MultiString",
        "dword": "DWord",
        "qword": "QWord",
        "binary": "Binary",
        "none": "None",
    }
    data = value.data
    if value.kind in ("binary", "none"):
        data = [f"0x{byte:02x}" for byte in data]
    elif value.kind == "dword":
        data = f"0x{data:08x}"
    elif value.kind == "qword":
        data = f"0x{data:016x}"
    return {"type": names[value.kind], "value": data}
