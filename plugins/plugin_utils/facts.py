# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The small facts that reports draw pictures from: phases of probes, the clock's interval, the machine.

Pure. A record keeps these instead of the whole observation.
"""

from __future__ import annotations

import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils.clock.verdict import ClockVerdict
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.endpoint_model import Endpoints, Target
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.identity import Identity
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted.clock import ClockWanted


def facts(
    identity: Identity | None, endpoints: Endpoints | None, clock: ClockVerdict | None, wanted: ClockWanted
) -> dict[str, t.Any]:
    """{"machine", "probes", "clock"}; a part not observed is null. wanted: the limits of the clock's picture."""
    return {
        "machine": _machine(identity) if identity else None,
        "probes": [_probe(target) for target in endpoints.targets] if endpoints else None,
        "clock": _clock(clock, wanted) if clock else None,
    }


def _machine(identity: Identity) -> dict[str, t.Any]:
    return {
        "hostname": identity.hostname,
        "product": identity.product_name,
        "version": identity.display_version,
        "build": identity.build,
        "hypervisor": identity.hypervisor,
        "server": identity.product_type in ("ServerNT", "LanmanNT"),
    }


def _probe(target: Target) -> dict[str, t.Any]:
    """One endpoint: milliseconds by phase at the address a browser would have used, else at the first one tried."""
    attempt = next((a for a in target.attempts if a.address == target.winner), None)
    if attempt is None and target.attempts:
        attempt = target.attempts[0]
    phases: dict[str, float | None] = {"dns": target.dns.system_ms if target.dns else None}
    failed = "dns" if target.dns and target.dns.system_error else None
    if attempt is not None:
        for name, phase in (("tcp", attempt.tcp), ("tls", attempt.tls), ("http", attempt.http)):
            phases[name] = phase.elapsed_ms if phase else None
            if failed is None and phase is not None and phase.error is not None:
                failed = name
    return {
        "id": target.id,
        "host": target.host,
        "port": target.port,
        "address": attempt.address if attempt else None,
        "phases": phases,
        "failed": failed,
    }


def _clock(clock: ClockVerdict, wanted: ClockWanted) -> dict[str, t.Any]:
    return {
        "pass_seconds": wanted.pass_seconds,
        "warn_seconds": wanted.warn_seconds,
        "agree_seconds": wanted.agree_seconds,
        "lo": clock.lo,
        "hi": clock.hi,
        "offset": clock.offset,
        "method": clock.method,
        "corroborated": clock.corroborated,
        "host_utc": clock.host_utc,
        "sources": [
            {
                "id": source.id,
                "host": source.host,
                "kind": source.kind,
                "verdict": source.verdict,
                "reason": source.reason,
                "lo": source.lo,
                "hi": source.hi,
                "stratum": source.stratum,
            }
            for source in clock.sources
        ],
    }
