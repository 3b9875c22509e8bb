# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fleets of simulated Windows machines for benchmarks and tests: a stage of any size, and what a run on it costs."""

from fleet.cost import Cost, measured
from fleet.stage import READY, Stage, branches

__all__ = ["READY", "Cost", "Stage", "branches", "measured"]
