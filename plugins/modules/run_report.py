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
  - Compares the machines of a branch with each other, and the clocks of a firm with its server's. A firm whose clocks are too far apart is not ready.
  - Leaves C(digest.json) in the run's folder, and reads that of the newest run before it in the same folder. So the report knows since when a host is not
    ready, what changed, and how fast its clock drifts.
  - Sets the fact C(edefter_apart), hosts whose clocks are too far from their server's, with a sentence about each. M(edefter.ready.run_verdict) takes it.
  - Sets the fact C(edefter_unreached), the hosts that could not be reached.
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
  formats:
    description:
      - Which reports to write.
      - V(html) is C(report.html), one file that needs nothing else, from the firm's owner down to the evidence of each check.
      - V(json) is C(report.json), everything that is known; C(docs/report.schema.json) of the collection is its JSON Schema.
      - V(csv) is C(report.csv), for spreadsheets, with the column headings and the separator of O(language).
      - V(junit) is C(junit.xml), for CI servers.
      - V(metrics) is C(edefter.prom), for the textfile collector of Prometheus' node_exporter.
      - V(firms) is the folder C(firms) with a page like V(html) for every firm which tells of no other, to be handed to that firm.
    type: list
    elements: str
    choices: [html, json, csv, junit, metrics, firms]
    default: [html, json, csv, junit, metrics]
  keep:
    description:
      - How many runs to keep in the folder that this one lies in, this one counted. The oldest finished ones beyond that are deleted.
      - V(0) keeps all.
      - What a report says of earlier runs does not need their folders.
    type: int
    default: 0
author:
  - edefter.ready contributors (@edefter-ready)
"""

EXAMPLES = r"""
- name: Report
  edefter.ready.run_report:
    run_dir: "{{ hostvars['localhost'].edefter_run_dir }}"
  delegate_to: localhost
  run_once: true

- name: A page for people and figures for Prometheus; a month of daily runs is kept
  edefter.ready.run_report:
    run_dir: "{{ hostvars['localhost'].edefter_run_dir }}"
    language: en
    formats: [html, metrics]
    keep: 31
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
  description: Whether every firm is ready, that is all of its hosts are and their clocks agree.
  returned: always
  type: bool
files:
  description: The reports by kind.
  returned: always
  type: dict
  sample: {"html": "reports/20261125T071500Z-ab12/report.html"}
pruned:
  description: Names of the runs that were deleted because of O(keep).
  returned: always
  type: list
  elements: str
  sample: ["20261025T071500Z-07fe"]
summary:
  description: The terminal summary, by line.
  returned: always
  type: list
  elements: str
"""
