# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs leave for later ones, and how many of them are kept.

Edge: files. Runs that lie side by side in one folder are one history; what is remembered is made by `report/history`.
"""

from __future__ import annotations

import json
import pathlib
import re
import shutil
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils.edge.store import RunStore, write_atomically

FILE = "digest.json"
# The names that run_open and run_merge give a run's folder; a folder of any other name is never deleted.
_RUN = re.compile(r"\d{8}T\d{6}Z-(?:[0-9a-f]{4}|m[0-9a-f]{8})\Z", re.ASCII)


def put(store: RunStore, memory: t.Mapping[str, t.Any]) -> None:
    """Writes the run's memory."""
    write_atomically(store.folder / FILE, json.dumps(memory, ensure_ascii=False, separators=(",", ":")) + "\n")


def _neighbours(store: RunStore) -> list[pathlib.Path]:
    """The other runs' folders beside this one, the newest first (their names sort by time)."""
    folder = store.folder.resolve()
    try:
        found = [path for path in folder.parent.iterdir() if _RUN.match(path.name) and path != folder]
    except OSError:
        return []
    return sorted((path for path in found if path.is_dir() and not path.is_symlink()), reverse=True)


def newest(store: RunStore) -> object:
    """The memory of the newest run that began before this one, as parsed JSON; None when there is none to be had.

    A run whose reports were never written has none, one that is damaged is passed over for the one before it.
    """
    meta = store.meta()
    # What a merged run was made of is not from before it.
    own = {part.get("run") for part in meta.get("merged") or ()}
    for path in _neighbours(store):
        if path.name < meta["run"] and path.name not in own:
            try:
                return t.cast("object", json.loads((path / FILE).read_text(encoding="utf-8")))
            except (OSError, ValueError):
                continue
    return None


def prune(store: RunStore, keep: int) -> list[str]:
    """Deletes the oldest runs beside this one so that keep remain, this one counted; 0 keeps all. Returns their names.

    Only what a finished run made is deleted, and never a run newer than this one.
    """
    if keep < 1:
        return []
    own = store.meta()["run"]
    older = [path for path in _neighbours(store) if path.name < own and _finished(path)]
    gone = older[keep - 1 :]
    for path in gone:
        shutil.rmtree(path, ignore_errors=True)
    return [path.name for path in gone if not path.exists()]


def _finished(path: pathlib.Path) -> bool:
    try:
        meta = RunStore(path).meta()
    except (OSError, ValueError):
        return False
    return isinstance(meta, dict) and meta.get("run") == path.name and bool(meta.get("finished_utc"))
