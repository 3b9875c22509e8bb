# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One endpoint through DNS, TCP, TLS and HTTP. Twin of Target.cs.

Addresses are tried as soon as anybody names them, all at once, and each proxy beside them.
"""

from __future__ import annotations

import queue
import socket
import threading
import time
import typing as t

from ansible_collections.edefter.ready.plugins.module_utils import dns, http_probe, proxy, resolving, tcp, tls
from ansible_collections.edefter.ready.plugins.module_utils.core import Data, broke, make_fault
from ansible_collections.edefter.ready.plugins.module_utils.probe_context import Context, race, start

MAX_ADDRESSES = 16
SOURCES = ("system", "query", "vantage", "literal")
# A late system look-up may take until this many seconds before the overall deadline.
SYSTEM_RESERVE = 2.0


def _looked_up(host: str) -> Data:
    """The system's look-up; what nobody foresaw in it does not end as a time-out either."""
    try:
        return resolving.system_lookup(host)
    except Exception as error:
        return resolving.outcome(broke("dns", error))


class Target:
    """One endpoint (or canary) and everything that is found out about it."""

    def __init__(self, context: Context, spec: Data, phases: str = "full") -> None:
        """phases: full | dns | tcp."""
        self.context = context
        self.host = str(spec["host"])
        self.scheme = str(spec.get("scheme") or "https")
        self.port = int(spec.get("port") or (443 if self.scheme == "https" else 80))
        self.path = str(spec.get("path") or "/")
        self.id = str(spec["id"])
        self.phases = phases
        self.changed = threading.Condition()
        self.literal = resolving.is_address(self.host)
        self.system: t.Optional[Data] = None
        self.queries: t.Optional[t.List[Data]] = None
        self.known: t.Dict[str, t.Set[str]] = {}
        self.attempts: t.Dict[str, Data] = {}
        self.proxied: t.List[Data] = []
        self.running = 0
        self.enough = False
        self.started = time.monotonic()

    def stop_waiting(self) -> None:
        """Ends the wait for an address that is not expected to answer: everything else has had its answer by now."""
        with self.changed:
            self.enough = True
            self.changed.notify_all()

    # -- addresses, from whoever names them --

    def found(self, source: str, addresses: t.Iterable[str]) -> None:
        """Begins an attempt at each address that is new."""
        with self.changed:
            for address in addresses:
                if address in self.known:
                    self.known[address].add(source)
                elif self.phases != "dns" and len(self.known) < MAX_ADDRESSES:
                    self.known[address] = {source}
                    data = {"address": address, "family": tcp.family_of(address), "source": source}
                    data.update(
                        tcp=tcp.result(make_fault("tcp", "deadline", None, "not finished")),
                        tls=None,
                        http=None,
                        neutral_sni=None,
                    )
                    self.attempts[address] = data
                    self._spawn(self._attempt, data)

    def _spawn(self, work: t.Callable[[Data], None], data: Data) -> None:
        """In self.changed. Whatever breaks in one attempt stays in it."""
        self.running += 1

        def run() -> None:
            try:
                work(data)
            except Exception as error:
                self._broke(data, error)
            finally:
                with self.changed:
                    self.running -= 1
                    self.changed.notify_all()

        start(run)

    def _broke(self, data: Data, error: Exception) -> None:
        """Puts an error that nobody foresaw into the phase that had begun; its code is `error`, never a network's."""
        if data["tcp"]["error"] is not None:
            data["tcp"] = {**data["tcp"], "error": broke("tcp", error)}
        elif self.scheme == "https" and data["tls"] is None:
            data["tls"] = {**tls.empty(self.host), "error": broke("tls", error)}
        elif data["http"] is None:
            data["http"] = {**http_probe.empty(), "error": broke("http", error)}

    def _look_up(self) -> None:
        result = _looked_up(self.host)
        with self.changed:
            if self.system is None:
                self.system = result
                self.found("system", result["addresses"])
            self.changed.notify_all()

    def _ask(self) -> None:
        context = self.context

        try:
            queries = dns.ask(
                context.resolvers,
                self.host,
                context.timeout,
                context.deadline,
                context.rng(self.id),
                lambda addresses: self.found("query", addresses),
                lambda: self.running == 0 and self.system is not None,
            )
        except OSError:
            # No socket to be had at all: nothing is known of any resolver.
            queries = []
        with self.changed:
            self.queries = queries
            self.changed.notify_all()

    # -- one address --

    def _attempt(self, data: Data) -> None:
        context = self.context
        address = data["address"]
        data["tcp"], sock = tcp.connect(address, self.port, context.timeout, context.deadline)
        if sock is None:
            return
        if self.phases == "tcp":
            sock.close()
            return
        stream: t.Optional[tls.Stream] = tls.Stream(sock)
        if self.scheme == "https":
            stream = self._tls(data, sock, address)
        if stream is None:
            return
        default = 443 if self.scheme == "https" else 80
        message = http_probe.request("GET", self.path, self.host, self.port, default)
        data["http"] = http_probe.exchange(stream, message, context.timeout, context.deadline)
        stream.sock.close()

    def _connect_again(self, address: str) -> t.Optional[socket.socket]:
        return tcp.connect(address, self.port, self.context.timeout, self.context.deadline)[1]

    def _tls(self, data: Data, sock: socket.socket, address: str) -> t.Optional[tls.Stream]:
        context = self.context
        second: t.List[threading.Thread] = []
        neutral: Data = {}

        def ask_neutral() -> None:
            again = self._connect_again(address)
            if again is None:
                return
            outcome, channel = tls.probe(
                lambda: None, again, context.neutral_sni, context.timeout, context.deadline, context.tls, verify=False
            )
            neutral.update(outcome)
            if channel is not None:
                channel.sock.close()

        data["tls"], channel = tls.probe(
            lambda: self._connect_again(address),
            sock,
            self.host,
            context.timeout,
            context.deadline,
            context.tls,
            lambda: second.append(start(ask_neutral)),
        )
        error = data["tls"]["error"]
        if error is not None and error["code"] in ("reset", "eof", "timeout") and not data["tls"]["bytes_received"]:
            if not second:
                second.append(start(ask_neutral))
            second[0].join(context.deadline.remaining)
            data["neutral_sni"] = dict(neutral) or None
        return channel

    # -- one proxy --

    def _through(self, data: Data) -> None:
        context = self.context
        host, port = proxy.split(data["proxy"])
        addresses = [host]
        if not resolving.is_address(host):
            looked = self._bounded_lookup(host)
            if looked is None or looked["error"] is not None:
                fault = looked["error"] if looked else make_fault("dns", "timeout", None, "the name of the proxy")
                data["tcp"] = {**tcp.result(fault, looked["elapsed_ms"] if looked else None), "address": None}
                return
            addresses = looked["addresses"][:4]
        data["tcp"], sock = self._first_to_connect(addresses, port)
        if sock is None:
            return
        stream: t.Optional[tls.Stream] = tls.Stream(sock)
        place = f"[{self.host}]" if ":" in self.host else self.host
        if self.scheme == "http":
            where = place if self.port == 80 else f"{place}:{self.port}"
            message = http_probe.request("GET", f"http://{where}{self.path}", self.host, self.port, 80)
            data["http"] = http_probe.exchange(tls.Stream(sock), message, context.timeout, context.deadline)
            sock.close()
            return
        data["connect"] = self._tunnel(sock, place)
        status = data["connect"]["status"]
        if status is None or not 200 <= status < 300:
            sock.close()
            return
        used = data["tcp"]["address"]

        def again() -> t.Optional[socket.socket]:
            other = tcp.connect(used, port, context.timeout, context.deadline)[1]
            if other is not None and self._tunnel(other, place)["status"] != status:
                other.close()
                return None
            return other

        data["tls"], stream = tls.probe(again, sock, self.host, context.timeout, context.deadline, context.tls)
        if stream is not None:
            message = http_probe.request("GET", self.path, self.host, self.port, 443)
            data["http"] = http_probe.exchange(stream, message, context.timeout, context.deadline)
            stream.sock.close()

    def _first_to_connect(self, addresses: t.List[str], port: int) -> t.Tuple[Data, t.Optional[socket.socket]]:
        """All addresses of a proxy at once: a dead one must not cost a timeout of its own. (TCP + address, socket)."""
        arrived: queue.Queue[t.Tuple[Data, t.Optional[socket.socket]]] = queue.Queue()

        def one(address: str) -> None:
            sock: t.Optional[socket.socket] = None
            try:
                outcome, sock = tcp.connect(address, port, self.context.timeout, self.context.deadline)
            except Exception as error:
                # Who waits for this address waits no longer.
                outcome = tcp.result(broke("tcp", error))
            arrived.put(({**outcome, "address": address}, sock))

        def close_others(count: int) -> None:
            for _number in range(count):
                other = arrived.get()[1]
                if other is not None:
                    other.close()

        for address in addresses:
            start(one, address)
        failed: t.Dict[str, Data] = {}
        for done in range(1, len(addresses) + 1):
            outcome, sock = arrived.get()
            if sock is not None:
                start(close_others, len(addresses) - done)
                return outcome, sock
            failed[outcome["address"]] = outcome
        return failed[addresses[0]], None

    def _tunnel(self, sock: socket.socket, place: str) -> Data:
        target = f"{place}:{self.port}"
        message = http_probe.request("CONNECT", target, self.host, self.port, 0)
        return http_probe.exchange(tls.Stream(sock), message, self.context.timeout, self.context.deadline, tunnel=True)

    def _bounded_lookup(self, host: str) -> t.Optional[Data]:
        box: t.List[Data] = []
        start(lambda: box.append(_looked_up(host))).join(self.context.deadline.clamp(self.context.timeout))
        return box[0] if box else None

    # -- all together --

    def run(self) -> Data:
        """Runs everything and gives TARGET. Ends with the deadline at the latest."""
        context = self.context
        self.started = time.monotonic()
        with self.changed:
            if self.literal:
                self.found("literal", [self.host])
            else:
                start(self._look_up)
            self.found("vantage", context.extra.get(self.host.rstrip(".").lower(), []))
            if self.phases == "full":
                for entry in proxy.for_target(context.proxies, self.scheme, self.host):
                    data = {"proxy": entry["proxy"], "sources": entry["sources"], "users": entry["users"]}
                    data["tcp"] = {**tcp.result(make_fault("tcp", "deadline", None, "not finished")), "address": None}
                    data.update(connect=None, tls=None, http=None)
                    self.proxied.append(data)
                    self._spawn(self._through, data)
        limit = self.started + context.deadline.clamp(context.timeout)
        if not self.literal:
            self._ask()
        with self.changed:
            if self._resolves():
                # The name has addresses, so the system's own look-up is late, not lost: its client repeats a lost
                # datagram only after seconds. Nothing else waits for it, and one lost packet is no fault.
                limit = max(limit, time.monotonic() + context.deadline.remaining - SYSTEM_RESERVE)
            while not self._finished(limit):
                left = context.deadline.remaining
                if left <= 0:
                    break
                if self.system is None and not self.literal:
                    left = min(left, max(0.001, limit - time.monotonic()))
                self.changed.wait(left)
        return self._result()

    def _resolves(self) -> bool:
        """Whether any resolver gave an address when asked directly."""
        return any(a["type"] in ("A", "AAAA") for query in self.queries or [] for a in query["answers"])

    def _finished(self, limit: float) -> bool:
        if self.enough:
            return True
        if not self.literal:
            if self.system is None and time.monotonic() >= limit:
                # getaddrinfo cannot be told to give up. It goes on in its thread and nobody waits.
                waited = round((time.monotonic() - self.started) * 1000.0, 3)
                fault = make_fault("dns", "timeout", None, f"no answer of the system within {waited:.0f} ms")
                self.system = resolving.outcome(fault, waited)
            if self.system is None or self.queries is None:
                return False
        return self.running == 0

    def _result(self) -> Data:
        complete = self.running == 0 and (self.literal or (self.system is not None and self.queries is not None))
        complete = complete or self.enough
        if not complete:
            self.context.deadline.cut()
        late = make_fault("dns", "deadline", None, "not finished")
        lookup = None
        if not self.literal:
            lookup = {
                "system": self.system or resolving.outcome(late),
                "hosts_file": resolving.hosts_for(self.context.hosts, self.host),
                "queries": self.queries or [],
            }
        with self.changed:
            attempts = [dict(a) for a in self.attempts.values()]
            for attempt in attempts:
                attempt["source"] = next(s for s in SOURCES if s in self.known[attempt["address"]])
                if self.enough and (attempt["tcp"]["error"] or {}).get("code") == "deadline":
                    silent = make_fault("tcp", "timeout", None, "no answer by the time that all others had theirs")
                    attempt["tcp"] = {**attempt["tcp"], "error": silent}
            proxied = [dict(p) for p in self.proxied]
        order = [self.host] if self.literal else (self.system or {"addresses": []})["addresses"]
        return {
            "id": self.id,
            "host": self.host,
            "port": self.port,
            "scheme": self.scheme,
            "path": self.path,
            "elapsed_ms": round((time.monotonic() - self.started) * 1000.0, 3),
            "complete": complete,
            "dns": lookup,
            "attempts": attempts,
            "winner": race(order, attempts),
            "proxy_attempts": proxied,
        }
