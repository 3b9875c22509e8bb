# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a dictionary of options: what is refused, by which words, and what keeps its default."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.edefter.ready.plugins.plugin_utils.model import OptionError
from ansible_collections.edefter.ready.plugins.plugin_utils.option_reader import OptionReader, defaults

WORD = re.compile("[a-z]+")
READERS: dict[str, Callable[[OptionReader], object]] = {
    "boolean": lambda given: given.boolean("key"),
    "choice": lambda given: given.choice("key", ("a", "b")),
    "integer": lambda given: given.integer("key", 1, 16),
    "port": lambda given: given.integer("key", 1, 65535, "a port"),
    "optional": lambda given: given.optional_integer("key", 1, 16),
    "number": lambda given: given.number("key", 0.001, 600, "seconds"),
    "endless": lambda given: given.number("key", 1.5),
    "text": lambda given: given.text("key", WORD, "use letters"),
    "items": lambda given: given.items("key", "words"),
}


def read(reader: str, value: object, default: object = None) -> object:
    return READERS[reader](OptionReader("section", {"key": value}, {"key": default}))


@pytest.mark.parametrize(
    ("reader", "value", "remedy"),
    [
        ("boolean", "yes", "give true or false"),
        ("boolean", 1, "give true or false"),
        ("choice", "c", "use one of a, b"),
        ("choice", ["a"], "use one of a, b"),
        ("integer", 0, "give a whole number from 1 to 16"),
        ("integer", 17, "give a whole number from 1 to 16"),
        ("integer", True, "give a whole number from 1 to 16"),
        ("integer", 2.0, "give a whole number from 1 to 16"),
        ("integer", "2", "give a whole number from 1 to 16"),
        ("port", 65536, "give a port from 1 to 65535"),
        ("optional", 0, "give a whole number from 1 to 16"),
        ("number", 0, "give seconds from 0.001 to 600"),
        ("number", True, "give seconds from 0.001 to 600"),
        ("number", "1", "give seconds from 0.001 to 600"),
        ("number", float("nan"), "give seconds from 0.001 to 600"),
        ("endless", 1, "give a number of at least 1.5"),
        ("endless", float("inf"), "give a number of at least 1.5"),
        ("endless", 10**400, "give a number of at least 1.5"),
        ("text", "a\n", "use letters"),
        ("text", 5, "use letters"),
        ("text", [], "use letters"),
        ("items", "abc", "give a list of words"),
        ("items", {"a": 1}, "give a list of words"),
    ],
)
def test_what_cannot_be_meant_is_refused(reader: str, value: object, remedy: str) -> None:
    with pytest.raises(OptionError) as caught:
        read(reader, value)
    assert (caught.value.option, caught.value.remedy) == ("section.key", remedy)
    assert caught.value.value is value


@pytest.mark.parametrize(
    ("reader", "value", "expected"),
    [
        ("boolean", False, False),
        ("choice", "b", "b"),
        ("integer", 16, 16),
        ("optional", 1, 1),
        ("number", 600, 600.0),
        ("endless", 1e300, 1e300),
        ("text", "abc", "abc"),
        ("items", [1, "a"], (1, "a")),
        ("items", [], ()),
    ],
)
def test_what_can_be_meant_is_read(reader: str, value: object, expected: object) -> None:
    assert read(reader, value) == expected


@pytest.mark.parametrize("given", [None, {}, {"key": None}, {"key": ""}])
def test_nothing_given_is_the_default(given: dict[str, Any] | None) -> None:
    assert OptionReader("section", given, {"key": True}).boolean("key") is True
    assert OptionReader("section", given, {"key": ""}).text("key", WORD, "") == ""
    assert OptionReader("section", given, {"key": None}).optional_integer("key", 1, 2) is None
    # A default goes through the reader: what has none has to be given.
    with pytest.raises(OptionError):
        OptionReader("section", given, {"key": None}).choice("key", ("a",))


def test_false_and_zero_are_given() -> None:
    assert read("boolean", False, True) is False
    assert read("items", [], ("a",)) == ()
    with pytest.raises(OptionError):
        read("integer", 0, 5)


@pytest.mark.parametrize("key", ["kay", 5, None])
def test_a_key_that_is_none_is_refused_with_those_that_are(key: object) -> None:
    with pytest.raises(OptionError, match="the keys are key, other") as caught:
        OptionReader("section", {"key": 1, key: 2}, {"other": None, "key": None})  # type: ignore[dict-item]
    assert caught.value.option == f"section.{key}"


def test_defaults_of_a_class() -> None:
    @dataclasses.dataclass
    class Wanted:
        needed: str
        plain: int = 3
        made: dict[str, str] = dataclasses.field(default_factory=dict)

    assert defaults(Wanted) == {"plain": 3, "made": {}}
