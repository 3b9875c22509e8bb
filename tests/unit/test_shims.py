# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Windows modules hold nothing that would need a PowerShell to be tested, and take what their POSIX twins take."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import shims

ROOT = Path(__file__).resolve().parents[2]
SHIMS = sorted((ROOT / "plugins" / "modules").glob("*.ps1"))
CSHARP = ROOT / "plugins" / "module_utils"

GOOD = """\
#!powershell

# A remark.

#AnsibleRequires -CSharpUtil Ansible.Basic
#AnsibleRequires -CSharpUtil ansible_collections.edefter.ready.plugins.module_utils.HostInfo

$spec = @{
    options = @{
        # why this is here
        port = @{ type = "int"; default = 443 }
        kinds = @{ type = "list"; elements = "str"; choices = @("ntp", 'https'); required = $true }
        one = @{ type = "list"; elements = "str"; default = @("ntp") }
        none = @{ type = "list"; elements = "str"; default = @() }
        timeout = @{ type = "float"; default = 2.5 }
    }
    supports_check_mode = $true
}

$module = [Ansible.Basic.AnsibleModule]::Create($args, $spec)
CALL
$module.ExitJson()
""".replace("CALL", "$module.Result.observation = [" + shims.OURS + "HostInfo.Entry]::Run($module.Params)")


class _Stop(Exception):
    """Raised in place of making a module, once its spec is known."""


def posix_spec(name: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The spec that the Python twin hands to AnsibleModule, in the form of the .ps1 one."""
    twin = importlib.import_module(f"ansible_collections.edefter.ready.plugins.modules.{name}")
    seen: dict[str, Any] = {}

    def record(argument_spec: dict[str, Any], **rest: Any) -> None:
        seen.update(rest, options=argument_spec)
        raise _Stop

    monkeypatch.setattr(twin, "AnsibleModule", record)
    with pytest.raises(_Stop):
        twin.main()
    return seen


@pytest.mark.parametrize("path", SHIMS, ids=lambda path: path.stem)
def test_shape(path: Path) -> None:
    shim = shims.read(path.read_bytes())
    for util in shim.utils:
        if util.startswith(shims.OURS):
            assert (CSHARP / f"{util.removeprefix(shims.OURS)}.cs").is_file(), f"{util} does not exist"
    source = (CSHARP / f"{shim.entry_file}.cs").read_text(encoding="utf-8")
    assert re.search(rf"\bpublic static class {shim.entry_type}\b", source)
    assert re.search(r"\bpublic static Dictionary<string, object> Run\(IDictionary \w+\)", source)


@pytest.mark.parametrize("path", SHIMS, ids=lambda path: path.stem)
def test_takes_what_the_twin_takes(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shims.differences(shims.read(path.read_bytes()).spec, posix_spec(path.stem, monkeypatch)) == []


def test_every_module_has_both_twins() -> None:
    both = {path.stem for path in SHIMS}
    assert {"host_info", "endpoint_info", "clock_info"} <= both
    assert all((ROOT / "plugins" / "modules" / f"{name}.py").is_file() for name in both)


def test_reads_the_literals() -> None:
    shim = shims.read(GOOD.encode())
    assert shim.spec == {
        "options": {
            "port": {"type": "int", "default": 443},
            "kinds": {"type": "list", "elements": "str", "choices": ["ntp", "https"], "required": True},
            "one": {"type": "list", "elements": "str", "default": ["ntp"]},
            "none": {"type": "list", "elements": "str", "default": []},
            "timeout": {"type": "float", "default": 2.5},
        },
        "supports_check_mode": True,
    }
    assert (shim.entry_file, shim.entry_type) == ("HostInfo", "Entry")
    assert shim.utils == ("Ansible.Basic", shims.OURS + "HostInfo")


# What is put in place of what, and why that is no shim any more.
REFUSED = {
    "condition": ("$module.ExitJson()", "if ($true) { $module.ExitJson() }"),
    "loop": ("$module.ExitJson()", "foreach ($i in 1..3) { $module.ExitJson() }"),
    "output": ("$module.ExitJson()", 'Write-Host "done"\n$module.ExitJson()'),
    "output in place of the end": ("$module.ExitJson()", 'Write-Host "done"'),
    "pipe": ("$module.ExitJson()", "$module.ExitJson() | Out-Null"),
    "function": ("$spec = @{", "function Get-It { 1 }\n$spec = @{"),
    "parameters": ("$spec = @{", "param($x)\n$spec = @{"),
    "cmdlet in the spec": ("default = 443", "default = (Get-Random)"),
    "variable in the spec": ("default = 443", "default = $port"),
    "sum in the spec": ("default = 443", "default = 400 + 43"),
    "cast in the spec": ("default = 443", 'default = [int]"443"'),
    "subexpression in the spec": ("default = 443", "default = $(443)"),
    "expanding string": ('type = "int"', 'type = "$kind"'),
    "escape in a string": ('type = "int"', 'type = "in`t"'),
    "script block": ('type = "int"', "type = { 1 }"),
    "key twice, other case": ('type = "int"', 'type = "int"; Type = "str"'),
    "spec from elsewhere": ("$spec = @{", "$spec = $args[0]\n$other = @{"),
    "added to the spec": ("$spec = @{", "$spec += @{"),
    "other type": ("[Ansible.Basic.AnsibleModule]::Create", "[System.IO.File]::Create"),
    "other result": ("$module.Result.observation", "$module.Result.changed"),
    "foreign C#": (
        "[ansible_collections.edefter.ready.plugins.module_utils.HostInfo.Entry]",
        "[System.Diagnostics.Process]",
    ),
    "other method": ("]::Run(", "]::Start("),
    "other argument": ("Run($module.Params)", "Run($args)"),
    "C# not asked for": ("module_utils.HostInfo\n", "module_utils.Core\n"),
    "util of somebody else": (
        "-CSharpUtil Ansible.Basic\n",
        "-CSharpUtil Ansible.Basic\n#AnsibleRequires -CSharpUtil Ansible.Process\n",
    ),
    "PowerShell util": ("# A remark.", "#AnsibleRequires -PowerShell Ansible.ModuleUtils.AddType"),
    "requires statement": ("# A remark.", "#Requires -Modules ActiveDirectory"),
    "no Basic": ("#AnsibleRequires -CSharpUtil Ansible.Basic\n", ""),
    "block comment": ("# A remark.", "<# A remark. #>"),
    "no mark": ("#!powershell\n", ""),
    "not ASCII": ("# A remark.", "# Açıklama."),
    "syntax error": ("supports_check_mode = $true\n}", "supports_check_mode = $true\n"),
    "second result": (
        "$module.ExitJson()",
        "$module.Result.observation = 1\n$module.ExitJson()",
    ),
    "nothing after the spec": (GOOD[GOOD.index("$module = ") :], ""),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refuses_more_than_a_shim(case: str) -> None:
    old, new = REFUSED[case]
    changed = GOOD.replace(old, new, 1)
    assert changed != GOOD
    with pytest.raises(shims.ShapeError):
        shims.read(changed.encode())


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("default = 443", "default = 444", "port: default is 444 on Windows, 443 on POSIX"),
        ("default = 443", "default = $null", "port: default is None on Windows, 443 on POSIX"),
        ("default = 2.5", "default = $true", "timeout: default is True on Windows, 2.5 on POSIX"),
        ('type = "int"', 'type = "str"', "port: type is 'str' on Windows, 'int' on POSIX"),
        (
            'elements = "str"; choices',
            'elements = "int"; choices',
            "kinds: elements is 'int' on Windows, 'str' on POSIX",
        ),
        ("required = $true", "required = $false", "kinds: required is False on Windows, True on POSIX"),
        ("\"ntp\", 'https'", '"ntp"', "kinds: choices is ['ntp'] on Windows, ['ntp', 'https'] on POSIX"),
        ("port = @{", "Port = @{", "Port: only on Windows"),
        ("supports_check_mode = $true", "", "module: supports_check_mode is False on Windows, True on POSIX"),
    ],
)
def test_tells_every_difference(old: str, new: str, said: str) -> None:
    posix = shims.read(GOOD.encode()).spec
    windows = shims.read(GOOD.replace(old, new, 1).encode()).spec
    assert said in shims.differences(windows, posix)
    assert shims.differences(posix, posix) == []


def test_differences_reach_nested_options() -> None:
    def spec(default: int) -> dict[str, Any]:
        return {"options": {"a": {"type": "list", "elements": "dict", "options": {"b": {"default": default}}}}}

    assert shims.differences(spec(1), spec(2)) == ["a.b: default is 1 on Windows, 2 on POSIX"]


def test_stand_in_for_sanity_prints_the_spec(tmp_path: Path) -> None:
    """scripts/pwsh_argspec.py answers ansible-test where no PowerShell is."""
    module = tmp_path / "x.ps1"
    module.write_text(GOOD, encoding="ascii")
    command = [sys.executable, str(ROOT / "scripts" / "pwsh_argspec.py"), "ps_argspec.ps1"]
    done = subprocess.run(
        [*command, json.dumps({"module_path": str(module)})], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == shims.read(GOOD.encode()).spec
    other = subprocess.run([sys.executable, command[1], "-Command", "1"], capture_output=True, text=True, check=False)
    assert other.returncode != 0
