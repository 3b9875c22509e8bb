# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a firm's list of hosts (CSV) on the control node."""

from __future__ import annotations

import dataclasses
import pathlib
import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.edefter.ready.plugins.plugin_utils.model import OptionError
from ansible_collections.edefter.ready.plugins.plugin_utils.onboard import roster

MAX_BYTES = 8 * 1024 * 1024


class ActionModule(ActionBase):
    """Action of M(edefter.ready.onboard_hosts)."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result = super().run(tmp, task_vars)
        _spec, args = self.validate_argument_spec(
            {"file": {"type": "path", "required": True}, "firm": {"type": "str", "default": ""}}
        )
        path = pathlib.Path(args["file"])
        try:
            if path.stat().st_size > MAX_BYTES:
                raise AnsibleActionFail(f"file: {args['file']!r} is larger than {MAX_BYTES} bytes; is it the list?")
            rows = roster.parse(roster.decoded(path.read_bytes()), args["firm"])
        except OSError as error:
            raise AnsibleActionFail(f"file: {args['file']!r} cannot be read ({error.strerror})") from error
        except OptionError as error:
            raise AnsibleActionFail(f"file {path.name}: {error}") from error
        result.update(changed=False, hosts=[dataclasses.asdict(row) for row in rows])
        return result
