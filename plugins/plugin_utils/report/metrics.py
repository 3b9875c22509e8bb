# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as metrics for the textfile collector of Prometheus' node_exporter.

Pure. A family's samples have to stand together while hosts come one by one: each sample is given with its family, and
whoever writes the file sorts them.
"""

from __future__ import annotations

import datetime
import re
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils.report.digest import Digest, HostLine, current

Json = t.Mapping[str, t.Any]
Sample = tuple[str, str]

FAMILIES: t.Mapping[str, str] = {
    "edefter_run_info": "The run that these figures are from.",
    "edefter_run_start_timestamp_seconds": "When the run began.",
    "edefter_run_finish_timestamp_seconds": "When the reports were written.",
    "edefter_hosts": "Hosts by state.",
    "edefter_firm_ready": "Whether the firm is ready for e-Defter.",
    "edefter_firm_hosts": "Hosts of the firm.",
    "edefter_firm_ready_hosts": "Hosts of the firm that are ready for e-Defter.",
    "edefter_host_ready": "Whether the host is ready for e-Defter.",
    "edefter_host_state": "The state of the host; its value is always 1.",
    "edefter_host_findings": "Findings of the host by status.",
    "edefter_host_observation_seconds": "How long the observation took.",
    "edefter_clock_offset_seconds": "True time minus the host's clock, the middle of what is certain.",
    "edefter_clock_uncertainty_seconds": "Half of the interval that the offset certainly lies in.",
    "edefter_endpoint_ok": "Whether every phase of the connection went through.",
    "edefter_endpoint_duration_seconds": "The connection's phases together.",
}
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
MAX_LABEL = 200


def _label(value: object) -> str:
    text = _CONTROL.sub(" ", str(value))[:MAX_LABEL]
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def sample(family: str, value: float, **labels: object) -> Sample:
    """(family, line)."""
    inner = ",".join(f'{name}="{_label(text)}"' for name, text in labels.items())
    number = format(value, ".9g")
    return family, f"{family}{{{inner}}} {number}\n" if inner else f"{family} {number}\n"


def heading(family: str) -> str:
    """HELP and TYPE."""
    return f"# HELP {family} {FAMILIES[family]}\n# TYPE {family} gauge\n"


def host_samples(record: Json, host: HostLine) -> t.Iterator[Sample]:
    """One host."""
    where = {"firm": host.firm, "branch": host.branch, "host": host.host}
    part = current(record)
    facts = part.get("facts") or {}
    yield sample("edefter_host_ready", host.ready, **where)
    yield sample("edefter_host_state", 1, **where, state=host.state, role=host.role)
    if not part:
        return
    statuses = dict.fromkeys(("pass", "warn", "fail", "unknown"), 0)
    for finding in part["findings"]:
        statuses[finding["status"]] += 1
    for status, count in statuses.items():
        yield sample("edefter_host_findings", count, **where, status=status)
    yield sample("edefter_host_observation_seconds", (part.get("elapsed_ms") or 0.0) / 1000, **where)
    clock = facts.get("clock") or {}
    if clock.get("lo") is not None and clock.get("hi") is not None:
        yield sample("edefter_clock_offset_seconds", (clock["lo"] + clock["hi"]) / 2, **where)
        yield sample("edefter_clock_uncertainty_seconds", (clock["hi"] - clock["lo"]) / 2, **where)
    for probe in facts.get("probes") or ():
        total = sum(took for took in probe["phases"].values() if took is not None) / 1000
        yield sample("edefter_endpoint_ok", not probe["failed"], **where, endpoint=probe["id"])
        yield sample("edefter_endpoint_duration_seconds", total, **where, endpoint=probe["id"])


def run_samples(digest: Digest, meta: Json) -> t.Iterator[Sample]:
    """The run and its firms."""
    yield sample("edefter_run_info", 1, run=meta["run"], version=meta["version"], mode=meta["mode"])
    for name, key in (("start", "started_utc"), ("finish", "finished_utc")):
        if meta.get(key):
            moment = datetime.datetime.fromisoformat(str(meta[key]).replace("Z", "+00:00"))
            # More digits than a sample's nine: a time is given in full.
            family = f"edefter_run_{name}_timestamp_seconds"
            yield family, f"{family} {moment.timestamp():.0f}\n"
    for state, count in digest.counts.items():
        yield sample("edefter_hosts", count, state=state)
    for firm in digest.firms:
        yield sample("edefter_firm_ready", firm.all_ready, firm=firm.firm)
        yield sample("edefter_firm_hosts", len(firm.hosts), firm=firm.firm)
        yield sample("edefter_firm_ready_hosts", firm.ready, firm=firm.firm)
