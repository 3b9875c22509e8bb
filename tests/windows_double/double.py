# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API of the double: `Double(hosts).start()`, an inventory for ansible-core, the log, each host's registry."""

from __future__ import annotations

import pathlib
import shutil
import tempfile
from collections.abc import Mapping
from typing import Any

import yaml

from windows_double import labs, services, state
from windows_double.execute import Executor
from windows_double.host import Host
from windows_double.log import EventLog
from windows_double.registry import Registry
from windows_double.server import Server


class Double:
    """Many simulated Windows hosts in this process. Use as a context manager, or `start` and `stop`."""

    def __init__(
        self,
        hosts: pathlib.Path | str | Mapping[str, Any],
        *,
        folder: pathlib.Path | None = None,
        lab: Any = None,
        log_requests: bool = True,
        netns: str | None = None,
        address: str = "127.0.0.1",
        port_base: int = 0,
    ) -> None:
        """
        hosts: see state.load. folder: where registries and the log live (default: a temporary one, removed at stop).
        lab: a lab.Lab; a host with a place of its name there lives in it. netns, address: where the WinRM ports are
        opened.
        port_base: first port; 0 takes free ones.
        """
        self._temporary = folder is None
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="windows-double-")) if folder is None else folder
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "templates").mkdir(exist_ok=True)
        templates = state.Templates(self.folder / "templates")
        self._log = EventLog(self.folder / "log.jsonl", requests=log_requests)
        self.hosts: dict[str, Host] = {}
        places = lab.hosts if lab is not None else {}
        for number, spec in enumerate(state.load(hosts)):
            place = labs.place_of(spec, places)
            template = templates.of(spec, place.hosts_file if place else None)
            host = Host(spec, template, self.folder / "hosts" / spec.name)
            if place is not None:
                labs.attach(host, place, self.folder / "trust")
            if port_base and not host.port:
                host.port = port_base + number
            self.hosts[spec.name] = host
        self._address = address
        self._executor = Executor(self._log)
        self._server = Server(
            list(self.hosts.values()), self._executor.run, self._log, netns_name=netns, address=address
        )

    def start(self) -> Double:
        """Open the ports."""
        self._server.start()
        return self

    def stop(self) -> None:
        """Close ports, end Mono processes, remove a temporary folder."""
        self._server.stop()
        self._executor.close()
        self._log.close()
        if self._temporary:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Double:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def inventory(self, path: pathlib.Path | None = None, group: str = "windows") -> dict[str, Any]:
        """The hosts as an Ansible YAML inventory; also written to `path` when given."""
        hosts = {}
        for host in self.hosts.values():
            hosts[host.name] = {"ansible_host": self._address, "ansible_port": host.port, **host.spec.vars}
        users = {(host.user, host.password) for host in self.hosts.values()}
        common: dict[str, Any] = {
            "ansible_connection": "winrm",
            "ansible_winrm_scheme": "http",
            "ansible_winrm_transport": "basic",
        }
        if len(users) == 1:
            common["ansible_user"], common["ansible_password"] = users.pop()
        else:
            for host in self.hosts.values():
                hosts[host.name].update(ansible_user=host.user, ansible_password=host.password)
        result = {"all": {"children": {group: {"hosts": hosts, "vars": common}}}}
        if path is not None:
            path.write_text(yaml.safe_dump(result, sort_keys=False, allow_unicode=True), encoding="utf-8")
        return result

    def log(self, event: str | None = None, host: str | None = None) -> list[dict[str, Any]]:
        """Events so far (`request`, `module`, `error`), also in <folder>/log.jsonl."""
        return self._log.entries(event, host)

    def clear_log(self) -> None:
        """Forget the events in memory."""
        self._log.clear()

    def executions(self, host: str | None = None) -> list[str]:
        """Names of the modules run, in order."""
        return [entry["module"] for entry in self.log("module", host)]

    def errors(self) -> list[str]:
        """What the double refused or what crashed; a healthy run has none."""
        return [f"{entry['host']}: {entry['message']}" for entry in self.log("error")]

    def registry(self, host: str) -> Registry:
        """A host's registry, to read."""
        return self.hosts[host].registry

    def reset(self, host: str | None = None) -> None:
        """One host, or all, back to the state in the data."""
        for name in [host] if host else list(self.hosts):
            self.hosts[name].reset()

    def reboot(self, host: str) -> None:
        """Restart a host's Windows: services start by their mode and triggers."""
        with self.hosts[host].lock:
            services.reboot(self.hosts[host])

    def listen(self, host: str, listening: bool) -> None:
        """Open or close one host's WinRM port: unreachable and back."""
        self._server.set_listening(self.hosts[host], listening)

    def mono_processes(self) -> int:
        """Warm Mono processes now."""
        return self._executor.ours.pool.size()
