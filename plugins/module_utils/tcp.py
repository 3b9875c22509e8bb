# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One TCP connect to one address, with its typed error and, where the kernel tells, who refused it. Twin of Tcp.cs."""

from __future__ import annotations

import contextlib
import socket
import struct
import time
import typing as t

from ansible_collections.edefter.ready.plugins.module_utils.core import Data, Deadline, fault_from, make_fault

# linux/in.h, linux/in6.h, linux/errqueue.h; Python has no names for them.
_IP_RECVERR = 11
_IPV6_RECVERR = 25
_ERRQUEUE = 0x2000
_ORIGIN_ICMP = 2
_ORIGIN_ICMP6 = 3


def result(error: t.Optional[Data] = None, elapsed_ms: t.Optional[float] = None) -> Data:
    """TCP of docs/observation-endpoints.md."""
    return {"error": error, "elapsed_ms": elapsed_ms, "local_address": None, "icmp": None}


def family_of(address: str) -> int:
    """4 or 6."""
    return 6 if ":" in address else 4


def _offender(sock: socket.socket, family: int) -> t.Optional[Data]:
    """Sender, type and code of the ICMP error that ended the connect; None: it was none, or the kernel keeps quiet."""
    try:
        sock.setblocking(False)
        _data, ancillary, _flags, _address = sock.recvmsg(512, 512, _ERRQUEUE)
    except (OSError, AttributeError):
        return None
    for _level, _kind, raw in ancillary:
        # struct sock_extended_err, then the offender's sockaddr.
        if len(raw) < 16:
            continue
        _errno, origin, kind, code, _pad, _info, _extra = struct.unpack_from("=IBBBBII", raw)
        if origin == _ORIGIN_ICMP and family == 4 and len(raw) >= 24:
            return {"from": socket.inet_ntop(socket.AF_INET, raw[20:24]), "type": kind, "code": code}
        if origin == _ORIGIN_ICMP6 and family == 6 and len(raw) >= 40:
            return {"from": socket.inet_ntop(socket.AF_INET6, raw[24:40]), "type": kind, "code": code}
    return None


def connect(address: str, port: int, timeout: float, deadline: Deadline) -> t.Tuple[Data, t.Optional[socket.socket]]:
    """Connects; (TCP, socket) or (TCP with error, None). Never raises for a fault of the network."""
    family = family_of(address)
    start = time.monotonic()
    if deadline.expired:
        deadline.cut()
        return result(make_fault("tcp", "deadline", None, "not begun: the overall deadline is over")), None
    cut = deadline.remaining < timeout
    sock: t.Optional[socket.socket] = None
    try:
        place: t.Any = (address, port)
        if "%" in address:
            place = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)[0][4]
        sock = socket.socket(socket.AF_INET if family == 4 else socket.AF_INET6, socket.SOCK_STREAM)
        with contextlib.suppress(OSError):
            if family == 4:
                sock.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
            else:
                sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(deadline.clamp(timeout))
        sock.connect(place)
        done = result(None, _ms(start))
        done["local_address"] = str(sock.getsockname()[0])
        return done, sock
    except OSError as error:
        fault = fault_from("tcp", error)
        if fault["code"] == "timeout" and cut:
            deadline.cut()
            fault["code"] = "deadline"
        failed = result(fault, _ms(start))
        if sock is not None:
            failed["icmp"] = _offender(sock, family)
            if fault["code"] == "access_denied" and failed["icmp"] is not None:
                # Linux says EACCES for ICMPv6 "administratively prohibited" too; that filter is not on this machine.
                fault["code"] = "host_unreachable"
            sock.close()
        return failed, None


def _ms(start: float) -> float:
    return round((time.monotonic() - start) * 1000.0, 3)
