# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab with both twins on one PC and a vantage elsewhere; injects a case and judges what each twin saw."""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import pathlib
import tempfile
import typing as t

import lab
import twins
from ansible_collections.edefter.ready.plugins.plugin_utils import catalog
from ansible_collections.edefter.ready.plugins.plugin_utils.judge.endpoint import Situation, judge_endpoints
from ansible_collections.edefter.ready.plugins.plugin_utils.model import Finding, Status
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.endpoint_model import Endpoints
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.endpoints import parse_endpoints
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.envelope import Observation, parse_observation
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.network import parse_network
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.proxy import parse_proxy
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted.endpoints import EndpointsWanted
from windows_double import csharp, labs
from windows_double.registry import Registry

from .cases import PC, SITE, Case

TIMEOUT = 1.5
DEADLINE = 14.0
TWINS = ("posix", "windows")
_USER = "S-1-5-21-1-2-3-1001"
_SETTINGS = rf"HKU\{_USER}\Software\Microsoft\Windows\CurrentVersion\Internet Settings"


@dataclasses.dataclass(frozen=True)
class Named:
    """What one twin's observation of one case was judged to be: finding by endpoint id, and whether each is right."""

    case: Case
    twin: str
    findings: t.Mapping[str, Finding]

    def cause(self, endpoint: str) -> str:
        return self.findings[endpoint].cause.removeprefix("endpoint.")

    @property
    def wrong(self) -> list[str]:
        """`endpoint: cause, not …` for every verdict that is not right."""
        return [
            f"{endpoint}: {self.cause(endpoint)}, not {'/'.join(self.case.wanted(self.twin, endpoint))}"
            for endpoint in self.findings
            if self.cause(endpoint) not in self.case.wanted(self.twin, endpoint)
        ]

    @property
    def alarms(self) -> list[str]:
        """Verdicts that are not a pass."""
        return [f"{e}: {f.cause}" for e, f in self.findings.items() if f.status is not Status.PASS]


class World:
    """Use as a context manager. Lab and Mono are made once; processes again when proxy, trust or clock change."""

    def __init__(self, name: str, timeout: float = TIMEOUT) -> None:
        self.net = lab.Lab(name)
        self.timeout = timeout
        self.endpoints = catalog.endpoints()
        self._stack = contextlib.ExitStack()
        self._warm: dict[tuple[t.Any, ...], dict[str, t.Any]] = {}
        self._vantage: dict[str, Endpoints] = {}

    def __enter__(self) -> World:
        self._stack.enter_context(self.net)
        self._folder = pathlib.Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        self.net.add_site(SITE)
        self.host = self.net.add_host(PC, site=SITE)
        self.second = self.net.add_host("pc2", site=SITE)
        self.control = twins.PosixTwin(self.net.control)
        self._stack.callback(self.control.close)
        return self

    def __exit__(self, *error: object) -> None:
        for pair in self._warm.values():
            for twin in pair.values():
                twin.close()
        self._stack.close()

    def params(self, extra: t.Mapping[str, t.Sequence[str]] | None = None, **more: t.Any) -> dict[str, t.Any]:
        """Options of endpoint_info for the catalogue; extra: addresses to try too, by host."""
        return {
            "endpoints": [endpoint.probe() for endpoint in self.endpoints],
            "canaries": [canary.probe() for canary in catalog.canaries()],
            "extra_addresses": [{"host": host, "addresses": list(found)} for host, found in (extra or {}).items()],
            "timeout": self.timeout,
            "deadline": DEADLINE,
            **more,
        }

    def twins(self, proxy: str = "", clock: int = 0) -> dict[str, t.Any]:
        """Warm processes of both twins on the PC, for its present trust, proxy and clock."""
        key = (self.host.trust_file.read_bytes(), proxy, clock)
        if key not in self._warm:
            env = {"http_proxy": f"http://{proxy}", "https_proxy": f"http://{proxy}"} if proxy else {}
            faketime = f"{clock:+d}s" if clock else None
            if faketime:
                preload = {"LD_PRELOAD": csharp.faketime_library(), "FAKETIME": faketime, "DONT_FAKE_MONOTONIC": "1"}
                env |= {**preload, "FAKETIME_FORCE_MONOTONIC_FIX": "0"}
            registry = self._folder / f"registry-{len(self._warm)}"
            registry.mkdir()
            if proxy:
                book = Registry(registry)
                book.set(_SETTINGS, "ProxyEnable", "dword", 1)
                book.set(_SETTINGS, "ProxyServer", "string", proxy)
            home = labs.trust_home(self.host.trust_file, self._folder)
            self._warm[key] = {
                "posix": twins.PosixTwin(self.host.netns, env),
                "windows": twins.WindowsTwin(self.host.netns, home=home, registry=registry, faketime=faketime),
            }
        return self._warm[key]

    def observe(self, extra: t.Mapping[str, t.Sequence[str]], proxy: str, clock: int) -> dict[str, Observation]:
        """What both twins see now, at the same time."""
        pair, params = self.twins(proxy, clock), self.params(extra)
        with concurrent.futures.ThreadPoolExecutor(len(TWINS)) as pool:
            calls = {name: pool.submit(pair[name].call, "EndpointInfo", params) for name in TWINS}
        return {name: parse_observation(call.result()) for name, call in calls.items()}

    def vantage(self, case: Case | None = None, extra: t.Mapping[str, t.Sequence[str]] | None = None) -> Endpoints:
        """What the control node sees now."""
        twin = self.control
        if case is not None and case.vantage == "proxied":
            url = self.net.proxy_url
            twin = twins.PosixTwin(self.second.netns, {"http_proxy": url, "https_proxy": url})
        try:
            seen = parse_observation(twin.call("EndpointInfo", self.params(extra)))
        finally:
            if twin is not self.control:
                twin.close()
        return parse_endpoints(seen.sections["endpoints"].data)

    def run(self, case: Case, meanwhile: t.Callable[[], None] | None = None) -> list[Named]:
        """Injects, observes with both twins, exchanges addresses with the vantage, judges.

        meanwhile: called once while the fault is on (peers look at the same fault).
        """
        if "healthy" not in self._vantage:
            self._vantage["healthy"] = self.vantage()
        known = addresses(self._vantage["healthy"])
        proxy = self.net.proxy_url.partition("://")[2].rstrip("/") if case.proxy == "set" else case.proxy
        with contextlib.ExitStack() as faults:
            for name, where in ((case.fault, case.where), *case.more):
                if name:
                    faults.enter_context(self.net.fault(name, **where))
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                beside = pool.submit(meanwhile) if meanwhile is not None else None
                seen = self.observe(known if case.vantage != "none" else {}, proxy, case.clock)
                vantage = self._see(case, seen)
                if beside is not None:
                    beside.result()
        return [self._judge(case, twin, observation, vantage) for twin, observation in seen.items()]

    def healthy(self, rounds: int, delay_ms: float = 20.0, loss: float = 2.0) -> t.Iterator[Named]:
        """Nothing is broken, but the line is long and loses packets. Default time-outs, as users have them."""
        if "healthy" not in self._vantage:
            self._vantage["healthy"] = self.vantage()
        case = Case("healthy", "", {}, {})
        known, usual = addresses(self._vantage["healthy"]), self.timeout
        self.timeout = 5.0
        try:
            with self.net.fault("slow", site=SITE, delay_ms=delay_ms), self.net.fault("loss", site=SITE, percent=loss):
                for _ in range(rounds):
                    for twin, observation in self.observe(known, "", 0).items():
                        yield self._judge(case, twin, observation, self._vantage["healthy"])
        finally:
            self.timeout = usual

    def _see(self, case: Case, seen: t.Mapping[str, Observation]) -> Endpoints | None:
        """The vantage's view; anew when the fault may reach it too, or when it should try the host's addresses."""
        if case.vantage == "none":
            return None
        if case.vantage == "proxied":
            return self.vantage(case)
        host = addresses(parse_endpoints(seen["posix"].sections["endpoints"].data), "system")
        known = addresses(self._vantage["healthy"])
        foreign = {name: [a for a in found if a not in known.get(name, ())] for name, found in host.items()}
        foreign = {name: found for name, found in foreign.items() if found}
        everybody = any(
            name and not {"site", "host"} & set(where) for name, where in ((case.fault, case.where), *case.more)
        )
        return self.vantage(case, foreign) if everybody or foreign else self._vantage["healthy"]

    def _judge(self, case: Case, twin: str, observation: Observation, vantage: Endpoints | None) -> Named:
        sections = observation.sections
        situation = Situation(
            network=parse_network(sections["network"].data),
            proxy=parse_proxy(sections["proxy"].data),
            vantage=vantage,
            same_site=False if case.vantage == "other_site" else None,
            started=observation.started_utc,
            elapsed_ms=observation.elapsed_ms,
        )
        wanted = EndpointsWanted.from_options(dict(case.options))
        found = judge_endpoints(parse_endpoints(sections["endpoints"].data), wanted, situation)
        return Named(case, twin, {finding.subject: finding for finding in found})


def addresses(section: Endpoints, *sources: str) -> dict[str, list[str]]:
    """Addresses by host name that an observation tried, of the given sources (none: all)."""
    found: dict[str, list[str]] = {}
    for target in section.targets:
        for attempt in target.attempts:
            known = found.setdefault(target.host, [])
            if (not sources or attempt.source in sources) and attempt.address not in known:
                known.append(attempt.address)
    return found
