# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host met on its way to each endpoint, phase by phase: the dataclasses of section `endpoints`.

Pure. endpoints.py reads them from what the host sends. Durations are float ms, None for a phase that was never reached;
addresses are canonical.
"""

from __future__ import annotations

import dataclasses
import datetime
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils.observation.envelope import Fault
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.values import canonical


@dataclasses.dataclass(frozen=True)
class Answer:
    """One resource record: type by name, data as text (an address for A and AAAA)."""

    type: str
    data: str
    ttl: int


@dataclasses.dataclass(frozen=True)
class Reply:
    """One DNS reply: RCODE and its records."""

    rcode: int
    answers: tuple[Answer, ...]

    def addresses(self) -> frozenset[str]:
        """The A and AAAA records' addresses, canonical; what is no address is left out."""
        found = (canonical(answer.data) for answer in self.answers if answer.type in ("A", "AAAA"))
        return frozenset(address for address in found if address is not None)


@dataclasses.dataclass(frozen=True)
class Query:
    """One raw question to one resolver, past hosts file and caches. reply None: none was usable, error says why."""

    resolver: str
    type: str
    reply: Reply | None
    error: Fault | None
    elapsed_ms: float | None
    replies: int
    others: tuple[Reply, ...]
    sent: int
    case_kept: bool | None

    def addresses(self) -> frozenset[str]:
        """Addresses of the first usable reply."""
        return self.reply.addresses() if self.reply is not None else frozenset()


@dataclasses.dataclass(frozen=True)
class Dns:
    """Name resolution of one host: as programs get it (system), as the hosts file has it, as each resolver answers."""

    system: tuple[str, ...]
    system_error: Fault | None
    system_ms: float | None
    hosts_file: tuple[str, ...]
    queries: tuple[Query, ...]

    def answered(self) -> frozenset[str]:
        """Every address that any resolver gave in its first reply."""
        return frozenset().union(*(query.addresses() for query in self.queries))


@dataclasses.dataclass(frozen=True)
class Icmp:
    """The ICMP message that refused a connection, and who sent it."""

    sender: str
    type: int
    code: int


@dataclasses.dataclass(frozen=True)
class Tcp:
    """One connect. address: only for a proxy, where the name was resolved to."""

    error: Fault | None
    elapsed_ms: float | None
    local_address: str | None
    icmp: Icmp | None
    address: str | None = None


@dataclasses.dataclass(frozen=True)
class Cert:
    """One certificate as sent. malformed: why it cannot be read, all else is empty then."""

    subject: str
    issuer: str
    not_before: datetime.datetime | None
    not_after: datetime.datetime | None
    sha256: str
    spki_sha256: str
    san: tuple[str, ...]
    self_signed: bool
    signature_algorithm: str
    key_type: str
    key_bits: int | None
    malformed: str | None = None


@dataclasses.dataclass(frozen=True)
class Tls:
    """One handshake. trusted: by the host's own store and clock, name aside; None: no certificate was seen."""

    error: Fault | None
    elapsed_ms: float | None
    sni: str | None
    version: str | None
    offered: tuple[str, ...]
    alert: int | None
    bytes_received: int
    first_bytes: str
    name_match: bool | None
    trusted: bool | None
    chain_status: frozenset[str]
    chain: tuple[Cert, ...]


@dataclasses.dataclass(frozen=True)
class Body:
    """The first part of a body: enough to recognise a page, hashed to compare it."""

    length: int
    sha256: str
    snippet: str
    title: str | None


@dataclasses.dataclass(frozen=True)
class Http:
    """One HTTP exchange; headers by lower-case name, the contract's selection only."""

    error: Fault | None
    elapsed_ms: float | None
    status: int | None
    headers: t.Mapping[str, str]
    date: datetime.datetime | None
    body: Body | None


@dataclasses.dataclass(frozen=True)
class Attempt:
    """All phases at one address. source: who knows the address (system, query, vantage, literal)."""

    address: str
    family: int
    source: str
    tcp: Tcp
    tls: Tls | None
    http: Http | None
    neutral_sni: Tls | None


@dataclasses.dataclass(frozen=True)
class ProxyAttempt:
    """All phases through one proxy. sources: where it is set (`wininet_user`, `winhttp` …)."""

    proxy: str
    sources: tuple[str, ...]
    users: tuple[str, ...]
    tcp: Tcp
    connect: Http | None
    tls: Tls | None
    http: Http | None


@dataclasses.dataclass(frozen=True)
class Target:
    """One endpoint as the host met it."""

    id: str
    host: str
    port: int
    scheme: str
    elapsed_ms: float | None
    complete: bool
    dns: Dns | None
    attempts: tuple[Attempt, ...]
    winner: str | None
    proxy_attempts: tuple[ProxyAttempt, ...]

    def used(self) -> tuple[Attempt, ...]:
        """The attempts at addresses that programs on this host would use."""
        return tuple(attempt for attempt in self.attempts if attempt.source in ("system", "literal"))


@dataclasses.dataclass(frozen=True)
class Canary:
    """A probe that should go well everywhere. ok None: cannot be told."""

    id: str
    kind: str
    ok: bool | None
    target: Target


@dataclasses.dataclass(frozen=True)
class Endpoints:
    """The whole section."""

    resolvers: tuple[str, ...]
    neutral_sni: str | None
    targets: tuple[Target, ...]
    canaries: tuple[Canary, ...]
