# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pure parts of the C# probes, reachable from Python: what one twin makes of an input, the other must make too."""

from __future__ import annotations

import pathlib
import shutil
import typing as t
from collections.abc import Callable, Iterator

import pytest
from windows_double import csharp

Part = Callable[..., t.Any]


@pytest.fixture(scope="session")
def windows_part() -> Iterator[Part]:
    """`windows_part("dns_parse", hex=…)`: the C# result; "Malformed" as text when the C# raised that."""
    if shutil.which("mcs") is None:
        pytest.skip("no mcs (scripts/setup.sh installs it)")
    source = pathlib.Path(__file__).with_name("ProbeParts.cs")
    library = csharp.build({**csharp.shipped_sources(), source.name: source.read_text(encoding="utf-8")})
    with csharp.Worker(library=library) as worker:

        def call(part: str, **params: t.Any) -> t.Any:
            reply = worker.call("ProbeParts", {"part": part, **params}, timeout=20)
            return reply.get("raised") or reply["value"]

        yield call
