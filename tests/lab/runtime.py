# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a lab must remember to be cleaned up by somebody else: its folder, its processes, its rules, its faults.

Everything is in one JSON file under a lock, so that a second process (the command line, a test worker) can switch
faults in a lab that is left running, and so that the next ``up`` can clean after a killed run.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .netns import CACHE, LabError, inside, start_time

BASE = Path(os.environ.get("EDR_LAB_DIR", "/run/edefter-lab"))
TESTS_DIR = Path(__file__).resolve().parent.parent


class Runtime:
    """The folder ``/run/edefter-lab/<name>`` and the state file in it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.folder = BASE / name
        self._state = self.folder / "state.json"

    def create(self) -> None:
        BASE.mkdir(parents=True, exist_ok=True, mode=0o755)
        self.folder.mkdir(mode=0o755)
        empty = {"sites": {}, "hosts": {}, "processes": [], "rules": [], "tables": [], "faults": {}, "next": 1}
        self._state.write_text(json.dumps({"owner": [os.getpid(), start_time(os.getpid())], **empty}))

    def owned_by_another(self) -> int | None:
        """The pid of the live process that brought this lab up, when it is not this one."""
        pid, start = self.read().get("owner", (0, None))
        return pid if pid != os.getpid() and start is not None and start_time(pid) == start else None

    @property
    def exists(self) -> bool:
        return self._state.exists()

    @contextmanager
    def lock(self, what: str) -> Iterator[None]:
        """One thread of one process at a time does ``what`` in this lab. (Not to be nested with itself.)"""
        with (self.folder / f"lock.{what}").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @contextmanager
    def edit(self) -> Iterator[dict[str, Any]]:
        """The state, read under a lock and written back when the block ends without an error."""
        with self.lock("state"):
            data = json.loads(self._state.read_text(encoding="utf-8"))
            yield data
            fresh = self._state.with_suffix(".new")
            fresh.write_text(json.dumps(data, indent=1), encoding="utf-8")
            fresh.replace(self._state)

    def read(self) -> dict[str, Any]:
        try:
            data: dict[str, Any] = json.loads(self._state.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return data

    # ---- processes -------------------------------------------------------------------------------------------------

    def spawn(self, label: str, argv: Sequence[str], netns: str | None, *, hard: bool = False) -> int:
        """Start a long-lived process of the lab in a namespace; its output goes to ``<label>.log``. Returns the pid.

        ``hard``: it takes its time to end and has nothing to save, so it is killed at once.
        """
        with (self.folder / f"{label}.log").open("ab") as log, inside(netns):
            process = subprocess.Popen(
                list(argv),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,
            )
        _children[process.pid] = process
        with self.edit() as data:
            data["processes"].append(
                {"label": label, "pid": process.pid, "start": start_time(process.pid), "netns": netns, "hard": hard}
            )
        return process.pid

    def server(self, label: str, program: str, *arguments: str, netns: str, hard: bool = False) -> int:
        """Start a system server from a copy of its program.

        Distributions confine chronyd, unbound and squid with AppArmor profiles that know only their own configuration
        folders; a profile goes with the program's path, so a copy elsewhere is free of it.
        """
        found = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        if found is None:
            raise LabError(f"no {program} on this machine")
        copy = CACHE / "bin" / program
        original = Path(found).stat()
        stamp = (original.st_size, int(original.st_mtime))
        if not copy.exists() or (copy.stat().st_size, int(copy.stat().st_mtime)) != stamp:
            copy.parent.mkdir(parents=True, exist_ok=True)
            fresh = copy.with_name(f".{program}.{os.getpid()}")
            shutil.copy2(found, fresh)
            fresh.replace(copy)
        return self.spawn(label, [str(copy), *arguments], netns, hard=hard)

    def running(self, label: str) -> bool:
        return any(p["label"] == label and alive(p) for p in self.read().get("processes", []))

    def daemon(self, label: str, module: str, netns: str, *args: str) -> Path:
        """Start one of our own daemons (``lab.daemons.<module>``) once; the path of its control socket."""
        socket_path = self.folder / f"{label}.sock"
        with self.lock("start"):
            if not self.running(label):
                socket_path.unlink(missing_ok=True)
                self.spawn(
                    label,
                    [sys.executable, "-S", "-E", "-c",
                     f"import sys; sys.path[:0] = [{str(TESTS_DIR)!r}]; from lab.daemons.{module} import main; main()",
                     str(socket_path), *args],
                    netns,
                )  # fmt: skip
                self.wait(socket_path.exists, f"{label} did not start", label)
        return socket_path

    def wait(self, ready: Callable[[], bool], complaint: str, label: str, seconds: float = 10.0) -> None:
        """Poll until ready; LabError with the end of that process' log otherwise."""
        end = time.monotonic() + seconds
        pause = 0.005
        while not ready():
            if time.monotonic() > end or not self.running(label):
                log = self.folder / f"{label}.log"
                tail = log.read_text(errors="replace")[-2000:] if log.exists() else ""
                raise LabError(f"lab {self.name}: {complaint} (waited at most {seconds:g} s)\n{tail}")
            time.sleep(pause)
            pause = min(pause * 1.5, 0.1)

    def kill(self, label: str) -> None:
        """End the processes with that label."""
        with self.edit() as data:
            ours = [p for p in data["processes"] if p["label"] == label]
            data["processes"] = [p for p in data["processes"] if p["label"] != label]
        end_recorded(ours)

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        with contextlib.suppress(OSError):
            BASE.rmdir()


_children: dict[int, subprocess.Popen[bytes]] = {}


def alive(process: dict[str, Any]) -> bool:
    """Is this very process (not a later one with its pid) running?"""
    return process["start"] is not None and start_time(process["pid"]) == process["start"]


def end_recorded(processes: Sequence[dict[str, Any]]) -> None:
    """End processes as the state file notes them."""
    end_processes([(p["pid"], p["start"]) for p in processes if p.get("hard")], (signal.SIGKILL,))
    end_processes([(p["pid"], p["start"]) for p in processes])


def end_processes(
    processes: Sequence[tuple[int, int | None]],
    signals: Sequence[signal.Signals] = (signal.SIGTERM, signal.SIGKILL),
    grace: float = 1.5,
) -> None:
    """TERM, then KILL, by pid; a pid whose start time does not match belongs to somebody else and is left alone."""
    left = [(pid, start) for pid, start in processes if start is not None and start_time(pid) == start]
    for sig in signals:
        for pid, _start in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sig)
        end = time.monotonic() + grace
        while left and time.monotonic() < end:
            for pid, _start in left:
                child = _children.get(pid)
                if child is not None:
                    child.poll()
            left = [(pid, start) for pid, start in left if start_time(pid) == start]
            if left:
                time.sleep(0.01)
        if not left:
            break
    for pid, _ in processes:
        child = _children.pop(pid, None)
        if child is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(timeout=1)
