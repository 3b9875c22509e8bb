# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""edefter-kontrol.exe in the lab, as administrator and as a plain user, and edefter_judge.yml on its files: the same
verdicts as over WinRM, less what a plain user cannot see."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

import lab
import pytest
import yaml
from tree import ROOT
from windows_double import Double, offline
from windows_double.ansible_run import Played, run

sys.path.insert(0, str(ROOT / "scripts"))
import offline_check

pytestmark = [
    pytest.mark.lab,
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
]
FIRM = "Yıldız Mali Müşavirlik"
W32TIME = r"HKLM\SYSTEM\CurrentControlSet\Services\W32Time"
HOSTS = {
    "defaults": {"base": "windows11", "vars": {"edefter_firm": FIRM}},
    "hosts": {
        # Wrong zone, a slow clock, and Windows' own default of once a week: a plan with many kinds of steps.
        "pc1": {"hostname": "MUHASEBE1", "clock_offset": -420, "zone": "GTB Standard Time"},
        "pc2": {"hostname": "MUHASEBE2"},
    },
}


class Firm:
    """A firm in the lab: machines that answer over WinRM and also run the program from a stick."""

    def __init__(self, net: lab.Lab, double: Double, folder: pathlib.Path, program: pathlib.Path) -> None:
        self.net = net
        self.double = double
        self.folder = folder
        self.program = program
        self.runs = 0

    def report(self, book: str, *options: str) -> tuple[Played, dict[str, Any]]:
        self.runs += 1
        reports = self.folder / f"reports{self.runs}"
        played = run(
            self.folder / "ansible",
            self.folder / "inventory",
            ROOT / "playbooks" / book,
            "-e",
            json.dumps({"edefter_reports_dir": str(reports)}),
            *options,
            netns=self.net.control,
        )
        found = list(reports.glob("*/report.json"))
        assert len(found) == 1, played.stdout + played.stderr
        return played, json.loads(found[0].read_text(encoding="utf-8"))

    def check(self, host: str, out: pathlib.Path, *options: str, user: int = offline.ROOT_USER) -> offline.Ran:
        out.mkdir(exist_ok=True)
        os.chown(out, user, user)
        ran = offline.run(
            self.double.hosts[host],
            self.program,
            "--firm",
            FIRM,
            "--out",
            str(out),
            *options,
            user=user,
            cwd=self.folder,
        )
        assert ran.code in (0, 1), ran.stdout + ran.stderr
        return ran


@pytest.fixture(scope="module")
def firm() -> Iterator[Firm]:
    # A folder that a plain user may look into, unlike pytest's own.
    folder = pathlib.Path(tempfile.mkdtemp(prefix="edefter-offline-"))
    folder.chmod(0o755)
    try:
        program = offline_check.build(folder / offline_check.NAME, extra=[offline.SEAM])
        with lab.Lab(lab.unique("offline")) as net:
            net.add_site("ankara")
            for name in HOSTS["hosts"]:
                net.add_host(name, site="ankara")
            with Double(HOSTS, folder=folder / "double", lab=net, netns=net.control) as double:
                inventory = folder / "inventory"
                inventory.mkdir()
                double.inventory(inventory / "doubles.yml")
                groups = {"all": {"children": {"edefter_hosts": {"children": {"windows": {}}}}}}
                (inventory / "groups.yml").write_text(yaml.safe_dump(groups), encoding="utf-8")
                yield Firm(net, double, folder, program)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def verdicts(host: dict[str, Any]) -> dict[str, tuple[Any, ...]]:
    """What is said of a host, without what no two measurements share."""
    return {
        finding["id"]: (
            finding["status"],
            finding["cause"],
            finding["owner"],
            finding["blocks_filing"],
            finding["steps"],
        )
        for finding in host["before"]["findings"]
        if finding["check"] != "offline"
    }


def plan(host: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(step["id"], step["module"], step["args"]) for step in host["before"]["plan"]]


@pytest.mark.cores
def test_the_same_verdicts_as_over_winrm(firm: Firm) -> None:
    files = firm.folder / "admin"
    for name in HOSTS["hosts"]:
        ran = firm.check(name, files)
        assert ran.code == 0, ran.stdout + ran.stderr
        assert "bağlandı" in ran.stdout
    over_winrm, expected = firm.report("edefter_check.yml")
    judged, found = firm.report("edefter_judge.yml", "-e", json.dumps({"edefter_files": str(files)}))
    by_name = {host["host"]: host for host in found["hosts"]}
    assert set(by_name) == {"MUHASEBE1", "MUHASEBE2"}
    for ansible_name, machine in (("pc1", "MUHASEBE1"), ("pc2", "MUHASEBE2")):
        known = next(host for host in expected["hosts"] if host["host"] == ansible_name)
        assert verdicts(by_name[machine]) == verdicts(known)
        assert plan(by_name[machine]) == plan(known)
        assert by_name[machine]["state"] == known["state"]
        assert by_name[machine]["firm"] == known["firm"] == FIRM
    assert plan(by_name["MUHASEBE1"]), "nothing to repair: the machine is not as broken as it should be"
    assert (judged.returncode != 0) == (over_winrm.returncode != 0)
    said = {finding["id"]: finding for finding in by_name["MUHASEBE1"]["before"]["findings"]}
    assert said["offline:file"]["status"] == "pass"
    assert not {"offline:unseen", "offline:version", "offline:catalogue", "offline:age"} & set(said)
    page = next(firm.folder.glob("reports*/*/firms/yildiz_mali_musavirlik/instructions-tr.html")).read_text(
        encoding="utf-8"
    )
    assert "tzutil.exe /s &#x27;Turkey Standard Time&#x27;" in page
    assert "Ayarlar &gt; Zaman ve dil" in page


def test_a_plain_user_sees_less_and_says_so(firm: Firm) -> None:
    host = firm.double.hosts["pc1"]
    files = firm.folder / "plain"
    whole = firm.folder / "whole"
    firm.check("pc1", whole)
    closed = [
        *host.registry.root.glob("Users/s-1-5-18/**/values.xml"),
        host.registry.root / "SystemRoot" / "System32" / "Tasks",
    ]
    assert len(closed) > 1
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in closed}
    for path in closed:
        path.chmod(0o700)
    try:
        ran = firm.check("pc1", files, user=offline.PLAIN_USER)
    finally:
        for path, mode in modes.items():
            path.chmod(mode)
    assert "Yönetici hakları olmadan çalıştı. Göremedikleri (bilinmiyor sayılır):" in ran.stdout
    assert "başka kullanıcıların ara sunucu ayarları" in ran.stdout
    assert "zamanlanmış saat eşitleme görevi" in ran.stdout
    written = next(files.glob("*.json"))
    raw = json.loads(written.read_text(encoding="utf-8"))
    assert raw["offline"]["user_is_admin"] is False
    assert {gap["where"].split("[")[0] for gap in raw["offline"]["unseen"]} == {"proxy.configs", "time.task"}
    reports = {}
    for name, folder in (("plain", files), ("whole", whole)):
        _played, report = firm.report("edefter_judge.yml", "-e", json.dumps({"edefter_files": str(folder)}))
        (reports[name],) = report["hosts"]
    plain, known = verdicts(reports["plain"]), verdicts(reports["whole"])
    assert set(plain) == set(known)
    differ = {key for key in plain if plain[key] != known[key]}
    assert differ == {"time.task"}
    assert plain["time.task"][:2] == ("unknown", "time.task.unknown")
    said = {finding["id"]: finding for finding in reports["plain"]["before"]["findings"]}
    assert said["offline:unseen"]["status"] == "unknown"
    assert "proxy.configs" in said["offline:unseen"]["title"]["tr"]


def test_where_the_file_goes_and_how_it_ends(firm: Firm) -> None:
    host = firm.double.hosts["pc2"]
    stick = firm.folder / "stick"
    stick.mkdir()
    program = stick / offline_check.NAME
    shutil.copy2(firm.program, program)
    documents = firm.folder / "home"
    documents.mkdir()
    os.chown(documents, offline.PLAIN_USER, offline.PLAIN_USER)

    # Beside itself; nothing else is left behind.
    ran = offline.run(host, program, "--quiet", cwd=firm.folder)
    assert (ran.code, ran.stdout, ran.stderr) == (0, "", "")
    (written,) = set(stick.iterdir()) - {program}
    assert written.name.startswith("edefter-MUHASEBE2-2")
    written.unlink()

    # A stick that cannot be written to: Documents, and it says where.
    env = {"HOME": str(documents), "TMPDIR": str(documents)}
    ran = offline.run(host, program, "--lang", "en", cwd=firm.folder, user=offline.PLAIN_USER, env=env)
    assert ran.code == 0, ran.stderr
    (moved,) = documents.glob("edefter-*.json")
    assert f"Result file: {moved}" in ran.stdout
    assert "written elsewhere" in ran.stdout
    assert list(stick.glob("edefter-*.json")) == []

    # A place that was asked for and does not take it is an exit code of its own.
    ran = offline.run(host, program, "--out", "/proc/nowhere", "--quiet", cwd=firm.folder)
    assert ran.code == 4
    for path in stick.glob("edefter-*.json"):
        path.unlink()

    # Nowhere at all.
    nowhere = {"HOME": "/proc/none", "TMPDIR": "/proc/none"}
    ran = offline.run(host, program, cwd=firm.folder, user=offline.PLAIN_USER, env=nowhere)
    assert ran.code == 3
    assert "hiçbir yere yazılamadı" in ran.stderr

    # Options.
    ran = offline.run(host, program, "--parola", "x", cwd=firm.folder)
    assert ran.code == 2
    assert "--parola" in ran.stderr
    ran = offline.run(host, program, "--version", cwd=firm.folder)
    assert ran.code == 0
    assert offline_check.hashlib.sha256(program.read_bytes()).hexdigest() in ran.stdout


def test_files_from_anywhere(firm: Firm) -> None:
    """Broken, hostile and doubled files: each is told, none stops the others."""
    files = firm.folder / "mixed"
    firm.check("pc2", files)
    (good,) = files.glob("*.json")
    raw = json.loads(good.read_text(encoding="utf-8"))
    older = {**raw, "started_utc": "2026-01-01T00:00:00.000Z"}
    (files / "older.json").write_text(json.dumps(older), encoding="utf-8")
    evil = json.loads(json.dumps(raw))
    evil["sections"]["identity"]["data"]["hostname"] = "<script>alert(1)</script>/../../x"
    evil["offline"]["tool_version"] = "9.9.9"
    (files / "evil.json").write_text(json.dumps(evil), encoding="utf-8")
    (files / "text.json").write_text("not json", encoding="utf-8")
    (files / "deep.json").write_text("[" * 200_000, encoding="utf-8")
    (files / "other.json").write_text('{"schema": 1}', encoding="utf-8")
    (files / "nan.json").write_text('{"schema": NaN}', encoding="utf-8")
    (files / "huge.json").write_bytes(b" " * (17 * 1024 * 1024))
    os.mkfifo(files / "pipe.json")
    (files / "readme.txt").write_text("not looked at", encoding="utf-8")
    played, report = firm.report("edefter_judge.yml", "-e", json.dumps({"edefter_files": str(files)}))
    assert played.returncode != 0
    by_name = {host["host"]: host for host in report["hosts"]}
    broken = {"text.json", "deep.json", "other.json", "nan.json", "huge.json", "pipe.json"}
    assert broken < set(by_name)
    for name in broken:
        assert by_name[name]["state"] == "unknown"
        assert by_name[name]["error"]["message"]
    assert verdicts(by_name["MUHASEBE2"])["clock.offset"][0] == "pass"
    odd = next(host for name, host in by_name.items() if "script" in name)
    assert "offline:version" in {finding["id"] for finding in odd["before"]["findings"]}
    folder = next(path for path in firm.folder.glob("reports*/*/report.json") if "9.9.9" in path.read_text()).parent
    assert all(path.parent == folder / "hosts" for path in folder.rglob("hosts/**/*") if path.is_file())
    pages = list(folder.rglob("*.html"))
    assert len(pages) >= 2
    for page in pages:
        assert "<script>alert(1)" not in page.read_text(encoding="utf-8")


def test_the_build_repeats_itself(tmp_path: pathlib.Path) -> None:
    assert offline_check.main(["--out", str(tmp_path / "a")]) == 0
    assert offline_check.main(["--out", str(tmp_path / "b")]) == 0
    first = (tmp_path / "a" / offline_check.NAME).read_bytes()
    assert first == (tmp_path / "b" / offline_check.NAME).read_bytes()
    line = (tmp_path / "a" / f"{offline_check.NAME}.sha256").read_text(encoding="utf-8")
    assert line == f"{offline_check.hashlib.sha256(first).hexdigest()}  {offline_check.NAME}\n"
    # The tests' answers for Windows are not in it.
    assert b"EDEFTER_DOUBLE_API".decode().encode("utf-16-le") not in first

    options = tmp_path / "options.json"
    options.write_text(json.dumps({"endpoints": [{"id": "portal", "enabled": False}]}), encoding="utf-8")
    assert offline_check.main(["--out", str(tmp_path / "c"), "--options", str(options)]) == 0
    assert (tmp_path / "c" / offline_check.NAME).read_bytes() != first
    options.write_text(json.dumps({"endpoint": []}), encoding="utf-8")
    assert offline_check.main(["--out", str(tmp_path / "d"), "--options", str(options)]) == 1
