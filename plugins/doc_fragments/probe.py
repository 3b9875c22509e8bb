# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that the observing modules share."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  timeout:
    description:
      - Seconds that one phase of one attempt may take (one DNS query, one TCP connect, one TLS handshake, one HTTP exchange).
      - Windows answers a refused connection only after about two seconds, so a value below V(3) takes refusals for time-outs.
    type: float
    default: 5.0
  deadline:
    description:
      - Seconds for everything together. Probes run side by side; what is not done by then is reported as cut off, never as passed.
    type: float
    default: 25.0
  seed:
    description:
      - Makes randomised orders and delays repeatable. For tests.
    type: int
"""

    ENDPOINTS = r"""
options:
  endpoints:
    description:
      - Endpoints to probe, each through DNS, TCP, TLS and HTTP, at every address that its name has.
    type: list
    elements: dict
    suboptions:
      id:
        description:
          - Name of this endpoint in results and findings.
        type: str
        required: true
      host:
        description:
          - Host name, sent as SNI and in the Host header.
        type: str
        required: true
      port:
        description:
          - TCP port.
        type: int
        required: true
      scheme:
        description:
          - V(https) adds the TLS phase. The certificate is read and judged, and no data is sent that it would have to protect.
        type: str
        choices: [http, https]
        default: https
      path:
        description:
          - Path asked for. Redirects are recorded and not followed.
        type: str
        default: /
  extra_addresses:
    description:
      - Addresses that another vantage saw for these hosts, to be tried as well. This tells a DNS fault from a routing fault.
    type: list
    elements: dict
    suboptions:
      host:
        description:
          - Host name of one of O(endpoints).
        type: str
        required: true
      addresses:
        description:
          - IPv4 or IPv6 addresses.
        type: list
        elements: str
        required: true
  canaries:
    description:
      - Probes that tell a fault of this host, of the site and of the Internet apart. An empty list switches them off.
    type: list
    elements: dict
    suboptions:
      id:
        description:
          - Name of this canary in results.
        type: str
        required: true
      kind:
        description:
          - V(random_name) looks up a random name below O(canaries[].host), which must not exist.
          - V(test_net) connects to an address where nothing lives; success means that something answers for others.
          - V(https) probes a neutral https host like an endpoint.
          - V(http_text) fetches a text over plain http and compares it with O(canaries[].expect).
        type: str
        choices: [random_name, test_net, https, http_text]
        required: true
      host:
        description:
          - Host name, parent domain or address, as O(canaries[].kind) needs it.
        type: str
      port:
        description:
          - TCP port; the default follows from O(canaries[].kind).
        type: int
      path:
        description:
          - Path asked for.
        type: str
        default: /
      expect:
        description:
          - Text that an undisturbed answer to V(http_text) begins with.
        type: str
"""

    CLOCK = r"""
options:
  time_sources:
    description:
      - Sources that the clock is measured against. Several sources of different operators allow a vote.
      - The action of M(edefter.ready.clock_info) fills in the collection's catalogue, with C(edefter_time_sources) laid over it, when this is absent.
    type: list
    elements: dict
    suboptions:
      id:
        description:
          - Name of this source in results and findings.
        type: str
        required: true
      host:
        description:
          - Host name or address.
        type: str
        required: true
      port:
        description:
          - UDP port for V(ntp) (default 123), TCP port for V(https) (default 443).
        type: int
      kind:
        description:
          - V(ntp) sends SNTP requests (RFC 5905, RFC 4330).
          - V(https) reads the Date header (RFC 9110) of several requests aimed at the turn of the second.
        type: str
        choices: [ntp, https]
        default: ntp
      operator:
        description:
          - Who runs the source. Sources of one operator have one vote together. The default is O(time_sources[].host).
        type: str
      path:
        description:
          - Path asked for, with V(https).
        type: str
        default: /
  samples:
    description:
      - SNTP requests per source at most; the answer with the least delay counts. A source whose first two answers took about the same time is not
        asked again, and neither is one that asks to be left alone (kiss-o'-death) or stays silent twice.
      - When a source in the host's own network (a private address) answers, each other source is asked once.
    type: int
    default: 4
  sample_interval:
    description:
      - Seconds between two samples of one source, give or take a quarter at random.
    type: float
    default: 0.4
  neighbours:
    description:
      - How many hosts behind the same public address are measured in the same run, this one included. The requests that a time server with
        chrony's default rate limit grants one address at once (a burst of 8, one of which is left alone) are dealt out among them.
      - The actions fill this in from the play's hosts with the same C(edefter_firm) and C(edefter_branch).
    type: int
    default: 1
  place:
    description:
      - Which of the O(neighbours) this host is, counted from V(0).
    type: int
    default: 0
"""
