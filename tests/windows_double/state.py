# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host's state as data: hosts/*.yml and base templates, checked and expanded to HostSpec. Format: README.md."""

from __future__ import annotations

import hashlib
import json
import pathlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from windows_double.registry import Registry

BASES = pathlib.Path(__file__).parent / "hosts" / "base"
WINRM_FAULTS = ("refuse", "hang", "drop", "html", "http_500", "reject")
REPLY_FAULTS = ("not_json", "html", "huge", "wrong_types", "empty", "crash")


class StateError(ValueError):
    """A host's data is wrong; the message names host and key."""


@dataclass(frozen=True)
class HostSpec:
    """One host as described. Seconds, unless the name says otherwise."""

    name: str
    registry: dict[str, Any] = field(repr=False)
    """Whole content: the base with the host's own changes over it, one list of trees to load in order under `layers`."""
    services: dict[str, dict[str, Any]]
    api: dict[str, Any]
    firewall_profiles: tuple[str, ...] = ("private",)
    clock_offset: float = 0.0
    netns: str | None = None
    home: str | None = None
    port: int = 0
    user: str = "edefter"
    password: str = "double-only"
    winrm_fault: str | None = None
    rtt_ms: float = 0.0
    module_seconds: float = 0.0
    reply: dict[str, Any] = field(default_factory=dict)
    replay: bool = False
    vars: dict[str, Any] = field(default_factory=dict)


_KEYS = {
    "base", "registry", "services", "api", "firewall_profiles", "clock_offset", "netns", "home", "winrm", "reply", "replay", "vars", "count",
}  # fmt: skip
_WINRM_KEYS = {"port", "user", "password", "fault", "rtt_ms", "module_seconds"}


def load(source: pathlib.Path | str | Mapping[str, Any]) -> list[HostSpec]:
    """Host specs from a YAML file, a name in hosts/ or a mapping {"defaults": {…}, "hosts": {name: {…}}}. Raises StateError."""
    if isinstance(source, Mapping):
        data: Mapping[str, Any] = source
    else:
        path = pathlib.Path(source)
        if not path.suffix:
            path = pathlib.Path(__file__).parent / "hosts" / f"{source}.yml"
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    defaults = data.get("defaults") or {}
    specs: list[HostSpec] = []
    for name, raw in (data.get("hosts") or {}).items():
        merged = _merged(defaults, raw or {})
        count = merged.pop("count", None)
        if count is None:
            specs.append(_spec(str(name), merged))
        else:
            specs += [_spec(f"{name}{number:04d}", merged) for number in range(1, int(count) + 1)]
    return specs


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in over.items():
        if isinstance(value, Mapping) and isinstance(result.get(key), Mapping):
            result[key] = _merged(result[key], value)
        else:
            result[key] = value
    return result


def _base(name: str) -> dict[str, Any]:
    """A base template with what it extends underneath. Layers of registry keep their order."""
    path = BASES / f"{name}.yml"
    if not path.is_file():
        raise StateError(f"unknown base {name!r}; known: {', '.join(sorted(p.stem for p in BASES.glob('*.yml')))}")
    data = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    result: dict[str, Any] = {"layers": []}
    extends = data.pop("extends", [])
    for parent in [extends] if isinstance(extends, str) else extends:
        below = _base(parent)
        result["layers"] += below.pop("layers")
        result = _merged(result, below)
    result["layers"].append(data.pop("registry", {}))
    return _merged(result, data)


def _spec(name: str, raw: dict[str, Any]) -> HostSpec:
    if unknown := set(raw) - _KEYS:
        raise StateError(f"{name}: unknown keys {', '.join(sorted(unknown))}")
    winrm = raw.get("winrm") or {}
    if unknown := set(winrm) - _WINRM_KEYS:
        raise StateError(f"{name}: unknown keys in winrm: {', '.join(sorted(unknown))}")
    if winrm.get("fault") not in (None, *WINRM_FAULTS):
        raise StateError(f"{name}: winrm.fault {winrm['fault']!r}; known: {', '.join(WINRM_FAULTS)}")
    reply = raw.get("reply") or {}
    if reply and reply.get("fault") not in REPLY_FAULTS:
        raise StateError(f"{name}: reply.fault {reply.get('fault')!r}; known: {', '.join(REPLY_FAULTS)}")
    try:
        base = _base(raw.get("base", "windows11"))
    except StateError as error:
        raise StateError(f"{name}: {error}") from error
    layers = [*base["layers"], raw.get("registry") or {}]
    services = _merged(base.get("services", {}), raw.get("services") or {})
    return HostSpec(
        name=name,
        registry={"layers": layers},
        services={key.lower(): dict(value) for key, value in services.items()},
        api=_merged(base.get("api", {}), raw.get("api") or {}),
        firewall_profiles=tuple(raw.get("firewall_profiles") or base.get("firewall_profiles") or ("private",)),
        clock_offset=float(raw.get("clock_offset", 0.0)),
        netns=raw.get("netns"),
        home=raw.get("home"),
        port=int(winrm.get("port", 0)),
        user=winrm.get("user", "edefter"),
        password=winrm.get("password", "double-only"),
        winrm_fault=winrm.get("fault"),
        rtt_ms=float(winrm.get("rtt_ms", 0.0)),
        module_seconds=float(winrm.get("module_seconds", 0.0)),
        reply=dict(reply),
        replay=bool(raw.get("replay", False)),
        vars=dict(raw.get("vars") or {}),
    )


def template(spec: HostSpec, folder: pathlib.Path) -> pathlib.Path:
    """The registry of a spec on disk, built once for all equal hosts."""
    digest = hashlib.sha256(json.dumps(spec.registry, sort_keys=True, default=str).encode()).hexdigest()[:20]
    target = folder / digest
    if not target.is_dir():
        scratch = folder / f".{digest}"
        shutil.rmtree(scratch, ignore_errors=True)
        registry = Registry(scratch)
        registry.create("HKLM\\SOFTWARE")
        registry.create("HKU\\.DEFAULT")
        for layer in spec.registry["layers"]:
            registry.load(layer)
        scratch.rename(target)
    return target
