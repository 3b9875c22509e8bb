# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of this repository, for the tests that look at all of them."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@cache
def tracked() -> tuple[Path, ...]:
    """Every tracked file that exists, relative to ROOT. Outside of git (a tarball): all but products and dotfiles."""
    # Another owner's clone is "dubious" to git; to look at it is harmless.
    command = ["git", "-c", "safe.directory=*", "-C", str(ROOT), "ls-files", "-z"]
    try:
        listing = subprocess.run(command, capture_output=True, check=True).stdout.decode()
        found = [Path(name) for name in listing.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        products = {"run", "reports", "dist", "inventory", "__pycache__"}
        found = []
        for folder, below, names in os.walk(ROOT):
            here = Path(folder).relative_to(ROOT)
            below[:] = [name for name in below if name not in products and not name.startswith(".")]
            found += [here / name for name in names if not name.startswith(".")]
    return tuple(sorted(path for path in found if (ROOT / path).is_file()))


def text_of(path: Path) -> str | None:
    """The file as text; None for a binary one."""
    try:
        return (ROOT / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None
