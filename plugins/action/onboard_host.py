# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Goes the way to a host stage by stage, then checks it as readiness does. Never fails and never gives a host up: what
is wrong stands in the host's record."""

from __future__ import annotations

import datetime
import os
import time
import typing as t

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible_collections.edefter.ready.plugins.action.readiness import ActionModule as Readiness
from ansible_collections.edefter.ready.plugins.plugin_utils import messages, record
from ansible_collections.edefter.ready.plugins.plugin_utils.edge import reach
from ansible_collections.edefter.ready.plugins.plugin_utils.edge.store import RunStore
from ansible_collections.edefter.ready.plugins.plugin_utils.model import Finding, Status
from ansible_collections.edefter.ready.plugins.plugin_utils.onboard import judge
from ansible_collections.edefter.ready.plugins.plugin_utils.onboard.stages import PLAIN, SECURE, Attempt, Connection
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted import everything

Json = dict[str, t.Any]
MAX_TEXT = 4000


class ActionModule(Readiness):
    """Action of M(edefter.ready.onboard_host)."""

    _attempt: Attempt | None = None
    _findings_of_stages: tuple[Finding, ...] = ()

    def observe(self, module: str, args: Json, task_vars: Json) -> Json:
        try:
            reply = super().observe(module, args, task_vars)
        except AnsibleError as error:
            types = tuple(kind.__name__ for kind in type(error).__mro__ if issubclass(kind, AnsibleError))
            self._attempt = Attempt("connection", types, str(error)[:MAX_TEXT])
            # The winrm plugin says some failures to connect by the general error.
            if isinstance(error, AnsibleConnectionFailure):
                raise
            raise AnsibleConnectionFailure(str(error)) from error
        text = str(reply.get("msg") or "")[:MAX_TEXT]
        output = f"{reply.get('module_stderr') or ''}\n{reply.get('module_stdout') or ''}"[:MAX_TEXT]
        if reply.get("unreachable"):
            self._attempt = Attempt("connection", (), text, output)
        elif reply.get("failed"):
            self._attempt = Attempt("module", (), text, output)
        else:
            self._attempt = Attempt("ok")
        return reply

    def _assessed(
        self,
        wanted: everything.Wanted,
        store: RunStore | None,
        earlier: Json,
        args: Json,
        task_vars: Json,
    ) -> Json:
        began = time.monotonic()
        connection, ca_file = connection_of(self._connection)
        looked = reach.look(connection, ca_file, min(float(wanted.probe.get("timeout", 5.0)), 10.0))
        found = judge.outside(connection, looked)
        result: Json | None = None
        if not judge.ended(found):
            result = super()._assessed(wanted, store, earlier, args, task_vars)
            found += judge.inside(connection, looked, self._attempt or Attempt("ok"))
        if store:
            noted = {"address": connection.address, "variables": _variables(connection, task_vars), "skew": looked.skew}
            RunStore(store.folder / "onboard").put(task_vars["inventory_hostname"], noted)
        self._findings_of_stages = found
        failed = next((finding for finding in found if finding.status is Status.FAIL), None)
        if failed is not None:
            return _stuck(failed, found, (time.monotonic() - began) * 1000.0)
        return _with_stages(t.cast("Json", result), found)

    def _reply(self, result: Json, earlier: Json, args: Json) -> Json:
        stuck = next((finding for finding in self._findings_of_stages if finding.status is Status.FAIL), None)
        return {
            "changed": False,
            "state": result["state"],
            "message": result["message"],
            "stage": stuck.subject if stuck else "check",
            "cause": stuck.cause if stuck else "",
            "msg": result["message"]["en"],
        }


def _stuck(failed: Finding, found: tuple[Finding, ...], elapsed_ms: float) -> Json:
    """The record of a host to which the way ends before the check."""
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    reached = failed.subject == "shell"
    return {
        "state": "unknown" if reached else "unreachable",
        "message": messages.render(failed.cause, "title", failed.params),
        "before": record.part(now, round(elapsed_ms, 1), found, (), {}),
        "after": None,
        "error": {"kind": "module" if reached else "unreachable", "message": failed.observed[:300]},
    }


def _with_stages(result: Json, found: tuple[Finding, ...]) -> Json:
    """The record of the check with the stages among its findings: warnings before what is fine, the rest at the end."""
    part = result["before"] or record.part("", 0.0, (), (), {})
    stages = [record.finding_dict(finding) for finding in found]
    loud = [finding for finding in part["findings"] if finding["status"] != "pass"]
    fine = [finding for finding in part["findings"] if finding["status"] == "pass"]
    loud += [finding for finding in stages if finding["status"] != "pass"]
    fine += [finding for finding in stages if finding["status"] == "pass"]
    return {**result, "before": {**part, "findings": [*loud, *fine]}}


def connection_of(plugin: t.Any) -> tuple[Connection, str | None]:
    """What the connection plugin was told, and the file of authorities that it trusts (None: its default)."""
    kind = str(plugin.transport).rpartition(".")[2]
    context = plugin._play_context

    def option(name: str) -> t.Any:
        try:
            return plugin.get_option(name)
        except KeyError:
            return None

    address = str(option("remote_addr") or option("host") or context.remote_addr or "")
    user = str(option("remote_user") or context.remote_user or "")
    if kind == "winrm":
        port = int(option("port") or SECURE)
        tls = (option("scheme") or ("http" if port == PLAIN else "https")) == "https"
        extras = option("_extras") or {}
        given = [str(name) for name in option("transport") or () if name]
        auth = {"plaintext": "basic", "ssl": "basic", "": "basic"}.get(
            given[0] if given else "", given[0] if given else ""
        )
        verify = extras.get("ansible_winrm_server_cert_validation") != "ignore"
        proxied = bool(extras.get("ansible_winrm_proxy")) or _proxied(address, port, tls)
        ca_file = extras.get("ansible_winrm_ca_trust_path")
    elif kind == "psrp":
        port = int(option("port") or SECURE)
        tls = (option("protocol") or ("http" if port == PLAIN else "https")) == "https"
        auth, verify = str(option("auth") or "negotiate"), option("cert_validation") != "ignore"
        proxied = bool(option("proxy")) or (not option("ignore_proxy") and _proxied(address, port, tls))
        ca_file = option("ca_cert")
    else:
        return Connection(kind, address, int(option("port") or context.port or 22), False, "", user), None
    return Connection(kind, address, port, tls, auth, user, verify, proxied), str(ca_file) if ca_file else None


def _proxied(address: str, port: int, tls: bool) -> bool:
    """Whether `requests` would send it through a proxy of the environment."""
    names = ("http_proxy", "https_proxy", "all_proxy")
    if not any(os.environ.get(name) or os.environ.get(name.upper()) for name in names):
        return False
    try:
        from requests.utils import get_environ_proxies
    except ImportError:
        return False
    scheme = "https" if tls else "http"
    host = f"[{address}]" if ":" in address else address
    proxies = get_environ_proxies(f"{scheme}://{host}:{port}/wsman")
    return bool(proxies.get(scheme) or proxies.get("all"))


def _variables(connection: Connection, task_vars: Json) -> Json:
    """The variables with which this host was tried, without account and password."""
    made: Json = {"ansible_connection": connection.kind, "ansible_port": connection.port}
    if connection.kind == "winrm":
        made["ansible_winrm_scheme"] = "https" if connection.tls else "http"
        made["ansible_winrm_transport"] = connection.auth
    elif connection.kind == "psrp":
        made["ansible_psrp_protocol"] = "https" if connection.tls else "http"
        made["ansible_psrp_auth"] = connection.auth
    for name in (
        "ansible_winrm_ca_trust_path",
        "ansible_winrm_server_cert_validation",
        "ansible_psrp_ca_cert",
        "ansible_psrp_cert_validation",
    ):
        value = task_vars.get(name)
        if isinstance(value, str) and "{" not in value:
            made[name] = value
    return made
