# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every file is in the right room: imports go one way, the core is pure, nothing of this machine gets into a file."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tree import ROOT, text_of, tracked

OURS = "ansible_collections.edefter.ready"
PYTHON = [path for path in tracked() if path.suffix == ".py"]
PLUGINS = [path for path in PYTHON if path.parts[0] == "plugins"]

# What each room of plugins/ may import of ours and of Ansible; the longest matching prefix counts.
ROOMS: dict[str, tuple[str, ...]] = {
    "plugins/plugin_utils": (f"{OURS}.plugins.plugin_utils", f"{OURS}.plugins.module_utils"),
    "plugins/module_utils": (f"{OURS}.plugins.module_utils", "ansible.module_utils"),
    "plugins/modules": (f"{OURS}.plugins.module_utils", "ansible.module_utils"),
    "plugins/doc_fragments": (),
    # (One action's base class serves the others.)
    "plugins/action": (f"{OURS}.plugins", "ansible"),
    "plugins": (f"{OURS}.plugins.plugin_utils", f"{OURS}.plugins.module_utils", "ansible"),
}
# The pure core computes: no sockets, processes, files, clocks or dice. (It reads the JSON packaged beside it.)
IMPURE = {
    "asyncio", "dns", "http", "multiprocessing", "ntplib", "os", "platform", "random", "requests", "secrets", "select",
    "shutil", "signal", "socket", "sqlite3", "ssl", "subprocess", "tempfile", "threading", "time", "winrm",
}  # fmt: skip
IMPURE_CALLS = {"open", "print", "input", "exec", "eval", "now", "utcnow", "today", "write_text", "write_bytes"}
# The one room below plugin_utils that touches files.
EDGE = "plugins/plugin_utils/edge/"
# Files this long want to be two rooms.
LINES = 550
# Longer all the same, and why.
LONG: dict[str, str] = {}


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and full name of everything that a module imports, wherever it does."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: imports are absolute"
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def within(name: str, prefixes: tuple[str, ...]) -> bool:
    return any(name == prefix or name.startswith(prefix + ".") for prefix in prefixes)


def foreign(path: str, source: str) -> list[str]:
    """Imports of ours, of Ansible or of the tests that this file's room does not allow."""
    allowed = next(names for room, names in ROOMS.items() if path.startswith(room + "/"))
    tests = tuple({"tests"} | {p.parts[1].removesuffix(".py") for p in tracked() if p.parts[0] == "tests"})
    return [
        f"{path}:{line}: {name}"
        for line, name in imports(ast.parse(source))
        if (within(name, (OURS, "ansible", "ansible_collections")) and not within(name, allowed)) or within(name, tests)
    ]


def impure(path: str, source: str) -> list[str]:
    """What this file does that a pure one does not."""
    tree = ast.parse(source)
    found = [f"{path}:{line}: import {name}" for line, name in imports(tree) if name.split(".")[0] in IMPURE]
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            name = (
                called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
            )
            if name in IMPURE_CALLS:
                found.append(f"{path}:{node.lineno}: {name}()")
    return found


@pytest.mark.parametrize("path", PLUGINS, ids=str)
def test_imports_go_one_way(path: Path) -> None:
    assert foreign(path.as_posix(), text_of(path) or "") == []


@pytest.mark.parametrize("path", [p for p in PLUGINS if p.as_posix().startswith("plugins/plugin_utils/")], ids=str)
def test_the_core_is_pure(path: Path) -> None:
    if not path.as_posix().startswith(EDGE):
        assert impure(path.as_posix(), text_of(path) or "") == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("plugins/plugin_utils/x.py", "from ansible.errors import AnsibleError"),
        ("plugins/plugin_utils/x.py", f"from {OURS}.plugins.action import y"),
        ("plugins/module_utils/x.py", f"from {OURS}.plugins.plugin_utils import y"),
        ("plugins/module_utils/x.py", "from ansible.plugins.action import ActionBase"),
        ("plugins/modules/x.py", f"import {OURS}.plugins.plugin_utils.y"),
        ("plugins/action/x.py", "from windows_double import csharp"),
        ("plugins/action/x.py", f"from {OURS}.tests import y"),
        ("plugins/action/x.py", "def f():\n    import shims"),
    ],
)
def test_a_wrong_import_would_be_seen(path: str, source: str) -> None:
    assert foreign(path, source)


@pytest.mark.parametrize(
    "source",
    [
        "import socket",
        "from os import path",
        "import datetime\ndatetime.datetime.now()",
        "open('x')",
        "def f():\n    import time",
    ],
)
def test_an_impure_core_would_be_seen(source: str) -> None:
    assert impure("plugins/plugin_utils/x.py", source)


@pytest.mark.parametrize("path", [p for p in PLUGINS if p.parts[1] in ("modules", "module_utils")], ids=str)
def test_what_travels_is_python_3_9(path: Path) -> None:
    ast.parse(text_of(path) or "", feature_version=(3, 9))


@pytest.mark.parametrize(
    "path", [p for p in tracked() if p.suffix in (".py", ".cs", ".ps1", ".sh") and p.name != "__init__.py"], ids=str
)
def test_header(path: Path) -> None:
    text = text_of(path) or ""
    head = "\n".join(text.splitlines()[:8])
    assert "Copyright (c) 2026, edefter.ready contributors" in head
    assert "GNU General Public License v3.0+" in head
    assert "SPDX-License-Identifier: GPL-3.0-or-later" in head
    if path.suffix == ".py":
        body = ast.parse(text).body
        assert any(isinstance(n, ast.ImportFrom) and n.module == "__future__" for n in body[:2])


def test_files_stay_short() -> None:
    long = {p.as_posix(): len((text_of(p) or "").splitlines()) for p in tracked() if p.suffix in (".py", ".cs")}
    too_long = {name: n for name, n in long.items() if n > LINES and name.startswith("plugins/") and name not in LONG}
    assert too_long == {}


# The names are put together here so that this file does not hold them itself.
_HOSTS = [
    "pypi" + ".org",
    "python" + "hosted.org",
    "npm" + "js.org",
    "npm" + "js.com",
    "deb." + "debian.org",
    "security." + "debian.org",
]
_FOLDERS = ["work/" + "main", "work/" + "shared", "tmp/" + "w/", "opt/" + "pypi", "root/" + ".pyenv", "opt/" + "wheels"]
TELLTALE = re.compile("|".join([*map(re.escape, _HOSTS), *(rf"(?<![\w.])/{re.escape(name)}" for name in _FOLDERS)]))


@pytest.mark.parametrize("path", tracked(), ids=str)
def test_nothing_of_this_machine(path: Path) -> None:
    text = text_of(path)
    assert text is None or TELLTALE.search(text) is None
    assert path.suffix not in (".exe", ".dll", ".pyc", ".gz", ".whl", ".deb"), "products are built, never committed"


def test_telltales_are_found() -> None:
    assert all(TELLTALE.search(f"see https://{host}/x") for host in _HOSTS)
    assert all(TELLTALE.search(f"cd /{folder}") for folder in _FOLDERS)
    assert TELLTALE.search("https://example.com/work/mainly") is None


def test_scripts_are_executable() -> None:
    for path in tracked():
        text = text_of(path) or ""
        if path.parts[0] in ("scripts", ".ci") and text.startswith("#!"):
            assert (ROOT / path).stat().st_mode & 0o100, path


def test_this_python_is_supported() -> None:
    assert sys.version_info >= (3, 11)
