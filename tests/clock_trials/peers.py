# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same question put to other tools on the same lab: check_ntp_time, chronyd -Q, ntplib alone.

Each is run as its manual shows it. check_ntp_time and ntplib ask one server, drawn anew each time; chronyd asks all
five. The two former run under a faked clock like our hosts. chronyd takes its receive times from the kernel, which no
faked clock reaches, so for it the servers are moved instead of the host: the same difference, seen from the other
side.
"""

from __future__ import annotations

import dataclasses
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import lab
from windows_double import csharp

from .conditions import CLOCKS, NTP, Condition, full_name
from .trials import WANTED, grade, wrong

CHECK_NTP_TIME = "/usr/lib/nagios/plugins/check_ntp_time"
_VERDICTS = {0: "pass", 1: "warn", 2: "fail", 3: "unknown"}
_NTPLIB = (
    "import ntplib, sys\nprint('offset=%.9f' % ntplib.NTPClient().request(sys.argv[1], version=4, timeout=5).offset)\n"
)


@dataclasses.dataclass(frozen=True)
class Answer:
    """What a tool said. offset: `true - host` in seconds, None when it gave none."""

    tool: str
    condition: Condition
    clock: str
    offset: float | None
    said: str
    seconds: float

    @property
    def truth(self) -> float:
        return -CLOCKS[self.clock]

    @property
    def wrong_verdict(self) -> bool:
        return wrong(self.said, self.truth)

    @property
    def error(self) -> float | None:
        return None if self.offset is None else abs(self.offset - self.truth)


def _faked(clock: str) -> list[str]:
    if CLOCKS[clock] == 0.0:
        return []
    faked = clock if clock.endswith("y") else f"{clock}s"
    return ["env", f"LD_PRELOAD={csharp.faketime_library()}", f"FAKETIME={faked}", "DONT_FAKE_MONOTONIC=1"]


def _offset(pattern: str, text: str) -> float | None:
    found = re.search(pattern, text)
    return float(found[1]) if found else None


def check_ntp_time(net: lab.Lab, host: lab.Host, condition: Condition, clock: str, source: str) -> Answer:
    """monitoring-plugins' check with our limits; its exit code is the verdict; without an offset: none."""
    limits = ["-w", f"{WANTED.pass_seconds:g}", "-c", f"{WANTED.warn_seconds:g}", "-t", "10"]
    started = time.monotonic()
    done = net.run(host, [*_faked(clock), CHECK_NTP_TIME, "-H", full_name(source), *limits], timeout=30)
    seconds = time.monotonic() - started
    offset = _offset(r"offset=(-?[\d.]+)s", done.stdout)
    said = _VERDICTS.get(done.returncode, "unknown") if offset is not None else "unknown"
    return Answer("check_ntp_time", condition, clock, offset, said, seconds)


def ntplib_alone(net: lab.Lab, host: lab.Host, condition: Condition, clock: str, source: str) -> Answer:
    """One request by ntplib, as its documentation shows, held against the same limits."""
    started = time.monotonic()
    done = net.run(host, [*_faked(clock), sys.executable, "-c", _NTPLIB, full_name(source)], timeout=30)
    seconds = time.monotonic() - started
    offset = _offset(r"offset=(-?[\d.]+)", done.stdout)
    said = "unknown" if offset is None else grade(offset)
    return Answer("ntplib", condition, clock, offset, said, seconds)


def chronyd(net: lab.Lab, host: lab.Host, condition: Condition, clock: str, folder: pathlib.Path) -> Answer:
    """`chronyd -Q` with all five servers, each with iburst; the servers have to be moved already."""
    with tempfile.TemporaryDirectory(dir=folder) as own:
        lines = [f"server {full_name(name)} iburst" for name in NTP]
        lines += ["cmdport 0", "bindcmdaddress /", f"pidfile {own}/pid", "user root"]
        started = time.monotonic()
        command = ["chronyd", "-Q", "-t", "15", *lines]
        done = net.run(host, command, timeout=60, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        seconds = time.monotonic() - started
    offset = _offset(r"System clock wrong by (-?[\d.]+) seconds", done.stdout)
    said = "unknown" if offset is None else grade(offset)
    return Answer("chronyd -Q", condition, clock, offset, said, seconds)
