# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Section `time` of the Python twin: the zone and the offset from UTC now in force. What only Windows has is null."""

from __future__ import annotations

import os
import time
import typing as t

from ansible_collections.edefter.ready.plugins.module_utils.core import Data, Deadline, bound

LOCALTIME = "/etc/localtime"
TIMEZONE = "/etc/timezone"


def zone_name(localtime: str = LOCALTIME, timezone: str = TIMEZONE) -> t.Optional[str]:
    """The IANA name: where the link points, else Debian's file; None when the zone is a plain copy without a name."""
    try:
        target = os.path.realpath(localtime) if os.path.islink(localtime) else ""
    except OSError:
        target = ""
    if "/zoneinfo/" in target:
        return bound(target.split("/zoneinfo/", 1)[1], 120)
    try:
        with open(timezone, encoding="utf-8", errors="replace") as stream:
            return bound(stream.readline(200).strip(), 120) or None
    except OSError:
        return None


def collect(options: Data, deadline: Deadline) -> Data:
    """The same keys as TimeSettings.cs."""
    return {
        "w32time": None,
        "policy": None,
        "task": None,
        "zone": {
            "key": zone_name(),
            "dynamic_daylight_disabled": None,
            "bias_min": None,
            "active_bias_min": None,
            "utc_offset_s": time.localtime().tm_gmtoff,
            "real_time_is_universal": None,
            "data": None,
        },
        "tzautoupdate_start": None,
    }
