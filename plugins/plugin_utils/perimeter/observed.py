# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was observed from which host, taken from the records of a run, for the letter. Pure.

Records are untrusted here: they may come from a file that somebody sent. What is not as expected is left out.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils import shape

MAX_ROWS = 14
# Whose business it is: those who run the network between the host and the Internet.
_OWNERS = ("firewall_admin", "network_admin")
_TEXT = 160


@dataclasses.dataclass(frozen=True)
class Trouble:
    """One connection that did not work, and from which hosts. Titles are in Turkish and English."""

    subject: str
    title_tr: str
    title_en: str
    hosts: tuple[str, ...]
    first_utc: str


@dataclasses.dataclass(frozen=True)
class Observed:
    """A run in a few words. clean: hosts from which every connection worked."""

    hosts: int = 0
    clean: int = 0
    firms: tuple[str, ...] = ()
    first_utc: str = ""
    last_utc: str = ""
    troubles: tuple[Trouble, ...] = ()


def observed(records: t.Iterable[object]) -> Observed:
    """Sums up records (docs/contracts.md). Hosts that were not observed do not count."""
    troubles: dict[tuple[str, str], list[tuple[str, str, str]]] = {}
    times: list[str] = []
    firms: dict[str, None] = {}
    hosts = clean = 0
    for record in records:
        part = _part(record)
        if part is None:
            continue
        rows = _rows(part)
        if rows is None or not isinstance(record, dict):
            continue
        hosts += 1
        name, when = _text(record.get("host")), _text(part.get("observed_utc"))
        if _text(record.get("firm")):
            firms[_text(record.get("firm"))] = None
        times.append(when)
        bad = [row for row in rows if row["status"] == "fail"]
        clean += not bad
        for row in bad:
            if row.get("owner") in _OWNERS:
                title = row.get("title")
                both = title if isinstance(title, dict) else {}
                key = (_text(row.get("subject")), _text(both.get("en")) or _text(row.get("cause")))
                troubles.setdefault(key, []).append((name, when, _text(both.get("tr")) or key[1]))
    found = [
        Trouble(subject, seen[0][2], title, tuple(dict.fromkeys(s[0] for s in seen)), min(s[1] for s in seen))
        for (subject, title), seen in troubles.items()
    ]
    found.sort(key=lambda trouble: (-len(trouble.hosts), trouble.subject))
    known = sorted(when for when in times if when)
    return Observed(
        hosts=hosts,
        clean=clean,
        firms=tuple(firms),
        first_utc=known[0] if known else "",
        last_utc=known[-1] if known else "",
        troubles=tuple(found[:MAX_ROWS]),
    )


def _part(record: object) -> dict[str, t.Any] | None:
    """The latest observation of a record."""
    if not isinstance(record, dict):
        return None
    for key in ("after", "before"):
        if isinstance(record.get(key), dict):
            return t.cast("dict[str, t.Any]", record[key])
    return None


def _rows(part: dict[str, t.Any]) -> list[dict[str, t.Any]] | None:
    """The findings about endpoints; None when endpoints were not judged."""
    findings = part.get("findings")
    if not isinstance(findings, list):
        return None
    rows = [f for f in findings if isinstance(f, dict) and f.get("check") == "endpoint" and "status" in f]
    return rows or None


def _text(value: object) -> str:
    return shape.line(value, _TEXT) if isinstance(value, str) else ""
