#!/usr/bin/python
# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_info
short_description: Observe everything that e-Defter needs from a host, in one call
version_added: "0.1.0"
description:
  - Gathers, from the host itself, the endpoints, the clock against several sources, the Windows Time settings, the outbound firewall, proxies and
    the identity of the machine.
  - Only observes. It writes nothing, starts nothing and judges nothing; M(edefter.ready.readiness) judges.
  - Runs on Windows (Windows PowerShell 5.1 and .NET Framework 4.5 or newer) and on POSIX hosts, with the same options and results. Sections that
    only Windows has are absent elsewhere.
options:
  sections:
    description:
      - Parts to observe. The default is all that the platform has.
    type: list
    elements: str
    choices: [identity, network, proxy, endpoints, clock, time, firewall]
extends_documentation_fragment:
  - edefter.ready.probe
  - edefter.ready.probe.endpoints
  - edefter.ready.probe.clock
author:
  - edefter.ready contributors (@edefter-ready)
seealso:
  - module: edefter.ready.endpoint_info
  - module: edefter.ready.clock_info
"""

EXAMPLES = r"""
- name: Observe two endpoints and the clock
  edefter.ready.host_info:
    sections: [identity, endpoints, clock]
    endpoints:
      - {id: uyg, host: uyg.edefter.gov.tr, port: 443}
      - {id: firma-4443, host: firma.myedefter.com.tr, port: 4443}
    time_sources:
      - {id: windows, host: time.windows.com, operator: microsoft}
"""

RETURN = r"""
observation:
  description: The observation; docs/contracts.md in the collection says what each section holds.
  returned: always
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.edefter.ready.plugins.module_utils import (
    clock,
    endpoints,
    identity,
    network,
    proxy,
    time_settings,
)
from ansible_collections.edefter.ready.plugins.module_utils.core import observe
from ansible_collections.edefter.ready.plugins.module_utils.options import host_spec


def main():
    module = AnsibleModule(argument_spec=host_spec(), supports_check_mode=True)
    bodies = {
        "identity": identity.collect,
        "network": network.collect,
        "proxy": proxy.collect,
        "endpoints": endpoints.collect,
        "clock": clock.collect,
        "time": time_settings.collect,
    }
    module.exit_json(changed=False, observation=observe("host_info", bodies, module.params))


if __name__ == "__main__":
    main()
