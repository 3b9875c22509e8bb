# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sheet for whoever does by hand what Ansible would do: one page a machine, made to be printed.

Pure. Self-contained HTML; every text of a host is escaped.
"""

from __future__ import annotations

import dataclasses
import html
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils import messages
from ansible_collections.edefter.ready.plugins.plugin_utils.plan.instructions import Instruction

_STYLE = """
@page { size: A4; margin: 14mm 16mm }
* { box-sizing: border-box }
:root { color-scheme: light dark }
body { font: 10.5pt/1.4 "Segoe UI", "Liberation Sans", Arial, sans-serif; color: #1b1b1b; background: #fff;
  max-width: 178mm; margin: 8mm auto; padding: 0 4mm }
h1 { font-size: 15pt; margin: 0 0 2mm }
h2 { font-size: 12.5pt; margin: 8mm 0 1mm; border-bottom: .4mm solid #999; overflow-wrap: anywhere }
h3 { font-size: 10.5pt; margin: 3mm 0 1mm }
ol, ul { padding-left: 6mm; margin: 1.5mm 0 }
li { margin: 0 0 2.5mm; overflow-wrap: anywhere }
pre { margin: 1mm 0 0; padding: 1.5mm 2mm; background: #eef1f5; white-space: pre-wrap; overflow-wrap: anywhere;
  font: 9pt/1.35 Consolas, "Liberation Mono", monospace }
.where, .meta { color: #444 }
@media (prefers-color-scheme: dark) {
  body { background: #16181c; color: #e6e6e6 } pre { background: #262b33 } .where, .meta { color: #b5b5b5 } }
@media print { body { margin: 0; padding: 0; max-width: none; background: #fff; color: #000 }
  pre { background: #eef1f5; color: #000 } .where, .meta { color: #333 }
  section + section { break-before: page } li { break-inside: avoid } }
"""


@dataclasses.dataclass(frozen=True)
class Other:
    """What somebody else has to do: a finding's title, its remedy and who, in every language."""

    title: t.Mapping[str, str]
    remedy: t.Mapping[str, str]
    owner: t.Mapping[str, str]


@dataclasses.dataclass(frozen=True)
class Sheet:
    """One machine's part."""

    host: str
    firm: str
    message: t.Mapping[str, str]
    steps: tuple[Instruction, ...]
    others: tuple[Other, ...] = ()


def others(findings: t.Iterable[t.Mapping[str, t.Any]]) -> tuple[Other, ...]:
    """From a record's findings: what fails or is not known, and no step of the plan repairs."""
    return tuple(
        Other(
            finding["title"],
            finding["remedy"],
            messages.render(f"owner.{finding['owner']}", "title", {}),
        )
        for finding in findings
        if finding["status"] in ("fail", "unknown") and not finding["steps"]
    )


def render(sheets: t.Iterable[Sheet], language: str) -> str:
    """The page in one language."""

    def say(cause: str) -> str:
        return html.escape(messages.render(f"instruction.{cause}", "title", {})[language])

    body = "".join(_section(sheet, language, say) for sheet in sheets)
    return (
        f'<!DOCTYPE html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{say('sheet')}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{say('sheet')}</h1>\n"
        f"<p>{say('shell')}</p>\n<p>{say('again')}</p>\n{body}</main>\n</body>\n</html>\n"
    )


def _section(sheet: Sheet, language: str, say: t.Callable[[str], str]) -> str:
    head = html.escape(f"{sheet.host} · {sheet.firm}" if sheet.firm else sheet.host)
    made = [f"<section>\n<h2>{head}</h2>\n<p>{html.escape(sheet.message.get(language, ''))}</p>\n"]
    if sheet.steps:
        made.append(f"<h3>{say('here')}</h3>\n<ol>\n{''.join(_step(step, language) for step in sheet.steps)}</ol>\n")
    else:
        made.append(f'<p class="meta">{say("nothing")}</p>\n')
    if sheet.others:
        rows = "".join(
            f"<li><strong>{html.escape(other.owner[language])}</strong>: {html.escape(other.title[language])}"
            f'<div class="where">{html.escape(other.remedy[language])}</div></li>\n'
            for other in sheet.others
        )
        made.append(f"<h3>{say('others')}</h3>\n<ul>\n{rows}</ul>\n")
    return "".join(made) + "</section>\n"


def _step(step: Instruction, language: str) -> str:
    commands = html.escape("\n".join(step.commands))
    return (
        f'<li>{html.escape(step.title[language])}<div class="where">{html.escape(step.where[language])}</div>'
        + (f"<pre>{commands}</pre>" if commands else "")
        + "</li>\n"
    )
