# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compiles the C# that ships and runs it for real, under Mono.

`build` compiles sources (name -> text) into a library, once per content hash. `Worker` keeps one Mono process for one
host's circumstances (registry folder, network namespace, clock, trust store); `run` is one call through a short-lived
Worker.
"""

from __future__ import annotations

import contextlib
import glob
import hashlib
import json
import os
import pathlib
import re
import select
import shutil
import subprocess
import tempfile
import threading
import time
import typing as t

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "plugins" / "module_utils"
SLEEP = pathlib.Path(__file__).parent / "mono" / "clock_nanosleep.c"
HARNESS = pathlib.Path(__file__).parent / "mono" / "Harness.cs"
REFERENCE_ASSEMBLIES = "/usr/lib/mono/{version}-api"
_ASSEMBLY = re.compile(r"^//AssemblyReference\s+-Name\s+(\S+)\s+-CLR\s+Framework\s*$", re.MULTILINE)


class CompileError(RuntimeError):
    """mcs refused the sources; the message is its output."""


class ModuleCrash(RuntimeError):
    """The entry raised, or the Mono process died or did not answer in time."""


def shipped_sources() -> dict[str, str]:
    """Every .cs file of the collection: file name -> text."""
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(SHIPPED.glob("*.cs"))}


def _cache() -> pathlib.Path:
    folder = pathlib.Path(os.environ.get("EDEFTER_TEST_CACHE", ROOT / ".cache" / "csharp"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def compile_sources(
    sources: t.Mapping[str, str], out: pathlib.Path, *options: str, references: str | None = None
) -> None:
    """Compiles as Ansible does on Windows: C# 5, warnings are errors, only the assemblies that the sources name.

    references: a .NET Framework version ("4.5", "4.7.2"): compile against its reference assemblies instead of Mono's
    own.
    """
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        names: set[str] = set()
        for name, text in sources.items():
            path = pathlib.Path(folder, name)
            path.write_text(text, encoding="utf-8")
            paths.append(str(path))
            names.update(_ASSEMBLY.findall(text))
        command = ["mcs", "-langversion:5", "-warnaserror", "-warn:4", "-nologo", f"-out:{out}", *options]
        assemblies = ["System.dll", "System.Core.dll", *sorted(names)]
        if references is None:
            command += [f"-r:{name}" for name in assemblies]
        else:
            base = REFERENCE_ASSEMBLIES.format(version=references)
            command += ["-noconfig", "-nostdlib", *(f"-r:{base}/{name}" for name in ["mscorlib.dll", *assemblies])]
        done = subprocess.run([*command, *paths], capture_output=True, text=True, check=False)
        if done.returncode:
            raise CompileError(done.stdout + done.stderr)


def _cached(kind: str, sources: t.Mapping[str, str], *options: str) -> pathlib.Path:
    digest = hashlib.sha256(json.dumps([sorted(sources.items()), options]).encode()).hexdigest()[:24]
    target = _cache() / f"{kind}-{digest}.{'exe' if '-target:exe' in options else 'dll'}"
    if not target.exists():
        # Several processes and threads may build at once: each into a name of its own, the rename is atomic.
        scratch = target.with_name(f".{os.getpid()}-{threading.get_ident()}-{target.name}")
        try:
            compile_sources(sources, scratch, *options)
            os.replace(scratch, target)
        finally:
            scratch.unlink(missing_ok=True)
    return target


def build(sources: t.Mapping[str, str] | None = None) -> pathlib.Path:
    """The library of these sources (default: all that ships)."""
    return _cached("utils", shipped_sources() if sources is None else sources, "-target:library")


def harness() -> pathlib.Path:
    """The program that loads the library and calls an entry."""
    text = HARNESS.read_text(encoding="utf-8")
    return _cached("harness", {HARNESS.name: text}, "-target:exe", "-r:System.Web.Extensions.dll")


def faketime_library() -> str:
    """Path of Debian's libfaketime (package `libfaketime`)."""
    found = sorted(glob.glob("/usr/lib/*/faketime/libfaketime.so.1"))
    if not found:
        raise FileNotFoundError("libfaketime.so.1 is not installed; install the Debian package libfaketime")
    return found[0]


def true_sleep() -> pathlib.Path:
    """The library that keeps libfaketime away from sleeps (mono/clock_nanosleep.c says why)."""
    text = SLEEP.read_bytes()
    target = _cache() / f"sleep-{hashlib.sha256(text).hexdigest()[:24]}.so"
    if not target.exists():
        compiler = shutil.which("tcc") or shutil.which("cc")
        if compiler is None:
            raise FileNotFoundError("no C compiler; install the Debian package tcc")
        scratch = target.with_name(f".{os.getpid()}-{threading.get_ident()}-{target.name}")
        command = [compiler, "-shared", "-nostdlib", "-o", str(scratch), str(SLEEP)]
        subprocess.run(command, check=True, capture_output=True)
        os.replace(scratch, target)
    return target


def environment(
    *,
    registry: pathlib.Path | None = None,
    faketime: str | None = None,
    home: pathlib.Path | None = None,
    env: t.Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The environment of a host's Mono process.

    registry: folder of Mono's file-backed HKLM and HKU. faketime: libfaketime's FAKETIME (`+420s`, `-24y`). home:
    holds Mono's trust store, so that hosts trust different roots.
    """
    result = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LANG": "tr_TR.UTF-8", "TZ": "UTC"}
    # A crash of Mono itself is over quickly: no debugger is called in.
    result["MONO_DEBUG"] = "no-gdb-backtrace"
    if registry is not None:
        result["MONO_REGISTRY_PATH"] = str(registry)
    if home is not None:
        result.update(HOME=str(home), XDG_CONFIG_HOME=str(home / ".config"))
    if faketime is not None:
        result.update(LD_PRELOAD=f"{true_sleep()}:{faketime_library()}", FAKETIME=faketime, DONT_FAKE_MONOTONIC="1")
        # Without this, libfaketime shifts deadlines of waits on the monotonic clock too: every Join would end at once.
        result["FAKETIME_FORCE_MONOTONIC_FIX"] = "0"
    result.update(env or {})
    return result


class Worker:
    """One warm Mono process; `call` may be repeated. Not thread-safe: one caller at a time."""

    def __init__(
        self,
        *,
        library: pathlib.Path | None = None,
        netns: str | None = None,
        registry: pathlib.Path | None = None,
        faketime: str | None = None,
        home: pathlib.Path | None = None,
        env: t.Mapping[str, str] | None = None,
    ) -> None:
        prefix = ["ip", "netns", "exec", netns] if netns else []
        # libfaketime must not reach `ip`, only Mono: the variables are laid on by env(1) inside the namespace.
        variables = [
            f"{k}={v}" for k, v in environment(registry=registry, faketime=faketime, home=home, env=env).items()
        ]
        mono = ["mono", str(harness()), str(library or build())]
        self.noise: list[str] = []
        self._pending = b""
        # A file, not a pipe: nobody reads it while all is well, and a full pipe would stop the process.
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._process = subprocess.Popen(
            [*prefix, "env", "-i", *variables, *mono],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
        )

    def call(
        self,
        entry: str,
        params: t.Mapping[str, t.Any],
        api: t.Mapping[str, t.Any] | None = None,
        timeout: float = 60.0,
        registry: pathlib.Path | None = None,
    ) -> dict[str, t.Any]:
        """Calls ENTRY.Run(params); api: the adaptors' answers (`service:w32time`, `domain_role`, …).

        registry: this call's registry folder instead of the process's own, so that one process can serve many hosts.
        """
        assert self._process.stdin
        assert self._process.stdout
        folder = None if registry is None else str(registry)
        request = json.dumps({"entry": entry, "params": params, "api": api, "registry": folder}) + "\n"
        try:
            self._process.stdin.write(request.encode())
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise ModuleCrash(self._last_words()) from error
        reply = json.loads(self._reply(entry, timeout))
        if "exception" in reply:
            raise ModuleCrash(reply["exception"])
        return t.cast("dict[str, t.Any]", reply["result"])

    def _reply(self, entry: str, timeout: float) -> bytes:
        """The next line that is a reply. Mono itself may print to the same stream; what it says is kept in `noise`."""
        assert self._process.stdout
        ends = time.monotonic() + timeout
        waiting = select.poll()
        waiting.register(self._process.stdout, select.POLLIN)
        while True:
            line, found, rest = self._pending.partition(b"\n")
            if found:
                self._pending = rest
                if line.startswith(b"{"):
                    return line
                self.noise.append(line[:2000].decode(errors="replace"))
                continue
            left = ends - time.monotonic()
            # poll and not select: with thousands of hosts that listen, a descriptor lies beyond what select can take.
            if left <= 0 or not waiting.poll(left * 1000):
                self.close()
                raise ModuleCrash(f"{entry}: no answer within {timeout} s; noise: {self.noise[-3:]}")
            # The raw descriptor: a buffered reader would hide from poll what it has already taken.
            chunk = os.read(self._process.stdout.fileno(), 1 << 20)
            if not chunk:
                raise ModuleCrash(self._last_words())
            self._pending += chunk

    def _last_words(self) -> str:
        self._end()
        self._stderr.seek(0)
        words = self._stderr.read()[-4000:].decode(errors="replace")
        self._stderr.close()
        return f"mono ended with {self._process.returncode}: {words} {self.noise[-3:]}"

    def close(self) -> None:
        """Ends the process; harmless when it has ended."""
        self._end()
        self._stderr.close()

    def _end(self) -> None:
        with contextlib.suppress(OSError):
            if self._process.stdin:
                self._process.stdin.close()
        # The end of its input ends it. SIGTERM would make Mono write a crash report.
        try:
            self._process.wait(1)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._process.wait()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def run(
    entry: str,
    params: t.Mapping[str, t.Any],
    *,
    api: t.Mapping[str, t.Any] | None = None,
    timeout: float = 60.0,
    **circumstances: t.Any,
) -> dict[str, t.Any]:
    """One call in a Mono process of its own; circumstances as for Worker."""
    with Worker(**circumstances) as worker:
        return worker.call(entry, params, api, timeout)
