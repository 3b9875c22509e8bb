# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts with a known clock: one warm process each, of either twin, in a lab host's namespace under libfaketime."""

from __future__ import annotations

import json
import os
import pathlib
import re
import select
import subprocess
import sys
from typing import Any

from windows_double import csharp

ROOT = pathlib.Path(__file__).resolve().parents[2]
SERVER = pathlib.Path(__file__).with_name("python_twin.py")
_USING = re.compile(r"^using ansible_collections\.edefter\.ready\.plugins\.module_utils\.(\w+);", re.MULTILINE)
# The first call waits until the process is up.
IDLE: dict[str, Any] = {"time_sources": []}


def library(stepping: pathlib.Path | None = None) -> pathlib.Path:
    """clock_info's C#, compiled: the entry and what its `using` lines lead to.

    stepping: a file with seconds in it; from when it exists, the wall clock is ahead by them. (libfaketime can step a
    clock by a file too, but then Mono's timed waits return at once.)
    """
    shipped = csharp.shipped_sources()
    needed: set[str] = set()
    wanted = {"ClockInfo.cs"}
    while wanted:
        needed |= wanted
        found = {f"{name}.cs" for file in wanted for name in _USING.findall(shipped[file])}
        wanted = found - needed
    sources = {name: shipped[name] for name in sorted(needed)}
    if stepping is not None:
        plain = "return DateTime.UtcNow;"
        assert plain in sources["HostApi.cs"]
        stepped = f"""
            string file = @"{stepping}";
            string text = System.IO.File.Exists(file) ? System.IO.File.ReadAllText(file) : "0";
            double ahead = double.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
            return DateTime.UtcNow.AddSeconds(ahead);"""
        sources["HostApi.cs"] = sources["HostApi.cs"].replace(plain, stepped)
    return csharp.build(sources)


class CSharpHost:
    """The C# twin under Mono."""

    twin = "csharp"

    def __init__(
        self, netns: str | None, clock: str, home: pathlib.Path | None, stepping: pathlib.Path | None = None
    ) -> None:
        self._worker = csharp.Worker(library=library(stepping), netns=netns, faketime=_faketime(clock), home=home)
        self.measure(IDLE)

    def measure(self, options: dict[str, Any]) -> dict[str, Any]:
        return self._worker.call("ClockInfo", options)

    def close(self) -> None:
        self._worker.close()


class PythonHost:
    """The Python twin, its module code in a process of its own."""

    twin = "python"

    def __init__(
        self, netns: str | None, clock: str, trust: pathlib.Path | None, more: dict[str, str] | None = None
    ) -> None:
        variables = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "PYTHONPATH": str(ROOT / ".collections")}
        variables["PYTHONDONTWRITEBYTECODE"] = "1"
        faked = _faketime(clock)
        if faked is not None:
            variables.update(LD_PRELOAD=csharp.faketime_library(), FAKETIME=faked, DONT_FAKE_MONOTONIC="1")
        if trust is not None:
            variables["SSL_CERT_FILE"] = str(trust)
        variables.update(more or {})
        prefix = ["ip", "netns", "exec", netns] if netns else []
        # libfaketime must not reach `ip`.
        command = [*prefix, "env", "-i", *(f"{key}={value}" for key, value in variables.items())]
        self._process = subprocess.Popen(
            [*command, sys.executable, str(SERVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.measure(IDLE)

    def measure(self, options: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(options) + "\n")
        self._process.stdin.flush()
        if not select.select([self._process.stdout], [], [], 60)[0]:
            raise TimeoutError("the Python twin did not answer within 60 s")
        return json.loads(self._process.stdout.readline())  # type: ignore[no-any-return]

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


Host = CSharpHost | PythonHost


def _faketime(clock: str) -> str | None:
    if clock == "+0":
        return None
    return clock if clock.endswith("y") else f"{clock}s"
