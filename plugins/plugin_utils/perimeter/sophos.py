# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sophos Firewall (SFOS): objects for its XML API. Pure."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from ansible_collections.edefter.ready.plugins.plugin_utils.perimeter.model import (
    MARK,
    Export,
    Options,
    Target,
    groups,
    safe_name,
    warning,
)

LIMIT = 50


def render(wanted: tuple[Target, ...], options: Options) -> Export:
    """FQDN hosts (wildcards as they are), a group and a service for each set of ports."""
    root = ET.Element("Request")
    change = ET.SubElement(root, "Set", operation="add")
    parts = groups(wanted)
    for target in dict.fromkeys(wanted):
        host = ET.SubElement(change, "FQDNHost")
        ET.SubElement(host, "Name").text = _name(target, options)
        ET.SubElement(host, "FQDN").text = target.pattern
        ET.SubElement(host, "Description").text = MARK
    removed = []
    for part in parts:
        group = ET.SubElement(change, "FQDNHostGroup")
        name = safe_name(f"{options.prefix}-{part.key}", LIMIT, "-_")
        ET.SubElement(group, "Name").text = name
        ET.SubElement(group, "Description").text = MARK
        members = ET.SubElement(group, "FQDNHostList")
        for target in part.domains:
            ET.SubElement(members, "FQDNHost").text = _name(target, options)
        service = ET.SubElement(change, "Services")
        ET.SubElement(service, "Name").text = f"{name}-p"
        ET.SubElement(service, "Type").text = "TCPorUDP"
        details = ET.SubElement(service, "ServiceDetails")
        for port in part.ports:
            detail = ET.SubElement(details, "ServiceDetail")
            ET.SubElement(detail, "SourcePort").text = "1:65535"
            ET.SubElement(detail, "DestinationPort").text = str(port)
            ET.SubElement(detail, "Protocol").text = part.protocol.upper()
        removed += [("Services", f"{name}-p"), ("FQDNHostGroup", name)]
    removed += [("FQDNHost", _name(target, options)) for target in dict.fromkeys(wanted)]
    ET.indent(root)
    undo = ET.Element("Request")
    remove = ET.SubElement(undo, "Remove")
    for tag, name in removed:
        ET.SubElement(ET.SubElement(remove, tag), "Name").text = name
    ET.indent(undo)
    return Export(
        "sophos",
        ((f"{options.prefix}-sophos.xml", ET.tostring(root, encoding="unicode") + "\n"),),
        (warning("sophos_api"), warning("dns_must_pass"), warning("no_inspection")),
        ET.tostring(undo, encoding="unicode") + "\n",
    )


def _name(target: Target, options: Options) -> str:
    return safe_name(f"{options.prefix}-{'w-' if target.wildcard else ''}{target.domain}", LIMIT, "-_.")
