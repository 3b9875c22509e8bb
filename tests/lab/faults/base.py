# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry, a fault's life, and where it is put.

A fault leaves two kinds of trace, both in the state file under its number, so that any process can take it back: nft
rules, and entries of *tables* that a daemon or a file mirrors (see tables.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .. import addresses, rules
from ..rules import Rule
from ..topology import Host, Site

if TYPE_CHECKING:
    from ..core import Lab

# Name -> what the fault does, one sentence.
FAULTS: dict[str, str] = {}
_makers: dict[str, Callable[..., None]] = {}

# Management between sites, as over a VPN, is never hit by a fault without an endpoint: a test could not steer the host.
INTERNAL4 = "10.0.0.0/8"
INTERNAL6 = "2001:db8:a000::/36"


def fault(name: str, description: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register the function that puts a fault in force: ``def maker(where: Where, **params) -> None``."""

    def register(maker: Callable[..., None]) -> Callable[..., None]:
        FAULTS[name] = description
        _makers[name] = maker
        return maker

    return register


@dataclass
class Fault:
    """A fault in force. ``clear()`` takes it back; as a context manager it does so at the end of the block."""

    lab: Lab
    number: int
    name: str
    arguments: dict[str, Any] = field(default_factory=dict)

    def clear(self) -> None:
        """Take the fault back (once; again does nothing)."""
        from . import tables

        with self.lab.runtime.edit() as data:
            data["faults"].pop(str(self.number), None)
        rules.drop(self.lab.runtime, self.number)
        tables.drop(self.lab, self.number)

    def __enter__(self) -> Fault:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.clear()


@dataclass(frozen=True)
class Place:
    """One namespace where rules go, and the nft match that picks the traffic: empty for everybody's."""

    netns: str
    match4: str
    match6: str | None


@dataclass(frozen=True)
class Where:
    """What a fault hits: whose traffic, towards which services, on which port; and the means to put it in force."""

    lab: Lab
    number: int
    host: Host | None
    site: Site | None
    endpoints: tuple[str, ...] | None
    port: int | None

    # ---- whose -----------------------------------------------------------------------------------------------------

    @property
    def sites(self) -> list[Site]:
        """The sites concerned: the host's, the one named, or all."""
        if self.host is not None:
            return [self.lab.site(self.host.site)]
        return [self.site] if self.site is not None else list(self.lab.sites.values())

    @property
    def host_addresses(self) -> list[str] | None:
        """The host's addresses, None for everybody behind the place."""
        if self.host is None:
            return None
        return [a for a in (self.host.address, self.host.address6) if a]

    @property
    def hosts(self) -> list[Host]:
        """The hosts concerned (for faults that live on the host itself). The control node only when it is named."""
        if self.host is not None:
            return [self.host]
        everyone = list(self.lab.hosts.values())
        if self.site is not None:
            return [host for host in everyone if host.site == self.site.name]
        return [host for host in everyone if host.netns != self.lab.control]

    @property
    def place(self) -> Place:
        """Where prerouting rules go: the gateway of a host or site, the service side for everybody."""
        if self.host is not None:
            match6 = f"ip6 saddr {self.host.address6}" if self.host.address6 else None
            return Place(self.lab.site(self.host.site).netns, f"ip saddr {self.host.address}", match6)
        if self.site is not None:
            match = 'iifname { "br0", "path0" }'
            return Place(self.site.netns, match, match)
        return Place(self.lab.inet, "", "")

    def need_site(self, name: str) -> None:
        """Complain when a fault that only a gateway can do was asked for everybody."""
        if self.host is None and self.site is None:
            raise ValueError(f"fault {name}: say host= or site= (it is done by a gateway)")

    # ---- towards what ----------------------------------------------------------------------------------------------

    @property
    def services(self) -> tuple[addresses.Service, ...]:
        """The services named (ValueError for an unknown name), or all of the web and time services."""
        if self.endpoints is None:
            return addresses.SERVICES
        return tuple(addresses.service(name) for name in self.endpoints)

    def remotes(self) -> list[str] | None:
        """Addresses of the services named; None for every address."""
        if self.endpoints is None:
            return None
        return sorted({a for service in self.services for a in service.addresses})

    def matches(self, transport: str = "") -> list[str]:
        """nft matches for traffic from the place to the services: one for IPv4, one for IPv6.

        ``transport`` is e.g. ``tcp dport 443``. Without endpoints every destination but the other sites.
        """
        place, found = self.place, []
        remotes = self.remotes()
        for version, prefix, who, internal in (
            (4, "ip", place.match4, INTERNAL4),
            (6, "ip6", place.match6, INTERNAL6),
        ):
            if who is None:
                continue
            if remotes is None:
                what = f"meta nfproto ipv{version} {prefix} daddr != {internal}"
            else:
                chosen = [a for a in remotes if (":" in a) == (version == 6)]
                if not chosen:
                    continue
                what = f"{prefix} daddr {{ {', '.join(chosen)} }}"
            found.append(" ".join(part for part in (who, what, transport) if part))
        return found

    def tcp(self, default: Sequence[int] | None = None) -> str:
        """The nft transport match: the fault's port, else the default ports, else every TCP port."""
        if self.port is not None:
            return f"tcp dport {self.port}"
        if default is None:
            return "meta l4proto tcp"
        return f"tcp dport {{ {', '.join(map(str, default))} }}"

    # ---- means -----------------------------------------------------------------------------------------------------

    def filter(self, verdict: str, transport: str, versions: tuple[int, ...] = (4, 6)) -> None:
        """Drop or reject what matches."""
        texts = [m for m in self.matches(transport) if (6 if "ip6 daddr" in m else 4) in versions]
        self.rules("filter", [f"{text} {verdict}" for text in texts])

    def rules(self, chain: str, texts: Iterable[str], netns: str | None = None) -> None:
        space = netns or self.place.netns
        rules.add(self.lab.runtime, self.number, [Rule(space, chain, text) for text in texts])

    def redirect(self, transport: str, target4: str, target6: str) -> None:
        """Translate the destination of what matches (both families), e.g. to ``198.18.0.1:20000``."""
        texts = []
        for match in self.matches(transport):
            six = "ip6 daddr" in match
            texts.append(f"{match} dnat {'ip6' if six else 'ip'} to {target6 if six else target4}")
        self.rules("nat", texts)

    def table(self, kind: str, place: str, spec: dict[str, Any]) -> None:
        """Put an entry into a mirrored table (see tables.py); in force when this returns."""
        from . import tables

        tables.add(self.lab, self.number, kind, place, spec)


def switch_on(
    lab: Lab,
    name: str,
    *,
    host: str | Host | None,
    site: str | Site | None,
    endpoint: str | Sequence[str] | None,
    port: int | None,
    params: dict[str, Any],
) -> Fault:
    """Put a fault in force. ValueError for an unknown name, place, service or parameter: then nothing stays behind."""
    if name not in _makers:
        raise ValueError(f"no fault {name!r}; there are: {', '.join(sorted(FAULTS))}")
    if host is not None and site is not None:
        raise ValueError("say host= or site=, not both")
    where_host = lab.host(host) if isinstance(host, str) else host
    where_site = lab.site(site) if isinstance(site, str) else site
    endpoints = (endpoint,) if isinstance(endpoint, str) else None if endpoint is None else tuple(endpoint)
    with lab.runtime.edit() as data:
        number = data["next"]
        data["next"] = number + 1
        arguments = {
            "host": where_host.name if where_host else None,
            "site": where_site.name if where_site else None,
            "endpoint": list(endpoints) if endpoints is not None else None,
            "port": port,
            **params,
        }
        data["faults"][str(number)] = {"name": name, "arguments": arguments}
    made = Fault(lab, number, name, arguments)
    try:
        _makers[name](Where(lab, number, where_host, where_site, endpoints, port), **params)
    except TypeError as error:
        made.clear()
        raise ValueError(f"fault {name}: {error}") from error
    except BaseException:
        made.clear()
        raise
    return made


def active(lab: Lab) -> dict[int, Fault]:
    """Faults in force, by number, oldest first."""
    found = lab.runtime.read().get("faults", {})
    return {
        int(n): Fault(lab, int(n), f["name"], f["arguments"]) for n, f in sorted(found.items(), key=lambda i: int(i[0]))
    }
