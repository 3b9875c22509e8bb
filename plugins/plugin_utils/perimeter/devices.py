# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All devices, by name. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils.model import OptionError
from ansible_collections.edefter.ready.plugins.plugin_utils.perimeter import (
    asa,
    fortigate,
    letter,
    mikrotik,
    nftables,
    opnsense,
    pfsense,
    sophos,
    squid,
    table,
)
from ansible_collections.edefter.ready.plugins.plugin_utils.perimeter.model import Export, Options, Target

DEVICES: t.Mapping[str, t.Callable[[tuple[Target, ...], Options], Export]] = {
    "asa": asa.render,
    "csv": table.render,
    "fortigate": fortigate.render,
    "letter": letter.render,
    "mikrotik": mikrotik.render,
    "nftables": nftables.render,
    "opnsense": opnsense.render,
    "pfsense": pfsense.render,
    "sophos": sophos.render,
    "squid": squid.render,
}


def export(device: str, wanted: tuple[Target, ...], options: Options) -> Export:
    """The list for one device. Raises OptionError when there is no such device."""
    render = DEVICES.get(device)
    if render is None:
        raise OptionError("perimeter.device", device, f"use one of {', '.join(sorted(DEVICES))}")
    return render(wanted, options)
