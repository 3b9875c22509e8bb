# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every observer of the Python twin shares: typed errors, the deadline, the guard round a section, the envelope.

The twin of Core.cs; names, codes and shapes are the same (docs/contracts.md).
"""

from __future__ import annotations

import datetime
import errno
import platform
import socket
import ssl
import threading
import time
import typing as t

VERSION = "0.1.0"
SCHEMA = 1
GRACE_S = 1.5

Data = t.Dict[str, t.Any]
Collect = t.Callable[[Data, "Deadline"], Data]

_ERRNO_CODES = {
    errno.ETIMEDOUT: "timeout",
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "reset",
    errno.EPIPE: "reset",
    errno.ECONNABORTED: "aborted",
    errno.EHOSTUNREACH: "host_unreachable",
    errno.EHOSTDOWN: "host_unreachable",
    errno.ENETUNREACH: "network_unreachable",
    errno.ENETDOWN: "network_down",
    errno.EACCES: "access_denied",
    errno.EPERM: "access_denied",
    errno.EADDRNOTAVAIL: "address_not_available",
    errno.EAFNOSUPPORT: "family_not_supported",
}
_GAI_CODES = {
    socket.EAI_NONAME: "nxdomain",
    socket.EAI_AGAIN: "try_again",
    socket.EAI_FAIL: "no_recovery",
    getattr(socket, "EAI_NODATA", -5): "nodata",
}


class Deadline:
    """One end for everything, on the monotonic clock."""

    def __init__(self, seconds: float) -> None:
        self._start = time.monotonic()
        self._limit = max(0.1, seconds)
        self.was_cut = False

    @property
    def elapsed_ms(self) -> float:
        return (time.monotonic() - self._start) * 1000.0

    @property
    def remaining(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self._limit - (time.monotonic() - self._start))

    @property
    def expired(self) -> bool:
        return self.remaining <= 0.0

    def cut(self) -> None:
        """Says that work was given up because the time was over; makes the observation incomplete."""
        self.was_cut = True

    def clamp(self, wanted: float) -> float:
        """A wait of at most `wanted` seconds that ends with the deadline; at least 1 ms (0 would mean non-blocking)."""
        return max(0.001, min(wanted, self.remaining))


def bound(text: str | None, limit: int) -> str | None:
    """Cut to limit characters; control characters become U+FFFD."""
    if text is None:
        return None
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text[:limit])


def make_fault(phase: str, code: str, native: int | None, message: str) -> Data:
    """ERR of docs/contracts.md."""
    return {"phase": phase, "code": code, "native": native, "message": bound(message, 300)}


def broke(phase: str, error: BaseException) -> Data:
    """ERR for what nobody foresaw. Its code is `error`: a bug of ours must not read like a fault of the network."""
    return make_fault(phase, "error", None, f"{type(error).__name__}: {error}")


def fault_from(phase: str, error: BaseException) -> Data:
    """ERR for an exception: typed by errno or getaddrinfo's code, never by its text."""
    message = f"{type(error).__name__}: {error}"
    if isinstance(error, socket.gaierror):
        return make_fault(phase, _GAI_CODES.get(error.errno or 0, "dns_error"), error.errno, message)
    if isinstance(error, (socket.timeout, TimeoutError)):
        return make_fault(phase, "timeout", error.errno, message)
    # (Python 3.11 calls a connection that ends within the handshake a zero return.)
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return make_fault(phase, "eof", error.errno, message)
    if isinstance(error, ssl.SSLError):
        return make_fault(phase, "tls", error.errno, message)
    if isinstance(error, OSError) and error.errno is not None:
        return make_fault(phase, _ERRNO_CODES.get(error.errno, "socket_error"), error.errno, message)
    if isinstance(error, EOFError):
        return make_fault(phase, "eof", None, message)
    return broke(phase, error)


def iso(moment: datetime.datetime) -> str:
    """ISO 8601, UTC, milliseconds."""
    return (
        moment.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
    )


def iso_from_epoch(seconds: float) -> str:
    """ISO 8601 for seconds since 1970."""
    return iso(datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc) + datetime.timedelta(seconds=seconds))


def _guarded(collect: Collect, options: Data, deadline: Deadline) -> Data:
    started = time.monotonic()
    result: Data = {"data": None, "status": "ok", "error": None}
    try:
        result["data"] = collect(options, deadline)
    except Exception as error:  # whatever breaks in one section must not take the others along
        result.update(status="error", error=fault_from("section", error))
    result["elapsed_ms"] = round((time.monotonic() - started) * 1000.0, 3)
    return result


def observe(module: str, bodies: t.Mapping[str, Collect], options: Data) -> Data:
    """Runs the sections side by side and builds the observation. options: the module's parameters."""
    started = iso_from_epoch(time.time())
    deadline = Deadline(float(options.get("deadline") or 25.0))
    wanted = options.get("sections") or list(bodies)
    done: t.Dict[str, Data] = {}
    threads = []
    for name, body in bodies.items():
        if name not in wanted:
            continue

        def work(name: str = name, body: Collect = body) -> None:
            done[name] = _guarded(body, options, deadline)

        thread = threading.Thread(target=work, name=f"section-{name}", daemon=True)
        thread.start()
        threads.append((name, thread))
    sections = {}
    for name, thread in threads:
        thread.join(deadline.remaining + GRACE_S)
        section = done.get(name)
        if section is None:
            deadline.cut()
            late = make_fault("section", "deadline", None, "not finished when the overall deadline ended")
            section = {"data": None, "status": "error", "error": late, "elapsed_ms": round(deadline.elapsed_ms, 3)}
        sections[name] = section
    return {
        "schema": SCHEMA,
        "collector": {
            "module": module,
            "version": VERSION,
            "runtime": "python",
            "runtime_version": platform.python_version(),
        },
        "started_utc": started,
        "elapsed_ms": round(deadline.elapsed_ms, 3),
        "complete": not deadline.was_cut,
        "sections": sections,
    }
