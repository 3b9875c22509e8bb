# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documented argument spec of a stock module, from the installed collection, and its check.

The documentation lies beside the script that arrived (`X.py` or `X.yml` next to `X.ps1`). Real modules with the
legacy parser ignore an option that they do not know; the double does not: a typing error in a playbook must be loud
here.
"""

from __future__ import annotations

import ast
import functools
import pathlib
from typing import Any

import yaml


class SpecError(ValueError):
    """The arguments do not fit the documentation; every mistake is in the message."""


class NoDocumentation(LookupError):
    """The module has no documentation in the installed collection: unknown."""


@functools.lru_cache(maxsize=256)
def documented_options(script_path: str) -> dict[str, Any]:
    """`options` of the documentation beside the script, doc fragments included. Raises NoDocumentation."""
    doc = _documentation(pathlib.Path(script_path))
    options = dict(doc.get("options") or {})
    for name in _as_list(doc.get("extends_documentation_fragment")):
        for key, value in _fragment_options(name, pathlib.Path(script_path)).items():
            options.setdefault(key, value)
    return options


def _documentation(script: pathlib.Path) -> dict[str, Any]:
    sidecar = script.with_suffix(".yml")
    if sidecar.is_file():
        return dict(yaml.safe_load(sidecar.read_text(encoding="utf-8"))["DOCUMENTATION"])
    source = script.with_suffix(".py")
    if source.is_file():
        text = _literal(source, "DOCUMENTATION")
        if text is not None:
            return dict(yaml.safe_load(text))
    raise NoDocumentation(f"no documentation beside {script.name}")


def _literal(path: pathlib.Path, name: str) -> str | None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets):
            value = ast.literal_eval(node.value)
            return value if isinstance(value, str) else None
    return None


def _fragment_options(name: str, script: pathlib.Path) -> dict[str, Any]:
    parts = name.split(".")
    if len(parts) < 3 or parts[:2] == ["ansible", "builtin"]:
        # ansible-core's own fragments (action_common_attributes, …) describe attributes, or options of no Windows
        # module.
        return {}
    roots = [p for p in script.parents if p.name == "ansible_collections"]
    if not roots:
        return {}
    path = roots[0].joinpath(parts[0], parts[1], "plugins", "doc_fragments", parts[2] + ".py")
    text = _literal(path, (parts[3] if len(parts) > 3 else "DOCUMENTATION").upper()) if path.is_file() else None
    return dict((yaml.safe_load(text) or {}).get("options") or {}) if text else {}


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def checked(options: dict[str, Any], args: dict[str, Any]) -> dict[str, Any]:
    """The arguments under their main names, converted to the documented types, defaults filled in. Raises SpecError."""
    mistakes: list[str] = []
    result = _dict(options, args, "", mistakes)
    if mistakes:
        raise SpecError("; ".join(mistakes))
    return result


def _dict(options: dict[str, Any], args: dict[str, Any], where: str, mistakes: list[str]) -> dict[str, Any]:
    names = {}
    for name, option in options.items():
        names[name.lower()] = name
        names.update({str(alias).lower(): name for alias in _as_list(option.get("aliases"))})
    result: dict[str, Any] = {}
    for given, value in args.items():
        main = names.get(given.lower())
        if main is None:
            mistakes.append(f"undocumented argument {where}{given}")
        elif main in result:
            mistakes.append(f"{where}{main} is given twice")
        else:
            result[main] = _value(options[main], value, f"{where}{main}", mistakes)
    for name, option in options.items():
        if name not in result:
            if option.get("required"):
                mistakes.append(f"missing required argument {where}{name}")
            result[name] = _value(option, option.get("default"), f"{where}{name}", mistakes)
    return result


def _value(option: dict[str, Any], value: Any, where: str, mistakes: list[str]) -> Any:
    if value is None:
        return None
    kind = str(option.get("type", "str"))
    try:
        converted = _convert(kind, value)
    except (ValueError, TypeError):
        mistakes.append(f"{where}: {value!r} is not of type {kind}")
        return None
    if kind == "list":
        element = {
            "type": option.get("elements", "raw"),
            "options": option.get("options"),
            "choices": option.get("choices"),
        }
        return [_value(element, item, f"{where}[{i}]", mistakes) for i, item in enumerate(converted)]
    choices = option.get("choices")
    if choices and str(converted).lower() not in [str(c).lower() for c in choices]:
        mistakes.append(f"{where}: {value!r} is not one of {', '.join(map(str, choices))}")
    if kind == "dict" and option.get("options"):
        return _dict(option["options"], converted, where + ".", mistakes)
    return converted


def _convert(kind: str, value: Any) -> Any:
    if kind in ("str", "path"):
        if isinstance(value, (dict, list)):
            raise TypeError
        return ("True" if value else "False") if isinstance(value, bool) else str(value)
    if kind == "bool":
        if isinstance(value, bool):
            return value
        text = str(value).lower()
        if text in ("y", "yes", "on", "1", "true", "t", "1.0"):
            return True
        if text in ("n", "no", "off", "0", "false", "f", "0.0"):
            return False
        raise ValueError
    if kind == "int":
        if isinstance(value, (bool, float)):
            raise TypeError
        return int(str(value).strip(), 10)
    if kind == "float":
        if isinstance(value, bool):
            raise TypeError
        return float(value)
    if kind == "list":
        if isinstance(value, dict):
            raise TypeError
        return (
            value
            if isinstance(value, list)
            else [part.strip() for part in value.split(",")]
            if isinstance(value, str)
            else [value]
        )
    if kind == "dict":
        if not isinstance(value, dict):
            raise TypeError
        return value
    return value


def given_names(options: dict[str, Any], args: dict[str, Any]) -> frozenset[str]:
    """Main names of the arguments given with a value."""
    names = {}
    for name, option in options.items():
        for spelling in (name, *_as_list(option.get("aliases"))):
            names[str(spelling).lower()] = name
    return frozenset(names[key.lower()] for key, value in args.items() if value is not None)
