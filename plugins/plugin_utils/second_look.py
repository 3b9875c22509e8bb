# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses go both ways: what only the host was told, the control node tries too.

Pure: says what to try and lays the answers over the vantage. So a lying resolver is told from a bad route. A host
chose these addresses: only ports of the catalogue are tried, few addresses, and none inside anybody's own network.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils.model import ShapeError
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.endpoint_model import Target
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.endpoints import parse_endpoints
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.envelope import parse_observation
from ansible_collections.edefter.ready.plugins.plugin_utils.vantage import Vantage
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted.everything import Wanted

MAX_ADDRESSES = 4
# The host waits for this: short, as these addresses are of interest only when they answer.
TIMEOUT = 3.0

Json = t.Mapping[str, t.Any]


def wishes(raw: object, wanted: Wanted, vantage: Vantage, findings: t.Iterable[Json]) -> dict[str, t.Any] | None:
    """Options for the Python twin's endpoint probes, or None when there is nothing to learn.

    raw: the host's observation. findings: of its record; only endpoints that are not well are looked at again.
    """
    troubled = {f["subject"] for f in findings if f["check"] == "endpoint" and f["status"] in ("fail", "unknown")}
    if not troubled or vantage.endpoints is None:
        return None
    try:
        section = parse_observation(raw).sections.get("endpoints")
        targets = parse_endpoints(section.data).targets if section is not None and section.ok else ()
    except ShapeError:
        return None
    endpoints = {endpoint.id: endpoint for endpoint in wanted.endpoints}
    chosen, extra = [], {}
    for target in targets:
        endpoint = endpoints.get(target.id)
        if endpoint is None or target.id not in troubled:
            continue
        known = {a.address for seen in vantage.endpoints.targets if seen.host == target.host for a in seen.attempts}
        foreign = [a for a in _own(target) if a not in known and _askable(a, wanted)][:MAX_ADDRESSES]
        if foreign:
            chosen.append(endpoint.probe())
            extra[endpoint.host] = foreign
    if not chosen:
        return None
    return {
        "endpoints": chosen,
        "extra_addresses": [{"host": host, "addresses": addresses} for host, addresses in extra.items()],
        "canaries": [],
        "timeout": TIMEOUT,
        "deadline": 2 * TIMEOUT,
    }


def _own(target: Target) -> tuple[str, ...]:
    return target.dns.system if target.dns is not None else ()


def _askable(address: str, wanted: Wanted) -> bool:
    """Whether it may be asked at the host's word: on the Internet, as far as the wanted state knows."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if parsed.is_loopback or parsed.is_link_local or parsed.is_multicast or parsed.is_unspecified:
        return False
    return not any(parsed in network for network in wanted.endpoint.bogon_networks)


def enriched(vantage: Vantage, raw_endpoints: object) -> Vantage:
    """The vantage with the second look's attempts added to its targets. An unreadable answer changes nothing."""
    if vantage.endpoints is None:
        return vantage
    try:
        seen = {(target.id, target.host): target for target in parse_endpoints(raw_endpoints).targets}
    except ShapeError:
        return vantage
    targets = []
    for target in vantage.endpoints.targets:
        more = seen.get((target.id, target.host))
        known = {attempt.address for attempt in target.attempts}
        added = tuple(a for a in more.attempts if a.address not in known) if more else ()
        targets.append(dataclasses.replace(target, attempts=target.attempts + added))
    return dataclasses.replace(vantage, endpoints=dataclasses.replace(vantage.endpoints, targets=tuple(targets)))
