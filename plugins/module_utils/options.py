# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the observing modules, one definition for all three. The `.ps1` twins repeat it; a test compares them."""

from __future__ import annotations

import typing as t

SECTIONS = ("identity", "network", "proxy", "endpoints", "clock", "time", "firewall")

ENDPOINTS: dict[str, t.Any] = {
    "type": "list",
    "elements": "dict",
    "options": {
        "id": {"type": "str", "required": True},
        "host": {"type": "str", "required": True},
        "port": {"type": "int", "required": True},
        "scheme": {"type": "str", "choices": ["http", "https"], "default": "https"},
        "path": {"type": "str", "default": "/"},
    },
}

TIME_SOURCES: dict[str, t.Any] = {
    "type": "list",
    "elements": "dict",
    "options": {
        "id": {"type": "str", "required": True},
        "host": {"type": "str", "required": True},
        "port": {"type": "int"},
        "kind": {"type": "str", "choices": ["ntp", "https"], "default": "ntp"},
        "operator": {"type": "str"},
        "path": {"type": "str", "default": "/"},
    },
}

EXTRA_ADDRESSES: dict[str, t.Any] = {
    "type": "list",
    "elements": "dict",
    "options": {
        "host": {"type": "str", "required": True},
        "addresses": {"type": "list", "elements": "str", "required": True},
    },
}

CANARIES: dict[str, t.Any] = {
    "type": "list",
    "elements": "dict",
    "options": {
        "id": {"type": "str", "required": True},
        "kind": {"type": "str", "choices": ["random_name", "test_net", "https", "http_text"], "required": True},
        "host": {"type": "str"},
        "port": {"type": "int"},
        "path": {"type": "str", "default": "/"},
        "expect": {"type": "str"},
    },
}

TIMING: dict[str, t.Any] = {
    "timeout": {"type": "float", "default": 5.0},
    "deadline": {"type": "float", "default": 25.0},
    "seed": {"type": "int"},
}

SAMPLING: dict[str, t.Any] = {
    "samples": {"type": "int", "default": 4},
    "sample_interval": {"type": "float", "default": 0.4},
    "neighbours": {"type": "int", "default": 1},
    "place": {"type": "int", "default": 0},
}

# Read on the control node by the action; the module takes and ignores them.
LIMITS: dict[str, t.Any] = {
    "pass_seconds": {"type": "float", "default": 1.0, "no_log": False},
    "warn_seconds": {"type": "float", "default": 60.0},
    "require_corroboration": {"type": "bool", "default": True},
}


def endpoint_spec() -> dict[str, t.Any]:
    """argument_spec of endpoint_info."""
    return {"endpoints": ENDPOINTS, "extra_addresses": EXTRA_ADDRESSES, "canaries": CANARIES, **TIMING}


def clock_spec() -> dict[str, t.Any]:
    """Options of the section clock."""
    return {"time_sources": TIME_SOURCES, **SAMPLING, **TIMING}


def clock_info_spec() -> dict[str, t.Any]:
    """argument_spec of clock_info: what is measured and what it is held against."""
    return {**clock_spec(), **LIMITS}


def host_spec() -> dict[str, t.Any]:
    """argument_spec of host_info: the union, and the choice of sections."""
    sections = {"type": "list", "elements": "str", "choices": list(SECTIONS)}
    return {"sections": sections, **endpoint_spec(), **clock_spec()}
