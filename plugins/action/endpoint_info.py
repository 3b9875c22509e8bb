# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs endpoint_info's twin that fits the host."""

from __future__ import annotations

from ansible_collections.edefter.ready.plugins.action.host_info import PassingAction


class ActionModule(PassingAction):
    """Action of M(edefter.ready.endpoint_info)."""

    MODULE = "edefter.ready.endpoint_info"
