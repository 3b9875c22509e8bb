#!/usr/bin/python
# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: run_merge
short_description: Make one run of several
version_added: "0.1.0"
description:
  - Takes runs over parts of a fleet, for instance the slices of an AWX job, from their folders or from the artifacts that M(edefter.ready.run_share) made,
    and makes one run of them, for M(edefter.ready.run_report).
  - The order of the parts does not matter, and merging once more changes nothing. Of two records of a host the later run's stands.
  - Sets the fact C(edefter_run_dir).
options:
  runs:
    description:
      - Folders of runs.
    type: list
    elements: path
    default: []
  artifacts:
    description:
      - Artifacts. The default is every variable whose name starts with C(edefter_records_), which is how AWX gives a workflow's artifacts to a job.
    type: list
    elements: dict
  reports_dir:
    description:
      - Folder that holds the runs; the merged one gets a folder there.
    type: path
    default: reports
  hosts:
    description:
      - All hosts that the runs together were meant for. One that none of them has a record of is C(pending) in the report. A slice that was lost is noticed
        that way.
    type: list
    elements: str
  language:
    description:
      - The language that the report opens in.
    type: str
    choices: [tr, en]
    default: tr
author:
  - edefter.ready contributors (@edefter-ready)
seealso:
  - module: edefter.ready.run_share
  - module: edefter.ready.run_report
"""

EXAMPLES = r"""
- name: Merge the slices of a workflow
  edefter.ready.run_merge:
    reports_dir: /srv/reports
    hosts: "{{ groups['edefter_hosts'] }}"
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
run:
  description: The merged run.
  returned: always
  type: str
  sample: 20261125T071500Z-m1f2e3d4c
merged:
  description: The runs that it was made of.
  returned: always
  type: list
  elements: str
hosts:
  description: How many hosts it has.
  returned: always
  type: int
  sample: 200
pending:
  description: The hosts that no run has a record of.
  returned: always
  type: list
  elements: str
"""
