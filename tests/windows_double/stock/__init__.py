# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Doubles of stock modules, one file a module: `run(host, task) -> result`. `BASIC` False: the module has the legacy
parser, its result no invocation."""

from __future__ import annotations

import functools
import importlib
import pathlib
from types import ModuleType


@functools.cache
def find(name: str) -> ModuleType | None:
    """The double of a module by its full name, or None."""
    for path in sorted(pathlib.Path(__file__).parent.glob("win_*.py")):
        module = importlib.import_module(f"windows_double.stock.{path.stem}")
        if name == module.NAME:
            return module
    return None
