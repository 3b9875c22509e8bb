# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that is wanted of a host, read once from the options of the judging actions, and what to ask the host for.

Pure. The option specification stands here, beside its reader; its documentation is the fragment `judging`.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils import catalog
from ansible_collections.edefter.ready.plugins.plugin_utils.model import OptionError
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted.clock import ClockWanted
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted.endpoints import EndpointsWanted
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted.firewall import FirewallWanted
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted.time import TimeWanted

SCOPES = ("endpoints", "clock", "time", "firewall")
# What each judge needs to see. The clock belongs to every one: a wrong clock explains other troubles.
SECTIONS = {
    "endpoints": ("identity", "network", "proxy", "endpoints", "clock", "firewall"),
    "clock": ("identity", "clock"),
    "time": ("identity", "clock", "time"),
    "firewall": ("identity", "firewall"),
}
VANTAGE_SECTIONS = ("identity", "network", "proxy", "endpoints", "clock")
MAX_EXTRA_ADDRESSES = 8
VANTAGE_SAMPLES = 2
MAX_SLICES = 100
# Seconds for a whole observation, unless the option probe says otherwise.
DEADLINE = 25.0

Options = t.Mapping[str, t.Any]


@dataclasses.dataclass(frozen=True)
class Wanted:
    """Everything that is wanted, and the lists that are probed for it.

    vantage_elsewhere: whether the control node leaves through another line and firewall than the host; None: not said.
    slices: how many runs like this one go at once over parts of the same branches.
    """

    scope: tuple[str, ...]
    endpoint: EndpointsWanted
    time_sources: tuple[catalog.TimeSource, ...]
    canaries: tuple[catalog.Canary, ...]
    probe: Options
    clock: ClockWanted
    time: TimeWanted
    firewall: FirewallWanted
    vantage_elsewhere: bool | None = None
    slices: int = 1

    @property
    def endpoints(self) -> tuple[catalog.Endpoint, ...]:
        """The endpoints after the user's changes."""
        return self.endpoint.endpoints

    @property
    def sections(self) -> tuple[str, ...]:
        """What a host has to send for this scope, each once, in the order of the contract."""
        needed = {section for scope in self.scope for section in SECTIONS[scope]}
        order = ("identity", "network", "proxy", "endpoints", "clock", "time", "firewall")
        return tuple(section for section in order if section in needed)


def judging_spec() -> dict[str, t.Any]:
    """argument_spec that readiness and run_open share."""
    changes = {"type": "list", "elements": "dict"}
    return {
        "endpoints": changes,
        "time_sources": changes,
        "canaries": changes,
        "use_canaries": {"type": "bool", "default": True},
        "probe": {
            "type": "dict",
            "options": {
                "timeout": {"type": "float", "default": 5.0},
                "deadline": {"type": "float", "default": DEADLINE},
                "samples": {"type": "int"},
                "sample_interval": {"type": "float"},
                "seed": {"type": "int"},
            },
        },
        "endpoint": {"type": "dict", "default": {}},
        "clock": {"type": "dict", "default": {}},
        "time": {"type": "dict", "default": {}},
        "firewall": {"type": "dict", "default": {}},
        "scope": {"type": "list", "elements": "str", "choices": list(SCOPES), "default": list(SCOPES)},
        "vantage_elsewhere": {"type": "bool"},
    }


def readiness_spec() -> dict[str, t.Any]:
    """argument_spec of readiness."""
    return {
        **judging_spec(),
        "run_dir": {"type": "path"},
        "phase": {"type": "str", "choices": ["before", "after", "failed"], "default": "before"},
        "error": {"type": "str"},
        "firm": {"type": "str"},
        "branch": {"type": "str"},
        "role": {"type": "str"},
        "slices": {"type": "int", "default": 1},
        "return_findings": {"type": "str", "choices": ["auto", "always", "never"], "default": "auto"},
    }


def run_open_spec() -> dict[str, t.Any]:
    """argument_spec of run_open."""
    return {
        **judging_spec(),
        "reports_dir": {"type": "path", "default": "reports"},
        "run_dir": {"type": "path"},
        "mode": {"type": "str", "choices": ["check", "ready"], "default": "ready"},
        "hosts": {"type": "list", "elements": "str"},
        "measure": {"type": "bool", "default": True},
        "language": {"type": "str", "choices": ["tr", "en"], "default": "tr"},
        "watch": {"type": "bool", "default": True},
    }


def wanted_from(args: Options) -> Wanted:
    """Reads the options, already of the right types. Raises OptionError for a value that cannot be meant so."""
    sources = catalog.time_sources(args.get("time_sources"))
    probe = {key: value for key, value in (args.get("probe") or {}).items() if value is not None}
    for key in ("timeout", "deadline", "sample_interval"):
        if key in probe and not 0 < probe[key] <= 600:
            raise OptionError(f"probe.{key}", probe[key], "give seconds, more than 0 and at most 600")
    if "samples" in probe and not 1 <= probe["samples"] <= 16:
        raise OptionError("probe.samples", probe["samples"], "give 1 to 16")
    slices = args.get("slices", 1)
    if not 1 <= slices <= MAX_SLICES:
        raise OptionError("slices", slices, f"give the number of runs that share the fleet, 1 to {MAX_SLICES}")
    clock = ClockWanted.from_options(args.get("clock"))
    time_options = {"threshold_s": clock.pass_seconds, **(args.get("time") or {})}
    return Wanted(
        scope=tuple(args.get("scope") or SCOPES),
        endpoint=EndpointsWanted.from_options({"endpoints": args.get("endpoints"), **(args.get("endpoint") or {})}),
        time_sources=sources,
        canaries=catalog.canaries(args.get("canaries"), args.get("use_canaries", True)),
        probe=probe,
        clock=clock,
        time=TimeWanted.from_options(time_options, sources),
        firewall=FirewallWanted.from_options(args.get("firewall") or {}),
        vantage_elsewhere=args.get("vantage_elsewhere"),
        slices=slices,
    )


def module_arguments(
    wanted: Wanted, extra: t.Mapping[str, t.Iterable[str]] | None = None, vantage: bool = False
) -> dict[str, t.Any]:
    """Arguments of host_info. extra: addresses that the vantage saw, by host name. vantage: for the control node."""
    sections = [s for s in wanted.sections if not vantage or s in VANTAGE_SECTIONS]
    arguments: dict[str, t.Any] = {"sections": sections, **wanted.probe}
    if "endpoints" in sections:
        arguments["endpoints"] = [endpoint.probe() for endpoint in wanted.endpoints]
        arguments["canaries"] = [canary.probe() for canary in wanted.canaries]
        arguments["extra_addresses"] = [
            {"host": host, "addresses": list(addresses)[:MAX_EXTRA_ADDRESSES]}
            for host, addresses in (extra or {}).items()
            if addresses
        ]
    if "clock" in sections:
        if vantage:
            # Its own clock has to be known to be right, not to the millisecond, and the first hosts wait for it.
            arguments.setdefault("samples", VANTAGE_SAMPLES)
        arguments["time_sources"] = [source.probe() for source in wanted.time_sources]
    return arguments
