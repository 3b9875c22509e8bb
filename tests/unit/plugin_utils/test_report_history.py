# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From run to run: since when, what changed, and the drift of clocks. Firms, branches and tasks of a digest."""

from __future__ import annotations

import datetime
import typing as t

import pytest
import report_fleet as fleet
from ansible_collections.edefter.ready.plugins.plugin_utils import record
from ansible_collections.edefter.ready.plugins.plugin_utils.model import Finding, Status
from ansible_collections.edefter.ready.plugins.plugin_utils.report import correlate
from ansible_collections.edefter.ready.plugins.plugin_utils.report.digest import Digest, Gatherer, host_line
from ansible_collections.edefter.ready.plugins.plugin_utils.report.history import (
    DRIFT_LIMIT,
    FORGET_DAYS,
    POINTS,
    History,
    read,
    trend,
)
from ansible_collections.edefter.ready.plugins.plugin_utils.report.progress import Progress, duration
from ansible_collections.edefter.ready.plugins.plugin_utils.report.terminal import summary
from ansible_collections.edefter.ready.plugins.plugin_utils.report.todo import fleet_tasks, tasks
from hypothesis import given
from hypothesis import strategies as st

Json = dict[str, t.Any]
DAY = 86400.0


def run(number: int) -> tuple[str, str]:
    """Name and start of the run of the number-th day."""
    moment = datetime.datetime(2026, 11, 1, 7, tzinfo=datetime.UTC) + datetime.timedelta(days=number)
    return f"{moment:%Y%m%dT%H%M%SZ}-{number % 65536:04x}", f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def remember(earlier: object, number: int, *hosts: Json) -> History:
    history = History(earlier, *run(number))
    for host in hosts:
        history.add(host, host_line(host))
    return history


# ---- since when, and what changed


def test_since_is_when_readiness_last_changed() -> None:
    memory = remember(None, 0, fleet.host("a", "blocked")).memory()
    memory = remember(memory, 1, fleet.host("a", "unreachable")).memory()
    assert memory["hosts"]["a"]["since"] == run(0)[1], "another kind of not ready is still not ready"
    memory = remember(memory, 2, fleet.host("a", "fixed")).memory()
    assert memory["hosts"]["a"]["since"] == run(2)[1]
    assert remember(memory, 3, fleet.host("a", "ready")).notes["a"].since == run(2)[1]


def test_changes_tell_worse_better_new_and_gone() -> None:
    before = remember(
        None, 0, *(fleet.host(name, state) for name, state in (("a", "ready"), ("b", "blocked"), ("c", "ready")))
    )
    assert before.changes() is None
    now = [fleet.host("a", "drifted"), fleet.host("b", "fixed"), fleet.host("d", "ready")]
    changes = remember(before.memory(), 1, *now).changes()
    assert changes is not None
    assert (changes.worse, changes.better, changes.new, changes.gone) == (("a",), ("b",), ("d",), ("c",))
    assert (changes.run, changes.started_utc) == run(0)


def test_a_host_that_was_not_got_to_is_as_it_was() -> None:
    memory = remember(None, 0, fleet.host("a", "ready")).memory()
    history = remember(memory, 1, fleet.pending("a"))
    changes = history.changes()
    assert changes is not None
    assert changes.worse == ()
    assert history.memory()["hosts"]["a"]["state"] == "ready"


def test_a_host_that_a_run_left_out_is_remembered_but_not_for_ever() -> None:
    memory = remember(None, 0, fleet.host("a", "blocked"), fleet.host("b", "ready")).memory()
    memory = remember(memory, 1, fleet.host("b", "ready")).memory()
    assert memory["hosts"]["a"]["since"] == run(0)[1]
    changes = remember(memory, 2, fleet.host("b", "ready")).changes()
    assert changes is not None
    assert changes.gone == (), "it was not in the run before either"
    late = remember(memory, FORGET_DAYS + 5, fleet.host("b", "ready")).memory()
    assert set(late["hosts"]) == {"b"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["schema", "hosts", "run", "a"]), inner)
    ),
    max_leaves=8,
)


@given(JSON)
def test_any_memory_can_be_read(raw: object) -> None:
    history = History(raw, *run(1))
    host = fleet.host("a", "ready")
    history.add(host, host_line(host))
    assert set(history.memory()["hosts"]) >= {"a"}


def test_an_entry_of_the_wrong_shape_is_dropped_alone() -> None:
    memory = remember(None, 0, fleet.host("a", "ready"), fleet.host("b", "ready")).memory()
    memory["hosts"]["a"]["clock"] = [[1, 2]]
    assert set(read(memory)["hosts"]) == {"b"}


# ---- drift


def test_a_clock_that_nobody_sets_shows_its_drift() -> None:
    memory: object = None
    for day in range(4):
        host = fleet.set_clock(fleet.host("a", "drifted"), 20.0 * day)
        history = remember(memory, day, host)
        memory = history.memory()
    found = history.notes["a"].trend
    assert found is not None
    assert found.rate == pytest.approx(20.0)
    assert found.count == 3
    assert found.suspicious


def test_what_a_repair_set_right_is_not_drift() -> None:
    # Every day 12 s behind, set right after each measurement: drift is taken from where the repair left it.
    points = [[day * DAY, 12.0, 12.002, -0.001, 0.001] for day in range(4)]
    found = trend(points)
    assert found is not None
    assert found.rate == pytest.approx(12.0, abs=0.01)
    assert found.suspicious


@pytest.mark.parametrize(
    ("points", "why"),
    [
        ([], "nothing measured"),
        ([[0.0, 0.0, 0.0, None, None]], "one measurement"),
        ([[0.0, 0.0, 0.0, None, None], [60.0, 5.0, 5.0, None, None]], "a minute apart"),
        ([[0.0, 0.0, 0.0, None, None], [DAY, 3600.0, 3600.0, None, None]], "an hour in a day: set by hand"),
    ],
)
def test_no_drift_where_none_can_be_told(points: list[list[float | None]], why: str) -> None:
    assert trend(points) is None, why


def test_a_sound_clock_and_a_loose_measurement_are_not_suspected() -> None:
    sound = trend([[day * DAY, 1.0 * day, 1.0 * day, None, None] for day in range(5)])
    assert sound is not None
    assert not sound.suspicious
    loose = trend([[day * DAY, -10.0 + 9.0 * day, 10.0 + 9.0 * day, None, None] for day in range(3)])
    assert loose is not None
    assert not loose.suspicious, "within the bounds it may be standing still"
    once = trend([[0.0, 0.0, 0.0, None, None], [DAY, 30.0, 30.0, None, None], [2 * DAY, 30.0, 30.0, None, None]])
    assert once is not None
    assert not once.suspicious, "seen once"


@given(
    st.floats(-800, 800),
    st.lists(st.floats(0.1, 5.0), min_size=1, max_size=POINTS - 1),
)
def test_a_steady_drift_is_found_whatever_the_days_between(rate: float, gaps: list[float]) -> None:
    when, points = 0.0, [[0.0, -0.001, 0.001, None, None]]
    for gap in gaps:
        when += gap * DAY
        middle = rate * when / DAY
        points.append([when, middle - 0.001, middle + 0.001, None, None])
    found = trend(t.cast("list[list[float | None]]", points))
    assert found is not None
    assert found.rate == pytest.approx(rate, abs=0.05)
    assert found.suspicious == (len(gaps) > 1 and abs(rate) > DRIFT_LIMIT) or abs(abs(rate) - DRIFT_LIMIT) < 0.05


def test_memory_of_a_clock_is_bounded_and_a_lone_source_is_not_kept() -> None:
    memory: object = None
    for day in range(POINTS + 4):
        memory = remember(memory, day, fleet.set_clock(fleet.host("a", "ready"), 0.0)).memory()
    assert len(t.cast("Json", memory)["hosts"]["a"]["clock"]) == POINTS
    lone = fleet.set_clock(fleet.host("b", "ready"), 5.0)
    lone["before"]["facts"]["clock"]["corroborated"] = False
    assert remember(None, 0, lone).memory()["hosts"]["b"]["clock"] == []


# ---- firms, branches, tasks


def digest_of(*hosts: Json) -> Digest:
    gatherer = Gatherer()
    for firm in dict.fromkeys(host["firm"] for host in hosts):
        clocks = correlate.Clocks()
        for branch in dict.fromkeys(host["branch"] for host in hosts if host["firm"] == firm):
            together = correlate.Branch(branch)
            for host in hosts:
                if (host["firm"], host["branch"]) == (firm, branch):
                    gatherer.host(host_line(host))
                    together.add(host)
                    clocks.add(host, host_line(host))
            gatherer.branch(firm, together.findings())
        gatherer.clocks(firm, clocks.findings())
    return gatherer.digest()


def test_clocks_too_far_apart_make_a_firm_not_ready() -> None:
    server = fleet.set_clock(fleet.host("srv", "ready", role="server"), 0.0)
    near, far = fleet.set_clock(fleet.host("a", "ready"), 0.5), fleet.set_clock(fleet.host("b", "ready"), 9.0)
    good = digest_of(server, near)
    assert good.all_ready
    bad = digest_of(server, near, far)
    assert bad.ready == bad.total
    assert not bad.all_ready
    (firm,) = bad.firms
    assert firm.light == "red"
    assert [finding.subject for finding in firm.clocks_differ] == ["b"]
    assert [task.cause for task in tasks(firm)] == ["clock.firm.differs"]
    text = "\n".join(summary(bad, "en"))
    assert "not ready (3 of 3)" in text
    assert "[x] b and the server srv are" in text


def test_the_machine_itself_says_that_it_is_a_server() -> None:
    server = fleet.set_clock(fleet.host("srv", "ready", role=""), 0.0)
    server["before"]["facts"]["machine"]["server"] = True
    assert host_line(server).role == "server"
    assert not digest_of(server, fleet.set_clock(fleet.host("b", "ready"), 9.0)).all_ready


def test_what_a_whole_branch_suffers_is_one_task() -> None:
    made = digest_of(*(fleet.host(f"pc{number}", "blocked") for number in range(4)))
    (firm,) = made.firms
    assert [finding.cause for finding in firm.branches] == ["branch.firewall"]
    (task,) = [task for task in tasks(firm) if task.owner == "firewall_admin"]
    assert task.cause == "branch.firewall"
    assert task.hosts == ("pc0", "pc1", "pc2", "pc3")
    assert task.blocks
    assert any(line.strip().startswith("[x] The firewall of branch Merkez") for line in summary(made, "en"))


def test_one_host_alone_is_not_the_branch() -> None:
    (firm,) = digest_of(fleet.host("a", "blocked"), fleet.host("b", "ready")).firms
    assert [finding.cause for finding in firm.branches] == ["branch.only_here"]
    assert tasks(firm)[0].hosts == ("a",)


def test_firms_that_suffer_the_same_are_one_line_of_the_fleet() -> None:
    hosts = [
        fleet.host(f"{firm}{n}", "unreachable", firm) for firm, count in (("A", 1), ("B", 3)) for n in range(count)
    ]
    (task,) = fleet_tasks(digest_of(*hosts))
    assert (len(task.hosts), task.firms, task.owner) == (4, 2, "controller")


def test_lights() -> None:
    light = {state: digest_of(fleet.host("a", state)).firms[0].light for state in fleet.kinds()}
    assert light == {
        "ready": "green",
        "fixed": "green",
        "drifted": "red",
        "blocked": "red",
        "unknown": "amber",
        "unreachable": "amber",
    }


@pytest.mark.parametrize("state", ["drifted", "blocked", "unknown", "unreachable"])
def test_whoever_is_not_ready_has_something_to_do(state: str) -> None:
    line = host_line(fleet.host("a", state))
    assert line.todos
    assert all(todo.title["tr"] and todo.title["en"] for todo in line.todos)


def test_a_finding_survives_its_way_through_json() -> None:
    for state in ("blocked", "drifted"):
        for data in fleet.host("a", state)["before"]["findings"]:
            found = record.finding_from_dict(data)
            assert isinstance(found, Finding)
            assert isinstance(found.status, Status)
            assert record.finding_dict(found) == data


@pytest.mark.parametrize(("key", "value"), [("status", "fine"), ("owner", "me"), ("area", "x")])
def test_what_is_no_finding_is_refused(key: str, value: str) -> None:
    data = fleet.host("a", "blocked")["before"]["findings"][0]
    with pytest.raises(ValueError, match=value):
        record.finding_from_dict({**data, key: value})


# ---- progress


def test_progress_counts_and_estimates() -> None:
    progress = Progress(100, 0.0, "en")
    assert progress.line(0.0).endswith("left …")
    for number in range(10):
        progress.host(f"h{number}", ("ready", "drifted", "unreachable", "blocked")[number % 4], 2.0 * (number + 1))
    line = progress.line(20.0)
    assert line.startswith("e-Defter 10/100 (10%)")
    assert "ready 3 · to repair 3 · unreachable 2 · other problems 2 · elapsed 20 s · left 3 min 00 s" in line
    progress.host("h1", "fixed", 21.0)
    assert "10/100" in progress.line(21.0), "observed again, not another host"
    assert "ready 4 · to repair 2" in progress.line(21.0)
    assert progress.remaining(2000.0) > 10_000, "a host that is long in coming counts"


def test_progress_ends_at_nothing_left() -> None:
    progress = Progress(1, 0.0, "tr")
    progress.host("a", "ready", 5.0)
    assert progress.remaining(9.0) == 0.0
    assert "1/1 (%100)" in progress.line(9.0)
    assert Progress(0, 0.0, "en").line(0.0).startswith("e-Defter 0/0 (100%)")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-1, "0 sn"), (59.4, "59 sn"), (60, "1 dk 00 sn"), (3599, "59 dk 59 sn"), (7265, "2 sa 01 dk")],
)
def test_durations(seconds: float, said: str) -> None:
    assert duration(seconds, "tr") == said
