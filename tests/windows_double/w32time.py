# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Windows Time service of a simulated host: when it corrects the clock, and when it does not.

Modelled: policy twins win over local values; the running service works with what it read when it started (or at
`w32tm /config /update`; providers and SpecialPollInterval only at start); it asks its real configured servers in the
lab; corrections beyond
the phase limits are refused; a service that has been running takes an error above 5 s for a spike until it is
restarted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from windows_double import sntp
from windows_double.host import Host

LOCAL = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\W32Time"
POLICY = "HKLM\\SOFTWARE\\Policies\\Microsoft\\W32Time"
#: Errors above this are a spike to a service that is past its hold phase (LargePhaseOffset, 5 s).
SPIKE = 5.0
ALWAYS = 0xFFFFFFFF


@dataclass(frozen=True)
class Outcome:
    """How a synchronisation ended: `synced`, `no_data`, `too_big`, `spike`, `not_running`."""

    what: str
    offset: float | None = None
    """Correction that was made or refused, seconds."""


def effective(host: Host, key: str, name: str, fallback: Any) -> Any:
    """A value as the service reads it: the policy twin first. NtpServer and Type of the policy are in its Parameters
    key."""
    value = host.registry.get(f"{POLICY}\\{key}", name)
    return host.registry.data(f"{LOCAL}\\{key}", name, fallback) if value is None else value.data


def _read(host: Host) -> dict[str, Any]:
    return {
        "type": str(effective(host, "Parameters", "Type", "NTP")),
        "servers": str(effective(host, "Parameters", "NtpServer", "")),
        "max_positive": effective(host, "Config", "MaxPosPhaseCorrection", 54000),
        "max_negative": effective(host, "Config", "MaxNegPhaseCorrection", 54000),
    }


def started(host: Host) -> Outcome:
    """Call when the service has started: it reads its configuration and makes a first correction."""
    service = host.services.setdefault("w32time", {})
    service["config"] = _read(host)
    service["client"] = effective(host, "TimeProviders\\NtpClient", "Enabled", 1) == 1
    return _correct(host, service, fresh=True)


def updated(host: Host) -> None:
    """`w32tm /config /update`: a running service reads its configuration again; providers need a restart."""
    service = host.services.get("w32time", {})
    if service.get("state") == "running":
        service["config"] = _read(host)


def resync(host: Host) -> Outcome:
    """`w32tm /resync`."""
    service = host.services.get("w32time", {})
    if service.get("state") != "running":
        return Outcome("not_running")
    if "config" not in service:
        # Running since before the simulation began.
        service["config"] = _read(host)
        service["client"] = effective(host, "TimeProviders\\NtpClient", "Enabled", 1) == 1
    return _correct(host, service, fresh=False)


def _correct(host: Host, service: dict[str, Any], *, fresh: bool) -> Outcome:
    config = service["config"]
    servers = _servers(host, config) if service["client"] else []
    answers = [answer for answer in sntp.ask_from(host.netns, servers) if answer["offset"] is not None]
    if not answers:
        return Outcome("no_data")
    truth = answers[0]["offset"]
    assert isinstance(truth, float)
    correction = truth - host.clock_offset
    limit = config["max_positive"] if correction > 0 else config["max_negative"]
    if limit != ALWAYS and abs(correction) > limit:
        return Outcome("too_big", correction)
    if not fresh and abs(correction) > SPIKE:
        return Outcome("spike", correction)
    host.set_clock_offset(truth)
    return Outcome("synced", correction)


def _servers(host: Host, config: dict[str, Any]) -> list[str]:
    """Peers in the order of use: those without the fallback flag (0x2) first."""
    kind = config["type"].lower()
    if kind == "nosync":
        return []
    domain = list(host.spec.domain_time) if kind in ("nt5ds", "allsync") else []
    if kind == "nt5ds":
        return domain
    first: list[str] = []
    fallback: list[str] = []
    for peer in config["servers"].split():
        name, _, flags = peer.partition(",")
        try:
            number = int(flags, 0) if flags else 0
        except ValueError:
            number = 0
        (fallback if number & 2 else first).append(name)
    return first + domain + fallback
