# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The line itself: slow, lossy, lopsided. Done by the user-space router of the sites concerned."""

from __future__ import annotations

from typing import Any

from .base import Where, fault


def put(where: Where, **spec: Any) -> None:
    """Put a rule into the router of each site concerned."""
    ports = None if where.port is None else [where.port]
    for site in where.sites:
        where.table(
            "path",
            site.netns,
            {"hosts": where.host_addresses, "remotes": where.remotes(), "ports": ports, "seed": where.number, **spec},
        )


@fault("slow", "The line adds a delay each way (delay_ms=100, jitter_ms=0 on top, at random).")
def slow(where: Where, delay_ms: float = 100, jitter_ms: float = 0) -> None:
    put(where, up_ms=float(delay_ms), down_ms=float(delay_ms), jitter_ms=float(jitter_ms))


@fault("asymmetric", "The line is slower one way than the other (up_ms=80, down_ms=20).")
def asymmetric(where: Where, up_ms: float = 80, down_ms: float = 20) -> None:
    put(where, up_ms=float(up_ms), down_ms=float(down_ms))


@fault("loss", "The line loses packets at random, each way (percent=2; seed= makes it repeatable).")
def loss(where: Where, percent: float = 2, seed: int = 1) -> None:
    put(where, loss=float(percent) / 100, seed=int(seed))
