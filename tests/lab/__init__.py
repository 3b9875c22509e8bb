# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A network lab of real servers in network namespaces of its own. See README.md beside this file."""

from __future__ import annotations

from .core import Lab, unique
from .netns import LabError
from .topology import Host, Site

__all__ = ["FAULTS", "Host", "Lab", "LabError", "Site", "unique"]


def __getattr__(name: str) -> object:
    if name == "FAULTS":
        from .faults import FAULTS

        return FAULTS
    raise AttributeError(name)
