# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pfSense: the `aliases` area of its configuration. Pure."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from ansible_collections.edefter.ready.plugins.plugin_utils.perimeter.model import (
    MARK,
    Export,
    Options,
    Target,
    groups,
    safe_name,
    skipped_wildcards,
    warning,
)

LIMIT = 31


def render(wanted: tuple[Target, ...], options: Options) -> Export:
    """One alias of hosts and one of ports for each set of ports."""
    root = ET.Element("aliases")
    names = []
    for part in groups(wanted):
        base = f"{options.prefix}_{part.key}"
        for name, kind, values in (
            (safe_name(base, LIMIT), "host", part.hosts),
            (safe_name(f"{base}_p", LIMIT), "port", tuple(map(str, part.ports))),
        ):
            names.append(name)
            alias = ET.SubElement(root, "alias")
            for tag, text in (
                ("name", name),
                ("type", kind),
                ("address", " ".join(values)),
                ("descr", MARK),
                ("detail", "||".join([MARK] * len(values))),
            ):
                ET.SubElement(alias, tag).text = text
    ET.indent(root)
    text = '<?xml version="1.0"?>\n' + ET.tostring(root, encoding="unicode") + "\n"
    listed = "\n".join(names)
    return Export(
        "pfsense",
        ((f"{options.prefix}-pfsense.xml", text),),
        (warning("pfsense_import"), *skipped_wildcards(wanted)),
        f"# delete the rules that use them, then these aliases:\n{listed}\n",
    )
