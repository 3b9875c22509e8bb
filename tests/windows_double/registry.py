# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host's registry on disk, in the layout of Mono's file-backed registry, so that the real C# reads what the doubles
wrote.

Layout (Mono 6.8): one folder a key, lower-case, under `LocalMachine` and `Users`; the key's values in `values.xml`.
Mono compares value names by case, Windows does not: the store keeps the spelling that a value was created with, and
finds it by any.
"""

from __future__ import annotations

import base64
import hashlib
import pathlib
import shutil
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

_HIVES = {"HKLM": "LocalMachine", "HKU": "Users", "HKCR": "ClassesRoot", "HKCC": "CurrentConfig"}
_TO_MONO = {
    "string": "string",
    "expandstring": "expand",
    "multistring": "string-array",
    "dword": "int",
    "qword": "qword",
    "binary": "bytearray",
    "none": "bytearray",
}
_FROM_MONO = {v: k for k, v in _TO_MONO.items() if k != "none"}


class RegistryError(ValueError):
    """A path or value that Windows' registry would not take."""


@dataclass(frozen=True)
class Value:
    """One value. kind: win_regedit's names; data: str, int (unsigned), list of str or bytes by kind."""

    name: str
    kind: str
    data: Any


class Registry:
    """The registry of one host. `root` is what MONO_REGISTRY_PATH names. Thread-safe for one host's callers."""

    def __init__(self, root: pathlib.Path) -> None:
        self.root = root
        self._lock = threading.RLock()

    def _folder(self, key: str) -> pathlib.Path:
        hive, _, path = key.replace(":", "", 1).partition("\\")
        if hive.upper() not in _HIVES:
            raise RegistryError(f"unknown hive in {key!r}")
        parts = [folded(part) for part in path.split("\\") if part]
        if any(part in (".", "..") or "/" in part or "\0" in part for part in parts):
            raise RegistryError(f"not a key name: {key!r}")
        return self.root.joinpath(_HIVES[hive.upper()], *parts)

    def exists(self, key: str) -> bool:
        """True when the key is there."""
        return self._folder(key).is_dir()

    def subkeys(self, key: str) -> list[str]:
        """Names (lower-case) of the key's children; empty when the key is absent."""
        folder = self._folder(key)
        return sorted(p.name for p in folder.iterdir() if p.is_dir()) if folder.is_dir() else []

    def values(self, key: str) -> dict[str, Value]:
        """All values of a key by their name as spelt; empty when the key is absent."""
        with self._lock:
            return _read(self._folder(key) / "values.xml")

    def get(self, key: str, name: str | None) -> Value | None:
        """One value, by any spelling of its name; None or "" is the default value."""
        wanted = (name or "").lower()
        return next((v for n, v in self.values(key).items() if n.lower() == wanted), None)

    def data(self, key: str, name: str, fallback: Any = None) -> Any:
        """The data of a value, or the fallback."""
        value = self.get(key, name)
        return fallback if value is None else value.data

    def create(self, key: str) -> bool:
        """Create a key with its parents; False when it was there."""
        folder = self._folder(key)
        with self._lock:
            if folder.is_dir():
                return False
            folder.mkdir(parents=True)
            return True

    def set(self, key: str, name: str | None, kind: str, data: Any) -> None:
        """Write one value; creates the key."""
        self.update(key, [Value(name or "", kind, data)])

    def update(self, key: str, values: Iterable[Value]) -> None:
        """Write several values of one key at once."""
        with self._lock:
            self.create(key)
            path = self._folder(key) / "values.xml"
            content = _read(path)
            spelt = {name.lower(): name for name in content}
            for value in values:
                name = spelt.get(value.name.lower(), value.name)
                content[name] = Value(name, value.kind, _checked(value))
            _write(path, content)

    def delete_value(self, key: str, name: str | None) -> bool:
        """Delete one value; False when it was not there."""
        with self._lock:
            value = self.get(key, name)
            if value is None:
                return False
            path = self._folder(key) / "values.xml"
            content = _read(path)
            del content[value.name]
            _write(path, content)
            return True

    def delete_key(self, key: str) -> bool:
        """Delete a key with everything below; False when it was not there."""
        folder = self._folder(key)
        with self._lock:
            if not folder.is_dir():
                return False
            shutil.rmtree(folder)
            return True

    def load(self, tree: Mapping[str, Mapping[str, Any] | None]) -> None:
        """
        Write keys from data: {"HKLM\\…": {name: value}}. A value is a str (REG_SZ), an int (REG_DWORD), a list
        (REG_MULTI_SZ), null (delete it), or {"type": …, "data": …} with win_regedit's type names; binary data as hex
        text. A key with null is
        deleted.
        """
        for key, values in tree.items():
            if values is None:
                self.delete_key(key)
                continue
            self.create(key)
            for name, raw in values.items():
                if raw is None:
                    self.delete_value(key, str(name))
            self.update(key, [_from_data(str(name), raw) for name, raw in values.items() if raw is not None])

    def digest(self) -> str:
        """A hash of the content (registry and the files beside it): equal hosts, equal digests."""
        digest = hashlib.sha256()
        with self._lock:
            for path in sorted(p for p in self.root.rglob("*") if p.is_file() and p.name != "last-btime"):
                # A link leads out to a file that others change (the lab's hosts file): it counts by its name.
                content = str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
                digest.update(str(path.relative_to(self.root)).encode() + b"\0" + content + b"\0")
            for folder in sorted(p for p in self.root.rglob("*") if p.is_dir()):
                digest.update(str(folder.relative_to(self.root)).encode() + b"\n")
        return digest.hexdigest()


def folded(name: str) -> str:
    """A key's folder name: lower case as .NET's invariant culture has it, which leaves the Turkish dotted capital I
    alone."""
    return "".join(c if c == "\u0130" else c.lower() for c in name)


def _from_data(name: str, raw: Any) -> Value:
    if isinstance(raw, Mapping):
        kind, data = str(raw["type"]), raw.get("data")
        if kind in ("binary", "none") and isinstance(data, str):
            data = bytes.fromhex(data.replace(",", " "))
        return Value(name, kind, data)
    if isinstance(raw, bool):
        return Value(name, "dword", int(raw))
    if isinstance(raw, int):
        return Value(name, "dword", raw)
    if isinstance(raw, (list, tuple)):
        return Value(name, "multistring", list(raw))
    return Value(name, "string", str(raw))


def _checked(value: Value) -> Any:
    kind, data = value.kind, value.data
    if kind not in _TO_MONO:
        raise RegistryError(f"{value.name}: unknown type {kind!r}")
    if kind in ("dword", "qword"):
        limit = 2**32 if kind == "dword" else 2**64
        if isinstance(data, bool) or not isinstance(data, int) or not -limit // 2 <= data < limit:
            raise RegistryError(f"{value.name}: {data!r} is not a {kind}")
        return data % limit
    if kind == "multistring":
        return [str(item) for item in data]
    if kind in ("binary", "none"):
        return bytes(data)
    return str(data)


def _read(path: pathlib.Path) -> dict[str, Value]:
    try:
        root = ET.fromstring(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    result = {}
    for node in root.findall("value"):
        name, kind = node.get("name", ""), _FROM_MONO[node.get("type", "string")]
        text = node.text or ""
        data: Any = text
        if kind == "dword":
            data = int(text) % 2**32
        elif kind == "qword":
            data = int(text) % 2**64
        elif kind == "multistring":
            data = [item.text or "" for item in node.findall("string")]
        elif kind == "binary":
            data = base64.b64decode(text)
        result[name] = Value(name, kind, data)
    return result


def _write(path: pathlib.Path, content: Mapping[str, Value]) -> None:
    root = ET.Element("values")
    for value in content.values():
        node = ET.SubElement(root, "value", name=value.name, type=_TO_MONO[value.kind])
        if value.kind in ("dword", "qword"):
            half = 2**31 if value.kind == "dword" else 2**63
            node.text = str(value.data - 2 * half if value.data >= half else value.data)
        elif value.kind == "multistring":
            for item in value.data:
                ET.SubElement(node, "string").text = item
        elif value.kind in ("binary", "none"):
            node.text = base64.b64encode(value.data).decode()
        else:
            node.text = value.data
    # A registry copied with hard links is shared until written: never write into the old file.
    scratch = path.with_name("values.new")
    scratch.write_text(ET.tostring(root, encoding="unicode"), encoding="utf-8")
    scratch.replace(path)
