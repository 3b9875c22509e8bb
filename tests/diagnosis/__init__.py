# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault matrix: faults of the lab, the causes that must be named for them, and what runs both twins against them.

Used by tests/integration/test_fault_matrix.py and tests/benchmarks/bench_diagnosis.py.
"""
