# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What others say about the same faults, from the same host: Debian's blackbox exporter and monitoring plugins.

A signature is all that their output says, without times, durations and what else changes from run to run. Two faults
are told apart when their signatures differ: that they can be told apart does not mean that anybody is told what it is.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import http.client
import json
import pathlib
import re
import subprocess
import time
import typing as t
import urllib.parse

import lab
from ansible_collections.edefter.ready.plugins.plugin_utils import catalog
from lab import addresses

PORT = 9115
PLUGINS = "/usr/lib/nagios/plugins"
TIMEOUT = 3
# Metrics that are durations or points in time.
_MOVING = re.compile(r"duration|expiry|timestamp|last_modified|_seconds")
# What in a text is different in every run, and what it is replaced by; a phase never reached stays visible.
_CHANGES = (
    (re.compile(r"0001-01-01T00:00:00Z"), "never"),
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)?"), "time"),
    (re.compile(r"(duration_seconds|timeout_seconds|roundtrip)=\S+?(?=start=|\s|$)"), r"\1=#"),
    (re.compile(r"(?:\d+(?:\.\d+){3}|\[[0-9a-f:]+\]):\d+(?=->)"), "local"),
    (re.compile(r"\bid: \d+"), "id"),
    (re.compile(r"\\t\d+\\tIN"), "ttl IN"),
    (re.compile(r"\d+\.\d+(?= second)"), "#"),
    (re.compile(r"(?<=after )\d+(?= second)|(?<=in )\d+(?= second)"), "#"),
)


@dataclasses.dataclass(frozen=True)
class Said:
    """What one tool said of one endpoint. ok: it holds the endpoint for fine."""

    ok: bool
    signature: str


def _address(endpoint: catalog.Endpoint) -> str:
    return f"{endpoint.scheme}://{endpoint.host}:{endpoint.port}{endpoint.path}"


class Blackbox:
    """The exporter, running on the host."""

    def __init__(self, net: lab.Lab, host: lab.Host, folder: pathlib.Path, resolver: str) -> None:
        self._net, self._host, self._resolver = net, host, resolver
        self._usual: dict[str, set[str]] = {}
        self._known: set[str] = set()
        names = sorted({endpoint.host for endpoint in catalog.endpoints()})
        modules: dict[str, t.Any] = {
            "http": {"prober": "http", "timeout": f"{TIMEOUT}s", "http": {"preferred_ip_protocol": "ip4"}},
            "tcp": {"prober": "tcp", "timeout": f"{TIMEOUT}s", "tcp": {"preferred_ip_protocol": "ip4"}},
        }
        for name in names:
            query = {"query_name": name, "query_type": "A", "preferred_ip_protocol": "ip4"}
            modules[f"dns_{name}"] = {"prober": "dns", "timeout": f"{TIMEOUT}s", "dns": query}
        config = folder / "blackbox.json"
        config.write_text(json.dumps({"modules": modules}), encoding="utf-8")
        argv = ["prometheus-blackbox-exporter", f"--config.file={config}", f"--web.listen-address=127.0.0.1:{PORT}"]
        self._process = net.popen(host, argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.pid = self._process.pid
        end = time.monotonic() + 10
        while True:
            try:
                self._get("/-/healthy")
                break
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)

    def _get(self, path: str) -> str:
        with self._net.inside(self._host):
            connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=TIMEOUT + 5)
            connection.connect()
        connection.request("GET", path)
        body = connection.getresponse().read().decode(errors="replace")
        connection.close()
        return body

    def probe(self, module: str, target: str, debug: bool = True) -> str:
        """One probe, as Prometheus would ask for it."""
        query = {"module": module, "target": target, **({"debug": "true"} if debug else {})}
        return self._get(f"/probe?{urllib.parse.urlencode(query)}")

    def _hashed(self, row: str, endpoint: catalog.Endpoint) -> str:
        """The hash of an address: only whether it is one that this endpoint had at the first, healthy look."""
        name, _, value = row.partition(" ")
        if name != "probe_ip_addr_hash":
            return row
        usual = self._usual.setdefault(endpoint.id, set())
        if endpoint.id not in self._known:
            usual.add(value)
        return f"{name} {'usual' if value in usual else 'other'}"

    def look(self, endpoint: catalog.Endpoint) -> tuple[Said, Said]:
        """By metrics alone, and by the debug log as well."""
        asked = (
            ("http", _address(endpoint)),
            ("tcp", f"{endpoint.host}:{endpoint.port}"),
            (f"dns_{endpoint.host}", self._resolver),
        )
        with concurrent.futures.ThreadPoolExecutor(len(asked)) as pool:
            pages = list(pool.map(lambda pair: self.probe(*pair), asked))
        metrics, logs, ok = [], [], True
        for page in pages:
            log, _, rest = page.partition("Metrics that would have been returned:")
            rows = rest.partition("Module configuration:")[0].splitlines()
            kept = [row for row in rows if row and not row.startswith("#") and not _MOVING.search(row)]
            metrics.append("\n".join(sorted(self._hashed(row, endpoint) for row in kept)))
            lines = [line.partition("level=")[2] for line in log.splitlines() if "msg=" in line]
            logs.append(plain("\n".join(lines), endpoint))
            ok = ok and "probe_success 1" in rows
        self._known.add(endpoint.id)
        return Said(ok, "\n\n".join(metrics)), Said(ok, "\n\n".join((*metrics, *logs)))

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(5)


def plain(text: str, endpoint: catalog.Endpoint) -> str:
    """Without what moves, and without the endpoint's own name, port and addresses: those tell no fault apart."""
    for pattern, word in _CHANGES:
        text = pattern.sub(word, text)
    for address in sorted(addresses.service(endpoint.host).addresses, key=len, reverse=True):
        text = text.replace(address, "ADDRESS")
    return (
        text.replace(endpoint.host, "HOST").replace(f":{endpoint.port}", ":PORT").replace(f" {endpoint.port}", " PORT")
    )


class MonitoringPlugins:
    """check_http, check_tcp and check_dns, as a Nagios host check would run them."""

    def __init__(self, net: lab.Lab, host: lab.Host) -> None:
        self._net, self._host = net, host

    def look(self, endpoint: catalog.Endpoint) -> Said:
        commands = (
            http_command(endpoint),
            [f"{PLUGINS}/check_tcp", "-H", endpoint.host, "-p", str(endpoint.port), "-t", str(TIMEOUT)],
            [f"{PLUGINS}/check_dns", "-H", endpoint.host, "-t", str(TIMEOUT)],
        )

        def run(argv: list[str]) -> tuple[int, str]:
            done = self._net.run(self._host, argv, capture_output=True, errors="replace", check=False)
            return done.returncode, plain(done.stdout.partition("|")[0], endpoint)

        with concurrent.futures.ThreadPoolExecutor(len(commands)) as pool:
            said = list(pool.map(run, commands))
        return Said(all(code == 0 for code, text in said), json.dumps(said))


def http_command(endpoint: catalog.Endpoint) -> list[str]:
    """check_http for an endpoint."""
    secure = ["-S", "--sni"] if endpoint.scheme == "https" else []
    return [
        *(f"{PLUGINS}/check_http", "-H", endpoint.host, "-p", str(endpoint.port), "-u", endpoint.path),
        *("-t", str(TIMEOUT), *secure),
    ]
