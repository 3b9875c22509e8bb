# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One simulated Windows host: its registry, services, clock and faults. Everything that a module can see or change is
here."""

from __future__ import annotations

import copy
import functools
import pathlib
import shutil
import threading
from collections.abc import Callable
from typing import Any

from windows_double.registry import Registry
from windows_double.state import HostSpec, copy_linked

#: A clock that is right to this many seconds counts as right: hosts in step share one warm Mono process.
CLOCK_GRAIN = 0.005


@functools.cache
def _template_digest(template: pathlib.Path) -> str:
    """Templates are never written to: one computation for all hosts that share one."""
    return Registry(template).digest()


class Host:
    """Live state made from a HostSpec; `reset` goes back to it. Callers hold `lock` while they change anything."""

    def __init__(self, spec: HostSpec, template: pathlib.Path, folder: pathlib.Path) -> None:
        self.spec = spec
        self.name = spec.name
        self.port = spec.port
        self.user = spec.user
        self.password = spec.password
        self.winrm_fault = spec.winrm_fault
        self.tls = spec.tls
        self.offers = spec.offers
        self.rtt = spec.rtt_ms / 1000.0
        self.module_seconds = spec.module_seconds
        self.netns = spec.netns
        self.home_of: Callable[[], str | None] = lambda: spec.home
        self.reply_fault = dict(spec.reply)
        self.lock = threading.RLock()
        self.on_firewall_change: list[Callable[[Host], None]] = []
        self.on_reset: list[Callable[[Host], None]] = []
        self._template = template
        self._folder = folder
        self._digest: str | None = None
        self.reset()

    def reset(self) -> None:
        """Back to the spec's state; the registry is shared with equal hosts until the first write."""
        with self.lock:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._own = False
            self._registry = Registry(self._template)
            self._digest = None
            self.clock_offset = self.spec.clock_offset
            self.services: dict[str, dict[str, Any]] = copy.deepcopy(self.spec.services)
            self.api: dict[str, Any] = copy.deepcopy(self.spec.api)
            self.firewall_profiles = list(self.spec.firewall_profiles)
            for hook in self.on_reset:
                hook(self)

    @property
    def registry(self) -> Registry:
        """To read from. Writers call `writable()`."""
        return self._registry

    def writable(self) -> Registry:
        """The registry to write to: a copy of its own from now on."""
        with self.lock:
            if not self._own:
                self._folder.parent.mkdir(parents=True, exist_ok=True)
                copy_linked(self._template, self._folder)
                self._registry = Registry(self._folder)
                self._own = True
            self._digest = None
            return self._registry

    def digest(self) -> str:
        """Hash of the registry content, computed once per change."""
        with self.lock:
            if self._digest is None:
                self._digest = self._registry.digest() if self._own else _template_digest(self._template)
            return self._digest

    def set_clock_offset(self, seconds: float) -> None:
        """Put the clock; within CLOCK_GRAIN it is exactly right."""
        self.clock_offset = 0.0 if abs(seconds) < CLOCK_GRAIN else round(seconds, 3)

    def faketime(self) -> str | None:
        """libfaketime's FAKETIME for the clock, None for a right one."""
        return f"{self.clock_offset:+.3f}s" if self.clock_offset else None

    def answers(self) -> dict[str, Any]:
        """What the C# adaptors are told (see Harness.cs): "question:argument" -> value."""
        profiles = {"domain": 1, "private": 2, "public": 4}
        result: dict[str, Any] = {
            "is_admin": True,
            "firewall_profiles": sum(profiles[name] for name in self.firewall_profiles),
            "domain_role": {"machine_role": 0, "domain": "WORKGROUP", "dns_domain": None, "forest": None},
        }
        for name, service in self.services.items():
            result[f"service:{name}"] = {
                "state": service.get("state", "stopped"),
                "exit_code": service.get("exit_code", 0),
            }
        result["service"] = {"state": "absent", "exit_code": None}
        result.update(self.api)
        return result
