# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the observing module that fits the host: the PowerShell twin where the shell is PowerShell, else Python's."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.edefter.ready.plugins.plugin_utils.clock import fleet

# The modules that ask time servers, and so share what those grant one address.
ASKING = ("edefter.ready.host_info", "edefter.ready.clock_info")


def neighbourhood(host: str, task_vars: dict[str, t.Any]) -> tuple[int, int]:
    """(neighbours, place) of a host among the play's hosts of its firm and branch."""
    names = task_vars.get("ansible_play_hosts_all") or [host]
    hostvars = task_vars.get("hostvars")
    if len(names) < 2 or hostvars is None:
        return 1, 0
    branches = {}
    for name in names:
        # raw_get: the variables of all hosts, templated, would cost more than the measurement.
        raw = hostvars.raw_get(name)
        branches[name] = (str(raw.get("edefter_firm") or ""), str(raw.get("edefter_branch") or ""))
    return fleet.place(host, branches)


class ObservingAction(ActionBase):
    """Base of the actions that run one of the observing modules, or read the variables `edefter_…`."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_diff = False

    def observe(self, module: str, args: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """One module execution on the host; returns the module's result as it came (untrusted)."""
        if not getattr(self._connection._shell, "_IS_WINDOWS", False):
            # Two twins share one name. Without a word from the connection ansible-core takes the first by alphabet, and
            # that is `.ps1`, on a POSIX host too.
            self._connection.module_implementation_preferences = (".py", "")
        if module in ASKING and not {"neighbours", "place"} & args.keys():
            neighbours, place = neighbourhood(task_vars["inventory_hostname"], task_vars)
            if neighbours > 1:
                args = {**args, "neighbours": neighbours, "place": place}
        return self._execute_module(module_name=module, module_args=args, task_vars=task_vars)

    def take_variables(self, spec: t.Iterable[str], task_vars: dict[str, t.Any]) -> None:
        """Options that the task does not give come from the variables `edefter_<option>`.

        Read here and not by templates in a playbook: a template that says "as the variable, or nothing" would be
        compiled and rendered for every option in every host's process.
        """
        given = dict(self._task.args)
        for option in spec:
            if given.get(option) is None and task_vars.get(f"edefter_{option}") is not None:
                given[option] = self._templar.template(task_vars[f"edefter_{option}"])
        self._task.args = given


class PassingAction(ObservingAction):
    """Base of the actions that hand their options to a module as they are, and return what it says."""

    MODULE = ""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result = super().run(tmp, task_vars)
        result.update(self.observe(self.MODULE, dict(self._task.args), task_vars or {}))
        return result


class ActionModule(PassingAction):
    """Action of M(edefter.ready.host_info)."""

    MODULE = "edefter.ready.host_info"
