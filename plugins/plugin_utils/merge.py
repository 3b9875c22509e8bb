# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several runs over parts of a fleet (AWX's job slices) made into one, and how a run travels as a job's artifact.

Pure. Merging is order-free and idempotent: which record stands for a host follows from the records alone, never from
who came first, and merging what was merged changes nothing.

    ARTIFACT = {"schema": 1, "run": {run.json}, "hosts": 12, "level": LEVEL, "records": base64(zlib(a record a line))}
    LEVEL    = "whole" | "open": the findings that pass are left out | "verdicts": states and sentences only
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import typing as t
import zlib

from ansible_collections.edefter.ready.plugins.plugin_utils import record

Json = t.Mapping[str, t.Any]

SCHEMA = 1
#: Variables that hold artifacts are called so, followed by the run: each slice has a name of its own.
PREFIX = "edefter_records_"
LEVELS = ("whole", "open", "verdicts")
#: What one artifact unpacks to, at most: a slice of 5,000 hosts at 40 KB each.
MAX_UNPACKED = 256 * 1024 * 1024


class ArtifactError(ValueError):
    """An artifact is none of ours, or was damaged."""


def name_of(run: str) -> str:
    """The variable that carries a run's records."""
    return PREFIX + "".join(c if c.isascii() and c.isalnum() else "_" for c in run)


def lean(found: Json, level: str) -> dict[str, t.Any]:
    """A record as a level carries it."""
    if level == "whole":
        return dict(found)
    parts: dict[str, t.Any] = {}
    for name in ("before", "after"):
        part = found.get(name)
        if part is None or level == "verdicts":
            parts[name] = None
        else:
            parts[name] = {**part, "findings": [f for f in part["findings"] if f["status"] != "pass"]}
    return {**found, **parts}


def pack(meta: Json, records: t.Callable[[], t.Iterable[Json]], limit: int) -> dict[str, t.Any]:
    """ARTIFACT at the fullest level whose text is at most `limit` characters; the leanest one whatever its size.

    records: gives them anew at each call, so that a fleet's need not live in memory.
    """
    text, hosts = "", 0
    for level in LEVELS:
        squeeze = zlib.compressobj(6)
        packed, hosts = bytearray(), 0
        for found in records():
            line = json.dumps(lean(found, level), ensure_ascii=False, separators=(",", ":"), sort_keys=True)
            packed += squeeze.compress(line.encode() + b"\n")
            hosts += 1
        packed += squeeze.flush()
        text = base64.b64encode(packed).decode()
        if len(text) <= limit or level == LEVELS[-1]:
            break
    return {"schema": SCHEMA, "run": dict(meta), "hosts": hosts, "level": level, "records": text}


def unpack(artifact: object) -> tuple[dict[str, t.Any], list[dict[str, t.Any]]]:
    """(run.json, records) of an artifact. Raises ArtifactError."""
    if not isinstance(artifact, dict) or artifact.get("schema") != SCHEMA:
        raise ArtifactError("not the artifact of a run of this version")
    meta, text = artifact.get("run"), artifact.get("records")
    if not isinstance(meta, dict) or not isinstance(meta.get("run"), str) or not isinstance(text, str):
        raise ArtifactError("an artifact without run or records")
    try:
        stream = zlib.decompressobj()
        plain = stream.decompress(base64.b64decode(text, validate=True), MAX_UNPACKED)
        if not stream.eof:
            raise ArtifactError(f"the artifact of {meta['run']} is cut off, or larger than {MAX_UNPACKED} bytes")
        found = [json.loads(line) for line in plain.splitlines()]
    except (binascii.Error, zlib.error, ValueError) as error:
        if isinstance(error, ArtifactError):
            raise
        raise ArtifactError(f"the artifact of {meta['run']} is damaged: {error}") from error
    if not all(isinstance(one, dict) and isinstance(one.get("host"), str) for one in found):
        raise ArtifactError(f"the artifact of {meta['run']} holds something that is no record")
    if any(one.get("state") not in record.STATES for one in found):
        raise ArtifactError(f"the artifact of {meta['run']} holds a record with a state that does not exist")
    return meta, found


def _fullness(found: Json) -> int:
    return sum(len((found.get(part) or {}).get("findings") or ()) for part in ("before", "after"))


def better(one: Json, other: Json) -> Json:
    """Which of two records of one host stands: one that was made, the later run's, the fuller one."""

    def rank(found: Json) -> tuple[bool, str, int, str]:
        return (
            found["state"] != "pending",
            str(found.get("run", "")),
            _fullness(found),
            json.dumps(found, sort_keys=True, ensure_ascii=False),
        )

    return max(one, other, key=rank)


def run_of(metas: t.Iterable[Json]) -> dict[str, t.Any]:
    """run.json of the merged run: begun with the first, named after all of them, so the same slices give the same run.

    A run that was merged itself counts as those that it was made of. Raises ValueError without any.
    """
    parts: dict[str, Json] = {}
    for meta in metas:
        for part in meta.get("merged") or [{key: meta.get(key) for key in _KEPT}]:
            parts[str(part["run"])] = part
    if not parts:
        raise ValueError("there is no run to merge")
    whole = [parts[run] for run in sorted(parts)]
    digest = hashlib.sha256("\n".join(sorted(parts)).encode()).hexdigest()[:8]
    finished = [part.get("finished_utc") for part in whole]
    return {
        "schema": SCHEMA,
        "run": f"{min(parts).partition('-')[0]}-m{digest}",
        "started_utc": min(str(part.get("started_utc") or "") for part in whole),
        "finished_utc": max(str(moment) for moment in finished) if all(finished) else None,
        "version": max(str(part.get("version") or "") for part in whole),
        "mode": "check" if all(part.get("mode") == "check" for part in whole) else "ready",
        "interrupted": any(part.get("interrupted") or not part.get("finished_utc") for part in whole),
        "merged": whole,
    }


_KEPT = ("run", "started_utc", "finished_utc", "version", "mode", "interrupted")


def in_order(hosts: t.Iterable[str], inventory: t.Sequence[str]) -> list[str]:
    """Hosts as the inventory has them; those that it does not know follow, by name."""
    place = {host: number for number, host in enumerate(inventory)}
    return sorted(hosts, key=lambda host: (place.get(host, len(place)), host))
