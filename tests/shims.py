# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the Windows modules (plugins/modules/*.ps1) without PowerShell.

There is no PowerShell here to run a shim, so a shim may hold nothing that would need one: ``read`` parses it and
accepts a single shape (a literal argument spec, ``Create``, one call into C#, ``ExitJson``). The spec comes back as a
Python dict.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import tree_sitter_powershell
from tree_sitter import Language, Node, Parser

OURS = "ansible_collections.edefter.ready.plugins.module_utils."
_REQUIRES = re.compile(r"#AnsibleRequires -CSharpUtil (Ansible\.Basic|" + re.escape(OURS) + r"\w+)")
_CREATE = "$module = [Ansible.Basic.AnsibleModule]::Create($args, $spec)"
_CALL = re.compile(
    r"\$module\.Result\.observation = \[" + re.escape(OURS) + r"(?P<file>\w+)\.(?P<type>\w+)\]::Run\(\$module\.Params\)"
)
_EXIT = "$module.ExitJson()"
_CONSTANTS = {"$true": True, "$false": False, "$null": None}


class ShapeError(ValueError):
    """The file is more, or less, than a shim. The text says where and what."""


@dataclass(frozen=True)
class Shim:
    """What a shim says: the C# files that it asks for, its spec, and the class whose ``Run`` it calls."""

    utils: tuple[str, ...]
    spec: dict[str, Any]
    entry_file: str
    entry_type: str


@cache
def _parser() -> Parser:
    return Parser(Language(tree_sitter_powershell.language()))


def _text(node: Node) -> str:
    return (node.text or b"").decode("ascii")


def _fail(node: Node, why: str) -> ShapeError:
    return ShapeError(f"line {node.start_point.row + 1}: {why}: {_text(node)[:60]!r}")


def _children(node: Node) -> list[Node]:
    return [child for child in node.children if child.type != "comment"]


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _walk(child)


def _peel(node: Node) -> Node:
    """The grammar wraps every expression in one node per operator precedence; step through those that add nothing."""
    while len(children := _children(node)) == 1 and children[0].is_named:
        node = children[0]
    return node


def _literal(node: Node) -> Any:
    """The value of a literal; anything that PowerShell would have to evaluate is refused."""
    node = _peel(node)
    kind, text = node.type, _text(node)
    if kind == "hash_literal_expression":
        return _hash(node)
    if kind == "array_expression":
        return _array(node)
    if kind == "expandable_string_literal":
        if "$" in text or "`" in text or text[1:-1].count('"'):
            raise _fail(node, "a string that PowerShell would expand")
        return text[1:-1]
    if kind == "verbatim_string_characters":
        return text[1:-1].replace("''", "'")
    if kind == "variable" and text.lower() in _CONSTANTS:
        return _CONSTANTS[text.lower()]
    if kind == "decimal_integer_literal" and re.fullmatch(r"[0-9]+", text):
        return int(text)
    if kind == "real_literal" and re.fullmatch(r"[0-9]+\.[0-9]+", text):
        return float(text)
    raise _fail(node, f"not a literal ({kind})")


def _hash(node: Node) -> dict[str, Any]:
    result: dict[str, Any] = {}
    body = [child for child in _children(node) if child.type == "hash_literal_body"]
    for entry in (e for b in body for e in _children(b)):
        parts = [child for child in _children(entry) if child.type != ";"]
        if entry.type != "hash_entry" or [p.type for p in parts] != ["key_expression", "=", "pipeline"]:
            raise _fail(entry, "not a plain key = value")
        key_node = _peel(parts[0])
        key = _text(key_node) if key_node.type == "simple_name" else _literal(key_node)
        # Keys of a PowerShell hash table ignore case, and a second one is an error at run time.
        if not isinstance(key, str) or key.lower() in {known.lower() for known in result}:
            raise _fail(entry, "a key that is no string or is there twice")
        result[key] = _literal(parts[2])
    return result


def _array(node: Node) -> list[Any]:
    lists = [child for child in _children(node) if child.type == "statement_list"]
    if not lists:
        return []
    statements = _children(lists[0])
    if len(lists) != 1 or len(statements) != 1:
        raise _fail(node, "an array of statements")
    inner = _peel(statements[0])
    if inner.type != "array_literal_expression":
        return [_literal(inner)]
    return [_literal(child) for child in _children(inner) if child.type != ","]


def _header(root: Node, source: str) -> tuple[str, ...]:
    if not source.startswith("#!powershell\n"):
        raise ShapeError("line 1: must be '#!powershell'")
    utils: list[str] = []
    for node in _walk(root):
        if node.type != "comment" or node.start_byte == 0:
            continue
        text = _text(node)
        if match := _REQUIRES.fullmatch(text):
            utils.append(match.group(1))
        # '#Requires' and '<#' mean something to PowerShell or to Ansible; a remark starts with '# '.
        elif not (text == "#" or text.startswith("# ")):
            raise _fail(node, "neither a remark nor a known '#AnsibleRequires -CSharpUtil'")
    if len(set(utils)) != len(utils) or "Ansible.Basic" not in utils:
        raise ShapeError("Ansible.Basic must be asked for, and each util once")
    return tuple(utils)


def read(data: bytes) -> Shim:
    """Parse one shim; ShapeError when it holds anything but the allowed shape."""
    try:
        source = data.decode("ascii")
    except UnicodeDecodeError as error:
        # Windows PowerShell reads a script without a byte order mark in the host's own code page.
        raise ShapeError(f"byte {error.start}: only ASCII means the same in every code page") from None
    root = _parser().parse(data).root_node
    broken = next((n for n in _walk(root) if n.is_error or n.is_missing), None)
    if broken is not None:
        raise _fail(broken, "syntax error")
    utils = _header(root, source)
    top = _children(root)
    if [node.type for node in top] != ["statement_list"]:
        raise ShapeError(f"only statements are allowed, not {[node.type for node in top]}")
    statements = [node for node in _children(top[0]) if node.type != "empty_statement"]
    if len(statements) != 4:
        raise ShapeError(f"exactly 4 statements are allowed, not {len(statements)}")
    spec = _spec(statements[0])
    if _text(statements[1]) != _CREATE:
        raise _fail(statements[1], f"must be {_CREATE}")
    call = _CALL.fullmatch(_text(statements[2]))
    if call is None:
        raise _fail(statements[2], "must be one call of a C# Run into $module.Result.observation")
    if _text(statements[3]) != _EXIT:
        raise _fail(statements[3], f"must be {_EXIT}")
    if OURS + call["file"] not in utils:
        raise ShapeError(f"{OURS}{call['file']} is called and not asked for")
    return Shim(utils, spec, call["file"], call["type"])


def _spec(statement: Node) -> dict[str, Any]:
    assignment = _peel(statement)
    parts = _children(assignment)
    if (
        assignment.type != "assignment_expression"
        or len(parts) != 3
        or _text(parts[0]) != "$spec"
        or _text(parts[1]) != "="
    ):
        raise _fail(statement, "must be $spec = @{…}")
    value = _literal(parts[2])
    if not isinstance(value, dict):
        raise _fail(statement, "the spec must be a hash table")
    return value


# What a key that is not there stands for, in both languages.
_OPTION_DEFAULTS: dict[str, Any] = {
    "type": "str",
    "elements": None,
    "required": False,
    "default": None,
    "choices": None,
    "aliases": [],
    "no_log": False,
    "apply_defaults": False,
}
_MODULE_DEFAULTS: dict[str, Any] = {
    "supports_check_mode": False,
    "mutually_exclusive": [],
    "required_together": [],
    "required_one_of": [],
    "required_if": [],
    "required_by": {},
}


def _same(left: Any, right: Any) -> bool:
    """Equal, with true never equal to 1."""
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(map(_same, left, right))
    return left == right and isinstance(left, bool) == isinstance(right, bool)


def differences(windows: dict[str, Any], posix: dict[str, Any], path: str = "") -> list[str]:
    """What two specs disagree on, option by option; both in the .ps1 form, {options: {…}, supports_check_mode: …}."""
    found: list[str] = []
    defaults = _OPTION_DEFAULTS if path else _MODULE_DEFAULTS
    for key in sorted({*windows, *posix, *defaults} - {"options"}):
        left, right = windows.get(key, defaults.get(key)), posix.get(key, defaults.get(key))
        if not _same(left, right):
            found.append(f"{path or 'module'}: {key} is {left!r} on Windows, {right!r} on POSIX")
    left_options, right_options = windows.get("options") or {}, posix.get("options") or {}
    for name in sorted({*left_options, *right_options}):
        where = f"{path}.{name}" if path else name
        if name not in right_options:
            found.append(f"{where}: only on Windows")
        elif name not in left_options:
            found.append(f"{where}: only on POSIX")
        else:
            found += differences(left_options[name], right_options[name], where)
    return found
