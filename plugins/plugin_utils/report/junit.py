# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as JUnit XML, for CI servers: a suite for every host, a case for every check.

Pure. fail → failure; unknown that leaves open whether the firm can file, and a host that was not observed → error;
other unknowns → skipped; warn → passed, with the warning as output.
"""

from __future__ import annotations

import re
import typing as t
from xml.sax.saxutils import escape, quoteattr

from ansible_collections.edefter.ready.plugins.plugin_utils import messages
from ansible_collections.edefter.ready.plugins.plugin_utils.model import Status
from ansible_collections.edefter.ready.plugins.plugin_utils.report.digest import HostLine, current

Json = t.Mapping[str, t.Any]

HEADER = '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="edefter.ready">\n'
FOOTER = "</testsuites>\n"
# What XML 1.0 cannot hold, not even as a character reference.
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _attribute(value: object) -> str:
    return quoteattr(_ILLEGAL.sub("\ufffd", str(value)))


def _text(value: object) -> str:
    return escape(_ILLEGAL.sub("\ufffd", str(value)))


def _outcome(finding: Json, language: str) -> tuple[str, str]:
    """Kind of outcome (`failures`, `errors`, `skipped` or ""), and the case's inner XML."""
    title, remedy = finding["title"][language], finding["remedy"][language]
    told = [remedy, f"observed: {finding['observed']}", f"expected: {finding['expected']}"]
    told += [f"{item['key']}: {item['value']}" for item in finding["evidence"]]
    body = "\n".join(filter(None, told))
    if finding["status"] == Status.FAIL:
        kind = _attribute(finding["cause"])
        return "failures", f"<failure message={_attribute(title)} type={kind}>{_text(body)}</failure>"
    if finding["status"] == Status.UNKNOWN:
        if finding["blocks_filing"]:
            kind = _attribute(finding["cause"])
            return "errors", f"<error message={_attribute(title)} type={kind}>{_text(body)}</error>"
        return "skipped", f"<skipped message={_attribute(title)}/>"
    if finding["status"] == Status.WARN:
        return "", f"<system-out>{_text(title)}\n{_text(body)}</system-out>"
    return "", ""


def suite(record: Json, host: HostLine, language: str) -> str:
    """One host."""
    part = current(record)
    where = ".".join(filter(None, (host.firm, host.branch, host.host)))
    counts = {"failures": 0, "errors": 0, "skipped": 0}
    cases = []
    for finding in part.get("findings") or ():
        kind, inner = _outcome(finding, language)
        if kind:
            counts[kind] += 1
        name = f"<testcase classname={_attribute(where)} name={_attribute(finding['id'])}"
        cases.append(f"{name}>{inner}</testcase>\n" if inner else f"{name}/>\n")
    if host.ready and not cases:
        # A record whose findings were left out on its way here (an AWX artifact).
        cases.append(f'<testcase classname={_attribute(where)} name="observation"/>\n')
    elif host.state in ("unreachable", "pending") or not cases:
        counts["errors"] += 1
        said = host.message.get(language) or messages.render(f"state.{host.state}", "title", {})[language]
        why = (record.get("error") or {}).get("message", "")
        cases.append(
            f'<testcase classname={_attribute(where)} name="observation"><error message={_attribute(said)} '
            f"type={_attribute(f'state.{host.state}')}>{_text(why)}</error></testcase>\n"
        )
    numbers = "".join(f' {name}="{count}"' for name, count in counts.items())
    seconds = (part.get("elapsed_ms") or 0.0) / 1000
    stamp = part.get("observed_utc") or ""
    # JUnit's time has no zone.
    started = f" timestamp={_attribute(stamp[:19])}" if stamp else ""
    return (
        f'<testsuite name={_attribute(where)} tests="{len(cases)}"{numbers} time="{seconds:.3f}"{started} '
        f"hostname={_attribute(host.host)}>\n{''.join(cases)}</testsuite>\n"
    )
