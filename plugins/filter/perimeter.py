# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The perimeter's allow-lists, from the catalogue: one filter, so that a playbook only has to write files."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.edefter.ready.plugins.plugin_utils import catalog
from ansible_collections.edefter.ready.plugins.plugin_utils.model import OptionError
from ansible_collections.edefter.ready.plugins.plugin_utils.perimeter import devices, letter, model
from ansible_collections.edefter.ready.plugins.plugin_utils.perimeter.observed import observed


def perimeter(
    device: str,
    endpoints: object = None,
    time_sources: object = None,
    options: t.Mapping[str, t.Any] | None = None,
    records: t.Iterable[object] | None = None,
    firm: str = "",
    sender: str = "",
    date: str = "",
) -> dict[str, t.Any]:
    """The allow-list of one device; perimeter.yml documents the parameters."""
    try:
        wanted = model.targets(catalog.endpoints(endpoints or None), catalog.time_sources(time_sources or None))
        chosen = model.Options.from_options(options)
        if device == "letter":
            about = letter.About(str(firm), str(sender), str(date))
            result = letter.render(wanted, chosen, observed(records or ()), about)
        else:
            result = devices.export(device, wanted, chosen)
    except OptionError as error:
        raise AnsibleFilterError(f"edefter.ready.perimeter: {error}") from error
    return {
        "device": result.device,
        "files": [{"name": name, "content": content} for name, content in result.files],
        "warnings": [dict(warning) for warning in result.warnings],
        "rollback": result.rollback,
    }


class FilterModule:
    """Filters of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """By name."""
        return {"perimeter": perimeter}
