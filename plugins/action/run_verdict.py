# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Says of one host what its record says, as Ansible's own status: unreachable, failed or ok."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.edefter.ready.plugins.plugin_utils.edge.store import RunStore
from ansible_collections.edefter.ready.plugins.plugin_utils.record import NOT_READY


class ActionModule(ActionBase):
    """Action of M(edefter.ready.run_verdict)."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        _spec, args = self.validate_argument_spec(
            {"run_dir": {"type": "path", "required": True}, "apart": {"type": "dict", "default": {}}}
        )
        host = task_vars["inventory_hostname"]
        record = RunStore(args["run_dir"]).get(host)
        result["changed"] = False
        if record is None:
            result.update(failed=True, state="pending", msg=f"{host}: the run has no record of this host")
            return result
        message = record["message"].get("en", "")
        detail = (record.get("error") or {}).get("message", "")
        result.update(state=record["state"], msg=f"{message} {detail}".strip())
        if record["state"] == "unreachable":
            result["unreachable"] = True
        elif record["state"] in NOT_READY:
            result["failed"] = True
        elif host in args["apart"]:
            # Ready by itself, and yet its firm is not.
            result.update(failed=True, msg=str(args["apart"][host]))
        return result
