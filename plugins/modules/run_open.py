#!/usr/bin/python
# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: run_open
short_description: Open a run, and measure from the control node
version_added: "0.1.0"
description:
  - Makes the folder of a run on the control node, with the roster of all hosts of the play, so that each of them stays accounted for.
  - Probes the endpoints and the clock from where it runs, the control node or a host of the branch that it is delegated to. What only the hosts see
    is then known to be theirs. On the control node itself this goes on beside the first hosts.
  - Writes the reports of runs in the same folder that were broken off, for instance by a power cut, so that none stays without one.
  - Sets the fact C(edefter_run_dir).
extends_documentation_fragment:
  - edefter.ready.judging
options:
  reports_dir:
    description:
      - Folder that holds the runs, one folder each.
    type: path
    default: reports
  run_dir:
    description:
      - Folder of this run. When a run was opened there before (an earlier batch of C(serial)), its roster grows and nothing else happens.
    type: path
  mode:
    description:
      - What the run is for. V(check) only looks.
    type: str
    choices: [check, ready]
    default: ready
  hosts:
    description:
      - The hosts of the run. The default is the hosts of the play.
    type: list
    elements: str
  measure:
    description:
      - Whether to measure from the control node.
    type: bool
    default: true
  language:
    description:
      - The language that the report opens in, should the run be broken off and its report be written without M(edefter.ready.run_report).
    type: str
    choices: [tr, en]
    default: tr
  watch:
    description:
      - Whether a small process stays beside the run which, when ansible-playbook is killed, writes the report of what was seen until then.
    type: bool
    default: true
author:
  - edefter.ready contributors (@edefter-ready)
"""

EXAMPLES = r"""
- name: Open the run
  edefter.ready.run_open:
    reports_dir: /srv/reports
  delegate_to: localhost
  delegate_facts: true
  run_once: true
"""

RETURN = r"""
concluded:
  description: Folders of runs that had been broken off and got their reports now.
  returned: when there were some
  type: list
  elements: str
vantage:
  description: V(started) when the control node measures beside the hosts; else whether the host in its place could measure, V(ok) or V(failed).
  returned: when it measures
  type: str
  sample: ok
"""
