# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/perimeter.yml, run: every list is written, the letter knows the run, a second run changes nothing."""

from __future__ import annotations

import json
import pathlib

import pytest
from tree import ROOT
from windows_double.ansible_run import Played, run

DEVICES = {"asa", "csv", "fortigate", "letter", "mikrotik", "nftables", "opnsense", "pfsense", "sophos", "squid"}
RECORD = {
    "host": "muhasebe-1",
    "firm": "Örnek A.Ş.",
    "after": None,
    "before": {
        "observed_utc": "2026-11-25T07:15:00.000Z",
        "findings": [
            {
                "check": "endpoint",
                "subject": "firma-4443",
                "status": "fail",
                "owner": "firewall_admin",
                "cause": "tcp_timeout",
                "title": {"tr": "Bağlantı yanıtsız kaldı", "en": "No answer to the connection"},
            }
        ],
    },
}


def perimeter(home: pathlib.Path, *options: str) -> Played:
    inventory = home / "inventory"
    inventory.write_text("localhost ansible_connection=local\n", encoding="utf-8")
    return run(
        home,
        inventory,
        ROOT / "playbooks" / "perimeter.yml",
        "-e",
        json.dumps({"edefter_perimeter_dir": str(home / "lists"), "edefter_perimeter_date": "25.11.2026"}),
        *options,
    )


@pytest.mark.cores
def test_the_playbook_writes_every_list(tmp_path: pathlib.Path) -> None:
    hosts = tmp_path / "run" / "hosts"
    hosts.mkdir(parents=True)
    (hosts / "muhasebe-1.json").write_text(json.dumps(RECORD), encoding="utf-8")
    options = ("-e", json.dumps({"edefter_run_dir": str(tmp_path / "run"), "edefter_perimeter_firm": "Örnek A.Ş."}))
    first = perimeter(tmp_path, *options)
    assert first.returncode == 0, first.stdout + first.stderr
    written = {path.name for path in (tmp_path / "lists").iterdir()}
    assert {name for name in written if name.startswith("rollback-")} == {
        f"rollback-{device}.txt" for device in DEVICES - {"csv", "letter"}
    }
    assert len(written) == 12 + 8
    letter = (tmp_path / "lists" / "edefter-letter-tr.html").read_text(encoding="utf-8")
    for text in ("muhasebe-1", "Bağlantı yanıtsız kaldı", "Örnek A.Ş.", "25.11.2026", "*.myedefter.com.tr"):
        assert text in letter
    again = perimeter(tmp_path, *options)
    assert again.returncode == 0
    assert not any(result.get("changed") for result in again.of("localhost"))


def test_options_and_the_catalogue_reach_the_lists(tmp_path: pathlib.Path) -> None:
    options = {
        "edefter_perimeter_devices": ["mikrotik"],
        "edefter_perimeter_options": {"prefix": "mikro", "dns_server": "10.0.0.53"},
        "edefter_endpoints": [{"id": "banka", "host": "banka.example.com.tr", "port": 8443}],
    }
    done = perimeter(tmp_path, "-e", json.dumps(options))
    assert done.returncode == 0, done.stdout + done.stderr
    text = (tmp_path / "lists" / "mikro-mikrotik.rsc").read_text(encoding="utf-8")
    assert "address=banka.example.com.tr" in text
    assert "dst-port=8443" in text
    assert "forward-to=10.0.0.53" in text


def test_a_wrong_option_is_one_clear_error(tmp_path: pathlib.Path) -> None:
    done = perimeter(tmp_path, "-e", json.dumps({"edefter_perimeter_options": {"prefix": "a b"}}))
    assert done.returncode != 0
    assert "perimeter.prefix" in done.stdout + done.stderr
