# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Section `identity`: what machine this is.

Pure; raises ShapeError.
"""

from __future__ import annotations

import dataclasses

from ansible_collections.edefter.ready.plugins.plugin_utils import shape
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.envelope import Fault, optional_fault


@dataclasses.dataclass(frozen=True)
class Identity:
    """The machine. product_type: WinNT, ServerNT or LanmanNT (domain controller); domain_role: DSROLE_MACHINE_ROLE."""

    os: str
    hostname: str
    dns_suffix: str | None
    product_name: str | None
    edition: str | None
    display_version: str | None
    build: str | None
    product_type: str | None
    dotnet_release: int | None
    entra_joined: bool | None
    manufacturer: str | None
    model: str | None
    hypervisor: str | None
    bios_date: str | None
    domain_role: int | None
    domain_role_error: Fault | None
    is_admin: bool | None

    @property
    def windows(self) -> bool:
        """True on Windows."""
        return self.os == "windows"

    def build_number(self) -> int | None:
        """`19045.3803` → 19045; None when it is not Windows' or cannot be read."""
        first = (self.build or "").partition(".")[0]
        return int(first) if self.windows and first.isascii() and first.isdigit() and len(first) < 10 else None


def _machine_role(raw: object) -> int | None:
    """{"machine_role", "domain", "dns_domain", "forest"} or null."""
    role = shape.optional_mapping(raw, "identity.domain_role")
    if role is None:
        return None
    return shape.integer(role.get("machine_role"), "identity.domain_role.machine_role", 0, 5)


def parse_identity(raw: object) -> Identity:
    """Reads the section's data. Raises ShapeError."""
    m = shape.mapping(raw, "identity")

    def optional(key: str, limit: int = 200) -> str | None:
        return shape.optional_text(m.get(key), f"identity.{key}", limit)

    return Identity(
        os=shape.text(m.get("os"), "identity.os", 20),
        hostname=shape.text(m.get("hostname"), "identity.hostname", 255),
        dns_suffix=optional("dns_suffix", 255),
        product_name=optional("product_name"),
        edition=optional("edition"),
        display_version=optional("display_version"),
        build=optional("build"),
        product_type=optional("product_type"),
        dotnet_release=shape.optional_integer(m.get("dotnet_release"), "identity.dotnet_release", 0),
        entra_joined=shape.optional_boolean(m.get("entra_joined"), "identity.entra_joined"),
        manufacturer=optional("manufacturer"),
        model=optional("model"),
        hypervisor=optional("hypervisor"),
        bios_date=optional("bios_date"),
        domain_role=_machine_role(m.get("domain_role")),
        domain_role_error=optional_fault(m.get("domain_role_error"), "identity.domain_role_error"),
        is_admin=shape.optional_boolean(m.get("is_admin"), "identity.is_admin"),
    )
