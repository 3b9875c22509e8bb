# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who has to do what: the same job on many machines said once, and a branch's own fault instead of its hosts'.

Pure.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils import messages
from ansible_collections.edefter.ready.plugins.plugin_utils.model import Finding, Status
from ansible_collections.edefter.ready.plugins.plugin_utils.report.digest import Digest, FirmDigest, Text, Todo

# One suffers it and others do not: the hosts' own findings say more.
_ALONE = "branch.only_here"


@dataclasses.dataclass(frozen=True)
class Task:
    """One job. hosts: the machines that wait for it; firms: how many firms they belong to."""

    owner: str
    cause: str
    blocks: bool
    title: Text
    remedy: Text
    hosts: tuple[str, ...]
    firms: int = 1


def _of_branch(firm: FirmDigest, finding: Finding) -> Task:
    hosts = tuple(
        line.host
        for line in firm.hosts
        if line.branch == finding.subject and any(todo.cause in finding.contributing for todo in line.todos)
    )
    return _of_finding(finding, hosts)


def _of_finding(finding: Finding, hosts: tuple[str, ...]) -> Task:
    return Task(
        owner=str(finding.owner),
        cause=finding.cause,
        blocks=finding.blocks_filing,
        title=messages.render(finding.cause, "title", finding.params),
        remedy=messages.render(finding.cause, "remedy", finding.params),
        hosts=hosts,
    )


def tasks(firm: FirmDigest) -> tuple[Task, ...]:
    """A firm's jobs: what blocks filing first, then by how many machines wait."""
    common = [f for f in firm.branches if f.cause != _ALONE and f.status is Status.FAIL]
    covered = {(finding.subject, cause) for finding in common for cause in finding.contributing}
    gathered: dict[tuple[str, ...], tuple[Todo, list[str]]] = {}
    for line in firm.hosts:
        for todo in line.todos:
            if (line.branch, todo.cause) not in covered:
                # The same words for the same thing are one job, whichever machine says them.
                key = (todo.owner, todo.cause, todo.title["en"])
                gathered.setdefault(key, (todo, []))[1].append(line.host)
    found = [_of_branch(firm, finding) for finding in common]
    found += [_of_finding(finding, (finding.subject,)) for finding in firm.clocks_differ]
    found += [
        Task(todo.owner, todo.cause, todo.blocks, todo.title, todo.remedy, tuple(dict.fromkeys(hosts)))
        for todo, hosts in gathered.values()
    ]
    return tuple(sorted(found, key=lambda task: (not task.blocks, -len(task.hosts))))


def fleet_tasks(digest: Digest) -> list[Task]:
    """All firms' jobs; one cause with one owner is one line, told by the example of the firm that suffers it most."""
    merged: dict[tuple[str, str], list[Task]] = {}
    firms: dict[tuple[str, str], set[str]] = {}
    for firm in digest.firms:
        for task in tasks(firm):
            key = (task.owner, task.cause)
            merged.setdefault(key, []).append(task)
            firms.setdefault(key, set()).add(firm.firm)
    result = []
    for key, same in merged.items():
        example = max(same, key=lambda task: len(task.hosts))
        hosts = tuple(dict.fromkeys(host for task in same for host in task.hosts))
        blocks = any(task.blocks for task in same)
        result.append(dataclasses.replace(example, hosts=hosts, blocks=blocks, firms=len(firms[key])))
    return sorted(result, key=lambda task: (not task.blocks, -len(task.hosts), task.cause))


def by_owner(found: t.Iterable[Task]) -> dict[str, list[Task]]:
    """Jobs by who has to do them, in the order of the most urgent."""
    grouped: dict[str, list[Task]] = {}
    for task in found:
        grouped.setdefault(task.owner, []).append(task)
    return grouped
