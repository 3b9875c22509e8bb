# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file of edefter-kontrol.exe: an observation, and under `offline` who wrote it, where and with which program.

Pure; raises ShapeError. The file came by e-mail or on a stick: everything in it is untrusted.
"""

from __future__ import annotations

import dataclasses
import datetime
import re
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils import shape
from ansible_collections.edefter.ready.plugins.plugin_utils.model import ShapeError
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.envelope import parse_observation
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.identity import parse_identity

TOOL = "edefter-kontrol"
_SUM = re.compile(r"[0-9a-f]{64}")
_NAME_LIMIT = 63


@dataclasses.dataclass(frozen=True)
class Unseen:
    """Something that the machine kept back. where: a path in the observation (`time.task`); code as in ERR."""

    where: str
    phase: str
    code: str


@dataclasses.dataclass(frozen=True)
class OfflineFile:
    """One file. host: the machine's own name, else its process's; started: seconds since 1970 by its own clock."""

    host: str
    firm: str
    branch: str
    role: str
    version: str
    sha256: str | None
    catalogue_sha256: str
    user_is_admin: bool | None
    unseen: tuple[Unseen, ...]
    started_utc: str
    started: float
    observation: t.Mapping[str, object]


def _line(value: object, path: str, limit: int) -> str:
    """One line of text: names go into file names, inventories and headings."""
    return " ".join(shape.text(value, path, limit).split())


def _sum(value: object, path: str) -> str:
    text = shape.text(value, path, 64)
    if not _SUM.fullmatch(text):
        raise ShapeError(path, "a SHA-256 in lower-case hex was expected")
    return text


def _unseen(raw: object, path: str) -> Unseen:
    m = shape.mapping(raw, path)
    return Unseen(
        _line(m.get("where"), f"{path}.where", 120),
        _line(m.get("phase"), f"{path}.phase", 40),
        _line(m.get("code"), f"{path}.code", 60),
    )


def _seconds(utc: str) -> float:
    try:
        parsed = datetime.datetime.fromisoformat(utc.replace("Z", "+00:00"))
    except ValueError as error:
        raise ShapeError("observation.started_utc", "a time in ISO 8601 was expected") from error
    if parsed.tzinfo is None:
        raise ShapeError("observation.started_utc", "a time in UTC was expected")
    return parsed.timestamp()


def parse_offline(raw: object) -> OfflineFile:
    """Reads a file's JSON. Raises ShapeError for what edefter-kontrol.exe never writes."""
    whole = shape.mapping(raw, "file")
    about = shape.mapping(whole.get("offline"), "offline")
    if shape.text(about.get("tool"), "offline.tool", 40) != TOOL:
        raise ShapeError("offline.tool", f"{TOOL} was expected")
    observation = parse_observation(whole)
    machine = shape.mapping(about.get("machine"), "offline.machine")
    host = _line(machine.get("name"), "offline.machine.name", _NAME_LIMIT)
    role = ""
    section = observation.sections.get("identity")
    if section is not None and section.ok:
        try:
            identity = parse_identity(section.data)
        except ShapeError:
            # The judge says so of the section; the file is still a file.
            identity = None
        if identity is not None:
            host = _line(identity.hostname, "identity.hostname", _NAME_LIMIT) or host
            role = {"WinNT": "workstation", "ServerNT": "server", "LanmanNT": "server"}.get(
                identity.product_type or "", ""
            )
    if not host:
        raise ShapeError("offline.machine.name", "the machine has no name")
    own = about.get("sha256")
    return OfflineFile(
        host=host,
        firm=_line(about.get("firm", ""), "offline.firm", 100),
        branch=_line(about.get("branch", ""), "offline.branch", 100),
        role=role,
        version=_line(about.get("tool_version"), "offline.tool_version", 40),
        sha256=None if own is None else _sum(own, "offline.sha256"),
        catalogue_sha256=_sum(about.get("catalogue_sha256"), "offline.catalogue_sha256"),
        user_is_admin=shape.optional_boolean(about.get("user_is_admin"), "offline.user_is_admin"),
        unseen=shape.each(about.get("unseen"), "offline.unseen", _unseen, 64),
        started_utc=observation.started_utc,
        started=_seconds(observation.started_utc),
        observation=whole,
    )


def newest(files: t.Iterable[tuple[str, OfflineFile]]) -> tuple[dict[str, tuple[str, OfflineFile]], list[str]]:
    """(name, file) by host, the newest of each machine; and the names of those that were superseded.

    Machines of the same name in two firms are two machines: the second is called `NAME (FIRM)`.
    """
    by_machine: dict[tuple[str, str], tuple[str, OfflineFile]] = {}
    old: list[str] = []
    for name, file in files:
        key = (file.host.casefold(), file.firm.casefold())
        known = by_machine.get(key)
        if known is None or (file.started, name) > (known[1].started, known[0]):
            if known is not None:
                old.append(known[0])
            by_machine[key] = (name, file)
        else:
            old.append(name)
    result: dict[str, tuple[str, OfflineFile]] = {}
    taken: set[str] = set()
    for (host, _firm), (name, file) in by_machine.items():
        shown = file.host if host not in taken else f"{file.host} ({file.firm or '-'})"
        taken.add(host)
        result[shown] = (name, file)
    return result, sorted(old)
