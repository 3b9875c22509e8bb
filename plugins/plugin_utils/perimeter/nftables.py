# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""nftables with dnsmasq 2.87 or later as the resolver that fills its sets. Pure."""

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
    """Sets and a chain in the table that is there already: only a rule of the same table can accept for good."""
    table, prefix = f"inet {options.nft_table}", safe_name(options.prefix, 12, "_")
    chain = f"{prefix}_allow"
    parts = groups(wanted)
    sets: list[str] = []
    rules: list[str] = []
    dns: list[tuple[str, str]] = []
    for part in parts:
        four, six = (f"{prefix}_{part.key}_v{version}" for version in (4, 6))
        for name, kind in ((four, "ipv4_addr"), (six, "ipv6_addr")):
            # A day: longer than clients keep an answer, and the kernel does not renew an element that is there.
            sets += [f"  set {name} {{", f"    type {kind}", "    flags timeout", "    timeout 1d", "  }"]
        ports = ", ".join(map(str, part.ports))
        rules += [
            f"    ip daddr @{four} {part.protocol} dport {{ {ports} }} accept",
            f"    ip6 daddr @{six} {part.protocol} dport {{ {ports} }} accept",
        ]
        where = f"4#inet#{options.nft_table}#{four},6#inet#{options.nft_table}#{six}"
        dns += [(target.domain, where) for target in part.domains]
    nft = [
        f"# {MARK}: then, once: nft insert rule {table} forward jump {chain}",
        f"table {table} {{",
        *sets,
        f"  chain {chain} {{",
        "  }",
        "}",
        f"flush chain {table} {chain}",
        f"table {table} {{",
        f"  chain {chain} {{",
        *rules,
        "  }",
        "}",
        "",
    ]
    rollback = [
        f"# nft -a list chain {table} forward   shows the handle of 'jump {chain}'",
        f"# nft delete rule {table} forward handle N",
        f"nft delete chain {table} {chain}",
        *(f"nft delete set {table} {prefix}_{part.key}_v{version}" for part in parts for version in (4, 6)),
        f"# remove {options.prefix}-dnsmasq.conf and restart dnsmasq",
        "",
    ]
    # dnsmasq goes by the longest name that fits, alone, and fills every set of that line: a name below a listed domain
    # is given the domain's sets too, and each name has one line.
    lines = []
    for name in dict.fromkeys(domain for domain, where in dns):
        fits = dict.fromkeys(where for domain, where in dns if name == domain or name.endswith(f".{domain}"))
        lines.append(f"nftset=/{name}/{','.join(fits)}")
    resolver = [f"# {MARK}: needs dnsmasq 2.87 or later", *lines, ""]
    return Export(
        "nftables",
        (
            (f"{options.prefix}-nftables.nft", "\n".join(nft)),
            (f"{options.prefix}-dnsmasq.conf", "\n".join(resolver)),
        ),
        (warning("nftables_jump", chain=chain, table=table), warning("dns_must_pass")),
        "\n".join(rollback),
    )
