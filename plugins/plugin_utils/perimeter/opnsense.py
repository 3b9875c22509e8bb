# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OPNsense: the body for POST /api/firewall/alias/import. Pure."""

from __future__ import annotations

import json
import uuid

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

# Any fixed namespace will do: the same name gets the same id in every export, so an import again updates in place.
_SPACE = uuid.UUID("7d3c3d5e-0c0a-5f0e-9a0b-ede77e2ead79")
LIMIT = 31


def render(wanted: tuple[Target, ...], options: Options) -> Export:
    """One alias of hosts and one of ports for each set of ports."""
    aliases = {}
    for part in groups(wanted):
        base = f"{options.prefix}_{part.key}"
        for name, kind, content in (
            (safe_name(base, LIMIT), "host", part.hosts),
            (safe_name(f"{base}_p", LIMIT), "port", tuple(map(str, part.ports))),
        ):
            aliases[str(uuid.uuid5(_SPACE, name))] = {
                "enabled": "1",
                "name": name,
                "type": kind,
                "content": "\n".join(content),
                "description": MARK,
            }
    body = json.dumps({"data": {"aliases": {"alias": aliases}}}, indent=2, ensure_ascii=True) + "\n"
    names = "\n".join(alias["name"] for alias in aliases.values())
    return Export(
        "opnsense",
        ((f"{options.prefix}-opnsense.json", body),),
        (warning("opnsense_import"), warning("opnsense_wildcard"), *skipped_wildcards(wanted)),
        f"# delete the rules that use them, then these aliases:\n{names}\n",
    )
