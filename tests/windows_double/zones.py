# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's time zone, as tzutil and Windows keep it: Control\\TimeZoneInformation, from the Time Zones database."""

from __future__ import annotations

import struct

from windows_double.registry import Registry, Value, folded

INFORMATION = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\TimeZoneInformation"
DATABASE = "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Time Zones"
NO_SUMMER_TIME = "_dstoff"


def current(registry: Registry) -> str:
    """What `tzutil /g` prints."""
    name = str(registry.data(INFORMATION, "TimeZoneKeyName", ""))
    return name + NO_SUMMER_TIME if registry.data(INFORMATION, "DynamicDaylightTimeDisabled", 0) == 1 else name


def known(registry: Registry, name: str) -> bool:
    """True when the machine lists the zone (by any spelling, with or without _dstoff)."""
    return folded(_plain(name)) in registry.subkeys(DATABASE)


def put(registry: Registry, name: str) -> None:
    """What `tzutil /s` does; the zone must be known."""
    plain = _plain(name)
    key = f"{DATABASE}\\{plain}"
    tzi: bytes = registry.data(key, "TZI")
    bias, standard_bias, daylight_bias = struct.unpack_from("<lll", tzi)
    off = name.lower().endswith(NO_SUMMER_TIME)
    registry.update(
        INFORMATION,
        [
            Value("TimeZoneKeyName", "string", plain),
            Value("DynamicDaylightTimeDisabled", "dword", int(off)),
            Value("Bias", "dword", bias),
            Value("StandardBias", "dword", standard_bias),
            Value("DaylightBias", "dword", standard_bias if off else daylight_bias),
            Value("ActiveTimeBias", "dword", bias + standard_bias),
            Value("StandardStart", "binary", bytes(16) if off else tzi[12:28]),
            Value("DaylightStart", "binary", bytes(16) if off else tzi[28:44]),
            Value("StandardName", "string", registry.data(key, "MUI_Std", "")),
            Value("DaylightName", "string", registry.data(key, "MUI_Dlt", "")),
        ],
    )


def _plain(name: str) -> str:
    return name[: -len(NO_SUMMER_TIME)] if name.lower().endswith(NO_SUMMER_TIME) else name
