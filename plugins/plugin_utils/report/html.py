# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTML report around the hosts' details: what the firm's owner reads, written out; the rest is packed beside it.

Pure apart from reading the templates packaged beside it. Everything that is put into the page is escaped by Jinja2;
a Content-Security-Policy with the hashes of the page's own script and style stands behind that.
"""

from __future__ import annotations

import base64
import dataclasses
import datetime
import functools
import hashlib
import pathlib
import re
import typing as t

import jinja2
from ansible_collections.edefter.ready.plugins.plugin_utils import messages
from ansible_collections.edefter.ready.plugins.plugin_utils.model import Finding, Owner
from ansible_collections.edefter.ready.plugins.plugin_utils.record import STATES, order
from ansible_collections.edefter.ready.plugins.plugin_utils.report.digest import Digest, FirmDigest, HostLine, Text
from ansible_collections.edefter.ready.plugins.plugin_utils.report.history import Changes, Note
from ansible_collections.edefter.ready.plugins.plugin_utils.report.todo import Task, by_owner, fleet_tasks, tasks

Json = t.Mapping[str, t.Any]

_FOLDER = pathlib.Path(__file__).parent / "templates"
# Characters that turn the text around them, or cannot be seen: in a host's words they could only mislead.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
# In the fleet's list of what has to be done; the rest stands under the firms.
MAX_TASKS = 25
# Firms show their machines at once in a run of no more than this many; in a larger one only those with problems do.
SMALL_FLEET = 60
# What is said of branches and clocks without being a task: the hosts' own findings say what has to be done.
_BESIDE = ("branch.only_here", "branch.slow", "clock.firm.straddles")
# Machines named in the list of changes since the run before.
MAX_CHANGES = 30


def say(group: str, key: str, **params: object) -> dict[str, str]:
    """A text of data/messages/html.json in every language."""
    text = messages.catalogue()[group][key]
    values = {name: str(value) for name, value in params.items()}
    return {language: messages.fill(text[language], values) for language in messages.LANGUAGES}


def counted(key: str, count: int) -> dict[str, str]:
    """A text of the page about so many of something; English has another one for a single one."""
    known = messages.catalogue()["html.page"]
    return say("html.page", f"{key}_one" if count == 1 and f"{key}_one" in known else key, count=count)


def title(cause: str, **params: str) -> dict[str, str]:
    """The title of a message of the catalogue."""
    return messages.render(cause, "title", params)


def both(group: str, key: str, **params: Text | str) -> dict[str, str]:
    """Like say, with parameters that are texts in every language themselves."""
    text = messages.catalogue()[group][key]
    return {
        language: messages.fill(
            text[language],
            {name: value if isinstance(value, str) else value[language] for name, value in params.items()},
        )
        for language in messages.LANGUAGES
    }


# Turkey has kept UTC+3 all year since 2016, and that is where the readers are.
_ZONE = " (UTC+3)"
_TURKEY = datetime.timezone(datetime.timedelta(hours=3))


def moment(utc: str) -> dict[str, str]:
    """An ISO time in UTC as people in Turkey write it; what is no time stays as it is."""
    try:
        parsed = datetime.datetime.fromisoformat(utc.replace("Z", "+00:00")).astimezone(_TURKEY)
    except (ValueError, OverflowError):
        return dict.fromkeys(messages.LANGUAGES, utc)
    return {"tr": f"{parsed:%d.%m.%Y %H:%M}", "en": f"{parsed:%Y-%m-%d %H:%M}{_ZONE}"}


def period(start: str, end: str | None) -> dict[str, str]:
    """From when to when, the date said once where it is the same."""
    began, ended = moment(start), moment(end) if end else None
    if ended is None:
        return began
    same = day(start) == day(end or "")
    return {
        language: f"{text.removesuffix(_ZONE)} – {ended[language].partition(' ')[2] if same else ended[language]}"
        for language, text in began.items()
    }


def day(utc: str) -> dict[str, str]:
    """The date of it."""
    return {language: text.partition(" ")[0] for language, text in moment(utc).items()}


def visible(value: object) -> object:
    """What the page shows for a value: text without characters that would turn or hide what stands beside them."""
    if isinstance(value, str) and _UNSEEN.search(value):
        return type(value)(_UNSEEN.sub("\ufffd", value))
    return value


@dataclasses.dataclass(frozen=True)
class Row:
    """A host's row. block, place: where its details are packed; apart: its clock is too far from its server's."""

    line: HostLine
    message: Text
    block: int
    place: int
    note: Note | None
    apart: bool


@dataclasses.dataclass(frozen=True)
class Said:
    """A finding about a branch or about two clocks."""

    status: str
    title: Text
    remedy: Text
    owner: Text


@dataclasses.dataclass(frozen=True)
class FirmView:
    """A firm as the page shows it. key: its anchor."""

    key: str
    firm: FirmDigest
    sentence: Text
    tasks: tuple[Task, ...]
    branches: tuple[Said, ...]
    clocks: tuple[Said, ...]
    rows: tuple[Row, ...]
    open: bool


def _said(findings: t.Iterable[Finding]) -> tuple[Said, ...]:
    """Findings that stand beside the tasks; those that are tasks themselves are not said twice."""
    return tuple(
        Said(
            str(finding.status),
            title(finding.cause, **finding.params),
            messages.render(finding.cause, "remedy", finding.params),
            title(f"owner.{finding.owner}"),
        )
        for finding in order(findings)
        if finding.cause in _BESIDE
    )


def _sentence(firm: FirmDigest, todo: t.Sequence[Task]) -> dict[str, str]:
    if firm.light == "green":
        return say("html.page", "firm_ready")
    key = "firm_not_ready" if firm.light == "red" else "firm_unknown"
    first: Text = todo[0].title if todo else dict.fromkeys(messages.LANGUAGES, "")
    owner = todo[0].owner if todo else str(Owner.CONTROLLER)
    ended = {language: text if text[-1:] in ".!?…" else f"{text}." for language, text in first.items()}
    return both("html.page", key, first=ended, who=title(f"owner.{owner}"))


def _firm(
    number: int, firm: FirmDigest, places: t.Mapping[str, tuple[int, int]], notes: t.Mapping[str, Note], large: bool
) -> FirmView:
    todo = tasks(firm)
    rows = []
    apart = {finding.subject for finding in firm.clocks_differ}
    for line in firm.hosts:
        block, place = places[line.host]
        message = line.message if all(line.message.get(language) for language in messages.LANGUAGES) else None
        rows.append(
            Row(line, message or title(f"state.{line.state}"), block, place, notes.get(line.host), line.host in apart)
        )
    return FirmView(
        key=f"firm-{number}",
        firm=firm,
        sentence=_sentence(firm, todo),
        tasks=todo,
        branches=_said(firm.branches),
        clocks=_said(firm.clocks),
        rows=tuple(rows),
        open=not large or (firm.light != "green" and len(firm.hosts) <= SMALL_FLEET),
    )


@functools.lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        say=say, counted=counted, title=title, by_owner=by_owner, moment=moment, day=day, period=period
    )
    return environment


def _hashed(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def _vocabulary() -> dict[str, t.Any]:
    """The texts that the page's script puts together details from."""
    known = messages.catalogue()
    groups = {name: known[f"html.{name}"] for name in ("script", "state", "status", "area", "phase", "source")}
    return {**groups, "owner": {str(owner): title(f"owner.{owner}") for owner in Owner}}


def page(
    digest: Digest,
    meta: Json,
    language: str,
    places: t.Mapping[str, tuple[int, int]],
    blocks: t.Iterable[str],
    notes: t.Mapping[str, Note],
    changes: Changes | None,
) -> t.Iterator[str]:
    """The page, piece by piece. places: where a host's details are; blocks: the packed details, taken last."""
    style = (_FOLDER / "report.css").read_text(encoding="utf-8")
    script = (_FOLDER / "report.js").read_text(encoding="utf-8")
    large = digest.total > SMALL_FLEET
    todo = fleet_tasks(digest)
    yield from (
        _environment()
        .get_template("report.html.j2")
        .generate(
            digest=digest,
            large=large,
            meta=meta,
            language=language,
            languages=messages.LANGUAGES,
            light=_light(digest),
            states=STATES,
            firms=(_firm(number, firm, places, notes, large) for number, firm in enumerate(digest.firms, 1)),
            firms_ready=sum(firm.all_ready for firm in digest.firms),
            tasks=todo[:MAX_TASKS],
            tasks_left=max(0, len(todo) - MAX_TASKS),
            changes=changes,
            max_changes=MAX_CHANGES,
            blocks=blocks,
            style=style,
            script=script,
            style_hash=_hashed(style),
            script_hash=_hashed(script),
            vocabulary=_vocabulary(),
        )
    )


def _light(digest: Digest) -> str:
    lights = {firm.light for firm in digest.firms}
    return next((light for light in ("red", "amber") if light in lights), "green")
