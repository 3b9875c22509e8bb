# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be said of a file itself, beside what is in it: when, with what, and what it cannot know.

Pure.
"""

from __future__ import annotations

import dataclasses

from ansible_collections.edefter.ready.plugins.plugin_utils.model import Area, Evidence, Finding, Owner, Status
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.offline import OfflineFile, Unseen

DAY = 86400.0
# A file dated later than this after now has a wrong clock behind it (a minute or two is anybody's).
AHEAD = 600.0


@dataclasses.dataclass(frozen=True)
class Here:
    """The control node's side. now: seconds since 1970; catalogue_sha256: "" when it is not to be compared."""

    version: str
    now: float
    max_age_days: float
    catalogue_sha256: str = ""


def _finding(file: OfflineFile, part: str, cause: str, status: Status, owner: Owner, **params: str) -> Finding:
    return Finding(
        id=f"offline:{part}",
        area=Area.REACH,
        check="offline",
        subject=part,
        status=status,
        cause=cause,
        owner=owner,
        observed=file.started_utc,
        expected="",
        params=params,
        evidence=(
            Evidence("tool_version", file.version),
            Evidence("sha256", file.sha256 or "-"),
            Evidence("user_is_admin", {True: "yes", False: "no", None: "?"}[file.user_is_admin]),
        ),
        grade="" if status is Status.PASS else "self_proving",
    )


def told(unseen: tuple[Unseen, ...]) -> str:
    """The gaps by their places in the observation, each once."""
    return ", ".join(dict.fromkeys(f"{gap.where} ({gap.code})" for gap in unseen))[:500]


def judge_offline(file: OfflineFile, here: Here, offset: float | None = None) -> tuple[Finding, ...]:
    """Findings about the file. offset: the measured error of its machine's clock (true minus shown)."""
    when = file.started_utc
    found = [
        _finding(file, "file", "offline.ok", Status.PASS, Owner.NOBODY, when=when, version=file.version),
    ]
    age = here.now - (file.started + (offset or 0.0))
    if age > here.max_age_days * DAY:
        days = str(int(age // DAY))
        found.append(_finding(file, "age", "offline.old", Status.WARN, Owner.LOCAL_ADMIN, when=when, days=days))
    elif age < -AHEAD:
        found.append(_finding(file, "age", "offline.future", Status.WARN, Owner.LOCAL_ADMIN, when=when))
    if file.version != here.version:
        params = {"version": file.version, "here": here.version}
        found.append(_finding(file, "version", "offline.version", Status.WARN, Owner.CONTROLLER, **params))
    elif here.catalogue_sha256 and file.catalogue_sha256 != here.catalogue_sha256:
        found.append(_finding(file, "catalogue", "offline.catalogue", Status.WARN, Owner.CONTROLLER))
    if file.unseen:
        cause = "offline.hidden" if file.user_is_admin else "offline.limited"
        found.append(_finding(file, "unseen", cause, Status.UNKNOWN, Owner.LOCAL_ADMIN, what=told(file.unseen)))
    return tuple(found)
