# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cisco ASA: FQDN objects by host, and whole domains for 9.17 and later. Pure."""

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
    """Objects, groups and lines for the inside interface's access list."""
    parts = groups(wanted)
    hosts = tuple(dict.fromkeys(host for part in parts for host in part.hosts))
    lines = [f"! {MARK}"]
    for host in hosts:
        lines += [f"object network {_host(host, options)}", f" fqdn v4 {host}"]
    for part in parts:
        lines.append(f"object-group network {_group(part, options)}")
        lines += [f" network-object object {_host(host, options)}" for host in part.hosts]
        lines.append(f"object-group service {_group(part, options)}-P {part.protocol}")
        lines += [f" port-object eq {port}" for port in part.ports]
    acl = f"{options.inside if options.inside != 'any' else 'inside'}_access_in"
    entries = [
        f"access-list {acl} extended permit {part.protocol} any object-group {_group(part, options)}"
        f" object-group {_group(part, options)}-P"
        for part in parts
    ]
    lines += [f"access-list {acl} remark {MARK}", *entries]
    wide = [(part, target) for part in parts for target in part.targets if target.wildcard]
    if wide:
        lines.append("! ASA 9.17 or later knows whole domains; this is not tested here:")
        for part, target in wide:
            lines.append(f"! object network-service {_host(target.domain, options)}-N")
            lines += [f"!  domain {target.domain} {part.protocol} eq {port}" for port in part.ports]
        lines.append(f"! object-group network-service {options.prefix}-N")
        lines += [f'!  network-service-member "{_host(target.domain, options)}-N"' for part, target in wide]
        lines.append(f"! access-list {acl} extended permit ip any object-group-network-service {options.prefix}-N")
    rollback = [f"no {entry}" for entry in entries] + [f"no access-list {acl} remark {MARK}"]
    for part in parts:
        rollback.append(f"no object-group network {_group(part, options)}")
        rollback.append(f"no object-group service {_group(part, options)}-P {part.protocol}")
    rollback += [f"no object network {_host(host, options)}" for host in hosts]
    return Export(
        "asa",
        ((f"{options.prefix}-asa.cfg", "\n".join([*lines, ""])),),
        (warning("asa_dns"), warning("asa_acl", acl=acl), *skipped_wildcards(wanted)),
        "\n".join([*rollback, ""]),
    )


def _host(host: str, options: Options) -> str:
    return safe_name(f"{options.prefix}-{host}", 60, "-_.")


def _group(part: PortGroup, options: Options) -> str:
    return safe_name(f"{options.prefix}-{part.key}", 60, "-_")
