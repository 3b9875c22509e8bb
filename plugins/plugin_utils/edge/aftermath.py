# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of a run whose process is gone: its report is written from the records that it left.

Edge. Two ways lead here: a watcher beside the run (this file as a program) that outlives it and then does this at once,
and the next run, which looks for what an earlier one left unfinished: after a power cut, or in a container that was
stopped with everything in it.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import pathlib
import subprocess
import sys
import time
import typing as t

if t.TYPE_CHECKING:
    from ansible_collections.edefter.ready.plugins.plugin_utils.edge.process import Process
    from ansible_collections.edefter.ready.plugins.plugin_utils.edge.store import RunStore

# A run of another machine or container counts as abandoned when nothing was written there for this long, in seconds.
QUIET = 3600.0
# Folders looked through for unfinished runs, newest first.
MOST = 20
_POLL = 0.5


def unfinished(store: RunStore) -> bool:
    """Whether the run there has not ended in order and its process is no more."""
    from ansible_collections.edefter.ready.plugins.plugin_utils.edge import process

    try:
        meta = store.meta()
        if meta.get("finished_utc"):
            return False
        owner = process.from_json(meta.get("process"))
        alive = owner.lives() if owner is not None else None
        return store.quiet_for() > QUIET if alive is None else not alive
    except (OSError, ValueError):
        return False


def conclude(store: RunStore) -> None:
    """Marks the run as interrupted and writes its reports."""
    from ansible_collections.edefter.ready.plugins.plugin_utils.edge import reports

    meta = store.meta()
    store.finish(datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), interrupted=True)
    reports.write_all(store, str(meta.get("language") or "tr"))


def conclude_earlier(reports_dir: pathlib.Path, but: pathlib.Path) -> list[str]:
    """Concludes the unfinished runs beside the run `but`; returns their folders' names."""
    from ansible_collections.edefter.ready.plugins.plugin_utils.edge.store import RunStore

    done: list[str] = []
    with contextlib.suppress(OSError):
        folders = sorted((path.parent for path in reports_dir.glob("*/run.json")), reverse=True)
        for folder in [path for path in folders if path != but][:MOST]:
            store = RunStore(folder)
            if unfinished(store):
                with contextlib.suppress(OSError, ValueError, KeyError):
                    conclude(store)
                    done.append(folder.name)
    return done


def watch(folder: pathlib.Path, owner: Process) -> None:
    """Starts the watcher of a run: a small Python that sleeps until the run's process is gone."""
    subprocess.Popen(
        [sys.executable, "-E", os.path.abspath(__file__), str(folder), str(owner.pid), owner.started],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd="/",
    )


def _started(pid: str) -> str:
    """When a process started, in the kernel's words; empty when there is none. (As process.py, without importing.)"""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            fields = stat.read().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in ("Z", "X") else fields[19]


def _finished(folder: str) -> bool:
    """Whether the run ended in order, or its folder is gone."""
    try:
        with open(os.path.join(folder, "run.json"), encoding="utf-8") as file:
            return bool(json.load(file).get("finished_utc"))
    except (OSError, ValueError):
        return True


def _main(folder: str, pid: str, started: str) -> None:
    while _started(pid) == started:
        time.sleep(_POLL)
    if _finished(folder):
        return
    # Workers of a killed run still finish the host they are at; what they write then belongs into the report.
    hosts = os.path.join(folder, "hosts")
    quiet = time.monotonic()
    seen = os.stat(hosts).st_mtime
    while time.monotonic() - quiet < 3.0:
        time.sleep(_POLL)
        now = os.stat(hosts).st_mtime
        if now != seen:
            seen, quiet = now, time.monotonic()
    # The folder above ansible_collections.
    sys.path.insert(0, str(pathlib.Path(__file__).absolute().parents[6]))
    from ansible_collections.edefter.ready.plugins.plugin_utils.edge.store import RunStore

    store = RunStore(folder)
    if not store.meta().get("finished_utc"):
        conclude(store)


if __name__ == "__main__":
    _main(*sys.argv[1:4])
