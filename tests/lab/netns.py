# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Network namespaces: entering one, running in one, and the few kernel switches the lab sets."""

from __future__ import annotations

import ctypes
import ctypes.util
import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(ctypes.util.find_library("c"), use_errno=True)

NETNS_DIR = Path("/run/netns")
ETC_NETNS = Path("/etc/netns")
# What is worth keeping between labs: certificates, copies of server programs. (Not below /run: no execution there.)
CACHE = Path(os.environ.get("EDR_LAB_CACHE", "/var/cache/edefter-lab"))


class LabError(RuntimeError):
    """The lab could not do what was asked; the message says what and what the tool answered."""


@contextmanager
def inside(netns: str | None) -> Iterator[None]:
    """Switch the calling *thread* into a namespace: sockets and processes made meanwhile belong to it.

    /etc files of the namespace are not mounted here (``ip netns exec`` does that): do name look-ups by hand.
    ``None`` stays where it is.
    """
    if netns is None:
        yield
        return
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        target = os.open(NETNS_DIR / netns, os.O_RDONLY | os.O_CLOEXEC)
        try:
            _setns(target)
        finally:
            os.close(target)
        try:
            yield
        finally:
            _setns(home)
    finally:
        os.close(home)


def _setns(fd: int) -> None:
    if _libc.setns(fd, _CLONE_NEWNET) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"setns: {os.strerror(code)}")


def tool(argv: Sequence[str], *, netns: str | None = None, text: str | None = None, check: bool = True) -> str:
    """Run a system tool (ip, nft, openssl) in a namespace; its stdout, or LabError with its stderr."""
    with inside(netns):
        done = subprocess.run(list(argv), input=text, capture_output=True, text=True, check=False)
    if check and done.returncode != 0:
        detail = (done.stderr or done.stdout).strip()
        raise LabError(
            f"{' '.join(argv)} in {netns or 'root'}: exit {done.returncode}: {detail}\n{text or ''}".rstrip()
        )
    return done.stdout


def ip_batch(netns: str | None, lines: Sequence[str]) -> None:
    """Run several ``ip`` commands in one process; those that start with ``-6`` in a second one, afterwards."""
    for options in ([], ["-6"]):
        chosen = [line.removeprefix("-6 ") for line in lines if line.startswith("-6 ") == bool(options)]
        if chosen:
            tool(["ip", *options, "-batch", "-"], netns=netns, text="\n".join(chosen) + "\n")


def sysctl(netns: str, **values: int) -> None:
    """Set keys below /proc/sys/net; ``__`` stands for the slash. Keys of parts that are not loaded are let pass."""
    with inside(netns):
        for key, value in values.items():
            path = Path("/proc/sys/net") / key.replace("__", "/")
            if key.startswith("bridge__"):
                path = path.with_name(path.name.replace("_", "-"))
            try:
                path.write_text(str(value))
            except FileNotFoundError:
                if key.split("__")[0] not in ("ipv6", "netfilter", "bridge"):
                    raise


def names(prefix: str) -> list[str]:
    """Existing namespaces whose name starts so."""
    if not NETNS_DIR.is_dir():
        return []
    return sorted(entry.name for entry in NETNS_DIR.iterdir() if entry.name.startswith(prefix))


def pids(netns: str) -> list[int]:
    """Processes that live in a namespace."""
    out = tool(["ip", "netns", "pids", netns], check=False)
    return [int(word) for word in out.split() if word.isdigit()]


def start_time(pid: int) -> int | None:
    """Kernel start tick of a process: with the pid it names one process for ever. None when it is gone or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return None
    return None if fields[0] == "Z" else int(fields[19])


def read_json(path: Path) -> object:
    return json.loads(path.read_text(encoding="utf-8"))
