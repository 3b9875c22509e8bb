# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The go / no-go letter for a firm: self-contained HTML, made to be printed, in one language.

Pure. Every text of a list, a directory or a host is escaped.
"""

from __future__ import annotations

import html
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils import messages
from ansible_collections.edefter.ready.plugins.plugin_utils.onboard.firm import Firm, Host

_STYLE = """
@page { size: A4; margin: 14mm 16mm }
* { box-sizing: border-box }
:root { color-scheme: light dark }
body { font: 10.5pt/1.4 "Segoe UI", "Liberation Sans", Arial, sans-serif; color: #1b1b1b; background: #fff;
  max-width: 178mm; margin: 8mm auto; padding: 0 4mm }
h1 { font-size: 15pt; margin: 0 0 1mm }
h2 { font-size: 11.5pt; margin: 5mm 0 1mm }
p { margin: 1.5mm 0 }
.meta { color: #555 }
.verdict { font-size: 15pt; font-weight: 600; padding: 2.5mm 4mm; border-left: 2.5mm solid; margin: 3mm 0 }
.go { border-color: #1a7f37 } .stop { border-color: #b42318 }
table { border-collapse: collapse; width: 100%; margin: 1.5mm 0; font-size: 9.5pt }
th, td { border: .3mm solid #999; padding: 1mm 1.8mm; text-align: left; vertical-align: top;
  overflow-wrap: break-word }
td:nth-child(3), td:nth-child(4) { overflow-wrap: anywhere }
th { background: #eef1f5; font-weight: 600 }
ul { padding-left: 5mm; margin: 1.5mm 0 }
@media (prefers-color-scheme: dark) {
  body { background: #16181c; color: #e6e6e6 } th { background: #262b33 } .meta { color: #b5b5b5 } }
@media print { body { margin: 0; padding: 0; max-width: none; background: #fff; color: #000 }
  th { background: #eef1f5; color: #000 } .meta { color: #444 } tr { break-inside: avoid } }
"""


def render(firm: Firm, language: str, date: str = "", sender: str = "") -> str:
    """The page. date: as it is to be printed."""

    def say(key: str, **params: str) -> str:
        safe = {name: html.escape(value) for name, value in params.items()}
        return messages.render(f"onboard.{key}", "title", safe)[language]

    meta = " · ".join(html.escape(text) for text in (date, firm.name, sender) if text)
    word = "go" if firm.go else "no_go"
    params = {"total": str(len(firm.hosts)), "bad": str(len(firm.waiting))}
    parts = [
        (
            f'<!DOCTYPE html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>{say('letter_title')}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
            f'<h1>{say("letter_title")}</h1>\n<p class="meta">{meta}</p>\n'
            f'<p class="verdict {"go" if firm.go else "stop"}">{say(word)}</p>\n'
            f"<p>{say(f'{word}_reason', **params)}</p>\n"
        )
    ]
    if firm.waiting:
        heads = "".join(
            f'<th scope="col">{say(f"col_{column}")}</th>' for column in ("host", "stage", "cause", "remedy", "owner")
        )
        rows = "".join(_row(host, language, say) for host in firm.waiting)
        parts.append(
            f"<h2>{say('waiting')}</h2>\n<table><thead><tr>{heads}</tr></thead>\n<tbody>{rows}</tbody></table>\n"
        )
    fine = [host for host in firm.hosts if host.go]
    if fine:
        items = "".join(
            f"<li>{html.escape(host.name)}: "
            f"{say('repairs', count=str(host.steps)) if host.steps else say('ready')}</li>\n"
            for host in fine
        )
        parts.append(f"<h2>{say('fine')}</h2>\n<ul>\n{items}</ul>\n")
    parts.append(f'<p class="meta">{say("attached")}</p>\n</main>\n</body>\n</html>\n')
    return "".join(parts)


def _row(host: Host, language: str, say: t.Callable[..., str]) -> str:
    first = host.first
    cause = first["title"][language] if first else host.message.get(language, "")
    remedy = first["remedy"][language] if first else ""
    owner = messages.render(f"owner.{first['owner']}", "title", {})[language] if first else ""
    cells = (host.name, messages.render(f"onboard.stage_{host.stage}", "title", {})[language], cause, remedy, owner)
    return "<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in cells) + "</tr>\n"
