# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the probes of one observation share, and what a browser would make of their results. Twin of ProbeContext.cs."""

from __future__ import annotations

import random
import threading
import typing as t

from ansible_collections.edefter.ready.plugins.module_utils import proxy, resolving, tcp, tls
from ansible_collections.edefter.ready.plugins.module_utils.core import Data, Deadline

NEUTRAL_SNI = "www.example.com"
# RFC 8305 section 8: Connection Attempt Delay.
ATTEMPT_DELAY_MS = 250.0


class Context:
    """What all targets of one observation share."""

    def __init__(self, options: Data, deadline: Deadline) -> None:
        self.deadline = deadline
        self.timeout = max(0.05, float(options.get("timeout") or 5.0))
        self.resolvers = resolving.resolvers()
        self.hosts = resolving.hosts_entries()[0]
        self.proxies = proxy.configurations()
        self.tls = tls.Contexts()
        self.seed = options.get("seed")
        self.neutral_sni = NEUTRAL_SNI
        for canary in options.get("canaries") or []:
            if canary.get("kind") == "https" and canary.get("host") and not resolving.is_address(canary["host"]):
                self.neutral_sni = canary["host"]
        self.extra: t.Dict[str, t.List[str]] = {}
        for entry in options.get("extra_addresses") or []:
            key = str(entry["host"]).rstrip(".").lower()
            self.extra.setdefault(key, []).extend(a for a in entry["addresses"] if resolving.is_address(a))

    def rng(self, salt: str) -> random.Random:
        """Unpredictable, but repeatable when the option seed is set."""
        return random.SystemRandom() if self.seed is None else random.Random(f"{self.seed}/{salt}")


def start(work: t.Callable[..., None], *args: t.Any) -> threading.Thread:
    """A daemon thread: an abandoned look-up never keeps the module from ending."""
    thread = threading.Thread(target=work, args=args, daemon=True)
    thread.start()
    return thread


def race(order: t.Sequence[str], attempts: t.Iterable[Data]) -> t.Optional[str]:
    """The address that a browser ends up with (RFC 8305).

    Families take turns, the next address starts after 250 ms or a failure.
    """
    by_address = {a["address"]: a["tcp"] for a in attempts}
    tried = [a for a in order if a in by_address]
    first = tcp.family_of(tried[0]) if tried else 4
    same = [a for a in tried if tcp.family_of(a) == first]
    other = [a for a in tried if tcp.family_of(a) != first]
    queue: t.List[str] = []
    for index in range(max(len(same), len(other))):
        queue += same[index : index + 1] + other[index : index + 1]
    best: t.Optional[t.Tuple[float, str]] = None
    begin = 0.0
    for address in queue:
        if best is not None and best[0] <= begin:
            break
        outcome = by_address[address]
        took = outcome["elapsed_ms"]
        if outcome["error"] is None and took is not None:
            if best is None or begin + took < best[0]:
                best = (begin + took, address)
            begin += ATTEMPT_DELAY_MS
        else:
            begin += min(ATTEMPT_DELAY_MS, took if took is not None else ATTEMPT_DELAY_MS)
    return best[1] if best else None
