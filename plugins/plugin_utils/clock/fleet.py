# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a branch's machines share what a time server grants one address.

Pure. chrony's default rate limit answers one address a burst of 8 and then once in 8 s; fifty machines behind one
address that each ask four times are a hundred times that. So each machine is told how many neighbours it has and which
one it is, and the observer deals the burst out among them (`share` in both twins).
"""

from __future__ import annotations

import hashlib
import typing as t


def place(host: str, branches: t.Mapping[str, tuple[str, str]]) -> tuple[int, int]:
    """(neighbours, place) of a host, from the play's hosts with their (firm, branch).

    A host without a branch is alone in its firm's unnamed branch; one without a firm counts as a branch of its own.
    """
    own = branches.get(host)
    if own is None or own == ("", ""):
        return 1, 0
    same = sorted(name for name, branch in branches.items() if branch == own)
    return len(same), same.index(host)


def among_slices(host: str, neighbours: int, place: int, slices: int) -> tuple[int, int]:
    """(neighbours, place) of a host when `slices` runs go at once over parts of the same branches.

    Each run counts its own part. AWX deals the hosts of an inventory out like cards, so the other parts of a branch are
    as large, give or take one. Which part this is, no run is told: the host's name chooses among the places that its
    own could stand for, so that machines of two parts rarely share one.
    """
    if slices == 1:
        return neighbours, place
    part = int.from_bytes(hashlib.sha256(host.encode()).digest()[:4], "big") % slices
    return neighbours * slices, place * slices + part
