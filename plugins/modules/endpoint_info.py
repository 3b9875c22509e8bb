#!/usr/bin/python
# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: endpoint_info
short_description: Probe endpoints through DNS, TCP, TLS and HTTP, every address and proxy at once
version_added: "0.1.0"
description:
  - Probes every endpoint from the host itself. Each phase carries its own time and its own typed error.
  - DNS is asked at every resolver, past caches and the hosts file, and through the system as well.
  - Every address of a name is tried, and each proxy that is set on the host, with C(CONNECT) and without credentials.
  - A certificate is read, never relied on. Redirects are recorded and not followed.
  - Only observes. It writes nothing, starts nothing and judges nothing; M(edefter.ready.readiness) judges.
  - Runs on Windows (Windows PowerShell 5.1 and .NET Framework 4.5 or newer) and on POSIX hosts, with the same options and results.
extends_documentation_fragment:
  - edefter.ready.probe
  - edefter.ready.probe.endpoints
author:
  - edefter.ready contributors (@edefter-ready)
seealso:
  - module: edefter.ready.host_info
  - module: edefter.ready.clock_info
"""

EXAMPLES = r"""
- name: Probe the e-Defter service and the archive portal
  edefter.ready.endpoint_info:
    endpoints:
      - {id: uyg, host: uyg.edefter.gov.tr, port: 443}
      - {id: portal, host: portal.emikro.com.tr, port: 80, scheme: http}
  register: probed

- name: Try the addresses of another vantage as well, and tell the host, the site and the Internet apart
  edefter.ready.endpoint_info:
    endpoints:
      - {id: firma-4443, host: firma.myedefter.com.tr, port: 4443}
    extra_addresses:
      - {host: firma.myedefter.com.tr, addresses: [203.0.113.20]}
    canaries:
      - {id: random-name, kind: random_name, host: edefter.gov.tr}
      - {id: test-net, kind: test_net, host: 192.0.2.1, port: 443}
    timeout: 4
"""

RETURN = r"""
observation:
  description:
    - The observation, with the sections C(endpoints), C(proxy) and C(network).
    - docs/observation-endpoints.md in the collection says what each section holds.
  returned: always
  type: dict
  sample:
    schema: 1
    collector: {module: endpoint_info, version: 0.1.0, runtime: python, runtime_version: 3.13.1}
    started_utc: "2026-11-25T07:00:00.000Z"
    elapsed_ms: 161.2
    complete: true
    sections:
      endpoints:
        status: ok
        error: null
        elapsed_ms: 160.1
        data:
          resolvers: [{address: 192.168.1.1}]
          neutral_sni: www.example.com
          canaries: []
          targets:
            - id: uyg
              host: uyg.edefter.gov.tr
              port: 443
              scheme: https
              path: /
              elapsed_ms: 159.8
              complete: true
              winner: 203.0.113.10
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.edefter.ready.plugins.module_utils import endpoints, network, proxy
from ansible_collections.edefter.ready.plugins.module_utils.core import observe
from ansible_collections.edefter.ready.plugins.module_utils.options import endpoint_spec


def main():
    module = AnsibleModule(argument_spec=endpoint_spec(), supports_check_mode=True)
    bodies = {"endpoints": endpoints.collect, "proxy": proxy.collect, "network": network.collect}
    module.exit_json(changed=False, observation=observe("endpoint_info", bodies, module.params))


if __name__ == "__main__":
    main()
