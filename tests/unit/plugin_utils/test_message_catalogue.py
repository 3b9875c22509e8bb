# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every message for people is there in both languages and asks for the same values in both."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.edefter.ready.plugins.plugin_utils import messages

FOLDER = Path(messages.__file__).parent / "data" / "messages"
FILES = sorted(FOLDER.glob("*.json"))
LANGUAGES = {"tr", "en"}
# Letters that the other language does not have: a text with them is in the wrong place.
TURKISH = re.compile(r"[ğĞşŞıİ]")


def leaves(node: object, path: str = "") -> Iterator[tuple[str, dict[str, str]]]:
    """Every {tr, en} pair below ``node`` with its path."""
    assert isinstance(node, dict), f"{path}: neither a text in two languages nor a group of them"
    if LANGUAGES & node.keys():
        yield path, node
    else:
        for key, value in node.items():
            yield from leaves(value, f"{path}/{key}")


def texts(path: Path) -> list[tuple[str, dict[str, str]]]:
    return list(leaves(json.loads(path.read_text(encoding="utf-8"))))


def asked(text: str, language: str) -> set[str]:
    """Placeholders, those for one language by their common name: {profile_tr} and {profile_en} are one."""
    return {re.sub(rf"_{language}$", "", name) for name in messages.placeholders(text)}


def test_there_are_messages() -> None:
    assert {"clock", "firewall", "state", "time"} <= {path.stem for path in FILES}
    assert messages.catalogue()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_both_languages_say_the_same(path: Path) -> None:
    for where, pair in texts(path):
        assert pair.keys() == LANGUAGES, where
        assert bool(pair["tr"].strip()) == bool(pair["en"].strip()), f"{where}: empty in one language"
        assert asked(pair["tr"], "tr") == asked(pair["en"], "en"), f"{where}: other values in the other language"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_texts_are_clean(path: Path) -> None:
    for where, pair in texts(path):
        for language, text in pair.items():
            said = f"{where} ({language}): {text}"
            assert text == unicodedata.normalize("NFC", text), said
            assert text == text.strip(), said
            assert "  " not in text, said
            rest = re.sub(r"\{[a-z][a-z0-9_]*\}", "", text)
            assert "{" not in rest, f"a brace that is no placeholder: {said}"
            assert "}" not in rest, f"a brace that is no placeholder: {said}"
            assert not re.search(r"\b(TODO|FIXME|XXX)\b", text), said
        assert not TURKISH.search(re.sub(r"“[^”]*”|\"[^\"]*\"|'[^']*'|\([^)]*\)", "", pair["en"])), (
            f"Turkish in English: {where}"
        )
        # Names and figures may be the same in both; a sentence may not.
        assert pair["tr"] != pair["en"] or len(pair["en"].split()) < 4, f"not translated: {where}"


def test_every_finding_has_a_title_and_room_for_a_remedy() -> None:
    for cause, message in messages.catalogue().items():
        if "title" in message:
            assert message["title"]["tr"], cause
            assert "remedy" in message, cause
