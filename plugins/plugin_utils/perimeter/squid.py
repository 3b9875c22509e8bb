# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Squid 4 and later: a snippet to include before the deny lines. Pure."""

from __future__ import annotations

from ansible_collections.edefter.ready.plugins.plugin_utils.perimeter.model import (
    MARK,
    Export,
    Options,
    Target,
    groups,
    safe_name,
    warning,
)


def render(wanted: tuple[Target, ...], options: Options) -> Export:
    """Domains and ports of each set, allowed together; TLS interception exempted in comments."""
    name = safe_name(options.prefix, 12, "_")
    file = f"{options.prefix}-squid.conf"
    lines = [
        f"# {MARK}: include this file above the first http_access deny (also above 'deny CONNECT !SSL_ports').",
        f"acl {name}_clients src {' '.join(options.clients)}",
    ]
    allows = []
    splice: list[str] = []
    for part in groups(wanted):
        if part.protocol != "tcp":
            continue
        acl = f"{name}_{part.key}"
        # A leading dot takes in the domain and all below it. A name below one that is listed so would be refused.
        domains = [f".{target.domain}" if target.wildcard else target.pattern for target in part.domains]
        splice += domains
        lines.append(f"acl {acl} dstdomain {' '.join(domains)}")
        lines.append(f"acl {acl}_ports port {' '.join(map(str, part.ports))}")
        allows.append(f"http_access allow {name}_clients {acl} {acl}_ports")
    lines += allows
    covered = [d for d in dict.fromkeys(splice) if not any(d != o and o[0] == "." and d.endswith(o) for o in splice)]
    lines += [
        "# Only where ssl_bump is in use, above its other lines:",
        f"# acl {name}_sni ssl::server_name {' '.join(covered)}",
        f"# ssl_bump splice {name}_sni",
    ]
    warnings = [warning("squid_place", file=file), warning("squid_direct")]
    ntp = [target.pattern for target in wanted if target.protocol == "udp"]
    if ntp:
        warnings.append(warning("no_udp", names=", ".join(ntp)))
    content = "\n".join([*lines, ""])
    return Export("squid", ((file, content),), tuple(warnings), f"# remove the line: include …/{file}\n")
