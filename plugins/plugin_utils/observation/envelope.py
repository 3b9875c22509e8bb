# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The outer shape of an observation: who observed, when, and the sections with their own errors.

Pure. What is inside a section's `data` is read by that section's own parser beside this file.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils import shape
from ansible_collections.edefter.ready.plugins.plugin_utils.model import ShapeError

SCHEMA = 1


@dataclasses.dataclass(frozen=True)
class Fault:
    """A typed error of one phase. code is from the collectors' fixed list; message is evidence, never decided upon."""

    phase: str
    code: str
    native: int | None
    message: str


@dataclasses.dataclass(frozen=True)
class Section:
    """One guarded part of an observation: data when ok, else the error that kept it from being observed."""

    name: str
    ok: bool
    error: Fault | None
    elapsed_ms: float | None
    data: t.Mapping[str, object]


@dataclasses.dataclass(frozen=True)
class Observation:
    """An observation whose outer shape is right; sections keep unvalidated data."""

    module: str
    version: str
    runtime: str
    runtime_version: str
    started_utc: str
    elapsed_ms: float
    complete: bool
    sections: t.Mapping[str, Section]


def parse_fault(raw: object, path: str) -> Fault:
    """ERR of docs/contracts.md."""
    m = shape.mapping(raw, path)
    return Fault(
        phase=shape.text(m.get("phase"), f"{path}.phase", 40),
        code=shape.text(m.get("code"), f"{path}.code", 60),
        native=shape.optional_integer(m.get("native"), f"{path}.native"),
        message=shape.text(m.get("message", ""), f"{path}.message", 500),
    )


def optional_fault(raw: object, path: str) -> Fault | None:
    """ERR or null."""
    return None if raw is None else parse_fault(raw, path)


def _section(name: str, raw: object, path: str) -> Section:
    m = shape.mapping(raw, path)
    status = shape.text(m.get("status"), f"{path}.status", 20)
    if status not in ("ok", "error"):
        raise ShapeError(f"{path}.status", f"{status!r} is neither ok nor error")
    ok = status == "ok"
    error = optional_fault(m.get("error"), f"{path}.error")
    if not ok and error is None:
        error = Fault("section", "unspecified", None, "the section failed without saying why")
    data = shape.mapping(m.get("data"), f"{path}.data") if ok else {}
    return Section(name, ok, error, shape.optional_real(m.get("elapsed_ms"), f"{path}.elapsed_ms", 0), data)


def parse_observation(raw: object) -> Observation:
    """Reads the envelope. Raises ShapeError when the outer shape or the schema number is wrong.

    A single section of the wrong shape does not spoil the others: it becomes a section with error code `shape`.
    """
    m = shape.mapping(raw, "observation")
    schema = shape.integer(m.get("schema"), "observation.schema")
    if schema != SCHEMA:
        raise ShapeError("observation.schema", f"{schema} is not {SCHEMA}: host and control node differ in version")
    collector = shape.mapping(m.get("collector"), "observation.collector")
    sections: dict[str, Section] = {}
    raw_sections = shape.mapping(m.get("sections"), "observation.sections")
    if len(raw_sections) > 32:
        raise ShapeError("observation.sections", f"{len(raw_sections)} sections, at most 32 are read")
    for name, value in raw_sections.items():
        try:
            sections[name] = _section(name, value, f"observation.sections.{name[:40]}")
        except ShapeError as error:
            sections[name] = Section(name, False, Fault("section", "shape", None, str(error)[:500]), None, {})
    return Observation(
        module=shape.text(collector.get("module"), "observation.collector.module", 80),
        version=shape.text(collector.get("version"), "observation.collector.version", 40),
        runtime=shape.text(collector.get("runtime"), "observation.collector.runtime", 40),
        runtime_version=shape.text(collector.get("runtime_version"), "observation.collector.runtime_version", 120),
        started_utc=shape.text(m.get("started_utc"), "observation.started_utc", 40),
        elapsed_ms=shape.real(m.get("elapsed_ms"), "observation.elapsed_ms", 0),
        complete=shape.boolean(m.get("complete"), "observation.complete"),
        sections=sections,
    )
