# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes docs/findings.md and docs/bulgular.md from the message catalogue; with --check only compares."""

from __future__ import annotations

import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
MESSAGES = ROOT / "plugins" / "plugin_utils" / "data" / "messages"
HEADS = {
    "en": (
        "findings.md",
        """# What each finding means

Made by `scripts/findings_doc.py` from the catalogue of messages; names in braces are filled in. The cause is stable:
filter and search by it.
""",
        ("Cause", "What it says", "What to do"),
    ),
    "tr": (
        "bulgular.md",
        """# Bulgular ne anlama gelir

`scripts/findings_doc.py` bunu ileti kataloğundan üretir; süslü ayraç içindekiler doldurulur. Neden kodu değişmez:
onunla süzün, onunla arayın.
""",
        ("Neden", "Ne der", "Ne yapılmalı"),
    ),
}


def pages() -> dict[pathlib.Path, str]:
    """Path -> text of each page."""
    made = {}
    for language, (name, head, columns) in HEADS.items():
        parts = [head]
        for path in sorted(MESSAGES.glob("*.json")):
            rows = [
                f"| `{cause}` | {cell(message['title'][language])} | {cell(message['remedy'][language])} |"
                for cause, message in json.loads(path.read_text(encoding="utf-8")).items()
                if "title" in message and message.get("remedy", {}).get(language)
            ]
            if rows:
                header = f"| {' | '.join(columns)} |\n|---|---|---|"
                parts.append(f"\n## {path.stem}\n\n{header}\n" + "\n".join(rows) + "\n")
        made[ROOT / "docs" / name] = "".join(parts)
    return made


def cell(text: str) -> str:
    """Markdown of one table cell."""
    return text.replace("|", "\\|").replace("\n", "<br>")


def main() -> int:
    """Exit code 1 when --check finds a page out of date."""
    stale = [path for path, text in pages().items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    if "--check" in sys.argv[1:]:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is out of date: run scripts/findings_doc.py")
        return 1 if stale else 0
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
