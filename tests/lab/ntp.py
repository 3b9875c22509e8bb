# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""chrony servers: a true one on every time address, and variants for the time faults."""

from __future__ import annotations

import socket
import struct
import time
from dataclasses import dataclass

from .addresses import VARIANT4, VARIANT6
from .netns import inside
from .runtime import Runtime

NTP_EPOCH = 2208988800

# Variant -> (UDP port on the variant address, chrony lines). Real chronyd processes, started when first needed.
CHRONY: dict[str, tuple[int, str]] = {
    # Never synchronised: answers LI=3, stratum 0.
    "unsynchronised": (22001, ""),
    # chrony's own limits (interval 8 s, burst 8); what is above is dropped, one in four leaks through.
    "rate_limit": (22002, "local stratum 2\nratelimit interval 3 burst 8 leak 2"),
}


def _conf(runtime: Runtime, label: str, port: int, lines: str, bind: bool) -> str:
    parts = [
        f"port {port}",
        "cmdport 0",
        "allow all",
        f"pidfile {runtime.folder}/{label}.pid",
        "bindcmdaddress /",
        lines,
    ]
    if bind:
        parts += [f"bindaddress {VARIANT4}", f"bindaddress {VARIANT6}"]
    return "\n".join(parts) + "\n"


def start_true(runtime: Runtime, inet: str) -> None:
    """The honest server: this machine's clock, on port 123 of every address, stratum 2."""
    _start(runtime, inet, "chrony-true", _conf(runtime, "chrony-true", 123, "local stratum 2", bind=False))


def start_variant(runtime: Runtime, inet: str, variant: str) -> int:
    """Start a chrony variant once; its port."""
    port, lines = CHRONY[variant]
    label = f"chrony-{variant}"
    with runtime.lock("start"):
        if not runtime.running(label):
            _start(runtime, inet, label, _conf(runtime, label, port, lines, bind=True))
            runtime.wait(lambda: ask(inet, VARIANT4, port, timeout=0.2) is not None, f"{label} does not answer", label)
    return port


def _start(runtime: Runtime, inet: str, label: str, conf: str) -> None:
    path = runtime.folder / f"{label}.conf"
    path.write_text(conf)
    runtime.server(label, "chronyd", "-x", "-d", "-u", "root", "-f", str(path), netns=inet)


@dataclass(frozen=True)
class Answer:
    """One raw SNTP answer: offset (server - here, seconds), delay, and the header fields a test wants to see."""

    offset: float
    delay: float
    leap: int
    stratum: int
    refid: bytes
    raw: bytes


def ask(netns: str | None, server: str, port: int = 123, timeout: float = 2.0) -> Answer | None:
    """One SNTP query from a namespace; None for silence. For readiness and tests; says nothing about being sane."""
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    request = bytearray(48)
    request[0] = 0x23
    with inside(netns), socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.settimeout(timeout)
        try:
            sent = time.time()
            request[40:48] = struct.pack("!II", int(sent) + NTP_EPOCH, int(sent % 1 * 2**32))
            sock.sendto(request, (server, port))
            raw = sock.recvfrom(512)[0]
            got = time.time()
        except OSError:
            return None
    if len(raw) < 48:
        return Answer(0.0, got - sent, 3, 0, b"", raw)
    received, transmitted = (_time(raw, at) for at in (32, 40))
    return Answer(
        offset=((received - sent) + (transmitted - got)) / 2,
        delay=(got - sent) - (transmitted - received),
        leap=raw[0] >> 6,
        stratum=raw[1],
        refid=raw[12:16],
        raw=raw,
    )


def _time(raw: bytes, at: int) -> float:
    seconds, fraction = map(float, struct.unpack_from("!II", raw, at))
    return seconds - NTP_EPOCH + fraction / 2**32


def ready(inet: str) -> bool:
    answer = ask(inet, "198.51.100.101", timeout=0.2)
    return answer is not None and answer.leap == 0
