# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host's way to the endpoints is measured against: the catalogue, and the limits that a firm may move.

Pure.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils import catalog
from ansible_collections.edefter.ready.plugins.plugin_utils.option_reader import OptionReader, defaults

# Addresses that a public service never has: this host, private and shared space, link-local, multicast, reserved (RFC
# 6890). A resolver that answers with one hides the service. The documentation ranges are left out on purpose: nothing
# hides there, an answer from there just does not connect.
BOGON_NETWORKS = (
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"),
    *("192.0.2.0/24", "192.168.0.0/16", "224.0.0.0/4", "240.0.0.0/4", "::/128", "::1/128", "64:ff9b:1::/48"),
    *("100::/64", "fc00::/7", "fe80::/10", "ff00::/8"),
)

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
INSPECTION_CHOICES = ("warn", "fail", "allow")


@dataclasses.dataclass(frozen=True)
class EndpointsWanted:
    """The endpoints, and when a connection that works is still not good enough.

    slow_ms: a whole exchange at the best address that takes longer is slow.
    slow_factor: as is one that takes that many times the vantage's time, and at least half of slow_ms (a lost SYN is
        repeated after a second: that alone makes no slow line).
    expiry_warn_days: a certificate that ends sooner is worth a warning.
    inspection: what trusted TLS inspection counts as: `warn`, `fail` or `allow`.
    bogon_networks: answers from these networks hide the service.
    baseline: genuine certificates by endpoint id: SPKI SHA-256 (hex) of the leaf or of an issuer in its chain.
    """

    endpoints: tuple[catalog.Endpoint, ...]
    slow_ms: float = 3000.0
    slow_factor: float = 5.0
    expiry_warn_days: float = 14.0
    inspection: str = "warn"
    bogon_networks: tuple[Network, ...] = tuple(ipaddress.ip_network(text) for text in BOGON_NETWORKS)
    baseline: t.Mapping[str, frozenset[str]] = dataclasses.field(default_factory=dict)

    @classmethod
    def from_options(cls, options: t.Mapping[str, t.Any]) -> EndpointsWanted:
        """From options `endpoints` and `endpoint` in one dictionary. Raises OptionError."""
        given = OptionReader("endpoint", options, {"endpoints": None, **defaults(cls)})
        return cls(
            endpoints=catalog.endpoints(given["endpoints"]),
            slow_ms=given.number("slow_ms", 100),
            slow_factor=given.number("slow_factor", 1.5),
            expiry_warn_days=given.number("expiry_warn_days", 0),
            inspection=given.choice("inspection", INSPECTION_CHOICES),
            bogon_networks=_networks(given),
            baseline=_baseline(given),
        )


def _networks(given: OptionReader) -> tuple[Network, ...]:
    networks = given.items("bogon_networks", "networks like 10.0.0.0/8")
    try:
        # The default's are networks already; every host's process comes along here.
        return tuple(item if isinstance(item, Network) else ipaddress.ip_network(str(item)) for item in networks)
    except ValueError as error:
        raise given.refused("bogon_networks", f"give networks like 10.0.0.0/8 ({error})") from None


def _baseline(given: OptionReader) -> dict[str, frozenset[str]]:
    remedy = "give a dictionary: endpoint id to a list of SPKI SHA-256 sums, 64 hexadecimal digits each"
    if not isinstance(given["baseline"], dict):
        raise given.refused("baseline", remedy)
    result = {}
    for key, sums in given["baseline"].items():
        if not isinstance(key, str) or not isinstance(sums, (list, tuple)):
            raise given.refused("baseline", remedy)
        lower = [str(item).lower() for item in sums]
        if any(len(item) != 64 or item.strip("0123456789abcdef") for item in lower):
            raise given.refused("baseline", remedy, sums)
        result[key] = frozenset(lower)
    return result
