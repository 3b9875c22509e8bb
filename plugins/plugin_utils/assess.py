# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Observation in, record out: parses every section behind a guard, asks the judges in their order, and plans.

Pure. The order is the order of causes: a wrong clock explains certificates, a local firewall explains connections, and
the diagnosis of endpoints is told both.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils import catalog, facts, hostkind, record
from ansible_collections.edefter.ready.plugins.plugin_utils.clock import verdict as clock_verdict
from ansible_collections.edefter.ready.plugins.plugin_utils.judge.clock import judge_clock
from ansible_collections.edefter.ready.plugins.plugin_utils.judge.endpoint import Situation, judge_endpoints
from ansible_collections.edefter.ready.plugins.plugin_utils.judge.firewall import judge_firewall
from ansible_collections.edefter.ready.plugins.plugin_utils.judge.firewall_local import local_verdicts
from ansible_collections.edefter.ready.plugins.plugin_utils.judge.host import judge_host
from ansible_collections.edefter.ready.plugins.plugin_utils.judge.time import judge_time
from ansible_collections.edefter.ready.plugins.plugin_utils.model import (
    Area,
    Evidence,
    Finding,
    Owner,
    ShapeError,
    Status,
    Step,
)
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.clock import ClockObservation, parse_clock
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.endpoint_model import Endpoints
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.endpoints import parse_endpoints
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.envelope import Observation, parse_observation
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.firewall import Firewall, parse_firewall
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.identity import Identity, parse_identity
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.network import Network, parse_network
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.proxy import Proxy, parse_proxy
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.time import TimeObservation, parse_time
from ansible_collections.edefter.ready.plugins.plugin_utils.plan.firewall import plan_firewall
from ansible_collections.edefter.ready.plugins.plugin_utils.plan.time import plan_time
from ansible_collections.edefter.ready.plugins.plugin_utils.vantage import Vantage
from ansible_collections.edefter.ready.plugins.plugin_utils.w32time.case import ClockView, domain_clock_of
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted.everything import Wanted
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted.firewall import FirewallContext

Json = t.Mapping[str, t.Any]
T = t.TypeVar("T")

# A section whose absence leaves it open whether e-Defter works.
_DECISIVE = ("endpoints", "clock")

# Findings of a judge that knows no plan, and the step that repairs what they found when the plan holds it.
_CROSS_LINKS = {"clock.offset": ("time.resync",)}


@dataclasses.dataclass(frozen=True)
class Window:
    """The control node's wall clock, seconds since 1970, right before and after the module call."""

    sent: float
    received: float


@dataclasses.dataclass(frozen=True)
class Assessment:
    """Everything that is said of one observation."""

    findings: tuple[Finding, ...]
    plan: tuple[Step, ...]
    facts: Json
    started_utc: str = ""
    elapsed_ms: float = 0.0

    @property
    def state(self) -> str:
        """One word."""
        return record.state_of(self.findings, self.plan)


class _Reader:
    """Parses sections, and turns each that cannot be had into a finding that says so."""

    def __init__(self, observation: Observation) -> None:
        self._sections = observation.sections
        self.findings: list[Finding] = []

    def read(self, name: str, parse: t.Callable[[object], T]) -> T | None:
        """The parsed section, or None with a finding of status unknown."""
        section = self._sections.get(name)
        if section is None:
            self._unknown(name, "section.missing", {})
        elif not section.ok:
            error = section.error
            evidence = {"phase": error.phase, "code": error.code, "message": error.message} if error else {}
            self._unknown(name, "section.shape" if evidence.get("code") == "shape" else "section.failed", evidence)
        else:
            try:
                return parse(section.data)
            except ShapeError as wrong:
                self._unknown(name, "section.shape", {"message": str(wrong)[:500]})
        return None

    def _unknown(self, name: str, cause: str, evidence: t.Mapping[str, str]) -> None:
        self.findings.append(
            Finding(
                id=f"section:{name}",
                area=Area.HOST,
                check="section",
                subject=name,
                status=Status.UNKNOWN,
                cause=cause,
                owner=Owner.LOCAL_ADMIN,
                observed=evidence.get("message", ""),
                expected="",
                params={"section": name, "error": evidence.get("message") or evidence.get("code", "")},
                evidence=tuple(Evidence(key, value) for key, value in evidence.items()),
                blocks_filing=name in _DECISIVE,
            )
        )


@dataclasses.dataclass(frozen=True)
class _Seen:
    """The parsed sections of one host."""

    identity: Identity | None
    identity_data: Json | None
    network: Network | None
    proxy: Proxy | None
    endpoints: Endpoints | None
    clock: ClockObservation | None
    time: TimeObservation | None
    firewall: Firewall | None


def _see(observation: Observation, wanted: Wanted, reader: _Reader) -> _Seen:
    asked = set(wanted.sections)
    # Only Windows has these; elsewhere their absence says nothing.
    windows = observation.runtime == "clr"

    def read(name: str, parse: t.Callable[[object], T], windows_only: bool = False) -> T | None:
        return reader.read(name, parse) if name in asked and (windows or not windows_only) else None

    identity = read("identity", parse_identity)
    return _Seen(
        identity=identity,
        identity_data=observation.sections["identity"].data if identity is not None else None,
        network=read("network", parse_network),
        proxy=read("proxy", parse_proxy),
        endpoints=read("endpoints", parse_endpoints),
        clock=read("clock", parse_clock),
        time=read("time", parse_time, windows_only=True),
        firewall=read("firewall", parse_firewall, windows_only=True),
    )


def assess(raw: object, wanted: Wanted, vantage: Vantage, window: Window | None = None) -> Assessment:
    """Judges one observation. Raises ShapeError when its envelope cannot be read."""
    observation = parse_observation(raw)
    reader = _Reader(observation)
    seen = _see(observation, wanted, reader)
    findings: list[Finding] = reader.findings
    plan: list[Step] = []
    if not observation.complete:
        findings.append(_incomplete())
    clock = _clock(seen, vantage, window)
    view = _view(clock)
    if seen.identity is not None:
        findings += judge_host(seen.identity, seen.network, seen.proxy, seen.endpoints)
    if clock is not None and "clock" in wanted.scope:
        findings += judge_clock(clock, wanted.clock, seen.identity.bios_date if seen.identity else None)
    firewalls, rules = _firewall(seen, wanted, vantage, findings)
    plan += rules
    if rules and view is not None and view.ntp_works is False:
        # The firewall is opened before time is repaired: whether NTP gets out is not known until then.
        view = dataclasses.replace(view, ntp_works=None)
    if seen.endpoints is not None and "endpoints" in wanted.scope:
        situation = Situation(
            network=seen.network,
            proxy=seen.proxy,
            vantage=vantage.endpoints,
            same_site=None if wanted.vantage_elsewhere is None else not wanted.vantage_elsewhere,
            clock=clock,
            firewall=firewalls,
            started=observation.started_utc,
            elapsed_ms=observation.elapsed_ms,
        )
        findings += judge_endpoints(seen.endpoints, wanted.endpoint, situation)
    if seen.time is not None and "time" in wanted.scope:
        host = hostkind.host_of(seen.identity_data, wanted.time.host_kind)
        findings += judge_time(seen.time, host, wanted.time, view, domain_clock_of(clock))
        plan += plan_time(seen.time, host, wanted.time, view, domain_clock_of(clock))
    return Assessment(
        findings=tuple(_linked(findings, plan)),
        plan=tuple(plan),
        facts=facts.facts(seen.identity, seen.endpoints, clock, wanted.clock),
        started_utc=observation.started_utc,
        elapsed_ms=observation.elapsed_ms,
    )


def _clock(seen: _Seen, vantage: Vantage, window: Window | None) -> clock_verdict.ClockVerdict | None:
    if seen.clock is None:
        return None
    control = None
    # The control node testifies only when it knows its own clock; otherwise its word is worth nothing.
    if window is not None and vantage.lo is not None and vantage.hi is not None:
        control = clock_verdict.witness(seen.clock, window.sent, window.received, vantage.lo, vantage.hi)
    return clock_verdict.assess(seen.clock, control)


def _view(clock: clock_verdict.ClockVerdict | None) -> ClockView | None:
    if clock is None or clock.lo is None or clock.hi is None:
        return None
    asked = [source for source in clock.sources if source.kind == "ntp" and source.verdict != "skipped"]
    works = any(source.lo is not None for source in asked) if asked else None
    return ClockView(clock.lo, clock.hi, clock.corroborated, works)


def _firewall(
    seen: _Seen, wanted: Wanted, vantage: Vantage, findings: list[Finding]
) -> tuple[dict[str, t.Any], tuple[Step, ...]]:
    if seen.firewall is None:
        return {}, ()
    addresses = {host: tuple(found) for host, found in vantage.addresses().items()}
    for target in seen.endpoints.targets if seen.endpoints else ():
        own = target.dns.system if target.dns else ()
        addresses[target.host] = tuple(dict.fromkeys((*own, *addresses.get(target.host, ()))))
    local = {v.endpoint_id: v for v in local_verdicts(seen.firewall, wanted.endpoints, addresses)}
    if "firewall" not in wanted.scope:
        return local, ()
    context = FirewallContext(wanted.endpoints, _ntp_sources(wanted), addresses)
    steps = plan_firewall(seen.firewall, wanted.firewall, context)
    findings += judge_firewall(seen.firewall, wanted.firewall, context, steps)
    return local, steps


def _ntp_sources(wanted: Wanted) -> tuple[catalog.TimeSource, ...]:
    return tuple(source for source in wanted.time_sources if source.kind == "ntp")


def _linked(findings: t.Iterable[Finding], plan: t.Iterable[Step]) -> t.Iterator[Finding]:
    """A finding that the plan repairs says so and is the collection's; what the plan lacks is somebody else's."""
    known = {step.id for step in plan}
    for finding in findings:
        wished = finding.steps or _CROSS_LINKS.get(finding.check, ())
        steps = () if finding.status is Status.PASS else tuple(step for step in wished if step in known)
        owner = Owner.COLLECTION if steps else finding.owner
        if owner is Owner.COLLECTION and not steps:
            # A judge that hoped for a plan which then left this out: whoever runs the machine has to.
            owner = Owner.LOCAL_ADMIN
        if steps == finding.steps and owner is finding.owner:
            yield finding
        else:
            yield dataclasses.replace(finding, steps=steps, owner=owner)


def _incomplete() -> Finding:
    return Finding(
        id="observation",
        area=Area.HOST,
        check="observation",
        subject="",
        status=Status.WARN,
        cause="observation.incomplete",
        owner=Owner.CONTROLLER,
        observed="cut off",
        expected="complete",
    )
