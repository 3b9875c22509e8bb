# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Opens a run: its folder, its roster, and the control node's own measurement (the vantage)."""

from __future__ import annotations

import datetime
import os
import pathlib
import secrets
import typing as t

from ansible.errors import AnsibleActionFail
from ansible_collections.edefter.ready.plugins.action.host_info import ObservingAction
from ansible_collections.edefter.ready.plugins.module_utils.core import VERSION
from ansible_collections.edefter.ready.plugins.plugin_utils.edge.store import RunStore
from ansible_collections.edefter.ready.plugins.plugin_utils.model import OptionError
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted import everything


class ActionModule(ObservingAction):
    """Action of M(edefter.ready.run_open). Once a play, delegated to the control node or a branch's own host."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result = super(ObservingAction, self).run(tmp, task_vars)
        task_vars = task_vars or {}
        _spec, args = self.validate_argument_spec(everything.run_open_spec())
        try:
            wanted = everything.wanted_from(args)
        except OptionError as error:
            raise AnsibleActionFail(str(error)) from error
        store = self._store(args)
        store.add_to_roster(self._roster(args, task_vars))
        result.update(changed=False, ansible_facts={"edefter_run_dir": str(store.folder.resolve())})
        if args["measure"] and store.vantage() is None:
            result.update(self._measure(store, wanted, task_vars))
        return result

    @staticmethod
    def _store(args: dict[str, t.Any]) -> RunStore:
        """The run at run_dir when a batch before this one has opened it, else a new one below reports_dir."""
        if args["run_dir"] and RunStore(args["run_dir"]).exists():
            return RunStore(args["run_dir"])
        now = datetime.datetime.now(datetime.UTC)
        run = f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
        folder = pathlib.Path(args["run_dir"] or pathlib.Path(args["reports_dir"]).expanduser() / run)
        try:
            return RunStore.create(folder, run, now.strftime("%Y-%m-%dT%H:%M:%SZ"), VERSION, args["mode"])
        except OSError as error:
            option = "run_dir" if args["run_dir"] else "reports_dir"
            raise AnsibleActionFail(
                f"{option}: {os.fspath(folder)!r} cannot be written ({error.strerror}); name a folder that can be"
            ) from error

    @staticmethod
    def _roster(args: dict[str, t.Any], task_vars: dict[str, t.Any]) -> list[dict[str, str]]:
        """Every host of the play, with what the inventory says of it."""
        facts = task_vars["hostvars"]
        roster = []
        for host in args["hosts"] or task_vars["ansible_play_hosts_all"]:
            known = facts.get(host) or {}
            entry = {"host": host}
            for key in ("firm", "branch", "role"):
                entry[key] = str(known.get(f"edefter_{key}") or "")
            roster.append(entry)
        return roster

    def _measure(self, store: RunStore, wanted: everything.Wanted, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        reply = self.observe(
            "edefter.ready.host_info", everything.module_arguments(wanted, None, vantage=True), task_vars
        )
        observation = reply.get("observation")
        if reply.get("failed") or reply.get("unreachable") or not isinstance(observation, dict):
            # The hosts can be judged without it, only less sharply: said, not fatal.
            store.put_vantage(None)
            return {
                "vantage": "failed",
                "warnings": [f"the vantage could not measure: {reply.get('msg', 'no observation')}"],
            }
        store.put_vantage(observation)
        return {"vantage": "ok"}
