# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The resolvers: one unbound on both public resolver addresses, that knows the lab's names and nothing else."""

from __future__ import annotations

import socket
import struct
from pathlib import Path

from . import addresses
from .netns import inside
from .runtime import Runtime

_CONF = """server:
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: "{folder}/unbound.pid"
  use-syslog: no
  logfile: ""
  verbosity: 1
  num-threads: 1
{interfaces}
  access-control: 0.0.0.0/0 allow
  access-control: ::/0 allow
  do-not-query-localhost: no
  module-config: "iterator"
  minimal-responses: yes
  msg-cache-size: 1m
  rrset-cache-size: 1m
  local-zone: "." static
  local-data: ". 60 IN SOA ns.lab.example. nobody.lab.example. 1 3600 900 604800 60"
{records}
remote-control:
  control-enable: no
"""


def records() -> dict[str, tuple[str, ...]]:
    """Every name with its addresses, as the true resolver answers."""
    found = {service.name: service.addresses for service in addresses.SERVICES}
    found[addresses.PROXY_NAME] = (addresses.PROXY4, addresses.PROXY6)
    found["ns.lab.example"] = (*addresses.RESOLVERS4, *addresses.RESOLVERS6)
    found["dns.msftncsi.com"] = ("131.107.255.255",)
    return found


def start(runtime: Runtime, inet: str) -> None:
    lines = []
    for name, found in records().items():
        for address in found:
            kind = "AAAA" if ":" in address else "A"
            lines.append(f'  local-data: "{name}. 300 IN {kind} {address}"')
    interfaces = "\n".join(f"  interface: {a}" for a in (*addresses.RESOLVERS4, *addresses.RESOLVERS6))
    conf = Path(runtime.folder / "unbound.conf")
    conf.write_text(_CONF.format(folder=runtime.folder, interfaces=interfaces, records="\n".join(lines)))
    runtime.server("unbound", "unbound", "-d", "-c", str(conf), netns=inet)


def ready(inet: str) -> bool:
    return query(inet, addresses.RESOLVERS4[0], "uyg.edefter.gov.tr", timeout=0.2) is not None


def packet(name: str, qtype: int = 1, ident: int = 0x1234) -> bytes:
    """A plain recursive query."""
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.rstrip(".").split("."))
    return struct.pack("!6H", ident, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", qtype, 1)


def query(netns: str | None, server: str, name: str, qtype: int = 1, timeout: float = 2.0) -> bytes | None:
    """The first raw answer to one UDP query sent from a namespace, or None (silence). For readiness and for tests."""
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    with inside(netns), socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.settimeout(timeout)
        try:
            sock.sendto(packet(name, qtype), (server, 53))
            answer, _peer = sock.recvfrom(4096)
        except OSError:
            return None
    return answer
