#!/usr/bin/python
# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: run_report
short_description: Write the reports of a run
version_added: "0.1.0"
description:
  - Reads the records of a run from its folder and writes the reports beside them. Every host of the roster is in them, also those that could not be reached
    or that the run did not get to.
  - Shows a summary on the terminal.
options:
  run_dir:
    description:
      - Folder of the run, from M(edefter.ready.run_open).
    type: path
    required: true
  language:
    description:
      - Language of the terminal summary, and the one in which the HTML report opens.
    type: str
    choices: [tr, en]
    default: tr
  show:
    description:
      - Whether to show the summary on the terminal.
    type: bool
    default: true
author:
  - edefter.ready contributors (@edefter-ready)
"""

EXAMPLES = r"""
- name: Report
  edefter.ready.run_report:
    run_dir: "{{ hostvars['localhost'].edefter_run_dir }}"
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
counts:
  description: Hosts by state.
  returned: always
  type: dict
  sample: {"ready": 7, "fixed": 2, "blocked": 1}
ready:
  description: Whether every host is ready.
  returned: always
  type: bool
files:
  description: The reports by kind.
  returned: always
  type: dict
  sample: {"html": "reports/20261125T071500Z-ab12/report.html"}
summary:
  description: The terminal summary, by line.
  returned: always
  type: list
  elements: str
"""
