# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the code imports is what the requirement files ask for: a set-up from nothing has it."""

from __future__ import annotations

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from tree import ROOT, text_of, tracked

# Names that are imported from within this repository.
OURS = {p.parts[1].removesuffix(".py") for p in tracked() if p.parts[0] == "tests" and len(p.parts) > 1}
OURS |= {"ansible_collections", *(p.stem for p in tracked() if p.parts[0] in ("scripts", "tests"))}


def asked(name: str) -> set[str]:
    """Distributions that a requirements file asks for by name, the files that it includes too."""
    path = ROOT / name
    found: set[str] = set()
    for line in path.read_text(encoding="utf-8").splitlines():
        text = line.split("#")[0].strip()
        if text.startswith("-r "):
            found |= asked(str((path.parent / text[3:]).resolve().relative_to(ROOT)))
        elif text:
            found.add(re.split(r"[<>=~\[; ]", text)[0].lower())
    return found


def imported(path: Path) -> set[str]:
    """First parts of the foreign names that a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(text_of(path) or "")):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names - set(sys.stdlib_module_names) - OURS


# ansible-core brings these along and says so.
BY_ANSIBLE = {"jinja2", "pyyaml", "cryptography", "packaging"}
DISTRIBUTIONS = packages_distributions()


@pytest.mark.parametrize(
    ("folder", "file"),
    [
        ("plugins", "requirements/controller.txt"),
        ("tests", "requirements/test.txt"),
        ("scripts", "requirements/test.txt"),
    ],
)
def test_every_import_is_asked_for(folder: str, file: str) -> None:
    wanted = asked(file) | BY_ANSIBLE
    missing: dict[str, set[str]] = {}
    for path in tracked():
        if path.suffix == ".py" and path.parts[0] == folder:
            for name in imported(path):
                if not {d.lower() for d in DISTRIBUTIONS.get(name, [name])} & wanted:
                    missing.setdefault(name, set()).add(path.as_posix())
    assert missing == {}


def test_every_requirement_has_a_range() -> None:
    for path in tracked():
        if path.as_posix() == "requirements.txt" or path.parts[0] == "requirements":
            for line in (text_of(path) or "").splitlines():
                text = line.split("#")[0].strip()
                if text and not text.startswith("-r ") and not text.startswith("types-"):
                    assert re.search(r"<|~=", text), f"{path}: {text} may become anything"
