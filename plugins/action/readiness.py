# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Observe a host with one module call, judge and plan on the control node, and write the host's record.

The glue only: what is decided is decided in plugin_utils, by pure functions.
"""

from __future__ import annotations

import contextlib
import pathlib
import time
import traceback
import typing as t

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible.executor.powershell.module_manifest import PSModuleDepFinder
from ansible.utils.display import Display
from ansible_collections.edefter.ready.plugins.action.host_info import ObservingAction
from ansible_collections.edefter.ready.plugins.module_utils.core import Deadline
from ansible_collections.edefter.ready.plugins.plugin_utils import messages, outcome, record, second_look
from ansible_collections.edefter.ready.plugins.plugin_utils.assess import Window
from ansible_collections.edefter.ready.plugins.plugin_utils.edge.store import RunStore
from ansible_collections.edefter.ready.plugins.plugin_utils.judge import endpoint_model
from ansible_collections.edefter.ready.plugins.plugin_utils.model import OptionError
from ansible_collections.edefter.ready.plugins.plugin_utils.vantage import from_judged
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted import everything

MAX_MESSAGE = 600
SPEC = everything.readiness_spec()
# Said by the task alone: no variable of the inventory stands for these.
OWN = ("run_dir", "phase", "error", "return_findings")
# Seconds beyond its deadline that the control node's own measurement is waited for.
GRACE = 5.0


def _before_forks() -> None:
    """What every host's process would do anew is done here once.

    ansible-core loads this file before it forks a process for each host. What a fork finds imported and compiled it
    need not do, and shares with the others.
    """
    messages.catalogue()
    endpoint_model.signatures()
    everything.wanted_from({})
    # Nothing rests on this: what cannot be loaded here says why where it is needed.
    with contextlib.suppress(Exception):
        # ansible-core's patterns, packages and paths for the Windows twin: a third of what its payload costs.
        module = pathlib.Path(__file__).parents[1] / "modules" / "host_info.ps1"
        finder = PSModuleDepFinder()
        finder.scan_exec_script("module_wrapper.ps1")
        finder.scan_module(module.read_bytes(), fqn=f"ansible_collections.edefter.ready.plugins.modules.{module.stem}")
        "host.example".encode("idna")


_before_forks()


class ActionModule(ObservingAction):
    """Action of M(edefter.ready.readiness)."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        task_vars = task_vars or {}
        self.take_variables((option for option in SPEC if option not in OWN), task_vars)
        _spec, args = self.validate_argument_spec(SPEC)
        try:
            wanted = everything.wanted_from(args)
        except OptionError as error:
            raise AnsibleActionFail(str(error)) from error
        host = task_vars["inventory_hostname"]
        store = RunStore(args["run_dir"]) if args["run_dir"] else None
        earlier = (store.get(host) if store else None) or {}
        if args["phase"] == "failed":
            result = outcome.repair_failed(earlier, (args["error"] or "")[:MAX_MESSAGE])
        else:
            result = self._assessed(wanted, store, earlier, args, task_vars)
        if store:
            run = store.meta()["run"] if store.exists() else ""
            identity = {"schema": record.SCHEMA, "run": run, "host": host}
            identity.update({key: args[key] or "" for key in ("firm", "branch", "role")})
            store.put(host, {**identity, **result})
        return self._reply(result, earlier, args)

    def _assessed(
        self,
        wanted: everything.Wanted,
        store: RunStore | None,
        earlier: dict[str, t.Any],
        args: dict[str, t.Any],
        task_vars: dict[str, t.Any],
    ) -> dict[str, t.Any]:
        asked = everything.module_arguments(wanted, store.addresses() if store else None)
        if store:
            host = task_vars["inventory_hostname"]
            neighbours, place = store.place(host, args["firm"] or "", args["branch"] or "", wanted.slices)
            asked.update(neighbours=neighbours, place=place)
        # The wall clock is read once: its end is taken from the monotonic clock, so that a step here moves nothing.
        sent, start = time.time(), time.monotonic()
        try:
            reply = self.observe("edefter.ready.host_info", asked, task_vars)
        except AnsibleConnectionFailure as error:
            return outcome.unreachable(earlier, str(error)[:MAX_MESSAGE])
        window = Window(sent, sent + time.monotonic() - start)
        if reply.get("unreachable"):
            return outcome.unreachable(earlier, str(reply.get("msg", ""))[:MAX_MESSAGE])
        if reply.get("failed"):
            message = str(reply.get("msg") or "the module failed without a message")
            return outcome.broken(earlier, "module", message[:MAX_MESSAGE], args["phase"])
        # The control node measures beside the first hosts; only their verdicts have to wait for it.
        patience = float(wanted.probe.get("deadline", everything.DEADLINE)) + GRACE
        vantage = from_judged(store.awaited_vantage(patience) if store else None)
        observation = reply.get("observation")
        try:
            result = outcome.observed(observation, wanted, vantage, window, earlier, args["phase"])
            part = result["after"] or result["before"]
            look = second_look.wishes(observation, wanted, vantage, part["findings"])
            if look is None:
                return result
            seen = second_look.enriched(vantage, self._look_again(look))
            return outcome.observed(observation, wanted, seen, window, earlier, args["phase"])
        except Exception as error:
            # A mistake of ours in judging: it is this host's `unknown` with the mistake's name, and the run goes on.
            Display().warning(f"{task_vars['inventory_hostname']}: judging failed: {traceback.format_exc()}")
            message = f"judging failed, please report this: {type(error).__name__}: {error}"
            return outcome.broken(earlier, "judge", message[:MAX_MESSAGE], args["phase"])

    @staticmethod
    def _look_again(look: dict[str, t.Any]) -> dict[str, t.Any] | None:
        """Probes from the control node, in this process: only for hosts in trouble, so only they pay for the import."""
        try:
            from ansible_collections.edefter.ready.plugins.module_utils import endpoints

            return endpoints.collect(look, Deadline(look["deadline"]))
        except (ImportError, OSError, ValueError):
            # The verdict stands without it, only less sharp.
            return None

    def _reply(self, result: dict[str, t.Any], earlier: dict[str, t.Any], args: dict[str, t.Any]) -> dict[str, t.Any]:
        """What Ansible shows and keeps: small for a ready host, with the plan for one that needs a repair."""
        state = result["state"]
        part = result["after"] or result["before"] or {"findings": [], "plan": []}
        reply: dict[str, t.Any] = {
            "changed": False,
            "state": state,
            "message": result["message"],
            "findings": self._findings(part["findings"], args),
            "plan": part["plan"],
        }
        if state == "unreachable":
            reply = {"changed": False, "state": state, "unreachable": True}
            reply["msg"] = f"{result['message']['en']} {result['error']['message']}"
            return self._grouped(reply, state)
        reply["msg"] = result["message"]["en"]
        if part["plan"] and not earlier:
            # The roles' input. A ready host keeps nothing: thousands of hosts would hold thousands of plans in memory.
            reply["ansible_facts"] = {"edefter_plan": part["plan"]}
        return self._grouped(reply, state)

    @staticmethod
    def _findings(findings: list[dict[str, t.Any]], args: dict[str, t.Any]) -> list[dict[str, t.Any]]:
        """What travels to the callbacks: all of it costs every host; with a run folder it is on disk already."""
        if args["return_findings"] == "always" or (args["return_findings"] == "auto" and not args["run_dir"]):
            return findings
        return [] if args["return_findings"] == "never" else [f for f in findings if f["status"] != "pass"]

    def _grouped(self, reply: dict[str, t.Any], state: str) -> dict[str, t.Any]:
        """Puts the host into the group `edefter_<state>`, without a task of its own for it.

        Not a ready one: nothing is left to do with it, and ansible-core goes through its whole inventory for each host
        that enters a group.
        """
        if state == "ready" and self._task.args.get("phase", "before") == "before":
            return reply
        # A host that is still to be repaired after its repair is another group's: the repair is not tried twice.
        again = state == "drifted" and self._task.args.get("phase", "before") != "before"
        group = "edefter_unrepaired" if again else f"edefter_{state}"
        add = getattr(self, "add_group", None)
        if add is not None:
            add(group, parent_group_names=["all"])
        else:
            # ansible-core before 2.21 reads the wish out of the result.
            reply.update(add_group=group, parent_groups=["all"])
        return reply
