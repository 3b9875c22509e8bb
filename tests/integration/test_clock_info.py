# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""clock_info on the control node itself: arguments, defaults, shares, and what the action adds."""

from __future__ import annotations

import pathlib
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from clock_trials.loopback import NtpServer, packet
from windows_double.ansible_run import Played, play


@pytest.fixture(scope="module")
def servers() -> Iterator[list[NtpServer]]:
    honest = [NtpServer() for _ in range(3)]
    liar = NtpServer(lambda request, _count: [packet(request, offset=-90.0)])
    yield [*honest, liar]
    for server in [*honest, liar]:
        server.close()


def sources(servers: list[NtpServer], *chosen: int) -> list[dict[str, Any]]:
    return [{"id": f"s{i}", "host": "127.0.0.1", "port": servers[i].port, "operator": f"o{i}"} for i in chosen]


def run(folder: pathlib.Path, tasks: list[dict[str, Any]], hosts: dict[str, Any] | None = None, **more: Any) -> Played:
    inventory = folder / "inventory.yml"
    group = {
        "hosts": hosts or {"localhost": {}},
        "vars": {"ansible_connection": "local", "ansible_python_interpreter": sys.executable, **more},
    }
    inventory.write_text(yaml.safe_dump({"all": group}))
    return play(folder / "ansible", inventory, tasks)


@pytest.mark.cores
def test_result(servers: list[NtpServer], tmp_path: pathlib.Path) -> None:
    ended = run(tmp_path, [{"edefter.ready.clock_info": {"time_sources": sources(servers, 0, 1, 2, 3)}}])
    (result,) = ended.of("localhost")
    assert result["verdict"] == "pass"
    assert result["method"] == "ntp"
    assert result["falsetickers"] == ["s3"]
    assert abs(result["offset"]) < 0.05
    assert result["bounds"][0] <= result["offset"] <= result["bounds"][1]
    assert {row["id"]: row["verdict"] for row in result["sources"] if row["kind"] == "ntp"} == {
        "s0": "agrees",
        "s1": "agrees",
        "s2": "agrees",
        "s3": "falseticker",
    }
    assert [finding["check"] for finding in result["findings"]] == ["clock.offset", "clock.sources", "clock.udp123"]
    assert result["findings"][0]["title"]["en"] == result["msg"]
    assert result["observation"]["collector"]["module"] == "clock_info"


def test_limits_are_arguments(servers: list[NtpServer], tmp_path: pathlib.Path) -> None:
    only_liar = [{"id": "s3", "host": "127.0.0.1", "port": servers[3].port}]
    module = "edefter.ready.clock_info"
    ended = run(
        tmp_path,
        [
            {module: {"time_sources": only_liar}},
            {module: {"time_sources": only_liar, "require_corroboration": False}},
            {module: {"time_sources": only_liar, "require_corroboration": "no", "warn_seconds": "120"}},
            {module: {"time_sources": only_liar, "pass_seconds": 5, "warn_seconds": 2}},
            {module: {"time_sources": only_liar, "pass_seconds": "soon"}},
        ],
    )
    results = ended.of("localhost")
    # The control node's kernel may vouch for the right time; then the lone liar finds no majority.
    assert [result.get("verdict") for result in results] in (
        ["unknown", "fail", "warn", None, None],
        ["unknown", "unknown", "unknown", None, None],
    )
    assert results[3]["failed"]
    assert "clock.warn_seconds" in results[3]["msg"]
    assert "clock.pass_seconds" in results[4]["msg"]


def test_the_catalogue_is_the_default(servers: list[NtpServer], tmp_path: pathlib.Path) -> None:
    """With every packaged source switched off or pointed here; no name is looked up."""
    packaged = ["ume", "windows", "pool-tr", "cloudflare", "gib-date"]
    overrides = [{"id": name, "enabled": False} for name in packaged]
    overrides += [{"id": "own", "host": "127.0.0.1", "port": servers[0].port}]
    ended = run(tmp_path, [{"edefter.ready.clock_info": {}}], edefter_time_sources=overrides)
    (result,) = ended.of("localhost")
    assert [row["id"] for row in result["sources"] if row["kind"] != "vantage"] == ["own"]


def test_a_branch_shares(tmp_path: pathlib.Path) -> None:
    with NtpServer() as server:
        hosts: dict[str, Any] = {f"pc{n}": {"edefter_firm": "f", "edefter_branch": "b"} for n in range(9)}
        hosts["far"] = {"edefter_firm": "f", "edefter_branch": "elsewhere"}
        ended = run(tmp_path, [{"edefter.ready.clock_info": {"time_sources": sources([server], 0)}}], hosts)
        sent = {name: ended.of(name)[0]["sources"][0]["sent"] for name in hosts}
    assert sum(sent[f"pc{n}"] for n in range(9)) == 7
    assert sent["far"] >= 2
