# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs this collection's own Windows modules: the C# that arrived in the payload, compiled and run under Mono as the
host that was asked."""

from __future__ import annotations

import concurrent.futures
import functools
import json
import pathlib
import threading
import time
from collections.abc import Callable
from typing import Any

import shims

from windows_double import argspec, csharp, replay
from windows_double.host import Host
from windows_double.payload import ModuleCall
from windows_double.task import ModuleFailed
from windows_double.workers import Circumstances, Pool

PREFIX = "edefter.ready."

#: Every shim puts its observation here (the shape that shims.py accepts).
RESULT = "observation"


@functools.lru_cache(maxsize=64)
def _parse(script: str) -> shims.Shim:
    return shims.read(script.encode())


@functools.lru_cache(maxsize=64)
def _library(sources: tuple[tuple[str, str], ...]) -> pathlib.Path:
    return csharp.build(dict(sources))


class OurModules:
    """One per double: keeps the Mono processes and, for hosts with `replay`, the first genuine answers."""

    def __init__(self) -> None:
        self.pool = Pool()
        self._answers: dict[str, concurrent.futures.Future[dict[str, Any]]] = {}
        self._lock = threading.Lock()
        self._compiling = threading.Lock()

    def run(self, host: Host, call: ModuleCall) -> tuple[dict[str, Any], bool]:
        """The module's result and whether it was replayed. Raises ModuleFailed, argspec.SpecError,
        csharp.CompileError, csharp.ModuleCrash."""
        parsed = _parse(call.script)
        params = argspec.checked(parsed.spec.get("options", {}), call.args)
        if call.check_mode and not parsed.spec.get("supports_check_mode", False):
            return {
                "changed": False,
                "skipped": True,
                "msg": f"remote module ({call.name}) does not support check mode",
            }, False
        sources = {
            name.removesuffix(".cs").rpartition(".")[2] + ".cs": text
            for name, text in call.csharp.items()
            if name.startswith("ansible_collections.")
        }
        if f"{parsed.entry_file}.cs" not in sources:
            raise ModuleFailed(
                f"Unable to find type [{parsed.entry_type}]: {parsed.entry_file}.cs did not arrive with the module"
            )
        with self._compiling:
            library = _library(tuple(sorted(sources.items())))
        with host.lock:
            circumstances = Circumstances(library, host.netns, host.faketime(), host.home_of())
            registry, digest, api = host.registry.root, host.digest(), host.answers()
        deadline = params.get("deadline")
        patience = 60.0 + (float(deadline) if isinstance(deadline, (int, float)) else 0.0)

        def observe() -> dict[str, Any]:
            return self.pool.call(circumstances, parsed.entry_type, params, api, registry, patience)

        if not host.spec.replay:
            return self._wrap(observe(), params), False
        key = json.dumps([str(circumstances), digest, parsed.entry_type, params, api], sort_keys=True, default=str)
        result, replayed = self._once(key, observe)
        return self._wrap(_as_of_now(result, host) if replayed else result, params), replayed

    def _once(self, key: str, observe: Callable[[], dict[str, Any]]) -> tuple[dict[str, Any], bool]:
        """The answer for a key: the first caller observes, the others wait for it. A failure is not kept."""
        with self._lock:
            known = self._answers.get(key)
            if known is None:
                mine: concurrent.futures.Future[dict[str, Any]] = concurrent.futures.Future()
                self._answers[key] = mine
        if known is not None:
            return known.result(), True
        try:
            result = observe()
        except BaseException as error:
            with self._lock:
                del self._answers[key]
            mine.set_exception(error)
            raise
        mine.set_result(result)
        return result, False

    @staticmethod
    def _wrap(result: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
        return {"changed": False, RESULT: result, "invocation": {"module_args": params}}

    def close(self) -> None:
        """End the Mono processes."""
        self.pool.close()


def _as_of_now(result: dict[str, Any], host: Host) -> dict[str, Any]:
    """A recorded observation as if just made, by the host's clock."""
    return replay.later(result, time.time() + host.clock_offset - replay.ended(result))
