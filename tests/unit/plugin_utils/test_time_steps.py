# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every step of every plan is a call that the stock modules document, and every cause has words in both languages."""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
import typing as t

import pytest
import test_time_table as table
import w32time_cases as cases
import yaml
from ansible_collections.edefter.ready.plugins.plugin_utils import messages
from ansible_collections.edefter.ready.plugins.plugin_utils.model import Step
from ansible_collections.edefter.ready.plugins.plugin_utils.plan.time import plan_time
from ansible_collections.edefter.ready.plugins.plugin_utils.w32time import steps as kinds
from ansible_collections.edefter.ready.plugins.plugin_utils.w32time.case import ClockView
from windows_double import ansible_run

ROOT = pathlib.Path(__file__).parents[3]
PURE = ROOT / "plugins" / "plugin_utils"
TYPES = {"str": str, "path": str, "bool": bool, "int": int, "list": list, "raw": (str, int)}


def planned() -> list[Step]:
    """One of each step there is: the plans of every kind and fault, with a right clock and one that is years off."""
    found: dict[str, Step] = {}
    for kind in cases.KINDS:
        for name in table.FAULTS:
            observed = cases.section(kind, table._over(kind, name))
            host = cases.host(kind, **table.FAULTS[name].identity)
            for clock in (ClockView(-0.01, 0.01), ClockView(7e8, 7e8 + 1)):
                for step in plan_time(observed, host, cases.WANTED, clock):
                    found.setdefault(f"{step.id} {step.args}", step)
    return list(found.values())


@pytest.fixture(scope="module")
def documented(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, t.Any]]:
    """Options of the stock modules, as ansible-doc prints them."""
    env = ansible_run.environment(tmp_path_factory.mktemp("ansible"))
    names = sorted({step.module for step in planned()})
    command = [ansible_run.program("ansible-doc"), "-t", "module", "-j", *names]
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    if done.returncode or not done.stdout.strip():
        pytest.skip("ansible-doc does not find the ansible.windows collection here")
    return {name: doc["doc"]["options"] for name, doc in json.loads(done.stdout).items()}


def test_every_kind_of_step_occurs() -> None:
    assert {step.kind for step in planned()} == set(kinds.KINDS)


def test_arguments_are_documented(documented: dict[str, dict[str, t.Any]]) -> None:
    for step in planned():
        options = documented[step.module]
        for name, value in step.args.items():
            assert name in options, f"{step.id}: {step.module} has no option {name}"
            spec = options[name]
            assert isinstance(value, TYPES[spec["type"]]), f"{step.id}: {name}={value!r} is not {spec['type']}"
            if spec.get("choices"):
                assert value in spec["choices"], f"{step.id}: {name}={value!r}"
        missing = {name for name, spec in options.items() if spec.get("required")} - set(step.args)
        assert not missing, f"{step.id}: {missing}"


def causes() -> set[str]:
    """Every message key that this room's source names."""
    files = [*PURE.glob("w32time/*.py"), PURE / "judge" / "time.py", PURE / "plan" / "time.py"]
    pattern = re.compile(r'"(time\.[a-z_]+\.[a-z_]+|time\.kind_unknown|time\.not_observed)"')
    named = {key for path in files for key in pattern.findall(path.read_text(encoding="utf-8"))}
    return named | {f"time.step.{kind}" for kind in kinds.KINDS}


def test_every_cause_has_words_and_no_words_are_left_over() -> None:
    texts = json.loads((PURE / "data" / "messages" / "time.json").read_text(encoding="utf-8"))
    assert causes() == set(texts)
    for key, message in texts.items():
        assert set(message) == {"title", "remedy"}, key
        for part in message.values():
            assert set(part) == set(messages.LANGUAGES), key
            assert messages.placeholders(part["tr"]) == messages.placeholders(part["en"]), key
        assert message["title"]["tr"], key


ROLE = ROOT / "roles" / "windows_time" / "tasks" / "repair.yml"
SELECTED = re.compile(r"selectattr\('kind', '(?:eq|in)', (\[[^]]*\]|'[a-z_]+')\) \}\}")


def role_tasks() -> list[tuple[list[str], str, set[str]]]:
    """(kinds, module, options) of the role's tasks that apply steps, in their order."""
    (block,) = [task for task in yaml.safe_load(ROLE.read_text(encoding="utf-8")) if "block" in task]
    found = []
    for task in [*block["block"], *block["always"]]:
        match = SELECTED.search(str(task.get("loop", "")))
        if match is None:
            continue
        (module,) = [key for key in task if key.startswith("ansible.windows.")]
        found.append((re.findall(r"[a-z_]+", match[1]), module, set(task[module])))
    return found


def test_the_role_applies_every_kind_of_step_once_in_order_and_with_all_its_arguments() -> None:
    tasks = role_tasks()
    applied = [kind for named, dummy, dummy in tasks for kind in named]
    assert sorted(applied) == sorted(kinds.KINDS)
    # Kinds that share a task are applied in the plan's order; a later task holds no kind that has to come earlier, but
    # for a restart, which stands for the update and so never meets it.
    order = [min(kinds.KINDS.index(kind) for kind in named) for named, dummy, dummy in tasks]
    assert order == sorted(order)
    for step in planned():
        (task,) = [task for task in tasks if step.kind in task[0]]
        assert task[1] == step.module, step.id
        assert set(step.args) <= task[2], step.id


def test_update_and_restart_never_meet() -> None:
    for kind in cases.KINDS:
        for name in table.FAULTS:
            for clock in (None, ClockView(-0.01, 0.01), ClockView(420.0, 420.1)):
                observed = cases.section(kind, table._over(kind, name))
                steps = {step.kind for step in plan_time(observed, cases.host(kind), cases.WANTED, clock)}
                assert not {"update", "restart"} <= steps
