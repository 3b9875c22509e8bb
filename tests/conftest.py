# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings for all tests."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings
from hypothesis.configuration import set_hypothesis_home_dir
from tree import ROOT

set_hypothesis_home_dir(ROOT / ".build" / "hypothesis")
# No deadline: how long an example takes says more about what else runs on two cores than about the code. In CI the
# examples are the same every time, so that a red run is about the change; at a desk they are new every time.
settings.register_profile(
    "here", deadline=None, derandomize=bool(os.environ.get("CI")), suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("here")
