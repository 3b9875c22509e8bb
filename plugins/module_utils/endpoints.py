# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Section `endpoints`: every endpoint through DNS, TCP, TLS and HTTP, each phase with its own time and error.

Twin of Endpoints.cs. Targets, resolvers, addresses, proxies and canaries run side by side: the whole takes as long as
the slowest single chain of phases, not the sum.
"""

from __future__ import annotations

import contextlib
import random
import re
import threading
import time
import typing as t

from ansible_collections.edefter.ready.plugins.module_utils.core import Data, Deadline
from ansible_collections.edefter.ready.plugins.module_utils.dns_message import addresses_of
from ansible_collections.edefter.ready.plugins.module_utils.probe_context import Context, start
from ansible_collections.edefter.ready.plugins.module_utils.target import Target

MAX_TARGETS = 128
MAX_CANARIES = 16
# Seconds that an address of TEST-NET is given once every other probe has ended.
SILENT_GRACE = 0.5
_STACK = 512 * 1024
_SAFE = re.compile(r"[!-~]{1,2000}")


def _random_label(rng: random.Random) -> str:
    return "".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _number in range(14))


def _check(option: str, spec: Data) -> None:
    """What would end up in a request line is asked for here once more, whoever checked it before."""
    if not _SAFE.fullmatch(str(spec.get("host"))):
        raise ValueError(f"{option} {spec.get('id')}: not a host name or address")
    if not _SAFE.fullmatch(str(spec.get("path") or "/")) or str(spec.get("path") or "/")[0] != "/":
        raise ValueError(f"{option} {spec.get('id')}: not a path")


def _canary_target(context: Context, spec: Data) -> t.Optional[Target]:
    kind, host = spec.get("kind"), spec.get("host")
    if not host:
        return None
    _check("canaries", spec)
    if kind == "random_name":
        name = f"{_random_label(context.rng('canary/' + spec['id']))}.{str(host).rstrip('.')}"
        return Target(context, {**spec, "host": name, "port": spec.get("port") or 443}, "dns")
    if kind == "test_net":
        return Target(context, {**spec, "port": spec.get("port") or 443}, "tcp")
    scheme = "http" if kind == "http_text" else "https"
    return Target(context, {**spec, "scheme": scheme, "port": spec.get("port") or (80 if scheme == "http" else 443)})


def canary_ok(kind: str, target: Data, expect: str) -> t.Optional[bool]:
    """ok of CANARY, from what was seen."""
    if kind == "random_name":
        queries = (target["dns"] or {}).get("queries", [])
        system = (target["dns"] or {}).get("system", {})
        if system.get("addresses") or any(addresses_of(q["answers"]) for q in queries):
            return False
        seen = [q["rcode"] for q in queries if q["rcode"] is not None]
        return True if any(rcode in (0, 3) for rcode in seen) else None
    tried = target["attempts"]
    if kind == "test_net":
        return all(a["tcp"]["error"] is not None for a in tried) if tried else None
    if kind == "https":
        return any(
            a["http"] is not None
            and a["http"]["status"] is not None
            and a["tls"]["trusted"] is True
            and a["tls"]["name_match"] is True
            for a in tried
        )
    pages = [a["http"] for a in tried if a["http"] is not None and a["http"]["body"] is not None]
    return any(p["status"] == 200 and (p["body"]["snippet"] or "").startswith(expect) for p in pages)


def collect(options: Data, deadline: Deadline) -> Data:
    """endpoints of docs/observation-endpoints.md."""
    with contextlib.suppress(ValueError, RuntimeError):
        threading.stack_size(_STACK)
    context = Context(options, deadline)
    specs = options.get("endpoints") or []
    if len(specs) > MAX_TARGETS:
        raise ValueError(f"endpoints: more than {MAX_TARGETS}")
    for spec in specs:
        _check("endpoints", spec)
    targets = [Target(context, spec) for spec in specs]
    canaries: t.List[t.Tuple[Data, t.Optional[Target]]] = []
    for spec in (options.get("canaries") or [])[:MAX_CANARIES]:
        canaries.append((spec, _canary_target(context, spec)))
    done: t.Dict[int, Data] = {}
    awaited: t.List[t.Tuple[Target, threading.Thread]] = []
    silent: t.List[t.Tuple[Target, threading.Thread]] = []
    for each in [*targets, *(target for _spec, target in canaries if target is not None)]:

        def run(target: Target = each) -> None:
            done[id(target)] = target.run()

        # Where nothing lives nothing answers: on a healthy line that would be the one thing everybody waits for.
        (silent if each.phases == "tcp" else awaited).append((each, start(run)))
    for _each, thread in awaited:
        thread.join(deadline.remaining + 1.0)
    grace_ends = time.monotonic() + SILENT_GRACE
    for each, thread in silent:
        thread.join(max(0.0, grace_ends - time.monotonic()))
        each.stop_waiting()
        thread.join(1.0)
    found = []
    for spec, target in canaries:
        if target is not None and id(target) in done:
            data = done[id(target)]
            ok = canary_ok(str(spec["kind"]), data, str(spec.get("expect") or ""))
            found.append({"id": spec["id"], "kind": spec["kind"], "host": spec.get("host"), "ok": ok, "target": data})
    return {
        "resolvers": [{"address": address} for address in context.resolvers],
        "neutral_sni": context.neutral_sni,
        "targets": [done[id(target)] for target in targets if id(target) in done],
        "canaries": found,
    }
