# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds dist/edefter-kontrol.exe: the observing C# that ships, a Main round it (offline/) and the catalogue inside.

    scripts/offline_check.py [--options FILE.json] [--out FOLDER]

`--options`: the judging options (endpoints, time_sources, canaries, use_canaries, probe) of a firm whose list differs
from the packaged one, as `edefter_judge.yml` is given them. Beside the program stands its SHA-256, in the form that
`sha256sum -c` reads. Needs `mcs` (Debian: mono-mcs) and the .NET Framework 4.5 reference assemblies
(libmono-cil-dev): what they do not hold is not on every Windows 10 either.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / ".collections"))

from ansible_collections.edefter.ready.plugins.module_utils.core import VERSION
from ansible_collections.edefter.ready.plugins.plugin_utils.model import OptionError
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted import everything
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted.offline import catalogue

NAME = "edefter-kontrol.exe"
MANIFEST = ROOT / "offline" / "app.manifest"
REFERENCES = Path("/usr/lib/mono/4.5-api")
ASSEMBLIES = ("System.dll", "System.Core.dll", "System.Web.Extensions.dll")
OPTIONS = ("endpoints", "time_sources", "canaries", "use_canaries", "probe")
_ASSEMBLY = re.compile(r"^//AssemblyReference\s+-Name\s+(\S+)\s+-CLR\s+Framework\s*$", re.MULTILINE)


class BuildError(Exception):
    """The program cannot be built; the message says why and what helps."""


def sources() -> dict[str, str]:
    """Everything that is compiled: path below the repository -> text."""
    found = sorted([*(ROOT / "plugins" / "module_utils").glob("*.cs"), *(ROOT / "offline").glob("*.cs")])
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in found}


def inside(options: Mapping[str, Any]) -> bytes:
    """The catalogue that goes into the program. Raises OptionError."""
    unknown = sorted(set(options) - set(OPTIONS))
    if unknown:
        raise OptionError(unknown[0], options[unknown[0]], f"the options are {', '.join(OPTIONS)}")
    return catalogue(everything.wanted_from(options))


def digest(texts: Mapping[str, str]) -> str:
    """One sum over names and contents, in the order of the names."""
    total = hashlib.sha256()
    for name in sorted(texts):
        total.update(name.encode() + b"\0" + texts[name].encode() + b"\0")
    return total.hexdigest()


def repeatable(program: bytes, seed: str) -> bytes:
    """The program with what mcs made up on the spot (time stamp, module version id) made of the seed instead.

    So the same sources give the same file, and anybody can check a copy of it by building it again. ECMA-335, II.24 and
    II.25.
    """
    image = bytearray(program)
    header = int.from_bytes(image[0x3C:0x40], "little")
    image[header + 8 : header + 12] = bytes(4)
    root = image.index(b"BSJB")
    place = root + 16 + int.from_bytes(image[root + 12 : root + 16], "little")
    for _ in range(int.from_bytes(image[place + 2 : place + 4], "little")):
        offset = int.from_bytes(image[place + 4 : place + 8], "little")
        end = image.index(0, place + 12)
        if image[place + 12 : end] == b"#GUID":
            image[root + offset : root + offset + 16] = bytes.fromhex(seed)[:16]
            return bytes(image)
        # The name, its terminator, and padding to four bytes.
        place += 8 + ((end - (place + 12)) // 4 + 1) * 4
    raise BuildError("mcs made a file without a list of GUIDs")


def resource(manifest: bytes) -> bytes:
    """A .res file with the program's manifest (RT_MANIFEST 24, id 1), as a resource compiler writes it."""

    def entry(kind: int, number: int, flags: int, data: bytes) -> bytes:
        head = struct.pack("<IIHHHHIHHII", len(data), 32, 0xFFFF, kind, 0xFFFF, number, 0, flags, 0, 0, 0)
        return head + data + bytes(-len(data) % 4)

    return entry(0, 0, 0, b"") + entry(24, 1, 0x30, manifest)


def build(
    out: Path, options: Mapping[str, Any] | None = None, extra: Sequence[Path] = (), references: bool = True
) -> Path:
    """Compiles into `out` (a file). extra: more C# files, for tests. references: against .NET Framework 4.5's.

    Raises BuildError, OptionError.
    """
    texts = sources()
    summed = {**texts, MANIFEST.relative_to(ROOT).as_posix(): MANIFEST.read_text(encoding="utf-8")}
    about = {"version": VERSION, "sources_sha256": digest(summed)}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        command = [
            "mcs",
            "-langversion:5",
            "-warnaserror",
            "-warn:4",
            "-nologo",
            "-target:exe",
            f"-out:{folder / NAME}",
        ]
        names = [*ASSEMBLIES, *sorted({name for text in texts.values() for name in _ASSEMBLY.findall(text)})]
        if references:
            if not REFERENCES.is_dir():
                raise BuildError("the .NET Framework 4.5 reference assemblies are missing; install libmono-cil-dev")
            command += ["-noconfig", "-nostdlib", *(f"-r:{REFERENCES / name}" for name in ["mscorlib.dll", *names])]
        else:
            command += [f"-r:{name}" for name in names]
        for name, content in (("about.json", json.dumps(about).encode()), ("catalogue.json", inside(options or {}))):
            (folder / name).write_bytes(content)
            command.append(f"-resource:{folder / name},{name}")
        (folder / "app.res").write_bytes(resource(MANIFEST.read_bytes()))
        command.append(f"-win32res:{folder / 'app.res'}")
        command += [str(ROOT / name) for name in texts] + [str(path) for path in extra]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError as error:
            raise BuildError("mcs is missing; install mono-mcs") from error
        if done.returncode:
            raise BuildError(done.stdout + done.stderr)
        out.parent.mkdir(parents=True, exist_ok=True)
        target = out.with_name(f".{out.name}.{os.getpid()}")
        target.write_bytes(repeatable((folder / NAME).read_bytes(), about["sources_sha256"]))
        os.replace(target, out)
    return out


def main(arguments: Sequence[str] | None = None) -> int:
    """Builds, and writes the sum beside it."""
    parser = argparse.ArgumentParser(description="Builds edefter-kontrol.exe.")
    parser.add_argument("--options", type=Path, help="JSON file with endpoints, time_sources, canaries, probe")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="folder (default: dist)")
    given = parser.parse_args(arguments)
    try:
        options = json.loads(given.options.read_text(encoding="utf-8")) if given.options else {}
        program = build(given.out / NAME, options)
    except (BuildError, OptionError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    total = hashlib.sha256(program.read_bytes()).hexdigest()
    beside = program.with_name(f"{NAME}.sha256")
    beside.write_text(f"{total}  {NAME}\n", encoding="utf-8")
    print(f"{program}\n  version {VERSION}, {program.stat().st_size} bytes\n  SHA-256 {total} (also in {beside.name})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
