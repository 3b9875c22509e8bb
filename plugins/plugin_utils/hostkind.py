# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What kind of host this is, as far as time is concerned: who is allowed to decide where it takes its time from.

Pure. From section `identity`. What cannot be told is UNKNOWN, and an unknown host is never reconfigured.
"""

from __future__ import annotations

import dataclasses
import enum
import re
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils import shape
from ansible_collections.edefter.ready.plugins.plugin_utils.model import Owner, ShapeError


class Kind(enum.StrEnum):
    """Kinds of hosts that take their time in different ways."""

    WORKGROUP_PC = "workgroup_pc"
    WORKGROUP_SERVER = "workgroup_server"
    ENTRA_JOINED = "entra_joined"
    """Joined to Entra ID alone: no domain controller gives it time; behaves as in a workgroup."""
    MEMBER = "member"
    DOMAIN_CONTROLLER = "domain_controller"
    """Also the PDC emulator of a child domain: it follows the forest's root."""
    PDC_EMULATOR = "pdc_emulator"
    """The root of the forest's time: the only domain machine that has outside peers."""
    POSIX = "posix"
    UNKNOWN = "unknown"


STAND_ALONE = frozenset({Kind.WORKGROUP_PC, Kind.WORKGROUP_SERVER, Kind.ENTRA_JOINED})
FOLLOWERS = frozenset({Kind.MEMBER, Kind.DOMAIN_CONTROLLER})
"""They follow the domain hierarchy: nothing here ever changes where they take their time from."""

_BUILD = re.compile(r"\d{4,6}")


@dataclasses.dataclass(frozen=True)
class Host:
    """kind, and what else decides: server edition, hypervisor (hyperv, azure, vmware, other), Windows' build."""

    kind: Kind
    server: bool = False
    hypervisor: str | None = None
    build: int | None = None
    domain: str = ""

    @property
    def joined(self) -> bool:
        """Member of a domain, in whatever role."""
        return self.kind in FOLLOWERS or self.kind is Kind.PDC_EMULATOR

    @property
    def policy_owner(self) -> Owner:
        """Who can change a policy value: the domain's (or Intune's) administrator, on a lone PC its own."""
        lone = self.kind in (Kind.WORKGROUP_PC, Kind.WORKGROUP_SERVER)
        return Owner.LOCAL_ADMIN if lone else Owner.DOMAIN_ADMIN


def _role(raw: object) -> tuple[int | None, str, bool]:
    """machine_role, domain name, whether the domain is the forest's root. A part of the wrong shape is not known."""
    try:
        m = shape.optional_mapping(raw, "identity.domain_role") or {}
        role = shape.optional_integer(m.get("machine_role"), "identity.domain_role.machine_role", 0, 5)
        flat = shape.optional_text(m.get("domain"), "identity.domain_role.domain", 255) or ""
        dns = shape.optional_text(m.get("dns_domain"), "identity.domain_role.dns_domain", 255) or ""
        forest = shape.optional_text(m.get("forest"), "identity.domain_role.forest", 255) or ""
    except ShapeError:
        return None, "", False
    root = bool(dns) and dns.rstrip(".").lower() == forest.rstrip(".").lower()
    return role, dns or flat, root


def _kind(role: int | None, root: bool, entra: bool) -> Kind:
    if role in (0, 2) and entra:
        return Kind.ENTRA_JOINED
    if role == 5 and not root:
        return Kind.DOMAIN_CONTROLLER
    kinds = {
        0: Kind.WORKGROUP_PC,
        1: Kind.MEMBER,
        2: Kind.WORKGROUP_SERVER,
        3: Kind.MEMBER,
        4: Kind.DOMAIN_CONTROLLER,
        5: Kind.PDC_EMULATOR,
    }
    return kinds.get(-1 if role is None else role, Kind.UNKNOWN)


def host_of(identity: t.Mapping[str, object] | None, override: Kind | None = None) -> Host:
    """Reads section `identity`'s data (None: not observed). override: what the inventory says it is."""
    data = identity or {}
    if data.get("os") == "posix":
        return Host(override or Kind.POSIX)
    role, domain, root = _role(data.get("domain_role"))
    kind = _kind(role, root, data.get("entra_joined") is True)
    # A wrong word in an inventory must not take a member out of its domain.
    if override is not None and not (role in (1, 3, 4, 5) and override in STAND_ALONE):
        kind = override
    product = data.get("product_type")
    # A domain controller says so in the registry too: never take one for less when the API failed.
    if kind is Kind.UNKNOWN and isinstance(product, str) and product.lower() == "lanmannt":
        kind = Kind.DOMAIN_CONTROLLER
    build = data.get("build")
    number = _BUILD.match(build) if isinstance(build, str) else None
    hypervisor = data.get("hypervisor")
    return Host(
        kind=kind,
        server=role in (2, 3, 4, 5) or (isinstance(product, str) and product.lower() in ("servernt", "lanmannt")),
        hypervisor=hypervisor if hypervisor in ("hyperv", "azure", "vmware", "other") else None,
        build=int(number[0]) if number else None,
        domain=domain,
    )
