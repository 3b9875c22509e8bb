#!/usr/bin/python
# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: onboard_firms
short_description: Say of each firm whether it can be taken on
version_added: "0.1.0"
description:
  - Reads the records that M(edefter.ready.onboard_host) wrote. A firm is go when each of its hosts is ready, or needs only what the collection repairs by
    itself.
  - Writes for each firm, below C(firms/) in the run's folder, a letter in Turkish and one in English, an inventory that can be used as it is, and the
    allow-lists and the letter for who runs the perimeter firewall.
options:
  run_dir:
    description:
      - Folder of the run.
    type: path
    required: true
  endpoints:
    description:
      - Changes to the packaged catalogue of endpoints, as for M(edefter.ready.readiness).
    type: list
    elements: dict
  time_sources:
    description:
      - Changes to the packaged time sources, as for M(edefter.ready.readiness).
    type: list
    elements: dict
  perimeter_devices:
    description:
      - Devices to write allow-lists for.
    type: list
    elements: str
    choices: [asa, csv, fortigate, letter, mikrotik, nftables, opnsense, pfsense, sophos, squid]
    default: [asa, csv, fortigate, letter, mikrotik, nftables, opnsense, pfsense, sophos, squid]
  perimeter_options:
    description:
      - Options of the lists, as for the filter P(edefter.ready.perimeter#filter).
    type: dict
    default: {}
  date:
    description:
      - The date of the letters, as it is to be printed.
    type: str
    default: ""
  sender:
    description:
      - Who sends the letters.
    type: str
    default: ""
author:
  - edefter.ready contributors (@edefter-ready)
seealso:
  - module: edefter.ready.onboard_host
"""

EXAMPLES = r"""
- name: Go or no-go
  edefter.ready.onboard_firms:
    run_dir: "{{ edefter_run_dir }}"
    date: 25.11.2026
  register: onboarded
"""

RETURN = r"""
go:
  description: Whether every firm can be taken on.
  returned: always
  type: bool
firms:
  description: By firm, whether it is C(go), how many C(hosts) it has, who is C(waiting) at which stage, and the C(folder) with its papers.
  returned: always
  type: dict
  sample: {"Yıldız": {"go": false, "hosts": 8, "waiting": {"pc4": "auth"}, "folder": "reports/20261125T071500Z-ab12/firms/yildiz"}}
"""
