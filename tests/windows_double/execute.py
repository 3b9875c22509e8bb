# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a command line and its stdin to the output that a real host would give: decode, find the module, run it, log
it."""

from __future__ import annotations

import json
import re
import time
import traceback
from typing import Any

import shims

from windows_double import argspec, csharp, payload, stock
from windows_double.host import Host
from windows_double.log import EventLog
from windows_double.ours import PREFIX, OurModules
from windows_double.registry import RegistryError
from windows_double.server import Output
from windows_double.task import ModuleFailed, NotModelled, Task

HUGE = 50 * 1024 * 1024
_TEMPORARY = re.compile(
    r"^\s*(\$ErrorActionPreference|Set-StrictMode|Remove-Item|\$tmp_path|\[Console\])", re.MULTILINE
)


# What a Turkish Windows PowerShell writes in place of running the module: the words are translated, the ids are not.
_POWERSHELL_ERRORS = {
    "constrained": (
        "Yöntem çağrılamıyor. Yöntem çağırma bu dil modunda yalnızca çekirdek türlerde desteklenir.",
        "MethodInvocationNotSupportedInConstrainedLanguage",
    ),
    "blocked": (
        "Bu betik zararlı içerik içeriyor ve virüsten koruma yazılımınız tarafından engellendi.",
        "ScriptContainedMaliciousContent",
    ),
}


def _clixml(message: str, error_id: str) -> bytes:
    """An error record as PowerShell writes it to stderr for -EncodedCommand."""
    lines = (message, "    + CategoryInfo          : InvalidOperation: (:) [], RuntimeException",
             f"    + FullyQualifiedErrorId : {error_id}")  # fmt: skip
    parts = "".join(f'<S S="Error">{line}_x000D__x000A_</S>' for line in lines)
    head = '#< CLIXML\r\n<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">'
    return f"{head}{parts}</Objs>".encode()


class Executor:
    """Runs commands for all hosts of one double."""

    def __init__(self, log: EventLog) -> None:
        self.log = log
        self.ours = OurModules()

    def run(self, host: Host, line: str, stdin: bytes) -> Output:
        """Never raises: whatever is wrong becomes a failed module or a failed command, and an `error` in the log."""
        try:
            script = payload.decode_command(line)
            if script is None:
                return self._refused(host, f"the double runs no command lines: {line[:200]}")
            if not payload.is_bootstrap(script):
                return self._script(host, script)
            return self._module(host, stdin)
        except payload.PayloadError as error:
            return self._refused(host, f"payload: {error}")
        except Exception:
            return self._refused(host, f"the double broke: {traceback.format_exc()}")

    def close(self) -> None:
        """End what was started."""
        self.ours.close()

    def _refused(self, host: Host, message: str) -> Output:
        self.log.add("error", host.name, what="command", message=message)
        reply = json.dumps({"failed": True, "msg": f"windows_double: {message}"})
        return Output(reply.encode() + b"\r\n", message.encode(), 1)

    def _script(self, host: Host, script: str) -> Output:
        """ansible-core's own housekeeping without pipelining; anything else would need a PowerShell."""
        if "New-Item -Type Directory" in script and "ansible-tmp" in script:
            name = re.search(r"ansible-tmp-[\w.-]+", script)
            return Output(
                f"C:\\Users\\{host.user}\\AppData\\Local\\Temp\\{name[0] if name else 'ansible-tmp'}\r\n".encode()
            )
        if re.search(r"^\s*Remove-Item \S*ansible-tmp", script, re.MULTILINE):
            return Output()
        return self._refused(host, f"the double has no PowerShell: {script[:200]}")

    def _module(self, host: Host, stdin: bytes) -> Output:
        began = time.monotonic()
        call = payload.decode(stdin)
        replayed = False
        fault = self._fault(host, call)
        refused: str | None = None
        crashed: str | None = None
        try:
            if fault is not None:
                result: dict[str, Any] = {"changed": False}
            elif call.name.startswith(PREFIX):
                result, replayed = self.ours.run(host, call)
            else:
                result = self._stock(host, call)
        except ModuleFailed as error:
            result = {"changed": False, **error.extra, "failed": True, "msg": error.msg}
        except (argspec.SpecError, argspec.NoDocumentation, NotModelled, RegistryError, shims.ShapeError) as error:
            refused = f"{call.name}: {error}"
            result = {"changed": False, "failed": True, "msg": f"windows_double refuses {refused}"}
        except (csharp.CompileError, csharp.ModuleCrash, RuntimeError) as error:
            crashed = str(error)
            result = {
                "failed": True,
                "msg": f"Unhandled exception while executing module: {error}",
                "exception": crashed,
            }
        output = self._output(fault, result)
        if refused or crashed:
            self.log.add("error", host.name, what="refused" if refused else "crash", message=refused or crashed)
        self.log.add(
            "module",
            host.name,
            module=call.name,
            args=call.args,
            check=call.check_mode,
            diff=call.diff_mode,
            changed=bool(result.get("changed")),
            failed=bool(result.get("failed")),
            msg=result.get("msg"),
            fault=fault,
            replayed=replayed,
            core=call.core_version,
            bytes_up=len(stdin),
            bytes_down=len(output.stdout),
            ms=round((time.monotonic() - began) * 1000, 2),
        )
        return output

    @staticmethod
    def _stock(host: Host, call: payload.ModuleCall) -> dict[str, Any]:
        options = argspec.documented_options(call.script_path)
        double = stock.find(call.name)
        if double is None:
            raise NotModelled("unknown module: the double has none of this name")
        args = argspec.checked(options, call.args)
        if call.check_mode and not getattr(double, "CHECK_MODE", True):
            return {
                "changed": False,
                "skipped": True,
                "msg": f"remote module ({call.name}) does not support check mode",
            }
        task = Task(call.name, args, argspec.given_names(options, call.args), call.check_mode, call.diff_mode)
        with host.lock:
            result: dict[str, Any] = double.run(host, task)
        if double.BASIC:
            result.setdefault("invocation", {"module_args": args})
        if not call.diff_mode:
            result.pop("diff", None)
        return result

    @staticmethod
    def _fault(host: Host, call: payload.ModuleCall) -> str | None:
        if not host.reply_fault:
            return None
        modules = host.reply_fault.get("modules")
        if modules is None:
            return str(host.reply_fault["fault"]) if call.name.startswith(PREFIX) else None
        return str(host.reply_fault["fault"]) if call.name in modules else None

    @staticmethod
    def _output(fault: str | None, result: dict[str, Any]) -> Output:
        if fault is None:
            return Output(
                json.dumps(result, ensure_ascii=False).encode() + b"\r\n", b"", 1 if result.get("failed") else 0
            )
        if fault == "not_json":
            return Output(b"Access is denied.\r\n\x00\xff\xfe this is no JSON {\r\n")
        if fault == "html":
            return Output(b"<html><script>alert(1)</script><body>blocked</body></html>\r\n")
        if fault == "empty":
            return Output(b"", b"", 0)
        if fault == "crash":
            return Output(b"", b"#< CLIXML\r\nOutOfMemoryException", 1)
        if fault == "powershell_old":
            # Word for word what ansible-core's bootstrap_wrapper.ps1 prints.
            return Output(b'{"failed":true,"msg":"Ansible requires PowerShell v5.1"}\r\n', b"", 1)
        if fault in _POWERSHELL_ERRORS:
            return Output(b"", _clixml(*_POWERSHELL_ERRORS[fault]), 1)
        if fault == "wrong_types":
            odd = {
                "schema": "one",
                "collector": [],
                "started_utc": 7,
                "sections": {"clock": {"status": "ok", "data": [1, 2]}, "time": 3},
            }
            return Output(json.dumps({"changed": "maybe", "observation": odd}).encode() + b"\r\n")
        filler = b"A" * HUGE
        return Output(b'{"changed": false, "observation": {"schema": 1, "filler": "' + filler + b'"}}\r\n')
