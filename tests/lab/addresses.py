# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who lives where in the lab's internet: one table that DNS, web, time servers and faults read.

Only documentation ranges are used (RFC 5737, RFC 3849), benchmark range 198.18/15 for what is inside the service side,
and one real address, FortiGuard's block portal, because a sinkholed answer is recognised by exactly that address.
"""

from __future__ import annotations

from dataclasses import dataclass

# Two public resolvers, as a Windows adapter has a preferred and an alternate one.
RESOLVERS4 = ("198.51.100.53", "198.51.100.54")
RESOLVERS6 = ("2001:db8:100::53", "2001:db8:100::54")

# Where variants of a service (expired certificate, block page, lying clock…) listen. Faults redirect to here.
VARIANT4 = "198.18.0.1"
VARIANT6 = "2001:db8:18::1"

PROXY_NAME = "proxy.lab.example"
PROXY4 = "198.51.100.80"
PROXY6 = "2001:db8:100::80"
PROXY_PORT = 3128

# FortiGate's default DNS-filter portal. Served here by a block page.
BLOCK_PORTAL4 = "208.91.112.55"
BLOCK_PORTAL6 = "2001:cdba::3257:9652"

# Must never answer: RFC 5737 TEST-NET-1.
TEST_NET = "192.0.2.1"

# Where `dns_differs` points: the genuine services answer here as well (another data centre).
MIRROR4 = "203.0.113.110"
MIRROR6 = "2001:db8:113::110"
# Where `dns_hijack` points: somebody else's web server.
FOREIGN4 = "203.0.113.200"
FOREIGN6 = "2001:db8:113::200"

NCSI_TEXT = "Microsoft Connect Test"


@dataclass(frozen=True)
class Service:
    """One name of the lab's internet. ``kind`` is https, http or ntp; ``ports`` are those that answer."""

    name: str
    v4: tuple[str, ...]
    v6: tuple[str, ...]
    ports: tuple[int, ...]
    kind: str

    @property
    def addresses(self) -> tuple[str, ...]:
        return self.v4 + self.v6


def _web(name: str, last: int, ports: tuple[int, ...], kind: str = "https", net: str = "113") -> Service:
    prefix = "203.0.113" if net == "113" else "198.51.100"
    return Service(name, (f"{prefix}.{last}",), (f"2001:db8:{net}::{last}",), ports, kind)


def _ntp(name: str, *last: int) -> Service:
    return Service(
        name,
        tuple(f"198.51.100.{n}" for n in last),
        tuple(f"2001:db8:100::{n}" for n in last),
        (123,),
        "ntp",
    )


SERVICES: tuple[Service, ...] = (
    _web("uyg.edefter.gov.tr", 10, (80, 443)),
    _web("firma.myedefter.com.tr", 20, (80, 443, 4443)),
    _web("portal.emikro.com.tr", 30, (80, 443), "http"),
    _web("www.emikro.com.tr", 31, (80, 443)),
    _web("partner.mikro.com.tr", 32, (80, 443)),
    # Neutral hosts, whose owners have nothing to do with e-Defter.
    _web("www.microsoft.com", 20, (80, 443), net="100"),
    _web("www.example.com", 22, (80, 443), net="100"),
    _web("canary.lab.example", 23, (80, 443), net="100"),
    _web("www.msftconnecttest.com", 21, (80,), "http", net="100"),
    _ntp("time.windows.com", 101),
    _ntp("ntp.ume.tubitak.gov.tr", 102),
    _ntp("time.ume.tubitak.gov.tr", 103),
    _ntp("tr.pool.ntp.org", 104, 105, 106, 107),
    _ntp("0.tr.pool.ntp.org", 104),
    _ntp("1.tr.pool.ntp.org", 105),
    _ntp("2.tr.pool.ntp.org", 106),
    _ntp("3.tr.pool.ntp.org", 107),
    _ntp("pool.ntp.org", 104, 106),
    _ntp("time.cloudflare.com", 108),
    _ntp("time.google.com", 109),
    _ntp("time.nist.gov", 110),
    _ntp("ntp1.lab.example", 111),
    _ntp("ntp2.lab.example", 112),
    _ntp("ntp3.lab.example", 113),
    _ntp("ntp4.lab.example", 114),
    _ntp("ntp5.lab.example", 115),
)

BY_NAME: dict[str, Service] = {service.name: service for service in SERVICES}
WEB: tuple[Service, ...] = tuple(service for service in SERVICES if service.kind != "ntp")
NTP: tuple[Service, ...] = tuple(service for service in SERVICES if service.kind == "ntp")


def service(name: str) -> Service:
    """The service with that name; ValueError that lists the names otherwise."""
    try:
        return BY_NAME[name]
    except KeyError:
        raise ValueError(f"no lab service {name!r}; there are: {', '.join(sorted(BY_NAME))}") from None


def all_addresses() -> tuple[str, ...]:
    """Every address the service side answers on, IPv4 first, each once."""
    found: dict[str, None] = {}
    for item in SERVICES:
        for address in item.addresses:
            found[address] = None
    extra = (
        *RESOLVERS4, *RESOLVERS6, VARIANT4, VARIANT6, PROXY4, PROXY6, BLOCK_PORTAL4, BLOCK_PORTAL6,
        MIRROR4, MIRROR6, FOREIGN4, FOREIGN6,
    )  # fmt: skip
    for address in extra:
        found[address] = None
    return tuple(sorted(found, key=lambda address: (":" in address, address)))
