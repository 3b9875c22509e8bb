# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The perimeter's lists: read by the devices' own programs where they are here, else by the grammar of their
documentation."""

from __future__ import annotations

import csv
import html.parser
import io
import json
import pathlib
import re
import shutil
import subprocess
import typing as t
import uuid
import xml.etree.ElementTree as ET

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.edefter.ready.plugins.filter.perimeter import FilterModule, perimeter
from ansible_collections.edefter.ready.plugins.plugin_utils import catalog, messages
from ansible_collections.edefter.ready.plugins.plugin_utils.model import OptionError
from ansible_collections.edefter.ready.plugins.plugin_utils.perimeter import devices, letter, model, table
from ansible_collections.edefter.ready.plugins.plugin_utils.perimeter.observed import observed
from hypothesis import given
from hypothesis import strategies as st

STOCK = model.targets(catalog.endpoints(), catalog.time_sources())
# One name with everything that a list has to cope with: long, below a wildcard, several ports.
LONG = "a-very-long-name-that-no-device-takes-as-it-is-" + "x" * 10
OVERRIDES = [
    {"id": "extra", "host": "portal.edefter.gov.tr", "port": 443},
    {"id": "extra-4443", "host": "portal.edefter.gov.tr", "port": 4443},
    {"id": "long", "host": f"{LONG}.example.com.tr", "port": 8443},
    {"id": "long2", "host": f"{LONG}y.example.com.tr", "port": 8443},
    {"id": "v6", "host": "www.example.com", "port": 8443, "purpose": '=HYPERLINK("http://x")'},
]
RICH = model.targets(catalog.endpoints(OVERRIDES), catalog.time_sources())
OPTIONS = model.Options.from_options({"dns_server": "10.0.0.1", "clients": ["10.1.0.0/16", "2001:db8::/32"]})
BOTH = pytest.mark.parametrize("wanted", [STOCK, RICH], ids=["stock", "rich"])


def content(device: str, wanted: tuple[model.Target, ...], options: model.Options = OPTIONS, number: int = 0) -> str:
    return devices.export(device, wanted, options).files[number][1]


def program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


# --- what is asked for


def test_the_vendors_wildcards_with_their_ports() -> None:
    by_name = {target.pattern: target for target in STOCK}
    assert by_name["*.edefter.gov.tr"].ports == (443,)
    assert by_name["*.myedefter.com.tr"].ports == (443, 4443)
    assert by_name["*.myedefter.com.tr"].hosts == ("firma.myedefter.com.tr",)
    assert by_name["portal.emikro.com.tr"].ports == (80, 443)
    assert by_name["time.windows.com"].protocol == "udp"
    assert not any(target.protocol == "udp" and target.ports != (123,) for target in STOCK)


def test_a_host_below_a_wildcard_of_the_same_ports_is_not_listed_twice() -> None:
    wanted = model.targets(catalog.endpoints([{"id": "x", "host": "b.edefter.gov.tr", "port": 443}]), ())
    (group,) = (g for g in model.groups(wanted) if g.ports == (443,))
    assert [target.pattern for target in group.domains] == ["*.edefter.gov.tr"]
    assert group.hosts == ("uyg.edefter.gov.tr", "b.edefter.gov.tr")


@BOTH
@pytest.mark.parametrize("device", sorted(devices.DEVICES))
def test_every_name_and_port_is_in_every_list(device: str, wanted: tuple[model.Target, ...]) -> None:
    export = devices.export(device, wanted, OPTIONS)
    text = "\n".join(content for name, content in export.files)
    assert export.device == device
    for target in wanted:
        if device == "squid" and target.protocol == "udp":
            continue
        hosts = [target.domain] if device in ("squid", "nftables", "fortigate", "sophos") else list(target.hosts)
        if device == "squid" and target.pattern == "portal.edefter.gov.tr":
            assert ".edefter.gov.tr" in text
        assert all(host in text for host in hosts)
        assert all(str(port) in text for port in target.ports)
    for name, body in export.files:
        assert re.fullmatch(r"edefter-[a-z-]+\.[a-z]{2,4}", name)
        assert body.endswith("\n")
        assert all(c.isprintable() or c in "\n\r" for c in body)
    if device not in ("csv", "letter"):
        assert "edefter.ready" in text
        assert export.rollback
        assert all(warning["tr"] and warning["en"] and "?" not in warning["en"] for warning in export.warnings)


@pytest.mark.parametrize("device", ["asa", "opnsense", "pfsense"])
def test_devices_without_wildcards_say_so(device: str) -> None:
    warnings = [warning["en"] for warning in devices.export(device, STOCK, OPTIONS).warnings]
    assert any("*.edefter.gov.tr" in text and "uyg.edefter.gov.tr" in text for text in warnings)
    assert any("*.myedefter.com.tr" in text for text in warnings)


def test_mikrotik_without_a_resolver_says_so() -> None:
    export = devices.export("mikrotik", STOCK, model.Options())
    assert any("*.edefter.gov.tr" in warning["en"] for warning in export.warnings)
    assert "type=FWD" not in export.files[0][1]
    assert any("10.0.0.1" in warning["tr"] for warning in devices.export("mikrotik", STOCK, OPTIONS).warnings)


def test_every_warning_is_a_message_and_every_message_is_used() -> None:
    rooms = pathlib.Path(model.__file__).parent.glob("*.py")
    used = "".join(path.read_text(encoding="utf-8") for path in rooms)
    for key, message in messages.catalogue().items():
        if key.startswith("perimeter."):
            name = key.removeprefix("perimeter.")
            assert set(message["title"]) == {"tr", "en"}
            short = name.removeprefix("letter_").removeprefix("col_")
            assert any(re.search(rf"""["']{word}["']""", used) for word in (short, name)), key
            assert messages.placeholders(message["title"]["tr"]) == messages.placeholders(message["title"]["en"])


# --- the devices' own parsers


@BOTH
def test_squid_takes_it(wanted: tuple[model.Target, ...], tmp_path: pathlib.Path) -> None:
    squid = program("squid")
    snippet = tmp_path / "edefter-squid.conf"
    snippet.write_text(content("squid", wanted), encoding="utf-8")
    config = tmp_path / "squid.conf"
    config.write_text(
        f"acl SSL_ports port 443\nacl CONNECT method CONNECT\ninclude {snippet}\n"
        "http_access deny CONNECT !SSL_ports\nhttp_access deny all\nhttp_port 127.0.0.1:33128\n"
        f"pid_filename none\ncache_log {tmp_path}/cache.log\naccess_log none\n",
        encoding="utf-8",
    )
    said = run(squid, "-k", "parse", "-f", str(config))
    # A name below a listed domain in one acl is a warning today and an error in some versions.
    assert not re.search(r"ERROR|FATAL|WARNING.*subdomain", said)


@BOTH
def test_nft_takes_it_twice(wanted: tuple[model.Target, ...], tmp_path: pathlib.Path) -> None:
    nft = program("nft")
    path = tmp_path / "edefter.nft"
    base = "table inet filter {\n chain forward { type filter hook forward priority 0; policy drop; }\n}\n"
    text = content("nftables", wanted)
    path.write_text(base + text + text + "insert rule inet filter forward jump edefter_allow\n", encoding="utf-8")
    done = subprocess.run([nft, "-c", "-f", str(path)], capture_output=True, text=True, check=False)
    if "Operation not permitted" in done.stderr:
        pytest.skip("nft -c asks the kernel, which needs root")
    assert done.returncode == 0, done.stderr


@BOTH
def test_dnsmasq_takes_it(wanted: tuple[model.Target, ...], tmp_path: pathlib.Path) -> None:
    dnsmasq = program("dnsmasq")
    path = tmp_path / "edefter.conf"
    path.write_text(content("nftables", wanted, number=1), encoding="utf-8")
    assert "OK" in run(dnsmasq, "--test", f"--conf-file={path}")


def test_dnsmasq_fills_every_set_that_a_name_belongs_to() -> None:
    lines = [x for x in content("nftables", RICH, number=1).splitlines() if x.startswith("nftset=/portal.edefter.")]
    assert len(lines) == 1
    assert "edefter_tcp_443_v4" in lines[0]
    assert "edefter_tcp_443_4443_v4" in lines[0]


# --- grammars from the vendors' documentation


@BOTH
def test_pfsense_xml(wanted: tuple[model.Target, ...]) -> None:
    root = ET.fromstring(content("pfsense", wanted))
    assert root.tag == "aliases"
    names = [alias.findtext("name") or "" for alias in root]
    assert len(names) == len(set(names))
    for alias in root:
        assert re.fullmatch(r"[A-Za-z0-9_]{1,31}", alias.findtext("name") or "")
        values = (alias.findtext("address") or "").split(" ")
        assert len((alias.findtext("detail") or "").split("||")) == len(values)
        if alias.findtext("type") == "port":
            assert all(1 <= int(value) <= 65535 for value in values)
        else:
            assert alias.findtext("type") == "host"
            assert all(re.fullmatch(r"[a-z0-9.-]+", value) for value in values)


@BOTH
def test_opnsense_json(wanted: tuple[model.Target, ...]) -> None:
    body = json.loads(content("opnsense", wanted))
    aliases = body["data"]["aliases"]["alias"]
    for key, alias in aliases.items():
        assert str(uuid.UUID(key)) == key
        assert re.fullmatch(r"[A-Za-z0-9_]{1,31}", alias["name"])
        assert alias["type"] in ("host", "port")
        assert alias["enabled"] == "1"
        assert not any("*" in line for line in alias["content"].split("\n"))
    assert len({alias["name"] for alias in aliases.values()}) == len(aliases)
    assert content("opnsense", wanted) == content("opnsense", wanted)


@BOTH
def test_sophos_xml(wanted: tuple[model.Target, ...]) -> None:
    export = devices.export("sophos", wanted, OPTIONS)
    root = ET.fromstring(export.files[0][1])
    change = root.find("Set[@operation='add']")
    assert change is not None
    hosts = {host.findtext("Name"): host.findtext("FQDN") for host in change.findall("FQDNHost")}
    assert set(hosts.values()) == {target.pattern for target in wanted}
    assert all(len(name or "") <= 50 for name in hosts)
    for group in change.findall("FQDNHostGroup"):
        members = [member.text for member in group.findall("FQDNHostList/FQDNHost")]
        assert members
        assert set(members) <= set(hosts)
    for service in change.findall("Services"):
        for detail in service.findall("ServiceDetails/ServiceDetail"):
            assert (detail.findtext("DestinationPort") or "").isdigit()
            assert detail.findtext("Protocol") in ("TCP", "UDP")
    undo = ET.fromstring(export.rollback)
    removed = {name.text for name in undo.iterfind("Remove/*/Name")}
    assert removed == {name.text for name in change.iterfind("*/Name")}


def blocks(text: str) -> dict[str, dict[str, list[str]]]:
    """FortiOS' config/edit/set/next/end as {section: {entry: lines}}; fails on anything else."""
    result: dict[str, dict[str, list[str]]] = {}
    section = entry = None
    for line in text.splitlines():
        word = line.strip()
        if section is None:
            match = re.fullmatch(r"config ([a-z ]+)", word)
            assert match, line
            section = match[1]
            result[section] = {}
        elif entry is None:
            if word == "end":
                section = None
                continue
            match = re.fullmatch(r'edit (?:"([^"\\]{1,79})"|(0))', word)
            assert match, line
            entry = match[1] or f"#{len(result[section])}"
            assert entry not in result[section]
            result[section][entry] = []
        elif word == "next":
            entry = None
        else:
            assert re.fullmatch(r'set [a-z-]+( "[^"\\]+"| [a-z0-9]+)+', word), line
            result[section][entry].append(word)
    assert section is None
    return result


@BOTH
def test_fortios_script(wanted: tuple[model.Target, ...]) -> None:
    found = blocks(content("fortigate", wanted))
    assert list(found) == [f"firewall {x}" for x in ("address", "service custom", "addrgrp", "policy")]
    addresses, services, grouped = (found[f"firewall {x}"] for x in ("address", "service custom", "addrgrp"))
    assert any('set fqdn "*.edefter.gov.tr"' in lines for lines in addresses.values())
    for lines in grouped.values():
        members = re.findall(r'"([^"]+)"', lines[0])
        assert members
        assert set(members) <= set(addresses)
    for policy in found["firewall policy"].values():
        values = dict(line.removeprefix("set ").split(" ", 1) for line in policy)
        assert values["dstaddr"].strip('"') in grouped
        assert set(re.findall(r'"([^"]+)"', values["service"])) <= set(services)
        assert values["action"] == "accept"
        assert len(values["name"]) <= 37


@BOTH
def test_routeros_script(wanted: tuple[model.Target, ...]) -> None:
    menu = ""
    lists: set[str] = set()
    for line in content("mikrotik", wanted).splitlines():
        if line.startswith("#"):
            continue
        if line.startswith("/") and " remove " not in line:
            menu = line
            assert menu in ("/ip firewall address-list", "/ip dns static", "/ip firewall filter")
            continue
        if " remove " in line:
            assert line.endswith('[find comment="edefter.ready"]')
            continue
        assert re.fullmatch(r'add( [a-z-]+=("[^"]*"|[A-Za-z0-9_.,:-]+))+', line), line
        values = dict(part.split("=", 1) for part in line.split(" ")[1:])
        if menu == "/ip firewall address-list":
            lists.add(values["list"])
            assert "*" not in values["address"]
        elif menu == "/ip dns static":
            assert values["type"] == "FWD"
            assert values["match-subdomain"] == "yes"
            assert values["address-list"] in lists
        else:
            assert values["chain"] == "forward"
            assert values["dst-address-list"] in lists
            assert values["protocol"] in ("tcp", "udp")


@BOTH
def test_asa_script(wanted: tuple[model.Target, ...]) -> None:
    export = devices.export("asa", wanted, OPTIONS)
    objects: set[str] = set()
    groups: set[str] = set()
    for line in export.files[0][1].splitlines():
        if line.startswith("!"):
            continue
        if match := re.fullmatch(r"object network (\S{1,64})", line):
            objects.add(match[1])
        elif match := re.fullmatch(r"object-group (?:network (\S{1,64})|service (\S{1,64}) (?:tcp|udp))", line):
            groups.add(match[1] or match[2])
        elif match := re.fullmatch(r" network-object object (\S+)", line):
            assert match[1] in objects
        elif match := re.fullmatch(
            r"access-list inside_access_in extended permit (?:tcp|udp) any object-group (\S+) object-group (\S+)", line
        ):
            assert {match[1], match[2]} <= groups
        else:
            assert re.fullmatch(
                r" fqdn v4 [a-z0-9.-]+| port-object eq \d+|access-list inside_access_in remark edefter\.ready", line
            ), line
    undone = [line.removeprefix("no ") for line in export.rollback.splitlines()]
    made = [line for line in export.files[0][1].splitlines() if not line.startswith(("!", " "))]
    assert sorted(undone) == sorted(made)


def test_csv_is_read_back_and_holds_no_formula() -> None:
    rows = list(csv.DictReader(io.StringIO(content("csv", RICH))))
    assert {(row["name"], row["protocol"], int(row["port"])) for row in rows} == {
        (target.pattern, target.protocol, port) for target in RICH for port in target.ports
    }
    assert all(value[:1] not in ("=", "+", "-", "@", "\t", "\r") for row in rows for value in row.values())
    assert any(row["purpose_en"].startswith("'=HYPERLINK") for row in rows)
    assert table.plain("*.edefter.gov.tr") == "*.edefter.gov.tr"


# --- the letter


class Page(html.parser.HTMLParser):
    """Text and tags of a page; balanced, or it is not one."""

    VOID: t.ClassVar = {"meta", "br"}

    def __init__(self, text: str) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.stack == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def record(host: str, *findings: dict[str, t.Any], **more: t.Any) -> dict[str, t.Any]:
    part = {"observed_utc": "2026-11-25T07:15:00.000Z", "findings": list(findings)}
    return {"host": host, "firm": "mikro", "before": part, "after": None, **more}


def finding(subject: str, status: str, owner: str = "firewall_admin", title: str = "SYN dropped") -> dict[str, t.Any]:
    return {
        "check": "endpoint", "subject": subject, "status": status, "owner": owner, "cause": "tcp_drop",
        "title": {"tr": f"{title} (tr)", "en": title},
    }  # fmt: skip


OK = finding("uyg", "pass", "nobody")


def test_the_letter_says_what_was_observed() -> None:
    seen = observed([
        record("pc1", finding("firma-4443", "fail"), OK),
        record("pc2", finding("firma-4443", "fail"), OK, firm="ikinci"),
        record("pc3", OK),
        record("pc4", finding("uyg", "fail", "local_admin")),
    ])  # fmt: skip
    assert (seen.hosts, seen.clean, seen.firms) == (4, 1, ("mikro", "ikinci"))
    (trouble,) = seen.troubles
    assert (trouble.subject, trouble.hosts) == ("firma-4443", ("pc1", "pc2"))
    turkish, english = (
        text for name, text in letter.render(STOCK, OPTIONS, seen, letter.About("Mikro A.Ş.", "BT", "25.11.2026")).files
    )
    for text in (turkish, english):
        page = Page(text)
        assert "pc1, pc2" in page.text
        assert "4443" in page.text
        assert "*.edefter.gov.tr" in page.text
        assert "Mikro A.Ş." in page.text
        assert not [tag for tag, attrs in page.tags if tag in ("script", "link", "img", "iframe")]
        assert not re.search(r"(?:src|href)=|url\(|@import", text)
    assert 'lang="tr"' in turkish
    assert "SYN dropped (tr)" in turkish
    assert "SYN dropped (tr)" not in english
    assert "giden" in turkish
    assert "outbound" in english


def test_the_letter_without_observations_claims_none() -> None:
    (turkish, english) = (text for name, text in letter.render(STOCK, OPTIONS).files)
    assert "No measurement is attached" in english
    assert "ölçüm eklenmemiştir" in turkish
    clean = letter.render(STOCK, OPTIONS, observed([record("pc1", OK)])).files[1][1]
    assert "No obstacle" in clean


def test_markup_in_untrusted_text_stays_text() -> None:
    evil = "<script>alert(1)</script>\u202e\x07"
    seen = observed([record(evil, finding(evil, "fail", title=evil), firm=evil, after=None)])
    for name, text in letter.render(STOCK, OPTIONS, seen, letter.About(evil, evil, evil)).files:
        assert name
        assert "<script" not in text
        assert "&lt;script&gt;" in text
        assert "\x07" not in Page(text).text.replace(letter.About(evil).firm, "")


def test_many_hosts_are_summed_up() -> None:
    seen = observed(record(f"pc{n}", *(finding(f"e{m}", "fail") for m in range(20))) for n in range(9))
    assert len(seen.troubles) == 14
    assert "(+3)" in letter.render(STOCK, OPTIONS, seen).files[0][1]


@given(
    st.lists(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(
                        [
                            "host",
                            "firm",
                            "before",
                            "after",
                            "findings",
                            "check",
                            "status",
                            "owner",
                            "title",
                            "subject",
                            "en",
                        ]
                    ),
                    inner | st.sampled_from(["endpoint", "fail", "firewall_admin"]),
                    max_size=5,
                )
            ),
            max_leaves=20,
        ),
        max_size=4,
    )
)
def test_records_of_any_shape_are_survived(records: list[object]) -> None:
    seen = observed(records)
    assert 0 <= seen.clean <= seen.hosts
    letter.render(STOCK, OPTIONS, seen)


def test_the_later_observation_counts() -> None:
    after = {"observed_utc": "2026-11-25T08:00:00.000Z", "findings": [OK]}
    seen = observed([record("pc1", finding("firma", "fail"), after=after)])
    assert (seen.clean, seen.last_utc) == (1, "2026-11-25T08:00:00.000Z")


def test_hosts_without_endpoint_findings_do_not_count() -> None:
    assert observed([{"host": "x", "before": {"findings": None}}, {"host": "y"}, 5, record("z")]).hosts == 0


# --- names and options


@given(st.text(max_size=80), st.integers(8, 64))
def test_names_are_safe(text: str, limit: int) -> None:
    name = model.safe_name(text, limit, "-")
    assert len(name) <= limit
    assert re.fullmatch(r"[A-Za-z0-9_-]*", name)


@given(st.lists(st.text(st.sampled_from("abc"), min_size=40, max_size=60), min_size=2, max_size=2, unique=True))
def test_two_long_names_stay_two(names: list[str]) -> None:
    assert len({model.safe_name(name, 31) for name in names}) == 2


@pytest.mark.parametrize(
    "options",
    [
        {"prefix": "has space"},
        {"prefix": "x" * 13},
        {"prefix": '"; drop'},
        {"inside": 'wan"1'},
        {"nft_table": "a b"},
        {"clients": []},
        {"clients": "10.0.0.0/8"},
        {"clients": ["10.0.0.0/33"]},
        {"dns_server": "dns.example"},
        {"unknown": 1},
    ],
)
def test_options_that_cannot_be_meant(options: dict[str, t.Any]) -> None:
    with pytest.raises(OptionError):
        model.Options.from_options(options)


def test_there_is_no_such_device() -> None:
    with pytest.raises(OptionError, match="fortigate"):
        devices.export("toaster", STOCK, OPTIONS)


# --- the filter


def test_the_filter_gives_plain_data() -> None:
    assert FilterModule().filters() == {"perimeter": perimeter}
    for device in devices.DEVICES:
        result = perimeter(device, endpoints=[], options={"prefix": "edf"}, records=[record("pc1", OK)], firm="Mikro")
        assert json.loads(json.dumps(result)) == result
        assert result["files"][0]["name"].startswith("edf-")


@pytest.mark.parametrize(
    "wrong",
    [
        {"device": "toaster"},
        {"device": "csv", "endpoints": [{"id": "x", "host": "a b"}]},
        {"device": "csv", "options": {"prefix": "?"}},
    ],
)
def test_the_filter_says_what_is_wrong(wrong: dict[str, t.Any]) -> None:
    with pytest.raises(AnsibleFilterError, match=r"edefter\.ready\.perimeter"):
        perimeter(**wrong)
