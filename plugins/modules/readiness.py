#!/usr/bin/python
# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: readiness
short_description: Observe a host, judge whether e-Defter will work on it, and plan the repair
version_added: "0.1.0"
description:
  - Runs M(edefter.ready.host_info) on the host, once, and judges the observation on the control node.
  - Returns findings, each with status, cause, evidence, remedy in Turkish and English and who can fix it, and a plan. The plan holds exactly the calls of
    stock modules that the roles P(edefter.ready.windows_time#role) and P(edefter.ready.windows_firewall#role) make.
  - Puts the host into the group C(edefter_<state>), where the state is one of RV(state). A host that is V(ready) at the first observation enters none.
  - Changes nothing.
extends_documentation_fragment:
  - edefter.ready.judging
options:
  run_dir:
    description:
      - Folder of the run on the control node, from M(edefter.ready.run_open). The host's record is written there. Without it nothing is written.
    type: path
  phase:
    description:
      - V(before) is the first observation, V(after) the one that proves a repair, V(failed) notes that a repair failed and observes nothing.
    type: str
    choices: [before, after, failed]
    default: before
  error:
    description:
      - With O(phase=failed), why the repair failed.
    type: str
  firm:
    description:
      - The firm that this host belongs to, for reports.
    type: str
  branch:
    description:
      - The branch (one network behind one firewall) that this host belongs to, for reports and correlation.
    type: str
  role:
    description:
      - V(workstation) or V(server), for reports and for the firm view of clocks.
    type: str
  slices:
    description:
      - How many runs like this one go at once over parts of the same branches, as the slices of an AWX job do. Machines of a branch share what a time
        server grants one address, and a run sees its own part of them only.
    type: int
    default: 1
  return_findings:
    description:
      - Which findings the result holds, beside the record on disk. Every callback receives what it holds, for every host.
      - V(auto) is all of them without O(run_dir), else those that are not C(pass).
      - V(never) leaves them to the record.
    type: str
    choices: [auto, always, never]
    default: auto
author:
  - edefter.ready contributors (@edefter-ready)
seealso:
  - module: edefter.ready.host_info
  - module: edefter.ready.run_open
  - module: edefter.ready.run_report
"""

EXAMPLES = r"""
- name: Judge this host, the portal left out
  edefter.ready.readiness:
    endpoints:
      - {id: portal, enabled: false}
  register: ready

- name: Show what is wrong
  ansible.builtin.debug:
    msg: "{{ ready.findings | rejectattr('status', 'eq', 'pass') | map(attribute='title.tr') }}"
"""

RETURN = r"""
state:
  description: The verdict on the host in one word.
  returned: always
  type: str
  sample: blocked
message:
  description: The verdict in one sentence, by language.
  returned: always
  type: dict
  sample: {"tr": "e-Defter'e hazır.", "en": "Ready for e-Defter."}
findings:
  description: The verdicts that O(return_findings) asks for, what blocks filing first.
  returned: always
  type: list
  elements: dict
plan:
  description: Calls of stock modules that would repair the host, in order.
  returned: always
  type: list
  elements: dict
"""
