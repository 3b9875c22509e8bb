# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""squid as the firm's forward proxy: one process, three ports (open, asks for a password, refuses CONNECT)."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from . import netns
from .addresses import PROXY4, PROXY6, PROXY_PORT, RESOLVERS4

if TYPE_CHECKING:
    from .core import Lab

AUTH_PORT, DENY_PORT = PROXY_PORT + 1, PROXY_PORT + 2

_CONF = """
{ports}
acl to_auth myportname auth4 auth6
acl to_deny myportname deny4 deny6
acl CONNECT method CONNECT
acl open_ports port 80 443 4443
auth_param basic program /usr/lib/squid/basic_ncsa_auth {folder}/squid.users
auth_param basic realm Ornek Holding Proxy
acl known proxy_auth REQUIRED
http_access deny !open_ports
http_access deny CONNECT to_deny
http_access deny to_auth !known
http_access allow all
dns_nameservers {resolver}
hosts_file none
cache deny all
cache_mem 8 MB
pid_filename {folder}/squid.pid
access_log none
cache_log {folder}/squid.log
cache_store_log none
coredump_dir {folder}
netdb_filename none
pinger_enable off
visible_hostname proxy.lab.example
shutdown_lifetime 0 seconds
connect_timeout 2 seconds
forward_timeout 3 seconds
forward_max_tries 2
max_filedescriptors 1024
icp_port 0
logfile_rotate 0
"""


def forget_shared_memory(name: str) -> None:
    """Remove the shared-memory files of a killed squid: a new one of that service name would refuse to start."""
    for left in Path("/dev/shm").glob(f"edrlab{name}-*"):
        left.unlink(missing_ok=True)


def ensure(lab: Lab) -> None:
    """Start squid once; returns when it accepts connections."""
    with lab.runtime.lock("start"):
        if not lab.runtime.running("squid"):
            _start(lab)


def _start(lab: Lab) -> None:
    runtime = lab.runtime
    # squid gives up root for its own user, which must be able to write here.
    folder = runtime.folder / "squid"
    folder.mkdir(exist_ok=True)
    shutil.chown(folder, "proxy", "proxy")
    ports = []
    for label, number in (("open", PROXY_PORT), ("auth", AUTH_PORT), ("deny", DENY_PORT)):
        ports.append(f"http_port {PROXY4}:{number} name={label}4")
        ports.append(f"http_port [{PROXY6}]:{number} name={label}6")
    (folder / "squid.users").touch()
    conf = folder / "squid.conf"
    conf.write_text(_CONF.format(ports="\n".join(ports), folder=folder, resolver=RESOLVERS4[0]))
    forget_shared_memory(lab.name)
    runtime.server("squid", "squid", "-N", "-n", f"edrlab{lab.name}", "-f", str(conf), netns=lab.inet, hard=True)
    runtime.wait(lambda: _answers(lab.inet), "squid does not answer", "squid", seconds=20)


def _answers(inet: str) -> bool:
    with netns.inside(inet):
        try:
            socket.create_connection((PROXY4, DENY_PORT), timeout=0.5).close()
        except OSError:
            return False
    return True
