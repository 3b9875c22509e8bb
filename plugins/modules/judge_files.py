#!/usr/bin/python
# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: judge_files
short_description: Judge the files of edefter-kontrol.exe
version_added: "0.1.0"
description:
  - Reads the files that C(edefter-kontrol.exe) wrote on machines that Ansible cannot reach, judges each as M(edefter.ready.readiness) judges a host, and
    writes the same records into a run's folder, from which M(edefter.ready.run_report) makes the reports.
  - For each firm the plan becomes two pages of instructions for a person, in Turkish and in English, with the Windows dialog and the commands for each step.
  - Of several files of one machine the newest counts. A file that cannot be read stays in the report as a machine without a verdict.
  - The files are not trusted. Size, number and shape are bounded, and nothing in them is run or shown unescaped.
extends_documentation_fragment:
  - edefter.ready.judging
options:
  files:
    description:
      - Folder on the control node that holds the C(.json) files.
    type: path
    required: true
  reports_dir:
    description:
      - Folder that holds the runs, one folder each.
    type: path
    default: reports
  run_dir:
    description:
      - Folder of this run. The default is a new one below O(reports_dir).
    type: path
  measure:
    description:
      - Whether the control node measures too, to tell a fault of the firm's network from one of the service.
    type: bool
    default: true
  vantage_hours:
    description:
      - The control node's own measurement is held against a file only when their times differ by no more than so many hours. An older file is judged by what is
        in it alone.
    type: float
    default: 1.0
  firm:
    description:
      - The firm, for files whose program was not told one.
    type: str
    default: ""
  branch:
    description:
      - The branch, for files whose program was not told one.
    type: str
    default: ""
  language:
    description:
      - Language of a report that has to be written for this run when it is cut off.
    type: str
    choices: [tr, en]
    default: tr
  max_age_days:
    description:
      - An older file gets a warning.
    type: float
    default: 7.0
author:
  - edefter.ready contributors (@edefter-ready)
seealso:
  - module: edefter.ready.readiness
  - module: edefter.ready.run_report
"""

EXAMPLES = r"""
- name: Judge what the firms sent
  edefter.ready.judge_files:
    files: /srv/edefter/incoming
  register: judged

- name: Report
  edefter.ready.run_report:
    run_dir: "{{ edefter_run_dir }}"
"""

RETURN = r"""
hosts:
  description: The file that counts, by machine.
  returned: always
  type: dict
  sample: {"MUHASEBE1": "edefter-MUHASEBE1-20261125T071500Z.json"}
unreadable:
  description: Files that are none of C(edefter-kontrol.exe), with the reason.
  returned: always
  type: list
  elements: dict
superseded:
  description: Files of machines that sent a newer one.
  returned: always
  type: list
  elements: str
counts:
  description: Machines by state.
  returned: always
  type: dict
  sample: {"ready": 7, "blocked": 1}
ready:
  description: Whether every machine is ready.
  returned: always
  type: bool
instructions:
  description: The pages for whoever repairs by hand, by firm and language.
  returned: always
  type: dict
  sample: {"Yıldız": {"tr": "reports/20261125T071500Z-ab12/firms/yildiz/instructions-tr.html"}}
vantage:
  description: Whether the control node could measure, V(ok) or V(failed).
  returned: when it measured
  type: str
  sample: ok
"""
