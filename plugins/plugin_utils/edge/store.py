# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The run folder: what one run has seen so far, on the control node's disk.

Edge: the only room under plugin_utils that touches files. Every host's record is a file of its own, written whole and
renamed into place, so a run that is killed at any moment leaves a folder from which a valid report can be made, and
memory stays flat however large the fleet is.

    <folder>/run.json        {"schema", "run", "started_utc", "version", "mode", "finished_utc" | null,
                              "language", "process": whose run it is (process.py) | null, "interrupted": bool,
                              "merged": [run.json of its parts], of a merged run (merge.py)}
    <folder>/roster.jsonl    {"host", "firm", "branch", "role"} a line: every host that the run set out for
    <folder>/branches/<hash>.txt   a host a line, sorted: who shares one branch's address with whom
    <folder>/addresses.json  {endpoint's host: [address]} as the control node resolves them
    <folder>/vantage.json    the control node's own observation, or null: it failed
    <folder>/vantage-judged.json   what hosts are held against (vantage.py)
    <folder>/vantage.pid     who is measuring it
    <folder>/hosts/<name>.json   one record (docs/contracts.md)
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pathlib
import tempfile
import time
import typing as t
import urllib.parse

from ansible_collections.edefter.ready.plugins.plugin_utils.clock import fleet
from ansible_collections.edefter.ready.plugins.plugin_utils.edge import process

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
    def create(
        cls,
        folder: str | os.PathLike[str],
        run: str,
        started_utc: str,
        version: str,
        mode: str,
        language: str = "tr",
        owner: process.Process | None = None,
    ) -> RunStore:
        """Makes the folder and its run.json. mode: `ready` (repairs) or `check`. owner: the process that runs it."""
        store = cls(folder)
        (store.folder / "hosts").mkdir(parents=True, exist_ok=True)
        meta = {
            "schema": SCHEMA,
            "run": run,
            "started_utc": started_utc,
            "version": version,
            "mode": mode,
            "finished_utc": None,
            "language": language,
            "process": process.to_json(owner),
        }
        write_atomically(store.folder / "run.json", _dumps(meta))
        return store

    @classmethod
    def adopt(cls, folder: str | os.PathLike[str], meta: Json, language: str) -> RunStore:
        """The folder of a run that happened elsewhere, or in parts; what is there already stays."""
        store = cls(folder)
        (store.folder / "hosts").mkdir(parents=True, exist_ok=True)
        write_atomically(store.folder / "run.json", _dumps({**meta, "language": language, "process": None}))
        return store

    def exists(self) -> bool:
        """True when a run has been begun here."""
        return (self.folder / "run.json").is_file()

    def meta(self) -> dict[str, t.Any]:
        """run.json."""
        return t.cast("dict[str, t.Any]", json.loads((self.folder / "run.json").read_text(encoding="utf-8")))

    def finish(self, finished_utc: str, interrupted: bool = False) -> None:
        """Marks the run as ended: in order, or because somebody found that its process is gone."""
        meta = self.meta()
        if meta.get("merged"):
            # Its parts have ended, or have not; reporting on them once more changes neither.
            return
        meta = {**meta, "finished_utc": finished_utc, "interrupted": interrupted}
        write_atomically(self.folder / "run.json", _dumps(meta))

    def quiet_for(self) -> float:
        """Seconds since anything was written here, by the clock of the file system."""
        newest = max(path.stat().st_mtime for path in (self.folder / "run.json", self.folder / "hosts"))
        return max(0.0, time.time() - newest)

    def add_to_roster(self, hosts: t.Iterable[Json]) -> None:
        """Hosts that the run sets out for; a host already there is not added twice (batches of `serial`)."""
        known = {entry["host"]: entry for entry in self.roster()}
        for entry in hosts:
            known.setdefault(entry["host"], dict(entry))
        self.set_roster(known.values())

    def set_roster(self, entries: t.Iterable[Json]) -> None:
        """The hosts that the run set out for, all of them."""
        whole = list(entries)
        write_atomically(self.folder / "roster.jsonl", "".join(_dumps(entry) + "\n" for entry in whole))
        self._put_branches(whole)

    def _put_branches(self, entries: t.Iterable[Json]) -> None:
        """Once a run, so that a host looks its neighbours up in a file of its branch and not among the whole fleet."""
        members: dict[tuple[str, str], list[str]] = {}
        for entry in entries:
            branch = (entry.get("firm", ""), entry.get("branch", ""))
            if branch != ("", ""):
                members.setdefault(branch, []).append(entry["host"])
        for (firm, branch_name), hosts in members.items():
            write_atomically(self._branch(firm, branch_name), "".join(f"{host}\n" for host in sorted(hosts)))

    def _branch(self, firm: str, branch: str) -> pathlib.Path:
        return self.folder / "branches" / f"{hashlib.sha256(_dumps([firm, branch]).encode()).hexdigest()[:24]}.txt"

    def place(self, host: str, firm: str, branch: str, slices: int = 1) -> tuple[int, int]:
        """(neighbours, place) of a host as `clock.fleet` says it, by what the roster knew of its branch."""
        try:
            names = self._branch(firm, branch).read_text(encoding="utf-8").splitlines()
            return fleet.among_slices(host, len(names), names.index(host), slices)
        except (OSError, ValueError):
            return 1, 0

    def roster(self) -> list[dict[str, t.Any]]:
        """Every host that the run set out for, in inventory order."""
        path = self.folder / "roster.jsonl"
        if not path.is_file():
            return []
        with path.open(encoding="utf-8") as lines:
            return [json.loads(line) for line in lines if line.strip()]

    def put_vantage(self, observation: Json | None, judged: t.Any = None) -> None:
        """The control node's own observation, or null when it failed. judged: the part of it that every host reads."""
        # First: whoever waits for vantage.json then finds both.
        if judged is not None:
            write_atomically(self.folder / "vantage-judged.json", _dumps(judged))
        write_atomically(self.folder / "vantage.json", _dumps(observation))

    def put_addresses(self, addresses: t.Mapping[str, t.Sequence[str]]) -> None:
        """The endpoints' addresses as the control node resolves them, for the hosts to try too."""
        write_atomically(self.folder / "addresses.json", _dumps(addresses))

    def addresses(self) -> dict[str, list[str]]:
        """What put_addresses was given; empty when nothing was."""
        try:
            raw = json.loads((self.folder / "addresses.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return t.cast("dict[str, list[str]]", raw)

    def measuring(self, who: process.Process | None) -> None:
        """Notes the process that measures for the control node and will write vantage.json."""
        write_atomically(self.folder / "vantage.pid", _dumps(process.to_json(who)))

    def awaited_vantage(self, patience: float) -> t.Any:
        """What every host reads of the control node's observation, waited for while its process is at it, at most
        `patience` seconds; None when it failed, or did not come."""
        ends = time.monotonic() + patience
        path = self.folder / "vantage.json"
        while not path.is_file() and time.monotonic() < ends and self._is_measuring():
            time.sleep(0.05)
        try:
            return json.loads((self.folder / "vantage-judged.json").read_text(encoding="utf-8"))
        except OSError:
            return None

    def _is_measuring(self) -> bool:
        try:
            who = process.from_json(json.loads((self.folder / "vantage.pid").read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return False
        return who is not None and who.lives() is not False

    def measured(self) -> bool:
        """Whether the vantage was measured, successfully or not."""
        return (self.folder / "vantage.json").is_file()

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
