# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs to report on: a few kinds of host judged for real from the recorded observation, and fleets made of them."""

from __future__ import annotations

import copy
import functools
import itertools
import json
import pathlib
import random
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils import outcome, record
from ansible_collections.edefter.ready.plugins.plugin_utils.assess import assess
from ansible_collections.edefter.ready.plugins.plugin_utils.edge.store import RunStore
from ansible_collections.edefter.ready.plugins.plugin_utils.model import Status
from ansible_collections.edefter.ready.plugins.plugin_utils.vantage import Vantage
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted import everything
from recorded import RAW

Json = dict[str, t.Any]

WANTED = everything.wanted_from({})
RUN = "20261125T071500Z-ab12"
STARTED = "2026-11-25T07:15:00Z"
HOSTILE = "<img src=x onerror=alert(1)></script><script>alert(2)</script>\u2028\u202e\"'&{{7*7}}"


def blocked_observation(note: str = "text") -> Json:
    """The recorded observation, as it would be with port 4443 closed at the branch's firewall."""
    raw = copy.deepcopy(RAW)
    for target in raw["sections"]["endpoints"]["data"]["targets"]:
        if target["port"] == 4443:
            target["winner"] = None
            for attempt in target["attempts"]:
                error = {"phase": "tcp", "code": "timeout", "native": 10060, "message": note}
                attempt.update(tcp={**attempt["tcp"], "elapsed_ms": 5003.1, "error": error}, tls=None, http=None)
    return raw


def _ready(made: Json) -> Json:
    """The same machine with its settings right: what the plan would repair is repaired."""
    part = copy.deepcopy(made["before"])
    part["plan"] = []
    for finding in part["findings"]:
        if finding["steps"]:
            finding.update(status="pass", owner="nobody", steps=[], blocks_filing=False)
    return part


@functools.lru_cache(maxsize=1)
def kinds() -> dict[str, str]:
    """One record of every kind, without the identifying part, as JSON."""
    vantage = Vantage()
    drifted = outcome.observed(RAW, WANTED, vantage, None, {}, "before")
    assert drifted["state"] == "drifted"
    said = record.sentence("ready", (), ())
    ready = {**drifted, "state": "ready", "message": said, "before": _ready(drifted)}
    fixed = {
        **drifted,
        "state": "fixed",
        "message": record.sentence("fixed", (), ()),
        "after": _ready(drifted),
    }
    made = assess(blocked_observation(), WANTED, vantage)
    part = record.part(
        made.started_utc,
        made.elapsed_ms,
        [f for f in made.findings if not f.steps or f.status is Status.PASS],
        (),
        made.facts,
    )
    blocked = {
        "state": "blocked",
        "message": record.sentence("blocked", made.findings, ()),
        "before": part,
        "after": None,
        "error": None,
    }
    found = {
        "ready": ready,
        "fixed": fixed,
        "drifted": drifted,
        "blocked": blocked,
        "unknown": outcome.broken({}, "shape", "observation.sections: is not a mapping", "before"),
        "unreachable": outcome.unreachable({}, "winrm: connection refused"),
    }
    assert all(state == content["state"] for state, content in found.items())
    return {state: json.dumps(content) for state, content in found.items()}


def host(name: str, state: str, firm: str = "Firma", branch: str = "Merkez", role: str = "workstation") -> Json:
    """A whole record."""
    identity = {"schema": 1, "run": RUN, "host": name, "firm": firm, "branch": branch, "role": role}
    return {**identity, **json.loads(kinds()[state])}


def set_clock(made: Json, middle: float, half: float = 0.001) -> Json:
    """The record with another measurement of its clock, everywhere; returns it."""
    for part in filter(None, (made["before"], made["after"])):
        part["facts"]["clock"].update(lo=middle - half, hi=middle + half, offset=middle, corroborated=True)
    return made


def store(folder: pathlib.Path, hosts: t.Iterable[Json], run: str = RUN, started: str = STARTED) -> RunStore:
    """A finished run of these records; one of state `pending` is on the roster and has no record."""
    made = RunStore.create(folder / run, run, started, "0.1.0", "ready")
    roster = []
    for content in hosts:
        roster.append({key: content[key] for key in ("host", "firm", "branch", "role")})
        if content["state"] != "pending":
            made.put(content["host"], {**content, "run": run})
    made.add_to_roster(roster)
    made.finish("2026-11-25T07:31:07Z")
    return made


def pending(name: str, firm: str = "Firma", branch: str = "Merkez") -> Json:
    """Stands for a host that the run did not get to."""
    return {"host": name, "firm": firm, "branch": branch, "role": "", "state": "pending"}


def every_kind() -> list[Json]:
    """A small run with a host in every state, two firms, a server, and clocks that differ."""
    hosts = [set_clock(host("srv", "ready", "Yıldız Muhasebe", role="server"), 0.0)]
    hosts += [host(f"pc-{state}", state, "Yıldız Muhasebe", "Şube 2") for state in kinds()]
    hosts += [pending("pc-pending", "Yıldız Muhasebe", "Şube 2")]
    hosts += [
        set_clock(host("k-srv", "ready", "Kaya", role="server"), 0.0),
        set_clock(host("k1", "ready", "Kaya"), 9.5),
    ]
    return hosts


def hostile() -> Json:
    """A host all of whose texts are markup."""
    made = host("h" + HOSTILE, "blocked", "F" + HOSTILE, "B" + HOSTILE)
    made["message"] = dict.fromkeys(("tr", "en"), HOSTILE)
    made["error"] = {"kind": "module", "message": HOSTILE}
    part = made["before"]
    for finding in part["findings"]:
        finding.update(observed=HOSTILE, expected=HOSTILE, subject=HOSTILE, title=dict.fromkeys(("tr", "en"), HOSTILE))
        finding.update(remedy=dict.fromkeys(("tr", "en"), HOSTILE), evidence=[{"key": HOSTILE, "value": HOSTILE}])
    part["facts"]["machine"]["hostname"] = HOSTILE
    for probe in part["facts"]["probes"]:
        probe.update(id=HOSTILE, host=HOSTILE, address=HOSTILE)
    for source in part["facts"]["clock"]["sources"]:
        source.update(id=HOSTILE, host=HOSTILE, reason=HOSTILE)
    return made


def fleet(count: int, seed: int = 8) -> t.Iterator[Json]:
    """Hosts of many firms, twelve each, most of them ready; every number of its own, as in life."""
    dice = random.Random(seed)
    names = ("Yıldız", "Kaya", "Demir", "Çelik", "Şahin", "Öztürk", "Aydın", "Arslan", "Doğan", "Kılıç")
    trades = ("Muhasebe", "Müşavirlik", "Ticaret", "Gıda", "İnşaat")
    for number in itertools.islice(itertools.count(), count):
        firm, place = divmod(number, 12)
        good = random.Random(seed * 1000 + firm).random() > 0.2
        state = "ready" if good else dice.choice(("ready", "ready", "fixed", "blocked", "drifted", "unreachable"))
        made = host(
            f"f{firm:03d}-pc{place:02d}" if place else f"f{firm:03d}-sunucu",
            state,
            f"{names[firm % 10]} {trades[firm % 5]} {firm:03d}",
            ("Merkez", "Şube")[place % 2],
            "workstation" if place else "server",
        )
        for part in filter(None, (made["before"], made["after"])):
            for probe in part["facts"]["probes"]:
                for name, took in probe["phases"].items():
                    probe["phases"][name] = took if took is None else round(took * dice.uniform(0.5, 2.0), 3)
            for finding in part["findings"]:
                finding["evidence"].append({"key": "sample", "value": f"{dice.random():.6f}"})
        yield made
