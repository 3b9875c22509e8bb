# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a summary needs of a run, gathered record by record: counts and one line a host, never the records themselves.

Pure. A run of thousands of hosts passes through here one record at a time.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils.record import STATES

READY_STATES = ("ready", "fixed")


@dataclasses.dataclass(frozen=True)
class HostLine:
    """One host in a summary."""

    host: str
    firm: str
    branch: str
    role: str
    state: str
    message: t.Mapping[str, str]

    @property
    def ready(self) -> bool:
        """Whether e-Defter can be expected to work there."""
        return self.state in READY_STATES


@dataclasses.dataclass(frozen=True)
class FirmDigest:
    """A firm and its hosts, the ones that are not ready first."""

    firm: str
    hosts: tuple[HostLine, ...]

    @property
    def ready(self) -> int:
        """How many of its hosts are ready."""
        return sum(line.ready for line in self.hosts)


@dataclasses.dataclass(frozen=True)
class Digest:
    """A whole run."""

    counts: t.Mapping[str, int]
    firms: tuple[FirmDigest, ...]

    @property
    def total(self) -> int:
        """Hosts of the roster."""
        return sum(self.counts.values())

    @property
    def ready(self) -> int:
        """Hosts that are ready."""
        return sum(self.counts[state] for state in READY_STATES)


def host_line(record: t.Mapping[str, t.Any]) -> HostLine:
    """The line of one record."""
    return HostLine(
        host=str(record["host"]),
        firm=str(record.get("firm") or ""),
        branch=str(record.get("branch") or ""),
        role=str(record.get("role") or ""),
        state=str(record["state"]),
        message=dict(record.get("message") or {}),
    )


def digest(lines: t.Iterable[HostLine]) -> Digest:
    """Groups lines by firm; what is not ready comes first, firms and hosts alike."""
    counts = dict.fromkeys(STATES, 0)
    firms: dict[str, list[HostLine]] = {}
    for line in lines:
        counts[line.state] += 1
        firms.setdefault(line.firm, []).append(line)
    grouped = [
        FirmDigest(name, tuple(sorted(hosts, key=lambda line: (line.ready, line.branch, line.host))))
        for name, hosts in firms.items()
    ]
    return Digest(counts, tuple(sorted(grouped, key=lambda firm: (firm.ready == len(firm.hosts), firm.firm))))
