# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plain CSV, for every device that is not here and for people. Pure."""

from __future__ import annotations

import csv
import io

from ansible_collections.edefter.ready.plugins.plugin_utils.perimeter.model import Export, Options, Target

COLUMNS = ("name", "hosts", "protocol", "port", "required", "purpose_tr", "purpose_en")


def render(wanted: tuple[Target, ...], options: Options) -> Export:
    """One line for each name and port."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for target in wanted:
        for port in target.ports:
            values = (
                target.pattern,
                " ".join(target.hosts),
                target.protocol,
                str(port),
                "yes" if target.required else "no",
                target.purpose_tr,
                target.purpose_en,
            )
            writer.writerow([plain(value) for value in values])
    return Export("csv", ((f"{options.prefix}-list.csv", out.getvalue()),))


def plain(value: str) -> str:
    """Text that a spreadsheet does not take for a formula. (A wildcard begins with `*`, which is none.)"""
    return f"'{value}" if value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
