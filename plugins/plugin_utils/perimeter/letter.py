# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A page for the person who runs the firewall, in Turkish and in English: self-contained HTML, made to be printed.
Pure."""

from __future__ import annotations

import dataclasses
import html
import re
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils import messages
from ansible_collections.edefter.ready.plugins.plugin_utils.perimeter.model import Export, Options, Target
from ansible_collections.edefter.ready.plugins.plugin_utils.perimeter.observed import Observed

_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
_STYLE = """
@page { size: A4; margin: 14mm 16mm }
* { box-sizing: border-box }
body { font: 10.5pt/1.38 "Segoe UI", "Liberation Sans", Arial, sans-serif; color: #1b1b1b; max-width: 178mm;
  margin: 8mm auto; padding: 0 4mm }
h1 { font-size: 15pt; margin: 0 0 1mm }
h2 { font-size: 11pt; margin: 4mm 0 1mm }
p, ul { margin: 1.2mm 0 }
ul { padding-left: 5mm }
table { border-collapse: collapse; width: 100%; margin: 1.5mm 0; font-size: 9.5pt }
caption { text-align: left; font-size: 9pt; color: #555; padding-bottom: .5mm }
th, td { border: .3mm solid #999; padding: .8mm 1.6mm; text-align: left; vertical-align: top; overflow-wrap: anywhere }
th { background: #eef1f5; font-weight: 600 }
code { font-family: Consolas, "Liberation Mono", monospace; font-size: 9.2pt; overflow-wrap: anywhere }
th { white-space: nowrap }
.meta { color: #555; margin: 0 0 2mm }
@media (prefers-color-scheme: dark) {
  body { background: #16181c; color: #e6e6e6 } th { background: #262b33 } .meta, caption { color: #aaa }
}
@media print { body { margin: 0; padding: 0; max-width: none; background: #fff; color: #000 }
  th { background: #eef1f5 } .meta, caption { color: #444 } h2, tr { break-inside: avoid } }
"""


@dataclasses.dataclass(frozen=True)
class About:
    """What the letter says of its occasion. date: as it is to be printed."""

    firm: str = ""
    sender: str = ""
    date: str = ""


def render(
    wanted: tuple[Target, ...], options: Options, seen: Observed | None = None, about: About | None = None
) -> Export:
    """One file a language."""
    files = tuple(
        (f"{options.prefix}-letter-{language}.html", _page(language, wanted, seen or Observed(), about or About()))
        for language in messages.LANGUAGES
    )
    return Export("letter", files)


def _page(language: str, wanted: tuple[Target, ...], seen: Observed, about: About) -> str:
    def say(key: str, **params: str) -> str:
        """A sentence of the catalogue; parameters are escaped, the catalogue's own few tags are not."""
        safe = {name: html.escape(value) for name, value in params.items()}
        return messages.render(f"perimeter.letter_{key}", "title", safe)[language]

    meta = " · ".join(
        html.escape(text) for text in (about.date, about.firm or ", ".join(seen.firms), about.sender) if text
    )
    probe = next((target for target in wanted if 4443 in target.ports), wanted[0] if wanted else None)
    rows = "".join(_row(language, target) for target in wanted)
    checks = ""
    if probe is not None:
        command = f"Test-NetConnection {probe.hosts[0]} -Port {probe.ports[-1]}"
        checks = f"<p>{say('check')} <code>{html.escape(command)}</code></p>"
    head = "".join(f'<th scope="col">{say(f"col_{name}")}</th>' for name in ("name", "ports", "purpose"))
    return (
        f'<!DOCTYPE html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{say('title')}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{say('title')}</h1>\n"
        f'<p class="meta">{meta}</p>\n'
        f"<p>{say('intro')}</p>\n"
        f"<table><thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table>\n"
        f"<h2>{say('please')}</h2>\n<ul>"
        + "".join(f"<li>{say(key)}</li>" for key in ("direction", "names", "inspection", "proxy", "addresses"))
        + f"</ul>\n<h2>{say('seen')}</h2>\n{_seen(language, seen, say)}\n{checks}\n"
        f"<p>{say('close')}</p>\n</main>\n</body>\n</html>\n"
    )


def _row(language: str, target: Target) -> str:
    purpose = target.purpose_tr if language == "tr" else target.purpose_en
    ports = f"{target.protocol.upper()} {', '.join(map(str, target.ports))}"
    name = html.escape(target.pattern)
    if target.wildcard:
        name += f" ({', '.join(map(html.escape, target.hosts))})"
    return f"<tr><td><code>{name}</code></td><td>{ports}</td><td>{html.escape(purpose)}</td></tr>\n"


def _minute(utc: str) -> str:
    """`2026-11-25T07:15:00.000Z` as `2026-11-25 07:15`; anything else as it is."""
    return f"{utc[:10]} {utc[11:16]}" if _UTC.match(utc) else utc


def _seen(language: str, seen: Observed, say: t.Callable[..., str]) -> str:
    if not seen.hosts:
        return f"<p>{say('nothing_observed')}</p>"
    first, last = _minute(seen.first_utc), _minute(seen.last_utc)
    when = first if first == last else f"{first} – {last}"
    text = f"<p>{say('summary', hosts=str(seen.hosts), clean=str(seen.clean), when=when)}</p>"
    if not seen.troubles:
        return text + f"<p>{say('no_trouble')}</p>"
    head = "".join(f'<th scope="col">{say(f"col_{name}")}</th>' for name in ("connection", "result", "hosts"))
    rows = ""
    for trouble in seen.troubles:
        title = trouble.title_tr if language == "tr" else trouble.title_en
        hosts = ", ".join(trouble.hosts[:6]) + (f" (+{len(trouble.hosts) - 6})" if len(trouble.hosts) > 6 else "")
        cells = (trouble.subject, title, f"{hosts} – {_minute(trouble.first_utc)}")
        rows += "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>\n"
    return f"{text}<table><thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table>"
