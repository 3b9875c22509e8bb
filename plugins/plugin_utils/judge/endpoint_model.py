# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of the endpoint judge: troubles, what they are weighed with, and who can help with each cause.

Pure.
"""

from __future__ import annotations

import dataclasses
import datetime
import enum
import functools
import ipaddress
import json
import pathlib
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils.catalog import Endpoint
from ansible_collections.edefter.ready.plugins.plugin_utils.model import Evidence, Owner, Status
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.endpoint_model import (
    Attempt,
    Canary,
    Endpoints,
    Target,
)
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.envelope import Fault
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.network import Network
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.proxy import Proxy
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted.endpoints import EndpointsWanted

SELF_PROVING = "self_proving"
DIFFERENTIAL = "differential"
BASELINE = "baseline"

# What a message shows for what nobody knows, in any language.
UNKNOWN = "–"


class Layer(enum.IntEnum):
    """How far a connection came before it broke; NONE: not at all observed."""

    NONE = 0
    PROXY = 1
    DNS = 2
    TCP = 3
    TLS = 4
    CERT = 5
    HTTP = 6


# Who can help, cause by cause; the judge of a layer overrides it where it knows better.
OWNERS: t.Mapping[str, Owner] = {
    "ok": Owner.NOBODY,
    "ok_via_proxy": Owner.NOBODY,
    "dns_differs": Owner.NOBODY,
    "not_probed": Owner.CONTROLLER,
    "incomplete": Owner.CONTROLLER,
    "probe_error": Owner.CONTROLLER,
    "dns_nxdomain": Owner.NETWORK_ADMIN,
    "dns_servfail": Owner.NETWORK_ADMIN,
    "dns_refused": Owner.NETWORK_ADMIN,
    "dns_timeout": Owner.NETWORK_ADMIN,
    "dns_unreachable": Owner.NETWORK_ADMIN,
    "dns_nodata": Owner.NETWORK_ADMIN,
    "dns_no_resolver": Owner.LOCAL_ADMIN,
    "dns_client": Owner.LOCAL_ADMIN,
    "dns_error": Owner.NETWORK_ADMIN,
    "dns_blocked_locally": Owner.LOCAL_ADMIN,
    "dns_block_portal": Owner.FIREWALL_ADMIN,
    "dns_bogon": Owner.NETWORK_ADMIN,
    "dns_hijack": Owner.NETWORK_ADMIN,
    "dns_local_override": Owner.LOCAL_ADMIN,
    "dns_injected": Owner.FIREWALL_ADMIN,
    "dns_slow": Owner.NETWORK_ADMIN,
    "hosts_override": Owner.LOCAL_ADMIN,
    "tcp_refused": Owner.FIREWALL_ADMIN,
    "tcp_drop": Owner.FIREWALL_ADMIN,
    "tcp_reset": Owner.FIREWALL_ADMIN,
    "tcp_unreachable": Owner.NETWORK_ADMIN,
    "tcp_admin_prohibited": Owner.FIREWALL_ADMIN,
    "tcp_error": Owner.LOCAL_ADMIN,
    "no_route": Owner.NETWORK_ADMIN,
    "port_dropped": Owner.FIREWALL_ADMIN,
    "local_firewall_block": Owner.LOCAL_ADMIN,
    "local_firewall_rule": Owner.LOCAL_ADMIN,
    "local_firewall_default": Owner.COLLECTION,
    "transparent_proxy": Owner.FIREWALL_ADMIN,
    "ipv6_broken": Owner.NETWORK_ADMIN,
    "some_addresses_fail": Owner.NETWORK_ADMIN,
    "internet_down": Owner.NETWORK_ADMIN,
    "down_or_site_block": Owner.FIREWALL_ADMIN,
    "service_down": Owner.SERVICE,
    "sni_filter": Owner.FIREWALL_ADMIN,
    "tls_reset": Owner.FIREWALL_ADMIN,
    "tls_eof": Owner.FIREWALL_ADMIN,
    "tls_stall": Owner.NETWORK_ADMIN,
    "tls_not_tls": Owner.FIREWALL_ADMIN,
    "tls_alert": Owner.SERVICE,
    "tls_version": Owner.SERVICE,
    "tls_handshake": Owner.SERVICE,
    "client_tls_too_old": Owner.LOCAL_ADMIN,
    "tls_inspected": Owner.FIREWALL_ADMIN,
    "tls_inspection_trusted": Owner.FIREWALL_ADMIN,
    "tls_blockpage": Owner.FIREWALL_ADMIN,
    "cert_expired": Owner.SERVICE,
    "cert_not_yet_valid": Owner.SERVICE,
    "cert_expiring": Owner.SERVICE,
    "cert_date_bad_clock": Owner.COLLECTION,
    "cert_name_mismatch": Owner.SERVICE,
    "cert_self_signed": Owner.SERVICE,
    "cert_untrusted": Owner.SERVICE,
    "cert_unreadable": Owner.SERVICE,
    "cert_revoked": Owner.SERVICE,
    "cert_weak": Owner.SERVICE,
    "root_missing": Owner.LOCAL_ADMIN,
    "chain_incomplete": Owner.SERVICE,
    "revocation_unreachable": Owner.FIREWALL_ADMIN,
    "proxy_required": Owner.LOCAL_ADMIN,
    "proxy_unresolvable": Owner.LOCAL_ADMIN,
    "proxy_refused": Owner.LOCAL_ADMIN,
    "proxy_timeout": Owner.LOCAL_ADMIN,
    "proxy_broken": Owner.LOCAL_ADMIN,
    "proxy_auth": Owner.FIREWALL_ADMIN,
    "proxy_denied": Owner.FIREWALL_ADMIN,
    "proxy_upstream": Owner.FIREWALL_ADMIN,
    "captive_portal": Owner.NETWORK_ADMIN,
    "http_blockpage": Owner.FIREWALL_ADMIN,
    "http_block_redirect": Owner.FIREWALL_ADMIN,
    "http_foreign_page": Owner.FIREWALL_ADMIN,
    "http_forbidden": Owner.SERVICE,
    "http_client_error": Owner.SERVICE,
    "http_server_error": Owner.SERVICE,
    "http_reset": Owner.FIREWALL_ADMIN,
    "http_eof": Owner.FIREWALL_ADMIN,
    "http_stall": Owner.NETWORK_ADMIN,
    "http_malformed": Owner.FIREWALL_ADMIN,
    "slow": Owner.NETWORK_ADMIN,
}

# A filter on the host itself: found by its error, named by the firewall's verdict.
LOCAL = frozenset({"local_firewall_block", "local_firewall_rule", "local_firewall_default"})

# Codes of an error in the probe itself.
PROBE_FAULTS = frozenset({"error", "closed"})

# Causes that say only "the network did not let it through": by themselves they cannot tell a block from an outage.
INSEPARABLE = frozenset(
    [
        "tcp_refused",
        "tcp_drop",
        "tcp_reset",
        "tcp_unreachable",
        "tls_reset",
        "tls_eof",
        "tls_stall",
        "http_reset",
        "http_eof",
        "http_stall",
    ]
)


@dataclasses.dataclass(frozen=True)
class Trouble:
    """What is wrong with one way to an endpoint. cause: without the prefix `endpoint.`."""

    cause: str
    layer: Layer
    observed: str
    status: Status = Status.FAIL
    grade: str = ""
    owner: Owner | None = None
    params: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    evidence: tuple[Evidence, ...] = ()
    contributing: tuple[str, ...] = ()
    ruled_out: tuple[str, ...] = ()

    def but(self, **changes: t.Any) -> Trouble:
        """A copy with other values; params, evidence, contributing and ruled_out are added to, not replaced."""
        for name in ("evidence", "contributing", "ruled_out"):
            if name in changes:
                changes[name] = tuple(dict.fromkeys((*getattr(self, name), *changes[name])))
        if "params" in changes:
            changes["params"] = {**self.params, **changes["params"]}
        return dataclasses.replace(self, **changes)


@dataclasses.dataclass(frozen=True)
class ClockOffset:
    """Host clock minus reference, seconds, as an interval that holds the truth."""

    low: float
    high: float


class LocalFirewall(t.Protocol):
    """What the host's own firewall does with the connection to one endpoint (firewall_local.py has it).

    verdict: `allowed`, `blocked`, `conditional` or `unknown`. rule: its name, empty for a default action.
    store: where it is from: `local`, `gpo`, `mdm`, `default` …
    """

    @property
    def verdict(self) -> str: ...
    @property
    def rule(self) -> str: ...
    @property
    def store(self) -> str: ...


@dataclasses.dataclass(frozen=True)
class Context:
    """All that one endpoint's verdict is weighed with."""

    endpoint: Endpoint
    target: Target
    wanted: EndpointsWanted
    section: Endpoints
    network: Network | None = None
    proxy: Proxy | None = None
    vantage: Target | None = None
    same_site: bool | None = None
    now: datetime.datetime | None = None
    clock: ClockOffset | None = None
    firewall: LocalFirewall | None = None

    def params(self, **more: str) -> dict[str, str]:
        """The placeholders that every message may use, and more."""
        base = {"host": self.endpoint.host, "port": str(self.endpoint.port), "allow": self.endpoint.allow}
        return {**base, "id": self.endpoint.id, **more}

    def canaries(self, kind: str) -> tuple[Canary, ...]:
        """The host's canaries of a kind."""
        return tuple(canary for canary in self.section.canaries if canary.kind == kind)


@functools.lru_cache(maxsize=1)
def signatures() -> t.Mapping[str, t.Any]:
    """Names of inspecting products, block pages and portals (data/signatures.json)."""
    path = pathlib.Path(__file__).parents[1] / "data" / "signatures.json"
    return t.cast("t.Mapping[str, t.Any]", json.loads(path.read_text(encoding="utf-8")))


def block_portal(address: str) -> str:
    """The product whose block page lives at that address, else empty."""
    return str(signatures()["block_portals"].get(address, ""))


@functools.lru_cache(maxsize=4096)
def inspector(name: str) -> str:
    """The product whose name stands in a certificate's issuer, else empty."""
    lower = name.lower()
    return next((str(product) for needle, product in signatures()["inspectors"] if needle in lower), "")


@functools.lru_cache(maxsize=1024)
def block_page(text: str) -> str | None:
    """The product that a block page names, empty when it is one but names nobody, None when it is no block page."""
    lower = text.lower()
    return next((str(product) for needle, product in signatures()["pages"] if needle in lower), None)


@functools.lru_cache(maxsize=4096)
def in_networks(address: str, networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]) -> bool:
    """Whether a canonical address lies in one of the networks."""
    parsed = ipaddress.ip_address(address)
    return any(parsed.version == network.version and parsed in network for network in networks)


def fault_text(fault: Fault) -> str:
    """A fault as evidence: `tcp timeout (10060)`."""
    native = "" if fault.native is None else f" ({fault.native})"
    return f"{fault.phase} {fault.code}{native}"


def milliseconds(value: float | None) -> str:
    """`12 ms`, or a dash for a phase never reached."""
    return "–" if value is None else f"{value:.0f} ms"


def attempt_text(attempt: Attempt) -> str:
    """One attempt in a line: how far it came and how long each phase took."""
    parts = [attempt.address, f"({attempt.source})"]
    for name, phase in (("tcp", attempt.tcp), ("tls", attempt.tls), ("http", attempt.http)):
        if phase is None:
            break
        state = "ok" if phase.error is None else phase.error.code
        parts.append(f"{name} {state} {milliseconds(phase.elapsed_ms)}")
    if attempt.http is not None and attempt.http.status is not None:
        parts.append(f"HTTP {attempt.http.status}")
    return " ".join(parts)
