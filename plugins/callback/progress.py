# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A live line at the bottom of the terminal while a run goes on."""

from __future__ import annotations

DOCUMENTATION = r"""
name: progress
type: notification
short_description: Show how far a run has come
version_added: "0.1.0"
description:
  - Keeps the last row of the terminal for one line, hosts done, ready, to be repaired, not reachable, and how long the
    rest will take.
  - Counts what M(edefter.ready.readiness) says of each host; other plays leave the line as it is.
  - Is silent when the output is not a terminal, so logs, CI and AWX are spared.
requirements:
  - Enable it in C(ansible.cfg), C(callbacks_enabled = edefter.ready.progress), or with the environment variable
    C(ANSIBLE_CALLBACKS_ENABLED).
options:
  language:
    description:
      - Language of the line.
    type: str
    choices: [tr, en]
    default: tr
    env:
      - name: EDEFTER_PROGRESS_LANGUAGE
    ini:
      - section: callback_edefter_progress
        key: language
author:
  - edefter.ready contributors (@edefter-ready)
"""

import atexit
import os
import shutil
import sys
import time
import typing as t

from ansible.plugins.callback import CallbackBase
from ansible_collections.edefter.ready.plugins.plugin_utils.report.progress import Progress

ACTION = "edefter.ready.readiness"
# Seconds between two drawings; the fastest fleet tells more hosts than an eye can follow.
INTERVAL = 0.2


class Screen:
    """The last row of a terminal: everything else scrolls above it."""

    def __init__(self, out: t.TextIO) -> None:
        self._out = out
        self._rows = 0

    def show(self, text: str) -> None:
        """Puts the text there, cut to the terminal's width."""
        columns, rows = shutil.get_terminal_size()
        if rows < 4:
            return
        if rows != self._rows:
            self._reserve(rows)
        # Save the cursor, go to the last row, clear it, write in reverse video, come back.
        self._out.write(f"\0337\033[{rows};1H\033[2K\033[7m{text[: columns - 1]}\033[0m\0338")
        self._out.flush()

    def _reserve(self, rows: int) -> None:
        """Scrolling ends one row earlier. The line feed first makes room when the cursor is in the last row."""
        self._out.write(f"\n\0337\033[1;{rows - 1}r\0338\033[1A")
        self._rows = rows

    def leave(self) -> None:
        """Gives the row back."""
        if self._rows:
            self._out.write(f"\0337\033[r\033[{self._rows};1H\033[2K\0338")
            self._out.flush()
            self._rows = 0


def is_terminal(out: t.Any) -> bool:
    """Whether lines can be drawn over there."""
    try:
        return bool(out.isatty()) and os.environ.get("TERM", "dumb") not in ("", "dumb")
    except (AttributeError, ValueError):
        return False


class CallbackModule(CallbackBase):
    """Counts hosts as their results come in."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "edefter.ready.progress"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *args: t.Any, **kwargs: t.Any) -> None:
        super().__init__(*args, **kwargs)
        self._screen: Screen | None = None
        self._progress: Progress | None = None
        self._total = 0
        self._drawn = 0.0

    def set_options(self, *args: t.Any, **kwargs: t.Any) -> None:
        super().set_options(*args, **kwargs)
        if is_terminal(sys.stdout):
            self._screen = Screen(sys.stdout)
            # Ansible may end without telling: the terminal is put right all the same.
            atexit.register(self._screen.leave)
        else:
            self.disabled = True

    def v2_playbook_on_play_start(self, play: t.Any) -> None:
        # All hosts of the play: `serial` restricts the inventory to one batch at a time.
        inventory = getattr(play.get_variable_manager(), "_inventory", None)
        self._total = len(inventory.get_hosts(play.hosts, ignore_restrictions=True)) if inventory else 0

    def v2_playbook_on_task_start(self, task: t.Any, is_conditional: bool) -> None:
        phase = task.args.get("phase", "before") if task.resolved_action == ACTION else None
        if phase == "before" and self._progress is None:
            self._progress = Progress(self._total, time.monotonic(), self.get_option("language"))
            self._draw(force=True)

    def _count(self, result: t.Any, ignore_errors: bool = False) -> None:
        if self._progress is not None and result.task.resolved_action == ACTION:
            told = result.result
            state = told.get("state") or ("unreachable" if told.get("unreachable") else "unknown")
            self._progress.host(result.host.get_name(), state, time.monotonic())
            # The last host's line stays: it is drawn in any case.
            self._draw(force=self._progress.complete)

    v2_runner_on_ok = v2_runner_on_failed = v2_runner_on_unreachable = _count

    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        if self._screen is not None:
            self._screen.leave()

    def _draw(self, force: bool = False) -> None:
        now = time.monotonic()
        if self._screen is not None and self._progress is not None and (force or now - self._drawn >= INTERVAL):
            self._drawn = now
            self._screen.show(self._progress.line(now))
