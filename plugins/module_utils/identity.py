# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Section `identity` of the Python twin: what machine this is."""

from __future__ import annotations

import os
import platform
import socket
import typing as t

from ansible_collections.edefter.ready.plugins.module_utils.core import Data, Deadline, bound


def _release() -> t.Dict[str, str]:
    try:
        return dict(platform.freedesktop_os_release())
    except (OSError, AttributeError):
        return {}


def collect(options: Data, deadline: Deadline) -> Data:
    """The same keys as Identity.cs; what only Windows has is null."""
    release = _release()
    return {
        "os": "posix",
        "hostname": bound(socket.gethostname(), 255),
        "dns_suffix": None,
        "product_name": bound(release.get("PRETTY_NAME", platform.system()), 200),
        "edition": None,
        "display_version": bound(release.get("VERSION_ID"), 80),
        "build": bound(platform.release(), 120),
        "product_type": None,
        "dotnet_release": None,
        "entra_joined": False,
        "manufacturer": None,
        "model": None,
        "hypervisor": None,
        "bios_date": None,
        "domain_role": None,
        "domain_role_error": None,
        "is_admin": os.geteuid() == 0,
    }
