# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes a run's reports, reading its records one at a time.

Edge: files only; what a report says is made by the pure renderers in `report/`. Memory holds a line a host, one
branch's connections and one firm's clocks; what grows with the fleet waits in temporary files.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pathlib
import shutil
import tempfile
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils import messages
from ansible_collections.edefter.ready.plugins.plugin_utils.edge import memory
from ansible_collections.edefter.ready.plugins.plugin_utils.edge.store import RunStore
from ansible_collections.edefter.ready.plugins.plugin_utils.report import correlate, html, junit, metrics, table
from ansible_collections.edefter.ready.plugins.plugin_utils.report.detail import Packer
from ansible_collections.edefter.ready.plugins.plugin_utils.report.digest import Digest, Gatherer, HostLine, host_line
from ansible_collections.edefter.ready.plugins.plugin_utils.report.history import History, Note

Json = t.Mapping[str, t.Any]

# Kind of report and its file in the run's folder.
FILES: t.Mapping[str, str] = {
    "html": "report.html",
    "json": "report.json",
    "csv": "report.csv",
    "junit": "junit.xml",
    "metrics": "edefter.prom",
    "firms": "firms",
}
FORMATS = tuple(FILES)
# A page of its own for every firm is made when it is asked for.
DEFAULT = tuple(kind for kind in FORMATS if kind != "firms")


@dataclasses.dataclass(frozen=True)
class Written:
    """What was written: paths by kind (`json`, `html`, …) and what the summary needs."""

    files: t.Mapping[str, str]
    digest: Digest


class Sink(t.Protocol):
    """One report in the making."""

    def add(self, record: Json, line: HostLine, note: Note) -> None:
        """One host."""

    def firm(self, digest: Digest, history: History) -> None:
        """All hosts of one firm have been there."""

    def close(self, digest: Digest, history: History) -> None:
        """All hosts have been there."""


def write_all(store: RunStore, language: str, formats: t.Collection[str] = DEFAULT) -> Written:
    """Writes the reports of the run into its folder. language: the one that they are in, or open in."""
    meta = store.meta()
    gatherer = Gatherer()
    history = History(memory.newest(store), meta["run"], meta["started_utc"])
    files: dict[str, str] = {}
    with contextlib.ExitStack() as stack:
        sinks: list[Sink] = []
        for name in FORMATS:
            if name in formats:
                path = store.folder / FILES[name]
                files[name] = str(path)
                sinks.append(stack.enter_context(_SINKS[name](path, meta, language)))
        for firm, branches in _grouped(store).items():
            clocks = correlate.Clocks()
            own = Gatherer()
            for branch, entries in branches.items():
                together = correlate.Branch(branch or firm)
                for record in store.records(entries):
                    line = host_line(record)
                    note = history.add(record, line)
                    gatherer.host(line)
                    own.host(line)
                    if firm or branch:
                        together.add(record)
                        clocks.add(record, line)
                    for sink in sinks:
                        sink.add(record, line, note)
                for all_of in (gatherer, own):
                    all_of.branch(firm, together.findings())
            for all_of in (gatherer, own):
                all_of.clocks(firm, clocks.findings())
            for sink in sinks:
                sink.firm(own.digest(), history)
        digest = gatherer.digest()
        for sink in sinks:
            sink.close(digest, history)
    memory.put(store, history.memory())
    return Written(files, digest)


def _grouped(store: RunStore) -> dict[str, dict[str, list[Json]]]:
    """The roster by firm and branch, each in the order of its first host."""
    grouped: dict[str, dict[str, list[Json]]] = {}
    for entry in store.roster():
        branches = grouped.setdefault(str(entry.get("firm") or ""), {})
        branches.setdefault(str(entry.get("branch") or ""), []).append(entry)
    return grouped


class replacing:
    """A text file that takes the place of the old one when the block ends well, and never before."""

    def __init__(self, path: pathlib.Path) -> None:
        self._path = path
        self._scratch = path.with_name(f".{path.name}.{os.getpid()}")

    def __enter__(self) -> t.TextIO:
        self._file = self._scratch.open("w", encoding="utf-8", newline="")
        return self._file

    def __exit__(self, kind: object, *_: object) -> None:
        self._file.close()
        if kind is None:
            os.replace(self._scratch, self._path)
        else:
            self._scratch.unlink(missing_ok=True)


class _File:
    """What every report's file has in common. Used as a context manager: an error leaves the old file in place."""

    def __init__(self, path: pathlib.Path, meta: Json, language: str) -> None:
        self.meta = meta
        self.language = language
        self._replacing = replacing(path)

    def __enter__(self) -> t.Self:
        self.file = self._replacing.__enter__()
        self.begin()
        return self

    def __exit__(self, *what: object) -> None:
        self._replacing.__exit__(*what)

    def begin(self) -> None:
        """The file is open."""

    def add(self, record: Json, line: HostLine, note: Note) -> None:
        """One host."""

    def firm(self, digest: Digest, history: History) -> None:
        """All hosts of one firm have been there."""

    def close(self, digest: Digest, history: History) -> None:
        """All hosts have been there."""


# What report.json tells of the run; the rest of run.json is the run's own business.
_RUN = ("schema", "run", "started_utc", "version", "mode", "finished_utc")


class _JsonFile(_File):
    def begin(self) -> None:
        run = {**{key: self.meta.get(key) for key in _RUN}, "interrupted": bool(self.meta.get("interrupted"))}
        self.file.write('{"schema":1,"run":' + json.dumps(run, ensure_ascii=False) + ',"hosts":[')
        self._separator = "\n"

    def add(self, record: Json, line: HostLine, note: Note) -> None:
        self.file.write(self._separator + json.dumps(record, ensure_ascii=False))
        self._separator = ",\n"

    def close(self, digest: Digest, history: History) -> None:
        self.file.write("\n]}\n")


class _HtmlFile(_File):
    def begin(self) -> None:
        self._packer = Packer()
        self._blocks = tempfile.TemporaryFile("w+", encoding="ascii")  # noqa: SIM115 (closed below)

    def __exit__(self, *what: object) -> None:
        self._blocks.close()
        super().__exit__(*what)

    def add(self, record: Json, line: HostLine, note: Note) -> None:
        self._keep(self._packer.add(record, {"trend": _trend(note)}))

    def _keep(self, block: str | None) -> None:
        if block is not None:
            self._blocks.write(block + "\n")

    def close(self, digest: Digest, history: History) -> None:
        self._keep(self._packer.flush())
        self._blocks.seek(0)
        blocks = (block.rstrip("\n") for block in self._blocks)
        places = self._packer.places
        for piece in html.page(digest, self.meta, self.language, places, blocks, history.notes, history.changes()):
            self.file.write(piece)


class _FirmPages:
    """A folder with a page for every firm, which tells of no other: it can be handed to the firm."""

    def __init__(self, path: pathlib.Path, meta: Json, language: str) -> None:
        self._path = path
        self._scratch = path.with_name(f".{path.name}.{os.getpid()}")
        self._meta = meta
        self._language = language
        self._names: set[str] = set()
        self._begin()

    def __enter__(self) -> t.Self:
        self._scratch.mkdir()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            shutil.rmtree(self._path, ignore_errors=True)
            os.replace(self._scratch, self._path)
        else:
            shutil.rmtree(self._scratch, ignore_errors=True)

    def _begin(self) -> None:
        self._packer = Packer()
        self._blocks: list[str] = []

    def add(self, record: Json, line: HostLine, note: Note) -> None:
        self._blocks += filter(None, [self._packer.add(record, {"trend": _trend(note)})])

    def firm(self, digest: Digest, history: History) -> None:
        self._blocks += filter(None, [self._packer.flush()])
        places = self._packer.places
        name = self._name(digest.firms[0].firm if digest.firms else "")
        page = html.page(
            digest, self._meta, self._language, places, self._blocks, history.notes, history.changes(list(places))
        )
        with (self._scratch / name).open("w", encoding="utf-8") as file:
            file.writelines(page)
        self._begin()

    def _name(self, firm: str) -> str:
        """A file name that a person recognises and any file system takes; two firms never share one."""
        plain = "".join(c if c.isalnum() or c in " -_" else "_" for c in firm).strip()[:80] or "_"
        name, number = f"{plain}.html", 1
        while name.casefold() in self._names:
            number += 1
            name = f"{plain} ({number}).html"
        self._names.add(name.casefold())
        return name

    def close(self, digest: Digest, history: History) -> None:
        """Nothing is left to do."""


class _CsvFile(_File):
    def begin(self) -> None:
        self.file.write(table.header(self.language))

    def add(self, record: Json, line: HostLine, note: Note) -> None:
        self.file.writelines(table.rows(record, line, note.since, self.language))


class _JunitFile(_File):
    def begin(self) -> None:
        self.file.write(junit.HEADER)

    def add(self, record: Json, line: HostLine, note: Note) -> None:
        self.file.write(junit.suite(record, line, self.language))

    def close(self, digest: Digest, history: History) -> None:
        self.file.write(junit.FOOTER)


class _MetricsFile(_File):
    """A family's samples have to stand together: each family waits in a file of its own."""

    def begin(self) -> None:
        self._families: dict[str, t.IO[str]] = {}

    def __exit__(self, *what: object) -> None:
        for waiting in self._families.values():
            waiting.close()
        super().__exit__(*what)

    def _keep(self, samples: t.Iterable[metrics.Sample]) -> None:
        for family, line in samples:
            if family not in self._families:
                self._families[family] = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 (closed above)
            self._families[family].write(line)

    def add(self, record: Json, line: HostLine, note: Note) -> None:
        self._keep(metrics.host_samples(record, line))

    def close(self, digest: Digest, history: History) -> None:
        self._keep(metrics.run_samples(digest, self.meta))
        for family in metrics.FAMILIES:
            if family in self._families:
                self.file.write(metrics.heading(family))
                self._families[family].seek(0)
                shutil.copyfileobj(self._families[family], self.file)


def _trend(note: Note) -> dict[str, t.Any] | None:
    if note.trend is None:
        return None
    drift = {"drift": f"{abs(note.trend.rate):.0f}"}
    battery = messages.render("clock.battery.drift", "remedy", drift) if note.trend.suspicious else None
    return {**dataclasses.asdict(note.trend), "battery": battery}


_SINKS: t.Mapping[str, t.Callable[[pathlib.Path, Json, str], contextlib.AbstractContextManager[Sink]]] = {
    "html": _HtmlFile,
    "json": _JsonFile,
    "csv": _CsvFile,
    "junit": _JunitFile,
    "metrics": _MetricsFile,
    "firms": _FirmPages,
}
