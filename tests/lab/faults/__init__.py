# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults, switched by name. ``FAULTS`` says what there is; ``switch_on`` is what ``Lab.fault`` calls."""

from __future__ import annotations

from . import dns, http, local, path, tcp, time, tls  # noqa: F401  (each registers its faults)
from .base import FAULTS, Fault, active, switch_on

__all__ = ["FAULTS", "Fault", "active", "switch_on"]
