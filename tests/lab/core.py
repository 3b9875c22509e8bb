# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab itself: brings the namespaces and servers up, takes them down, and hands out hosts and faults."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from . import addresses, dns, netns, ntp, pki, proxy, topology, web
from .netns import LabError
from .runtime import BASE, Runtime, end_recorded
from .topology import CONTROL_HOST, CONTROL_SITE, Host, Site

_T = TypeVar("_T")
# Program -> the Debian package that has it.
NEEDED = {
    "ip": "iproute2",
    "nft": "nftables",
    "conntrack": "conntrack",
    "openssl": "openssl",
    "nginx": "nginx-light",
    "unbound": "unbound",
    "chronyd": "chrony",
    "squid": "squid",
}


class Lab:
    """A network of its own: ``with Lab("mine") as lab: …``, or ``up()`` … ``down()``.

    Options: ``ipv6`` (default for sites, True), ``nat`` (gateways translate, True), ``portal_redirect``
    (portal.emikro.com.tr answers http with a redirect to https, False), ``ntp`` (start the true chrony, True).
    """

    def __init__(self, name: str, **opts: bool) -> None:
        self.name = topology.check_label("lab name", name)
        if "-" in name or len(name) > 12:
            raise ValueError(f"lab name {name!r}: at most 12 letters and digits, no dash (it is part of a prefix)")
        known = {"ipv6", "nat", "portal_redirect", "ntp"}
        if not set(opts) <= known:
            raise ValueError(f"unknown option {sorted(set(opts) - known)}; there are {sorted(known)}")
        self.opts: dict[str, bool] = {"ipv6": True, "nat": True, "portal_redirect": False, "ntp": True, **opts}
        self.prefix = f"edr-{name}-"
        self.inet = f"{self.prefix}inet"
        self.runtime = Runtime(name)

    # ---- life ------------------------------------------------------------------------------------------------------

    def __enter__(self) -> Lab:
        return self.up()

    def __exit__(self, *_exc: object) -> None:
        self.down()

    def up(self) -> Lab:
        """Bring the lab up (leftovers of a killed run of that name are removed first)."""
        check_tools()
        other = self.runtime.owned_by_another()
        if other is not None:
            raise LabError(f"lab {self.name!r} is in use by process {other}: take another name (lab.unique())")
        self.down()
        try:
            self.pki = pki.ensure()
            self.runtime.create()
            topology.make_inet(self.inet)
            web.start(self.runtime, self.inet, self.pki, portal_redirect=self.opts["portal_redirect"])
            dns.start(self.runtime, self.inet)
            if self.opts["ntp"]:
                ntp.start_true(self.runtime, self.inet)
            self.add_site(CONTROL_SITE)
            self.add_host(CONTROL_HOST, site=CONTROL_SITE)
            self.runtime.wait(lambda: dns.ready(self.inet), "the resolver does not answer", "unbound")
            self.runtime.wait(lambda: _connects(self.inet, "203.0.113.10", 443), "nginx does not answer", "nginx")
            if self.opts["ntp"]:
                self.runtime.wait(lambda: ntp.ready(self.inet), "chrony does not answer", "chrony-true")
        except BaseException:
            self.down()
            raise
        return self

    def down(self) -> None:
        """Remove every trace: processes (by pid and start time), namespaces, /etc/netns folders, the lab's folder."""
        recorded = self.runtime.read().get("processes", [])
        end_recorded(recorded)
        topology.remove(self.prefix)
        proxy.forget_shared_memory(self.name)
        self.runtime.remove()

    @classmethod
    def attach(cls, name: str) -> Lab:
        """A handle on a lab that another process brought up (and left up)."""
        lab = cls(name)
        if not lab.runtime.exists:
            raise LabError(f"no lab {name!r} is up")
        lab.pki = pki.ensure()
        return lab

    # ---- places ----------------------------------------------------------------------------------------------------

    def add_site(self, name: str, *, ipv6: bool | None = None, nat: bool | None = None) -> Site:
        """A branch with a gateway (the perimeter)."""
        topology.check_label("site", name)
        with self.runtime.lock("places"):
            present = self.runtime.read()["sites"]
            if name in present:
                raise ValueError(f"site {name!r} is there already")
            site = topology.make_site(
                self.prefix,
                name,
                len(present),
                ipv6=self.opts["ipv6"] if ipv6 is None else ipv6,
                nat=self.opts["nat"] if nat is None else nat,
            )
            topology.save(self.runtime, site=site)
        return site

    def add_host(self, name: str, site: str) -> Host:
        """A host behind that site's gateway; its name is unique in the lab."""
        topology.check_label("host", name)
        if name == "inet" or name.startswith("gw-"):
            raise ValueError(f"host name {name!r} is taken by the lab")
        with self.runtime.lock("places"):
            present = self.runtime.read()["hosts"]
            if name in present:
                raise ValueError(f"host {name!r} is there already")
            where = self.site(site)
            index = sum(1 for host in present.values() if host["site"] == site)
            host = topology.make_host(self.prefix, name, where, index, self.pki.ca)
            topology.save(self.runtime, host=host)
        return host

    def site(self, name: str) -> Site:
        try:
            return Site(**self.runtime.read()["sites"][name])
        except KeyError:
            raise ValueError(f"no site {name!r} in lab {self.name}") from None

    def host(self, name: str) -> Host:
        try:
            return Host(**self.runtime.read()["hosts"][name])
        except KeyError:
            raise ValueError(f"no host {name!r} in lab {self.name}") from None

    @property
    def sites(self) -> dict[str, Site]:
        return {name: Site(**site) for name, site in self.runtime.read().get("sites", {}).items()}

    @property
    def hosts(self) -> dict[str, Host]:
        return {name: Host(**host) for name, host in self.runtime.read().get("hosts", {}).items()}

    @property
    def control(self) -> str:
        """Namespace of the control node."""
        return f"{self.prefix}{CONTROL_HOST}"

    @property
    def control_host(self) -> Host:
        return self.host(CONTROL_HOST)

    @property
    def ca_file(self) -> Path:
        """The lab's public root CA (PEM)."""
        return self.pki.ca

    @property
    def corporate_ca_file(self) -> Path:
        """The root of the firm's TLS inspection (PEM)."""
        return self.pki.corporate

    @property
    def proxy_url(self) -> str:
        """The forward proxy (squid; started when first asked for)."""
        proxy.ensure(self)
        return f"http://{addresses.PROXY_NAME}:{addresses.PROXY_PORT}"

    # ---- running things --------------------------------------------------------------------------------------------

    def command(self, where: str | Host | Site, argv: Sequence[str]) -> list[str]:
        """The argv that runs ``argv`` in a namespace, with its own /etc/resolv.conf, hosts and trusted roots."""
        return ["ip", "netns", "exec", self.netns_of(where), *argv]

    def netns_of(self, where: str | Host | Site) -> str:
        """Namespace of a Host, a Site, a host's name, or a namespace's own name."""
        if isinstance(where, (Host, Site)):
            return where.netns
        if where.startswith(self.prefix):
            return where
        return f"{self.prefix}{where}"

    def run(self, where: str | Host | Site, argv: Sequence[str], **kw: Any) -> subprocess.CompletedProcess[Any]:
        """``subprocess.run`` in a namespace. Output is captured as text unless told otherwise."""
        if "stdout" not in kw and "stderr" not in kw:
            kw.setdefault("capture_output", True)
        kw.setdefault("text", True)
        return subprocess.run(self.command(where, argv), check=kw.pop("check", False), **kw)

    def popen(self, where: str | Host | Site, argv: Sequence[str], **kw: Any) -> subprocess.Popen[Any]:
        """``subprocess.Popen`` in a namespace. ``down()`` ends it too."""
        return subprocess.Popen(self.command(where, argv), **kw)

    def inside(self, where: str | Host | Site) -> contextlib.AbstractContextManager[None]:
        """Switch this thread's sockets (not its /etc) into a namespace: the fast way for raw-socket checks."""
        return netns.inside(self.netns_of(where))

    def call(self, where: str | Host | Site, function: Callable[..., _T], *args: Any, **kw: Any) -> _T:
        """Call a function with this thread inside a namespace."""
        with self.inside(where):
            return function(*args, **kw)

    # ---- faults ----------------------------------------------------------------------------------------------------

    def fault(
        self,
        name: str,
        *,
        host: str | Host | None = None,
        site: str | Site | None = None,
        endpoint: str | Sequence[str] | None = None,
        port: int | None = None,
        **params: Any,
    ) -> Any:
        """Switch a fault on (see ``lab.FAULTS``); returns a Fault with ``.clear()``, usable as a context manager.

        With ``host`` or ``site`` only their traffic is hit, at their gateway; with neither everybody's, at the service.
        ``endpoint`` None means every destination, ``port`` None every port.
        """
        from . import faults

        return faults.switch_on(self, name, host=host, site=site, endpoint=endpoint, port=port, params=params)

    @property
    def active_faults(self) -> dict[int, Any]:
        from . import faults

        return faults.active(self)

    def clear_faults(self) -> None:
        """Switch every fault off."""
        for fault in reversed(list(self.active_faults.values())):
            fault.clear()

    def service(self, name: str) -> addresses.Service:
        return addresses.service(name)


def unique(prefix: str = "t") -> str:
    """A lab name of this process, for tests; labs of that prefix whose process is gone are removed on the way."""
    for folder in BASE.glob(f"{prefix}*") if BASE.is_dir() else ():
        digits = folder.name.removeprefix(prefix)
        if digits.isdigit() and not Path(f"/proc/{digits}").exists():
            Lab(folder.name).down()
    return f"{prefix}{os.getpid()}"


def check_tools() -> None:
    """LabError that names what is missing, before anything is made."""
    if sys.platform != "linux" or os.geteuid() != 0:
        raise LabError("the lab makes network namespaces: it needs Linux and root")
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    missing = [package for name, package in NEEDED.items() if shutil.which(name, path=path) is None]
    if missing:
        raise LabError(f"the lab needs these Debian packages: {', '.join(missing)}")
    if "/usr/sbin" not in os.environ.get("PATH", "").split(":"):
        os.environ["PATH"] = path


def _connects(space: str, address: str, port: int) -> bool:
    import socket

    with netns.inside(space):
        try:
            socket.create_connection((address, port), timeout=0.5).close()
        except OSError:
            return False
    return True
