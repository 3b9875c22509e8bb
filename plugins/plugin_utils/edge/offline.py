# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a folder of files from edefter-kontrol.exe.

Edge: files only. They came from anywhere, so size, number, depth and shape are bounded before anything is believed.
"""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import stat
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils.model import ShapeError
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.offline import OfflineFile, parse_offline

# A real one is about 50 kB; a server with thousands of firewall rules sends less than 4 MB.
MAX_BYTES = 16 * 1024 * 1024
MAX_FILES = 20_000


@dataclasses.dataclass(frozen=True)
class Read:
    """files: (name, file) that could be read; broken: (name, why) for the others, both in the order of the names."""

    files: tuple[tuple[str, OfflineFile], ...]
    broken: tuple[tuple[str, str], ...]


def read_folder(folder: str | os.PathLike[str]) -> Read:
    """Every *.json directly in the folder. Raises OSError when the folder itself cannot be read."""
    files: list[tuple[str, OfflineFile]] = []
    broken: list[tuple[str, str]] = []
    paths = sorted(path for path in pathlib.Path(folder).iterdir() if path.name.lower().endswith(".json"))
    for path in paths[:MAX_FILES]:
        try:
            files.append((path.name, parse_offline(read_json(path))))
        except (ShapeError, OSError, ValueError, RecursionError) as error:
            broken.append((path.name, (str(error) or type(error).__name__)[:500]))
    broken.extend((path.name, f"not read: more than {MAX_FILES} files") for path in paths[MAX_FILES:])
    return Read(tuple(files), tuple(broken))


def read_json(path: pathlib.Path) -> object:
    """One JSON value. Raises ShapeError, OSError, ValueError, RecursionError."""
    # Not blocking, so that a named pipe in the folder does not hold the run up.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        facts = os.fstat(file.fileno())
        if not stat.S_ISREG(facts.st_mode):
            raise ShapeError("file", "not a regular file")
        # (A buffer for the largest file would cost more than to judge a usual one.)
        content = file.read(min(facts.st_size, MAX_BYTES) + 1)
    if len(content) > MAX_BYTES:
        raise ShapeError("file", f"larger than {MAX_BYTES} bytes")
    return json.loads(content.decode("utf-8-sig"), parse_constant=_no_constant, object_pairs_hook=_no_twice)


def _no_constant(name: str) -> t.NoReturn:
    raise ShapeError("file", f"{name} is no JSON")


def _no_twice(pairs: list[tuple[str, t.Any]]) -> dict[str, t.Any]:
    """A key that stands twice means different things to different readers."""
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ShapeError("file", "an object holds the same key twice")
    return made
