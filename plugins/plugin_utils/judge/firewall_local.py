# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host's own outbound firewall does with a connection: the local verdict, with the rule or setting that decides.

Pure. The diagnosis of a failed probe needs it as much as the findings about the firewall (firewall.py) do.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils import catalog, shape
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.firewall import Firewall
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted.firewall import FirewallContext
from ansible_collections.edefter.ready.plugins.plugin_utils.winfw import match
from ansible_collections.edefter.ready.plugins.plugin_utils.winfw.evaluate import Outcome, RuleBook, Verdict
from ansible_collections.edefter.ready.plugins.plugin_utils.winfw.match import Query

_TEXT = 200


def clip(text: str) -> str:
    """A name or a setting from the registry as a report can show it: bounded, and printable."""
    return shape.line(text, _TEXT)


@dataclasses.dataclass(frozen=True)
class LocalVerdict:
    """What this host's own firewall does with the connection to one endpoint.

    verdict: `allowed`, `blocked`, `conditional`, `unknown`. rule: name of the rule that decides, "" when it is a
    default action.
    store: where that rule or setting is from (`local`, `gpo`, `mdm`, `default`, …). profile: under which profile.
    reason: of winfw.evaluate.Verdict, or `service_stopped`. otherwise: with conditional, the outcome when the
    conditions do not hold.
    """

    endpoint_id: str
    verdict: str
    rule: str = ""
    store: str = ""
    profile: str = ""
    reason: str = ""
    rule_id: str = ""
    conditions: tuple[str, ...] = ()
    otherwise: str = ""


@dataclasses.dataclass(frozen=True)
class Judged:
    """A local verdict with the evaluator's own that it stands for."""

    local: LocalVerdict
    verdict: Verdict | None


def local_verdicts(
    firewall: Firewall,
    endpoints: t.Iterable[catalog.Endpoint],
    addresses: t.Mapping[str, tuple[str, ...]] | None = None,
    subject: match.Subject = match.PROBE,
) -> tuple[LocalVerdict, ...]:
    """One verdict an endpoint, over the active profiles and all known addresses of its host.

    subject: who connects; the default is our own prober, as it is its failure that is to be explained.
    """
    context = FirewallContext(tuple(endpoints), (), addresses or {})
    book = firewall.book()
    return tuple(judge_endpoint(firewall, book, e, context, subject).local for e in context.endpoints)


def judge_endpoint(
    firewall: Firewall,
    book: RuleBook,
    endpoint: catalog.Endpoint,
    context: FirewallContext,
    subject: match.Subject,
) -> Judged:
    """The verdict on one endpoint, over all known addresses of its host."""
    queries = [Query(endpoint.port, a, subject=subject) for a in context.of(endpoint.host) or (None,)]
    return judge_queries(firewall, book, endpoint.id, queries)


def judge_queries(firewall: Firewall, book: RuleBook, subject_id: str, queries: t.Sequence[Query]) -> Judged:
    """The worst verdict over some connections and all profiles that are judged. subject_id: what it is about."""
    if firewall.mpssvc.state in ("stopped", "absent") or firewall.bfe.state in ("stopped", "absent"):
        # What the filters do without their service, no document promises.
        return Judged(LocalVerdict(subject_id, str(Outcome.UNKNOWN), reason="service_stopped"), None)
    verdicts = [verdict for query in queries for verdict in book.evaluate_all(query, firewall.judged)]
    verdict = _together(verdicts)
    rule = verdict.rule
    settings = book.effective[verdict.profile]
    store = settings.outbound.source
    if rule is not None:
        store = rule.store
    elif verdict.reason == "off":
        store = settings.enable.source
    return Judged(
        LocalVerdict(
            endpoint_id=subject_id,
            verdict=str(verdict.outcome),
            rule=clip(rule.name or rule.id) if rule else "",
            store=store,
            profile=verdict.profile,
            reason=verdict.reason,
            rule_id=clip(rule.id) if rule else "",
            conditions=tuple(clip(f"{c.key}={c.value}") for c in verdict.conditions),
            otherwise=str(verdict.otherwise) if verdict.otherwise else "",
        ),
        verdict,
    )


def _together(verdicts: t.Sequence[Verdict]) -> Verdict:
    """Over profiles and addresses: the worst is shown. What is blocked here and open there depends on which it is."""
    by = {outcome: [v for v in verdicts if v.outcome is outcome] for outcome in Outcome}
    blocked = by[Outcome.BLOCKED]
    if blocked and len(blocked) < len(verdicts):
        return dataclasses.replace(blocked[0], outcome=Outcome.CONDITIONAL, otherwise=Outcome.ALLOWED)
    order = (Outcome.BLOCKED, Outcome.UNKNOWN, Outcome.CONDITIONAL, Outcome.ALLOWED)
    return next(by[outcome][0] for outcome in order if by[outcome])
