# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control node's own measurement: quick when NTP settles its clock. The observation is the recorded one."""

from __future__ import annotations

import copy
import typing as t

import pytest
from ansible_collections.edefter.ready.plugins.action import run_open
from ansible_collections.edefter.ready.plugins.plugin_utils.vantage import read_vantage
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted import everything
from recorded import RAW

Json = dict[str, t.Any]

ARGUMENTS: Json = {"deadline": 25.0, **everything.module_arguments(everything.wanted_from({}), None, vantage=True)}


class Observer:
    """Stands for the twin's `observe`: answers what it is asked for from the recording. silent: sources that do not."""

    def __init__(self, silent: t.Collection[str] = ()) -> None:
        self.asked: list[Json] = []
        self._silent = silent

    def __call__(self, _module: str, _bodies: t.Any, arguments: Json) -> Json:
        self.asked.append(arguments)
        made = copy.deepcopy(RAW)
        made["sections"] = {name: part for name, part in made["sections"].items() if name in arguments["sections"]}
        wanted = {source["id"] for source in arguments["time_sources"]}
        clock = made["sections"]["clock"]["data"]
        clock["sources"] = [source for source in clock["sources"] if source["id"] in wanted]
        for source in clock["sources"]:
            if source["id"] in self._silent:
                source.update(samples=[], error={"phase": "ntp", "code": "timeout", "message": ""})
        return t.cast("Json", made)


def kinds(asked: Json) -> set[str]:
    return {source["kind"] for source in asked["time_sources"]}


def test_ntp_that_agrees_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    observer = Observer()
    monkeypatch.setattr(run_open, "observe", observer)
    made = run_open._observed(ARGUMENTS)
    assert [kinds(asked) for asked in observer.asked] == [{"ntp"}]
    assert set(made["sections"]) == set(ARGUMENTS["sections"])
    assert read_vantage(made).lo is not None


def test_https_is_asked_when_ntp_leaves_the_clock_in_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [source["id"] for source in ARGUMENTS["time_sources"] if source["kind"] == "ntp"]
    observer = Observer(silent=ids[1:])
    monkeypatch.setattr(run_open, "observe", observer)
    made = run_open._observed(ARGUMENTS)
    first, second = observer.asked
    assert kinds(first) == {"ntp"}
    assert (kinds(second), second["sections"]) == ({"ntp", "https"}, ["clock"])
    assert 0 < second["deadline"] <= ARGUMENTS["deadline"]
    # One NTP source and the Date of another operator corroborate each other; the other sections are the first ones.
    assert read_vantage(made).lo is not None
    assert set(made["sections"]) == set(ARGUMENTS["sections"])


def test_no_time_left_no_second_try(monkeypatch: pytest.MonkeyPatch) -> None:
    observer = Observer(silent=[source["id"] for source in ARGUMENTS["time_sources"]])
    monkeypatch.setattr(run_open, "observe", observer)
    made = run_open._observed({**ARGUMENTS, "deadline": 0.0})
    assert len(observer.asked) == 1
    assert read_vantage(made).lo is None
