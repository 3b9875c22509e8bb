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
from collections.abc import Mapping
from typing import Protocol

from windows_double import outbound
from windows_double.host import Host
from windows_double.state import HostSpec, StateError

_SYNC = threading.Lock()


class LabHost(Protocol):
    """What is needed of lab.Host."""

    netns: str

    @property
    def hosts_file(self) -> pathlib.Path: ...

    @property
    def trust_file(self) -> pathlib.Path: ...


def place_of(spec: HostSpec, places: Mapping[str, LabHost]) -> LabHost | None:
    """The lab host that a simulated host lives in: the one its data names, or the one of its own name."""
    if spec.place is not None and spec.place not in places:
        raise StateError(f"{spec.name}: the lab has no host {spec.place!r}")
    return places.get(spec.place or spec.name)


def attach(host: Host, place: LabHost, trust: pathlib.Path) -> None:
    """Namespace and trusted roots are the place's. A host with a place for itself has its firewall in force there."""
    host.netns = place.netns
    host.home_of = lambda: str(trust_home(place.trust_file, trust))
    if host.spec.place is None:
        host.on_reset.append(outbound.enforce)
        host.on_firewall_change.append(outbound.enforce)
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
