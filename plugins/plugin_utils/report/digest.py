# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a summary needs of a run, gathered record by record: counts and one line a host, never the records themselves.

Pure. A run of thousands of hosts passes through here one record at a time.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils import messages
from ansible_collections.edefter.ready.plugins.plugin_utils.model import Finding, Owner, Status
from ansible_collections.edefter.ready.plugins.plugin_utils.record import STATES

Json = t.Mapping[str, t.Any]
Text = t.Mapping[str, str]

READY_STATES = ("ready", "fixed")
# States that say what is wrong; the others say that nobody knows.
WRONG_STATES = ("drifted", "blocked")
# A host has a handful of causes at most; one that claims hundreds is cut.
MAX_TODOS = 12


@dataclasses.dataclass(frozen=True)
class Todo:
    """Something that somebody has to do. owner: who (`Owner`'s values); blocks: filing waits for it."""

    owner: str
    cause: str
    subject: str
    blocks: bool
    title: Text
    remedy: Text


@dataclasses.dataclass(frozen=True)
class HostLine:
    """One host in a summary. warnings: findings that warn without keeping the host from being ready."""

    host: str
    firm: str
    branch: str
    role: str
    state: str
    message: Text
    todos: tuple[Todo, ...] = ()
    warnings: int = 0

    @property
    def ready(self) -> bool:
        """Whether e-Defter can be expected to work there."""
        return self.state in READY_STATES


@dataclasses.dataclass(frozen=True)
class FirmDigest:
    """A firm, its hosts, the ones that are not ready first, and what is said of its branches and of its clocks."""

    firm: str
    hosts: tuple[HostLine, ...]
    branches: tuple[Finding, ...] = ()
    clocks: tuple[Finding, ...] = ()

    @property
    def ready(self) -> int:
        """How many of its hosts are ready."""
        return sum(line.ready for line in self.hosts)

    @property
    def clocks_differ(self) -> tuple[Finding, ...]:
        """Workstations whose clocks are too far from their server's."""
        return tuple(finding for finding in self.clocks if finding.status is Status.FAIL)

    @property
    def all_ready(self) -> bool:
        """Whether the firm is ready: every host is, and their clocks do not contradict each other."""
        return self.ready == len(self.hosts) and not self.clocks_differ

    @property
    def light(self) -> str:
        """`green`: ready; `red`: known to be not ready; `amber`: nobody can say."""
        if self.all_ready:
            return "green"
        wrong = any(line.state in WRONG_STATES for line in self.hosts)
        return "red" if wrong or self.clocks_differ else "amber"


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

    @property
    def all_ready(self) -> bool:
        """Whether every firm is ready."""
        return all(firm.all_ready for firm in self.firms)


def current(record: Json) -> Json:
    """The newest part of a record: after the repair, else before it; empty when the host was never observed."""
    return t.cast("Json", record.get("after") or record.get("before") or {})


def host_line(record: Json) -> HostLine:
    """The line of one record."""
    state = str(record["state"])
    part = current(record)
    findings: t.Sequence[Json] = part.get("findings") or ()
    machine = (part.get("facts") or {}).get("machine") or {}
    role = str(record.get("role") or "")
    return HostLine(
        host=str(record["host"]),
        firm=str(record.get("firm") or ""),
        branch=str(record.get("branch") or ""),
        role=role or ("server" if machine.get("server") else ""),
        state=state,
        message=dict(record.get("message") or {}),
        todos=() if state in READY_STATES else tuple(_todos(state, findings))[:MAX_TODOS] or (_untold(state, record),),
        warnings=sum(finding["status"] == Status.WARN for finding in findings),
    )


def _todos(state: str, findings: t.Iterable[Json]) -> t.Iterator[Todo]:
    """What has to be done before the host is ready. Findings come sorted: what blocks filing first."""
    if state in ("unreachable", "pending"):
        cause = f"state.{state}"
        yield Todo(
            Owner.CONTROLLER,
            cause,
            "",
            True,
            messages.render(cause, "title", {}),
            messages.render(cause, "remedy", {}),
        )
        return
    for finding in findings:
        serious = finding["status"] == Status.FAIL or (finding["status"] == Status.UNKNOWN and finding["blocks_filing"])
        # A drifted host may have nothing worse than warnings that the plan repairs.
        if serious or (state == "drifted" and finding["status"] != Status.PASS and finding["steps"]):
            yield Todo(
                str(finding["owner"]),
                str(finding["cause"]),
                str(finding["subject"]),
                bool(finding["blocks_filing"]),
                finding["title"],
                finding["remedy"],
            )


def _untold(state: str, record: Json) -> Todo:
    """Of a record whose findings were left out on its way here (an AWX artifact of the leanest kind)."""
    cause = f"state.{state}"
    said = record.get("message") or messages.render(cause, "title", {})
    return Todo(Owner.CONTROLLER, cause, "", True, said, messages.render(cause, "remedy", {}))


class Gatherer:
    """Takes the lines of a run as they come, and what is said of branches and firms, and makes the digest."""

    def __init__(self) -> None:
        self._lines: dict[str, list[HostLine]] = {}
        self._branches: dict[str, list[Finding]] = {}
        self._clocks: dict[str, list[Finding]] = {}

    def host(self, line: HostLine) -> None:
        """One host."""
        self._lines.setdefault(line.firm, []).append(line)

    def branch(self, firm: str, findings: t.Iterable[Finding]) -> None:
        """What is said of one branch of the firm."""
        self._branches.setdefault(firm, []).extend(findings)

    def clocks(self, firm: str, findings: t.Iterable[Finding]) -> None:
        """How the firm's clocks compare."""
        self._clocks.setdefault(firm, []).extend(findings)

    def digest(self) -> Digest:
        """What is not ready comes first, firms and hosts alike; red before amber."""
        counts = dict.fromkeys(STATES, 0)
        firms = []
        for name, lines in self._lines.items():
            for line in lines:
                counts[line.state] += 1
            hosts = tuple(sorted(lines, key=_urgency))
            branches, clocks = self._branches.get(name, ()), self._clocks.get(name, ())
            firms.append(FirmDigest(name, hosts, tuple(branches), tuple(clocks)))
        lights = ("red", "amber", "green")
        return Digest(counts, tuple(sorted(firms, key=lambda firm: (lights.index(firm.light), firm.firm))))


def _urgency(line: HostLine) -> tuple[object, ...]:
    """Sorts what keeps a firm from filing to the top."""
    blocks = any(todo.blocks for todo in line.todos)
    order = ("blocked", "drifted", "unknown", "unreachable", "pending", "fixed", "ready")
    return (line.ready, not blocks, order.index(line.state), line.branch, line.host)


def digest(lines: t.Iterable[HostLine]) -> Digest:
    """The digest of lines alone."""
    gatherer = Gatherer()
    for line in lines:
        gatherer.host(line)
    return gatherer.digest()
