# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vote: with an honest majority the hull holds the truth, and what is outside is named."""

from __future__ import annotations

import pytest
from ansible_collections.edefter.ready.plugins.module_utils.clock import BURST, share
from ansible_collections.edefter.ready.plugins.plugin_utils.clock.fleet import among_slices, place
from ansible_collections.edefter.ready.plugins.plugin_utils.clock.vote import Voter, vote
from hypothesis import given
from hypothesis import strategies as st


def voter(name: str, lo: float, hi: float, operator: str = "") -> Voter:
    return Voter(name, operator or name, lo, hi)


TABLE = [
    # name, voters, lo, hi, falsetickers
    ("nobody", [], None, None, ()),
    ("alone", [voter("a", -1, 2)], -1, 2, ()),
    ("two agree", [voter("a", -1, 2), voter("b", 1, 3)], 1, 2, ()),
    ("two touch", [voter("a", -1, 1), voter("b", 1, 3)], 1, 1, ()),
    ("two contradict", [voter("a", -1, 0), voter("b", 1, 3)], None, None, ()),
    ("one of three lies", [voter("a", -1, 1), voter("b", 0, 2), voter("c", 50, 51)], 0, 1, ("c",)),
    ("three strangers", [voter("a", 0, 1), voter("b", 10, 11), voter("c", 20, 21)], None, None, ()),
    (
        "two of five lie alike",
        [voter("a", 0, 2), voter("b", 1, 3), voter("c", 0, 3), voter("d", 90, 91), voter("e", 90, 91)],
        1,
        2,
        ("d", "e"),
    ),
    ("half is no majority", [voter("a", 0, 1), voter("b", 0, 1), voter("c", 9, 10), voter("d", 9, 10)], None, None, ()),
    (
        "a pool has one vote",
        [voter("p1", 9, 10, "pool"), voter("p2", 9, 10, "pool"), voter("a", 0, 1), voter("b", 0, 1)],
        0,
        1,
        ("p1", "p2"),
    ),
    (
        "one of a pool is wrong",
        [voter("p1", 0, 1, "pool"), voter("p2", 9, 10, "pool"), voter("a", 0, 1), voter("b", 0, 1)],
        0,
        1,
        ("p2",),
    ),
]


@pytest.mark.parametrize(("voters", "lo", "hi", "false"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_table(voters: list[Voter], lo: float | None, hi: float | None, false: tuple[str, ...]) -> None:
    found = vote(tuple(voters))
    assert (found.lo, found.hi, found.falsetickers) == (lo, hi, false)


interval = st.tuples(st.floats(-1e3, 1e3), st.floats(0, 100)).map(lambda pair: (pair[0], pair[0] + pair[1]))


@given(
    truth=st.floats(-100, 100),
    honest=st.lists(st.tuples(st.floats(0, 50), st.floats(0, 50)), min_size=1, max_size=6),
    liars=st.lists(interval, max_size=5),
)
def test_an_honest_majority_is_never_missed(
    truth: float, honest: list[tuple[float, float]], liars: list[tuple[float, float]]
) -> None:
    liars = liars[: len(honest) - 1]
    voters = [voter(f"h{i}", truth - below, truth + above) for i, (below, above) in enumerate(honest)]
    voters += [voter(f"l{i}", lo, hi) for i, (lo, hi) in enumerate(liars)]
    found = vote(tuple(voters))
    assert found.lo is not None
    assert found.hi is not None
    assert found.lo <= truth <= found.hi
    assert not any(name.startswith("h") for name in found.falsetickers)


@given(st.lists(interval, min_size=1, max_size=8))
def test_the_order_of_the_witnesses_does_not_matter(intervals: list[tuple[float, float]]) -> None:
    one = vote(tuple(voter(str(i), lo, hi) for i, (lo, hi) in enumerate(intervals)))
    reverse = vote(tuple(voter(str(i), lo, hi) for i, (lo, hi) in reversed(list(enumerate(intervals)))))
    assert (one.lo, one.hi, one.depth) == (reverse.lo, reverse.hi, reverse.depth)
    assert set(one.falsetickers) == set(reverse.falsetickers)


def test_places_in_a_branch() -> None:
    branches = {f"pc{n:02}": ("firm", "ankara") for n in range(50)}
    branches |= {"far": ("firm", "izmir"), "other": ("another", "ankara"), "bare": ("", "")}
    assert sorted(place(name, branches)[1] for name in branches if name.startswith("pc")) == list(range(50))
    assert place("pc07", branches) == (50, 7)
    assert place("far", branches) == (1, 0)
    assert place("bare", branches) == (1, 0)
    assert place("nobody", branches) == (1, 0)


def test_one_run_is_no_slice() -> None:
    assert among_slices("pc07", 50, 7, 1) == (50, 7)


@pytest.mark.parametrize("count", [10, 40, 120])
@pytest.mark.parametrize("slices", [2, 4, 7])
def test_slices_ask_together_about_as_often_as_one_run(count: int, slices: int) -> None:
    names = [f"ank-pc{number:03}" for number in range(count)]
    sources, samples = range(6), 4

    def asked(places: list[tuple[int, int]]) -> float:
        """Requests that reach a server from the branch's address, over all servers."""
        return sum(share(source, samples, *where) for source in sources for where in places) / len(sources)

    together = asked([place(name, dict.fromkeys(names, ("firm", "ankara"))) for name in names])
    dealt, blind = [], []
    for number in range(slices):
        part = dict.fromkeys(names[number::slices], ("firm", "ankara"))
        blind += [place(name, part) for name in part]
        dealt += [among_slices(name, *place(name, part), slices) for name in part]
    assert together <= BURST
    # By chance two machines choose one place, and another is left free.
    assert asked(dealt) <= 1.5 * BURST
    assert asked(blind) > asked(dealt)
    assert all(at < neighbours for neighbours, at in dealt)
