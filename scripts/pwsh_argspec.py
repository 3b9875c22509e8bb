# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In place of ``pwsh`` for one purpose: tell ansible-test's validate-modules the argument spec of a Windows module.

validate-modules runs ``pwsh …/ps_argspec.ps1 MANIFEST`` and wants the spec as JSON. Our modules hold a literal spec
that tests/shims.py reads, so the answer needs no PowerShell. Any other use is refused.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import shims


def main(arguments: list[str]) -> int:
    """Print the spec of the module that the manifest names."""
    if len(arguments) != 2 or Path(arguments[0]).name != "ps_argspec.ps1":
        print("this is no PowerShell: it only reads the argument spec of a module for ansible-test", file=sys.stderr)
        return 1
    module = Path(json.loads(arguments[1])["module_path"])
    print(json.dumps(shims.read(module.read_bytes()).spec))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
