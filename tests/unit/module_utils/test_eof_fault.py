# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that hangs up within the handshake is one thing, whatever the Python at hand calls it."""

from __future__ import annotations

import ssl

import pytest
from ansible_collections.edefter.ready.plugins.module_utils.core import fault_from


@pytest.mark.parametrize("error", [ssl.SSLEOFError(8, "eof"), ssl.SSLZeroReturnError(6, "closed"), EOFError("closed")])
def test_hanging_up_is_eof(error: Exception) -> None:
    assert fault_from("tls", error)["code"] == "eof"


def test_other_tls_errors_are_not() -> None:
    assert fault_from("tls", ssl.SSLError(1, "alert"))["code"] == "tls"
