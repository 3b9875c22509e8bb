# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the reports of a run from the records in its folder."""

from __future__ import annotations

import datetime
import typing as t

from ansible import constants as C
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.edefter.ready.plugins.plugin_utils import messages
from ansible_collections.edefter.ready.plugins.plugin_utils.edge import memory, reports
from ansible_collections.edefter.ready.plugins.plugin_utils.edge.store import RunStore
from ansible_collections.edefter.ready.plugins.plugin_utils.report.digest import Digest
from ansible_collections.edefter.ready.plugins.plugin_utils.report.terminal import summary

# Callbacks whose output is for people: a free line does not spoil it, as it would spoil JSON.
READABLE = (
    "default",
    "ansible.builtin.default",
    "minimal",
    "ansible.builtin.minimal",
    "oneline",
    "yaml",
    "awx_display",
)


class ActionModule(ActionBase):
    """Action of M(edefter.ready.run_report)."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result = super().run(tmp, task_vars)
        _spec, args = self.validate_argument_spec(
            {
                "run_dir": {"type": "path", "required": True},
                "language": {"type": "str", "choices": ["tr", "en"], "default": "tr"},
                "show": {"type": "bool", "default": True},
                "formats": {
                    "type": "list",
                    "elements": "str",
                    "choices": list(reports.FORMATS),
                    "default": list(reports.DEFAULT),
                },
                "keep": {"type": "int", "default": 0},
            }
        )
        if args["keep"] < 0:
            raise AnsibleActionFail(f"keep: {args['keep']} runs cannot be kept; give 0 to keep all, or 1 and more")
        store = RunStore(args["run_dir"])
        if not store.exists():
            raise AnsibleActionFail(f"run_dir: {args['run_dir']!r} holds no run; open one with edefter.ready.run_open")
        store.finish(datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
        written = reports.write_all(store, args["language"], args["formats"])
        shown = next((written.files[kind] for kind in reports.FORMATS if kind in written.files), None)
        lines = summary(written.digest, args["language"], shown)
        if args["show"] and C.DEFAULT_STDOUT_CALLBACK in READABLE:
            Display().display("\n".join(["", *lines, ""]))
        result.update(
            changed=False,
            counts={state: count for state, count in written.digest.counts.items() if count},
            ready=written.digest.all_ready,
            ansible_facts={
                "edefter_apart": _apart(written.digest),
                # Before ansible-core 2.21 a host that was unreachable cannot be put into a group.
                "edefter_unreached": [
                    line.host for firm in written.digest.firms for line in firm.hosts if line.state == "unreachable"
                ],
            },
            files=dict(written.files),
            pruned=memory.prune(store, args["keep"]),
            summary=lines,
        )
        return result


def _apart(digest: Digest) -> dict[str, str]:
    """Hosts whose clocks are too far from their server's, and the sentence about each."""
    return {
        finding.subject: messages.render(finding.cause, "title", finding.params)["en"]
        for firm in digest.firms
        for finding in firm.clocks_differ
    }
