# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""nftables rules of faults: kept in the state file, rendered into a namespace's chains in one transaction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from . import netns
from .runtime import Runtime

CHAINS = ("filter", "nat", "forward")


@dataclass(frozen=True)
class Rule:
    """One nft rule: the namespace, one of CHAINS, and the text after ``add rule inet lab <chain>``."""

    netns: str
    chain: str
    text: str


def render(data: dict[str, Any], space: str) -> str:
    """The nft script that puts a namespace's fault rules in force; the newest fault is met first."""
    lines = []
    for chain in CHAINS:
        lines.append(f"flush chain inet lab {chain}")
        for rule in reversed(data["rules"]):
            if rule["netns"] == space and rule["chain"] == chain:
                lines.append(f"add rule inet lab {chain} {rule['text']}")
    return "\n".join(lines) + "\n"


def add(runtime: Runtime, fault: int, rules: Iterable[Rule]) -> None:
    """Put rules in force under a fault's number. Nothing is kept when nft refuses one."""
    rules = list(rules)
    with runtime.edit() as data:
        # Reversed rendering would turn a fault's own rules round: store them so that they come out as given.
        changed = [{"fault": fault, **vars(rule)} for rule in reversed(rules)]
        data["rules"].extend(changed)
        _apply(data, changed)


def drop(runtime: Runtime, fault: int) -> None:
    """Take a fault's rules out of force."""
    with runtime.edit() as data:
        changed = [rule for rule in data["rules"] if rule["fault"] == fault]
        data["rules"] = [rule for rule in data["rules"] if rule["fault"] != fault]
        _apply(data, changed)


def _apply(data: dict[str, Any], changed: list[dict[str, Any]]) -> None:
    for space in sorted({rule["netns"] for rule in changed}):
        netns.tool(["nft", "-f", "-"], netns=space, text=render(data, space))
    # A translation is remembered for seconds: a datagram that happens to reuse a port would follow the former one.
    for space in sorted({rule["netns"] for rule in changed if rule["chain"] == "nat"}):
        netns.tool(["conntrack", "-D", "-p", "udp"], netns=space, check=False)
