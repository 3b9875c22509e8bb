# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.edefter.ready.plugins.plugin_utils.record import STATES
from ansible_collections.edefter.ready.plugins.plugin_utils.report.digest import digest, host_line
from ansible_collections.edefter.ready.plugins.plugin_utils.report.terminal import MARKS, summary


def line(host, state, firm="Firma", **more):
    base = {"host": host, "firm": firm, "branch": "", "role": "", "state": state, "message": {"tr": "iş", "en": "why"}}
    return host_line({**base, **more})


def test_headline_counts_and_names_what_is_missing():
    made = digest([line("a", "ready"), line("b", "blocked"), line("c", "fixed", firm="Z")])
    lines = summary(made, "en", "report.html")
    assert lines[0] == "2 of 3 machines are ready for e-Defter, 1 are NOT."
    assert lines[1] == "Firma: not ready (1 of 2)"
    assert lines[2] == "  [x] b  why"
    assert lines[3] == "Z: ready (1 of 1)"
    assert "[+] c" in lines[4]
    assert lines[-1] == "Report: report.html"
    assert not any(" a " in text for text in lines), "a host that was always ready needs no line"


def test_all_ready_and_no_hosts():
    assert summary(digest([line("a", "ready")]), "tr")[0] == "1/1 bilgisayar e-Defter'e hazır."
    assert summary(digest([]), "en") == ["There was no machine in this run."]


@pytest.mark.parametrize("state", STATES)
def test_every_state_has_a_mark(state):
    assert MARKS[state]


def test_terminal_escapes_of_a_host_do_not_get_through():
    text = "\n".join(summary(digest([line("a\x1b[31m", "blocked", firm="F\u202e", message={"en": "x\ny"})]), "en"))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "x y" in text


def test_a_message_that_is_missing_falls_back_to_the_state():
    assert "could not be reached" in "\n".join(summary(digest([line("a", "unreachable", message={})]), "en"))


def test_a_large_fleet_is_cut_and_says_so():
    lines = summary(digest([line(f"h{n}", "blocked") for n in range(100)]), "en", limit=10)
    assert len(lines) == 13
    assert lines[-1].strip() == "… +90"


def test_a_host_without_a_firm_is_listed():
    assert summary(digest([line("a", "blocked", firm="")]), "en")[1] == "(no firm given): not ready (0 of 1)"
