# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time servers that are cut off, wrong, unsynchronised or tired of us."""

from __future__ import annotations

from typing import Any

from .. import ntp
from ..addresses import NTP, VARIANT4, VARIANT6
from .base import Where, fault


def _narrow(where: Where) -> Where:
    names = where.endpoints if where.endpoints is not None else tuple(service.name for service in NTP)
    return Where(where.lab, where.number, where.host, where.site, names, 123)


def _to(where: Where, port: int) -> None:
    _narrow(where).redirect("udp dport 123", f"{VARIANT4}:{port}", f"[{VARIANT6}]:{port}")


def _odd(where: Where, what: str, **spec: Any) -> None:
    port = 28000 + where.number % 1000
    where.table("ntp", where.lab.inet, {"port": port, "do": what, **spec})
    _to(where, port)


@fault("ntp_blocked", "UDP 123 is dropped.")
def ntp_blocked(where: Where) -> None:
    where.filter("drop", "udp dport 123")


@fault("ntp_refused", "UDP 123 is answered with ICMP 'administratively prohibited'.")
def ntp_refused(where: Where) -> None:
    where.filter("reject with icmpx type admin-prohibited", "udp dport 123")


@fault("ntp_skewed", "The time server is off by offset= seconds (a falseticker that looks healthy).")
def ntp_skewed(where: Where, offset: float) -> None:
    _odd(where, "skewed", offset=float(offset))


@fault("ntp_stepping", "The time server jumps by offset= seconds after the first after= answers.")
def ntp_stepping(where: Where, offset: float = 30.0, after: int = 2) -> None:
    _odd(where, "stepping", offset=float(offset), after=int(after))


@fault("ntp_kod", "The time server answers kiss-o'-death (code=RATE | DENY | RSTR).")
def ntp_kod(where: Where, code: str = "RATE") -> None:
    _odd(where, "kod", code=code)


@fault("ntp_garbage", "The time server answers with random bytes of odd lengths.")
def ntp_garbage(where: Where) -> None:
    _odd(where, "garbage")


@fault("ntp_wrong_origin", "Answers do not carry our cookie back (forged or mixed up).")
def ntp_wrong_origin(where: Where, offset: float = 60.0) -> None:
    _odd(where, "wrong_origin", offset=float(offset))


@fault("ntp_far_root", "The server is many seconds away from its own source (root delay 5 s, dispersion 9 s).")
def ntp_far_root(where: Where) -> None:
    _odd(where, "far_root")


@fault("ntp_bad_stratum", "The server says stratum 16.")
def ntp_bad_stratum(where: Where) -> None:
    _odd(where, "bad_stratum")


@fault("ntp_unsynchronised", "A real chronyd that is not synchronised (leap 3, stratum 0).")
def ntp_unsynchronised(where: Where) -> None:
    _to(where, ntp.start_variant(where.lab.runtime, where.lab.inet, "unsynchronised"))


@fault("ntp_rate_limit", "A real chronyd with `ratelimit` at its default limits.")
def ntp_rate_limit(where: Where) -> None:
    _to(where, ntp.start_variant(where.lab.runtime, where.lab.inet, "rate_limit"))
