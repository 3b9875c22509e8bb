# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Opens a run: its folder, its roster, and the control node's own measurement (the vantage).

Every host waits for this one task. So the control node measures in a process of its own, beside the first hosts; what
they need of it at once, the endpoints' addresses, is looked up here.
"""

from __future__ import annotations

import contextlib
import datetime
import os
import pathlib
import secrets
import signal
import socket
import threading
import time
import typing as t

from ansible.errors import AnsibleActionFail
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.edefter.ready.plugins.action.host_info import ObservingAction
from ansible_collections.edefter.ready.plugins.module_utils import clock, endpoints, identity, network, options, proxy
from ansible_collections.edefter.ready.plugins.module_utils.core import VERSION, observe
from ansible_collections.edefter.ready.plugins.plugin_utils.edge import aftermath, process
from ansible_collections.edefter.ready.plugins.plugin_utils.edge.store import RunStore
from ansible_collections.edefter.ready.plugins.plugin_utils.model import OptionError
from ansible_collections.edefter.ready.plugins.plugin_utils.vantage import in_order, judged_of, read_vantage
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted import everything

SPEC = everything.run_open_spec()
# Said by the task alone: no variable of the inventory stands for these.
OWN = ("run_dir", "reports_dir", "mode", "hosts", "measure", "watch")
# Seconds that the endpoints' names are given.
LOOK_UP = 2.0
BODIES = {
    "identity": identity.collect,
    "network": network.collect,
    "proxy": proxy.collect,
    "endpoints": endpoints.collect,
    "clock": clock.collect,
}


class ActionModule(ObservingAction):
    """Action of M(edefter.ready.run_open). Once a play, delegated to the control node or a branch's own host."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        self.take_variables((option for option in SPEC if option not in OWN), task_vars)
        _spec, args = self.validate_argument_spec(SPEC)
        try:
            wanted = everything.wanted_from(args)
        except OptionError as error:
            raise AnsibleActionFail(str(error)) from error
        store, new = self._store(args)
        # (A batch of `serial` finds the whole play in the roster already.)
        known = set() if new else {entry["host"] for entry in store.roster()}
        missing = [host for host in args["hosts"] or task_vars["ansible_play_hosts_all"] if host not in known]
        if missing:
            store.add_to_roster(self._roster(missing, task_vars))
        result.update(changed=False, ansible_facts={"edefter_run_dir": str(store.folder.resolve())})
        if new:
            earlier = aftermath.conclude_earlier(store.folder.resolve().parent, store.folder.resolve())
            if earlier:
                result["concluded"] = earlier
        if args["measure"] and not store.measured():
            result.update(self._measure(store, wanted, task_vars))
        return result

    @staticmethod
    def _store(args: dict[str, t.Any]) -> tuple[RunStore, bool]:
        """The run at run_dir when a batch before this one has opened it, else a new one below reports_dir."""
        if args["run_dir"] and RunStore(args["run_dir"]).exists():
            return RunStore(args["run_dir"]), False
        now = datetime.datetime.now(datetime.UTC)
        run = f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
        folder = pathlib.Path(args["run_dir"] or pathlib.Path(args["reports_dir"]).expanduser() / run)
        # The process that forked this one for the task: ansible-playbook itself.
        owner = process.of(os.getppid())
        try:
            started = now.strftime("%Y-%m-%dT%H:%M:%SZ")
            store = RunStore.create(folder, run, started, VERSION, args["mode"], args["language"], owner)
        except OSError as error:
            option = "run_dir" if args["run_dir"] else "reports_dir"
            raise AnsibleActionFail(
                f"{option}: {os.fspath(folder)!r} cannot be written ({error.strerror}); name a folder that can be"
            ) from error
        if args["watch"] and owner is not None:
            aftermath.watch(store.folder.resolve(), owner)
        return store, True

    @staticmethod
    def _roster(hosts: t.Iterable[str], task_vars: dict[str, t.Any]) -> list[dict[str, str]]:
        """Hosts of the play, with what the inventory says of them."""
        facts = task_vars["hostvars"]
        roster = []
        for host in hosts:
            known = facts.get(host) or {}
            entry = {"host": host}
            for key in ("firm", "branch", "role"):
                entry[key] = str(known.get(f"edefter_{key}") or "")
            roster.append(entry)
        return roster

    def _measure(self, store: RunStore, wanted: everything.Wanted, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        arguments = everything.module_arguments(wanted, None, vantage=True)
        # The control node sits behind an address of its own.
        arguments.update(neighbours=1, place=0)
        if self._connection.transport == "local" and not self._play_context.become:
            _aside(store, arguments)
            store.put_addresses(_addresses({endpoint.host for endpoint in wanted.endpoints}))
            return {"vantage": "started"}
        reply = self.observe("edefter.ready.host_info", arguments, task_vars)
        observation = reply.get("observation")
        if reply.get("failed") or reply.get("unreachable") or not isinstance(observation, dict):
            # The hosts can be judged without it, only less sharply: said, not fatal.
            store.put_vantage(None)
            return {
                "vantage": "failed",
                "warnings": [f"the vantage could not measure: {reply.get('msg', 'no observation')}"],
            }
        store.put_vantage(observation, judged_of(observation))
        store.put_addresses(read_vantage(observation).addresses())
        return {"vantage": "ok"}


def _aside(store: RunStore, arguments: dict[str, t.Any]) -> None:
    """Measures in a process of its own, which writes vantage.json, whatever happens to it, and ends."""
    checked = ArgumentSpecValidator(options.host_spec()).validate(arguments)
    child = os.fork()
    if child:
        store.measuring(process.of(child))
        return
    try:
        os.setsid()
        quiet = os.open(os.devnull, os.O_RDWR)
        for handle in (0, 1, 2):
            os.dup2(quiet, handle)
        # Observing keeps its own deadline; should it ever not, the kernel ends this process.
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(int(checked.validated_parameters["deadline"]) + 10)
        observation = _observed(checked.validated_parameters)
        store.put_vantage(observation, judged_of(observation))
    except BaseException:
        with contextlib.suppress(OSError):
            store.put_vantage(None)
    finally:
        os._exit(0)


def _observed(arguments: dict[str, t.Any]) -> dict[str, t.Any]:
    """The control node's own observation. The requests to https time sources wait for the turn of a second, longer than
    all else takes: they are made only when the NTP sources leave the clock in doubt."""
    ends = time.monotonic() + arguments["deadline"]
    sources = arguments["time_sources"] or []
    ntp = [source for source in sources if source["kind"] == "ntp"]
    observation = observe("host_info", BODIES, {**arguments, "time_sources": ntp})
    left = ends - time.monotonic()
    if len(ntp) < len(sources) and left > 0 and read_vantage(observation).lo is None:
        again = observe("host_info", BODIES, {**arguments, "sections": ["clock"], "deadline": left})
        observation["sections"].update(again["sections"])
    return observation


def _addresses(names: t.Iterable[str]) -> dict[str, list[str]]:
    """Addresses of names by this machine's resolver, all names side by side, those that are known in time."""
    found: dict[str, list[str]] = {}

    def look_up(name: str) -> None:
        with contextlib.suppress(OSError, UnicodeError):
            answers = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
            found[name] = list(in_order({str(answer[4][0]) for answer in answers}))

    threads = [threading.Thread(target=look_up, args=(name,), daemon=True) for name in sorted(names)]
    for thread in threads:
        thread.start()
    ends = time.monotonic() + LOOK_UP
    for thread in threads:
        thread.join(max(0.0, ends - time.monotonic()))
    return {name: found[name] for name in sorted(found)}
