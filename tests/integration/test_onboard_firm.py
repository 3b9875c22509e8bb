# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""onboard_firm.yml on doubles with each stage broken: stage, cause and remedy named, the others finished, go told from
no-go by the exit code."""

from __future__ import annotations

import csv
import datetime
import io
import ipaddress
import json
import os
import pathlib
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import lab
import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tree import ROOT
from windows_double import Double
from windows_double.ansible_run import Played, program, run

pytestmark = [
    pytest.mark.lab,
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
]
GOOD, BAD = "Yıldız Muhasebe", "Kaya & Ortakları"
NOW = datetime.datetime.now(datetime.UTC)


class Authority:
    """A small CA, and listeners' certificates from it."""

    def __init__(self, folder: pathlib.Path, name: str) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._certificate = self._signed(self._name, self._key.public_key(), ca=True, days=(-10, 10), names=())
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def _signed(
        self, subject: x509.Name, key: Any, *, ca: bool, days: tuple[int, int], names: tuple[str, ...]
    ) -> x509.Certificate:
        begin, end = (NOW + datetime.timedelta(days=day) for day in days)
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca, None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        if ca:
            usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
            made = made.add_extension(usage, critical=True)
        else:
            general: list[x509.GeneralName] = [
                x509.IPAddress(ipaddress.ip_address(name)) if name[0].isdigit() else x509.DNSName(name)
                for name in names
            ]
            made = made.add_extension(x509.SubjectAlternativeName(general), critical=False)
        return made.sign(self._key, hashes.SHA256())

    def listener(self, label: str, name: str, days: tuple[int, int] = (-5, 5)) -> dict[str, str]:
        """`winrm.tls` of a host."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self._signed(subject, key.public_key(), ca=False, days=days, names=(name,))
        chain, private = self._folder / f"{label}.pem", self._folder / f"{label}.key"
        chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        private.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return {"chain": str(chain), "key": str(private)}


def broken(folder: pathlib.Path) -> dict[str, tuple[dict[str, Any], dict[str, Any], str, str]]:
    """Name -> the double's data, variables of the inventory, the stage and the cause to be named."""
    ca, foreign = Authority(folder, "firma-ca"), Authority(folder, "yabanci-ca")
    tls = {
        "ansible_host": "localhost",
        "ansible_winrm_scheme": "https",
        "ansible_winrm_ca_trust_path": str(ca.file),
    }

    def secure(label: str, name: str, days: tuple[int, int] = (-5, 5), by: Authority = ca) -> dict[str, Any]:
        return {"winrm": {"tls": by.listener(label, name, days)}}

    def fault(name: str) -> dict[str, Any]:
        return {"winrm": {"fault": name}}

    def reply(name: str) -> dict[str, Any]:
        return {"reply": {"fault": name}}

    domain = {"ansible_user": "FIRMA\\edefter"}
    return {
        "adsiz": ({}, {"ansible_host": "yok.firma.example"}, "dns", "onboard.name_unknown"),
        "kapali": (fault("refuse"), {"ansible_host": "127.0.0.2"}, "port", "onboard.port_refused"),
        "sessiz": ({}, {"ansible_host": "192.0.2.1"}, "port", "onboard.port_silent"),
        "obur-port": ({}, {"ansible_port": 5986}, "port", "onboard.other_port"),
        "suresi-gecmis": (secure("expired", "localhost", (-9, -2)), tls, "tls", "onboard.cert_expired"),
        "adi-yanlis": (secure("wrong", "baska.firma.local"), tls, "tls", "onboard.cert_wrong_name"),
        "guvenilmez": (secure("foreign", "localhost", by=foreign), tls, "tls", "onboard.cert_untrusted"),
        "tls-degil": ({}, tls, "tls", "onboard.not_tls"),
        "asili": (fault("hang"), {}, "http", "onboard.http_silent"),
        "mesgul": (fault("unavailable"), {}, "http", "onboard.unavailable"),
        "web": ({}, {"ansible_host": "www.example.com", "ansible_port": 80}, "http", "onboard.not_winrm"),
        "basic-yok": ({"winrm": {"offers": ["Negotiate", "Kerberos"]}}, {}, "auth", "onboard.auth_not_offered"),
        "red-yerel": (fault("reject"), {}, "auth", "onboard.rejected_local"),
        "red-alan": (fault("reject"), domain, "auth", "onboard.rejected_domain"),
        "yetkisiz": (fault("access_denied"), {}, "auth", "onboard.access_denied_local"),
        "sayfa": (fault("html"), {}, "auth", "onboard.not_wsman"),
        "hata-500": (fault("http_500"), {}, "auth", "onboard.server_error"),
        "kerberos": (
            {"winrm": {"offers": ["Basic", "Kerberos"]}},
            {"ansible_winrm_transport": "kerberos"},
            "auth",
            "onboard.library_missing",
        ),
        "eski": (reply("powershell_old"), {}, "shell", "onboard.powershell_old"),
        "kisitli": (reply("constrained"), {}, "shell", "onboard.constrained"),
        "engelli": (reply("blocked"), {}, "shell", "onboard.antivirus"),
        "bozuk": (reply("not_json"), {}, "shell", "onboard.module_failed"),
    }


class Onboarding:
    """The doubles behind a control node, and lists of them."""

    def __init__(self, net: lab.Lab, double: Double, folder: pathlib.Path, cases: dict[str, Any]) -> None:
        self.net = net
        self.double = double
        self.folder = folder
        self.cases = cases
        self.runs = 0

    def csv(self, firms: dict[str, list[str]]) -> pathlib.Path:
        """As Excel saves it in Turkey: semicolons, Windows' own code page."""
        text = io.StringIO()
        rows = csv.writer(text, delimiter=";", lineterminator="\r\n")
        rows.writerow(["Ad", "Adres", "Firma", "Şube", "Rol", "Port"])
        for firm, names in firms.items():
            for name in names:
                rows.writerow([name, "127.0.0.1", firm, "Ankara", "sunucu", self.double.hosts[name].port])
        path = self.folder / f"firma{self.runs}.csv"
        path.write_bytes(text.getvalue().encode("cp1254"))
        return path

    def onboard(self, firms: dict[str, list[str]]) -> tuple[Played, pathlib.Path]:
        self.runs += 1
        run_dir = self.folder / f"run{self.runs}"
        wishes = {
            "edefter_csv": str(self.csv(firms)),
            "edefter_run_dir": str(run_dir),
            "edefter_probe": {"timeout": 3, "deadline": 20},
        }
        self.double.clear_log()
        played = run(
            self.folder / "ansible",
            self.folder / "inventory",
            ROOT / "playbooks" / "onboard_firm.yml",
            "--forks",
            "12",
            "-e",
            json.dumps(wishes),
            netns=self.net.control,
        )
        return played, run_dir


@pytest.fixture(scope="module")
def onboarding(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Onboarding]:
    folder = tmp_path_factory.mktemp("onboard")
    cases = broken(folder)
    hosts: dict[str, Any] = {name: {"place": "pc1", **data} for name, (data, _vars, _stage, _cause) in cases.items()}
    # The port that WinRM uses for http is this one's: "obur-port" is looked for beside it.
    hosts["hazir"] = {"winrm": {"port": 5985}, "place": "pc1"}
    hosts["duzelecek"] = {"zone": "GTB Standard Time", "place": "pc1"}
    hosts["sertifikali"] = {
        "place": "pc1",
        "winrm": {"tls": Authority(folder, "ikinci-ca").listener("ok", "localhost")},
    }
    with lab.Lab(lab.unique("onboard")) as net:
        net.add_site("ankara")
        net.add_host("pc1", site="ankara")
        with Double({"hosts": hosts}, folder=folder / "double", lab=net, netns=net.control) as double:
            inventory = folder / "inventory"
            (inventory / "host_vars").mkdir(parents=True)
            (inventory / "hosts.yml").write_text("all: {hosts: {}}\n", encoding="utf-8")
            variables = {
                "ansible_user": "edefter",
                "ansible_password": "double-only",
                "ansible_winrm_scheme": "http",
                "ansible_winrm_transport": "basic",
                "ansible_winrm_connection_timeout": 5,
            }
            (inventory / "group_vars").mkdir()
            (inventory / "group_vars" / "all.yml").write_text(yaml.safe_dump(variables), encoding="utf-8")
            special = {name: case[1] for name, case in cases.items()}
            special["sertifikali"] = {
                "ansible_host": "localhost",
                "ansible_winrm_scheme": "https",
                "ansible_winrm_ca_trust_path": str(folder / "ikinci-ca.pem"),
            }
            for name, own in special.items():
                (inventory / "host_vars" / f"{name}.yml").write_text(yaml.safe_dump(own), encoding="utf-8")
            yield Onboarding(net, double, folder, cases)


def records(run_dir: pathlib.Path) -> dict[str, dict[str, Any]]:
    report = json.loads((run_dir / "report.json").read_text(encoding="utf-8"))
    return {host["host"]: host for host in report["hosts"]}


def test_each_stage_is_named_and_nobody_stops_the_others(onboarding: Onboarding) -> None:
    played, run_dir = onboarding.onboard({GOOD: ["hazir", "duzelecek", "sertifikali"], BAD: list(onboarding.cases)})
    assert played.returncode != 0, played.stdout
    hosts = records(run_dir)
    assert set(hosts) == {*onboarding.cases, "hazir", "duzelecek", "sertifikali"}
    named = {}
    for name in onboarding.cases:
        stuck = [f for f in hosts[name]["before"]["findings"] if f["status"] == "fail" and f["check"] == "onboard"]
        assert len(stuck) == 1, (name, hosts[name]["message"], stuck)
        named[name] = (stuck[0]["subject"], stuck[0]["cause"])
        for language in ("tr", "en"):
            assert stuck[0]["remedy"][language]
            # A placeholder without a value would be shown as ?name?.
            assert not re.search(r"\?[a-z_]+\?", stuck[0]["title"][language] + stuck[0]["remedy"][language])
            assert hosts[name]["message"][language] == stuck[0]["title"][language]
        assert hosts[name]["state"] == ("unknown" if stuck[0]["subject"] == "shell" else "unreachable")
    assert named == {name: (stage, cause) for name, (_data, _vars, stage, cause) in onboarding.cases.items()}

    # Those whose way was clear were checked, whatever became of the others.
    for name in ("hazir", "duzelecek", "sertifikali"):
        # (Windows' own default for a PC, a look at the time once a week, is something to repair.)
        assert hosts[name]["state"] in ("ready", "drifted"), hosts[name]["message"]
        assert {f["area"] for f in hosts[name]["before"]["findings"]} >= {"endpoint", "clock", "time", "firewall"}
    passed = {f["subject"]: f["cause"] for f in hosts["sertifikali"]["before"]["findings"] if f["check"] == "onboard"}
    assert passed == {
        "dns": "onboard.dns_ok",
        "port": "onboard.port_ok",
        "tls": "onboard.tls_ok",
        "http": "onboard.http_ok",
        "auth": "onboard.auth_ok",
        "shell": "onboard.shell_ok",
    }
    assert "edefter.ready.host_info" in onboarding.double.executions("hazir")
    # Nobody's password went to a listener whose certificate does not hold, or to one that did not ask for it.
    for name in ("suresi-gecmis", "adi-yanlis", "guvenilmez", "basic-yok", "mesgul"):
        assert all(entry["status"] in (401, 503) for entry in onboarding.double.log("request", name)), name

    # Letters: one firm go, one not; in both languages, nothing of a list is markup.
    for slug, word in (("yildiz_muhasebe", "Başlanabilir."), ("kaya_ortaklari", "Henüz başlanamaz.")):
        folder = run_dir / "firms" / slug
        page = (folder / "letter-tr.html").read_text(encoding="utf-8")
        assert word in page
        assert (folder / "letter-en.html").is_file()
        assert list((folder / "perimeter").iterdir())
    assert "Kaya &amp; Ortakları" in page
    assert "& Ort" not in page
    assert "LocalAccountTokenFilterPolicy" in page

    # The inventory works as it is: whom it holds, and what is waiting apart.
    out = inventory_of(run_dir / "firms" / "kaya_ortaklari" / "inventory.yml")
    assert "edefter_hosts" not in out or not out["edefter_hosts"].get("hosts")
    assert set(out["kaya_ortaklari_waiting"]["hosts"]) == set(onboarding.cases)
    out = inventory_of(run_dir / "firms" / "yildiz_muhasebe" / "inventory.yml")
    known = out["_meta"]["hostvars"]
    assert set(known) == {"hazir", "duzelecek", "sertifikali"}
    assert known["hazir"]["ansible_host"] == "127.0.0.1"
    assert known["hazir"]["edefter_firm"] == GOOD
    assert known["hazir"]["edefter_branch"] == "Ankara"
    assert known["hazir"]["edefter_role"] == "server"
    assert known["sertifikali"]["ansible_winrm_scheme"] == "https"
    assert known["hazir"]["ansible_winrm_scheme"] == "http"
    assert "double-only" not in "".join(
        path.read_text(encoding="utf-8") for path in run_dir.rglob("*") if path.is_file()
    )


def inventory_of(path: pathlib.Path) -> dict[str, Any]:
    """As ansible-inventory reads it."""
    done = subprocess.run(
        [program("ansible-inventory"), "-i", str(path), "--list", "-e", "vault_ansible_user=u"],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(path.parent)},
    )
    assert done.returncode == 0, done.stderr
    read: dict[str, Any] = json.loads(done.stdout)
    return read


@pytest.mark.cores
def test_go(onboarding: Onboarding) -> None:
    played, run_dir = onboarding.onboard({GOOD: ["hazir", "duzelecek"]})
    assert played.returncode == 0, played.stdout + played.stderr
    assert "go (0 of 2 waiting)" in played.stdout
    page = (run_dir / "firms" / "yildiz_muhasebe" / "letter-tr.html").read_text(encoding="utf-8")
    assert "ayar otomatik düzeltilecek" in page
    assert onboarding.double.errors() == []
    changed = [entry for entry in onboarding.double.log("module") if entry["changed"]]
    assert changed == []


def test_an_inventory_does_as_well(onboarding: Onboarding, tmp_path: pathlib.Path) -> None:
    """What a directory's inventory plugin gives: hosts of edefter_hosts, and no list."""
    own = {
        "ansible_host": "127.0.0.1",
        "ansible_port": onboarding.double.hosts["hazir"].port,
        "ansible_connection": "winrm",
        "edefter_firm": GOOD,
    }
    hosts = {
        "all": {"children": {"edefter_hosts": {"hosts": {"dizinden": own, "kapali2": {**own, "ansible_port": 9}}}}}
    }
    (onboarding.folder / "inventory" / "dizin.yml").write_text(yaml.safe_dump(hosts), encoding="utf-8")
    try:
        played = run(
            onboarding.folder / "ansible",
            onboarding.folder / "inventory",
            ROOT / "playbooks" / "onboard_firm.yml",
            "-e",
            json.dumps({"edefter_run_dir": str(tmp_path / "run"), "edefter_probe": {"timeout": 2, "deadline": 15}}),
            netns=onboarding.net.control,
        )
    finally:
        (onboarding.folder / "inventory" / "dizin.yml").unlink()
    found = records(tmp_path / "run")
    assert played.returncode != 0
    assert found["dizinden"]["state"] in ("ready", "drifted"), played.stdout
    # (WinRM answers on 5985 of this address.)
    assert [f["cause"] for f in found["kapali2"]["before"]["findings"] if f["status"] == "fail"] == [
        "onboard.other_port"
    ]
    assert "no-go (1 of 2 waiting)" in played.stdout


def test_a_list_that_cannot_be_meant_so(onboarding: Onboarding, tmp_path: pathlib.Path) -> None:
    listed = tmp_path / "liste.csv"
    listed.write_text("ad,parola\npc1,gizli\n", encoding="utf-8")
    played = run(
        onboarding.folder / "ansible",
        onboarding.folder / "inventory",
        ROOT / "playbooks" / "onboard_firm.yml",
        "-e",
        json.dumps({"edefter_csv": str(listed), "edefter_run_dir": str(tmp_path / "run")}),
        netns=onboarding.net.control,
    )
    assert played.returncode != 0
    assert "vault" in played.stdout
    assert "gizli" not in played.stdout
    assert not (tmp_path / "run").exists()
