# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What follows on a Windows host when something was written: hooks, so that the doubles of modules need not know each
other."""

from __future__ import annotations

from windows_double.host import Host

_FIREWALL = ("\\sharedaccess\\parameters\\firewallpolicy", "\\policies\\microsoft\\windowsfirewall")


def registry_changed(host: Host, key: str) -> None:
    """Call after any write under a key."""
    lower = key.lower()
    if any(part in lower for part in _FIREWALL):
        firewall_changed(host)


def firewall_changed(host: Host) -> None:
    """Call after rules or profiles changed."""
    for hook in host.on_firewall_change:
        hook(host)
