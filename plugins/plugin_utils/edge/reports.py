# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes a run's reports, reading its records one at a time.

Edge: files only; what a report says is made by the pure renderers in `report/`.
"""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils.edge.store import RunStore
from ansible_collections.edefter.ready.plugins.plugin_utils.report.digest import Digest, digest, host_line


@dataclasses.dataclass(frozen=True)
class Written:
    """What was written: paths by kind (`json`, `html`, …) and what the summary needs."""

    files: t.Mapping[str, str]
    digest: Digest


def write_all(store: RunStore, language: str) -> Written:
    """Writes every report of the run into its folder. language: the one that the HTML report opens in."""
    path = store.folder / "report.json"
    with replacing(path) as file:
        file.write('{"schema":1,"run":' + json.dumps(store.meta()) + ',"hosts":[')
        lines = []
        for number, record in enumerate(store.records()):
            file.write((",\n" if number else "\n") + json.dumps(record, ensure_ascii=False))
            lines.append(host_line(record))
        file.write("\n]}\n")
    return Written({"json": str(path)}, digest(lines))


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
