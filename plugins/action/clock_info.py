# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures a host's clock with the twin that fits, judges here, and adds the verdict and the table of sources."""

from __future__ import annotations

import dataclasses
import time
import typing as t

from ansible.errors import AnsibleActionFail
from ansible_collections.edefter.ready.plugins.action.host_info import ObservingAction
from ansible_collections.edefter.ready.plugins.module_utils.clock import kernel
from ansible_collections.edefter.ready.plugins.plugin_utils import catalog
from ansible_collections.edefter.ready.plugins.plugin_utils.clock import verdict
from ansible_collections.edefter.ready.plugins.plugin_utils.judge.clock import judge_clock
from ansible_collections.edefter.ready.plugins.plugin_utils.messages import render
from ansible_collections.edefter.ready.plugins.plugin_utils.model import OptionError, ShapeError
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.clock import parse_clock
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.envelope import parse_observation
from ansible_collections.edefter.ready.plugins.plugin_utils.record import finding_dict
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted.clock import ClockWanted

JUDGED_HERE = ("pass_seconds", "warn_seconds", "require_corroboration")


def control_clock() -> tuple[float, float] | None:
    """Bounds of (true - control node) as its kernel vouches for them; None when nobody keeps its clock right."""
    known = kernel()
    if known is None or not known["synchronised"] or known["max_error"] > verdict.CONFIRMS:
        return None
    return -known["max_error"], known["max_error"]


def _number(value: object) -> object:
    """Options come as text from the command line; what is no number stays for from_options to refuse."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _row(row: verdict.SourceVerdict) -> dict[str, t.Any]:
    plain = dataclasses.asdict(row)
    lo, hi = plain.pop("lo"), plain.pop("hi")
    plain["bounds"] = None if lo is None else [round(lo, 6), round(hi, 6)]
    for name in ("offset", "delay"):
        plain[name] = None if plain[name] is None else round(plain[name], 6)
    return plain


class ActionModule(ObservingAction):
    """Action of M(edefter.ready.clock_info)."""

    MODULE = "edefter.ready.clock_info"

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        task_vars = task_vars or {}
        result = super().run(tmp, task_vars)
        args = dict(self._task.args)
        given = {name: args.pop(name) for name in JUDGED_HERE if name in args}
        try:
            wanted = self._wanted(given)
            if args.get("time_sources") is None:
                overrides = self._templated(task_vars.get("edefter_time_sources"))
                args["time_sources"] = [source.probe() for source in catalog.time_sources(overrides)]
        except OptionError as error:
            raise AnsibleActionFail(str(error)) from error
        # The wall clock once, then the monotonic one: a control node whose clock is set meanwhile stays a witness.
        wall, mono = time.time(), time.monotonic()
        reply = self.observe(self.MODULE, args, task_vars)
        received = wall + (time.monotonic() - mono)
        result.update(reply)
        if not reply.get("failed") and not reply.get("unreachable"):
            result.update(self._judged(reply.get("observation"), wanted, wall, received))
        return result

    def _wanted(self, given: dict[str, t.Any]) -> ClockWanted:
        options = {name: _number(value) for name, value in given.items()}
        flag = options.get("require_corroboration")
        if isinstance(flag, str):
            options["require_corroboration"] = {"true": True, "yes": True, "false": False, "no": False}.get(
                flag.lower(), flag
            )
        return ClockWanted.from_options(options)

    def _templated(self, value: object) -> object:
        return None if value is None else self._templar.template(value)

    @staticmethod
    def _judged(raw: object, wanted: ClockWanted, sent: float, received: float) -> dict[str, t.Any]:
        try:
            section = parse_observation(raw).sections.get("clock")
            if section is None or not section.ok:
                why = section.error.message if section and section.error else "the section clock did not arrive"
                return {"failed": True, "msg": f"The clock could not be measured: {why}"}
            clock = parse_clock(section.data)
        except ShapeError as error:
            return {"failed": True, "msg": f"The host's reply is not in the expected shape: {error}"}
        known = control_clock()
        control = verdict.witness(clock, sent, received, *known) if known else None
        found = verdict.assess(clock, control)
        findings = judge_clock(found, wanted)
        return {
            "changed": False,
            "verdict": found.status(wanted).value,
            "offset": None if found.offset is None else round(found.offset, 6),
            "bounds": None if found.lo is None or found.hi is None else [round(found.lo, 6), round(found.hi, 6)],
            "method": found.method,
            "corroborated": found.corroborated,
            "falsetickers": list(found.falsetickers),
            "stepped": found.stepped is not None,
            "host_utc": found.host_utc,
            "true_utc": found.true_utc,
            "sources": [_row(row) for row in found.sources],
            "findings": [finding_dict(finding) for finding in findings],
            "msg": render(findings[0].cause, "title", findings[0].params)["en"],
        }
