# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a log-on failed, from what the connection plugins of ansible-core leave of the error.

Pure. Codes first: HTTP status and WSMan fault stand in the text as numbers (pywinrm 0.5, `exceptions.py`), and what
was seen before logging on (ways offered, clock) is known for sure. Words come last, and only such as programs print
in one language: MIT Kerberos' own table of errors, ansible-core's and pywinrm's literals. What Windows says is
translated there, so it is never matched; PowerShell's error ids are not.
"""

from __future__ import annotations

import re

from ansible_collections.edefter.ready.plugins.plugin_utils.onboard.stages import (
    KERBEROS_SKEW,
    Attempt,
    Connection,
    Looked,
)

Params = dict[str, str]
Cause = tuple[str, str, Params]
"""Stage, key of the message, its params."""

# Windows: ERROR_ACCESS_DENIED. The account was known, but may not use WinRM.
_ACCESS_DENIED = 5
_FAULT = re.compile(r"'wsmanfault_code': '?(\d{1,10})")
_STATUS = re.compile(r"\bCode (\d{3})\b")
# The order counts: the more telling first.
_WORDS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), cause)
    for pattern, cause in (
        # MIT Kerberos, krb5_err.et and k5e1_err.et; kinit adds "Password incorrect".
        (r"Clock skew too great", "onboard.clock_skew"),
        (
            r"Server .{0,200}not found in Kerberos database|Server not found in Kerberos database",
            "onboard.kerberos_spn",
        ),
        (r"Client .{0,200}not found in Kerberos database|Client not found in Kerberos database", "onboard.rejected"),
        (r"Preauthentication failed|Password incorrect", "onboard.rejected"),
        (r"Password has expired", "onboard.password_expired"),
        (r"Client's credentials have been revoked", "onboard.account_locked"),
        (r"Cannot find KDC for|Cannot contact any KDC|Cannot resolve network address for KDC", "onboard.kerberos_kdc"),
        # ansible-core's winrm plugin and pywinrm's transport.py.
        (r"kerberos library is not installed|pykerberos is not installed", "onboard.library_missing"),
        (r"is not installed|dependencies are not installed", "onboard.library_missing"),
        (r"auth failure when calling kinit cmd", "onboard.library_missing"),
        (r"the specified credentials were rejected by the server", "onboard.rejected"),
        (r"failed to authenticate with the server", "onboard.rejected"),
        (r"auth method \w{1,20} requires a (username|password)", "onboard.no_credentials"),
        (r"the connection attempt timed out|[Rr]ead timed out|Operation\s+?timed\s+?out", "onboard.timed_out"),
        # xml.etree, where the answer is no XML. Where it is XML without a shell's id, pywinrm's open_shell raises a
        # StopIteration, which has no words at all.
        (r"not well-formed|syntax error: line|mismatched tag|no element found|^\w{3,12}:\s*$", "onboard.not_wsman"),
    )
)
# .NET's and PowerShell's ids: the same in every language of Windows.
_CONSTRAINED = re.compile(r"[A-Za-z]*ConstrainedLanguage")
_BLOCKED = re.compile(r"ScriptContainedMaliciousContent")
_POLICY = re.compile(r"PSSecurityException")
# ansible-core's bootstrap_wrapper.ps1, word for word.
_OLD = re.compile(r"Ansible requires PowerShell v5\.1|requires a minimum PowerShell version")


def of(attempt: Attempt, connection: Connection, looked: Looked) -> Cause | None:
    """Why the attempt failed; None when it did not."""
    if attempt.outcome == "ok":
        return None
    if attempt.outcome == "module":
        return "shell", *_module(attempt)
    return "auth", *_connection(attempt, connection, looked)


def _module(attempt: Attempt) -> tuple[str, Params]:
    text = f"{attempt.text}\n{attempt.output}"
    for pattern, cause in (
        (_OLD, "onboard.powershell_old"),
        (_CONSTRAINED, "onboard.constrained"),
        (_BLOCKED, "onboard.antivirus"),
        (_POLICY, "onboard.execution_policy"),
    ):
        found = pattern.search(text)
        if found is not None:
            return cause, {"id": found[0]}
    return "onboard.module_failed", {"error": _line(attempt)}


def _connection(attempt: Attempt, connection: Connection, looked: Looked) -> tuple[str, Params]:
    fault = _FAULT.search(attempt.text)
    if fault is not None:
        if int(fault[1]) == _ACCESS_DENIED:
            return f"onboard.access_denied_{_whose(connection)}", {"user": connection.user}
        return "onboard.wsman_fault", {"code": fault[1], "error": _line(attempt)}
    words = next((cause for pattern, cause in _WORDS if pattern.search(attempt.text)), None)
    if words in ("onboard.rejected", "onboard.clock_skew", "onboard.kerberos_spn"):
        return _rejected(words, connection, looked)
    if words is not None:
        return words, {"error": _line(attempt)}
    status = _STATUS.search(attempt.text)
    if status is not None:
        return "onboard.server_error", {"status": status[1]}
    if connection.auth == "kerberos" and connection.literal:
        return "onboard.kerberos_name", {"address": connection.address}
    return "onboard.connection_failed", {"error": _line(attempt)}


def _rejected(words: str, connection: Connection, looked: Looked) -> tuple[str, Params]:
    """Who was turned away, and why so: what was measured outweighs what was said."""
    skew = looked.skew
    if words == "onboard.clock_skew" or (
        connection.auth in ("kerberos", "negotiate") and skew is not None and abs(skew) > KERBEROS_SKEW
    ):
        return "onboard.clock_skew", {"skew": "?" if skew is None else f"{skew:+.0f}"}
    if connection.auth == "kerberos" and connection.local_account:
        return "onboard.kerberos_local", {"user": connection.user}
    if words == "onboard.kerberos_spn":
        key = "onboard.kerberos_name" if connection.literal else "onboard.kerberos_spn"
        return key, {"address": connection.address}
    return f"onboard.rejected_{_whose(connection)}", {"user": connection.user or "-"}


def _whose(connection: Connection) -> str:
    return "local" if connection.local_account else "domain"


def _line(attempt: Attempt) -> str:
    """One bounded line for the evidence."""
    return " ".join((attempt.text or attempt.output or "-").split())[:300]
