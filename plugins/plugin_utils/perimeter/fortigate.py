# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""FortiGate: FortiOS 6.2.2 and later, command-line script. Pure."""

from __future__ import annotations

from ansible_collections.edefter.ready.plugins.plugin_utils.perimeter.model import (
    MARK,
    Export,
    Options,
    PortGroup,
    Target,
    groups,
    safe_name,
    warning,
)


def render(wanted: tuple[Target, ...], options: Options) -> Export:
    """Addresses (wildcards as they are), services, groups, one policy for each set of ports."""
    parts = groups(wanted)
    names = {target: _name(target, options) for target in wanted}
    lines = ["config firewall address"]
    for target in dict.fromkeys(wanted):
        lines += [
            f'    edit "{names[target]}"',
            "        set type fqdn",
            f'        set fqdn "{target.pattern}"',
            # Wildcards fill from clients' DNS answers; a day keeps a name known between two uses.
            *(["        set cache-ttl 86400"] if target.wildcard else []),
            f'        set comment "{MARK}"',
            "    next",
        ]
    lines += ["end", "config firewall service custom"]
    services = sorted({(part.protocol, port) for part in parts for port in part.ports})
    for protocol, port in services:
        lines += [
            f'    edit "{_service(protocol, port, options)}"',
            f"        set {protocol}-portrange {port}",
            f'        set comment "{MARK}"',
            "    next",
        ]
    lines += ["end", "config firewall addrgrp"]
    for part in parts:
        members = " ".join(f'"{names[target]}"' for target in part.domains)
        lines += [
            f'    edit "{_group(part, options)}"',
            f"        set member {members}",
            f'        set comment "{MARK}"',
            "    next",
        ]
    lines += ["end", "config firewall policy"]
    for part in parts:
        chosen = " ".join(f'"{_service(part.protocol, port, options)}"' for port in part.ports)
        lines += [
            "    edit 0",
            f'        set name "{_group(part, options)}"',
            f'        set srcintf "{options.inside}"',
            f'        set dstintf "{options.outside}"',
            '        set srcaddr "all"',
            f'        set dstaddr "{_group(part, options)}"',
            f"        set service {chosen}",
            '        set schedule "always"',
            "        set action accept",
            "        set nat enable",
            f'        set comments "{MARK}"',
            "    next",
        ]
    lines.append("end")
    rollback = ["config firewall policy"]
    rollback += [f"    # delete the id of the policy named {_group(part, options)}" for part in parts]
    rollback += ["end", "config firewall addrgrp"]
    rollback += [f'    delete "{_group(part, options)}"' for part in parts]
    rollback += ["end", "config firewall service custom"]
    rollback += [f'    delete "{_service(protocol, port, options)}"' for protocol, port in services]
    rollback += ["end", "config firewall address"]
    rollback += [f'    delete "{names[target]}"' for target in dict.fromkeys(wanted)]
    rollback.append("end")
    warnings = [warning("fortigate_order")]
    if any(target.wildcard for target in wanted):
        warnings.append(warning("dns_must_pass"))
    warnings.append(warning("no_inspection"))
    return Export(
        "fortigate",
        ((f"{options.prefix}-fortigate.conf", "\n".join([*lines, ""])),),
        tuple(warnings),
        "\n".join([*rollback, ""]),
    )


def _name(target: Target, options: Options) -> str:
    return safe_name(f"{options.prefix}-{'w-' if target.wildcard else ''}{target.domain}", 63, "-_.")


def _service(protocol: str, port: int, options: Options) -> str:
    return f"{options.prefix}-{protocol}-{port}"


def _group(part: PortGroup, options: Options) -> str:
    return safe_name(f"{options.prefix}-{part.key}", 35, "-_")
