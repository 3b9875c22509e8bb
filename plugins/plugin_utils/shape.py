# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading untrusted JSON: a reader takes a value and its path and returns it checked and bounded.

Pure; raises ShapeError. Used by the parsers in `observation/`; sizes are bounded no host can make a report unreadable.
"""

from __future__ import annotations

import math
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils.model import ShapeError

MAX_TEXT = 2048
MAX_ITEMS = 512

T = t.TypeVar("T")


def mapping(value: object, path: str) -> t.Mapping[str, object]:
    """A JSON object with text keys."""
    if not isinstance(value, dict):
        raise ShapeError(path, f"an object was expected, not {type(value).__name__}")
    for key in value:
        if not isinstance(key, str):
            raise ShapeError(path, "an object with a key that is not text")
    return value


def optional_mapping(value: object, path: str) -> t.Mapping[str, object] | None:
    """A JSON object or null."""
    return None if value is None else mapping(value, path)


def items(value: object, path: str, limit: int = MAX_ITEMS) -> list[object]:
    """A JSON array of at most `limit` elements. A longer one is refused: our collector never sends it."""
    if not isinstance(value, (list, tuple)):
        raise ShapeError(path, f"a list was expected, not {type(value).__name__}")
    if len(value) > limit:
        raise ShapeError(path, f"{len(value)} elements, at most {limit} are read")
    return list(value)


def each(value: object, path: str, read: t.Callable[[object, str], T], limit: int = MAX_ITEMS) -> tuple[T, ...]:
    """A JSON array, each element read by `read(element, path)`; null counts as empty."""
    if value is None:
        return ()
    return tuple(read(item, f"{path}[{index}]") for index, item in enumerate(items(value, path, limit)))


def text(value: object, path: str, limit: int = MAX_TEXT) -> str:
    """Text, cut to `limit` characters, control characters replaced by U+FFFD (they have no place in a report)."""
    if not isinstance(value, str):
        raise ShapeError(path, f"text was expected, not {type(value).__name__}")
    # Cleaning happens after cutting: the cost stays bounded whatever a host sends.
    cut = value if len(value) <= limit else value[: limit - 1] + "\u2026"
    if cut.isprintable():
        return cut
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in cut)


def line(value: str, limit: int) -> str:
    """One line of a report: cut to `limit` characters, all that is not printable replaced by U+FFFD. Never raises."""
    cut = value if len(value) <= limit else value[: limit - 1] + "\u2026"
    return "".join(c if c.isprintable() else "\ufffd" for c in cut)


def optional_text(value: object, path: str, limit: int = MAX_TEXT) -> str | None:
    """Text or null."""
    return None if value is None else text(value, path, limit)


def integer(value: object, path: str, low: int = -(2**63), high: int = 2**64) -> int:
    """A whole number in [low, high]; 5.0 counts (JavaScriptSerializer writes some so), true does not."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ShapeError(path, f"a whole number was expected, not {type(value).__name__}")
    if isinstance(value, float) and (not math.isfinite(value) or not value.is_integer()):
        raise ShapeError(path, f"a whole number was expected, not {value!r}")
    number = int(value)
    if not low <= number <= high:
        raise ShapeError(path, f"{number} is outside {low}..{high}")
    return number


def optional_integer(value: object, path: str, low: int = -(2**63), high: int = 2**64) -> int | None:
    """A whole number or null."""
    return None if value is None else integer(value, path, low, high)


def real(value: object, path: str, low: float = -1e18, high: float = 1e18) -> float:
    """A finite number in [low, high]."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ShapeError(path, f"a number was expected, not {type(value).__name__}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number) or not low <= number <= high:
        raise ShapeError(path, f"{value!r:.40} is outside {low}..{high}")
    return number


def optional_real(value: object, path: str, low: float = -1e18, high: float = 1e18) -> float | None:
    """A finite number or null."""
    return None if value is None else real(value, path, low, high)


def boolean(value: object, path: str) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        raise ShapeError(path, f"true or false was expected, not {type(value).__name__}")
    return value


def optional_boolean(value: object, path: str) -> bool | None:
    """true, false or null."""
    return None if value is None else boolean(value, path)
