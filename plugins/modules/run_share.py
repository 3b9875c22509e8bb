#!/usr/bin/python
# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: run_share
short_description: Give the records of a run to the artifacts of its job
version_added: "0.1.0"
description:
  - Packs the records of a run and sets them as statistics, like M(ansible.builtin.set_stats) does. AWX and ansible-runner keep these as the job's artifacts,
    and AWX gives them to the next job of a workflow, where M(edefter.ready.run_merge) makes one report of all slices.
  - The statistic is called C(edefter_records_<run>), so that several slices do not overwrite each other's.
options:
  run_dir:
    description:
      - Folder of the run, from M(edefter.ready.run_open).
    type: path
    required: true
  max_kb:
    description:
      - How large the packed records may be, in KB. A ready host takes about 1 KB.
      - Beyond that the findings that pass are left out, and if that is not enough everything but the state and its sentence. The result then carries a warning.
    type: int
    default: 1024
author:
  - edefter.ready contributors (@edefter-ready)
seealso:
  - module: edefter.ready.run_merge
"""

EXAMPLES = r"""
- name: Share the records of this slice
  edefter.ready.run_share:
    run_dir: "{{ hostvars['localhost'].ansible_facts.edefter_run_dir }}"
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
name:
  description: The statistic.
  returned: always
  type: str
  sample: edefter_records_20261125T071500Z_ab12
level:
  description: V(whole), V(open) (without what passes) or V(verdicts).
  returned: always
  type: str
  sample: whole
kb:
  description: Size of the packed records.
  returned: always
  type: float
  sample: 57.3
"""
