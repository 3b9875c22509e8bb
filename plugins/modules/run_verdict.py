#!/usr/bin/python
# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: run_verdict
short_description: Let Ansible's recap say of a host what the report says
version_added: "0.1.0"
description:
  - Ends as unreachable for a host that could not be reached, as failed for one that is not ready, and as ok for one that is, by its record in the run's folder.
  - Used last in the playbooks, so that the recap, the exit code and AWX agree with the report.
options:
  run_dir:
    description:
      - Folder of the run, from M(edefter.ready.run_open).
    type: path
    required: true
  apart:
    description:
      - Hosts whose clocks are too far from their server's, and a sentence about each; the fact C(edefter_apart) of M(edefter.ready.run_report).
      - Such a host ends as failed although it is ready by itself, because its firm is not.
    type: dict
    default: {}
author:
  - edefter.ready contributors (@edefter-ready)
"""

EXAMPLES = r"""
- name: Say it in the recap
  edefter.ready.run_verdict:
    run_dir: "{{ hostvars['localhost'].edefter_run_dir }}"
    apart: "{{ hostvars['localhost'].ansible_facts.edefter_apart | default({}) }}"
"""

RETURN = r"""
state:
  description: The verdict on the host in one word.
  returned: always
  type: str
  sample: blocked
msg:
  description: The verdict in one sentence.
  returned: always
  type: str
  sample: The machine could not be reached.
"""
