# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The endpoint probes in the lab: both twins at one host, under the same real fault, see the same and say it alike."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pathlib
import random
import shutil
import socket
import struct
import subprocess
import threading
import time
import typing as t
from collections.abc import Iterator

import lab
import pytest
from ansible_collections.edefter.ready.plugins.plugin_utils.observation import endpoints as endpoints_parser
from ansible_collections.edefter.ready.plugins.plugin_utils.observation import network as network_parser
from ansible_collections.edefter.ready.plugins.plugin_utils.observation import proxy as proxy_parser
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.envelope import parse_observation
from lab import netns, pki
from twins import Data, Twins
from windows_double.registry import Registry

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(
        os.geteuid() != 0 or shutil.which("mcs") is None, reason="needs root and Mono (scripts/setup.sh)"
    ),
]

UYG = {"id": "uyg", "host": "uyg.edefter.gov.tr", "port": 443, "scheme": "https", "path": "/"}
FIRMA = {"id": "firma-4443", "host": "firma.myedefter.com.tr", "port": 4443, "scheme": "https", "path": "/"}
PORTAL = {"id": "portal", "host": "portal.emikro.com.tr", "port": 80, "scheme": "http", "path": "/"}
CANARIES = [
    {"id": "random-name", "kind": "random_name", "host": "edefter.gov.tr"},
    {"id": "test-net", "kind": "test_net", "host": "192.0.2.1", "port": 443},
    {"id": "neutral-https", "kind": "https", "host": "www.microsoft.com", "port": 443},
    {
        "id": "ncsi",
        "kind": "http_text",
        "host": "www.msftconnecttest.com",
        "path": "/connecttest.txt",
        "expect": "Microsoft Connect Test",
    },
]
TIMEOUT = 1.5
SETTINGS = r"HKU\S-1-5-21-1-2-3-1001\Software\Microsoft\Windows\CurrentVersion\Internet Settings"


@pytest.fixture(scope="module")
def net() -> Iterator[lab.Lab]:
    with lab.Lab(lab.unique("tw")) as net:
        net.add_site("ankara")
        net.add_host("pc1", site="ankara")
        yield net


@pytest.fixture(scope="module")
def twins(net: lab.Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twins]:
    with Twins(net.host("pc1"), tmp_path_factory.mktemp("twins")) as twins:
        twins.call({"endpoints": [UYG], "canaries": []})  # compiled, loaded, warm
        yield twins


def section(observation: Data, name: str = "endpoints") -> Data:
    found = observation["sections"][name]
    assert found["error"] is None, found["error"]
    return t.cast(Data, found["data"])


def code(phase: Data | None) -> str | None:
    """Error code of a phase, "ok", or None when it was not reached."""
    if phase is None:
        return None
    return phase["error"]["code"] if phase["error"] else "ok"


def seen(target: Data) -> Data:
    """What a target's phases say, without times and addresses: the part on which the twins must agree."""
    lookup = target["dns"] or {"queries": []}
    tls = [a["tls"] for a in target["attempts"] if a["tls"]]
    pages = [a["http"] for a in target["attempts"] if a["http"]]
    return {
        "rcodes": {q["rcode"] for q in lookup["queries"]} - {None},
        "dns_errors": {code(q) for q in lookup["queries"]} - {"ok"},
        "injected": any(q["replies"] > 1 for q in lookup["queries"]),
        "truncated": any(q["truncated"] for q in lookup["queries"]),
        "sources": {a["source"] for a in target["attempts"]},
        "tcp": {code(a["tcp"]) for a in target["attempts"]},
        "tls": {code(x) for x in tls},
        "trusted": {x["trusted"] for x in tls},
        "chain_status": {s for x in tls for s in x["chain_status"]},
        "name_match": {x["name_match"] for x in tls},
        "leaves": {x["chain"][0]["sha256"] for x in tls if x["chain"]},
        "neutral_sni": {code(a["neutral_sni"]) for a in target["attempts"]} - {None},
        "http": {code(x) for x in pages},
        "status": {x["status"] for x in pages},
        "won": target["winner"] is not None,
    }


def keys(value: t.Any, path: str = "") -> Iterator[str]:
    """Every path of an observation that has a key, list positions left out."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield f"{path}.{key}"
            if key != "headers":
                yield from keys(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for inner in value:
            yield from keys(inner, f"{path}[]")


def check_contract(results: dict[str, Data]) -> None:
    """Both observations are whole, are read by the parsers, and have the same keys at the same places."""
    for observation in results.values():
        parsed = parse_observation(observation)
        endpoints_parser.parse_endpoints(parsed.sections["endpoints"].data)
        proxy_parser.parse_proxy(parsed.sections["proxy"].data)
        network_parser.parse_network(parsed.sections["network"].data)
    posix, windows = (set(keys(section(results[n])["targets"], "targets")) for n in ("posix", "windows"))
    # Only Linux tells who sent an ICMP error.
    differing = {k for k in posix ^ windows if ".icmp." not in k and not k.endswith(".malformed")}
    # An alert is or is not sent as the two libraries' hellos differ.
    assert {k for k in differing if ".alert." not in k} == set()


def test_healthy(twins: Twins) -> None:
    results = twins.call({"endpoints": [UYG, FIRMA, PORTAL], "canaries": CANARIES, "timeout": TIMEOUT, "seed": 7})
    check_contract(results)
    for name, observation in results.items():
        data = section(observation)
        assert observation["complete"] is True, name
        assert [x["address"] for x in data["resolvers"]] == list(lab.addresses.RESOLVERS4)
        assert [c["ok"] for c in data["canaries"]] == [True] * 4, name
        for target in data["targets"]:
            assert len(target["attempts"]) == 2
            assert target["winner"].count(":") > 1, "IPv6 goes first"
            assert {(code(a["tcp"]), code(a["http"])) for a in target["attempts"]} == {("ok", "ok")}
            assert [(q["rcode"], q["replies"], q["sent"], q["case_kept"]) for q in target["dns"]["queries"]] == [
                (0, 1, 1, True)
            ] * 4
        for target in data["targets"][:2]:
            for attempt in target["attempts"]:
                assert (attempt["tls"]["trusted"], attempt["tls"]["name_match"]) == (True, True)
                assert [c["is_ca"] for c in attempt["tls"]["chain"]] == [False, True]
    posix, windows = section(results["posix"]), section(results["windows"])
    for one, other in zip(posix["targets"], windows["targets"], strict=True):
        assert seen(one) == seen(other)
        by = {a["address"]: a for a in other["attempts"]}
        for attempt in one["attempts"]:
            same = by[attempt["address"]]
            assert attempt["http"]["body"] == same["http"]["body"]
            if attempt["tls"]:
                assert attempt["tls"]["chain"] == same["tls"]["chain"]


OK = {"tcp": {"ok"}, "tls": {"ok"}, "trusted": {True}, "http": {"ok"}, "status": {200}, "rcodes": {0}, "won": True}
UNTRUSTED = {**OK, "trusted": {False}}
FAULTS: list[tuple[str, Data, Data]] = [
    ("dns_nxdomain", {}, {"rcodes": {3}, "tcp": set(), "won": False}),
    ("dns_servfail", {}, {"rcodes": {2}, "tcp": set()}),
    ("dns_refused", {}, {"rcodes": {5}, "tcp": set()}),
    ("dns_nodata", {}, {"rcodes": {0}, "tcp": set()}),
    ("dns_timeout", {}, {"rcodes": set(), "dns_errors": {"timeout"}, "tcp": set()}),
    ("dns_unreachable", {}, {"rcodes": set(), "dns_errors": {"host_unreachable"}, "tcp": set()}),
    ("dns_truncated", {}, {**OK, "truncated": True}),
    ("dns_injected", {}, {"injected": True}),
    ("dns_hijack", {}, {**OK, "name_match": {False}}),
    ("dns_sinkhole", {}, {"trusted": {False}}),
    ("dns_loopback", {}, {"tcp": {"refused"}}),
    ("hosts_override", {}, {"sources": {"system", "query"}, "tcp": {"timeout", "ok"}, "won": False}),
    ("tcp_drop", {}, {"tcp": {"timeout"}, "tls": set(), "won": False}),
    ("tcp_refused", {}, {"tcp": {"refused"}}),
    ("tcp_prohibited", {}, {"tcp": {"host_unreachable"}}),
    ("tcp_unreachable", {}, {"tcp": {"host_unreachable"}}),
    ("no_route", {}, {"tcp": {"network_unreachable"}}),
    ("local_block", {}, {"tcp": {"access_denied"}}),
    ("ipv6_dead", {}, {"tcp": {"timeout", "ok"}, "status": {200}, "won": True}),
    ("tls_reset", {}, {"tls": {"reset"}, "neutral_sni": {"ok"}, "http": set()}),
    ("tls_eof", {}, {"tls": {"eof"}, "neutral_sni": {"ok"}}),
    ("tls_stall", {}, {"tls": {"timeout"}, "neutral_sni": {"ok"}}),
    ("mtu_black_hole", {}, {"tls": {"timeout"}, "neutral_sni": {"timeout"}}),
    ("tls_not_tls", {}, {"tls": {"not_tls"}}),
    ("tls_garbage", {}, {"tls": {"not_tls"}}),
    ("tls_alert", {"alert": 40}, {"tls": {"alert"}}),
    ("tls_old", {}, {"tls": {"version"}}),
    ("cert_expired", {}, {**UNTRUSTED, "chain_status": {"not_time_valid"}}),
    ("cert_not_yet_valid", {}, {**UNTRUSTED, "chain_status": {"not_time_valid"}}),
    ("cert_self_signed", {}, {**UNTRUSTED, "chain_status": {"untrusted_root"}}),
    ("cert_unknown_issuer", {}, {**UNTRUSTED, "chain_status": {"partial_chain"}}),
    ("cert_incomplete", {}, {**UNTRUSTED, "chain_status": {"partial_chain"}}),
    ("cert_wrong_name", {}, {**OK, "name_match": {False}}),
    ("tls_intercepted", {}, {**UNTRUSTED, "name_match": {True}}),
    ("tls_intercepted_trusted", {}, OK),
    ("http_403", {}, {"status": {403}, "http": {"ok"}}),
    ("http_503", {}, {"status": {503}}),
    ("http_stall", {}, {"http": {"timeout"}, "status": {None}}),
    ("http_empty", {}, {"http": {"eof"}, "status": {None}}),
    ("http_reset", {}, {"http": {"reset"}, "status": {None}}),
    ("http_garbage", {}, {"http": {"malformed"}, "status": {None}}),
    ("http_huge", {}, {"http": {"ok"}, "status": {200}}),
    ("http_drip", {}, {"http": {"timeout"}}),
    ("slow", {"delay_ms": 60}, OK),
    ("transparent_proxy", {}, OK),
]


@pytest.mark.parametrize(("fault", "options", "expected"), FAULTS, ids=[f[0] for f in FAULTS])
def test_fault(net: lab.Lab, twins: Twins, fault: str, options: Data, expected: Data) -> None:
    """The fault is seen by both twins in the same words, and the other endpoint stays as it was."""
    with net.fault(fault, host="pc1", endpoint=UYG["host"], **options):
        results = twins.call({"endpoints": [UYG, FIRMA], "canaries": [], "timeout": TIMEOUT, "deadline": 12.0})
    check_contract(results)
    wrong = {}
    for name, observation in results.items():
        target, other = section(observation)["targets"]
        found = {key: seen(target)[key] for key in expected}
        if found != expected:
            wrong[name] = found
        assert observation["complete"] is True
        if fault == "dns_unreachable":
            continue  # the resolvers are the same for all names
        quiet = seen(other)
        assert (quiet["tcp"], quiet["tls"], quiet["status"], quiet["trusted"]) == ({"ok"}, {"ok"}, {200}, {True}), name
    assert wrong == {}, f"expected {expected}"


def test_who_prohibits(net: lab.Lab, twins: Twins) -> None:
    with net.fault("tcp_prohibited", host="pc1", endpoint=UYG["host"]):
        results = twins.call({"endpoints": [UYG], "canaries": [], "timeout": TIMEOUT})
    by = {a["family"]: a["tcp"]["icmp"] for a in section(results["posix"])["targets"][0]["attempts"]}
    assert (by[4]["type"], by[4]["code"]) == (3, 13)
    assert (by[6]["type"], by[6]["code"]) == (1, 1)
    assert by[4]["from"].startswith("10.")


def test_addresses_of_the_vantage_are_tried(net: lab.Lab, twins: Twins) -> None:
    extra = [{"host": "UYG.edefter.gov.tr", "addresses": ["203.0.113.10", "not an address"]}]
    with net.fault("dns_nxdomain", host="pc1", endpoint=UYG["host"]):
        results = twins.call({"endpoints": [UYG], "extra_addresses": extra, "canaries": [], "timeout": TIMEOUT})
    for observation in results.values():
        (attempt,) = section(observation)["targets"][0]["attempts"]
        assert (attempt["address"], attempt["source"], code(attempt["http"])) == ("203.0.113.10", "vantage", "ok")


def test_canaries_notice(net: lab.Lab, twins: Twins) -> None:
    with net.fault("transparent_proxy", host="pc1"), net.fault("captive_portal", host="pc1"):
        results = twins.call({"endpoints": [], "canaries": CANARIES, "timeout": TIMEOUT})
    for observation in results.values():
        ok = {c["id"]: c["ok"] for c in section(observation)["canaries"]}
        assert ok["random-name"] is True
        assert ok["ncsi"] is False


# -- proxies --


@pytest.fixture(scope="module")
def proxied(net: lab.Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twins]:
    assert net.proxy_url == "http://proxy.lab.example:3128"
    environment = {"https_proxy": "http://ali:parola@proxy.lab.example:3128", "http_proxy": "proxy.lab.example:3128"}
    folder = tmp_path_factory.mktemp("proxied")
    with Twins(net.host("pc1"), folder, env=environment) as twins:
        Registry(folder / "registry-pc1").load({SETTINGS: {"ProxyEnable": 1, "ProxyServer": "proxy.lab.example:3128"}})
        twins.call({"endpoints": [], "canaries": []})
        yield twins


@pytest.mark.parametrize(
    ("fault", "tcp", "connect", "status", "plain"),
    [
        (None, "ok", 200, 200, 200),
        ("proxy_407", "ok", 407, None, 407),
        ("proxy_denied", "ok", 403, None, 200),
        ("proxy_dead", "timeout", None, None, None),
        ("proxy_refused", "refused", None, None, None),
        ("proxy_required", "ok", 200, 200, 200),
    ],
)
def test_proxy(
    net: lab.Lab,
    proxied: Twins,
    fault: str | None,
    tcp: str,
    connect: int | None,
    status: int | None,
    plain: int | None,
) -> None:
    with contextlib.ExitStack() as stack:
        if fault:
            stack.enter_context(net.fault(fault, **({"host": "pc1"} if fault == "proxy_required" else {})))
        results = proxied.call({"endpoints": [UYG, PORTAL], "canaries": [], "timeout": TIMEOUT})
    check_contract(results)
    for name, observation in results.items():
        uyg, portal = section(observation)["targets"]
        (through,) = uyg["proxy_attempts"]
        assert through["proxy"] == "proxy.lab.example:3128", name
        assert code(through["tcp"]) == tcp, name
        assert (through["connect"] or {}).get("status") == connect, name
        assert (through["http"] or {}).get("status") == status, name
        assert (portal["proxy_attempts"][0]["http"] or {}).get("status") == plain, name
        direct = {code(a["tcp"]) for a in uyg["attempts"]}
        assert direct == ({"timeout"} if fault == "proxy_required" else {"ok"}), name
        assert "parola" not in str(observation), name
        if fault == "proxy_407":
            assert through["connect"]["headers"]["proxy-authenticate"].startswith("Basic"), name
        if fault == "proxy_denied":
            assert through["connect"]["headers"]["x-squid-error"].startswith("ERR_ACCESS_DENIED"), name


# -- time --


@pytest.mark.parametrize("holes", [1, 6, 12])
def test_black_holes_cost_one_timeout(twins: Twins, holes: int) -> None:
    """With k of n endpoints black-holed everything ends within 1.2 × one connect timeout, whatever k."""
    dark = [{**UYG, "id": f"dark{n}", "host": f"192.0.2.{n + 10}"} for n in range(holes)]
    good = [{**(UYG, FIRMA, PORTAL)[n % 3], "id": f"good{n}"} for n in range(12 - holes)]
    for twin in (twins.posix, twins.windows):
        observation = twin.call("EndpointInfo", {"endpoints": dark + good, "canaries": [], "timeout": 2.0})
        assert observation["elapsed_ms"] <= 1.2 * 2000, twin.name
        for target in section(observation)["targets"]:
            assert (target["winner"] is None) is target["id"].startswith("dark"), twin.name


def test_the_deadline_cuts(net: lab.Lab, twins: Twins) -> None:
    with net.fault("http_drip", host="pc1", endpoint=UYG["host"]):
        results = twins.call({"endpoints": [UYG, FIRMA], "canaries": [], "timeout": 20.0, "deadline": 1.5})
    for name, observation in results.items():
        assert observation["elapsed_ms"] < 3500, name
        assert observation["complete"] is False, name
        uyg, firma = section(observation)["targets"]
        assert {code(a["http"]) for a in uyg["attempts"]} <= {"deadline", None}, name
        assert {code(a["http"]) for a in firma["attempts"]} == {"ok"}, name


# -- byte soup --


@dataclasses.dataclass
class SoupHost:
    """A namespace of its own with servers that answer with anything."""

    name: str
    netns: str
    trust_file: pathlib.Path


def _noise(rng: random.Random) -> bytes:
    """Anything, often with a beginning that makes the reader go on."""
    soup = rng.randbytes(rng.choice([0, 1, 3, 20, 400, 9000]))
    starts = [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        b"\x16\x03\x03",
        b"\x16\x03\x03\x02\x00\x02\x00\x00\x4c\x03\x03",
        b"\x15\x03\x03\x00\x02\x02",
    ]
    return rng.choice(starts) + soup


def _serve_dns(rng: random.Random) -> None:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 53))

    def loop() -> None:
        while True:
            with contextlib.suppress(OSError):
                question, peer = sock.recvfrom(2048)
                head = struct.pack(
                    "!2H",
                    struct.unpack_from("!H", question)[0],
                    rng.choice([0x8180, 0x8380, 0x8183, rng.getrandbits(16)]),
                )
                counts = struct.pack("!4H", 1, rng.randrange(5), 0, 0)
                for _ in range(rng.randrange(4)):
                    end = rng.choice([len(question), rng.randrange(12, len(question))])
                    sock.sendto(head + counts + question[12:end] + rng.randbytes(rng.randrange(300)), peer)

    threading.Thread(target=loop, daemon=True).start()


def _serve_tcp(port: int, rng: random.Random) -> None:
    server = socket.create_server(("127.0.0.1", port), backlog=256)

    def answer(sock: socket.socket) -> None:
        with contextlib.suppress(OSError), sock:
            sock.settimeout(0.2)
            with contextlib.suppress(OSError):
                sock.recv(4096)
            for _ in range(rng.randrange(1, 4)):
                sock.sendall(_noise(rng))
            if rng.random() < 0.3:
                time.sleep(2)
            if rng.random() < 0.3:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def loop() -> None:
        while True:
            with contextlib.suppress(OSError):
                threading.Thread(target=answer, args=(server.accept()[0],), daemon=True).start()

    threading.Thread(target=loop, daemon=True).start()


@pytest.fixture(scope="module")
def soup(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twins]:
    name = f"edr-{lab.unique('soup')}"
    folder = tmp_path_factory.mktemp("soup")
    trust = folder / "roots.pem"
    trust.write_bytes(lab_ca())
    etc = netns.ETC_NETNS / name
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
        etc.mkdir(parents=True)
        (etc / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        with netns.inside(name):
            _serve_dns(random.Random(1))
            for port in (53, 80, 443):
                _serve_tcp(port, random.Random(port))
        with Twins(SoupHost("soup", name, trust), folder) as twins:
            yield twins
    finally:
        shutil.rmtree(etc, ignore_errors=True)
        subprocess.run(["ip", "netns", "del", name], check=True)


def lab_ca() -> bytes:
    """A root that is trusted; which one does not matter."""
    return pki.ensure().ca.read_bytes()


def high_water(pid: int) -> int:
    """Most memory that a process ever held, in MiB."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) // 1024


@pytest.mark.slow
def test_byte_soup(soup: Twins) -> None:
    """Servers that answer with anything: nobody crashes, nobody hangs, and memory stays where it was."""
    kinds = [("https", 443), ("http", 80)]
    endpoints = [
        {
            "id": f"e{n}",
            "host": "127.0.0.1" if n % 3 else f"soup{n}.example",
            "port": kinds[n % 2][1],
            "scheme": kinds[n % 2][0],
            "path": "/",
        }
        for n in range(24)
    ]
    for _ in range(4):
        started = time.monotonic()
        results = soup.call({"endpoints": endpoints, "canaries": CANARIES[:1], "timeout": 1.0, "deadline": 8.0})
        assert time.monotonic() - started < 9.8
        for name, observation in results.items():
            data = section(observation)
            endpoints_parser.parse_endpoints(parse_observation(observation).sections["endpoints"].data)
            assert len(data["targets"]) == len(endpoints), name
            for target in data["targets"]:
                for attempt in target["attempts"]:
                    assert "error" not in {code(attempt[phase]) for phase in ("tcp", "tls", "http")}, (name, attempt)
    assert high_water(soup.posix.pid) < 150
    assert high_water(soup.windows.pid) < 400


@pytest.mark.parametrize("bad", [{"path": "/ HTTP/1.1\r\nX: y"}, {"path": "x"}, {"host": "a b"}, {"host": "a\r\nb"}])
def test_nothing_gets_into_a_request_line(twins: Twins, bad: Data) -> None:
    results = twins.call({"endpoints": [{**UYG, **bad}], "canaries": []})
    for observation in results.values():
        assert observation["sections"]["endpoints"]["status"] == "error"
        assert observation["sections"]["endpoints"]["error"]["code"] == "error"
