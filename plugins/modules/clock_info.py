#!/usr/bin/python
# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: clock_info
short_description: Measure a host's clock against several independent sources
version_added: "0.1.0"
description:
  - Asks several NTP servers and https servers for the time, all at once, and reports an interval that holds the host's offset, which sources
    agree, and which tell the wrong time.
  - Offsets are true time minus host time in seconds, as in RFC 5905. A positive one means that the host is behind.
  - The verdict comes from the whole interval, never from its middle. It is V(pass) only when all of the interval is within
    O(pass_seconds) and sources of two operators agree; V(unknown) when the measurement cannot tell.
  - A host that NTP cannot reach is measured by the Date header of https servers, to about a tenth of a second. The control node is the last witness,
    when its own clock is known to be right.
  - Only observes. The host needs nothing but what the module brings along; POSIX hosts need the Python library ntplib.
  - Neither the vendor of e-Defter nor the revenue administration publishes how far a clock may be off; the limits are this collection's defaults.
options:
  pass_seconds:
    description:
      - A clock that is off by no more than this is right. Used on the control node.
    type: float
    default: 1.0
  warn_seconds:
    description:
      - A clock that is off by more than this is wrong. Used on the control node.
    type: float
    default: 60.0
  require_corroboration:
    description:
      - Whether a lone source is not enough for V(pass) or V(fail). Used on the control node.
    type: bool
    default: true
extends_documentation_fragment:
  - edefter.ready.probe
  - edefter.ready.probe.clock
author:
  - edefter.ready contributors (@edefter-ready)
seealso:
  - module: edefter.ready.host_info
"""

EXAMPLES = r"""
# ansible branch_ankara -m edefter.ready.clock_info
- name: Measure the clock against the packaged sources
  edefter.ready.clock_info:
  register: clock

- name: Measure it against the domain controller and two public servers, and be strict
  edefter.ready.clock_info:
    pass_seconds: 0.5
    time_sources:
      - {id: dc, host: dc1.firma.local, operator: firma}
      - {id: ume, host: time.ume.tubitak.gov.tr, operator: tubitak-ume}
      - {id: gib, host: uyg.edefter.gov.tr, kind: https, operator: gib}
"""

RETURN = r"""
observation:
  description: The raw measurement; docs/contracts.md in the collection says what the section C(clock) holds.
  returned: always
  type: dict
verdict:
  description:
    - V(pass), V(warn), V(fail) or V(unknown).
  returned: when the observation could be read
  type: str
  sample: pass
offset:
  description: Best single estimate of true time minus host time, in seconds; null when nothing is known.
  returned: when the observation could be read
  type: float
  sample: 0.0042
bounds:
  description: The interval that holds true time minus host time, in seconds; null when nothing is known.
  returned: when the observation could be read
  type: list
  elements: float
  sample: [-0.011, 0.019]
method:
  description: Sharpest kind of source that agrees, V(ntp), V(date), V(vantage) or V(none).
  returned: when the observation could be read
  type: str
  sample: ntp
corroborated:
  description: Whether sources of at least two operators confirm each other.
  returned: when the observation could be read
  type: bool
  sample: true
falsetickers:
  description: Sources that the majority contradicts.
  returned: when the observation could be read
  type: list
  elements: str
  sample: [pool-tr]
sources:
  description: One row for each source, with its own interval and what became of it.
  returned: when the observation could be read
  type: list
  elements: dict
  sample:
    - {id: ume, host: time.ume.tubitak.gov.tr, kind: ntp, verdict: agrees, offset: 0.0042, bounds: [-0.011, 0.019], delay: 0.012, stratum: 1}
findings:
  description: What this means, with title and remedy in Turkish and English.
  returned: when the observation could be read
  type: list
  elements: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.edefter.ready.plugins.module_utils import clock
from ansible_collections.edefter.ready.plugins.module_utils.core import observe
from ansible_collections.edefter.ready.plugins.module_utils.options import clock_info_spec


def main():
    module = AnsibleModule(argument_spec=clock_info_spec(), supports_check_mode=True)
    module.exit_json(changed=False, observation=observe("clock_info", {"clock": clock.collect}, module.params))


if __name__ == "__main__":
    main()
