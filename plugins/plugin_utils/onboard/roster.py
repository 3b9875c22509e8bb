# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A firm's list of hosts, as a spreadsheet saves it: CSV with comma, semicolon or tab, column names in either language.

Pure; raises OptionError, which names the line and what to write instead. A list with passwords in it is refused: they
belong into the vault.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import re
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils import catalog
from ansible_collections.edefter.ready.plugins.plugin_utils.model import OptionError

MAX_ROWS = 20_000
COLUMNS = {
    "name": ("name", "host", "hostname", "ad", "adı", "bilgisayar"),
    "address": ("address", "ip", "adres", "ip adresi"),
    "firm": ("firm", "firma"),
    "branch": ("branch", "şube", "sube"),
    "role": ("role", "rol", "görev", "gorev"),
    "port": ("port", "bağlantı noktası"),
}
ROLES = {
    "": "workstation",
    "workstation": "workstation",
    "pc": "workstation",
    "iş istasyonu": "workstation",
    "istasyon": "workstation",
    "server": "server",
    "sunucu": "server",
}
_SECRETS = ("password", "passwd", "pass", "parola", "şifre", "sifre", "secret")
# An inventory name: no pattern characters of Ansible (`:`, `!`, `&`, `*`, `[`), nothing that a template begins with.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}")


@dataclasses.dataclass(frozen=True)
class Row:
    """One host. port: None when the list does not say."""

    name: str
    address: str
    firm: str
    branch: str
    role: str
    port: int | None


def decoded(content: bytes) -> str:
    """A spreadsheet's bytes: UTF-8 (with or without its mark), else Windows' Turkish code page."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1254", errors="replace")


def _folded(text: str) -> str:
    # Turkish: İ and I are the capitals of i and ı; a column name is meant the same in either.
    return text.strip().replace("İ", "i").lower()


def parse(text: str, firm: str = "") -> tuple[Row, ...]:
    """The hosts. firm: for rows that name none. Raises OptionError."""
    head = text.partition("\n")[0]
    delimiter = max(";,\t", key=head.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        lines = [(rows.line_num, [cell.strip() for cell in row]) for row in rows]
    except csv.Error as error:
        raise OptionError(f"line {rows.line_num}", str(error), "save the list as CSV again") from error
    lines = [(number, row) for number, row in lines if any(row)]
    if not lines:
        raise OptionError("list", "", "it is empty; the first line names the columns, each other line a host")
    places = _columns(lines[0][1])
    if len(lines) - 1 > MAX_ROWS:
        raise OptionError("list", f"{len(lines) - 1} hosts", f"give at most {MAX_ROWS} at a time")
    found: dict[str, Row] = {}
    for number, cells in lines[1:]:
        row = _row(number, {name: cells[place] if place < len(cells) else "" for name, place in places.items()}, firm)
        if row.name.casefold() in found:
            raise OptionError(f"line {number}, name", row.name, "it stands twice; give each host a name of its own")
        found[row.name.casefold()] = row
    if not found:
        raise OptionError("list", "", "it names columns but no host")
    return tuple(found.values())


def _columns(head: list[str]) -> dict[str, int]:
    known = {_folded(alias): name for name, aliases in COLUMNS.items() for alias in aliases}
    places: dict[str, int] = {}
    for place, title in enumerate(head):
        folded = _folded(title)
        if any(secret in folded for secret in _SECRETS):
            raise OptionError("column", title, "take it out and put credentials into the vault of the inventory")
        if folded in known:
            places.setdefault(known[folded], place)
    if "name" not in places and "address" not in places:
        raise OptionError("columns", ", ".join(head)[:200], f"name them {', '.join(COLUMNS)} (name is needed)")
    return places


def _row(number: int, cells: t.Mapping[str, str], firm: str) -> Row:
    def fail(column: str, remedy: str) -> t.NoReturn:
        raise OptionError(f"line {number}, {column}", cells.get(column, ""), remedy)

    address = cells.get("address", "")
    name = cells.get("name") or address
    if not _NAME.fullmatch(name):
        fail("name", "use letters of the English alphabet, digits, dot, dash and underscore, at most 63")
    address = address or name
    if not catalog.is_host(address):
        fail("address", "give a host name or an IP address, without scheme and port")
    role = ROLES.get(_folded(cells.get("role", "")))
    if role is None:
        fail("role", "write workstation (iş istasyonu) or server (sunucu)")
    port = cells.get("port", "")
    if port and not (port.isascii() and port.isdigit() and len(port) <= 5 and 1 <= int(port) <= 65535):
        fail("port", "give a number from 1 to 65535, or nothing")
    return Row(
        name=name,
        address=address,
        firm=_label(cells.get("firm", "") or firm, lambda: fail("firm", "give one line of plain text")),
        branch=_label(cells.get("branch", ""), lambda: fail("branch", "give one line of plain text")),
        role=role,
        port=int(port) if port else None,
    )


def _label(text: str, fail: t.Callable[[], t.NoReturn]) -> str:
    # (Two braces would begin a template in an inventory.)
    if len(text) > 100 or not text.isprintable() or "{" in text or "}" in text:
        fail()
    return text
