# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Both twins, kept warm in one place of the lab, asked the same: `Twins(net, host)`; `.call("EndpointInfo", params)`.

The Python twin runs in a process of its own inside the namespace (`ip netns exec`, so with the host's resolv.conf,
hosts file and trusted roots); the C# one under Mono likewise.
"""

from __future__ import annotations

import json
import os
import pathlib
import select
import subprocess
import sys
import threading
import typing as t

from windows_double import csharp, labs

ROOT = pathlib.Path(__file__).resolve().parents[1]
COLLECTIONS = ROOT / ".collections"
Data = dict[str, t.Any]

_SERVE = """
import json, sys
from ansible_collections.edefter.ready.plugins.module_utils import endpoints, network, proxy
from ansible_collections.edefter.ready.plugins.module_utils.core import observe
BODIES = {"endpoints": endpoints.collect, "proxy": proxy.collect, "network": network.collect}
for line in sys.stdin:
    request = json.loads(line)
    print(json.dumps(observe("endpoint_info", BODIES, request["params"])), flush=True)
"""


class PosixTwin:
    """The Python twin in a namespace."""

    name = "posix"

    def __init__(self, netns: str, env: t.Mapping[str, str] | None = None) -> None:
        variables = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "PYTHONPATH": str(COLLECTIONS), **(env or {})}
        self._process = subprocess.Popen(
            [
                "ip",
                "netns",
                "exec",
                netns,
                "env",
                "-i",
                *(f"{k}={v}" for k, v in variables.items()),
                sys.executable,
                "-c",
                _SERVE,
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def call(self, entry: str, params: Data, timeout: float = 60.0) -> Data:
        """One observation; RuntimeError when the process dies or does not answer in time."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"params": params}).encode() + b"\n")
        self._process.stdin.flush()
        if not select.select([self._process.stdout], [], [], timeout)[0]:
            raise RuntimeError(f"{entry}: the Python twin gave no answer within {timeout} s")
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the Python twin's process has ended")
        return t.cast(Data, json.loads(line))

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class WindowsTwin:
    """The C# twin under Mono in a namespace."""

    name = "windows"

    def __init__(self, netns: str, **circumstances: t.Any) -> None:
        self._worker = csharp.Worker(netns=netns, **circumstances)

    @property
    def pid(self) -> int:
        return self._worker._process.pid

    def call(self, entry: str, params: Data, timeout: float = 60.0) -> Data:
        return self._worker.call(entry, params, timeout=timeout)

    def close(self) -> None:
        self._worker.close()


class Twins:
    """Both, for one host of the lab. folder: for its registry and Mono's trust stores; env: of the Python one."""

    def __init__(self, host: t.Any, folder: pathlib.Path, env: t.Mapping[str, str] | None = None) -> None:
        self._host = host
        self._folder = folder
        self._registry = folder / f"registry-{host.name}"
        self._registry.mkdir(exist_ok=True)
        self._env = env
        self._trust = b""
        self._renew()

    def _renew(self) -> None:
        """New processes when the host trusts other roots than before: both read them once."""
        trust = self._host.trust_file.read_bytes()
        if trust == self._trust:
            return
        if self._trust:
            self.close()
        self._trust = trust
        home = labs.trust_home(self._host.trust_file, self._folder)
        self.posix = PosixTwin(self._host.netns, self._env)
        self.windows = WindowsTwin(self._host.netns, home=home, registry=self._registry)

    def call(self, params: Data, timeout: float = 60.0) -> dict[str, Data]:
        """Both observations, made at the same time: {"posix": …, "windows": …}."""
        self._renew()
        results: dict[str, Data] = {}
        errors: list[BaseException] = []

        def run(twin: PosixTwin | WindowsTwin) -> None:
            try:
                results[twin.name] = twin.call("EndpointInfo", params, timeout)
            except (RuntimeError, OSError) as error:
                errors.append(error)

        threads = [threading.Thread(target=run, args=(twin,)) for twin in (self.posix, self.windows)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]
        return results

    def close(self) -> None:
        self.posix.close()
        self.windows.close()

    def __enter__(self) -> Twins:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
