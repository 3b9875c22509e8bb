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

PORT = 9115
PLUGINS = "/usr/lib/nagios/plugins"
TIMEOUT = 3
# Durations, times, and what is different in every run.
_MOVING = re.compile(r"duration|expiry|timestamp|last_modified|_seconds")
_NUMBERS = re.compile(r"\b\d+(?:\.\d+)?(?:e[+-]\d+)?\s?(?:ms|s|µs|seconds?|bytes?)?\b")


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
            metrics.append("\n".join(sorted(kept)))
            logs.append("\n".join(_log(line) for line in log.splitlines() if "msg=" in line))
            ok = ok and "probe_success 1" in rows
        return Said(ok, "\n\n".join(metrics)), Said(ok, "\n\n".join((*metrics, *logs)))

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(5)


def _log(line: str) -> str:
    """The message, its level and error; no times, ports or durations."""
    return _NUMBERS.sub("#", line.partition("level=")[2])


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
            return done.returncode, _NUMBERS_KEEPING_STATUS.sub("#", done.stdout.partition("|")[0])

        with concurrent.futures.ThreadPoolExecutor(len(commands)) as pool:
            said = list(pool.map(run, commands))
        return Said(all(code == 0 for code, text in said), json.dumps(said))


# "HTTP/1.1 503" says something; "0.012 second response time" and "158 bytes" change.
_NUMBERS_KEEPING_STATUS = re.compile(r"\d+\.\d+(?= second)|\d+(?= bytes)|(?<=after )\d+|(?<=in )\d+(?= seconds)")


def http_command(endpoint: catalog.Endpoint) -> list[str]:
    """check_http for an endpoint."""
    secure = ["-S", "--sni"] if endpoint.scheme == "https" else []
    return [
        *(f"{PLUGINS}/check_http", "-H", endpoint.host, "-p", str(endpoint.port), "-u", endpoint.path),
        *("-t", str(TIMEOUT), *secure),
    ]
