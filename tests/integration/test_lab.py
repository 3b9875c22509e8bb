# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The network lab itself: it comes up and goes without a trace, and each fault does what its name says.

Looked at with bare sockets (lab/eyes.py), never with the product: the product is tested against the lab.
"""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path

import lab
import pytest
from lab import addresses, ntp
from lab.dns import packet
from lab.eyes import Looked, Seen, all_answers, connect, fetch, look_up, outcome
from lab.netns import names as namespaces
from lab.runtime import BASE, alive

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(os.geteuid() != 0 or sys.platform != "linux", reason="the lab needs Linux and root"),
    pytest.mark.skipif(
        shutil.which("nginx", path="/usr/sbin:/usr/bin") is None, reason="the lab's servers are not here"
    ),
]

FIRMA, UYG, PORTAL = "firma.myedefter.com.tr", "uyg.edefter.gov.tr", "portal.emikro.com.tr"
FIRMA4, FIRMA6 = "203.0.113.20", "2001:db8:113::20"
NTP1, NTP1_4 = "ntp1.lab.example", "198.51.100.111"


@pytest.fixture(scope="module")
def net() -> Iterator[lab.Lab]:
    with lab.Lab(lab.unique("t")) as made:
        made.add_site("ankara")
        made.add_host("pc1", site="ankara")
        made.add_host("pc2", site="ankara")
        made.add_site("izmir", ipv6=False)
        made.add_host("pc3", site="izmir")
        yield made


@pytest.fixture(autouse=True)
def _no_fault_left(net: lab.Lab) -> Iterator[None]:
    yield
    net.clear_faults()


@pytest.fixture
def pc1(net: lab.Lab) -> lab.Host:
    return net.host("pc1")


@pytest.fixture
def pc2(net: lab.Lab) -> lab.Host:
    return net.host("pc2")


def healthy(net: lab.Lab, host: lab.Host, *others: str) -> None:
    """The rest of that host's world is unharmed."""
    for name in others or (UYG,):
        seen = fetch(net, host, name)
        assert (seen.phase, seen.outcome, seen.status) == ("http", "ok", 200), (host.name, name, seen)


def near(answer: ntp.Answer | None, truth: float = 0.0) -> bool:
    """The answer is right: within half its delay, however busy this machine is."""
    return answer is not None and abs(answer.offset - truth) <= answer.delay / 2 + 0.001


def ends(net: lab.Lab, host: lab.Host, address: str, port: int, how: str) -> bool:
    """A connect ends just so. Silence is waited for briefly, anything else patiently."""
    return connect(net, host, address, port, timeout=0.3 if how == "timeout" else 3.0) == how


# ---- up and down -----------------------------------------------------------------------------------------------------


def test_up_and_down_leave_nothing() -> None:
    name = lab.unique("u")
    started = time.monotonic()
    net = lab.Lab(name).up()
    net.add_site("s")
    host = net.add_host("pc", site="s")
    took = time.monotonic() - started
    net.fault("slow", host=host, delay_ms=1)
    net.fault("dns_nxdomain", host=host, endpoint=FIRMA)
    net.fault("tls_intercepted_trusted", host=host, endpoint=FIRMA)
    net.fault("ntp_skewed", offset=1)
    net.fault("http_stall", endpoint=FIRMA)
    assert net.proxy_url
    sleeper = net.popen(host, ["sleep", "600"])
    processes = net.runtime.read()["processes"]
    assert len(processes) >= 9
    assert all(alive(process) for process in processes)
    net.down()
    assert sleeper.wait(timeout=5) != 0
    assert namespaces(net.prefix) == []
    assert not (BASE / name).exists()
    assert not list(Path("/etc/netns").glob(f"{net.prefix}*"))
    assert not list(Path("/dev/shm").glob(f"*{name}*"))
    assert not any(alive(process) for process in processes)
    assert took < 5, f"took {took:.1f} s to come up"
    net.down()  # again: nothing to do, no error


def test_up_cleans_what_a_killed_run_left() -> None:
    name = lab.unique("k")
    script = f"import lab, os; n = lab.Lab({name!r}).up(); n.add_site('s'); n.add_host('pc', site='s'); os._exit(9)"
    environment = {**os.environ, "PYTHONPATH": str(Path(lab.__file__).parent.parent)}
    assert subprocess.run([sys.executable, "-c", script], env=environment, check=False).returncode == 9
    processes = lab.Lab.attach(name).runtime.read()["processes"]
    assert len(processes) == 3
    assert all(alive(process) for process in processes)
    with lab.Lab(name) as net:
        assert not any(alive(process) for process in processes)
        assert set(net.hosts) == {"ctl"}
    assert namespaces(net.prefix) == []


def test_a_unique_name_clears_away_the_dead() -> None:
    script = "import lab, os; n = lab.Lab(lab.unique('x')).up(); print(n.name, flush=True); os._exit(9)"
    environment = {**os.environ, "PYTHONPATH": str(Path(lab.__file__).parent.parent)}
    argv = [sys.executable, "-c", script]
    dead = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False).stdout.strip()
    assert namespaces(f"edr-{dead}-")
    assert lab.unique("x") == f"x{os.getpid()}"
    assert namespaces(f"edr-{dead}-") == []
    assert not (BASE / dead).exists()


def test_two_labs_at_once(net: lab.Lab, pc1: lab.Host) -> None:
    with lab.Lab(lab.unique("v")) as other:
        other.add_site("ankara")
        twin = other.add_host("pc1", site="ankara")
        with other.fault("tcp_drop", endpoint=FIRMA):
            assert ends(other, twin, FIRMA4, 443, "timeout")
            assert connect(net, pc1, FIRMA4, 443) == "ok"
    healthy(net, pc1)


def test_a_lab_in_use_is_not_taken_away() -> None:
    name = lab.unique("w")
    script = f"import lab, sys; n = lab.Lab({name!r}).up(); print('up', flush=True); sys.stdin.read(); n.down()"
    environment = {**os.environ, "PYTHONPATH": str(Path(lab.__file__).parent.parent)}
    argv = [sys.executable, "-c", script]
    with subprocess.Popen(argv, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "up\n"
        with pytest.raises(lab.LabError, match=f"in use by process {other.pid}"):
            lab.Lab(name).up()
        assert ntp.ask(f"edr-{name}-inet", NTP1_4) is not None
        other.communicate("")
    assert other.returncode == 0
    assert namespaces(f"edr-{name}-") == []


def test_a_namespace_has_no_way_out(net: lab.Lab) -> None:
    for space in namespaces(net.prefix):
        out = net.run(space, ["ip", "-o", "link", "show"]).stdout
        peers = [line for line in out.splitlines() if "link-netnsid" in line or "link-netns" in line]
        wires = [line for line in out.splitlines() if "@" in line.split(":")[1]]
        assert len(wires) == len(peers), out


def test_command_line(tmp_path: Path) -> None:
    name = lab.unique("c")
    environment = {**os.environ, "PYTHONPATH": str(Path(lab.__file__).parent.parent)}

    def cli(*words: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "lab", words[0], "--name", name, *words[1:]]
        return subprocess.run(argv, env=environment, capture_output=True, text=True, check=False, cwd=tmp_path)

    try:
        assert cli("up", "--site", "ankara:pc1,pc2").returncode == 0
        assert '"alive": true' in cli("status").stdout
        shown = cli("exec", "pc1", "--", "cat", "/etc/hosts")
        assert "10.1.0.10 pc1" in shown.stdout
        made = cli("fault", "dns_lie", "--host", "pc1", "--endpoint", FIRMA, "--set", "addresses=['203.0.113.99']")
        assert made.returncode == 0, made.stderr
        net = lab.Lab.attach(name)
        assert look_up(net, net.host("pc1"), FIRMA) == Looked(0, ["203.0.113.99"])
        assert cli("fault", "--clear", made.stdout.strip()).returncode == 0
        assert look_up(net, net.host("pc1"), FIRMA) == Looked(0, [FIRMA4])
        assert cli("fault", "no_such_fault").returncode == 1
        assert "no fault" in cli("fault", "no_such_fault").stderr
    finally:
        assert cli("down").returncode == 0
    assert cli("status").returncode == 1


def test_wrong_requests_say_what_is_wrong_and_leave_nothing(net: lab.Lab) -> None:
    with pytest.raises(ValueError, match="no fault 'nonsense'"):
        net.fault("nonsense")
    with pytest.raises(ValueError, match="no lab service"):
        net.fault("tcp_drop", site="ankara", endpoint="nobody.example")
    with pytest.raises(ValueError, match="unexpected keyword"):
        net.fault("tcp_drop", site="ankara", flavour="sour")
    with pytest.raises(ValueError, match="no host"):
        net.fault("tcp_drop", host="pc99")
    with pytest.raises(ValueError, match="say host= or site="):
        net.fault("tls_intercepted", endpoint=FIRMA)
    with pytest.raises(ValueError, match="at most 12"):
        lab.Lab("a-name-with-dashes")
    state = net.runtime.read()
    assert state["faults"] == {}
    assert state["rules"] == []


# ---- a healthy lab ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["ctl", "pc1", "pc3"])
def test_every_service_answers(net: lab.Lab, who: str) -> None:
    host = net.host(who)
    for service in addresses.WEB:
        assert look_up(net, host, service.name) == Looked(0, sorted(service.v4))
        assert look_up(net, host, service.name, 28) == Looked(0, sorted(service.v6))
        for port in service.ports:
            for address in service.addresses if host.address6 else service.v4:
                seen = fetch(net, host, service.name, port, address=address)
                assert (seen.phase, seen.outcome) == ("http", "ok"), (service.name, port, address, seen)
                assert abs(parsedate_to_datetime(seen.headers["date"]).timestamp() - time.time()) < 2
    ncsi = fetch(net, host, "www.msftconnecttest.com", 80, path="/connecttest.txt")
    assert ncsi.body == addresses.NCSI_TEXT.encode()
    for service in addresses.NTP:
        for address in service.v4:
            answer = ntp.ask(host.netns, address)
            assert answer is not None
            assert (answer.leap, answer.stratum) == (0, 2)
            assert near(answer)


def test_what_is_not_there(net: lab.Lab, pc1: lab.Host) -> None:
    assert look_up(net, pc1, "k3x9q.example") == Looked(3, [])
    assert ends(net, pc1, addresses.TEST_NET, 443, "timeout")
    assert ends(net, pc1, "203.0.113.77", 443, "timeout")
    assert connect(net, pc1, "203.0.113.10", 4443) == "ECONNREFUSED"
    assert connect(net, net.host("pc3"), FIRMA6, 443) == "ENETUNREACH"


def test_a_host_trusts_the_lab_and_resolves_by_itself(net: lab.Lab, pc1: lab.Host) -> None:
    code = f"import urllib.request; print(urllib.request.urlopen('https://{FIRMA}:4443/', timeout=5).status)"
    done = net.run(pc1, ["/usr/bin/python3", "-c", code])
    assert done.stdout.strip() == "200", done.stderr


def test_a_branch_is_one_address_on_the_internet_and_open_to_the_control_node(net: lab.Lab, pc1: lab.Host) -> None:
    with net.inside(net.inet):
        listener = socket.create_server(("203.0.113.10", 9999))
    try:
        assert connect(net, pc1, "203.0.113.10", 9999) == "ok"
        connection, peer = listener.accept()
        connection.close()
        assert peer[0] == net.site("ankara").wan4
    finally:
        listener.close()
    with net.inside(pc1):
        service = socket.create_server((pc1.address, 5985))
    try:
        with net.fault("tcp_drop", site="ankara"):
            assert connect(net, net.control_host, pc1.address, 5985) == "ok"
        connection, peer = service.accept()
        connection.close()
        assert peer[0] == net.control_host.address
    finally:
        service.close()


# ---- DNS -------------------------------------------------------------------------------------------------------------

DNS: dict[str, Looked | str] = {
    "dns_nxdomain": Looked(3, []),
    "dns_servfail": Looked(2, []),
    "dns_refused": Looked(5, []),
    "dns_nodata": Looked(0, []),
    "dns_timeout": "timeout",
    "dns_sinkhole": Looked(0, ["208.91.112.55"]),
    "dns_private": Looked(0, ["192.168.1.254"]),
    "dns_loopback": Looked(0, ["127.0.0.1"]),
    "dns_zero": Looked(0, ["0.0.0.0"]),
    "dns_differs": Looked(0, ["203.0.113.110"]),
    "dns_hijack": Looked(0, ["203.0.113.200"]),
    "dns_truncated": Looked(0, [], truncated=True),
}


@pytest.mark.parametrize("name", DNS)
def test_dns_fault(net: lab.Lab, pc1: lab.Host, pc2: lab.Host, name: str) -> None:
    true = Looked(0, [FIRMA4])
    patience = 0.4 if DNS[name] == "timeout" else 3.0
    with net.fault(name, host="pc1", endpoint=FIRMA):
        assert look_up(net, pc1, FIRMA, timeout=patience) == DNS[name]
        assert look_up(net, pc1, FIRMA, server="198.51.100.54", timeout=patience) == DNS[name]
        assert look_up(net, pc1, UYG) == Looked(0, ["203.0.113.10"])
        assert look_up(net, pc2, FIRMA) == true
    assert look_up(net, pc1, FIRMA) == true
    with net.fault(name, site="ankara", endpoint=FIRMA):
        assert look_up(net, pc2, FIRMA, timeout=patience) == DNS[name]
        assert look_up(net, net.control_host, FIRMA) == true
    with net.fault(name, endpoint=FIRMA):
        for who in ("pc1", "pc3", "ctl"):
            assert look_up(net, net.host(who), FIRMA, timeout=patience) == DNS[name]
        assert look_up(net, pc1, UYG) == Looked(0, ["203.0.113.10"])
    assert look_up(net, net.control_host, FIRMA) == true


def test_dns_one_resolver_only(net: lab.Lab, pc1: lab.Host) -> None:
    with net.fault("dns_servfail", host=pc1, resolver="198.51.100.53"):
        assert look_up(net, pc1, FIRMA) == Looked(2, [])
        assert look_up(net, pc1, FIRMA, server="198.51.100.54") == Looked(0, [FIRMA4])


def test_dns_all_silent(net: lab.Lab, pc1: lab.Host, pc2: lab.Host) -> None:
    with net.fault("dns_timeout", host=pc1):
        assert look_up(net, pc1, UYG, timeout=0.3) == "timeout"
        assert look_up(net, pc2, UYG) == Looked(0, ["203.0.113.10"])


@pytest.mark.parametrize(
    ("icmp", "seen"), [("host", "EHOSTUNREACH"), ("port", "ECONNREFUSED"), ("admin", "EHOSTUNREACH")]
)
def test_dns_unreachable(net: lab.Lab, pc1: lab.Host, icmp: str, seen: str) -> None:
    with net.fault("dns_unreachable", site="ankara", icmp=icmp):
        assert look_up(net, pc1, FIRMA, strict=True) == seen
    assert look_up(net, pc1, FIRMA) == Looked(0, [FIRMA4])


def test_dns_slow(net: lab.Lab, pc1: lab.Host) -> None:
    with net.fault("dns_slow", host=pc1, endpoint=FIRMA, seconds=0.4):
        started = time.monotonic()
        assert look_up(net, pc1, FIRMA, timeout=3) == Looked(0, [FIRMA4])
        assert 0.4 <= time.monotonic() - started < 2


def test_dns_garbage_is_never_a_good_answer(net: lab.Lab, pc1: lab.Host) -> None:
    with net.fault("dns_garbage", host=pc1, endpoint=FIRMA):
        for _ in range(10):
            assert look_up(net, pc1, FIRMA) != Looked(0, [FIRMA4])


def test_dns_truncated_is_right_over_tcp(net: lab.Lab, pc1: lab.Host) -> None:
    with net.fault("dns_truncated", host=pc1, endpoint=FIRMA), net.inside(pc1):
        question = packet(FIRMA)
        with socket.create_connection(("198.51.100.53", 53), timeout=2) as sock:
            sock.sendall(len(question).to_bytes(2, "big") + question)
            answer = sock.recv(4096)
    assert socket.inet_aton(FIRMA4) in answer


def test_dns_injected_sends_two_answers(net: lab.Lab, pc1: lab.Host, pc2: lab.Host) -> None:
    with net.fault("dns_injected", host=pc1, endpoint=FIRMA):
        assert all_answers(net, pc1, FIRMA) == [Looked(0, ["203.0.113.200"]), Looked(0, [FIRMA4])]
        assert all_answers(net, pc1, UYG) == [Looked(0, ["203.0.113.10"])]
        assert all_answers(net, pc2, FIRMA) == [Looked(0, [FIRMA4])]


def test_dns_differs_leads_to_a_genuine_server_and_hijack_does_not(net: lab.Lab, pc1: lab.Host) -> None:
    assert fetch(net, pc1, FIRMA, 4443, address="203.0.113.110").status == 200
    assert fetch(net, pc1, FIRMA, 443, address="203.0.113.200").outcome == "verify:62"
    assert b"Domain parked" in fetch(net, pc1, FIRMA, 443, address="203.0.113.200", verify=False).body
    portal = fetch(net, pc1, FIRMA, 443, address="208.91.112.55", verify=False)
    assert b"Web Page Blocked" in portal.body


def test_hosts_override(net: lab.Lab, pc1: lab.Host, pc2: lab.Host) -> None:
    def resolve(host: lab.Host) -> str:
        return net.run(host, ["getent", "ahostsv4", FIRMA]).stdout.split()[0]

    with net.fault("hosts_override", host=pc1, endpoint=FIRMA, address="203.0.113.200"):
        assert resolve(pc1) == "203.0.113.200"
        assert resolve(pc2) == FIRMA4
        assert look_up(net, pc1, FIRMA) == Looked(0, [FIRMA4])
    assert resolve(pc1) == FIRMA4


# ---- TCP -------------------------------------------------------------------------------------------------------------

TCP = {
    "tcp_drop": ("timeout", "timeout"),
    "tcp_refused": ("ECONNREFUSED", "ECONNREFUSED"),
    "tcp_prohibited": ("EHOSTUNREACH", "EACCES"),
    "tcp_unreachable": ("EHOSTUNREACH", "EHOSTUNREACH"),
    "local_block": ("EACCES", "EACCES"),
    "no_route": ("ENETUNREACH", "ENETUNREACH"),
}


@pytest.mark.parametrize("name", TCP)
def test_tcp_fault(net: lab.Lab, pc1: lab.Host, pc2: lab.Host, name: str) -> None:
    four, six = TCP[name]
    with net.fault(name, host=pc1, endpoint=FIRMA):
        for port in (443, 4443):
            assert ends(net, pc1, FIRMA4, port, four)
            assert ends(net, pc1, FIRMA6, port, six)
        healthy(net, pc1)
        healthy(net, pc2, FIRMA)
    healthy(net, pc1, FIRMA)
    with net.fault(name, site="ankara", endpoint=[FIRMA, UYG]):
        assert ends(net, pc2, FIRMA4, 443, four)
        assert ends(net, pc2, "203.0.113.10", 443, four)
        healthy(net, pc2, "www.example.com")
        healthy(net, net.host("pc3"), FIRMA)
        healthy(net, net.control_host, FIRMA)
    with net.fault(name, host=pc1):
        assert ends(net, pc1, "198.51.100.22", 443, four)
        assert ends(net, pc1, FIRMA4, 4443, four)


@pytest.mark.parametrize("name", ["tcp_drop", "tcp_refused", "tcp_prohibited", "local_block"])
def test_one_port_only(net: lab.Lab, pc1: lab.Host, name: str) -> None:
    with net.fault(name, host=pc1, endpoint=FIRMA, port=4443):
        assert ends(net, pc1, FIRMA4, 4443, TCP[name][0])
        assert ends(net, pc1, FIRMA6, 4443, TCP[name][1])
        healthy(net, pc1, FIRMA)


def test_tcp_flaky(net: lab.Lab, pc1: lab.Host) -> None:
    with net.fault("tcp_flaky", site="ankara", endpoint=FIRMA, every=3):
        seen = [connect(net, pc1, FIRMA4, 443) for _ in range(9)]
        assert seen.count("ECONNREFUSED") == 3, seen
        assert seen.count("ok") == 6
        healthy(net, pc1)


@pytest.mark.parametrize(("how", "seen"), [("drop", "timeout"), ("prohibited", "EACCES"), ("refused", "ECONNREFUSED")])
def test_ipv6_dead(net: lab.Lab, pc1: lab.Host, how: str, seen: str) -> None:
    with net.fault("ipv6_dead", site="ankara", how=how):
        assert ends(net, pc1, FIRMA6, 443, seen)
        healthy(net, pc1, FIRMA)
    assert connect(net, pc1, FIRMA6, 443) == "ok"


@pytest.mark.parametrize(("name", "seen"), [("service_down", "timeout"), ("service_refused", "ECONNREFUSED")])
def test_service_down_for_everybody(net: lab.Lab, name: str, seen: str) -> None:
    with net.fault(name, endpoint=FIRMA):
        for who in ("pc1", "pc3", "ctl"):
            assert ends(net, net.host(who), FIRMA4, 443, seen)
            healthy(net, net.host(who))


def test_transparent_proxy_accepts_what_is_not_there(net: lab.Lab, pc1: lab.Host, pc2: lab.Host) -> None:
    with net.fault("transparent_proxy", host=pc1):
        assert connect(net, pc1, addresses.TEST_NET, 443) == "ok"
        assert ends(net, pc2, addresses.TEST_NET, 443, "timeout")
        healthy(net, pc1, FIRMA)


# ---- TLS and certificates --------------------------------------------------------------------------------------------

TLS = {
    "tls_reset": "ECONNRESET",
    "tls_eof": "eof",
    "tls_stall": "timeout",
    "mtu_black_hole": "timeout",
    "tls_not_tls": "WRONG_VERSION_NUMBER",
    "tls_alert": "SSLV3_ALERT_HANDSHAKE_FAILURE",
    "tls_server_stall": "timeout",
    "tls_old": "TLSV1_ALERT_PROTOCOL_VERSION",
    "cert_expired": "verify:10",
    "cert_not_yet_valid": "verify:9",
    "cert_self_signed": "verify:18",
    "cert_wrong_name": "verify:62",
    "cert_unknown_issuer": "verify:20",
    "cert_incomplete": "verify:20",
    "cert_weak": "verify:66",
    "tls_intercepted": "verify:20",
}
GATEWAY_ONLY = {"tls_intercepted"}


@pytest.mark.parametrize("name", TLS)
def test_tls_fault(net: lab.Lab, pc1: lab.Host, pc2: lab.Host, name: str) -> None:
    def broken(host: lab.Host, port: int, address: str | None = None) -> None:
        seen = fetch(net, host, FIRMA, port, address=address, timeout=0.5 if TLS[name] == "timeout" else 3.0)
        assert (seen.phase, seen.outcome) == ("tls", TLS[name]), (host.name, port, address, seen)

    with net.fault(name, host=pc1, endpoint=FIRMA):
        for port in (443, 4443):
            broken(pc1, port)
        broken(pc1, 443, FIRMA6)
        healthy(net, pc1)
        healthy(net, pc2, FIRMA)
    healthy(net, pc1, FIRMA)
    with net.fault(name, site="ankara", endpoint=FIRMA, port=4443):
        broken(pc2, 4443)
        healthy(net, pc2, FIRMA, UYG)
        healthy(net, net.control_host, FIRMA)
    if name not in GATEWAY_ONLY:
        with net.fault(name, endpoint=FIRMA):
            for who in ("pc1", "pc3", "ctl"):
                broken(net.host(who), 443)
                healthy(net, net.host(who))


def test_sni_filter_looks_at_the_name_not_the_address(net: lab.Lab, pc1: lab.Host) -> None:
    with net.fault("tls_reset", host=pc1, endpoint=FIRMA):
        neutral = fetch(net, pc1, "www.example.com", 443, address=FIRMA4, verify=False)
        assert neutral.phase == "http"
        assert fetch(net, pc1, FIRMA, 443, address="203.0.113.10").outcome == "ECONNRESET"
        assert connect(net, pc1, FIRMA4, 443) == "ok"


@pytest.mark.parametrize(
    ("alert", "reason"),
    [(40, "SSLV3_ALERT_HANDSHAKE_FAILURE"), (70, "TLSV1_ALERT_PROTOCOL_VERSION"), (112, "TLSV1_UNRECOGNIZED_NAME")],
)
def test_tls_alert(net: lab.Lab, pc1: lab.Host, alert: int, reason: str) -> None:
    with net.fault("tls_alert", host=pc1, endpoint=FIRMA, alert=alert):
        assert fetch(net, pc1, FIRMA).outcome == reason


def test_tls13_only_refuses_an_old_client(net: lab.Lab, pc1: lab.Host) -> None:
    with net.fault("tls13_only", host=pc1, endpoint=FIRMA):
        assert fetch(net, pc1, FIRMA).tls_version == "TLSv1.3"
        old = fetch(net, pc1, FIRMA, maximum=ssl.TLSVersion.TLSv1_2)
        assert (old.phase, old.outcome) == ("tls", "TLSV1_ALERT_PROTOCOL_VERSION")


def test_tls_garbage_never_becomes_tls(net: lab.Lab, pc1: lab.Host) -> None:
    with net.fault("tls_garbage", host=pc1, endpoint=FIRMA):
        for _ in range(5):
            seen = fetch(net, pc1, FIRMA)
            assert seen.phase == "tls"
            assert seen.outcome != "ok"


@pytest.mark.parametrize(("ca", "issuer"), [("corporate", "Ornek Holding"), ("vendor", "Fortinet")])
def test_tls_intercepted_and_trusted(net: lab.Lab, pc1: lab.Host, pc2: lab.Host, ca: str, issuer: str) -> None:
    roots = net.corporate_ca_file if ca == "corporate" else net.pki.vendor
    with net.fault("tls_intercepted_trusted", host=pc1, ca=ca):
        for name, port in ((FIRMA, 4443), (UYG, 443), ("www.example.com", 443)):
            seen = fetch(net, pc1, name, port)
            assert (seen.phase, seen.outcome, seen.status) == ("http", "ok", 200)
            assert issuer in seen.issuer
            assert name.encode() in seen.body, "the page is the true one, seen through the inspector"
            assert fetch(net, pc1, name, port, roots=net.ca_file).outcome == "verify:20"
            assert fetch(net, pc1, name, port, roots=roots).status == 200
        healthy(net, pc2, FIRMA)
    assert "Lab Kok" in fetch(net, pc1, FIRMA).issuer
    with net.fault("tls_intercepted", host=pc1, ca=ca):
        assert fetch(net, pc1, FIRMA).outcome == "verify:20"


def test_root_missing_shows_the_genuine_certificate(net: lab.Lab, pc1: lab.Host, pc2: lab.Host) -> None:
    with net.fault("root_missing", host=pc1):
        assert fetch(net, pc1, FIRMA).outcome == "verify:20"
        assert "Lab Kok" in fetch(net, pc1, FIRMA, roots=net.ca_file).issuer
        code = f"import urllib.request; urllib.request.urlopen('https://{FIRMA}/', timeout=5)"
        assert "CERTIFICATE_VERIFY_FAILED" in net.run(pc1, ["/usr/bin/python3", "-c", code]).stderr
        healthy(net, pc2, FIRMA)
    healthy(net, pc1, FIRMA)


# ---- HTTP and proxy --------------------------------------------------------------------------------------------------

HTTP: dict[str, Callable[[Seen], bool]] = {
    "http_403": lambda seen: seen.status == 403,
    "http_404": lambda seen: seen.status == 404,
    "http_407": lambda seen: seen.status == 407 and "basic" in seen.headers["proxy-authenticate"].lower(),
    "http_500": lambda seen: seen.status == 500,
    "http_502": lambda seen: seen.status == 502,
    "http_503": lambda seen: seen.status == 503,
    "http_511": lambda seen: seen.status == 511,
    "http_block_page": lambda seen: seen.status == 200 and b"Web Page Blocked" in seen.body,
    "http_block_redirect": lambda seen: seen.status == 302 and "192.168.100.1" in seen.headers["location"],
    "http_stall": lambda seen: seen.outcome == "timeout",
    "http_empty": lambda seen: seen.outcome in ("empty", "eof"),
    # (Python 3.11 reads a reset below TLS as the end of the stream.)
    "http_reset": lambda seen: seen.outcome == "ECONNRESET" or (sys.version_info < (3, 12) and seen.outcome == "empty"),
    "http_garbage": lambda seen: seen.outcome == "garbage",
    "http_huge": lambda seen: (
        seen.status == 200 and seen.headers["content-length"] == "50000000" and len(seen.body) > 90000
    ),
    "http_drip": lambda seen: seen.outcome == "timeout" or seen.seconds > 1,
}
FOREIGN_CERTIFICATE = {"http_block_page", "http_block_redirect"}


@pytest.mark.parametrize("name", [name for name in HTTP if name != "http_drip"])
@pytest.mark.parametrize("port", [80, 443])
def test_http_fault(net: lab.Lab, pc1: lab.Host, pc2: lab.Host, name: str, port: int) -> None:
    patience = 0.6 if name == "http_stall" else 3.0
    with net.fault(name, host=pc1, endpoint=PORTAL):
        seen = fetch(net, pc1, PORTAL, port, timeout=patience, verify=name not in FOREIGN_CERTIFICATE)
        assert seen.phase == "http", seen
        assert HTTP[name](seen), seen
        if port == 443 and name in FOREIGN_CERTIFICATE:
            assert fetch(net, pc1, PORTAL).outcome == "verify:20"
        healthy(net, pc1)
        assert fetch(net, pc2, PORTAL, port).status == 200
    with net.fault(name, endpoint=PORTAL, port=port):
        assert HTTP[name](
            fetch(net, net.host("pc3"), PORTAL, port, timeout=patience, verify=name not in FOREIGN_CERTIFICATE)
        )
        assert fetch(net, pc2, PORTAL, 443 if port == 80 else 80).status == 200


def test_http_drip_never_ends(net: lab.Lab, pc1: lab.Host) -> None:
    with (
        net.fault("http_drip", host=pc1, endpoint=PORTAL, seconds=0.05),
        net.inside(pc1),
        socket.create_connection(("203.0.113.30", 80), timeout=2) as sock,
    ):
        sock.sendall(b"GET / HTTP/1.1\r\nHost: portal.emikro.com.tr\r\n\r\n")
        started, got = time.monotonic(), b""
        while time.monotonic() - started < 0.6:
            got += sock.recv(100)
    assert b"HTTP/1.1".startswith(got[:8])
    assert 3 <= len(got) <= 20


@pytest.mark.parametrize("offset", [-7200.0, 420.0])
def test_http_date(net: lab.Lab, pc1: lab.Host, offset: float) -> None:
    with net.fault("http_date", host=pc1, endpoint=FIRMA, offset=offset):
        seen = fetch(net, pc1, FIRMA)
        assert seen.status == 200
        assert abs(parsedate_to_datetime(seen.headers["date"]).timestamp() - time.time() - offset) < 2


def test_captive_portal(net: lab.Lab, pc1: lab.Host, pc2: lab.Host) -> None:
    with net.fault("captive_portal", host=pc1):
        ncsi = fetch(net, pc1, "www.msftconnecttest.com", 80, path="/connecttest.txt")
        assert (ncsi.status, ncsi.headers["location"][:29]) == (302, "http://10.10.10.10:1000/fgtau")
        assert fetch(net, pc1, FIRMA, timeout=0.3).outcome == "timeout"
        assert fetch(net, pc2, "www.msftconnecttest.com", 80, path="/connecttest.txt").status == 200
        assert isinstance(look_up(net, pc1, FIRMA), Looked)
    with net.fault("captive_portal", site="ankara", https="intercept"):
        assert fetch(net, pc2, FIRMA).outcome == "verify:20"
        assert fetch(net, pc2, FIRMA, verify=False).status == 302


def through_proxy(net: lab.Lab, host: lab.Host, port: int = 4443) -> tuple[int, str]:
    """Status of CONNECT and the X-Squid-Error header, or (0, error)."""
    with net.inside(host):
        try:
            with socket.create_connection((addresses.PROXY4, addresses.PROXY_PORT), timeout=1.5) as sock:
                sock.settimeout(6)
                sock.sendall(f"CONNECT {FIRMA}:{port} HTTP/1.1\r\nHost: {FIRMA}:{port}\r\n\r\n".encode())
                head = sock.recv(8192).decode("latin-1")
        except OSError as error:
            return 0, outcome(error)
    error = next(
        (line.partition(":")[2].strip() for line in head.split("\r\n") if line.startswith("X-Squid-Error")), ""
    )
    return int(head.split()[1]), error.split(" ")[0]


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("proxy_407", (407, "ERR_CACHE_ACCESS_DENIED")),
        ("proxy_denied", (403, "ERR_ACCESS_DENIED")),
        ("proxy_dead", (0, "timeout")),
        ("proxy_refused", (0, "ECONNREFUSED")),
    ],
)
def test_proxy_fault(net: lab.Lab, pc1: lab.Host, pc2: lab.Host, name: str, seen: tuple[int, str]) -> None:
    assert net.proxy_url == "http://proxy.lab.example:3128"
    assert through_proxy(net, pc1) == (200, "")
    with net.fault(name, host=pc1):
        assert through_proxy(net, pc1) == seen
        assert through_proxy(net, pc2) == (200, "")
        healthy(net, pc1, FIRMA)
    assert through_proxy(net, pc1) == (200, "")


@pytest.mark.parametrize(("how", "seen"), [("drop", "timeout"), ("refused", "ECONNREFUSED")])
def test_proxy_required(net: lab.Lab, pc1: lab.Host, how: str, seen: str) -> None:
    with net.fault("proxy_required", site="ankara", how=how):
        assert ends(net, pc1, FIRMA4, 443, seen)
        assert through_proxy(net, pc1) == (200, "")
        healthy(net, net.host("pc3"), FIRMA)


def test_proxy_says_when_the_service_is_down(net: lab.Lab, pc1: lab.Host) -> None:
    assert net.proxy_url
    with net.fault("service_refused", endpoint=FIRMA):
        assert through_proxy(net, pc1) == (503, "ERR_CONNECT_FAIL")


# ---- the line --------------------------------------------------------------------------------------------------------


def round_trips(net: lab.Lab, host: lab.Host, count: int = 9) -> list[ntp.Answer]:
    found = [ntp.ask(host.netns, NTP1_4) for _ in range(count)]
    return [answer for answer in found if answer is not None]


def test_slow(net: lab.Lab, pc1: lab.Host, pc2: lab.Host) -> None:
    with net.fault("slow", host=pc1, delay_ms=20):
        assert 0.040 <= min(a.delay for a in round_trips(net, pc1)) < 0.050
        assert min(a.delay for a in round_trips(net, pc2)) < 0.020
        seen = fetch(net, pc1, FIRMA, 443, address=FIRMA6, timeout=3)
        assert seen.status == 200
        assert seen.seconds >= 0.12, "TCP, TLS and HTTP cost a round trip each"
    assert min(a.delay for a in round_trips(net, pc1)) < 0.020


def test_asymmetric_delay_shifts_the_measured_offset(net: lab.Lab, pc1: lab.Host) -> None:
    with net.fault("asymmetric", site="ankara", up_ms=80, down_ms=20):
        best = min(round_trips(net, pc1), key=lambda a: a.delay)
    assert 0.100 <= best.delay < 0.110
    assert abs(best.offset - 0.030) < 0.005


def test_slow_towards_one_service(net: lab.Lab, pc1: lab.Host) -> None:
    with net.fault("slow", site="ankara", endpoint=FIRMA, delay_ms=100):
        assert fetch(net, pc1, FIRMA, timeout=3).seconds >= 0.6
        assert fetch(net, pc1, UYG, timeout=3).seconds < 0.5


def test_loss_is_about_what_was_asked_for_and_repeatable(net: lab.Lab, pc1: lab.Host) -> None:
    def pattern(seed: int) -> list[bool]:
        got = []
        with (
            net.fault("loss", host=pc1, percent=25, seed=seed),
            net.inside(pc1),
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock,
        ):
            sock.connect(("198.51.100.53", 53))
            for ident in range(30):
                sock.send(packet(UYG, ident=ident))
                end, answered = time.monotonic() + 0.15, False
                while not answered and (left := end - time.monotonic()) > 0:
                    sock.settimeout(left)
                    try:
                        answered = sock.recv(512)[:2] == ident.to_bytes(2, "big")
                    except TimeoutError:
                        break
                got.append(answered)
        return got

    first = pattern(7)
    assert 4 <= first.count(False) <= 24, first
    assert pattern(7) == first
    assert pattern(8) != first


def test_two_per_cent_loss_and_delay_stay_usable(net: lab.Lab, pc1: lab.Host) -> None:
    with net.fault("slow", site="ankara", delay_ms=10, jitter_ms=5), net.fault("loss", site="ankara", percent=2):
        for _ in range(10):
            assert fetch(net, pc1, FIRMA, timeout=5).status == 200


def test_a_long_body_passes_the_slow_line_whole(net: lab.Lab, pc1: lab.Host) -> None:
    code = f"import urllib.request; print(len(urllib.request.urlopen('http://{PORTAL}/', timeout=20).read()))"
    with net.fault("http_huge", host=pc1, endpoint=PORTAL, size=2_000_000), net.fault("slow", host=pc1, delay_ms=2):
        done = net.run(pc1, [sys.executable, "-c", code])
    assert done.stdout.strip() == "2000000", done.stderr


# ---- time ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("offset", [0.9, -0.03, -420.0, 10800.0, -757382400.0, 1262304000.0])
def test_ntp_skewed(net: lab.Lab, pc1: lab.Host, pc2: lab.Host, offset: float) -> None:
    with net.fault("ntp_skewed", host=pc1, endpoint=NTP1, offset=offset):
        answer = min(round_trips(net, pc1, 5), key=lambda a: a.delay)
        # An NTP timestamp says nothing about its era: the difference counts modulo 2^32 seconds.
        error = (answer.offset - offset + 2**31) % 2**32 - 2**31
        assert abs(error) <= answer.delay / 2 + 0.001
        assert (answer.leap, answer.stratum) == (0, 2)
        assert near(ntp.ask(pc2.netns, NTP1_4))
        assert near(ntp.ask(pc1.netns, "198.51.100.112"))


def test_ntp_blocked_and_refused(net: lab.Lab, pc1: lab.Host) -> None:
    with net.fault("ntp_blocked", site="ankara"):
        assert ntp.ask(pc1.netns, NTP1_4, timeout=0.3) is None
        assert ntp.ask(net.control, NTP1_4) is not None
    with net.fault("ntp_refused", host=pc1), net.inside(pc1), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(1)
        sock.connect((NTP1_4, 123))
        sock.send(b"\x23" + bytes(47))
        with pytest.raises(OSError, match=r"\[Errno 113\]"):
            sock.recv(100)


@pytest.mark.parametrize("code", ["RATE", "DENY"])
def test_ntp_kod(net: lab.Lab, pc1: lab.Host, code: str) -> None:
    with net.fault("ntp_kod", endpoint=NTP1, code=code):
        answer = round_trips(net, pc1, 1)[0]
        assert (answer.leap, answer.stratum, answer.refid) == (3, 0, code.encode())


def test_ntp_unsynchronised_is_a_real_chronyd(net: lab.Lab, pc1: lab.Host) -> None:
    with net.fault("ntp_unsynchronised", endpoint=NTP1):
        answer = round_trips(net, pc1, 1)[0]
        assert (answer.leap, answer.stratum) == (3, 0)


def test_ntp_rate_limit_drops_a_greedy_client(net: lab.Lab, pc1: lab.Host) -> None:
    with net.fault("ntp_rate_limit", site="ankara", endpoint=NTP1):
        answers = [ntp.ask(pc1.netns, NTP1_4, timeout=0.05) for _ in range(40)]
    assert all(answer is not None for answer in answers[:4])
    assert sum(answer is None for answer in answers) >= 10


def test_ntp_answers_that_must_not_count(net: lab.Lab, pc1: lab.Host) -> None:
    with (
        net.fault("ntp_wrong_origin", host=pc1, endpoint=NTP1),
        net.inside(pc1),
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock,
    ):
        sock.settimeout(1)
        sock.connect((NTP1_4, 123))
        sock.send(b"\x23" + bytes(39) + b"our-cook")
        assert sock.recv(100)[24:32] != b"our-cook"
    with net.fault("ntp_bad_stratum", host=pc1, endpoint=NTP1):
        assert round_trips(net, pc1, 1)[0].stratum == 16
    with net.fault("ntp_far_root", host=pc1, endpoint=NTP1):
        assert round_trips(net, pc1, 1)[0].raw[4:12] == bytes.fromhex("0005000000090000")
    with net.fault("ntp_garbage", host=pc1, endpoint=NTP1):
        raws = [answer.raw for answer in round_trips(net, pc1, 12)]
        assert len({len(raw) for raw in raws}) > 1
    with net.fault("ntp_stepping", host=pc1, endpoint=NTP1, offset=30, after=2):
        offsets = [answer.offset for answer in round_trips(net, pc1, 4)]
        assert [round(offset) for offset in offsets] == [0, 0, 30, 30]


# ---- together --------------------------------------------------------------------------------------------------------


def test_faults_add_up_and_go_in_any_order(net: lab.Lab, pc1: lab.Host, pc2: lab.Host) -> None:
    slow = net.fault("slow", site="ankara", delay_ms=5)
    lie = net.fault("dns_hijack", host=pc1, endpoint=FIRMA)
    block = net.fault("tcp_drop", site="ankara", endpoint=FIRMA, port=4443)
    expired = net.fault("cert_expired", endpoint=UYG)
    assert look_up(net, pc1, FIRMA) == Looked(0, ["203.0.113.200"])
    assert ends(net, pc2, FIRMA4, 4443, "timeout")
    assert fetch(net, pc2, UYG).outcome == "verify:10"
    assert fetch(net, pc2, FIRMA).seconds >= 0.03
    assert set(net.active_faults) == {slow.number, lie.number, block.number, expired.number}
    slow.clear()
    assert look_up(net, pc1, FIRMA) == Looked(0, ["203.0.113.200"])
    assert ends(net, pc2, FIRMA4, 4443, "timeout")
    block.clear()
    lie.clear()
    assert connect(net, pc2, FIRMA4, 4443) == "ok"
    assert fetch(net, pc2, UYG).outcome == "verify:10"
    expired.clear()
    healthy(net, pc1, FIRMA, UYG)
    assert net.active_faults == {}


def test_every_fault_has_a_test() -> None:
    tested = {*DNS, *TCP, *TLS, *HTTP}
    source = Path(__file__).read_text(encoding="utf-8")
    untested = [name for name in lab.FAULTS if name not in tested and f'"{name}"' not in source]
    assert untested == []
