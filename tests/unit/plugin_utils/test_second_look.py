# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import copy
import typing as t

import pytest
from ansible_collections.edefter.ready.plugins.plugin_utils import second_look
from ansible_collections.edefter.ready.plugins.plugin_utils.vantage import Vantage, read_vantage
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted import everything
from recorded import RAW

WANTED = everything.wanted_from({})
VANTAGE = read_vantage(RAW)
TROUBLE = [{"check": "endpoint", "subject": "uyg", "status": "fail"}]


def lied_to(*addresses: str) -> dict[str, t.Any]:
    """A host whose resolver gives these addresses for uyg."""
    made = copy.deepcopy(RAW)
    target = next(x for x in made["sections"]["endpoints"]["data"]["targets"] if x["id"] == "uyg")
    target["dns"]["system"]["addresses"] = list(addresses)
    return made


def test_what_only_the_host_was_told_is_asked_for() -> None:
    look = second_look.wishes(lied_to("203.0.113.200"), WANTED, VANTAGE, TROUBLE)
    assert look is not None
    assert [endpoint["id"] for endpoint in look["endpoints"]] == ["uyg"]
    assert look["extra_addresses"] == [{"host": "uyg.edefter.gov.tr", "addresses": ["203.0.113.200"]}]
    assert look["canaries"] == []


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "192.168.0.1", "169.254.1.1", "224.0.0.1", "0.0.0.0", "::1", "fe80::1", "100.64.0.1"],
)
def test_nobodys_own_network_is_asked_at_a_hosts_word(address: str) -> None:
    assert second_look.wishes(lied_to(address), WANTED, VANTAGE, TROUBLE) is None


def test_few_addresses_only() -> None:
    many = [f"203.0.113.{n}" for n in range(100, 140)]
    look = second_look.wishes(lied_to(*many), WANTED, VANTAGE, TROUBLE)
    assert look is not None
    assert look["extra_addresses"][0]["addresses"] == many[: second_look.MAX_ADDRESSES]


@pytest.mark.parametrize(
    ("raw", "vantage", "findings"),
    [
        (RAW, VANTAGE, TROUBLE),
        (lied_to("203.0.113.200"), VANTAGE, []),
        (lied_to("203.0.113.200"), VANTAGE, [{**TROUBLE[0], "status": "pass"}]),
        (lied_to("203.0.113.200"), Vantage(), TROUBLE),
        ("<html>", VANTAGE, TROUBLE),
        (lied_to("203.0.113.200"), VANTAGE, [{**TROUBLE[0], "subject": "no-such"}]),
    ],
)
def test_nothing_to_learn(raw: t.Any, vantage: Vantage, findings: list[t.Any]) -> None:
    assert second_look.wishes(raw, WANTED, vantage, findings) is None


def test_a_literal_target_and_a_failed_section_are_passed_over() -> None:
    made = lied_to("203.0.113.200")
    for target in made["sections"]["endpoints"]["data"]["targets"]:
        target["dns"] = None
    assert second_look.wishes(made, WANTED, VANTAGE, TROUBLE) is None
    made["sections"]["endpoints"] = {"status": "error", "error": None, "data": None}
    assert second_look.wishes(made, WANTED, VANTAGE, TROUBLE) is None


def test_the_answers_join_the_vantage() -> None:
    seen = copy.deepcopy(RAW["sections"]["endpoints"]["data"])
    target = next(x for x in seen["targets"] if x["id"] == "uyg")
    seen["targets"] = [target]
    target["attempts"][0]["address"] = "203.0.113.200"
    more = second_look.enriched(VANTAGE, seen)
    assert more.endpoints is not None
    assert VANTAGE.endpoints is not None
    for before, after in zip(VANTAGE.endpoints.targets, more.endpoints.targets, strict=True):
        added = {a.address for a in after.attempts} - {a.address for a in before.attempts}
        assert added == ({"203.0.113.200"} if after.id == "uyg" else set())


def test_an_answer_that_cannot_be_read_changes_nothing() -> None:
    assert second_look.enriched(VANTAGE, None) == VANTAGE
    assert second_look.enriched(Vantage(), {}) == Vantage()
