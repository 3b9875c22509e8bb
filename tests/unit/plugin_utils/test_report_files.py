# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every report of a run, read back by the tools that will read it."""

from __future__ import annotations

import base64
import csv
import io
import json
import pathlib
import re
import shutil
import subprocess
import tracemalloc
import typing as t
import zlib
from html.parser import HTMLParser

import jsonschema
import junitparser
import pytest
import report_fleet as fleet
from ansible_collections.edefter.ready.plugins.plugin_utils import merge
from ansible_collections.edefter.ready.plugins.plugin_utils.edge import memory, reports
from ansible_collections.edefter.ready.plugins.plugin_utils.report import detail, html, table
from hypothesis import given
from hypothesis import strategies as st
from tree import ROOT

SCHEMA = json.loads((ROOT / "docs" / "report.schema.json").read_text(encoding="utf-8"))


@pytest.fixture
def written(tmp_path: pathlib.Path) -> reports.Written:
    return reports.write_all(fleet.store(tmp_path, [*fleet.every_kind(), fleet.hostile()]), "tr")


def text_of(written: reports.Written, kind: str) -> str:
    return pathlib.Path(written.files[kind]).read_bytes().decode("utf-8")


# ---- which ones


def test_every_kind_is_written_beside_the_records(written: reports.Written) -> None:
    assert set(written.files) == set(reports.DEFAULT) == set(reports.FORMATS) - {"firms"}
    for kind, path in written.files.items():
        assert pathlib.Path(path).name == reports.FILES[kind]
        assert pathlib.Path(path).stat().st_size > 500
    left = [path.name for path in pathlib.Path(written.files["json"]).parent.iterdir() if path.name.startswith(".")]
    assert left == []


def test_only_what_was_asked_for(tmp_path: pathlib.Path) -> None:
    store = fleet.store(tmp_path, [fleet.host("a", "ready")])
    assert set(reports.write_all(store, "en", ["metrics"]).files) == {"metrics"}
    assert not (store.folder / "report.html").exists()


def test_an_error_leaves_the_old_reports(tmp_path: pathlib.Path) -> None:
    store = fleet.store(tmp_path, [fleet.host("a", "ready"), fleet.host("b", "ready")])
    reports.write_all(store, "tr")
    before = {path: path.read_bytes() for path in store.folder.iterdir() if path.is_file()}
    store.put("b", {"host": "b"})
    with pytest.raises(KeyError):
        reports.write_all(store, "tr")
    assert {path: path.read_bytes() for path in store.folder.iterdir() if path.is_file()} == before


# ---- JSON


def test_json_is_what_its_schema_says(written: reports.Written) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    report = json.loads(text_of(written, "json"))
    jsonschema.Draft202012Validator(SCHEMA).validate(report)
    assert {host["state"] for host in report["hosts"]} == set(SCHEMA["$defs"]["record"]["properties"]["state"]["enum"])


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("hosts", 0, "state"), "fine"),
        (("hosts", 0, "before", "findings", 0, "status"), "ok"),
        (("hosts", 0, "before", "facts", "clock", "lo"), "1"),
        (("hosts", 0, "extra"), 1),
        (("run", "started_utc"), "yesterday"),
    ],
)
def test_the_schema_refuses_what_is_wrong(written: reports.Written, path: tuple[t.Any, ...], value: object) -> None:
    report = json.loads(text_of(written, "json"))
    inner = report
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate(report)


# ---- CSV


def rows_of(text: str, separator: str) -> list[dict[str, str]]:
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:], newline=""), delimiter=separator))


def test_csv_opens_in_a_turkish_and_in_an_english_excel(tmp_path: pathlib.Path) -> None:
    store = fleet.store(tmp_path, fleet.every_kind())
    turkish = rows_of(text_of(reports.write_all(store, "tr"), "csv"), ";")
    english = rows_of(text_of(reports.write_all(store, "en"), "csv"), ",")
    assert len(turkish) == len(english)
    assert {row["Bilgisayar"] for row in turkish} == {host["host"] for host in fleet.every_kind()}
    problem = next(row for row in english if row["Machine"] == "pc-blocked" and row["Finding"] == "Failed")
    assert (problem["Firm"], problem["Keeps from filing"], problem["Subject"]) == (
        "Yıldız Muhasebe",
        "yes",
        "firma-4443",
    )
    assert problem["Remedy"]
    lost = next(row for row in turkish if row["Bilgisayar"] == "pc-unreachable")
    assert (lost["Durum"], lost["Beyanı engelliyor"]) == ("Ulaşılamadı", "evet")
    assert "connection refused" in lost["Görülen"]


FORMULAS = ["=1+1", "+A1", "-2+3", "@SUM(1)", "|cmd", "\t=1", "  =1", "\r=1", "\uff1d1", "%0a"]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_is_a_formula(text: str) -> None:
    (read,) = next(csv.reader([table.cell(text, ";")], delimiter=";"))
    assert read.startswith("'")


@pytest.mark.parametrize("text", ["-5", "+1.25", "0", "12,5", "", "pc1", "İzmir"])
def test_numbers_and_words_stay(text: str) -> None:
    assert table.cell(text, ";").strip('"') == text


@given(st.text(), st.sampled_from(";,"))
def test_a_cell_stays_one_cell(text: str, separator: str) -> None:
    read = list(csv.reader(io.StringIO(table.cell(text, separator) + "\r\n", newline=""), delimiter=separator))
    assert len(read) <= 1
    (inside,) = read[0] if read and read[0] else [""]
    assert not re.match(r"\s*[=@|%\uff1d\uff0b\uff0d\uff20]", inside)
    assert not re.match(r"\s*[+-](?!\d+([.,]\d+)?\Z)", inside)


# ---- JUnit


def test_junit_is_read_back(written: reports.Written) -> None:
    suites = {suite.hostname: suite for suite in junitparser.JUnitXml.fromfile(written.files["junit"])}
    assert len(suites) == len(fleet.every_kind()) + 1
    blocked = suites["pc-blocked"]
    failed = {
        case.name: case.result[0] for case in blocked if case.result and isinstance(case.result[0], junitparser.Failure)
    }
    assert set(failed) == {"endpoint:firma-4443"}
    assert failed["endpoint:firma-4443"].type.startswith("endpoint.")
    assert blocked.failures == 1
    assert blocked.errors == 0
    assert blocked.tests == len(list(blocked))
    assert suites["pc-unreachable"].errors == suites["pc-pending"].errors == suites["pc-unknown"].errors == 1
    assert suites["srv"].failures == suites["srv"].errors == 0
    assert suites["srv"].time > 0


def test_junit_holds_what_xml_cannot(tmp_path: pathlib.Path) -> None:
    made = fleet.host("a\x00\x1b\ufffe", "blocked", "F\x0c]]>", "<b>")
    path = reports.write_all(fleet.store(tmp_path, [made]), "en", ["junit"]).files["junit"]
    (suite,) = junitparser.JUnitXml.fromfile(path)
    assert suite.hostname == "a\ufffd\ufffd\ufffd"
    assert suite.name.startswith("F\ufffd]]>.<b>.")


# ---- metrics


def samples_of(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in text.split("\n"):
        if line and not line.startswith("#"):
            found.setdefault(re.split(r"[{ ]", line, maxsplit=1)[0], []).append(line)
    return found


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (Debian: prometheus) is not installed")
def test_metrics_pass_promtool(written: reports.Written) -> None:
    done = subprocess.run(
        ["promtool", "check", "metrics"],
        check=False,
        input=text_of(written, "metrics"),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_metrics_tell_firms_hosts_clocks_and_connections(written: reports.Written) -> None:
    found = samples_of(text_of(written, "metrics"))
    assert 'edefter_firm_ready{firm="Kaya"} 0' in found["edefter_firm_ready"], "its clocks are 9.5 s apart"
    assert 'edefter_host_ready{firm="Kaya",branch="Merkez",host="k1"} 1' in found["edefter_host_ready"]
    assert any(line.endswith(" 9.5") and 'host="k1"' in line for line in found["edefter_clock_offset_seconds"])
    closed = [line for line in found["edefter_endpoint_ok"] if 'host="pc-blocked",endpoint="firma-4443"' in line]
    assert closed[0].endswith(" 0")
    assert len(found["edefter_host_ready"]) == len(fleet.every_kind()) + 1
    assert found["edefter_run_finish_timestamp_seconds"] == ["edefter_run_finish_timestamp_seconds 1795591867"]


def test_a_family_stands_together(written: reports.Written) -> None:
    names = [
        re.split(r"[{ ]", line, maxsplit=1)[0]
        for line in text_of(written, "metrics").split("\n")
        if line and line[0] != "#"
    ]
    order = [name for number, name in enumerate(names) if number == 0 or names[number - 1] != name]
    assert len(order) == len(set(order))


# ---- HTML, as it is written (a browser looks at it in tests/integration)


class Page(HTMLParser):
    """Tags, attributes and scripts of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.tags and self.cdata_elem == "script":
            self.scripts.append(data)
        else:
            self.text += data


def test_html_loads_nothing_and_says_so_to_the_browser(written: reports.Written) -> None:
    text = text_of(written, "html")
    page = Page(text)
    for tag, attributes in page.tags:
        assert tag not in ("link", "iframe", "object", "embed", "img", "base"), attributes
        assert not any(name.startswith("on") or name == "style" for name in attributes), (tag, attributes)
        for name in ("src", "href", "action", "xlink:href"):
            assert (attributes.get(name) or "#").startswith("#"), (tag, attributes)
    policy = next(a["content"] for tag, a in page.tags if tag == "meta" and a.get("http-equiv"))
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_html_keeps_hostile_texts_as_text(written: reports.Written) -> None:
    text = text_of(written, "html")
    page = Page(text)
    scripts = [attributes for tag, attributes in page.tags if tag == "script"]
    assert sum(1 for attributes in scripts if not attributes) == 1, "the page's own script and none besides"
    assert "<img" not in text
    # In the scripts only what is ours; what hosts said is base64 there, and text elsewhere.
    assert not any("alert" in inside or "\u2028" in inside for inside in page.scripts)
    assert "{{7*7}}" in page.text
    assert fleet.HOSTILE[:60] in page.text
    # A character that would turn the words after it around is shown as a sign of its own.
    assert not re.search("[\u202e\u2028]", page.text)


def test_html_tells_every_host_in_both_languages(written: reports.Written) -> None:
    text = text_of(written, "html")
    for host in fleet.every_kind():
        assert f">{host['host']}</button>" in text
    page = Page(text).text
    for words in ("Kim ne yapmalı", "Who has to do what", "e-Defter'e hazır.", "Ready for e-Defter."):
        assert words in page


def packed(text: str) -> list[dict[str, t.Any]]:
    """The hosts' details in a page."""
    blocks = re.findall(r'<script type="text/plain" id="block-\d+">([A-Za-z0-9+/=]+)</script>', text)
    return [host for block in blocks for host in json.loads(zlib.decompress(base64.b64decode(block)))]


def test_details_come_back_from_their_blocks(written: reports.Written) -> None:
    text = text_of(written, "html")
    hosts = packed(text)
    assert {host["host"] for host in hosts} == {h["host"] for h in [*fleet.every_kind(), fleet.hostile()]}
    fixed = next(host for host in hosts if host["host"] == "pc-fixed")
    assert fixed["plan"]
    assert all(step["done"] is True for step in fixed["plan"])
    assert fixed["was"]
    places = re.findall(
        r'data-b="(\d+)" data-i="(\d+)"><th scope="row"><button type="button" aria-expanded="false">([^<]*)<', text
    )
    by_place = {(number // detail.BLOCK_HOSTS, number % detail.BLOCK_HOSTS): host for number, host in enumerate(hosts)}
    for block, place, name in places:
        if "&" not in name:
            assert by_place[int(block), int(place)]["host"] == name


def test_memory_stays_flat(tmp_path: pathlib.Path) -> None:
    def peak(count: int) -> int:
        store = fleet.store(tmp_path / str(count), fleet.fleet(count))
        reports.write_all(store, "tr")  # caches are warm
        tracemalloc.start()
        try:
            reports.write_all(store, "tr")
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    few, many = peak(32), peak(96)
    # 64 more hosts of some 40 kB each: what is kept of one is a line, its place and its memory.
    assert (many - few) / 64 < 12_000


@pytest.mark.parametrize("level", merge.LEVELS)
def test_what_came_as_an_artifact_is_reported_too(tmp_path: pathlib.Path, level: str) -> None:
    hosts = [host if host["state"] == "pending" else merge.lean(host, level) for host in fleet.every_kind()]
    written = reports.write_all(fleet.store(tmp_path, hosts), "en", reports.FORMATS)
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(text_of(written, "json")))
    page = Page(text_of(written, "html")).text
    assert "Not ready for e-Defter. " in page
    suites = {suite.hostname: suite for suite in junitparser.JUnitXml.fromfile(written.files["junit"])}
    assert suites["srv"].errors == suites["srv"].failures == 0
    assert suites["pc-blocked"].errors + suites["pc-blocked"].failures == 1
    assert written.digest.counts["blocked"] == 1
    assert all(line.todos for firm in written.digest.firms for line in firm.hosts if not line.ready)


def test_a_page_for_each_firm_tells_of_no_other(tmp_path: pathlib.Path) -> None:
    hosts = [*fleet.every_kind(), fleet.host("s1", "ready", "A/S"), fleet.host("s2", "ready", "a:s"), fleet.hostile()]
    store = fleet.store(tmp_path, hosts)
    reports.write_all(store, "tr", ["firms"])
    folder = pathlib.Path(reports.write_all(store, "tr", ["firms"]).files["firms"])
    pages = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}
    assert set(pages) >= {"Yıldız Muhasebe.html", "Kaya.html", "A_S.html", "a_s (2).html"}
    assert len(pages) == 5
    kaya = pages["Kaya.html"]
    assert ">k1</button>" in kaya
    assert {host["host"] for host in packed(kaya)} == {"k-srv", "k1"}
    assert not any(name in kaya for name in ("Yıldız", "pc-blocked", "A/S"))


# ---- history on disk


def test_a_run_remembers_the_one_before(tmp_path: pathlib.Path) -> None:
    first = fleet.store(
        tmp_path,
        [fleet.host("a", "blocked"), fleet.host("b", "ready")],
        "20261124T070000Z-0001",
        "2026-11-24T07:00:00Z",
    )
    reports.write_all(first, "tr")
    second = fleet.store(
        tmp_path,
        [fleet.host("a", "blocked"), fleet.host("b", "drifted")],
        "20261125T070000Z-0002",
        "2026-11-25T07:00:00Z",
    )
    text = text_of(reports.write_all(second, "en"), "html")
    assert "No longer ready</span></span> b" in text
    kept = json.loads((second.folder / memory.FILE).read_text(encoding="utf-8"))
    assert kept["hosts"]["a"]["since"] == "2026-11-24T07:00:00Z"
    assert kept["hosts"]["b"]["since"] == "2026-11-25T07:00:00Z"


def test_a_merged_run_is_held_against_the_day_before_not_against_its_slices(tmp_path: pathlib.Path) -> None:
    yesterday = [fleet.host("a", "ready"), fleet.host("b", "ready")]
    reports.write_all(fleet.store(tmp_path, yesterday, "20261124T070000Z-m12345678", "2026-11-24T07:00:00Z"), "tr")
    slices = ("20261125T070000Z-0001", "20261125T070001Z-0002")
    for run, host in zip(slices, ("a", "b"), strict=True):
        reports.write_all(fleet.store(tmp_path, [fleet.host(host, "blocked")], run, "2026-11-25T07:00:00Z"), "tr")
    both = fleet.store(tmp_path, [fleet.host("a", "blocked"), fleet.host("b", "blocked")], "20261125T070000Z-mabcdef01")
    meta = {**both.meta(), "merged": [{"run": run} for run in slices]}
    (both.folder / "run.json").write_text(json.dumps(meta), encoding="utf-8")
    text = text_of(reports.write_all(both, "en"), "html")
    assert "No longer ready</span></span> a, b" in text


def test_a_drifting_clock_asks_for_its_battery(tmp_path: pathlib.Path) -> None:
    text = ""
    for number in range(1, 4):
        host = fleet.set_clock(fleet.host("a", "ready"), 30.0 * number)
        store = fleet.store(tmp_path, [host], f"2026112{number}T070000Z-0001", f"2026-11-2{number}T07:00:00Z")
        text = text_of(reports.write_all(store, "tr"), "html")
    assert "Saat günde yaklaşık 30 saniye kayıyor" in text
    (details,) = packed(text)
    assert details["trend"]["rate"] == pytest.approx(30.0)
    assert "pil" in details["trend"]["battery"]["tr"]


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        ("2026-11-25T08:01:51Z", "2026-11-25T08:02:25Z", "25.11.2026 11:01 – 11:02"),
        ("2026-11-25T20:59:00Z", "2026-11-25T21:01:00Z", "25.11.2026 23:59 – 26.11.2026 00:01"),
        ("2026-11-25T08:01:51Z", None, "25.11.2026 11:01"),
        ("?", None, "?"),
    ],
)
def test_times_are_turkeys(start: str, end: str | None, said: str) -> None:
    assert html.period(start, end)["tr"] == said


@pytest.mark.parametrize(
    "broken", ["", "[]", '{"schema":1}', "\x00", '{"schema":1,"run":1,"started_utc":"","hosts":{}}']
)
def test_a_damaged_memory_is_none(tmp_path: pathlib.Path, broken: str) -> None:
    first = fleet.store(tmp_path, [fleet.host("a", "blocked")], "20261124T070000Z-0001", "2026-11-24T07:00:00Z")
    (first.folder / memory.FILE).write_text(broken, encoding="utf-8")
    second = fleet.store(tmp_path, [fleet.host("a", "ready")], "20261125T070000Z-0002", "2026-11-25T07:00:00Z")
    reports.write_all(second, "tr")
    assert json.loads((second.folder / memory.FILE).read_text(encoding="utf-8"))["hosts"]["a"]["since"].startswith(
        "2026-11-25"
    )


def test_only_the_oldest_finished_runs_are_deleted(tmp_path: pathlib.Path) -> None:
    runs = [f"2026112{day}T070000Z-000{day}" for day in range(1, 7)]
    stores = [
        fleet.store(tmp_path, [fleet.host("a", "ready")], run, f"{run[:4]}-11-2{run[7]}T07:00:00Z") for run in runs
    ]
    unfinished = json.loads((stores[0].folder / "run.json").read_text(encoding="utf-8"))
    (stores[0].folder / "run.json").write_text(json.dumps({**unfinished, "finished_utc": None}), encoding="utf-8")
    (tmp_path / "notes").mkdir()
    (tmp_path / "20260101T000000Z-ffff").mkdir()
    assert memory.prune(stores[4], 0) == []
    assert memory.prune(stores[4], 2) == [runs[2], runs[1]]
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {runs[0], runs[3], runs[4], runs[5], "notes", "20260101T000000Z-ffff"}
