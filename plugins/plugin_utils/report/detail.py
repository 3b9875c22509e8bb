# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the HTML report shows of one host when it is opened, and how thousands of those fit into one file.

Pure. Hosts are packed a handful at a time: alike as they are, they compress to a twentieth. Base64 has no character
that HTML or JavaScript could take for markup, whatever a host called itself.
"""

from __future__ import annotations

import base64
import json
import typing as t
import zlib

from ansible_collections.edefter.ready.plugins.plugin_utils.report.digest import current

Json = t.Mapping[str, t.Any]

# Opening a host unpacks its whole block: some 700 kB of JSON.
BLOCK_HOSTS = 16
_FINDING = (
    "id",
    "area",
    "check",
    "subject",
    "status",
    "owner",
    "observed",
    "expected",
    "grade",
    "contributing",
    "ruled_out",
    "blocks_filing",
    "title",
    "remedy",
)


def detail(record: Json) -> dict[str, t.Any]:
    """The record as the browser needs it: the newest findings, what was before where it differs, and the pictures."""
    before: Json = record.get("before") or {}
    after: Json = record.get("after") or {}
    part = current(record)
    facts: Json = part.get("facts") or {}
    return {
        "host": record["host"],
        "state": record["state"],
        "error": (record.get("error") or {}).get("message", ""),
        "observed": part.get("observed_utc", ""),
        "elapsed": part.get("elapsed_ms"),
        "machine": facts.get("machine"),
        "probes": facts.get("probes") or [],
        "clock": facts.get("clock"),
        "clock_before": (before.get("facts") or {}).get("clock") if after else None,
        "findings": [_finding(finding) for finding in part.get("findings") or ()],
        "was": _was(before.get("findings") or (), after.get("findings") or ()) if after else [],
        "plan": _plan(before.get("plan") or (), after.get("plan") if after else None),
    }


def _finding(finding: Json) -> dict[str, t.Any]:
    small = {key: finding[key] for key in _FINDING}
    small["evidence"] = [[item["key"], item["value"]] for item in finding["evidence"]]
    return small


def _was(before: t.Iterable[Json], after: t.Iterable[Json]) -> list[dict[str, t.Any]]:
    """Findings that changed their status or cause: [{"id", "before": {status, title}, "after": the same or null}]."""
    now = {finding["id"]: finding for finding in after}
    changed = []
    for old in before:
        new = now.get(old["id"])
        if new is None or (old["status"], old["cause"]) != (new["status"], new["cause"]):
            changed.append({"id": old["id"], "before": _short(old), "after": _short(new) if new else None})
    return changed


def _short(finding: Json) -> dict[str, t.Any]:
    return {"status": finding["status"], "title": finding["title"], "observed": finding["observed"]}


def _plan(before: t.Iterable[Json], after: t.Iterable[Json] | None) -> list[dict[str, t.Any]]:
    """The steps; done: true when the second observation no longer asks for it, null when there was none."""
    left = None if after is None else {step["id"] for step in after}
    return [
        {
            "title": step["title"],
            "module": step["module"],
            "before": step["before"],
            "after": step["after"],
            "done": None if left is None else step["id"] not in left,
        }
        for step in before
    ]


def pack(details: t.Sequence[Json]) -> str:
    """Several hosts as base64 of zlib's format of a JSON list."""
    text = json.dumps(details, ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(zlib.compress(text.encode("utf-8", "replace"), 6)).decode("ascii")


class Packer:
    """Blocks of details, in the order in which hosts come."""

    def __init__(self) -> None:
        self._waiting: list[Json] = []
        self._blocks = 0
        self.places: dict[str, tuple[int, int]] = {}
        """Where each host went: number of its block, place within."""

    def add(self, record: Json, extra: Json) -> str | None:
        """Takes a host; returns a block (base64) when one is full."""
        self.places[str(record["host"])] = (self._blocks, len(self._waiting))
        self._waiting.append({**detail(record), **extra})
        return self.flush() if len(self._waiting) == BLOCK_HOSTS else None

    def flush(self) -> str | None:
        """The last block, None when all are out."""
        if not self._waiting:
            return None
        block = pack(self._waiting)
        self._waiting = []
        self._blocks += 1
        return block
