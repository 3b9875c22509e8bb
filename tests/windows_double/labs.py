# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts simulated hosts into the network lab (tests/lab): namespace, hosts file, trusted roots, and their own firewall
in force."""

from __future__ import annotations

import hashlib
import os
import pathlib
import subprocess
import threading
from typing import Any, Protocol

from windows_double import outbound, tasks
from windows_double.host import Host

_SYNC = threading.Lock()


class LabHost(Protocol):
    """What is needed of lab.Host."""

    netns: str

    @property
    def hosts_file(self) -> pathlib.Path: ...

    @property
    def trust_file(self) -> pathlib.Path: ...


def attach(host: Host, lab: Any, trust: pathlib.Path) -> None:
    """Give a host the place of the same name in the lab (a host without a place keeps its own netns, or none)."""
    if host.name not in lab.hosts:
        return
    place: LabHost = lab.hosts[host.name]
    host.netns = place.netns
    host.home_of = lambda: str(trust_home(place.trust_file, trust))
    host.on_reset.append(lambda h: _settle(h, place))
    host.on_firewall_change.append(outbound.enforce)
    _settle(host, place)


def _settle(host: Host, place: LabHost) -> None:
    """The lab's hosts file is the host's, and the firewall rules as the state says."""
    etc = host.writable().root / tasks.SYSTEM_ROOT / "System32" / "drivers" / "etc"
    etc.mkdir(parents=True, exist_ok=True)
    link = etc / "hosts"
    if not link.is_symlink():
        link.symlink_to(place.hosts_file)
    outbound.enforce(host)


def trust_home(bundle: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    """A home folder whose Mono trust store holds the bundle's roots; one per content."""
    content = bundle.read_bytes()
    home = folder / hashlib.sha256(content).hexdigest()[:20]
    with _SYNC:
        if not home.is_dir():
            scratch = folder / f".{home.name}"
            scratch.mkdir(parents=True, exist_ok=True)
            roots = scratch / "roots.pem"
            roots.write_bytes(content)
            environment = {
                "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
                "HOME": str(scratch),
                "XDG_CONFIG_HOME": str(scratch / ".config"),
            }
            subprocess.run(
                ["cert-sync", "--user", "--quiet", str(roots)], env=environment, check=True, capture_output=True
            )
            scratch.rename(home)
    return home
