# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sections `time` and `identity` as hosts of every kind send them, in order; tests break one thing at a time."""

from __future__ import annotations

import copy
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils.hostkind import Host, Kind, host_of
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.time import TimeObservation, parse_time
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted.time import TimeWanted

Raw = dict[str, t.Any]

WANTED = TimeWanted.from_options({})

JOIN_START = {"type": 3, "action": 1, "guid": "1ce20aba-9851-4421-9430-1ddeb766e809"}
NOT_JOINED_STOP = {"type": 3, "action": 2, "guid": "ddaf516e-58c2-4866-9574-c3b615d42ea1"}
NETWORK_START = {"type": 2, "action": 1, "guid": "4f27f2de-14e2-430b-a549-7cd48cbc8245"}
NETWORK_STOP = {"type": 2, "action": 2, "guid": "cc4ba62a-162e-4648-847a-b6bdf993e335"}

CONFIG: Raw = {
    "AnnounceFlags": 10,
    "MaxPosPhaseCorrection": 54000,
    "MaxNegPhaseCorrection": 54000,
    "MaxAllowedPhaseOffset": 1,
    "MinPollInterval": 10,
    "MaxPollInterval": 15,
    "PhaseCorrectRate": 1,
    "UpdateInterval": 360000,
    "LargePhaseOffset": 50000000,
    "SpikeWatchPeriod": 900,
    "HoldPeriod": 5,
    "UtilizeSslTimeData": 1,
}
TURKEY_RULE = {"bias_min": -180, "standard_bias_min": 0, "daylight_bias_min": -60, "has_daylight": False}
OLD_RULE = {"bias_min": -120, "standard_bias_min": 0, "daylight_bias_min": -60, "has_daylight": True}

READY: Raw = {
    "w32time": {
        "present": True,
        "start": 2,
        "delayed": None,
        "triggers": [NETWORK_START, NETWORK_STOP],
        "state": "running",
        "exit_code": 0,
        "state_error": None,
        "parameters": {"Type": "NTP", "NtpServer": WANTED.ntp_server},
        "config": CONFIG,
        "ntp_client": {
            "Enabled": 1,
            "SpecialPollInterval": 32768,
            "CrossSiteSyncFlags": 2,
            "NtpServer": None,
            "Type": None,
        },
        "ntp_server": {"Enabled": 0},
        "vmic": {"Enabled": 1},
        "secure_time_limits": None,
    },
    "policy": {"parameters": None, "config": None, "ntp_client": None, "ntp_server": None},
    "task": {"state": "enabled", "error": None},
    "zone": {
        "key": "Turkey Standard Time",
        "dynamic_daylight_disabled": 0,
        "bias_min": -180,
        "active_bias_min": -180,
        "utc_offset_s": 10800,
        "real_time_is_universal": None,
        "data": {"Turkey Standard Time": TURKEY_RULE},
    },
    "tzautoupdate_start": 4,
}

IDENTITY: Raw = {
    "os": "windows",
    "build": "22631.4317",
    "product_type": "WinNT",
    "entra_joined": False,
    "hypervisor": None,
    "domain_role": {"machine_role": 0, "domain": "WORKGROUP", "dns_domain": None, "forest": None},
}
_DOMAIN = {"domain": "FIRMA", "dns_domain": "firma.local", "forest": "firma.local"}
_SERVER_CONFIG = {"MinPollInterval": 6, "MaxPollInterval": 10, "UtilizeSslTimeData": 0}
_JOINED = {
    "w32time": {
        "start": 3,
        "triggers": [JOIN_START],
        "parameters": {"Type": "NT5DS", "NtpServer": "time.windows.com,0x9"},
        "config": {"MaxPosPhaseCorrection": 0xFFFFFFFF, "MaxNegPhaseCorrection": 0xFFFFFFFF},
    }
}


def merged(base: Raw, *overs: Raw) -> Raw:
    """A deep copy of base with overs laid over."""
    result = copy.deepcopy(base)
    for over in overs:
        for key, value in over.items():
            if isinstance(value, dict) and isinstance(result.get(key), dict):
                result[key] = merged(result[key], value)
            else:
                result[key] = copy.deepcopy(value)
    return result


#: kind of host -> (section time, section identity), everything as it ought to be.
KINDS: dict[str, tuple[Raw, Raw]] = {
    "workgroup_pc": (READY, IDENTITY),
    "entra_joined": (READY, merged(IDENTITY, {"entra_joined": True})),
    "workgroup_server": (
        merged(READY, {"w32time": {"config": _SERVER_CONFIG}}),
        merged(IDENTITY, {"build": "20348.1", "product_type": "ServerNT", "domain_role": {"machine_role": 2}}),
    ),
    "member": (merged(READY, _JOINED), merged(IDENTITY, {"domain_role": {"machine_role": 1, **_DOMAIN}})),
    "member_server": (
        merged(READY, _JOINED, {"w32time": {"config": {"UtilizeSslTimeData": 0}}}),
        merged(
            IDENTITY,
            {"build": "20348.1", "product_type": "ServerNT", "domain_role": {"machine_role": 3, **_DOMAIN}},
        ),
    ),
    "domain_controller": (
        merged(READY, _JOINED, {"w32time": {"start": 2, "config": {"UtilizeSslTimeData": 0}}}),
        merged(
            IDENTITY,
            {"build": "20348.1", "product_type": "LanmanNT", "domain_role": {"machine_role": 4, **_DOMAIN}},
        ),
    ),
    "pdc_emulator": (
        merged(
            READY,
            _JOINED,
            {
                "w32time": {
                    "start": 2,
                    "parameters": {"Type": "NTP", "NtpServer": WANTED.ntp_server},
                    "config": {
                        **_SERVER_CONFIG,
                        "MaxPosPhaseCorrection": 172800,
                        "MaxNegPhaseCorrection": 172800,
                        "AnnounceFlags": 5,
                    },
                }
            },
        ),
        merged(
            IDENTITY,
            {"build": "20348.1", "product_type": "LanmanNT", "domain_role": {"machine_role": 5, **_DOMAIN}},
        ),
    ),
    "hyperv_guest": (READY, merged(IDENTITY, {"hypervisor": "hyperv"})),
    "azure_guest": (READY, merged(IDENTITY, {"hypervisor": "azure"})),
    "vmware_guest": (READY, merged(IDENTITY, {"hypervisor": "vmware"})),
}

STAND_ALONE = ("workgroup_pc", "entra_joined", "workgroup_server", "hyperv_guest", "azure_guest", "vmware_guest")
FOLLOWERS = ("member", "member_server", "domain_controller")


def host(kind: str, **over: t.Any) -> Host:
    """The Host of a kind, its identity changed by `over`."""
    return host_of(merged(KINDS[kind][1], over))


def section(kind: str, *overs: Raw) -> TimeObservation:
    """The parsed section of a kind, changed by `overs`."""
    return parse_time(merged(KINDS[kind][0], *overs))


__all__ = ["KINDS", "Host", "Kind", "host", "merged", "section"]
