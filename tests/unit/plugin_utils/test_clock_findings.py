# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings about the clock: each situation has its cause, its owner and a message that is filled completely."""

from __future__ import annotations

from typing import Any

import clock_cases as cases
import pytest
from ansible_collections.edefter.ready.plugins.plugin_utils import messages
from ansible_collections.edefter.ready.plugins.plugin_utils.clock.verdict import ClockVerdict, Witness, assess
from ansible_collections.edefter.ready.plugins.plugin_utils.judge.clock import judge_clock, seconds
from ansible_collections.edefter.ready.plugins.plugin_utils.judge.firm_clock import (
    Member,
    difference,
    judge_firm_clock,
)
from ansible_collections.edefter.ready.plugins.plugin_utils.model import Finding
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.clock import parse_clock
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted.clock import ClockWanted
from hypothesis import given
from hypothesis import strategies as st

WANTED = ClockWanted()
YEAR = 365.25 * 86400


def verdict(*sources: dict[str, Any], offset: float = 0.0, control: Witness | None = None, **more: Any) -> ClockVerdict:
    return assess(parse_clock(cases.clock(*sources, offset=offset, **more)), control)


def good(offset: float = 0.0, **fields: Any) -> list[dict[str, Any]]:
    return [cases.ntp(name, cases.sample(offset), **fields) for name in "abc"]


def dated(offset: float = 0.0) -> dict[str, Any]:
    answers = [cases.answer(offset, now=cases.NOW + at / 7, mono=0.1 + at / 7) for at in range(7)]
    return cases.https("gib", *answers)


def silent(code: str = "timeout") -> list[dict[str, Any]]:
    error = {"phase": "ntp", "code": code, "native": None, "message": ""}
    return [cases.ntp(name, error=error) for name in "abc"]


def found(
    *sources: dict[str, Any], offset: float = 0.0, control: Witness | None = None, **more: Any
) -> dict[str, Finding]:
    bios_date = more.pop("bios_date", None)
    measured = verdict(*sources, offset=offset, control=control, **more)
    return {f.check: f for f in judge_clock(measured, WANTED, bios_date)}


def complete(finding: Finding) -> None:
    """The message exists, and every placeholder has a value."""
    for part in ("title", "remedy"):
        for text in messages.render(finding.cause, part, finding.params).values():
            assert "?" not in text.replace("?.", ""), f"{finding.cause}: {text}"
            assert text != finding.cause


NEAR = Witness(-0.5, 0.5)
SITUATIONS: list[tuple[str, Any, dict[str, tuple[str, str, str]]]] = [
    (
        "right",
        lambda: found(*good()),
        {
            "clock.offset": ("pass", "clock.offset.pass", "nobody"),
            "clock.sources": ("pass", "clock.sources.pass", "nobody"),
            "clock.udp123": ("pass", "clock.udp123.pass", "nobody"),
        },
    ),
    (
        "behind",
        lambda: found(*good(420.0), offset=420.0),
        {"clock.offset": ("fail", "clock.offset.behind", "collection")},
    ),
    (
        "a little ahead",
        lambda: found(*good(-5.0), offset=-5.0),
        {"clock.offset": ("warn", "clock.offset.ahead", "collection")},
    ),
    (
        "wrong zone",
        lambda: found(*good(10800.0), offset=10800.0),
        {"clock.offset": ("fail", "clock.offset.whole_hours", "collection")},
    ),
    (
        "on the limit",
        lambda: found(*good(1.0), offset=1.0),
        {"clock.offset": ("unknown", "clock.offset.straddles", "local_admin")},
    ),
    (
        "set meanwhile",
        lambda: found(*good(), step=3.0),
        {"clock.offset": ("unknown", "clock.offset.stepped", "local_admin")},
    ),
    (
        "no majority",
        lambda: found(cases.ntp("a", cases.sample(0.0)), cases.ntp("b", cases.sample(9.0))),
        {
            "clock.offset": ("unknown", "clock.offset.no_majority", "network_admin"),
            "clock.sources": ("unknown", "clock.sources.undecided", "network_admin"),
        },
    ),
    (
        "no answer at all",
        lambda: found(*silent(), cases.https("gib")),
        {
            "clock.offset": ("unknown", "clock.offset.unmeasured", "network_admin"),
            "clock.sources": ("unknown", "clock.sources.none", "network_admin"),
            "clock.udp123": ("unknown", "clock.udp123.unclear", "network_admin"),
        },
    ),
    (
        "one source",
        lambda: found(cases.ntp("a", cases.sample())),
        {
            "clock.offset": ("warn", "clock.offset.lone_inside", "network_admin"),
            "clock.sources": ("warn", "clock.sources.one", "network_admin"),
        },
    ),
    (
        "one source says wrong",
        lambda: found(cases.ntp("a", cases.sample(99.0)), offset=99.0),
        {"clock.offset": ("unknown", "clock.offset.lone_outside", "local_admin")},
    ),
    (
        "a liar",
        lambda: found(*good(), cases.ntp("liar", cases.sample(60.0))),
        {
            "clock.offset": ("pass", "clock.offset.pass", "nobody"),
            "clock.sources": ("warn", "clock.sources.falseticker", "network_admin"),
        },
    ),
    (
        "kiss of death",
        lambda: found(*good(), cases.ntp("k", cases.sample(stratum=0, leap=3), kiss="RATE")),
        {"clock.sources": ("warn", "clock.sources.rate_limited", "network_admin")},
    ),
    (
        "an unsynchronised one",
        lambda: found(*good(), cases.ntp("u", cases.sample(leap=3))),
        {"clock.sources": ("warn", "clock.sources.rejected", "network_admin")},
    ),
    (
        "123 blocked",
        lambda: found(*silent(), dated(), control=NEAR),
        {
            "clock.offset": ("pass", "clock.offset.pass", "nobody"),
            "clock.udp123": ("warn", "clock.udp123.blocked", "firewall_admin"),
        },
    ),
    (
        "123 blocked and the clock wrong",
        lambda: found(*silent(), dated(5.0), offset=5.0, control=Witness(4.5, 5.5)),
        {"clock.udp123": ("fail", "clock.udp123.blocked", "firewall_admin")},
    ),
    (
        "123 blocked on this machine",
        lambda: found(*silent("access_denied"), dated(), control=NEAR),
        {"clock.udp123": ("warn", "clock.udp123.blocked_here", "local_admin")},
    ),
    (
        "123 blocked but for the LAN",
        lambda: found(*silent(), cases.ntp("dc", cases.sample(), lan=True), dated()),
        {"clock.udp123": ("warn", "clock.udp123.lan_only", "firewall_admin")},
    ),
    (
        "empty battery",
        lambda: found(*good(24 * YEAR), offset=24 * YEAR),
        {
            "clock.offset": ("fail", "clock.offset.behind", "collection"),
            "clock.battery": ("fail", "clock.battery.empty", "local_admin"),
        },
    ),
]


@pytest.mark.parametrize(("make", "expected"), [s[1:] for s in SITUATIONS], ids=[s[0] for s in SITUATIONS])
def test_situations(make: Any, expected: dict[str, tuple[str, str, str]]) -> None:
    findings = make()
    for check, (status, cause, owner) in expected.items():
        finding = findings[check]
        assert (finding.status.value, finding.cause, finding.owner.value) == (status, cause, owner)
    for finding in findings.values():
        complete(finding)
        assert finding.evidence
        if finding.status == "pass":
            assert finding.owner == "nobody"


def test_every_cause_is_reached_by_a_situation() -> None:
    reached = {finding.cause for _name, make, _expected in SITUATIONS for finding in make().values()}
    written = {cause for cause in messages.catalogue() if cause.startswith("clock.")}
    # (Drift shows between runs: the report says that one.)
    assert reached == {cause for cause in written if not cause.startswith("clock.firm.")} - {"clock.battery.drift"}


def test_blocked_names_the_rule() -> None:
    finding = found(*silent(), dated(), control=NEAR)["clock.udp123"]
    for text in messages.render(finding.cause, "remedy", finding.params).values():
        assert "UDP" in text
        assert "123" in text
        assert "a.example" in text


def test_no_public_ntp_source_no_word_on_port_123() -> None:
    assert "clock.udp123" not in found(dated(), control=NEAR)
    assert "clock.udp123" not in found(cases.ntp("a", sent=0, skipped="neighbours"), dated())


def test_battery_evidence() -> None:
    offset = cases.NOW - 1_041_379_200  # the host says 2003-01-01
    evidence = {e.key: e.value for e in found(*good(offset), offset=offset)["clock.battery"].evidence}
    assert evidence["default_date"] == "2003-01-01 (january)"
    offset = cases.NOW - 1_529_000_000  # 2018-06-14
    battery = found(*good(offset), offset=offset, bios_date="06/01/2018")["clock.battery"]
    assert {e.key: e.value for e in battery.evidence}["default_date"] == "2018-06-14 (bios)"
    assert "clock.battery" not in found(*good(-24 * YEAR), offset=-24 * YEAR)
    assert "clock.battery" not in found(*good(3600.0), offset=3600.0)


@pytest.mark.parametrize(
    ("offset", "text"),
    [(0.0, "0.0 ms"), (-0.00001, "0.0 ms"), (0.0042, "+4.2 ms"), (-0.9, "-0.900 s"), (420.0, "+7.0 min"),
     (10800.0, "+3.00 h"),
     (-5 * 86400.0, "-5.0 d"), (24 * YEAR, "+24.0 y")],
)  # fmt: skip
def test_seconds(offset: float, text: str) -> None:
    assert seconds(offset) == text


def test_turkish_has_its_own_units() -> None:
    assert seconds(0.0042, "tr") == "+4,2 ms"
    assert seconds(-420.0, "tr", sign=False) == "7,0 dk"
    assert seconds(24 * YEAR, "tr") == "+24,0 yıl"


# ---- the firm -------------------------------------------------------------------------------------------------------


def member(host: str, offset: float | None, role: str = "workstation") -> Member:
    return Member(host, role, None if offset is None else verdict(*good(offset), offset=offset))


def test_firm_view() -> None:
    members = [
        member("pc1", 0.9),
        member("pc2", -0.9),
        member("pc3", None),
        member("pc4", 1.1),
        member("sunucu", -0.9, "server"),
    ]
    findings = {f.subject: f for f in judge_firm_clock(members, ClockWanted(agree_seconds=1.8))}
    assert {name: f.status.value for name, f in findings.items()} == {
        "pc1": "unknown",
        "pc2": "pass",
        "pc3": "unknown",
        "pc4": "fail",
    }
    assert findings["pc1"].cause == "clock.firm.straddles"
    assert findings["pc3"].cause == "clock.firm.unknown"
    assert findings["pc4"].cause == "clock.firm.differs"
    for finding in findings.values():
        if finding.cause != "clock.firm.unknown":
            complete(finding)


def test_each_within_its_limit_and_yet_apart() -> None:
    pc, server = member("pc", 0.95), member("srv", -0.95, "server")
    for one in (pc, server):
        assert one.verdict is not None
        assert one.verdict.status(WANTED) == "pass"
    (finding,) = judge_firm_clock([pc, server], ClockWanted(agree_seconds=1.5))
    assert finding.status == "fail"


def test_firms_without_a_server_or_alone() -> None:
    assert judge_firm_clock([member("pc1", 0.0), member("pc2", 0.0)], WANTED) == ()
    assert judge_firm_clock([member("srv", 0.0, "server")], WANTED) == ()
    two = [member("a", 0.0, "server"), member("b", 9.0, "server")]
    assert [(f.subject, f.status.value) for f in judge_firm_clock(two, WANTED)] == [("b", "fail")]


@given(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4))
def test_the_difference_holds_the_truth(a: float, b: float) -> None:
    apart = difference(member("pc", a), member("srv", b, "server"))
    assert apart is not None
    # Offsets are true - host: the workstation's clock minus the server's is b - a.
    assert apart.lo - 1e-5 <= b - a <= apart.hi + 1e-5
