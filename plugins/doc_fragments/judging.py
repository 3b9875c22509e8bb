# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that the judging actions share."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
notes:
  - What an option of this module does not say, the variable C(edefter_) with the option's name says, for instance C(edefter_endpoints)
    or C(edefter_firewall).
options:
  endpoints:
    description:
      - Changes to the packaged catalogue of endpoints, a list of dictionaries. An entry with a known C(id) changes the keys that it names,
        C(enabled=false) switches it off, a new C(id) adds an endpoint.
      - Keys are C(id), C(host), C(port), C(scheme), C(path), C(allow), C(required), C(purpose) and C(enabled).
    type: list
    elements: dict
  time_sources:
    description:
      - Changes to the packaged time sources, in the same way.
      - Keys are C(id), C(host), C(port), C(kind) (V(ntp) or V(https)), C(operator), C(path), C(peer) and C(enabled).
    type: list
    elements: dict
  canaries:
    description:
      - Changes to the packaged canaries, in the same way. They tell a fault of the host, of the site and of the Internet apart.
      - Keys are C(id), C(kind), C(host), C(port), C(path), C(expect) and C(enabled).
    type: list
    elements: dict
  use_canaries:
    description:
      - Whether canaries are probed at all.
    type: bool
    default: true
  probe:
    description:
      - How to measure. Keys as the options of M(edefter.ready.host_info) with these names.
    type: dict
    suboptions:
      timeout:
        description: Seconds that one phase of one attempt may take.
        type: float
        default: 5.0
      deadline:
        description: Seconds for the whole observation of a host.
        type: float
        default: 25.0
      samples:
        description: SNTP samples per time source. The default is that of M(edefter.ready.clock_info).
        type: int
      sample_interval:
        description: Seconds between two samples of one source. The default is that of M(edefter.ready.clock_info).
        type: float
      seed:
        description: Makes randomised orders repeatable. For tests.
        type: int
  endpoint:
    description:
      - The wanted state of connections; the README lists the keys.
    type: dict
    default: {}
  clock:
    description:
      - The wanted accuracy of the clock; the README lists the keys.
    type: dict
    default: {}
  time:
    description:
      - The wanted Windows Time settings and time zone; the README of the role P(edefter.ready.windows_time#role) lists the keys.
    type: dict
    default: {}
  firewall:
    description:
      - The wanted outbound firewall rules; the README of the role P(edefter.ready.windows_firewall#role) lists the keys.
    type: dict
    default: {}
  scope:
    description:
      - What to judge and plan. The default is everything.
    type: list
    elements: str
    choices: [endpoints, clock, time, firewall]
    default: [endpoints, clock, time, firewall]
  vantage_elsewhere:
    description:
      - Whether the control node leaves through another line and firewall than the host. Not given, nobody said.
      - With V(true), what fails alike on both is the service's own outage; else it may as well be a block for the whole site, and is called so.
    type: bool
"""
