# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""edefter-kontrol.exe as it is handed out: it writes its one file and changes nothing else; both languages say the
same."""

from __future__ import annotations

import re
import shutil
import struct
import sys
import xml.etree.ElementTree as ET
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


def resources(image: bytes) -> dict[tuple[int, ...], bytes]:
    """Windows' own resources of a program, by type, id and language (PE format, .rsrc)."""
    header = struct.unpack_from("<I", image, 0x3C)[0]
    count, optional = struct.unpack_from("<H", image, header + 6)[0], struct.unpack_from("<H", image, header + 20)[0]
    places = [header + 24 + optional + 40 * number for number in range(count)]
    place = next(place for place in places if image[place : place + 8].rstrip(b"\0") == b".rsrc")
    address, _size, start = struct.unpack_from("<III", image, place + 12)
    found: dict[tuple[int, ...], bytes] = {}

    def walk(offset: int, path: tuple[int, ...]) -> None:
        named, numbered = struct.unpack_from("<HH", image, start + offset + 12)
        for number in range(named + numbered):
            key, to = struct.unpack_from("<II", image, start + offset + 16 + 8 * number)
            if to >> 31:
                walk(to & 0x7FFFFFFF, (*path, key))
            else:
                where, size = struct.unpack_from("<II", image, start + to)
                found[*path, key] = image[start + where - address : start + where - address + size]

    walk(0, ())
    return found


def test_windows_is_told_not_to_ask_for_rights(program: Path) -> None:
    (manifest,) = (data for path, data in resources(program.read_bytes()).items() if path[:2] == (24, 1))
    read = ET.fromstring(manifest)
    level = next(item for item in read.iter() if item.tag.endswith("requestedExecutionLevel"))
    assert level.attrib == {"level": "asInvoker", "uiAccess": "false"}
    assert next(item for item in read.iter() if item.tag.endswith("supportedOS")).get("Id")


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
