# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes one run of several: their folders, and the artifacts of jobs that ran elsewhere."""

from __future__ import annotations

import pathlib
import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.edefter.ready.plugins.plugin_utils import merge
from ansible_collections.edefter.ready.plugins.plugin_utils.edge.store import RunStore


class ActionModule(ActionBase):
    """Action of M(edefter.ready.run_merge)."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        _spec, args = self.validate_argument_spec(
            {
                "runs": {"type": "list", "elements": "path", "default": []},
                "artifacts": {"type": "list", "elements": "dict"},
                "reports_dir": {"type": "path", "default": "reports"},
                "hosts": {"type": "list", "elements": "str"},
                "language": {"type": "str", "choices": ["tr", "en"], "default": "tr"},
            }
        )
        artifacts = args["artifacts"]
        if artifacts is None:
            names = sorted(name for name in task_vars if name.startswith(merge.PREFIX))
            artifacts = [self._templar.template(task_vars[name]) for name in names]
        sources = [self._folder(path) for path in args["runs"]]
        try:
            unpacked = [merge.unpack(artifact) for artifact in artifacts]
            meta = merge.run_of([*(store.meta() for store in sources), *(meta for meta, _records in unpacked)])
        except merge.ArtifactError as error:
            raise AnsibleActionFail(f"artifacts: {error}") from error
        except ValueError as error:
            raise AnsibleActionFail(
                f"{error}: name folders in runs, or run this after jobs that shared theirs (edefter.ready.run_share)"
            ) from error
        store = RunStore.adopt(pathlib.Path(args["reports_dir"]).expanduser() / meta["run"], meta, args["language"])
        facts = task_vars.get("hostvars") or {}
        seen: dict[str, dict[str, str]] = {host: self._entry(host, facts) for host in args["hosts"] or ()}
        for records in [*(source.records() for source in sources), *(records for _meta, records in unpacked)]:
            for found in records:
                seen[found["host"]] = {key: str(found.get(key) or "") for key in ("host", "firm", "branch", "role")}
                known = store.get(found["host"])
                if found["state"] != "pending" or known is not None:
                    store.put(found["host"], merge.better(known, found) if known else found)
        store.set_roster(seen[host] for host in merge.in_order(seen, list(facts)))
        missing = [host for host in seen if store.get(host) is None]
        result.update(
            changed=False,
            ansible_facts={"edefter_run_dir": str(store.folder.resolve())},
            run=meta["run"],
            merged=[part["run"] for part in meta["merged"]],
            hosts=len(seen),
            pending=sorted(missing),
        )
        return result

    @staticmethod
    def _folder(path: str) -> RunStore:
        store = RunStore(path)
        if not store.exists():
            raise AnsibleActionFail(f"runs: {path!r} holds no run")
        return store

    @staticmethod
    def _entry(host: str, facts: t.Any) -> dict[str, str]:
        """Roster entry of a host that no run may have got to."""
        known = facts.get(host) or {}
        return {"host": host, **{key: str(known.get(f"edefter_{key}") or "") for key in ("firm", "branch", "role")}}
