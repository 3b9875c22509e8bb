# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way to a host, stage by stage: what the inventory says, what was seen from outside, how the log-on ended.

Pure; plain facts, judged in judge.py.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import typing as t

STAGES = ("dns", "port", "tls", "http", "auth", "shell")
"""In the order in which a connection goes through them. After them comes the read-only check itself."""

PLAIN, SECURE = 5985, 5986
WINRM = ("winrm", "psrp")
# Microsoft: "Maximum tolerance for computer clock synchronization", Kerberos' default.
KERBEROS_SKEW = 300.0


@dataclasses.dataclass(frozen=True)
class Connection:
    """What the inventory says of the way to a host.

    kind: the connection plugin's short name. auth: basic, ntlm, kerberos, negotiate, credssp, certificate, or "".
    verify: the listener's certificate is checked. proxied: an HTTP proxy stands in between, so that looking from
    outside says nothing.
    """

    kind: str
    address: str
    port: int
    tls: bool
    auth: str
    user: str
    verify: bool = True
    proxied: bool = False

    @property
    def literal(self) -> bool:
        """Whether the address is an IP address already."""
        try:
            ipaddress.ip_address(self.address)
        except ValueError:
            return False
        return True

    @property
    def local_account(self) -> bool:
        """An account of the machine itself: no domain before or behind it, or a dot or the machine's name before it."""
        if "@" in self.user:
            return False
        before, mark, _rest = self.user.partition("\\")
        return not mark or before in (".", "") or before.casefold() == self.address.split(".")[0].casefold()


@dataclasses.dataclass(frozen=True)
class Certificate:
    """The listener's own certificate. Times are ISO 8601 UTC; names: of the subject alternative name."""

    subject: str
    issuer: str
    not_before: str
    not_after: str
    names: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Looked:
    """What the control node saw without logging on. A stage never reached keeps its default.

    ports: port -> `ok` or the code of the error (as in ERR). tls: `ok`, or expired, not_yet_valid, wrong_name,
    untrusted, not_tls, or the code of the error. http: `ok` or the code of the error. offers: ways to log on, lower
    case. skew: seconds that the host's clock is ahead, by its answer's Date (a second exact).
    """

    addresses: tuple[str, ...] = ()
    dns: str = ""
    ports: t.Mapping[int, str] = dataclasses.field(default_factory=dict)
    tls: str = ""
    certificate: Certificate | None = None
    http: str = ""
    status: int | None = None
    server: str = ""
    offers: tuple[str, ...] = ()
    skew: float | None = None


@dataclasses.dataclass(frozen=True)
class Attempt:
    """How running the observing module ended.

    outcome: `ok`, `connection` (no session came about), `module` (one did, the module failed). types: class names of
    the error and of its bases. text: bounded. output: what the host printed in place of a result, bounded.
    """

    outcome: str
    types: tuple[str, ...] = ()
    text: str = ""
    output: str = ""
