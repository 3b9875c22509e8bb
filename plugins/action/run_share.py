# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gives a run's records to the job's artifacts, as ansible.builtin.set_stats would."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.edefter.ready.plugins.plugin_utils import merge
from ansible_collections.edefter.ready.plugins.plugin_utils.edge.store import RunStore


class ActionModule(ActionBase):
    """Action of M(edefter.ready.run_share)."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result = super().run(tmp, task_vars)
        _spec, args = self.validate_argument_spec(
            {"run_dir": {"type": "path", "required": True}, "max_kb": {"type": "int", "default": 1024}}
        )
        store = RunStore(args["run_dir"])
        if not store.exists():
            raise AnsibleActionFail(f"run_dir: {args['run_dir']!r} holds no run; open one with edefter.ready.run_open")
        meta = store.meta()
        # Which process ran it is of no use elsewhere.
        meta.pop("process", None)
        artifact = merge.pack(meta, store.records, args["max_kb"] * 1024)
        name = merge.name_of(meta["run"])
        result.update(
            changed=False,
            name=name,
            level=artifact["level"],
            kb=round(len(artifact["records"]) / 1024, 1),
            # The wish to ansible-core that ansible.builtin.set_stats makes, too.
            ansible_stats={"data": {name: artifact}, "per_host": False, "aggregate": True},
        )
        if artifact["level"] != merge.LEVELS[0]:
            warning = (
                f"the records of {artifact['hosts']} hosts are more than max_kb={args['max_kb']}: the artifact holds "
                f"them at level {artifact['level']}. Smaller slices, or a reports_dir that all share, keep everything"
            )
            result["warnings"] = [warning]
        return result
