# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands for every module of awx.awx in tests, as an action: no process for each of them. It takes the arguments that
the real one takes, and keeps what it was told
in a file in place of a server. `changed` is said when that differs. A name that does not exist there fails."""

from __future__ import annotations

import json
import os
import typing as t

from ansible.errors import AnsibleActionFail
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase

# Option, and the module whose objects it names.
REFERENCES = {
    "organization": ["organization"],
    "default_environment": ["execution_environment"],
    "execution_environment": ["execution_environment"],
    "credential_type": ["credential_type"],
    "credentials": ["credential"],
    "project": ["project"],
    "source_project": ["project"],
    "inventory": ["inventory"],
    "notification_templates_error": ["notification_template"],
    "workflow_job_template": ["workflow_job_template"],
    "unified_job_template": ["job_template", "workflow_job_template"],
}


def spec_of(options: dict[str, t.Any]) -> dict[str, t.Any]:
    """An argument_spec, from the options of a documentation."""
    spec = {}
    for name, option in options.items():
        kept = {key: option[key] for key in ("type", "choices", "required", "elements", "aliases") if option.get(key)}
        if option.get("suboptions"):
            kept["options"] = spec_of(option["suboptions"])
        spec[name] = kept
    return spec


class ActionModule(ActionBase):
    """Any of them: the task says which."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        name = self._task.action.rpartition(".")[2]
        with open(os.environ["AWX_STUB_SPECS"], encoding="utf-8") as file:
            options = json.load(file)["modules"][f"awx.awx.{name}"]["options"]
        checked = ArgumentSpecValidator(spec_of(options)).validate(self._task.args)
        if checked.error_messages:
            raise AnsibleActionFail("; ".join(checked.error_messages))
        given = json.loads(json.dumps({k: v for k, v in checked.validated_parameters.items() if v is not None}))
        state: dict[str, t.Any] = {}
        if os.path.exists(os.environ["AWX_STUB_STATE"]):
            with open(os.environ["AWX_STUB_STATE"], encoding="utf-8") as file:
                state = json.load(file)
        for complaint in complaints(name, given, state):
            raise AnsibleActionFail(complaint)
        identity = json.dumps([given.get("identifier") or given["name"], given.get("workflow_job_template", "")])
        changed = state.get(name, {}).get(identity) != given
        if changed:
            state.setdefault(name, {})[identity] = given
            with open(os.environ["AWX_STUB_STATE"], "w", encoding="utf-8") as file:
                json.dump(state, file, indent=1)
        return {"changed": changed}


def complaints(name: str, given: dict[str, t.Any], state: dict[str, t.Any]) -> t.Iterator[str]:
    """What the server would refuse: names of things that are not there (yet)."""
    for option, kinds in REFERENCES.items():
        names = given.get(option, [])
        for wanted in names if isinstance(names, list) else [names]:
            if not any(json.loads(key)[0] == wanted for kind in kinds for key in state.get(kind, {})):
                yield f"{option}: there is no {' or '.join(kinds)} {wanted!r} yet"
    workflow = given.get("workflow_job_template")
    nodes = {json.loads(key)[0] for key in state.get(name, {}) if json.loads(key)[1] == workflow}
    for wanted in given.get("always_nodes", []):
        if wanted not in nodes:
            yield f"always_nodes: there is no node {wanted!r} yet"
