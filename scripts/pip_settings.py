# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print pip's settings in force (files and environment together) as one pip.conf, for a child that gets neither."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterable

# pip prints settings from the environment under this name; everything there counts for all of its commands.
ENVIRONMENT = ":env:"


def merged(lines: Iterable[str]) -> dict[str, dict[str, str]]:
    """``pip config list`` lines to {section: {key: value}}; the environment wins, as it does in pip."""
    sections: dict[str, dict[str, str]] = {"global": {}}
    from_environment: dict[str, str] = {}
    for line in lines:
        if "=" not in line:
            continue
        name, value = line.split("=", 1)
        if "." not in name:
            continue
        section, key = name.rsplit(".", 1)
        text = str(ast.literal_eval(value))
        if section == ENVIRONMENT:
            from_environment[key] = text
        else:
            sections.setdefault(section, {})[key] = text
    sections["global"].update(from_environment)
    return sections


def render(sections: dict[str, dict[str, str]]) -> str:
    """pip.conf text; a value with several lines is indented, as configparser wants it."""
    out: list[str] = []
    for section, values in sections.items():
        out.append(f"[{section}]")
        out += [f"{key} = {value.replace(chr(10), chr(10) + '    ')}" for key, value in values.items()]
    return "\n".join(out) + "\n"


def main() -> int:
    """Command line."""
    listing = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    settings = merged(listing.stdout.splitlines())
    settings["global"].setdefault("quiet", "2")
    sys.stdout.write(render(settings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
