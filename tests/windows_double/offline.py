# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs edefter-kontrol.exe as a simulated host's user: its registry, clock, network, trusted roots, under Mono."""

from __future__ import annotations

import json
import pathlib
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windows_double import csharp
from windows_double.host import Host

#: The file that makes a test build of the program answer for Windows' interfaces.
SEAM = pathlib.Path(__file__).parent / "mono" / "OfflineSeam.cs"
ROOT_USER = 0
PLAIN_USER = 65534


@dataclass(frozen=True)
class Ran:
    """How the program ended and what it said."""

    code: int
    stdout: str
    stderr: str


def command(
    host: Host, program: pathlib.Path, *options: str, user: int = ROOT_USER, env: Mapping[str, str] | None = None
) -> list[str]:
    """The command line: into the host's namespace, as that user, with no environment but the host's."""
    registry = host.registry.root
    home = host.home_of()
    api: dict[str, Any] = {**host.answers(), "is_admin": user == ROOT_USER}
    variables = csharp.environment(
        registry=registry,
        faketime=host.faketime(),
        home=pathlib.Path(home) if home else None,
        env={
            "SystemRoot": str(registry / "SystemRoot"),
            "EDEFTER_DOUBLE_API": json.dumps(api),
            **(env or {}),
        },
    )
    inside = ["ip", "netns", "exec", host.netns] if host.netns else []
    demoted = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"] if user != ROOT_USER else []
    words = [f"{key}={value}" for key, value in variables.items()]
    return [*inside, *demoted, "env", "-i", *words, "mono", str(program), *options]


def run(host: Host, program: pathlib.Path, *options: str, cwd: pathlib.Path, **how: Any) -> Ran:
    """One run to its end; `how` as for command."""
    done = subprocess.run(
        command(host, program, *options, **how),
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        timeout=90,
        stdin=subprocess.DEVNULL,
    )
    return Ran(done.returncode, done.stdout, done.stderr)
