# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take single collections out of the wheel of the Ansible package: WHEEL TARGET NAMESPACE.NAME…"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path, PurePosixPath


def unpack(wheel: Path, target: Path, names: list[str]) -> dict[str, int]:
    """Extract ansible_collections/NAMESPACE/NAME for every name below ``target``; files written, by name."""
    wanted = {("ansible_collections", *name.split(".", 1)): name for name in names}
    written = dict.fromkeys(names, 0)
    with zipfile.ZipFile(wheel) as archive:
        for info in archive.infolist():
            parts = PurePosixPath(info.filename).parts
            name = wanted.get(parts[:3])  # type: ignore[arg-type]
            if name is None or info.is_dir() or ".." in parts:
                continue
            archive.extract(info, target)
            written[name] += 1
    return written


def main() -> int:
    """Command line; fails when one of the collections is not in the wheel."""
    wheel, target, *names = sys.argv[1:]
    written = unpack(Path(wheel), Path(target), names)
    missing = [name for name, count in written.items() if not count]
    if missing:
        print(f"not in {Path(wheel).name}: {', '.join(missing)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
