# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Doubles of Windows hosts behind real WinRM: see README.md in this folder."""

from windows_double.double import Double

__all__ = ["Double"]
