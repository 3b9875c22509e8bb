# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What edefter-kontrol.exe carries inside: the parameters that Ansible would hand to host_info on a Windows host.

Pure. The program's sum of these bytes tells the control node whether a file was made with the list it judges by.
"""

from __future__ import annotations

import hashlib
import json

from ansible_collections.edefter.ready.plugins.module_utils.options import host_spec
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted.everything import Wanted, module_arguments


def catalogue(wanted: Wanted) -> bytes:
    """The parameters as JSON, the same bytes for the same wishes."""
    defaults = {name: option["default"] for name, option in host_spec().items() if "default" in option}
    parameters = {**defaults, **module_arguments(wanted)}
    return json.dumps(parameters, ensure_ascii=False, sort_keys=True, indent=1).encode()


def catalogue_sum(wanted: Wanted) -> str:
    """SHA-256 of `catalogue`, lower-case hex."""
    return hashlib.sha256(catalogue(wanted)).hexdigest()
