# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The C# that travels to Windows: builds as it will there, and the compiled code touches only what may be read."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
import shims
from windows_double import csharp

ROOT = Path(__file__).resolve().parents[2]
SHIMS = sorted((ROOT / "plugins" / "modules").glob("*.ps1"))
SOURCES = csharp.shipped_sources()
# Ansible's own way to find what a util needs: full `using` lines of other utils.
_USING = re.compile(r"^using\s+" + re.escape(shims.OURS) + r"(\w+);\s*$", re.MULTILINE)

pytestmark = pytest.mark.skipif(shutil.which("mcs") is None, reason="no mcs (scripts/setup.sh installs it)")


def closure(names: set[str]) -> dict[str, str]:
    """The files that Ansible sends for these utils: themselves and what they use, transitively."""
    found: dict[str, str] = {}
    todo = sorted(names)
    while todo:
        name = f"{todo.pop()}.cs"
        if name not in found:
            found[name] = SOURCES[name]
            todo += _USING.findall(SOURCES[name])
    return found


@pytest.mark.parametrize("references", [None, "4.5", "4.7.2", "4.8"])
def test_all_utils_build_together(tmp_path: Path, references: str | None) -> None:
    out = tmp_path / "all.dll"
    csharp.compile_sources(SOURCES, out, "-target:library", references=references)
    assert out.stat().st_size > 0


@pytest.mark.parametrize("path", SHIMS, ids=lambda path: path.stem)
def test_what_a_module_sends_builds_alone(path: Path, tmp_path: Path) -> None:
    asked = {u.removeprefix(shims.OURS) for u in shims.read(path.read_bytes()).utils if u.startswith(shims.OURS)}
    csharp.compile_sources(closure(asked), tmp_path / "one.dll", "-target:library", references="4.5")


@pytest.mark.parametrize(
    "body",
    [
        "string Bad(object x) { return x?.ToString(); }",
        'string Bad(int x) { return $"{x}"; }',
        "int Bad() { int unused = 1; return 2; }",
        "int Bad() { return 1; } public int Never() { return 1; return 2; }",
    ],
    ids=["null-conditional", "interpolation", "unused variable", "unreachable code"],
)
def test_the_build_refuses_newer_language_and_warnings(body: str, tmp_path: Path) -> None:
    source = f"namespace X {{ public class Y {{ public {body} }} }}"
    with pytest.raises(csharp.CompileError):
        csharp.compile_sources({"Y.cs": source}, tmp_path / "y.dll", "-target:library")


@pytest.mark.parametrize("name", SOURCES)
def test_namespace_and_header(name: str) -> None:
    text = SOURCES[name]
    assert re.findall(r"^namespace\s+(\S+)", text, re.MULTILINE) == [shims.OURS + name.removesuffix(".cs")]
    assert "SPDX-License-Identifier: GPL-3.0-or-later" in text.split("namespace", 1)[0]


@pytest.mark.parametrize("name", SOURCES)
def test_indented_with_tabs(name: str) -> None:
    # All of it travels to every host in every run; four blanks a level would make it a fifth longer.
    assert [line for line in SOURCES[name].splitlines() if line.startswith("  ") or line != line.rstrip()] == []


# ------------------------------------------------------------------ what the compiled code may touch

# Types that can change a machine, and the members of each that only look. Types that are not named here are free.
LOOKS_ONLY = {
    r"Microsoft\.Win32\.Registry": r"LocalMachine|Users|CurrentUser|ClassesRoot|GetValue",
    r"Microsoft\.Win32\.RegistryKey": (
        r"OpenBaseKey|OpenSubKey\(string(, bool)?\)|GetValue(Names|Kind)?|GetSubKeyNames|Close|Dispose|get_\w+"
    ),
    r"System\.IO\.File": r"Exists|OpenRead|OpenText|ReadAll\w+|ReadLines|Get\w+",
    r"System\.IO\.Directory": r"Exists|Get\w+|Enumerate\w+",
    r"System\.IO\.(File|Directory)(System)?Info": r"\.ctor|get_\w+|Get\w+|Enumerate\w+|OpenRead|OpenText|Refresh",
    r"System\.IO\.FileStream": (
        r"\.ctor\(string, .*FileMode, .*FileAccess, .*FileShare\)|Read\w*|Seek|Close|Dispose|get_\w+"
    ),
    r"System\.IO\.StreamWriter": r"\.ctor\(class \[mscorlib\]System\.IO\.Stream.*\)|(?!\.ctor)\S+",
    r"System\.IO\.(Pipes|IsolatedStorage|MemoryMappedFiles)\.\w+": r"(?!)",
    r"System\.Diagnostics\.Process": r"GetCurrentProcess|GetProcesses\w*|Dispose|Close|Refresh|get_\w+",
    r"System\.Diagnostics\.ProcessStartInfo": r"(?!)",
    r"System\.Diagnostics\.EventLog": r"(?!)",
    r"System\.ServiceProcess\.ServiceController": r"\.ctor|Get\w+|Close|Dispose|Refresh|get_\w+",
    r"System\.Environment": r"get_\w+|Get\w+|ExpandEnvironmentVariables|NewLine",
    r"System\.AppDomain": r"get_\w+",
    r"System\.Reflection\.Assembly": r"GetExecutingAssembly|GetName|get_\w+|Get\w+",
    r"System\.Reflection\.Emit\.\w+": r"(?!)",
    r"System\.Net\.ServicePointManager": r"get_\w+",
    r"System\.Net\.(WebClient|CredentialCache|NetworkCredential)": r"(?!)",
    r"System\.Net\.(Http)?WebRequest": r"(?!)",
    r"System\.Security\.Cryptography\.X509Certificates\.X509Store": r"\.ctor|Open|Close|Dispose|get_\w+",
}
# Native functions by what their names promise.
NATIVE = re.compile(
    r"(Get|Query|Open|Close|Enum|Find|Is)[A-Z]\w*|DsRole(Get\w+|FreeMemory)|Net(Get\w+|ApiBufferFree)|\w*Free(Memory|Handle)?"
    r"|Reg(Open|Query|Enum|Close)\w+|WinHttp(Get|Open|CloseHandle)\w*|Nt(Query)\w+|Dns(Query|Free|RecordListFree)\w*"
)
# Comparisons and conversions that follow the user's language when they are called like this: in Turkish,
# "FILE".ToLower() is not "file".
CULTURE_BOUND = re.compile(
    r"System\.String\.(ToLower|ToUpper)\(\)"
    r"|System\.String\.(StartsWith|EndsWith|IndexOf|LastIndexOf|CompareTo)\(string\)"
    r"|System\.String\.Compare\(string, string(, bool)?\)"
    r"|System\.Char\.(ToLower|ToUpper)\(char\)"
    r"|System\.(Double|Single|Decimal|DateTime)\.(Parse|TryParse)\(string(, \[out\] \S+)?\)"
    r"|System\.(Double|Single|Decimal|DateTime)\.ToString\((string)?\)"
)


@dataclass(frozen=True, order=True)
class Member:
    """A foreign method (``arguments`` is its list of types, in brackets) or field (``arguments`` is empty)."""

    owner: str
    name: str
    arguments: str

    def __str__(self) -> str:
        return f"{self.owner}.{self.name}{self.arguments}"


def members(library: Path) -> set[Member]:
    """Every foreign member that the library refers to."""
    listing = subprocess.run(
        ["monodis", "--memberref", str(library)], capture_output=True, text=True, check=True
    ).stdout
    found = set()
    for full, signature in re.findall(r"Resolved: (.*)\n\tSignature: (.*)", listing):
        owner, name = re.fullmatch(r"(.+?)\.(\.?[^.]+)", re.sub(r"(class |valuetype )?\[[\w.]+\]", "", full)).groups()
        found.add(Member(owner, name, signature[signature.index("(") :] if "(" in signature else ""))
    assert found
    return found


def natives(library: Path) -> set[str]:
    """Every native function that it declares."""
    listing = subprocess.run(["monodis", "--implmap", str(library)], capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"::(\w+)\(", listing))


def changes(found: set[Member]) -> list[str]:
    """Those members that could change something."""
    return sorted(
        str(member)
        for member in found
        for kind, looks in LOOKS_ONLY.items()
        if re.fullmatch(kind, member.owner)
        and not (re.fullmatch(looks, member.name) or re.fullmatch(looks, member.name + member.arguments))
    )


# Calls whose arguments decide: allowed only with these constants, loaded right before the call.
READ_ONLY_CALLS = {
    # OpenSubKey(name, writable: false)
    "RegistryKey::OpenSubKey(string, bool)": (r"ldc\.i4\.0",),
    # new FileStream(path, FileMode.Open, FileAccess.Read, share)
    "FileStream::'.ctor'(string": (r"ldc\.i4\.3", r"ldc\.i4\.1", r"ldc\.i4\.[0-7]"),
}


def write_access(library: Path) -> list[str]:
    """Calls that could open something for writing."""
    code = subprocess.run(["monodis", str(library)], capture_output=True, text=True, check=True).stdout.splitlines()
    bad = []
    for index, line in enumerate(code):
        for call, constants in READ_ONLY_CALLS.items():
            if call in line:
                before = [text.split(":", 1)[-1].strip() for text in code[index - len(constants) : index]]
                if not all(map(re.fullmatch, constants, before)):
                    bad.append(line.strip())
    return bad


def by_language(found: set[Member]) -> list[str]:
    """Those members that follow the user's language."""
    return sorted(str(member) for member in found if CULTURE_BOUND.fullmatch(str(member)))


@pytest.fixture(scope="module")
def library() -> Path:
    return csharp.build()


def test_nothing_is_changed(library: Path) -> None:
    assert changes(members(library)) == []
    assert write_access(library) == []
    assert [name for name in natives(library) if not NATIVE.fullmatch(name)] == []


def test_nothing_follows_the_language_of_the_host(library: Path) -> None:
    assert by_language(members(library)) == []


@pytest.mark.parametrize(
    "statement",
    [
        'System.IO.File.WriteAllText("x", "y");',
        'System.IO.File.Delete("x");',
        'System.IO.Directory.CreateDirectory("x");',
        'new System.IO.FileStream("x", System.IO.FileMode.Create).Close();',
        'new System.IO.FileStream("x", FileMode.Open, FileAccess.ReadWrite, FileShare.Read).Close();',
        'new System.IO.FileStream("x", FileMode.OpenOrCreate, FileAccess.Read, FileShare.Read).Close();',
        'new System.IO.StreamWriter("x").Close();',
        'System.Diagnostics.Process.Start("cmd");',
        'new System.Diagnostics.ProcessStartInfo("cmd");',
        'Microsoft.Win32.Registry.SetValue("a", "b", 1);',
        'Microsoft.Win32.Registry.LocalMachine.OpenSubKey("a", true);',
        'Microsoft.Win32.Registry.LocalMachine.CreateSubKey("a");',
        'Microsoft.Win32.Registry.LocalMachine.DeleteValue("a");',
        "System.Environment.Exit(0);",
        'System.Environment.SetEnvironmentVariable("a", "b");',
        "System.Net.ServicePointManager.ServerCertificateValidationCallback = null;",
        'System.Net.WebRequest.Create("http://x/");',
        'System.Reflection.Assembly.LoadFrom("x");',
    ],
)
def test_a_change_would_be_seen(statement: str, tmp_path: Path) -> None:
    source = f"using System.IO; namespace X {{ public class Y {{ public void Z() {{ {statement} }} }} }}"
    out = tmp_path / "y.dll"
    csharp.compile_sources({"Y.cs": source}, out, "-target:library")
    assert changes(members(out)) or write_access(out)


@pytest.mark.parametrize(
    "expression",
    [
        '"I".ToLower()',
        '"i".ToUpper()',
        '"x".StartsWith("y")',
        '"x".IndexOf("y")',
        'string.Compare("a", "b")',
        'double.Parse("1")',
    ],
)
def test_a_comparison_by_language_would_be_seen(expression: str, tmp_path: Path) -> None:
    source = f"namespace X {{ public class Y {{ public object Z() {{ return {expression}; }} }} }}"
    out = tmp_path / "y.dll"
    csharp.compile_sources({"Y.cs": source}, out, "-target:library")
    assert by_language(members(out))
