# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which fault of the lab must be named how. One row for each class of issue 5, some in several shapes."""

from __future__ import annotations

import dataclasses
import typing as t

UYG = "uyg.edefter.gov.tr"
FIRMA = "firma.myedefter.com.tr"
PORTAL = "portal.emikro.com.tr"
SITE = "ankara"
PC = "pc1"
ALL = ("uyg", "firma", "firma-4443", "portal", "portal-https")
WEB = ("uyg", "firma", "firma-4443", "portal-https")

Causes = str | tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Case:
    """One fault.

    fault, where: for lab.fault; fault "" injects nothing. expected: cause by endpoint id, a tuple where several words
    are right; every other endpoint has to be fine. windows: causes that differ because Windows cannot tell as much.
    proxy: the proxy that is set on the host. clock: seconds that the host's clock is ahead. vantage: `elsewhere` (the
    control node, behind another firewall but nobody says so), `other_site` (and somebody does), `proxied` (a neighbour
    with a proxy set) or `none`. options: for EndpointsWanted.
    """

    name: str
    fault: str
    where: t.Mapping[str, t.Any]
    expected: t.Mapping[str, Causes]
    windows: t.Mapping[str, Causes] = dataclasses.field(default_factory=dict)
    more: tuple[tuple[str, t.Mapping[str, t.Any]], ...] = ()
    proxy: str = ""
    clock: int = 0
    vantage: str = "elsewhere"
    options: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)

    def wanted(self, twin: str, endpoint: str) -> tuple[str, ...]:
        """The causes that count as right."""
        causes = {**self.expected, **(self.windows if twin == "windows" else {})}.get(endpoint, ("ok", "ok_via_proxy"))
        return (causes,) if isinstance(causes, str) else causes


def _at(endpoint: str = UYG, **more: t.Any) -> dict[str, t.Any]:
    return {"site": SITE, "endpoint": endpoint, **more}


def _every(cause: Causes, ids: t.Iterable[str] = ALL) -> dict[str, Causes]:
    return dict.fromkeys(ids, cause)


def _simple(cause: Causes, fault: str, endpoint: str = UYG, windows: Causes = "", **more: t.Any) -> Case:
    """A fault of one name, and for uyg or firma of one endpoint."""
    ids = {UYG: ("uyg",), FIRMA: ("firma", "firma-4443"), PORTAL: ("portal", "portal-https")}[endpoint]
    if "port" in more:
        ids = {443: ("uyg",), 4443: ("firma-4443",), 80: ("portal",)}[more["port"]]
    name = fault if endpoint == UYG else f"{fault}@{endpoint.partition('.')[0]}{more.get('port', '')}"
    twin = _every(windows, ids) if windows else {}
    return Case(name, fault, _at(endpoint, **more), _every(cause, ids), windows=twin)


CASES: tuple[Case, ...] = (
    # DNS
    _simple("dns_nxdomain", "dns_nxdomain"),
    _simple("dns_servfail", "dns_servfail"),
    _simple("dns_refused", "dns_refused"),
    _simple("dns_nodata", "dns_nodata"),
    _simple("dns_timeout", "dns_timeout"),
    Case("dns_unreachable", "dns_unreachable", {"site": SITE}, _every("dns_unreachable")),
    _simple(("dns_error", "dns_timeout"), "dns_garbage"),
    _simple("dns_block_portal", "dns_sinkhole"),
    _simple("dns_bogon", "dns_private"),
    _simple("dns_bogon", "dns_loopback"),
    _simple("dns_bogon", "dns_zero"),
    _simple("dns_differs", "dns_differs"),
    _simple("dns_hijack", "dns_hijack"),
    _simple("dns_hijack", "dns_hijack", PORTAL),
    _simple("dns_injected", "dns_injected"),
    Case("dns_truncated", "dns_truncated", _at(), {}),
    Case("hosts_override", "hosts_override", {"host": PC, "endpoint": UYG}, _every("hosts_override", ["uyg"])),
    # TCP
    _simple("tcp_drop", "tcp_drop"),
    _simple("port_dropped", "tcp_drop", FIRMA, port=4443),
    _simple("tcp_refused", "tcp_refused"),
    _simple("tcp_admin_prohibited", "tcp_prohibited", windows="tcp_unreachable"),
    _simple("tcp_unreachable", "tcp_unreachable"),
    Case("no_route", "no_route", {"host": PC, "endpoint": UYG}, _every("no_route", ["uyg"])),
    Case(
        "local_block",
        "local_block",
        {"host": PC, "endpoint": UYG},
        _every("local_firewall_block", ["uyg"]),
    ),
    _simple("ipv6_broken", "ipv6_dead"),
    Case("transparent_proxy", "transparent_proxy", {"site": SITE}, {}),
    Case(
        "transparent_proxy+service_down",
        "transparent_proxy",
        {"site": SITE},
        _every(("down_or_site_block", "tls_reset", "tls_eof", "tls_stall", "tcp_drop", "transparent_proxy"), ["uyg"]),
        more=(("service_down", {"endpoint": UYG}),),
    ),
    Case("service_down", "service_down", {"endpoint": UYG}, _every("down_or_site_block", ["uyg"])),
    Case("service_refused", "service_refused", {"endpoint": UYG}, _every("down_or_site_block", ["uyg"])),
    Case(
        "service_down, vantage at another site",
        "service_down",
        {"endpoint": UYG},
        _every("service_down", ["uyg"]),
        vantage="other_site",
    ),
    Case("tcp_drop, no vantage", "tcp_drop", _at(), _every("tcp_drop", ["uyg"]), vantage="none"),
    Case("internet_down", "tcp_drop", {"site": SITE}, _every("internet_down")),
    # TLS
    _simple("sni_filter", "tls_reset"),
    _simple("sni_filter", "tls_eof"),
    _simple("sni_filter", "tls_stall"),
    _simple("tls_stall", "tls_server_stall"),
    _simple("tls_stall", "mtu_black_hole"),
    _simple("tls_not_tls", "tls_not_tls"),
    _simple("tls_alert", "tls_alert", alert=40),
    _simple(("tls_handshake", "tls_not_tls"), "tls_garbage"),
    _simple("tls_version", "tls_old"),
    Case("tls13_only", "tls13_only", _at(), {}, windows=_every(("tls_version", "client_tls_too_old"), ["uyg"])),
    _simple("tls_inspected", "tls_intercepted"),
    Case(
        "tls_intercepted by a vendor's box",
        "tls_intercepted",
        {"site": SITE, "ca": "vendor"},
        _every("tls_inspected", WEB),
    ),
    _simple("tls_inspection_trusted", "tls_intercepted_trusted"),
    # Certificates
    _simple("cert_expired", "cert_expired"),
    _simple("cert_not_yet_valid", "cert_not_yet_valid"),
    _simple("cert_self_signed", "cert_self_signed"),
    _simple("cert_name_mismatch", "cert_wrong_name"),
    _simple("tls_inspected", "cert_unknown_issuer"),
    Case(
        "cert_unknown_issuer for everybody", "cert_unknown_issuer", {"endpoint": UYG}, _every("cert_untrusted", ["uyg"])
    ),
    _simple("chain_incomplete", "cert_incomplete"),
    _simple("cert_weak", "cert_weak"),
    Case("clock behind", "", {}, _every("cert_date_bad_clock", WEB), clock=-60 * 86400),
    Case("clock ahead", "", {}, _every("cert_date_bad_clock", WEB), clock=200 * 86400),
    # HTTP
    _simple("tls_blockpage", "http_block_page"),
    _simple("http_blockpage", "http_block_page", PORTAL, port=80),
    _simple("http_block_redirect", "http_block_redirect", PORTAL, port=80),
    Case("captive_portal", "captive_portal", {"site": SITE}, _every("captive_portal")),
    Case(
        "captive_portal, https intercepted",
        "captive_portal",
        {"site": SITE, "https": "intercept"},
        _every("captive_portal"),
    ),
    _simple("http_forbidden", "http_403"),
    _simple("http_client_error", "http_404"),
    _simple("proxy_auth", "http_407", PORTAL, port=80),
    _simple("http_server_error", "http_500"),
    _simple("http_server_error", "http_502"),
    _simple("http_server_error", "http_503"),
    _simple("captive_portal", "http_511", PORTAL, port=80),
    _simple("http_stall", "http_stall"),
    _simple("http_eof", "http_empty"),
    _simple("http_reset", "http_reset"),
    _simple("http_malformed", "http_garbage"),
    Case("http_huge", "http_huge", _at(), {}),
    # Proxies
    Case("proxy works", "", {}, {}, proxy="set"),
    Case("proxy_required, not set", "proxy_required", {"site": SITE}, _every("proxy_required", ALL), vantage="proxied"),
    Case("proxy_required, set", "proxy_required", {"site": SITE}, _every("ok_via_proxy"), proxy="set"),
    Case("proxy_407", "proxy_407", {"site": SITE}, _every("proxy_auth"), proxy="set"),
    Case("proxy_denied", "proxy_denied", {"site": SITE}, _every("proxy_denied", WEB), proxy="set"),
    Case("proxy_dead", "proxy_dead", {"site": SITE}, _every("proxy_timeout"), proxy="set"),
    Case("proxy_refused", "proxy_refused", {"site": SITE}, _every("proxy_refused"), proxy="set"),
    Case("proxy_unresolvable", "", {}, _every("proxy_unresolvable"), proxy="nowhere.lab.example:3128"),
    # Path
    Case("slow", "slow", {"site": SITE, "delay_ms": 150}, _every("slow"), options={"slow_ms": 700}),
    Case("slow and fine", "slow", {"site": SITE, "delay_ms": 40}, {}),
)
