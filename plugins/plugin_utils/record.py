# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records: what one run says of one host, as the plain JSON that reports read (docs/contracts.md).

Pure.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils import messages
from ansible_collections.edefter.ready.plugins.plugin_utils.model import Area, Evidence, Finding, Owner, Status, Step

SCHEMA = 1
STATES = ("ready", "fixed", "drifted", "blocked", "unknown", "unreachable", "pending")
NOT_READY = ("drifted", "blocked", "unknown", "unreachable", "pending")

_FINDING = tuple(field.name for field in dataclasses.fields(Finding))

# What a person wants to read first: what blocks filing, then by severity.
_SEVERITY = {Status.FAIL: 0, Status.UNKNOWN: 1, Status.WARN: 2, Status.PASS: 3}


def order(findings: t.Iterable[Finding]) -> list[Finding]:
    """Sorted for reading: what blocks filing first, then fail, unknown, warn, pass; ties keep their order."""
    return sorted(findings, key=lambda f: (not (f.blocks_filing and f.status is not Status.PASS), _SEVERITY[f.status]))


def finding_dict(finding: Finding) -> dict[str, t.Any]:
    """FINDING of the contract: the fields, plus title and remedy in every language."""
    # Field by field: dataclasses.asdict copies deeply, for every check of every host.
    result: dict[str, t.Any] = {name: getattr(finding, name) for name in _FINDING}
    for name in ("area", "status", "owner"):
        result[name] = str(result[name])
    for name in ("contributing", "ruled_out", "steps"):
        result[name] = list(result[name])
    result["params"] = {key: str(value) for key, value in finding.params.items()}
    result["evidence"] = [{"key": item.key, "value": str(item.value)} for item in finding.evidence]
    for part in ("title", "remedy"):
        result[part] = messages.render(finding.cause, part, finding.params)
    return result


def finding_from_dict(data: t.Mapping[str, t.Any]) -> Finding:
    """The finding that FINDING was made of. Raises KeyError or ValueError when it is none."""
    return Finding(
        id=str(data["id"]),
        area=Area(data["area"]),
        check=str(data["check"]),
        subject=str(data["subject"]),
        status=Status(data["status"]),
        cause=str(data["cause"]),
        owner=Owner(data["owner"]),
        observed=str(data["observed"]),
        expected=str(data["expected"]),
        params={str(key): str(value) for key, value in data["params"].items()},
        evidence=tuple(Evidence(str(item["key"]), str(item["value"])) for item in data["evidence"]),
        grade=str(data["grade"]),
        contributing=tuple(map(str, data["contributing"])),
        ruled_out=tuple(map(str, data["ruled_out"])),
        blocks_filing=bool(data["blocks_filing"]),
        steps=tuple(map(str, data["steps"])),
    )


def step_dict(step: Step) -> dict[str, t.Any]:
    """STEP of the contract: the fields, plus the reason as a title in every language."""
    result = dataclasses.asdict(step)
    result["title"] = messages.render(step.reason, "title", step.params)
    return t.cast("dict[str, t.Any]", _plain(result))


def _plain(value: t.Any) -> t.Any:
    """Enums to their text, tuples to lists: what JSON and Ansible's results hold."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, str):
        return str(value)
    return value


def state_of(findings: t.Iterable[Finding], plan: t.Iterable[Step]) -> str:
    """One word for a host. drifted: this collection has something to do; blocked: somebody else has."""
    found = list(findings)
    if list(plan):
        return "drifted"
    if any(f.status is Status.FAIL for f in found):
        return "blocked"
    if any(f.status is Status.UNKNOWN and f.blocks_filing for f in found):
        return "unknown"
    return "ready"


def after_state(before: str, state: str) -> str:
    """The state after a repair: ready becomes fixed when there was something to repair."""
    return "fixed" if before == "drifted" and state == "ready" else state


def sentence(
    state: str, findings: t.Iterable[Finding], plan: t.Iterable[Step], repaired: bool = False
) -> dict[str, str]:
    """One sentence about a host in every language: what is wrong first, and who acts."""
    first = next((f for f in order(findings) if f.status in (Status.FAIL, Status.UNKNOWN)), None)
    if first is None:
        first = next((f for f in order(findings) if f.status is not Status.PASS), None)
    steps = list(plan)
    result = {}
    for language in messages.LANGUAGES:
        title = messages.render(first.cause, "title", first.params)[language] if first else ""
        if not title and steps:
            title = messages.render(steps[0].reason, "title", steps[0].params)[language]
        who = messages.render(f"owner.{first.owner}", "title", {})[language] if first else ""
        cause = "state.not_converged" if repaired and state == "drifted" else f"state.{state}"
        params = {"first": title, "who": who, "count": str(len(steps))}
        result[language] = messages.render(cause, "title", params)[language]
    return result


def failed_sentence(message: str, count: str) -> dict[str, str]:
    """One sentence about a host whose repair broke off."""
    return messages.render("state.not_converged", "title", {"first": message, "count": count})


def part(
    observed_utc: str, elapsed_ms: float, findings: t.Iterable[Finding], plan: t.Iterable[Step], facts: t.Any
) -> dict[str, t.Any]:
    """The `before` or `after` of a record."""
    return {
        "observed_utc": observed_utc,
        "elapsed_ms": elapsed_ms,
        "findings": [finding_dict(finding) for finding in order(findings)],
        "plan": [step_dict(step) for step in plan],
        "facts": facts,
    }
