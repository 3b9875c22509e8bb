# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Namespaces and wires: the internet, the sites' gateways, the hosts behind them.

    host ──eth0── br0 [gateway of the site: the perimeter] wan ── [inet: every service]

No namespace has a way out to the real network: the wires are veth pairs made directly inside the lab's namespaces.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from . import addresses, netns
from .netns import ETC_NETNS, LabError

if TYPE_CHECKING:
    from .runtime import Runtime

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?\Z")
CONTROL_SITE = "hq"
CONTROL_HOST = "ctl"

# The two ends of a veth pair get different interface numbers on purpose: the kernel treats a pair with equal numbers as
# a plain card and brings its carrier up only at the next once-a-second round.
_FAR = 1000

# Rule chains that faults fill, in each namespace. Filter rules come before address translation, so that a rule always
# names the address the host asked for.
_TABLE = """
table inet lab {
  chain path { type filter hook prerouting priority -300; }
  chain filter { type filter hook prerouting priority -150; }
  chain nat { type nat hook prerouting priority -100; }
  chain forward { type filter hook forward priority 0; }
  chain post { type nat hook postrouting priority 100; }
}
"""


@dataclass(frozen=True)
class Site:
    """A branch: ``netns`` is its gateway. ``lan4``/``lan6`` are its networks, ``wan4`` what the internet sees (NAT)."""

    name: str
    netns: str
    number: int
    lan4: str
    lan6: str | None
    wan4: str
    nat: bool

    @property
    def gateway4(self) -> str:
        return f"10.{self.number}.0.1"

    @property
    def gateway6(self) -> str:
        return f"2001:db8:a{self.number:03x}::1"


@dataclass(frozen=True)
class Host:
    """A computer behind a site's gateway. ``netns`` is where its processes must run."""

    name: str
    site: str
    netns: str
    address: str
    address6: str | None

    @property
    def etc(self) -> Path:
        """Files that ``ip netns exec`` mounts over /etc for this host."""
        return ETC_NETNS / self.netns

    @property
    def hosts_file(self) -> Path:
        return self.etc / "hosts"

    @property
    def resolv_conf(self) -> Path:
        return self.etc / "resolv.conf"

    @property
    def trust_file(self) -> Path:
        """PEM bundle of the roots this host trusts (also its /etc/ssl/cert.pem)."""
        return self.etc / "ssl" / "cert.pem"


def check_label(kind: str, label: str) -> str:
    if not _LABEL.match(label):
        raise ValueError(f"{kind} {label!r}: lower-case letters, digits and inner dashes, at most 32")
    return label


def _up(netns_name: str) -> None:
    netns.tool(["ip", "netns", "add", netns_name])
    # No duplicate address detection: addresses are usable at once.
    netns.sysctl(
        netns_name,
        ipv4__ip_forward=0,
        ipv6__conf__all__disable_ipv6=0,
        ipv6__conf__default__disable_ipv6=0,
        ipv6__conf__default__accept_dad=0,
        ipv6__conf__all__accept_dad=0,
        ipv6__conf__default__accept_ra=0,
        ipv4__conf__all__rp_filter=0,
        ipv4__conf__default__rp_filter=0,
    )


def _forwarding(netns_name: str) -> None:
    netns.sysctl(netns_name, ipv4__ip_forward=1, ipv6__conf__all__forwarding=1)
    # Where br_netfilter is loaded (Docker does it), a branch's switch would meet the gateway's rules too.
    netns.sysctl(netns_name, bridge__bridge_nf_call_iptables=0, bridge__bridge_nf_call_ip6tables=0)
    # ICMP errors are evidence: never hold them back.
    netns.sysctl(netns_name, ipv4__icmp_ratelimit=0, ipv6__icmp__ratelimit=0)
    netns.tool(["nft", "-f", "-"], netns=netns_name, text=_TABLE)
    # Connections whose end was swallowed by a fault are soon forgotten. (After the table: it loads the module.)
    netns.sysctl(netns_name, netfilter__nf_conntrack_tcp_timeout_established=60)


def make_inet(netns_name: str) -> None:
    """The service side: every service address on lo; whatever is not known is swallowed in silence."""
    _up(netns_name)
    _forwarding(netns_name)
    lines = ["link set lo up"]
    for address in addresses.all_addresses():
        lines.append(f"addr add {address}/128 dev lo nodad" if ":" in address else f"addr add {address}/32 dev lo")
    lines += ["route add blackhole default", "-6 route add blackhole default"]
    netns.ip_batch(netns_name, lines)


def make_site(prefix: str, name: str, number: int, *, ipv6: bool, nat: bool) -> Site:
    """The gateway of a branch, wired to the internet."""
    gateway, inet = f"{prefix}gw-{name}", f"{prefix}inet"
    site = Site(
        name=name,
        netns=gateway,
        number=number,
        lan4=f"10.{number}.0.0/24",
        lan6=f"2001:db8:a{number:03x}::/64" if ipv6 else None,
        wan4=f"100.64.{number}.2",
        nat=nat,
    )
    _up(gateway)
    _forwarding(gateway)
    lan, wan = f"2001:db8:a{number:03x}", f"2001:db8:b{number:03x}"
    netns.ip_batch(
        gateway,
        [
            "link set lo up",
            "link add br0 type bridge",
            f"addr add 10.{number}.0.1/24 dev br0",
            f"addr add {lan}::1/64 dev br0 nodad",
            "link set br0 up",
            f"link add wan index {_FAR + number} type veth peer name w{number} netns {inet}",
            f"addr add 100.64.{number}.2/30 dev wan",
            f"addr add {wan}::2/64 dev wan nodad",
            "link set wan up",
            f"route add default via 100.64.{number}.1",
            f"-6 route add default via {wan}::1",
        ],
    )
    netns.ip_batch(
        inet,
        [
            f"addr add 100.64.{number}.1/30 dev w{number}",
            f"addr add {wan}::1/64 dev w{number} nodad",
            f"link set w{number} up",
            f"route add 10.{number}.0.0/24 via 100.64.{number}.2",
            f"-6 route add {lan}::/64 via {wan}::2",
        ],
    )
    if nat:
        # Branches reach each other and the control node untranslated, as over a VPN; the internet sees one address.
        rule = f"add rule inet lab post oifname wan ip saddr {site.lan4} ip daddr != 10.0.0.0/8 masquerade\n"
        netns.tool(["nft", "-f", "-"], netns=gateway, text=rule)
    return site


def make_host(prefix: str, name: str, site: Site, index: int, trust: Path) -> Host:
    """A host behind a gateway, with its own /etc/hosts, resolv.conf and trusted roots."""
    space = f"{prefix}{name}"
    last = 10 + index
    if last > 250:
        raise LabError(f"site {site.name} is full (240 hosts)")
    lan6 = f"2001:db8:a{site.number:03x}"
    host = Host(
        name=name,
        site=site.name,
        netns=space,
        address=f"10.{site.number}.0.{last}",
        address6=f"{lan6}::{last:x}" if site.lan6 else None,
    )
    _up(space)
    netns.ip_batch(
        space,
        [
            "link set lo up",
            f"link add eth0 index {_FAR + index} type veth peer name h{index} netns {site.netns}",
            f"addr add {host.address}/24 dev eth0",
            *([f"addr add {host.address6}/64 dev eth0 nodad"] if host.address6 else []),
            "link set eth0 up",
            f"route add default via {site.gateway4}",
            *([f"-6 route add default via {lan6}::1"] if host.address6 else []),
        ],
    )
    netns.ip_batch(site.netns, [f"link set h{index} master br0", f"link set h{index} up"])
    _etc(host, trust)
    return host


def _etc(host: Host, trust: Path) -> None:
    host.etc.mkdir(parents=True, exist_ok=True)
    host.resolv_conf.write_text("".join(f"nameserver {address}\n" for address in addresses.RESOLVERS4))
    host.hosts_file.write_text("".join(line + "\n" for line in hosts_lines(host)))
    (host.etc / "nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files dns\nservices: files\n")
    (host.etc / "ssl" / "certs").mkdir(parents=True, exist_ok=True)
    (host.etc / "ssl" / "private").mkdir(exist_ok=True, mode=0o700)
    if Path("/etc/ssl/openssl.cnf").exists():
        shutil.copy("/etc/ssl/openssl.cnf", host.etc / "ssl" / "openssl.cnf")
    set_trust(host, [trust])


def hosts_lines(host: Host) -> list[str]:
    """The healthy hosts file."""
    return ["127.0.0.1 localhost", "::1 localhost ip6-localhost", f"{host.address} {host.name}"]


def set_trust(host: Host, roots: list[Path]) -> None:
    """Write the host's trusted roots: a bundle (cert.pem, certs/ca-certificates.crt) and OpenSSL's hashed folder."""
    certs = host.etc / "ssl" / "certs"
    for old in certs.iterdir():
        old.unlink()
    bundle = "".join(root.read_text() for root in roots)
    # Written in place: a running process in the namespace has the folder bind-mounted.
    host.trust_file.write_text(bundle)
    (certs / "ca-certificates.crt").write_text(bundle)
    for root in roots:
        digest = netns.tool(["openssl", "x509", "-noout", "-hash", "-in", str(root)]).strip()
        (certs / f"{digest}.0").write_text(root.read_text())


def remove(prefix: str) -> None:
    """Delete every namespace with that prefix, its /etc/netns folder, and whatever still runs inside."""
    from .runtime import end_processes

    spaces = netns.names(prefix)
    running = [(pid, netns.start_time(pid)) for space in spaces for pid in netns.pids(space)]
    end_processes(running)
    for space in spaces:
        netns.tool(["ip", "netns", "del", space])
    if ETC_NETNS.is_dir():
        for folder in ETC_NETNS.iterdir():
            if folder.name.startswith(prefix):
                shutil.rmtree(folder, ignore_errors=True)
        if not any(ETC_NETNS.iterdir()):
            ETC_NETNS.rmdir()


def save(runtime: Runtime, site: Site | None = None, host: Host | None = None) -> None:
    """Note a site or a host in the state file."""
    with runtime.edit() as data:
        if site is not None:
            data["sites"][site.name] = vars(site)
        if host is not None:
            data["hosts"][host.name] = vars(host)
