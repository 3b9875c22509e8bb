# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host's state as data: hosts/*.yml and base templates, checked and expanded to HostSpec. Format: README.md."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import os
import pathlib
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from windows_double import tasks, zones
from windows_double.registry import Registry

BASES = pathlib.Path(__file__).parent / "hosts" / "base"
WINRM_FAULTS = ("refuse", "hang", "drop", "html", "http_500", "reject", "access_denied", "unavailable")
REPLY_FAULTS = (
    *("not_json", "html", "huge", "wrong_types", "empty", "crash"),
    *("powershell_old", "constrained", "blocked"),
)


class StateError(ValueError):
    """A host's data is wrong; the message names host and key."""


@dataclass(frozen=True)
class HostSpec:
    """One host as described. Seconds, unless the name says otherwise."""

    name: str
    layers: tuple[dict[str, Any], ...] = field(repr=False)
    """Registry trees of the base, to be loaded in order."""
    registry: dict[str, Any] = field(repr=False)
    """The host's own registry over the base."""
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
    tls: tuple[str, str] | None = None
    """Files of an https listener's certificate chain and key; None: it listens for http."""
    offers: tuple[str, ...] = ("Basic",)
    """Ways to log on that a 401 names. Without Basic nobody gets in: the double knows no other."""
    rtt_ms: float = 0.0
    module_seconds: float = 0.0
    reply: dict[str, Any] = field(default_factory=dict)
    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Scheduled tasks by full path: {"enabled": bool}."""
    domain_time: tuple[str, ...] = ()
    """Servers that stand for the domain's time hierarchy (Type NT5DS)."""
    scripts: dict[str, dict[str, Any]] = field(default_factory=dict)
    """win_powershell: pattern -> {"output": [...], "changed": bool}."""
    place: str | None = None
    """Lab host that it shares with others; None: the one of its own name, if the lab has one."""
    zone: str | None = None
    """Time zone instead of the base's, by Windows' name."""
    replay: bool = False
    vars: dict[str, Any] = field(default_factory=dict)


_KEYS = {
    "base", "hostname", "registry", "services", "api", "firewall_profiles", "clock_offset", "netns", "home", "winrm",
    "reply", "tasks", "domain_time", "scripts", "place", "zone", "replay", "vars", "count",
}  # fmt: skip
_TCPIP = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters"
_NAMES = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\ComputerName"
_WINRM_KEYS = {"port", "user", "password", "fault", "tls", "offers", "rtt_ms", "module_seconds"}


def load(source: pathlib.Path | str | Mapping[str, Any]) -> list[HostSpec]:
    """Host specs from a YAML file, a name in hosts/ or a mapping {"defaults": {…}, "hosts": {name: {…}}}. Raises
    StateError."""
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
            pattern = _spec(str(name), merged)
            specs += [dataclasses.replace(pattern, name=f"{name}{number:04d}") for number in range(1, int(count) + 1)]
    return specs


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in over.items():
        if isinstance(value, Mapping) and isinstance(result.get(key), Mapping):
            result[key] = _merged(result[key], value)
        else:
            result[key] = value
    return result


@functools.cache
def _base(name: str) -> dict[str, Any]:
    """A base template with what it extends underneath; not to be changed. Layers of registry keep their order."""
    path = BASES / f"{name}.yml"
    if not path.is_file():
        raise StateError(f"unknown base {name!r}; known: {', '.join(sorted(p.stem for p in BASES.glob('*.yml')))}")
    data = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    result: dict[str, Any] = {"layers": []}
    extends = data.pop("extends", [])
    for parent in [extends] if isinstance(extends, str) else extends:
        below = dict(_base(parent))
        result["layers"] = result["layers"] + below.pop("layers")
        result = _merged(result, below)
    result["layers"] = [*result["layers"], data.pop("registry", {})]
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
    own = dict(raw.get("registry") or {})
    if hostname := raw.get("hostname"):
        names = {"ComputerName": str(hostname).upper()}
        own = _merged(
            {
                _TCPIP: {"Hostname": hostname, "NV Hostname": hostname},
                f"{_NAMES}\\ComputerName": names,
                f"{_NAMES}\\ActiveComputerName": names,
            },
            own,
        )
    services = _merged(base.get("services", {}), raw.get("services") or {})
    return HostSpec(
        name=name,
        layers=tuple(base["layers"]),
        registry=own,
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
        tls=(str(winrm["tls"]["chain"]), str(winrm["tls"]["key"])) if winrm.get("tls") else None,
        offers=tuple(winrm.get("offers", ("Basic",))),
        rtt_ms=float(winrm.get("rtt_ms", 0.0)),
        module_seconds=float(winrm.get("module_seconds", 0.0)),
        reply=dict(reply),
        tasks=_merged(base.get("tasks", {}), raw.get("tasks") or {}),
        domain_time=tuple(raw.get("domain_time") or ()),
        scripts=dict(raw.get("scripts") or {}),
        place=raw.get("place"),
        zone=raw.get("zone"),
        replay=bool(raw.get("replay", False)),
        vars=dict(raw.get("vars") or {}),
    )


class Templates:
    """Registries on disk, built once for all equal hosts; what differs is a linked copy of the base with changes."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder
        self._known: dict[tuple[int, int, int, str | None, pathlib.Path | None], tuple[HostSpec, pathlib.Path]] = {}

    def of(self, spec: HostSpec, hosts_file: pathlib.Path | None = None) -> pathlib.Path:
        """The folder with a spec's registry; never write into it. hosts_file: the lab's, then the host's too."""
        # Hosts made by `count` share these objects: no need to look into them again. The spec is kept, so the ids
        # stay taken.
        key = (id(spec.layers), id(spec.registry), id(spec.tasks), spec.zone, hosts_file)
        if key not in self._known:
            path = _built(self._folder, ["base", *spec.layers], None, lambda registry: _load(registry, spec.layers))
            identity = [path.name, spec.registry, spec.tasks, spec.zone, hosts_file]
            path = _built(self._folder, identity, path, lambda registry: _own(registry, spec, hosts_file))
            self._known[key] = (spec, path)
        return self._known[key][1]


def _load(registry: Registry, layers: Iterable[dict[str, Any]]) -> None:
    registry.create("HKLM\\SOFTWARE")
    registry.create("HKU\\.DEFAULT")
    for layer in layers:
        registry.load(layer)


def _own(registry: Registry, spec: HostSpec, hosts_file: pathlib.Path | None) -> None:
    etc = registry.root / tasks.SYSTEM_ROOT / "System32" / "drivers" / "etc"
    etc.mkdir(parents=True)
    if hosts_file is not None:
        (etc / "hosts").symlink_to(hosts_file)
    else:
        (etc / "hosts").write_text("# localhost name resolution is handled within DNS itself.\r\n")
    if spec.zone:
        if not zones.known(registry, spec.zone):
            raise StateError(f"{spec.name}: unknown zone {spec.zone!r}")
        zones.put(registry, spec.zone)
    registry.load(spec.registry)
    for path, task in spec.tasks.items():
        tasks.write(registry.root, path, bool(task.get("enabled", True)))


def _built(
    folder: pathlib.Path, identity: list[Any], over: pathlib.Path | None, fill: Callable[[Registry], None]
) -> pathlib.Path:
    digest = hashlib.sha256(json.dumps(identity, sort_keys=True, default=str).encode()).hexdigest()[:20]
    target = folder / digest
    if not target.is_dir():
        scratch = folder / f".{digest}"
        shutil.rmtree(scratch, ignore_errors=True)
        if over is not None:
            copy_linked(over, scratch)
        fill(Registry(scratch))
        scratch.rename(target)
    return target


def copy_linked(source: pathlib.Path, target: pathlib.Path) -> None:
    """Copy a registry with hard links: cheap, and safe because Registry replaces a file instead of writing into it."""
    ignored = shutil.ignore_patterns("last-btime")
    shutil.copytree(source, target, symlinks=True, copy_function=os.link, ignore=ignored)
