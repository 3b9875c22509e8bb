# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The terminal summary: what a technician takes in within ten seconds.

Pure: lines of text, without colours; the caller prints them.
"""

from __future__ import annotations

import unicodedata

from ansible_collections.edefter.ready.plugins.plugin_utils import messages
from ansible_collections.edefter.ready.plugins.plugin_utils.model import Finding, Status
from ansible_collections.edefter.ready.plugins.plugin_utils.record import order
from ansible_collections.edefter.ready.plugins.plugin_utils.report.digest import Digest, FirmDigest, HostLine

MARKS = {
    "ready": "[+]",
    "fixed": "[+]",
    "drifted": "[~]",
    "blocked": "[x]",
    "unknown": "[?]",
    "unreachable": "[!]",
    "pending": "[-]",
}
MAX_HOSTS = 40
# Of one firm, about its branches and its clocks.
MAX_FINDINGS = 8


def _say(cause: str, language: str, **params: object) -> str:
    return messages.render(cause, "title", {key: str(value) for key, value in params.items()})[language]


def _safe(text: str) -> str:
    """One line, without terminal escapes: a host chose some of these characters."""
    return "".join(" " if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp") else c for c in text)


def _line(line: HostLine, language: str, width: int) -> str:
    message = line.message.get(language) or _say(f"state.{line.state}", language)
    return f"  {MARKS[line.state]} {_safe(line.host):<{width}}  {_safe(message)}"


def _together(firm: FirmDigest) -> list[Finding]:
    """What is said of the firm's branches and of its clocks, without what is fine."""
    branches = [finding for finding in firm.branches if finding.status in (Status.FAIL, Status.WARN)]
    return order([*branches, *firm.clocks_differ])[:MAX_FINDINGS]


def _finding(finding: Finding, language: str) -> str:
    mark = MARKS["blocked" if finding.status is Status.FAIL else "drifted"]
    return f"  {mark} {_safe(messages.render(finding.cause, 'title', finding.params)[language])}"


def summary(digest: Digest, language: str, report: str | None = None, limit: int = MAX_HOSTS) -> list[str]:
    """The lines: headline, firms, in each the hosts that are not ready or were repaired, where the report is."""
    if not digest.total:
        return [_say("summary.no_hosts", language)]
    missing = digest.total - digest.ready
    headline = "summary.headline_not_ready" if missing else "summary.headline_ready"
    lines = [_say(headline, language, ready=digest.ready, total=digest.total, missing=missing)]
    shown = 0
    for firm in digest.firms:
        cause = "summary.firm_ready" if firm.all_ready else "summary.firm_not_ready"
        name = _safe(firm.firm) or _say("summary.no_firm", language)
        lines.append(_say(cause, language, firm=name, ready=firm.ready, total=len(firm.hosts)))
        lines += [_finding(finding, language) for finding in _together(firm)]
        listed = [line for line in firm.hosts if line.state != "ready"]
        width = max((len(line.host) for line in listed), default=0)
        for line in listed:
            if shown == limit:
                break
            lines.append(_line(line, language, min(width, 40)))
            shown += 1
    left_out = sum(line.state != "ready" for firm in digest.firms for line in firm.hosts) - shown
    if left_out:
        lines.append(f"  … +{left_out}")
    if report:
        lines.append(_say("summary.report_at", language, path=report))
    return lines
