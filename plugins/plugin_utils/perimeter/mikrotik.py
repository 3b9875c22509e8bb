# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MikroTik RouterOS 7: a script for `/import`. Pure."""

from __future__ import annotations

from ansible_collections.edefter.ready.plugins.plugin_utils.perimeter.model import (
    MARK,
    Export,
    Options,
    PortGroup,
    Target,
    groups,
    safe_name,
    skipped_wildcards,
    warning,
)


def render(wanted: tuple[Target, ...], options: Options) -> Export:
    """Address lists by set of ports, filled by name; whole domains by the router's own DNS."""
    lines = [
        f"# {MARK}: RouterOS 7.0 or later. Run it again after a change: it takes its own entries away first.",
        *_remove(),
        "/ip firewall address-list",
    ]
    parts = groups(wanted)
    for part in parts:
        for host in part.hosts:
            lines.append(f'add list={_list(part, options)} address={host} comment="{MARK}"')
    if options.dns_server and any(target.wildcard for target in wanted):
        lines.append("/ip dns static")
        for part in parts:
            for target in part.targets:
                if target.wildcard:
                    lines.append(
                        f"add name={target.domain} type=FWD forward-to={options.dns_server} match-subdomain=yes"
                        f' address-list={_list(part, options)} comment="{MARK}"'
                    )
    lines.append("/ip firewall filter")
    for part in parts:
        ports = ",".join(map(str, part.ports))
        lines.append(
            f"add chain=forward action=accept protocol={part.protocol} dst-port={ports}"
            f' dst-address-list={_list(part, options)} comment="{MARK}"'
        )
    warnings = [warning("mikrotik_order")]
    if options.dns_server:
        warnings.append(warning("mikrotik_dns", server=options.dns_server))
    else:
        warnings += [warning("mikrotik_no_dns"), *skipped_wildcards(wanted)]
    return Export(
        "mikrotik",
        ((f"{options.prefix}-mikrotik.rsc", "\n".join([*lines, ""])),),
        tuple(warnings),
        "\n".join([*_remove(), ""]),
    )


def _remove() -> list[str]:
    return [
        f'/ip firewall filter remove [find comment="{MARK}"]',
        f'/ip dns static remove [find comment="{MARK}"]',
        f'/ip firewall address-list remove [find comment="{MARK}"]',
    ]


def _list(part: PortGroup, options: Options) -> str:
    return safe_name(f"{options.prefix}-{part.key}", 60, "-_")
