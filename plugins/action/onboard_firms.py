# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Says of each firm of a run whether it can be taken on, and writes its letter, perimeter lists and inventory."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail
from ansible_collections.edefter.ready.plugins.action.host_info import ObservingAction
from ansible_collections.edefter.ready.plugins.plugin_utils import catalog, messages
from ansible_collections.edefter.ready.plugins.plugin_utils.edge.store import RunStore, write_atomically
from ansible_collections.edefter.ready.plugins.plugin_utils.model import OptionError
from ansible_collections.edefter.ready.plugins.plugin_utils.onboard import letter
from ansible_collections.edefter.ready.plugins.plugin_utils.onboard.firm import Firm, host_of, inventory, slugs
from ansible_collections.edefter.ready.plugins.plugin_utils.perimeter import devices, model
from ansible_collections.edefter.ready.plugins.plugin_utils.perimeter import letter as perimeter_letter
from ansible_collections.edefter.ready.plugins.plugin_utils.perimeter.observed import observed

Json = dict[str, t.Any]
SPEC: Json = {
    "run_dir": {"type": "path", "required": True},
    "endpoints": {"type": "list", "elements": "dict"},
    "time_sources": {"type": "list", "elements": "dict"},
    "perimeter_devices": {
        "type": "list",
        "elements": "str",
        "choices": sorted(devices.DEVICES),
        "default": sorted(devices.DEVICES),
    },
    "perimeter_options": {"type": "dict", "default": {}},
    "date": {"type": "str", "default": ""},
    "sender": {"type": "str", "default": ""},
}


class ActionModule(ObservingAction):
    """Action of M(edefter.ready.onboard_firms)."""

    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: Json | None = None) -> Json:
        result = super().run(tmp, task_vars)
        self.take_variables(("endpoints", "time_sources", "perimeter_devices", "perimeter_options"), task_vars or {})
        _spec, args = self.validate_argument_spec(SPEC)
        store = RunStore(args["run_dir"])
        if not store.exists():
            raise AnsibleActionFail(f"run_dir: {args['run_dir']!r} holds no run; open one with edefter.ready.run_open")
        try:
            wanted = model.targets(catalog.endpoints(args["endpoints"]), catalog.time_sources(args["time_sources"]))
            options = model.Options.from_options(args["perimeter_options"])
        except OptionError as error:
            raise AnsibleActionFail(str(error)) from error
        known = RunStore(store.folder / "onboard")
        records: dict[str, list[Json]] = {}
        for record in store.records():
            records.setdefault(str(record.get("firm") or ""), []).append(record)
        names = slugs(records)
        firms: dict[str, Json] = {}
        for name, own in records.items():
            firm = Firm(name, tuple(host_of(record, known.get(record["host"])) for record in own))
            folder = store.folder / "firms" / names[name]
            about = perimeter_letter.About(name, args["sender"], args["date"])
            for language in messages.LANGUAGES:
                write_atomically(
                    folder / f"letter-{language}.html", letter.render(firm, language, args["date"], args["sender"])
                )
            write_atomically(folder / "inventory.yml", inventory(firm))
            for device in args["perimeter_devices"]:
                made = (
                    perimeter_letter.render(wanted, options, observed(own), about)
                    if device == "letter"
                    else devices.export(device, wanted, options)
                )
                for file_name, content in made.files:
                    write_atomically(folder / "perimeter" / file_name, content)
            firms[name] = {
                "go": firm.go,
                "hosts": len(firm.hosts),
                "waiting": {host.name: host.stage for host in firm.waiting},
                "folder": str(folder),
            }
        result.update(changed=False, firms=firms, go=bool(firms) and all(firm["go"] for firm in firms.values()))
        result["msg"] = "; ".join(
            f"{name or '-'}: {'go' if firm['go'] else 'no-go'} ({len(firm['waiting'])} of {firm['hosts']} waiting)"
            for name, firm in firms.items()
        )
        return result
