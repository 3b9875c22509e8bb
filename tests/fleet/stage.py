# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stage: the network lab with one machine's place in it, any number of Windows doubles there, and their inventory."""

from __future__ import annotations

import copy
import os
import pathlib
import shutil
import tempfile
from collections.abc import Mapping
from typing import Any

import lab
from windows_double import Double
from windows_double.ansible_run import ROOT, Played, environment, program, run

#: A machine that is ready for e-Defter: nothing is to be done on it.
READY: dict[str, Any] = {
    "base": "windows11",
    "place": "seat",
    "registry": {
        r"HKLM\SYSTEM\CurrentControlSet\Services\W32Time": {"Start": 2},
        r"HKLM\SYSTEM\CurrentControlSet\Services\W32Time\Config": {"UtilizeSslTimeData": 0},
        r"HKLM\SYSTEM\CurrentControlSet\Services\W32Time\Parameters": {
            "NtpServer": "time.ume.tubitak.gov.tr,0x8 time.windows.com,0x8 tr.pool.ntp.org,0x8 time.cloudflare.com,0x8"
        },
        r"HKLM\SYSTEM\CurrentControlSet\Services\W32Time\TriggerInfo\0": {
            "Type": 2,
            "Action": 1,
            "Guid": {"type": "binary", "data": "def2274fe2140b43a5497cd48cbc8245"},
        },
        r"HKLM\SYSTEM\CurrentControlSet\Services\W32Time\TriggerInfo\1": {
            "Type": 2,
            "Action": 2,
            "Guid": {"type": "binary", "data": "2aa64bcc2e164846847ab6bdf993e335"},
        },
    },
    "services": {"w32time": {"state": "running"}},
}


def branches(count: int, size: int = 25, *, firms: int = 4, **more: Any) -> dict[str, Any]:
    """Data for a Double: `count` ready hosts in branches of `size`. more: further keys of each host (winrm, replay)."""
    hosts: dict[str, Any] = {}
    for number in range((count + size - 1) // size):
        hosts[f"b{number:03d}pc"] = {
            "count": min(size, count - number * size),
            "vars": {"edefter_firm": f"Firma {number % firms + 1}", "edefter_branch": f"Şube {number + 1}"},
        }
    return {"defaults": {**copy.deepcopy(READY), **more}, "hosts": hosts}


class Stage:
    """Lab and doubles, up as a context manager. Playbooks run in the lab's namespace of the control node."""

    def __init__(
        self,
        hosts: Mapping[str, Any],
        *,
        name: str | None = None,
        folder: pathlib.Path | None = None,
        log_requests: bool = False,
    ) -> None:
        self._own = folder is None
        self.folder = folder or pathlib.Path(tempfile.mkdtemp(prefix="fleet-"))
        self.folder.mkdir(parents=True, exist_ok=True)
        self._hosts, self._log_requests = hosts, log_requests
        self.net = lab.Lab(name or lab.unique("f"))

    def __enter__(self) -> Stage:
        self.net.__enter__()
        try:
            self.net.add_site("ankara")
            self.net.add_host("seat", site="ankara")
            self.double = Double(
                self._hosts,
                folder=self.folder / "double",
                lab=self.net,
                netns=self.net.control,
                log_requests=self._log_requests,
            )
            self.double.start()
            self.inventory = self.folder / "inventory"
            self.inventory.mkdir(exist_ok=True)
            self.double.inventory(self.inventory / "doubles.yml", group="edefter_hosts")
        except BaseException:
            self.net.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.double.stop()
        finally:
            self.net.__exit__(None, None, None)
            if self._own:
                shutil.rmtree(self.folder, ignore_errors=True)

    def command(self, book: str | pathlib.Path, *options: str) -> list[str]:
        """ansible-playbook in the namespace of the control node. book: a path, or the name of one of our playbooks."""
        path = ROOT / "playbooks" / book if isinstance(book, str) else book
        inside = ["ip", "netns", "exec", self.net.control]
        return [*inside, program("ansible-playbook"), "-i", str(self.inventory), str(path), *options]

    def environment(self, **more: str) -> dict[str, str]:
        """Settings of a run: none but these and ansible-core's own."""
        return environment(self.folder / "home", **more)

    def play(self, book: str | pathlib.Path, *options: str, **more: str) -> Played:
        """Runs a playbook to its end. more: environment variables."""
        path = ROOT / "playbooks" / book if isinstance(book, str) else book
        return run(self.folder / "home", self.inventory, path, *options, netns=self.net.control, **more)

    def bytes_up_and_down(self) -> tuple[int, int]:
        """What modules received and answered since the log was cleared."""
        rows = self.double.log("module")
        return sum(row["bytes_up"] for row in rows), sum(row["bytes_down"] for row in rows)


def workspace() -> pathlib.Path:
    """A fresh folder outside of the repository."""
    return pathlib.Path(tempfile.mkdtemp(prefix=f"fleet-{os.getpid()}-"))
