#!/usr/bin/python
# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: onboard_host
short_description: Go the way to a host stage by stage, then check it
version_added: "0.1.0"
description:
  - Looks from the control node at the host's name, its WinRM port, the certificate of an https listener and the ways to log on that WinRM offers. No
    credential is sent so far.
  - Then logs on by Ansible's own connection, runs M(edefter.ready.host_info) and judges it as M(edefter.ready.readiness) does.
  - Names the stage at which the way ends, the cause and what to do, in Turkish and English, in the host's record. Never fails, and never makes a host
    unreachable.
  - Changes nothing.
extends_documentation_fragment:
  - edefter.ready.judging
options:
  run_dir:
    description:
      - Folder of the run on the control node, from M(edefter.ready.run_open).
    type: path
  firm:
    description:
      - The firm that this host belongs to. The default is the variable C(edefter_firm).
    type: str
  branch:
    description:
      - The branch that this host belongs to. The default is the variable C(edefter_branch).
    type: str
  role:
    description:
      - V(workstation) or V(server). The default is the variable C(edefter_role).
    type: str
author:
  - edefter.ready contributors (@edefter-ready)
seealso:
  - module: edefter.ready.readiness
  - module: edefter.ready.onboard_firms
"""

EXAMPLES = r"""
- name: How far does one get with this host?
  edefter.ready.onboard_host:
  register: way

- name: Show it
  ansible.builtin.debug:
    msg: "{{ way.stage }}: {{ way.message.tr }}"
"""

RETURN = r"""
stage:
  description: Where the way ends. V(check) when it does not.
  returned: always
  type: str
  sample: tls
cause:
  description: The key of the cause; empty when the way does not end before the check.
  returned: always
  type: str
  sample: onboard.cert_expired
state:
  description: The state of the host, as from M(edefter.ready.readiness).
  returned: always
  type: str
  sample: unreachable
message:
  description: One sentence, by language.
  returned: always
  type: dict
"""
