# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lists at work: a branch whose gateway lets out nothing but what the Squid or the nftables list says."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator

import lab
import pytest
from ansible_collections.edefter.ready.plugins.plugin_utils import catalog
from ansible_collections.edefter.ready.plugins.plugin_utils.perimeter import devices, model

SBIN = "/usr/sbin:/usr/bin:/sbin:/bin"
pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(os.geteuid() != 0 or sys.platform != "linux", reason="the lab needs Linux and root"),
    pytest.mark.skipif(
        any(shutil.which(name, path=SBIN) is None for name in ("nginx", "squid", "dnsmasq", "nft")),
        reason="squid, dnsmasq, nft or the lab's servers are not here",
    ),
]
WANTED = model.targets(catalog.endpoints(), catalog.time_sources())
INSIDE = (
    "https://uyg.edefter.gov.tr/",
    "https://firma.myedefter.com.tr/",
    "https://firma.myedefter.com.tr:4443/",
    "http://portal.emikro.com.tr/",
)
# Another name, another name at a listed port, and a listed name at a port that it does not need.
OUTSIDE = ("https://www.example.com/", "http://www.example.com/", "https://uyg.edefter.gov.tr:4443/")
OPENED = """
import sys, urllib.request
handlers = [urllib.request.ProxyHandler({"http": sys.argv[2], "https": sys.argv[2]} if sys.argv[2] else {})]
try:
    with urllib.request.build_opener(*handlers).open(sys.argv[1], timeout=3) as answer:
        print("open", answer.status)
except Exception as error:
    print("closed", type(error).__name__, error)
"""
# One SNTP request: mode 3, version 4; an answer of the server is mode 4.
ASKED = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(2)
try:
    s.sendto(b"\\x23" + bytes(47), (sys.argv[1], int(sys.argv[2])))
    print("open" if s.recv(64)[0] & 7 == 4 else "strange")
except Exception as error:
    print("closed", type(error).__name__, error)
"""


@pytest.fixture(scope="module")
def net() -> Iterator[lab.Lab]:
    with lab.Lab(lab.unique("p")) as made:
        made.add_site("sube", ipv6=False)
        made.add_host("pc1", site="sube")
        yield made


def asked(net: lab.Lab, script: str, *args: str) -> str:
    """What a Python of the host in the branch says."""
    env = {"SSL_CERT_FILE": str(net.ca_file), "PATH": SBIN}
    done = net.run("pc1", [sys.executable, "-c", script, *args], capture_output=True, text=True, env=env, check=False)
    return str(done.stdout).strip() or str(done.stderr)


def until(what: Callable[[], bool], seconds: float = 15.0) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not come up"
        time.sleep(0.1)


def ended(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def gateway(net: lab.Lab, *command: str, **more: object) -> subprocess.CompletedProcess[str]:
    done = net.run(net.site("sube"), list(command), capture_output=True, text=True, check=False, **more)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture
def closed(net: lab.Lab) -> Iterator[None]:
    """A gateway that forwards nothing; what the list adds comes on top."""
    gateway(
        net,
        "nft",
        "table inet filter { chain forward { type filter hook forward priority 10; policy drop;"
        " ct state established,related accept; }; }",
    )
    resolver = net.host("pc1").resolv_conf
    before = resolver.read_text(encoding="utf-8")
    # Names do not get out either: no use in asking long.
    resolver.write_text(f"{before}options timeout:1 attempts:1\n", encoding="utf-8")
    yield
    resolver.write_text(before, encoding="utf-8")
    gateway(net, "nft", "delete table inet filter")


@pytest.fixture
def open_folder() -> Iterator[pathlib.Path]:
    """A folder that squid may use after it has given up root; pytest's own are closed to others."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="edr-squid-"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


def test_squid_lets_out_what_the_list_says(net: lab.Lab, closed: None, open_folder: pathlib.Path) -> None:
    tmp_path = open_folder
    (name, text), *rest = devices.export("squid", WANTED, model.Options()).files
    assert rest == []
    (tmp_path / name).write_text(text, encoding="utf-8")
    address = net.site("sube").gateway4
    config = tmp_path / "squid.conf"
    config.write_text(
        f"acl SSL_ports port 443\nacl CONNECT method CONNECT\ninclude {tmp_path / name}\n"
        "http_access deny CONNECT !SSL_ports\nhttp_access deny all\n"
        f"http_port {address}:3128\ndns_nameservers 198.51.100.53\nhosts_file none\ncache deny all\n"
        f"pid_filename {tmp_path}/squid.pid\naccess_log none\ncache_log {tmp_path}/squid.log\ncache_store_log none\n"
        f"coredump_dir {tmp_path}\nnetdb_filename none\npinger_enable off\nvisible_hostname proxy.sube.example\n"
        "shutdown_lifetime 0 seconds\nconnect_timeout 2 seconds\nmax_filedescriptors 1024\n",
        encoding="utf-8",
    )
    proxy = f"http://{address}:3128"
    service = f"edr{os.getpid()}"
    squid = shutil.which("squid", path=SBIN) or ""
    process = net.popen(net.site("sube"), [squid, "-N", "-n", service, "-f", str(config)])
    try:
        until(lambda: "open" in asked(net, OPENED, INSIDE[-1], proxy) or process.poll() is not None)
        assert process.poll() is None, (tmp_path / "squid.log").read_text(encoding="utf-8")
        for url in INSIDE:
            assert asked(net, OPENED, url, proxy) == "open 200", url
        assert asked(net, OPENED, INSIDE[0], "").startswith("closed"), "not by way of the proxy"
        for url in OUTSIDE:
            assert "403" in asked(net, OPENED, url, proxy), url
    finally:
        ended(process)
        for left in pathlib.Path("/dev/shm").glob(f"{service}-*"):
            left.unlink(missing_ok=True)


def test_nftables_and_dnsmasq_let_out_what_the_list_says(net: lab.Lab, closed: None, tmp_path: pathlib.Path) -> None:
    files = dict(devices.export("nftables", WANTED, model.Options()).files)
    (nft_name, dns_name) = files
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    host, address = net.host("pc1"), net.site("sube").gateway4
    # Before the list: nothing goes out.
    assert asked(net, OPENED, INSIDE[0], "").startswith("closed")
    # As the file's first line says; loading it a second time changes nothing.
    gateway(net, "nft", "-f", str(tmp_path / nft_name))
    gateway(net, "nft", "-f", str(tmp_path / nft_name))
    gateway(net, "nft", "insert rule inet filter forward jump edefter_allow")
    assert gateway(net, "nft", "list chain inet filter edefter_allow").stdout.count("dport 4443") <= 2
    dnsmasq = shutil.which("dnsmasq", path=SBIN) or ""
    options = ["--keep-in-foreground", "--user=root", "--no-resolv", "--no-hosts", "--bind-interfaces"]
    options += [f"--conf-file={tmp_path / dns_name}", f"--pid-file={tmp_path}/pid", f"--listen-address={address}"]
    process = net.popen(net.site("sube"), [dnsmasq, *options, "--server=198.51.100.53"])
    try:
        host.resolv_conf.write_text(f"nameserver {address}\noptions timeout:1 attempts:2\n", encoding="utf-8")
        until(lambda: "open" in asked(net, OPENED, INSIDE[0], "") or process.poll() is not None)
        assert process.poll() is None
        for url in INSIDE:
            assert asked(net, OPENED, url, "") == "open 200", url
        for url in OUTSIDE:
            assert asked(net, OPENED, url, "").startswith("closed"), url
        assert asked(net, ASKED, "time.windows.com", "123") == "open"
        assert asked(net, ASKED, "time.google.com", "123").startswith("closed")
        # It was filled by the client asking for the name.
        sets = gateway(net, "nft", "list set inet filter edefter_tcp_443_v4").stdout
        assert "203.0.113.10" in sets
        # What the rollback says works as it stands.
        rollback = devices.export("nftables", WANTED, model.Options()).rollback
        gateway(net, "nft", "flush chain inet filter forward")
        for line in rollback.splitlines():
            if line.startswith("nft "):
                gateway(net, *line.split(" "))
        assert "edefter" not in gateway(net, "nft", "list ruleset").stdout
    finally:
        ended(process)
