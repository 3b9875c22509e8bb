# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import math

import pytest
from ansible_collections.edefter.ready.plugins.plugin_utils import shape
from ansible_collections.edefter.ready.plugins.plugin_utils.model import ShapeError
from hypothesis import given
from hypothesis import strategies as st

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=8), children, max_size=4),
    max_leaves=12,
)

READERS = [
    shape.mapping,
    shape.optional_mapping,
    shape.items,
    shape.text,
    shape.optional_text,
    shape.integer,
    shape.optional_integer,
    shape.real,
    shape.optional_real,
    shape.boolean,
    shape.optional_boolean,
    lambda value, path: shape.each(value, path, shape.text),
]


@pytest.mark.parametrize("reader", READERS)
@given(value=ANY_JSON)
def test_any_json_is_read_or_refused_with_its_path(reader, value):
    try:
        reader(value, "here")
    except ShapeError as error:
        assert error.path.startswith("here")
        assert error.why


@pytest.mark.parametrize(
    ("reader", "value", "read"),
    [
        (shape.integer, 5.0, 5),
        (shape.integer, -7, -7),
        (shape.optional_integer, None, None),
        (shape.real, 3, 3.0),
        (shape.optional_real, None, None),
        (shape.text, "ab", "ab"),
        (shape.optional_text, None, None),
        (shape.text, "a\x00\x1bb\tc\n", "a\ufffd\ufffdb\tc\n"),
        (shape.boolean, False, False),
        (shape.optional_boolean, None, None),
        (shape.optional_mapping, None, None),
        (shape.mapping, {"a": 1}, {"a": 1}),
    ],
)
def test_reads(reader, value, read):
    assert reader(value, "p") == read


@pytest.mark.parametrize(
    ("reader", "value"),
    [
        (shape.integer, True),
        (shape.integer, "5"),
        (shape.integer, 5.5),
        (shape.integer, math.inf),
        (shape.integer, 2**70),
        (shape.real, math.nan),
        (shape.real, True),
        (shape.real, 10**400),
        (shape.boolean, 0),
        (shape.text, None),
        (shape.mapping, {1: 2}),
        (shape.items, "abc"),
        (shape.items, [0] * (shape.MAX_ITEMS + 1)),
    ],
)
def test_refuses(reader, value):
    with pytest.raises(ShapeError):
        reader(value, "p")


def test_long_text_is_cut_and_says_so():
    read = shape.text("x" * 10_000, "p", 100)
    assert len(read) == 100
    assert read.endswith("\u2026")


def test_each_names_the_element():
    with pytest.raises(ShapeError, match=r"p\[1\]"):
        shape.each(["a", 2], "p", shape.text)
    assert shape.each(None, "p", shape.text) == ()


@given(st.text())
def test_text_survives_json_and_holds_no_terminal_escape(value):
    read = shape.text(value, "p")
    assert "\x1b" not in read
    json.loads(json.dumps(read))
