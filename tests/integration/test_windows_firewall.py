# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role windows_firewall end to end: closed hosts in the lab are opened with exactly our rules, and closed again."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from typing import Any

import lab
import pytest
import yaml
from tree import ROOT
from windows_double import Double
from windows_double.ansible_run import Played, play, run

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(shutil.which("mono") is None, reason="no mono"),
    pytest.mark.lab,
    pytest.mark.slow,
]
BASE = r"HKLM\SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy"
GPO = r"HKLM\SOFTWARE\Policies\Microsoft\WindowsFirewall"
RULES = rf"{BASE}\FirewallRules"
OBSERVE, RULE = "edefter.ready.host_info", "community.windows.win_firewall_rule"
CLOSED = {
    rf"{BASE}\{name}": {"DefaultOutboundAction": 1} for name in ("DomainProfile", "StandardProfile", "PublicProfile")
}
VOID = {rf"{GPO}\{name}": {"AllowLocalPolicyMerge": 0} for name in ("DomainProfile", "PrivateProfile", "PublicProfile")}
NO_4443 = "v2.33|Action=Block|Active=TRUE|Dir=Out|Protocol=6|RPort=4443|Name=Guvenlik 4443|"
POLICY_443 = "v2.33|Action=Block|Active=TRUE|Dir=Out|Protocol=6|RPort=443|Name=Sirket yasagi|"
OURS = "v2.33|Action=Allow|Active=TRUE|Dir=Out|Protocol=6|RPort=443|Name=edefter.ready TCP 443|EmbedCtxt=edefter.ready|"
FOREIGN = "v2.33|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=3389|Name=Uzak masaustu|EmbedCtxt=Ofis|"

HOSTS: dict[str, dict[str, Any]] = {
    "open": {},
    "closed": {"registry": {**CLOSED, RULES: {"{f}": FOREIGN}}},
    "drifted": {
        "registry": {
            **CLOSED,
            RULES: {
                "{f}": FOREIGN,
                "{1}": OURS.replace("TRUE", "FALSE"),
                "{2}": OURS.replace("443|", "8443|", 1).replace("TCP 443", "TCP 4443"),
                "{3}": OURS.replace("Protocol=6", "Protocol=17").replace("443", "80"),
                "{4}": OURS.replace("Protocol=6|RPort=443", "Protocol=17|RPort=123").replace("TCP 443", "UDP 123"),
                "{5}": OURS.replace("Protocol=6|RPort=443", "Protocol=17|RPort=123").replace("TCP 443", "UDP 123"),
                "{6}": OURS.replace("TCP 443", "TCP 9443"),
            },
        }
    },
    "blocked": {"registry": {RULES: {"{b}": NO_4443, "{f}": FOREIGN}}},
    "gpoblock": {"registry": {rf"{GPO}\FirewallRules": {"{g}": POLICY_443}}},
    "policy": {"registry": {**CLOSED, **VOID}},
}
WANTED_RULES = {f"edefter.ready {name}" for name in ("TCP 80", "TCP 443", "TCP 4443", "UDP 123")}
JUDGE = {
    "name": "Judge",
    "edefter.ready.readiness": {
        "scope": ["firewall", "endpoints"],
        "use_canaries": False,
        "probe": {"timeout": 3.0, "deadline": 15.0, "samples": 1},
    },
}


@pytest.fixture(scope="module")
def double(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Double]:
    with lab.Lab(f"wf{os.getpid() % 1000}") as net:
        net.add_site("sube")
        for name in HOSTS:
            net.add_host(name, site="sube")
        hosts = {name: {**spec, "firewall_profiles": ["private"]} for name, spec in HOSTS.items()}
        with Double({"hosts": hosts}, folder=tmp_path_factory.mktemp("double"), lab=net) as made:
            made.inventory(made.folder / "inventory.yml")
            yield made


@pytest.fixture(autouse=True)
def fresh(double: Double) -> None:
    double.reset()
    double.clear_log()


def role(double: Double, *options: str, hosts: str = "all", **variables: Any) -> Played:
    home = double.folder / "ansible"
    home.mkdir(exist_ok=True)
    book = home / "role.yml"
    step = {"hosts": hosts, "gather_facts": False, "vars": variables, "roles": ["edefter.ready.windows_firewall"]}
    book.write_text(yaml.safe_dump([step], sort_keys=False), encoding="utf-8")
    done = run(home, double.folder / "inventory.yml", book, "--forks", "10", *options)
    assert done.returncode == 0, done.stdout + done.stderr
    assert double.errors() == []
    return done


def judged(double: Double, hosts: str = "all") -> dict[str, dict[str, dict[str, Any]]]:
    """Findings by host and id, from a real observation."""
    done = play(double.folder / "ansible", double.folder / "inventory.yml", [JUDGE], "--forks", "10", hosts=hosts)
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for host in done.results:
        for result in done.of(host):
            assert "findings" in result, result
            found[host] = {finding["id"]: finding for finding in result["findings"]}
    return found


def names(double: Double, host: str) -> list[str]:
    """Names of the local rules, sorted."""
    found = []
    for value in double.registry(host).values(RULES).values():
        found += [part.removeprefix("Name=") for part in value.data.split("|") if part.startswith("Name=")]
    return sorted(found)


def digests(double: Double) -> dict[str, str]:
    return {name: host.digest() for name, host in double.hosts.items()}


def test_closed_hosts_are_opened_with_exactly_our_rules_and_closed_again(double: Double) -> None:
    untouched, before = digests(double), judged(double)
    assert digests(double) == untouched, "observing wrote"
    for endpoint in ("uyg", "firma", "firma-4443", "portal"):
        finding = before["closed"][f"firewall.outbound:{endpoint}"]
        # (Stock Windows lets programs of its own out by rule, which helps e-Defter nothing.)
        assert (finding["status"], finding["cause"]) == ("fail", "firewall.default_block")
        assert finding["steps"]
        # The real connection fails as well: the double's network does what its registry says.
        probe = before["closed"][f"endpoint:{endpoint}"]
        assert (probe["status"], probe["cause"].rpartition(".")[2]) == ("fail", "local_firewall_default")
        assert before["open"][f"firewall.outbound:{endpoint}"]["status"] == "pass"
        assert before["open"][f"endpoint:{endpoint}"]["status"] == "pass"

    # Check mode foretells and writes nothing.
    double.clear_log()
    foretold = role(double, "--check", "--diff")
    assert digests(double) == untouched
    assert any(result.get("changed") for result in foretold.of("closed"))

    double.clear_log()
    stock = names(double, "closed")
    role(double)
    assert names(double, "closed") == sorted([*stock, *WANTED_RULES])
    assert names(double, "drifted") == sorted([*stock, *WANTED_RULES])
    assert double.executions("closed") == [OBSERVE, *[RULE] * len(WANTED_RULES)]
    for host in ("open", "blocked", "gpoblock", "policy"):
        assert double.executions(host) == [OBSERVE]
        assert digests(double)[host] == untouched[host]

    after = judged(double, "closed:drifted")
    for host in ("closed", "drifted"):
        assert after[host]["firewall.rules"]["cause"] == "firewall.rules_complete"
        for endpoint in ("uyg", "firma", "firma-4443", "portal"):
            assert after[host][f"firewall.outbound:{endpoint}"]["status"] == "pass"
            assert after[host][f"endpoint:{endpoint}"]["status"] == "pass"

    # A second run finds nothing to do, in one task.
    double.clear_log()
    again, settled = role(double), digests(double)
    assert not any(result.get("changed") for host in double.hosts for result in again.of(host))
    assert all(double.executions(host) == [OBSERVE] for host in double.hosts)

    # A rule that somebody disables is enabled again, in place.
    registry = double.hosts["closed"].writable()
    key, value = next((k, v) for k, v in registry.values(RULES).items() if "Name=edefter.ready TCP 4443|" in v.data)
    registry.set(RULES, key, "string", value.data.replace("Active=TRUE", "Active=FALSE"))
    double.clear_log()
    role(double, hosts="closed")
    assert double.executions("closed") == [OBSERVE, RULE]
    assert digests(double)["closed"] == settled["closed"]

    # Taken away: nothing is left, byte for byte.
    role(double, windows_firewall_state="absent")
    assert digests(double)["closed"] == untouched["closed"]
    assert not [name for name in names(double, "drifted") if name.startswith("edefter")]
    double.clear_log()
    gone = role(double, windows_firewall_state="absent")
    assert not any(result.get("changed") for host in double.hosts for result in gone.of(host))


def test_block_rules_are_named_and_removed_only_when_asked(double: Double) -> None:
    found = judged(double, "blocked:gpoblock")
    blocked = found["blocked"]["firewall.outbound:firma-4443"]
    assert (blocked["status"], blocked["cause"], blocked["owner"]) == (
        "fail",
        "firewall.blocked_by_rule",
        "local_admin",
    )
    assert "Guvenlik 4443" in blocked["title"]["tr"]
    assert "Guvenlik 4443" in blocked["remedy"]["en"]
    assert found["blocked"]["firewall.outbound:firma"]["status"] == "pass"
    probe = found["blocked"]["endpoint:firma-4443"]
    assert (probe["status"], probe["cause"].rpartition(".")[2]) == ("fail", "local_firewall_rule")
    assert "Guvenlik 4443" in probe["title"]["tr"] + probe["remedy"]["tr"]
    assert found["blocked"]["endpoint:firma"]["status"] == "pass"
    policy = found["gpoblock"]["firewall.outbound:uyg"]
    assert (policy["cause"], policy["owner"]) == ("firewall.blocked_by_policy_rule", "domain_admin")
    assert "Sirket yasagi" in policy["title"]["tr"]

    untouched = digests(double)
    asked = {"remove_blocking_rules": ["guvenlik 4443", "Sirket yasagi", "Uzak masaustu"]}
    role(double, hosts="blocked:gpoblock", windows_firewall_wanted=asked)
    assert "Guvenlik 4443" not in names(double, "blocked")
    assert "Uzak masaustu" in names(double, "blocked"), "it blocks nothing, so it stays"
    assert digests(double)["gpoblock"] == untouched["gpoblock"]
    after = judged(double, "blocked")["blocked"]
    assert after["firewall.outbound:firma-4443"]["status"] == "pass"
    assert after["endpoint:firma-4443"]["status"] == "pass"


def test_where_policy_rules_nothing_is_written(double: Double) -> None:
    untouched = digests(double)["policy"]
    found = judged(double, "policy")["policy"]
    rules = found["firewall.rules"]
    assert (rules["status"], rules["cause"], rules["owner"]) == ("fail", "firewall.rules_forbidden", "domain_admin")
    assert "AllowLocalPolicyMerge" in rules["remedy"]["tr"]
    assert "PrivateProfile" in found["firewall.outbound:uyg"]["remedy"]["en"]
    role(double, hosts="policy")
    role(double, hosts="policy", windows_firewall_wanted={"when": "always"})
    assert digests(double)["policy"] == untouched
    assert RULE not in double.executions("policy")


def test_options_reach_the_rules(double: Double) -> None:
    before = digests(double)["closed"]
    program = r"C:\Mikro\e-Defter\edefter.exe"
    role(double, hosts="closed", windows_firewall_wanted={"strategy": "resolved", "program": program, "ntp": False})
    ours = [v.data for v in double.registry("closed").values(RULES).values() if "edefter.ready" in v.data]
    assert len(ours) == 5
    assert all(f"App={program}|" in raw for raw in ours)

    assert any("RA4=203.0.113.10" in raw for raw in ours), ours
    # From one strategy to another: the old rules go, the new ones come, and nothing is left over.
    role(double, hosts="closed")
    assert {name for name in names(double, "closed") if name.startswith("edefter")} == WANTED_RULES
    role(double, hosts="closed", windows_firewall_state="absent")
    assert digests(double)["closed"] == before


def test_the_main_playbook_opens_a_closed_host_and_proves_it(double: Double) -> None:
    """Firewall first, then time through it, then a second look."""
    inventory = double.folder / "hosts.yml"
    double.inventory(inventory, group="edefter_hosts")
    reports = double.folder / "reports"
    variables = {
        "edefter_reports_dir": str(reports),
        "edefter_probe": {"timeout": 3.0, "samples": 2, "sample_interval": 0.1, "seed": 3},
        "edefter_use_canaries": False,
        "windows_time_proof_delay": 1,
    }
    done = run(
        double.folder / "ansible",
        inventory,
        ROOT / "playbooks" / "edefter_ready.yml",
        "-e",
        json.dumps(variables),
        "--limit",
        "closed,policy,blocked,localhost",
    )
    (found,) = reports.glob("*/report.json")
    states = {host["host"]: host for host in json.loads(found.read_text(encoding="utf-8"))["hosts"]}
    assert states["closed"]["state"] == "fixed", done.stdout + done.stderr
    assert states["policy"]["state"] == "blocked"
    assert states["blocked"]["state"] == "blocked"
    assert RULE in double.executions("closed")
    assert RULE not in double.executions("policy") + double.executions("blocked")
    assert "AllowLocalPolicyMerge" in json.dumps(states["policy"])
    assert "Guvenlik 4443" in json.dumps(states["blocked"])
    assert double.errors() == []
