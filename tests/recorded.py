# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The recorded observation: what host_info of the Windows twin sent from the lab, unedited."""

from __future__ import annotations

import copy
import json
import pathlib
import typing as t

RAW: dict[str, t.Any] = json.loads(
    (pathlib.Path(__file__).parent / "unit" / "plugin_utils" / "data" / "observation.json").read_text("utf-8")
)


def raw(**sections: t.Any) -> dict[str, t.Any]:
    """A copy of it with sections replaced."""
    made = copy.deepcopy(RAW)
    made["sections"].update(sections)
    return made
