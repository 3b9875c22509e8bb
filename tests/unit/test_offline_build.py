# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""edefter-kontrol.exe as it is handed out: it writes its one file and changes nothing else; both languages say the
same."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pytest
from test_csharp_build import NATIVE, by_language, changes, members, natives, write_access
from tree import ROOT

sys.path.insert(0, str(ROOT / "scripts"))
import offline_check

pytestmark = pytest.mark.skipif(shutil.which("mcs") is None, reason="no mcs (scripts/setup.sh installs it)")

# Output.cs: the result file comes whole into its place.
ITS_FILE = {
    "System.IO.Directory.CreateDirectory(string)",
    "System.IO.File.Delete(string)",
    "System.IO.File.Move(string, string)",
    "System.IO.File.WriteAllText(string, string, class [mscorlib]System.Text.Encoding)",
}


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return offline_check.build(tmp_path_factory.mktemp("offline") / offline_check.NAME)


def test_it_writes_its_file_and_nothing_else(program: Path) -> None:
    assert set(changes(members(program))) == ITS_FILE
    assert write_access(program) == []
    assert [name for name in natives(program) if not NATIVE.fullmatch(name)] == []


def test_nothing_follows_the_language_of_the_machine(program: Path) -> None:
    assert by_language(members(program)) == []


def test_the_tests_answers_are_not_in_it(program: Path) -> None:
    content = program.read_bytes()
    assert "EDEFTER_DOUBLE_API".encode("utf-16-le") not in content


def test_the_catalogue_is_in_it(program: Path) -> None:
    assert b'"firma.myedefter.com.tr"' in program.read_bytes()


def test_both_languages_say_the_same() -> None:
    text = (ROOT / "offline" / "Words.cs").read_text(encoding="utf-8")
    pairs = re.findall(r't\["([\w.]+)"\] = Both\(\s*("(?:[^"\\]|\\.)*"),\s*("(?:[^"\\]|\\.)*")\)', text)
    assert len(pairs) == text.count("= Both(")
    for key, turkish, english in pairs:
        assert len(turkish) > 2, key
        assert len(english) > 2, key
        assert turkish != english, key
        assert set(re.findall(r"\{\d\}", turkish)) == set(re.findall(r"\{\d\}", english)), key
    spoken = {key for key, _turkish, _english in pairs}
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "offline").glob("*.cs"))
    asked = set(re.findall(r'Say\("([\w.]+)"', code)) - {"section."}
    assert asked <= spoken
    assert {
        f"section.{name}"
        for name in re.findall(r'bodies\["(\w+)"\]', (ROOT / "plugins/module_utils/HostInfo.cs").read_text())
    } <= spoken


@pytest.mark.parametrize("options", [{"endpoint": {}}, {"endpoints": "x"}, {"probe": {"timeout": -1}}])
def test_options_that_cannot_be_meant_so(options: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises((offline_check.OptionError, offline_check.BuildError)):
        offline_check.build(tmp_path / "x.exe", options)
