# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host's way to the endpoints is measured against: the catalogue, and the limits that a firm may move.

Pure.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import math
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils import catalog
from ansible_collections.edefter.ready.plugins.plugin_utils.model import OptionError

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
        """From `edefter_endpoints` and `edefter_endpoint_limits` (keys: endpoints, and this class's fields).

        Raises OptionError.
        """
        known = [field.name for field in dataclasses.fields(cls)]
        for key in options:
            if key not in known:
                raise OptionError(str(key), options[key], f"the keys are {', '.join(known)}")
        fields: dict[str, t.Any] = {"endpoints": catalog.endpoints(options.get("endpoints"))}
        for name, low in (("slow_ms", 100.0), ("slow_factor", 1.5), ("expiry_warn_days", 0.0)):
            if options.get(name) is not None:
                fields[name] = _number(name, options[name], low)
        if options.get("inspection") is not None:
            if options["inspection"] not in INSPECTION_CHOICES:
                raise OptionError("inspection", options["inspection"], f"use one of {', '.join(INSPECTION_CHOICES)}")
            fields["inspection"] = str(options["inspection"])
        if options.get("bogon_networks") is not None:
            fields["bogon_networks"] = _networks(options["bogon_networks"])
        if options.get("baseline") is not None:
            fields["baseline"] = _baseline(options["baseline"])
        return cls(**fields)


def _number(option: str, value: object, low: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value < low:
        raise OptionError(option, value, f"give a number of at least {low:g}")
    return float(value)


def _networks(value: object) -> tuple[Network, ...]:
    if not isinstance(value, (list, tuple)):
        raise OptionError("bogon_networks", value, "give a list of networks like 10.0.0.0/8")
    try:
        return tuple(ipaddress.ip_network(str(item)) for item in value)
    except ValueError as error:
        raise OptionError("bogon_networks", value, f"give networks like 10.0.0.0/8 ({error})") from None


def _baseline(value: object) -> dict[str, frozenset[str]]:
    remedy = "give a dictionary: endpoint id to a list of SPKI SHA-256 sums, 64 hexadecimal digits each"
    if not isinstance(value, dict):
        raise OptionError("baseline", value, remedy)
    result = {}
    for key, sums in value.items():
        if not isinstance(key, str) or not isinstance(sums, (list, tuple)):
            raise OptionError("baseline", value, remedy)
        lower = [str(item).lower() for item in sums]
        if any(len(item) != 64 or item.strip("0123456789abcdef") for item in lower):
            raise OptionError("baseline", sums, remedy)
        result[key] = frozenset(lower)
    return result
