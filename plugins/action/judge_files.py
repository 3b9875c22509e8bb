# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges a folder of files from edefter-kontrol.exe as readiness judges hosts: same run folder, same records."""

from __future__ import annotations

import dataclasses
import datetime
import os
import pathlib
import secrets
import time
import typing as t

from ansible.errors import AnsibleActionFail
from ansible_collections.edefter.ready.plugins.action.host_info import ObservingAction
from ansible_collections.edefter.ready.plugins.module_utils.core import VERSION, Deadline
from ansible_collections.edefter.ready.plugins.plugin_utils import messages, outcome, record, second_look
from ansible_collections.edefter.ready.plugins.plugin_utils.assess import Assessment, assess
from ansible_collections.edefter.ready.plugins.plugin_utils.edge import process
from ansible_collections.edefter.ready.plugins.plugin_utils.edge.offline import Read, read_folder
from ansible_collections.edefter.ready.plugins.plugin_utils.edge.store import RunStore, write_atomically
from ansible_collections.edefter.ready.plugins.plugin_utils.judge.offline import Here, judge_offline
from ansible_collections.edefter.ready.plugins.plugin_utils.model import OptionError, ShapeError, Step
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.offline import OfflineFile, newest
from ansible_collections.edefter.ready.plugins.plugin_utils.onboard.firm import slugs
from ansible_collections.edefter.ready.plugins.plugin_utils.plan.instructions import instructions
from ansible_collections.edefter.ready.plugins.plugin_utils.plan.sheet import Sheet, others, render
from ansible_collections.edefter.ready.plugins.plugin_utils.vantage import Vantage, read_vantage
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted import everything
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted.offline import catalogue_sum

Json = dict[str, t.Any]

SPEC: Json = {
    **everything.judging_spec(),
    "files": {"type": "path", "required": True},
    "reports_dir": {"type": "path", "default": "reports"},
    "run_dir": {"type": "path"},
    "measure": {"type": "bool", "default": True},
    "vantage_hours": {"type": "float", "default": 1.0},
    "firm": {"type": "str", "default": ""},
    "branch": {"type": "str", "default": ""},
    "language": {"type": "str", "choices": ["tr", "en"], "default": "tr"},
    "max_age_days": {"type": "float", "default": 7.0},
}


class ActionModule(ObservingAction):
    """Action of M(edefter.ready.judge_files)."""

    def run(self, tmp: str | None = None, task_vars: Json | None = None) -> Json:
        result = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        self.take_variables(SPEC, task_vars)
        _spec, args = self.validate_argument_spec(SPEC)
        try:
            wanted = everything.wanted_from(args)
        except OptionError as error:
            raise AnsibleActionFail(str(error)) from error
        try:
            read = read_folder(args["files"])
        except OSError as error:
            raise AnsibleActionFail(
                f"files: {os.fspath(args['files'])!r} cannot be read ({error.strerror}); name a folder"
            ) from error
        if not read.files and not read.broken:
            raise AnsibleActionFail(
                f"files: {args['files']!r} holds no .json file; put those of edefter-kontrol.exe there"
            )
        store = _opened(args)
        result.update(changed=False, ansible_facts={"edefter_run_dir": str(store.folder.resolve())})
        if args["measure"]:
            result.update(self._measured(store, wanted, task_vars))
        result.update(_judged(store, read, wanted, args))
        return result

    def _measured(self, store: RunStore, wanted: everything.Wanted, task_vars: Json) -> Json:
        arguments = {**everything.module_arguments(wanted, None, vantage=True), "neighbours": 1, "place": 0}
        reply = self.observe("edefter.ready.host_info", arguments, task_vars)
        observation = reply.get("observation")
        if reply.get("failed") or reply.get("unreachable") or not isinstance(observation, dict):
            # The files can be judged without it, only less sharply: said, not fatal.
            store.put_vantage(None)
            why = f"the control node could not measure: {reply.get('msg', 'no observation')}"
            return {"vantage": "failed", "warnings": [why]}
        store.put_vantage(observation)
        return {"vantage": "ok"}


def _opened(args: Json) -> RunStore:
    """A new run. Raises AnsibleActionFail when its folder cannot be written."""
    now = datetime.datetime.now(datetime.UTC)
    run = f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
    folder = pathlib.Path(args["run_dir"] or pathlib.Path(args["reports_dir"]).expanduser() / run)
    started = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    try:
        owner = process.of(os.getppid())
        return RunStore.create(folder, run, started, VERSION, "check", args["language"], owner)
    except OSError as error:
        option = "run_dir" if args["run_dir"] else "reports_dir"
        raise AnsibleActionFail(
            f"{option}: {os.fspath(folder)!r} cannot be written ({error.strerror}); name a folder that can be"
        ) from error


def _judged(store: RunStore, read: Read, wanted: everything.Wanted, args: Json) -> Json:
    """Writes every file's record, the roster and the instructions; returns what the task says."""
    chosen, superseded = newest(read.files)
    run = store.meta()["run"]
    vantage = read_vantage(store.vantage())
    here = Here(VERSION, time.time(), args["max_age_days"], catalogue_sum(wanted))
    roster: list[dict[str, str]] = []
    counts: dict[str, int] = {}
    sheets: dict[str, list[Sheet]] = {}

    def enter(entry: dict[str, str], made: Json) -> None:
        store.put(entry["host"], {"schema": record.SCHEMA, "run": run, **entry, **made})
        roster.append(entry)
        counts[made["state"]] = counts.get(made["state"], 0) + 1

    for host, (_name, file) in chosen.items():
        firm = file.firm or args["firm"]
        entry = {"host": host, "firm": firm, "branch": file.branch or args["branch"], "role": file.role}
        made, plan = judged(file, wanted, vantage, here, args["vantage_hours"] * 3600.0)
        enter(entry, made)
        sheet = Sheet(host, firm, made["message"], instructions(plan), others(made["before"]["findings"]))
        sheets.setdefault(firm, []).append(sheet)
    for name, why in read.broken:
        entry = {"host": name, "firm": args["firm"], "branch": args["branch"], "role": ""}
        enter(entry, outcome.broken({}, "shape", why, "before"))
    store.add_to_roster(roster)
    pages: dict[str, dict[str, str]] = {}
    # A page goes to its firm: no other firm's machines are on it.
    for firm, folder in slugs(sheets).items():
        pages[firm] = {}
        for language in messages.LANGUAGES:
            page = store.folder / "firms" / folder / f"instructions-{language}.html"
            write_atomically(page, render(sheets[firm], language))
            pages[firm][language] = str(page)
    not_ready = sum(count for state, count in counts.items() if state in record.NOT_READY)
    return {
        "hosts": {host: name for host, (name, _file) in chosen.items()},
        "unreadable": [{"file": name, "error": why} for name, why in read.broken],
        "superseded": superseded,
        "counts": counts,
        "ready": not_ready == 0,
        "instructions": pages,
        "msg": f"{len(roster)} machine(s), {not_ready} not ready",
    }


def judged(
    file: OfflineFile, wanted: everything.Wanted, vantage: Vantage, here: Here, nearness: float
) -> tuple[Json, tuple[Step, ...]]:
    """The record without its identifying part, and the plan.

    nearness: seconds; what the control node sees now says something of a file that is no older (or newer) than this.
    """

    def near(offset: float | None) -> bool:
        return vantage.endpoints is not None and abs(here.now - (file.started + (offset or 0.0))) <= nearness

    try:
        # The file's time is its machine's, and may be wrong by what only judging it tells.
        guess = near(None)
        assessment = assess(file.observation, wanted, vantage if guess else Vantage())
        offset = _offset(assessment)
        if near(offset) != guess:
            assessment = assess(file.observation, wanted, Vantage() if guess else vantage)
        if near(offset):
            found = outcome.entered(assessment, {}, "before")["before"]["findings"]
            look = second_look.wishes(file.observation, wanted, vantage, found)
            if look is not None:
                # Only files in trouble pay for the import.
                from ansible_collections.edefter.ready.plugins.module_utils import endpoints

                seen = endpoints.collect(look, Deadline(look["deadline"]))
                assessment = assess(file.observation, wanted, second_look.enriched(vantage, seen))
    except ShapeError as error:
        return outcome.broken({}, "shape", str(error)[:500], "before"), ()
    said = judge_offline(file, here, offset)
    assessment = dataclasses.replace(assessment, findings=(*assessment.findings, *said))
    return outcome.entered(assessment, {}, "before"), assessment.plan


def _offset(assessment: Assessment) -> float | None:
    """How far the machine's clock is off (seconds, true minus shown), when several operators agree on it."""
    clock = assessment.facts.get("clock") or {}
    return clock.get("offset") if clock.get("corroborated") else None
