#!/usr/bin/python
# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: onboard_hosts
short_description: Read a firm's list of hosts
version_added: "0.1.0"
description:
  - Reads a CSV file as a spreadsheet saves it, with comma, semicolon or tab, in UTF-8 or in Windows' Turkish code page.
  - Columns are C(name), C(address), C(firm), C(branch), C(role) and C(port), or C(ad), C(adres), C(firma), C(şube), C(rol) and C(port). Others are left
    out. A list with a column for passwords is refused.
options:
  file:
    description:
      - The list, on the control node.
    type: path
    required: true
  firm:
    description:
      - The firm of rows that name none.
    type: str
    default: ""
author:
  - edefter.ready contributors (@edefter-ready)
"""

EXAMPLES = r"""
- name: Read the list
  edefter.ready.onboard_hosts:
    file: firma.csv
  register: listed
"""

RETURN = r"""
hosts:
  description: The hosts, each with C(name), C(address), C(firm), C(branch), C(role) and C(port).
  returned: always
  type: list
  elements: dict
  sample: [{"name": "pc1", "address": "192.0.2.11", "firm": "Yıldız", "branch": "Ankara", "role": "workstation", "port": null}]
"""
