# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The run folder: what one run has seen so far, on the control node's disk.

Edge: the only room under plugin_utils that touches files. Every host's record is a file of its own, written whole and
renamed into place, so a run that is killed at any moment leaves a folder from which a valid report can be made, and
memory stays flat however large the fleet is.

    <folder>/run.json        {"schema", "run", "started_utc", "version", "mode", "finished_utc" | null}
    <folder>/roster.jsonl    {"host", "firm", "branch", "role"} a line: every host that the run set out for
    <folder>/vantage.json    the control node's own observation
    <folder>/hosts/<name>.json   one record (docs/contracts.md)
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pathlib
import tempfile
import typing as t
import urllib.parse

SCHEMA = 1
Json = t.Mapping[str, t.Any]


def write_atomically(path: pathlib.Path, text: str) -> None:
    """Writes beside and renames: a reader sees the old file or the new one, never half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, scratch = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:60]}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        # Readable for the group that reads reports; mkstemp would leave 0600. Secrets never get here.
        os.chmod(scratch, 0o644)
        os.replace(scratch, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(scratch)
        raise


def _dumps(value: t.Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class RunStore:
    """One run's folder. Processes side by side may write different hosts' records."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = pathlib.Path(folder)

    @classmethod
    def create(cls, folder: str | os.PathLike[str], run: str, started_utc: str, version: str, mode: str) -> RunStore:
        """Makes the folder and its run.json. mode: `ready` (repairs) or `check`."""
        store = cls(folder)
        (store.folder / "hosts").mkdir(parents=True, exist_ok=True)
        meta = {
            "schema": SCHEMA,
            "run": run,
            "started_utc": started_utc,
            "version": version,
            "mode": mode,
            "finished_utc": None,
        }
        write_atomically(store.folder / "run.json", _dumps(meta))
        return store

    def exists(self) -> bool:
        """True when a run has been begun here."""
        return (self.folder / "run.json").is_file()

    def meta(self) -> dict[str, t.Any]:
        """run.json."""
        return t.cast("dict[str, t.Any]", json.loads((self.folder / "run.json").read_text(encoding="utf-8")))

    def finish(self, finished_utc: str) -> None:
        """Marks the run as ended in order."""
        write_atomically(self.folder / "run.json", _dumps({**self.meta(), "finished_utc": finished_utc}))

    def add_to_roster(self, hosts: t.Iterable[Json]) -> None:
        """Hosts that the run sets out for; a host already there is not added twice (batches of `serial`)."""
        known = {entry["host"]: entry for entry in self.roster()}
        for entry in hosts:
            known.setdefault(entry["host"], dict(entry))
        write_atomically(self.folder / "roster.jsonl", "".join(_dumps(entry) + "\n" for entry in known.values()))

    def roster(self) -> list[dict[str, t.Any]]:
        """Every host that the run set out for, in inventory order."""
        path = self.folder / "roster.jsonl"
        if not path.is_file():
            return []
        with path.open(encoding="utf-8") as lines:
            return [json.loads(line) for line in lines if line.strip()]

    def put_vantage(self, observation: Json | None) -> None:
        """The control node's own observation, or null when it failed."""
        write_atomically(self.folder / "vantage.json", _dumps(observation))

    def vantage(self) -> t.Any:
        """The control node's observation as it came, or None."""
        path = self.folder / "vantage.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None

    def _path(self, host: str) -> pathlib.Path:
        # Host names are the inventory's; quoting keeps one with a slash (or `..`) inside the folder.
        name = urllib.parse.quote(host, safe="-_.").replace("..", "%2E%2E")
        if len(name) > 150:
            name = f"{name[:100]}~{hashlib.sha256(host.encode()).hexdigest()[:32]}"
        return self.folder / "hosts" / f"{name}.json"

    def put(self, host: str, record: Json) -> None:
        """Writes a host's record."""
        write_atomically(self._path(host), _dumps(record))

    def get(self, host: str) -> dict[str, t.Any] | None:
        """A host's record, None when there is none (yet)."""
        path = self._path(host)
        if not path.is_file():
            return None
        return t.cast("dict[str, t.Any]", json.loads(path.read_text(encoding="utf-8")))

    def records(self, entries: t.Iterable[Json] | None = None) -> t.Iterator[dict[str, t.Any]]:
        """One record for every host of the roster or of some of its entries; `pending` where the run did not get to."""
        meta = self.meta()
        for entry in self.roster() if entries is None else entries:
            yield self.get(entry["host"]) or pending(meta["run"], entry)


def pending(run: str, entry: Json) -> dict[str, t.Any]:
    """The record of a host that the run has not got to."""
    return {
        "schema": SCHEMA,
        "run": run,
        "host": entry["host"],
        "firm": entry.get("firm", ""),
        "branch": entry.get("branch", ""),
        "role": entry.get("role", ""),
        "state": "pending",
        "message": {},
        "before": None,
        "after": None,
        "error": None,
    }
