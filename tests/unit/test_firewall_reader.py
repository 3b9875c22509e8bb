# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Firewall.cs, run for real under Mono over a registry on disk, and its parser on the control node."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
from ansible_collections.edefter.ready.plugins.plugin_utils.model import ShapeError
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.firewall import Firewall, parse_firewall
from ansible_collections.edefter.ready.plugins.plugin_utils.winfw.match import Query
from hypothesis import given
from hypothesis import strategies as st
from tree import ROOT
from windows_double import csharp
from windows_double.registry import Registry

BASE = r"HKLM\SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy"
GPO = r"HKLM\SOFTWARE\Policies\Microsoft\WindowsFirewall"
LOCAL = rf"{BASE}\FirewallRules"
STATIC = rf"{BASE}\RestrictedServices\Static\System"
APPISO = rf"{BASE}\RestrictedServices\AppIso\FirewallRules"
REAL = ROOT.parent / "shared" / "data" / "firewall_rules.tsv"
OUT = "v2.33|Action=Block|Active=TRUE|Dir=Out|Protocol=6|RPort=443|"

# An entry of our own: the reader alone, whatever else ships. Namespace and class as the harness expects them.
ENTRY = """
using System.Collections;
using System.Collections.Generic;
using ansible_collections.edefter.ready.plugins.module_utils.Core;
namespace ansible_collections.edefter.ready.plugins.module_utils.ReadFirewall
{
    public static class ReadFirewall
    {
        public static Dictionary<string, object> Run(IDictionary parameters)
        {
            // As Observer does for each section. (Mono, unlike Windows, finds registry keys by the thread's culture.)
            System.Threading.Thread.CurrentThread.CurrentCulture = System.Globalization.CultureInfo.InvariantCulture;
            Deadline deadline = new Deadline(Opt.Dbl(parameters, "deadline", 20.0));
            Dictionary<string, object> result = new Dictionary<string, object>();
            result["section"] = Section.Run(Firewall.Firewall.Collect, parameters, deadline);
            result["cut"] = deadline.WasCut;
            return result;
        }
    }
}
"""


@pytest.fixture(scope="module")
def library() -> pathlib.Path:
    shipped = csharp.shipped_sources()
    sources = {name: shipped[name] for name in ("Core.cs", "HostApi.cs", "Firewall.cs")}
    return csharp.build({**sources, "ReadFirewall.cs": ENTRY})


Read = t.Callable[..., dict[str, t.Any]]


@pytest.fixture
def read(library: pathlib.Path, tmp_path: pathlib.Path) -> Read:
    def run(tree: dict[str, t.Any], api: dict[str, t.Any] | None = None, **params: t.Any) -> dict[str, t.Any]:
        registry = Registry(tmp_path / "registry")
        registry.load({"HKLM\\SOFTWARE": {}, "HKLM\\SYSTEM": {}, **tree})
        answers = {"service": {"state": "running", "exit_code": 0}, "firewall_profiles": 4, **(api or {})}
        before = registry.digest()
        reply = csharp.run("ReadFirewall", params, api=answers, registry=registry.root, library=library)
        assert registry.digest() == before, "the reader wrote"
        return reply

    return run


def data(reply: dict[str, t.Any]) -> dict[str, t.Any]:
    assert reply["section"]["status"] == "ok", reply["section"]["error"]
    return t.cast("dict[str, t.Any]", reply["section"]["data"])


def parsed(reply: dict[str, t.Any]) -> Firewall:
    return parse_firewall(data(reply))


def test_compiles_against_the_dotnet_framework(tmp_path: pathlib.Path) -> None:
    shipped = csharp.shipped_sources()
    sources = {name: shipped[name] for name in ("Core.cs", "HostApi.cs", "Firewall.cs")}
    for version in ("4.5", "4.7.2"):
        csharp.compile_sources(sources, tmp_path / "x.dll", "-target:library", references=version)


def test_an_empty_registry(read: Read) -> None:
    firewall = parsed(read({}))
    assert firewall.active == ("public",)
    assert firewall.policy_version is None
    assert not firewall.stores["local"].present
    assert firewall.rules == ()
    assert firewall.complete
    assert firewall.mpssvc.state == "running"
    assert firewall.profiles["gpo"]["standard"] is None


def test_profiles_of_every_store(read: Read) -> None:
    firewall = parsed(
        read(
            {
                BASE: {"PolicyVersion": 545},
                rf"{BASE}\DomainProfile": {"EnableFirewall": 1, "DefaultOutboundAction": 1, "DefaultInboundAction": 1},
                rf"{BASE}\StandardProfile": {"EnableFirewall": 0, "DisabledInterfaces": "{5d1c}"},
                rf"{BASE}\PublicProfile\Logging": {
                    "LogDroppedPackets": 1,
                    "LogFilePath": {"type": "expandstring", "data": r"%systemroot%\x.log"},
                },
                rf"{GPO}\StandardProfile": {"AllowLocalPolicyMerge": 0},
                rf"{GPO}\PrivateProfile": {"EnableFirewall": "1"},
                rf"{BASE}\Mdm\PublicProfile": {"DefaultOutboundAction": 1, "DoNotAllowExceptions": 1},
                rf"{BASE}\Mdm\PrivateProfile": {"EnableFirewall": 1},
                rf"{BASE}\PrivateProfile": {"EnableFirewall": 1},
            }
        )
    )
    assert firewall.policy_version == 545
    domain, private = firewall.profiles["local"]["domain"], firewall.profiles["local"]["private"]
    assert domain is not None
    assert (domain.enable, domain.outbound, domain.inbound, domain.merge) == (1, 1, 1, None)
    assert private is not None
    assert (private.enable, private.disabled_interfaces) == (0, "{5d1c}")
    public = firewall.profiles["local"]["public"]
    assert public is not None
    assert (public.log_dropped, public.log_file) == (1, r"%systemroot%\x.log")
    standard, policy = firewall.profiles["gpo"]["standard"], firewall.profiles["gpo"]["private"]
    assert standard is not None
    assert standard.merge == 0
    # A REG_SZ where a DWORD belongs: said as unreadable, not taken for 1.
    assert policy is not None
    assert policy.enable == -1
    mdm = firewall.profiles["mdm"]["public"]
    assert mdm is not None
    assert (mdm.outbound, mdm.no_exceptions) == (1, 1)
    assert firewall.profiles["mdm"]["private"] is not None


def test_only_what_can_decide_is_sent(read: Read) -> None:
    rules = {
        "out": OUT,
        "lower": OUT.replace("TRUE", "true").replace("Dir=Out", "DIR=out"),
        "in": OUT.replace("Out", "In"),
        "off": OUT.replace("TRUE", "FALSE"),
        "no-active": OUT.replace("Active=TRUE|", ""),
        "store-app": OUT + "PFN=x_8wekyb3d8bbwe|",
        "container": OUT + "AppPkgId=S-1-15-2-1|",
        "service": OUT + "Svc=Spooler|",
        "any-service": OUT + "Svc=*|",
        "icmp": OUT.replace("Protocol=6|RPort=443", "Protocol=58|ICMP6=135:*"),
        "named-protocol": OUT.replace("Protocol=6", "Protocol=tcp"),
        "ours-off": "v2.33|Action=Allow|Active=FALSE|Dir=Out|Name=edefter.ready TCP 443|",
        "ours-in": "v2.33|Action=Allow|Active=TRUE|Dir=In|Name=x|EmbedCtxt=edefter.ready|",
        "namesake": "v2.33|Action=Allow|Active=FALSE|Dir=In|Name=X|",
        "not-namesake": "v2.33|Action=Allow|Active=FALSE|Dir=In|Name=X y|",
        "number": 1,
        "junk": "hello",
        "": "v2.33|Action=Block|Active=TRUE|Dir=Out|Name=default value|",
    }
    store = data(read({LOCAL: rules}))["stores"]["local"]
    assert sorted(name for name, _ in store["rules"]) == sorted(
        ["", "any-service", "lower", "named-protocol", "namesake", "ours-in", "ours-off", "out"]
    )
    assert dict(store["rules"])["out"] == OUT
    counted = [store[key] for key in ("total", "outbound", "packaged", "services", "protocols", "malformed")]
    assert counted == [18, 9, 2, 1, 1, 2]
    assert not store["truncated"]


def test_hardening_of_other_services_is_counted(read: Read) -> None:
    harden = "v2.0|Action=Block|Dir=Out|App=%windir%\\System32\\svchost.exe|"
    store = data(
        read(
            {
                STATIC: {
                    "W32Time-1": f"{harden}Svc=W32Time|",
                    "Dns-1": f"{harden}Svc=dnscache|",
                    "Bfe-1": f"{harden}Svc=BFE|",
                    "omadm": harden,
                }
            }
        )
    )["stores"]["static"]
    assert sorted(name for name, _ in store["rules"]) == ["Dns-1", "W32Time-1", "omadm"]
    assert store["services"] == 1


def test_a_long_rule_is_seen_to_be_cut(read: Read) -> None:
    long = OUT + "".join(f"RA4=10.{n // 250}.{n % 250}.1|" for n in range(2000))
    (rule,) = parsed(read({LOCAL: {"long": long}})).rules
    assert "unfinished" in rule.problems


def test_too_many_rules_are_said_to_be_truncated(read: Read) -> None:
    firewall = parsed(read({LOCAL: {f"r{n}": OUT for n in range(2100)}}))
    store = firewall.stores["local"]
    assert len(store.rules) == 2000
    assert store.total == 2100
    assert store.truncated
    assert not firewall.complete


def test_the_deadline_ends_it(read: Read) -> None:
    reply = read({LOCAL: {f"r{n}": OUT for n in range(5)}, rf"{GPO}\FirewallRules": {"g": OUT}}, deadline=0.000001)
    # The shortest deadline there is (0.1 s) may or may not be enough; either way the section answers.
    assert reply["section"]["status"] == "ok"
    firewall = parsed(reply)
    assert reply["cut"] == (not firewall.complete)


def test_what_an_api_does_not_answer_stays_in_its_field(read: Read) -> None:
    firewall = parsed(read({}, {"firewall_profiles": {"throw": "no COM"}, "service:bfe": {"throw": "no SCM"}}))
    assert firewall.active is None
    assert firewall.judged == ("domain", "private", "public")
    assert firewall.active_error is not None
    assert firewall.bfe.state is None
    assert firewall.bfe.error is not None
    assert firewall.mpssvc.state == "running"


@pytest.mark.parametrize(
    ("bits", "active"), [(1, ("domain",)), (6, ("private", "public")), (0, None), (7, ("domain", "private", "public"))]
)
def test_active_profiles(read: Read, bits: int, active: tuple[str, ...] | None) -> None:
    assert parsed(read({}, {"firewall_profiles": bits})).active == active


def test_every_real_rule_is_read_quickly(read: Read) -> None:
    if not REAL.is_file():
        pytest.skip("the collected rule strings are not on this machine")
    tree: dict[str, dict[str, str]] = {LOCAL: {}, rf"{GPO}\FirewallRules": {}, APPISO: {}, STATIC: {}}
    where = dict(zip(("local", "gpo", "appiso", "unknown"), tree, strict=True))
    with REAL.open(encoding="utf-8", newline="\n") as lines:
        for number, line in enumerate(lines):
            store, name, raw = line.rstrip("\n").split("\t", 2)
            tree[where[store]][f"{name} {number}"] = raw
    reply = read(tree)
    firewall = parsed(reply)
    assert sum(store.total for store in firewall.stores.values()) == 2321
    sent = {rule.text() for rule in firewall.rules}
    everything = {raw for store in tree.values() for raw in store.values()}
    assert sent <= everything
    # Mono's registry is XML on disk; Windows' is faster.
    assert reply["section"]["elapsed_ms"] < 3000


MINIMAL: dict[str, t.Any] = {
    "policy_version": None,
    "active_profiles": {"bits": 2, "error": None},
    "services": {name: {"state": "running", "start": 2, "error": None} for name in ("mpssvc", "bfe")},
    "profiles": {store: {} for store in ("local", "gpo", "mdm")},
    "stores": {
        name: {
            "present": True,
            "truncated": False,
            **dict.fromkeys(("total", "outbound", "packaged", "services", "malformed"), 0),
            "rules": [],
        }
        for name in ("local", "gpo", "mdm", "appiso", "static", "configurable")
    },
}


def changed(path: tuple[str, ...], value: object) -> dict[str, t.Any]:
    """MINIMAL with one value replaced."""

    def step(node: t.Any, rest: tuple[str, ...]) -> t.Any:
        return value if not rest else {**node, rest[0]: step(node[rest[0]], rest[1:])}

    return t.cast("dict[str, t.Any]", step(MINIMAL, path))


def test_the_least_that_is_a_section() -> None:
    assert parse_firewall(MINIMAL).active == ("private",)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((), []),
        (("services",), None),
        (("services", "bfe"), "running"),
        (("active_profiles", "bits"), -1),
        (("profiles", "local"), [1]),
        (("profiles", "local"), {"domain": {"EnableFirewall": "1"}}),
        (("profiles", "gpo"), {"standard": {"DisabledInterfaces": 5}}),
        (("stores", "local", "total"), -1),
        (("stores", "local", "truncated"), 0),
        (("stores", "local", "rules"), {}),
        (("stores", "local", "rules"), [["name"]]),
        (("stores", "local", "rules"), [["name", 5]]),
        (("stores", "local", "rules"), [["n" * 700, OUT]]),
        (("stores", "local", "rules"), [["n", "x" * 20000]]),
        (("stores", "local", "rules"), [["n", OUT]] * 3001),
        (("stores", "mdm"), None),
    ],
)
def test_a_section_of_another_shape_is_refused(path: tuple[str, ...], value: object) -> None:
    with pytest.raises(ShapeError) as caught:
        parse_firewall(changed(path, value))
    assert caught.value.path.startswith("firewall")


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=6,
)
_paths = st.sampled_from(
    [
        *((key,) for key in MINIMAL),
        *(("stores", name) for name in MINIMAL["stores"]),
        *(("stores", "local", key) for key in MINIMAL["stores"]["local"]),
        ("profiles", "gpo"),
        ("services", "bfe"),
        ("active_profiles", "error"),
    ]
)


@given(_paths, _json)
def test_a_host_may_send_anything(path: tuple[str, ...], value: object) -> None:
    try:
        firewall = parse_firewall(changed(path, value))
    except ShapeError:
        return
    firewall.book().evaluate_all(Query(443, "203.0.113.10"))


@given(st.lists(st.tuples(st.text(max_size=20), st.text(max_size=200)), max_size=5))
def test_rules_of_any_text_are_survived(pairs: list[tuple[str, str]]) -> None:
    firewall = parse_firewall(changed(("stores", "local", "rules"), [list(pair) for pair in pairs]))
    assert [rule.text() for rule in firewall.rules] == [raw for name, raw in pairs]
    firewall.book().evaluate_all(Query(443, "203.0.113.10"))
