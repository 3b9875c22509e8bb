# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rule strings: real ones, the grammar, and anything else."""

from __future__ import annotations

import ipaddress
import pathlib

import pytest
from ansible_collections.edefter.ready.plugins.plugin_utils.winfw import grammar
from ansible_collections.edefter.ready.plugins.plugin_utils.winfw.rule import Action, Direction, parse_rule
from hypothesis import given
from hypothesis import strategies as st
from tree import ROOT

REAL = ROOT.parent / "shared" / "data" / "firewall_rules.tsv"


def real_rules(path: pathlib.Path = REAL) -> list[tuple[str, str, str]]:
    """(store, value name, rule string) of the collected dumps; skips where they are not."""
    if not path.is_file():
        pytest.skip("the collected rule strings are not on this machine")
    with path.open(encoding="utf-8", newline="\n") as lines:
        return [tuple(line.rstrip("\n").split("\t", 2)) for line in lines]  # type: ignore[misc]


def test_every_real_string_parses_and_comes_back() -> None:
    rules = real_rules()
    assert len(rules) > 2000
    for store, name, raw in rules:
        rule = parse_rule(raw, store, name)
        assert rule.text() == raw
        assert (rule.id, rule.store) == (name, store)
        assert rule.action is not None
        assert rule.direction is not None
        keys = [field.partition("=")[0] for field in raw.split("|")[1:] if "=" in field]
        assert [key for key, value in rule.fields if value is not None] == keys


def test_real_strings_are_read_wherever_they_keep_to_the_grammar() -> None:
    parsed = [parse_rule(raw, store, name) for store, name, raw in real_rules()]
    odd = [rule for rule in parsed if rule.problems or rule.unknown]
    # Hand-made ones, known by sight: protocol by name, a list of ports, masks in keys of their own, no last bar.
    assert {problem for rule in odd for problem in rule.problems} <= {
        "value:Protocol",
        "value:Port",
        "value:RA4",
        "value:RA6",
        "ports without protocol",
        "unfinished",
    }
    assert {key for rule in odd for key in rule.unknown} <= {"RA4Mask", "RA6Mask", "LA4Mask", "LA6Mask"}
    assert len(odd) < 10


def test_a_rule_in_full() -> None:
    raw = (
        "v2.33|Action=Allow|Active=TRUE|Dir=Out|Protocol=6|Profile=Domain|Profile=Private|LPort2_10=1024-65535|RPort=443|"
        "RPort2_10=4440-4443|RA4=10.0.0.0/255.0.0.0|RA4=LocalSubnet|RA6=fe80::/64|App=C:\\a=b.exe|Svc=x|Name=n|Desc=d|"
        "EmbedCtxt=g|LUAuth2_24=QUI=ZQ==|New=1|"
    )
    rule = parse_rule(raw, "gpo", "{1}")
    assert rule.version == (2, 33)
    assert (rule.action, rule.direction, rule.active) == (Action.ALLOW, Direction.OUT, True)
    assert (rule.protocol, rule.profiles) == (6, 3)
    assert rule.local_ports is not None
    assert rule.local_ports.ranges == ((1024, 65535),)
    assert rule.remote_ports is not None
    assert rule.remote_ports.ranges == ((443, 443), (4440, 4443))
    remote = rule.remote_addresses
    assert remote is not None
    assert remote.ranges4 == ((10 << 24, (11 << 24) - 1),)
    assert remote.words4 == ("localsubnet",)
    low = int(ipaddress.ip_address("fe80::"))
    assert remote.ranges6 == ((low, low + 2**64 - 1),)
    assert rule.local_addresses is None
    assert (rule.app, rule.service, rule.name, rule.description, rule.group) == ("C:\\a=b.exe", "x", "n", "d", "g")
    assert rule.conditions == (("App", "C:\\a=b.exe"), ("Svc", "x"), ("LUAuth2_24", "QUI=ZQ=="))
    assert rule.unknown == ("New",)
    assert rule.problems == ()
    assert rule.text() == raw


def test_only_the_first_equals_sign_divides() -> None:
    assert parse_rule("v2.1|Action=Allow|Dir=In|Desc=a=b=c|").description == "a=b=c"


def test_keys_are_compared_ordinally() -> None:
    # Turkish letters: neither a dotless nor a dotted i may pass for I.
    rule = parse_rule("v2.1|Actıon=Block|ACTİVE=TRUE|action=allow|DIR=OUT|active=true|")
    assert rule.unknown == ("Actıon", "ACTİVE")
    assert (rule.action, rule.active, rule.direction) == (Action.ALLOW, True, Direction.OUT)
    assert grammar.fold("İIıi") == "İiıi"


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ("", "version"),
        ("v2|Action=Allow|Dir=In|", "version"),
        ("v2.1|Action=Allow|Dir=In", "unfinished"),
        ("v2.1|Action=Allow|Dir=In|x|", "token"),
        ("v2.1||Action=Allow|Dir=In|", "token"),
        ("v2.1|Dir=In|", "value:Action"),
        ("v2.1|Action=Allow|Dir=Up|", "value:Dir"),
        ("v2.1|Action=Allow|Dir=In|Active=yes|", "value:Active"),
        ("v2.1|Action=Allow|Dir=In|Protocol=256|", "value:Protocol"),
        ("v2.1|Action=Allow|Dir=In|Protocol=٦|", "value:Protocol"),
        ("v2.1|Action=Allow|Dir=In|Protocol=6|RPort=65536|", "value:Port"),
        ("v2.1|Action=Allow|Dir=In|Protocol=6|RPort=9-1|", "value:Port"),
        ("v2.1|Action=Allow|Dir=In|RPort=1|", "ports without protocol"),
        ("v2.1|Action=Allow|Dir=In|Profile=Home|", "value:Profile"),
        ("v2.1|Action=Allow|Dir=In|RA4=fe80::1|", "value:RA4"),
        ("v2.1|Action=Allow|Dir=In|RA6=1.2.3.4|", "value:RA6"),
        ("v2.1|Action=Allow|Dir=In|RA4=fe80::/64|", "value:RA4"),
        ("v2.1|Action=Allow|Dir=In|Svc=a|svc=b|", "repeated:Svc"),
    ],
)
def test_what_is_not_the_grammar_is_said(raw: str, problem: str) -> None:
    rule = parse_rule(raw)
    assert problem in rule.problems
    assert rule.text() == raw


# --- The grammar of MS-GPFAS 2.2.2.19, as a strategy.

_text = st.text(st.characters(blacklist_characters="|\0", blacklist_categories=("Cs",)), max_size=12)
_v4 = st.integers(0, 2**32 - 1).map(lambda n: str(ipaddress.IPv4Address(n)))
_v6 = st.integers(0, 2**128 - 1).map(lambda n: str(ipaddress.IPv6Address(n)))
_port = st.integers(0, 65535)


def _pair(numbers: tuple[int, int]) -> str:
    return f"{min(numbers)}-{max(numbers)}"


def _field(key: str, values: st.SearchStrategy[object]) -> st.SearchStrategy[str]:
    return values.map(lambda value: f"{key}={value}")


def _address(version: int) -> st.SearchStrategy[str]:
    single = _v4 if version == 4 else _v6
    number = st.integers(0, 2**32 - 1)
    cls = ipaddress.IPv4Address if version == 4 else ipaddress.IPv6Address
    span = st.tuples(number, number).map(lambda two: f"{cls(min(two))}-{cls(max(two))}")
    net = st.tuples(single, st.integers(0, 32 if version == 4 else 128)).map(lambda two: f"{two[0]}/{two[1]}")
    return st.one_of(single, span, net, st.sampled_from(["LocalSubnet", "DNS", "DHCP", "WINS", "DefaultGateway"]))


_many = st.one_of(
    _field("Profile", st.sampled_from(["Domain", "Private", "Public"])),
    _field("RPort", _port),
    _field("LPort", st.one_of(_port, st.sampled_from(["RPC", "RPC-EPMap", "Teredo"]))),
    _field("RPort2_10", st.one_of(st.tuples(_port, _port).map(_pair), st.sampled_from(["IPTLSOut", "IPHTTPSOut"]))),
    _field("LPort2_20", st.sampled_from(["DHCP", "Ply2Disc"])),
    _field("RA4", _address(4)),
    _field("RA6", _address(6)),
    _field("LA4", _address(4)),
    _field("RA42", st.sampled_from(["IntrAnet", "IntErnet", "Ply2Renders", "RmtIntrAnet", "CaptivePortal"])),
    _field("IFType", st.sampled_from(["Lan", "Wireless", "RemoteAccess"])),
    _field("IF", st.uuids().map(lambda u: f"{{{u}}}")),
    _field("Platform", st.just("2:6:2")),
    _field("TTK2_22", st.sampled_from(["WFDPrint", "WFDDisplay", "WFDDevices"])),
)
_once = st.fixed_dictionaries(
    {
        "Action": st.sampled_from(["Allow", "Block", "ByPass"]),
        "Dir": st.sampled_from(["In", "Out"]),
        "Protocol": st.sampled_from(["6", "17"]),
    },
    optional={
        "Active": st.sampled_from(["TRUE", "FALSE"]),
        "App": _text,
        "Svc": _text,
        "Name": _text,
        "Desc": _text,
        "EmbedCtxt": _text,
        "Edge": st.sampled_from(["TRUE", "FALSE"]),
        "LUOwn": st.just("S-1-5-21-1-2-3-1001"),
        "PFN": _text,
        "SkipVer": st.just("v2.10"),
        "Platform2": st.just("GTEQ"),
        "Security2_9": st.just("An-NoEncap"),
    },
)


@st.composite
def rule_strings(draw: st.DrawFn) -> str:
    """A string that keeps to the grammar; keys in any order and case."""
    fields = [f"{key}={value}" for key, value in draw(_once).items()] + draw(st.lists(_many, max_size=6))
    fields = draw(st.permutations(fields))
    if draw(st.booleans()):
        spell = draw(st.sampled_from([str.upper, str.lower]))
        fields = [spell(key) + "=" + value for key, _, value in (field.partition("=") for field in fields)]
    version = f"v{draw(st.integers(2, 4))}.{draw(st.integers(0, 40))}"
    return "|".join([version, *fields, ""])


@given(rule_strings())
def test_the_grammar_is_read_without_a_complaint(raw: str) -> None:
    rule = parse_rule(raw)
    assert rule.problems == ()
    assert rule.unknown == ()
    assert rule.text() == raw
    assert rule.active == ("active=true" in grammar.fold(raw).split("|"))


@given(st.text(max_size=200))
def test_any_text_comes_back(raw: str) -> None:
    assert parse_rule(raw).text() == raw


@given(
    st.lists(
        st.sampled_from(["v2.1", "|", "=", "Action", "Block", "RA4", "1.1.1.1", "/", "-", "RPort", "9", "\n", "ı"])
    )
)
def test_any_arrangement_of_its_parts_comes_back(parts: list[str]) -> None:
    raw = "".join(parts)
    assert parse_rule(raw).text() == raw


@given(rule_strings(), st.text(st.characters(blacklist_characters="|=\0", blacklist_categories=("Cs",)), min_size=1))
def test_unknown_keys_are_kept(raw: str, key: str) -> None:
    if grammar.fold(key) in {grammar.fold(k) for k in grammar.KNOWN}:
        return
    rule = parse_rule(f"{raw}{key}=value|")
    assert rule.unknown == (key,)
    assert rule.fields[-2] == (key, "value")


@given(_v4, st.integers(0, 32))
def test_nets_hold_exactly_their_addresses(address: str, length: int) -> None:
    net = ipaddress.ip_network(f"{address}/{length}", strict=False)
    by_length = grammar.read_address(f"{address}/{length}", 4)
    assert by_length == (int(net.network_address), int(net.broadcast_address))
    assert grammar.read_address(f"{address}/{net.netmask}", 4) == by_length
