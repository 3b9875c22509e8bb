# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The process behind workers.PythonHost: a line of options in, a line of observation out."""

from __future__ import annotations

import json
import sys

from ansible_collections.edefter.ready.plugins.module_utils import clock
from ansible_collections.edefter.ready.plugins.module_utils.core import observe

for line in sys.stdin:
    print(json.dumps(observe("clock_info", {"clock": clock.collect}, json.loads(line))), flush=True)
