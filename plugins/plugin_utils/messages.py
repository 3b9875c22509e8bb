# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one catalogue of messages for people, Turkish and English.

Pure apart from reading the JSON files packaged beside it, once per process.
A message: `{"title": {"tr", "en"}, "remedy": {"tr", "en"}}`; `{name}` is filled from a finding's params.
"""

from __future__ import annotations

import functools
import json
import pathlib
import re
import typing as t

LANGUAGES = ("tr", "en")
_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_FOLDER = pathlib.Path(__file__).parent / "data" / "messages"

Text = t.Mapping[str, str]


@functools.lru_cache(maxsize=1)
def catalogue() -> t.Mapping[str, t.Mapping[str, Text]]:
    """All messages by cause, from every file of data/messages. A cause in two files is a mistake and raises."""
    merged: dict[str, t.Mapping[str, Text]] = {}
    for path in sorted(_FOLDER.glob("*.json")):
        for cause, message in json.loads(path.read_text(encoding="utf-8")).items():
            if cause in merged:
                raise ValueError(f"message {cause!r} stands twice, the second time in {path.name}")
            merged[cause] = message
    return merged


def placeholders(template: str) -> frozenset[str]:
    """The names that a template asks for."""
    return frozenset(_PLACEHOLDER.findall(template))


def fill(template: str, params: t.Mapping[str, str]) -> str:
    """Replaces {name}; a name without a value stays as a visible ?name? instead of vanishing."""
    return _PLACEHOLDER.sub(lambda match: params.get(match[1], f"?{match[1]}?"), template)


def render(cause: str, part: str, params: t.Mapping[str, str]) -> dict[str, str]:
    """One part (`title`, `remedy`) of a message in every language: {"tr": …, "en": …}. No such message: its cause."""
    message = catalogue().get(cause, {}).get(part)
    if message is None:
        return dict.fromkeys(LANGUAGES, cause if part == "title" else "")
    return {language: fill(message.get(language, cause), params) for language in LANGUAGES}
