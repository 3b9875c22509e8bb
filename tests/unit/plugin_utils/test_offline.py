# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of edefter-kontrol.exe: untrusted, one machine each, the newest counts; and what is said of the file itself."""

from __future__ import annotations

import copy
import json
import pathlib
from typing import Any

import pytest
from ansible_collections.edefter.ready.plugins.plugin_utils.edge import offline as edge
from ansible_collections.edefter.ready.plugins.plugin_utils.judge.offline import DAY, Here, judge_offline
from ansible_collections.edefter.ready.plugins.plugin_utils.model import ShapeError
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.offline import (
    OfflineFile,
    newest,
    parse_offline,
)
from hypothesis import given
from hypothesis import strategies as st

SUM = "a" * 64
RAW: dict[str, Any] = {
    "schema": 1,
    "collector": {"module": "host_info", "version": "0.1.0", "runtime": "clr", "runtime_version": "4.0"},
    "started_utc": "2026-11-25T07:00:00.000Z",
    "elapsed_ms": 12.0,
    "complete": True,
    "sections": {
        "identity": {
            "status": "ok",
            "error": None,
            "elapsed_ms": 1.0,
            "data": {"os": "windows", "hostname": "MUHASEBE1", "product_type": "WinNT"},
        }
    },
    "offline": {
        "tool": "edefter-kontrol",
        "tool_version": "0.1.0",
        "sha256": SUM,
        "sources_sha256": SUM,
        "catalogue_sha256": SUM,
        "firm": "Yıldız",
        "branch": "",
        "user_is_admin": False,
        "unseen": [],
        "machine": {"name": "PROCESS", "os": "Windows", "process_bits": 64},
    },
}
STARTED = 1795590000.0


def raw(path: str = "", value: Any = None) -> dict[str, Any]:
    """RAW with one value changed; path in dots."""
    made = copy.deepcopy(RAW)
    if path:
        *before, last = path.split(".")
        place: Any = made
        for part in before:
            place = place[part]
        place[last] = value
    return made


def said(file: OfflineFile, **here: Any) -> dict[str, str]:
    where = Here(**{"version": "0.1.0", "now": STARTED, "max_age_days": 7.0, "catalogue_sha256": SUM, **here})
    offset = None
    return {finding.subject: finding.cause for finding in judge_offline(file, where, offset)}


def test_a_file_is_read() -> None:
    file = parse_offline(raw())
    assert (file.host, file.firm, file.role, file.version) == ("MUHASEBE1", "Yıldız", "workstation", "0.1.0")
    assert file.started == STARTED
    assert file.user_is_admin is False


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("offline", None),
        ("offline.tool", "other"),
        ("offline.machine", []),
        ("offline.sha256", "A" * 64),
        ("offline.catalogue_sha256", "x"),
        ("offline.user_is_admin", "yes"),
        ("offline.unseen", [1]),
        ("offline.unseen", [{"where": "x", "phase": "file", "code": "c"}] * 65),
        ("schema", 2),
        ("started_utc", "yesterday"),
        ("started_utc", "2026-11-25T07:00:00"),
        ("sections", []),
    ],
)
def test_anything_else_is_refused(path: str, value: Any) -> None:
    with pytest.raises(ShapeError):
        parse_offline(raw(path, value))


def test_a_machine_without_identity_goes_by_its_process() -> None:
    file = parse_offline(raw("sections.identity.data", {"os": 5}))
    assert (file.host, file.role) == ("PROCESS", "")
    with pytest.raises(ShapeError):
        parse_offline({**raw("sections", {}), "offline": {**RAW["offline"], "machine": {"name": " \n "}}})


def test_names_are_one_line_and_bounded() -> None:
    file = parse_offline(raw("sections.identity.data.hostname", "a\nb\x1b[31m" + "x" * 500))
    assert "\n" not in file.host
    assert "\x1b" not in file.host
    assert len(file.host) <= 63


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=8,
    ),
    st.sampled_from(["", "offline", "offline.machine", "sections", "sections.identity", "started_utc", "collector"]),
)
def test_no_shape_breaks_the_reader(value: Any, path: str) -> None:
    try:
        file = parse_offline(raw(path, value) if path else value)
    except ShapeError:
        return
    assert file.host


def test_the_newest_of_each_machine_counts() -> None:
    new, old = parse_offline(raw()), parse_offline(raw("started_utc", "2026-11-24T07:00:00Z"))
    other = parse_offline(raw("offline.firm", "Kaya"))
    same = parse_offline(raw("sections.identity.data.hostname", "muhasebe1"))
    chosen, superseded = newest([("b", new), ("a", old), ("c", other)])
    assert {host: name for host, (name, _file) in chosen.items()} == {"MUHASEBE1": "b", "MUHASEBE1 (Kaya)": "c"}
    assert superseded == ["a"]
    chosen, superseded = newest([("a", old), ("b", same)])
    assert [name for name, _file in chosen.values()] == ["b"]
    assert superseded == ["a"]


def test_what_is_said_of_the_file() -> None:
    file = parse_offline(raw())
    assert said(file) == {"file": "offline.ok"}
    assert said(file, now=STARTED + 8 * DAY)["age"] == "offline.old"
    assert said(file, now=STARTED - 3600)["age"] == "offline.future"
    assert said(file, version="0.2.0")["version"] == "offline.version"
    assert said(file, catalogue_sha256="b" * 64)["catalogue"] == "offline.catalogue"
    gap = [{"where": "time.task", "phase": "file", "code": "not_visible"}]
    assert said(parse_offline(raw("offline.unseen", gap)))["unseen"] == "offline.limited"
    admin = raw("offline.unseen", gap)
    admin["offline"]["user_is_admin"] = True
    assert said(parse_offline(admin))["unseen"] == "offline.hidden"


def test_a_wrong_clock_is_no_old_file() -> None:
    """The file says 2002; its machine's clock was measured to be 24 years slow."""
    file = parse_offline(raw("started_utc", "2002-11-25T07:00:00Z"))
    where = Here("0.1.0", STARTED + 60, 7.0)
    known = judge_offline(file, where, STARTED - file.started)
    assert [finding.cause for finding in known] == ["offline.ok"]
    assert "offline.old" in [finding.cause for finding in judge_offline(file, where, None)]


def test_a_folder(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a.json").write_text("\ufeff" + json.dumps(RAW), encoding="utf-8")
    (tmp_path / "B.JSON").write_text(json.dumps(RAW), encoding="utf-8")
    (tmp_path / "c.txt").write_text("{}", encoding="utf-8")
    (tmp_path / "d.json").write_text('{"schema": 1, "schema": 1}', encoding="utf-8")
    (tmp_path / "e.json").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "f.json").mkdir()
    (tmp_path / "g.json").symlink_to(tmp_path / "nowhere")
    read = edge.read_folder(tmp_path)
    assert sorted(name for name, _file in read.files) == ["B.JSON", "a.json"]
    assert [name for name, _why in read.broken] == ["d.json", "e.json", "f.json", "g.json"]
    assert all(why for _name, why in read.broken)
    with pytest.raises(OSError, match="nowhere"):
        edge.read_folder(tmp_path / "nowhere")
