# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A firm after the check: whether it can be taken on, and a ready-to-use inventory for it.

Pure. `known`: what the run noted of each host's connection (no secret is among it).
"""

from __future__ import annotations

import dataclasses
import json
import re
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils.onboard.stages import STAGES

Json = t.Mapping[str, t.Any]

# The collection repairs a drifted host by itself; everything else needs somebody first.
GO = ("ready", "fixed", "drifted")
_TURKISH = str.maketrans("çğıöşüÇĞİÖŞÜâîûÂÎÛ", "cgiosuCGIOSUaiuAIU")


@dataclasses.dataclass(frozen=True)
class Host:
    """One host of the firm. stage: where it got stuck (`check`: the way is clear, the verdict is not); "": nowhere."""

    name: str
    branch: str
    role: str
    state: str
    stage: str
    steps: int
    first: Json | None
    message: t.Mapping[str, str]
    known: Json

    @property
    def go(self) -> bool:
        """Whether it can be taken on."""
        return self.state in GO


@dataclasses.dataclass(frozen=True)
class Firm:
    """A firm and its hosts."""

    name: str
    hosts: tuple[Host, ...]

    @property
    def go(self) -> bool:
        """Every host is."""
        return bool(self.hosts) and all(host.go for host in self.hosts)

    @property
    def waiting(self) -> tuple[Host, ...]:
        """Hosts that are not."""
        return tuple(host for host in self.hosts if not host.go)


# Groups that Ansible, or this collection, means otherwise; and words that are no text in YAML 1.1.
_TAKEN = ("all", "ungrouped", "edefter_hosts")
_YAML_WORDS = ("y", "n", "yes", "no", "true", "false", "on", "off", "null")


def host_of(record: Json, known: Json | None) -> Host:
    """From a record of the run."""
    part = record.get("before") or {}
    findings = part.get("findings") or []
    bad = [finding for finding in findings if finding["status"] in ("fail", "unknown")]
    stuck = next((finding["subject"] for finding in bad if finding["check"] == "onboard"), "check")
    go = record["state"] in GO
    return Host(
        name=str(record["host"]),
        branch=str(record.get("branch") or ""),
        role=str(record.get("role") or ""),
        state=str(record["state"]),
        stage="" if go else "none" if record["state"] == "pending" else stuck if stuck in STAGES else "check",
        steps=len(part.get("plan") or []),
        first=bad[0] if bad else None,
        message=record.get("message") or {},
        known=known or {},
    )


def slug(name: str) -> str:
    """A folder or group name: lower-case letters of the English alphabet, digits, underscore; never empty."""
    plain = re.sub(r"[^a-z0-9]+", "_", name.translate(_TURKISH).lower()).strip("_")[:48]
    return plain if plain and not plain[0].isdigit() and plain not in _TAKEN else f"firma_{plain}".rstrip("_")


def slugs(names: t.Iterable[str]) -> dict[str, str]:
    """A different one for each name."""
    made: dict[str, str] = {}
    for name in names:
        base, number, chosen = slug(name), 2, slug(name)
        while chosen in made.values():
            chosen, number = f"{base}_{number}", number + 1
        made[name] = chosen
    return made


def inventory(firm: Firm) -> str:
    """YAML. Hosts that are not go yet stand in a group of their own, which no playbook works on."""
    group = slug(firm.name)
    branches = slugs(dict.fromkeys(host.branch for host in firm.hosts if host.go and host.branch))
    children: dict[str, t.Any] = {
        f"{group}_{branches[branch]}": {
            "vars": {"edefter_branch": _Text(branch)},
            "hosts": {host.name: _variables(firm, host) for host in firm.hosts if host.go and host.branch == branch},
        }
        for branch in branches
    }
    alone = {host.name: _variables(firm, host) for host in firm.hosts if host.go and not host.branch}
    own: dict[str, t.Any] = {"vars": {"edefter_firm": _Text(firm.name), **_common(firm)}}
    if alone:
        own["hosts"] = alone
    if children:
        own["children"] = children
    groups: dict[str, t.Any] = {"edefter_hosts": {"children": {group: own}}}
    if firm.waiting:
        groups[f"{group}_waiting"] = {
            "vars": {"edefter_firm": _Text(firm.name), **_common(firm)},
            "hosts": {
                host.name: {
                    **_variables(firm, host),
                    **({"edefter_branch": _Text(host.branch)} if host.branch else {}),
                    "edefter_waiting_for": host.stage,
                }
                for host in firm.waiting
            },
        }
    head = (
        "# Made by onboard_firm.yml. The account stays in the vault: vault_ansible_user, vault_ansible_password.\n"
        f"# {len(firm.hosts) - len(firm.waiting)} of {len(firm.hosts)} host(s) can be worked on.\n"
    )
    body = "\n".join(_lines({"all": {"children": groups}}, 0))
    return f"---\n{head}{body}\n"


class _Text(str):
    """Text of a list or a directory: never a template."""


def _lines(value: t.Mapping[str, t.Any], depth: int) -> t.Iterator[str]:
    """A mapping as YAML. Text is written as JSON writes it, which is YAML too, whatever is in it."""
    for key, item in value.items():
        bare = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", key) and key.lower() not in _YAML_WORDS
        name = "  " * depth + (key if bare else json.dumps(key))
        if isinstance(item, dict):
            yield f"{name}:" if item else f"{name}: {{}}"
            yield from _lines(item, depth + 1)
        else:
            # Ansible's tag: what is in braces is no template.
            tag = "!unsafe " if isinstance(item, _Text) and "{" in item else ""
            # YAML allows fewer characters than JSON.
            plain = "".join(c if c.isprintable() else "\ufffd" for c in item) if isinstance(item, str) else item
            yield f"{name}: {tag}{json.dumps(plain, ensure_ascii=False)}"


def _common(firm: Firm) -> dict[str, t.Any]:
    """Variables that all hosts of the firm share."""
    shared = [set(host.known.get("variables", {}).items()) for host in firm.hosts]
    common = set.intersection(*shared) if shared else set()
    made: dict[str, t.Any] = dict(sorted(common))
    made["ansible_user"] = "{{ vault_ansible_user }}"
    made["ansible_password"] = "{{ vault_ansible_password }}"
    return made


def _variables(firm: Firm, host: Host) -> dict[str, t.Any]:
    made: dict[str, t.Any] = {}
    if host.known.get("address") and host.known["address"] != host.name:
        made["ansible_host"] = _Text(host.known["address"])
    common = _common(firm)
    made.update({key: value for key, value in host.known.get("variables", {}).items() if common.get(key) != value})
    if host.role:
        made["edefter_role"] = host.role
    return made
