# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host's firewall for unit tests: settings and rules in, the parsed section out, and a plan applied by the double of
the stock module, so that what a plan does is what community.windows.win_firewall_rule would do."""

from __future__ import annotations

import functools
import pathlib
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils import catalog
from ansible_collections.edefter.ready.plugins.plugin_utils.model import Step
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.firewall import Firewall, parse_firewall
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted.firewall import FirewallContext
from windows_double import fwrules
from windows_double.registry import Value
from windows_double.stock import win_firewall_rule
from windows_double.task import Task

STORES = ("local", "gpo", "mdm", "appiso", "static", "configurable")
CLOSED = {profile: {"DefaultOutboundAction": 1} for profile in ("domain", "private", "public")}
VOID = {profile: {"AllowLocalPolicyMerge": 0} for profile in ("domain", "private", "public")}
ADDRESSES = {
    "uyg.edefter.gov.tr": ("203.0.113.10", "2001:db8:113::10"),
    "firma.myedefter.com.tr": ("203.0.113.20",),
    "portal.emikro.com.tr": ("203.0.113.30",),
    "time.windows.com": ("198.51.100.101",),
}
CONTEXT = FirewallContext(catalog.endpoints(), catalog.time_sources(), ADDRESSES)


class Host:
    """Registry of one host, as far as rules go; stands where windows_double.host.Host stands."""

    def __init__(
        self,
        rules: t.Mapping[str, str] | t.Sequence[str] = (),
        profiles: t.Mapping[str, t.Mapping[str, t.Mapping[str, t.Any]]] | None = None,
        stores: t.Mapping[str, t.Sequence[str]] | None = None,
        active: int | None = 2,
        service: str | None = "running",
        truncated: bool = False,
    ) -> None:
        named = rules if isinstance(rules, t.Mapping) else {f"r{n}": raw for n, raw in enumerate(rules)}
        self.local = {key: Value(key, "string", raw) for key, raw in named.items()}
        self.profiles = profiles or {}
        self.stores = stores or {}
        self.active = active
        self.service = service
        self.truncated = truncated
        self.on_firewall_change: list[t.Any] = []

    # What the double of the stock module asks of a host.
    @property
    def registry(self) -> Host:
        return self

    def writable(self) -> Host:
        return self

    def values(self, key: str) -> dict[str, Value]:
        assert key == fwrules.RULES
        return dict(self.local)

    def set(self, key: str, name: str, kind: str, data: str) -> None:
        assert (key, kind) == (fwrules.RULES, "string")
        self.local[name] = Value(name, kind, data)

    def delete_value(self, key: str, name: str) -> None:
        assert key == fwrules.RULES
        del self.local[name]

    def raw(self) -> list[str]:
        return [value.data for value in self.local.values()]

    def section(self) -> dict[str, t.Any]:
        """As Firewall.cs sends it."""
        stores = {name: [[f"{name}{n}", raw] for n, raw in enumerate(self.stores.get(name, ()))] for name in STORES}
        stores["local"] = [[value.name, value.data] for value in self.local.values()]
        return {
            "policy_version": 545,
            "active_profiles": {"bits": self.active, "error": None},
            "services": {x: {"state": self.service, "start": 2, "error": None} for x in ("mpssvc", "bfe")},
            "profiles": {
                store: {
                    name: dict(self.profiles[store][name]) if name in self.profiles.get(store, {}) else None
                    for name in ("domain", "private", "public", "standard")
                    if store == "gpo" or name != "standard"
                }
                for store in ("local", "gpo", "mdm")
            },
            "stores": {
                name: {
                    "present": True,
                    **dict.fromkeys(("packaged", "services", "malformed"), 0),
                    "total": len(rules),
                    "outbound": len(rules),
                    "truncated": self.truncated and name == "local",
                    "rules": rules,
                }
                for name, rules in stores.items()
            },
        }

    def firewall(self) -> Firewall:
        return parse_firewall(self.section())

    def apply(self, steps: t.Iterable[Step]) -> list[dict[str, t.Any]]:
        """Runs the plan; each step has to change something."""
        results = []
        for step in steps:
            assert step.module == win_firewall_rule.NAME
            args = {name: step.args.get(name) for name in documented()}
            args["state"] = step.args.get("state", "present")
            task = Task(step.module, args, frozenset(step.args), check=False, diff=True)
            results.append(win_firewall_rule.run(self, task))  # type: ignore[arg-type]
        return results


@functools.lru_cache(maxsize=1)
def documented() -> dict[str, t.Any]:
    """The options that the stock module documents, as its collection here has them, else as 3.2.0 did."""
    import yaml
    from tree import ROOT

    for place in (ROOT / ".cache" / "collections", ROOT / ".collections"):
        path = place / "ansible_collections/community/windows/plugins/modules/win_firewall_rule.py"
        if path.is_file():
            return t.cast("dict[str, t.Any]", yaml.safe_load(_documentation(path))["options"])
    names = (
        "name group enabled state direction action description localip remoteip localport remoteport program service "
        "protocol profiles icmp_type_code"
    )
    return {name: {"type": "list" if name in ("profiles", "icmp_type_code") else "str"} for name in names.split()}


def _documentation(path: pathlib.Path) -> str:
    import ast

    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "DOCUMENTATION":
            return t.cast("str", ast.literal_eval(node.value))
    raise AssertionError(f"{path}: no DOCUMENTATION")
