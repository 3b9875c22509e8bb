# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as a table for spreadsheets: a row for every problem of a host, one row for a host without problems.

Pure. Excel opens it by a double click: UTF-8 with a byte order mark, and the separator that its language uses. No cell
can become a formula, whatever a host called itself.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils import messages
from ansible_collections.edefter.ready.plugins.plugin_utils.model import Status
from ansible_collections.edefter.ready.plugins.plugin_utils.report.digest import HostLine, current

Json = t.Mapping[str, t.Any]

BOM = "\ufeff"
# The list separators of Windows in Turkish and in English.
SEPARATOR = {"tr": ";", "en": ","}
COLUMNS = (
    "firm",
    "branch",
    "host",
    "role",
    "state",
    "since",
    "status",
    "blocks",
    "area",
    "check",
    "subject",
    "title",
    "who",
    "remedy",
    "observed",
    "expected",
    "observed_utc",
)
# What spreadsheets take for the start of a formula, the full-width forms included.
_FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20|%]")
_NUMBER = re.compile(r"[+-]?\d{1,15}([.,]\d{1,15})?\Z", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
# Excel's limit for a cell is 32767.
MAX_CELL = 8000


def cell(value: object, separator: str) -> str:
    """A value as one cell: one line, never a formula, quoted where it has to be."""
    text = _CONTROL.sub(" ", str(value))[:MAX_CELL]
    if _FORMULA.match(text) and not _NUMBER.match(text):
        text = "'" + text
    if any(mark in text for mark in (separator, '"', ",", ";", "'")) or text != text.strip():
        text = '"' + text.replace('"', '""') + '"'
    return text


def line(values: t.Iterable[object], language: str) -> str:
    """A row with its end of line."""
    separator = SEPARATOR[language]
    return separator.join(cell(value, separator) for value in values) + "\r\n"


def header(language: str) -> str:
    """Byte order mark and column headings."""
    known = messages.catalogue()["table.columns"]
    return BOM + line((known[name][language] for name in COLUMNS), language)


def rows(record: Json, host: HostLine, since: str, language: str) -> t.Iterator[str]:
    """A host's rows. since: when it was first seen ready, or not ready, as ISO 8601."""
    known = messages.catalogue()
    part = current(record)
    state = known["html.state"][host.state][language]
    first = (host.firm, host.branch, host.host, host.role, state, since[:10])
    problems = [finding for finding in part.get("findings") or () if finding["status"] != Status.PASS]
    for finding in problems:
        yield line(
            (
                *first,
                known["html.status"][finding["status"]][language],
                known["table.blocks"]["yes" if finding["blocks_filing"] else "no"][language],
                known["html.area"][finding["area"]][language],
                finding["check"],
                finding["subject"],
                finding["title"][language],
                messages.render(f"owner.{finding['owner']}", "title", {})[language],
                finding["remedy"][language],
                finding["observed"],
                finding["expected"],
                part.get("observed_utc", ""),
            ),
            language,
        )
    if not problems:
        said = host.message.get(language) or messages.render(f"state.{host.state}", "title", {})[language]
        remedy = messages.render(f"state.{host.state}", "remedy", {})[language]
        who = messages.render(f"owner.{host.todos[0].owner}", "title", {})[language] if host.todos else ""
        error = (record.get("error") or {}).get("message", "")
        empty = known["table.blocks"]["no" if host.ready else "yes"][language]
        yield line(
            (*first, "", empty, "", "", "", said, who, remedy, error, "", part.get("observed_utc", "")), language
        )
