# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""nginx: the services themselves, and a variant of them for every web fault (another port on the variant address)."""

from __future__ import annotations

from pathlib import Path

from . import addresses
from .addresses import VARIANT4, VARIANT6, Service
from .pki import Pair, Pki
from .runtime import Runtime

# Variant name -> what it does. A TLS variant listens on TLS_BASE + index, its plain twin on PLAIN_BASE + index.
# The certificate is the one of that name where there is one, else the genuine one.
VARIANTS: dict[str, str] = {
    "expired": "",
    "not_yet_valid": "",
    "self_signed": "",
    "wrong_name": "",
    "unknown_issuer": "",
    "weak": "",
    "incomplete": "",
    "old_tls": "",
    "tls13_only": "",
    "block_page": "",
    "block_redirect": "return 302 http://192.168.100.1:8008/blocked?url=$host;",
    "captive": "return 302 http://10.10.10.10:1000/fgtauth?0203040506;",
    "http_403": "return 403;",
    "http_404": "return 404;",
    "http_407": "add_header Proxy-Authenticate 'Basic realm=\"fw\"' always; return 407;",
    "http_500": "return 500;",
    "http_502": "return 502;",
    "http_503": "add_header Retry-After 120 always; return 503;",
    "http_511": "return 511;",
    "redirect_https": "return 302 https://$host$request_uri;",
    "foreign": "",
}
TLS_BASE = 20000
PLAIN_BASE = 20500
PORT: dict[str, int] = {name: TLS_BASE + index for index, name in enumerate(VARIANTS)}
PLAIN_PORT: dict[str, int] = {name: PLAIN_BASE + index for index, name in enumerate(VARIANTS)}
# Plain HTTP where TLS is expected.
HTTP_ON_TLS_PORT = PLAIN_BASE + 400

_HEAD = """
daemon off; master_process on; worker_processes 1; user root;
pid {folder}/nginx.pid; error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
  access_log off; server_tokens off; default_type text/html; charset utf-8;
  keepalive_timeout 5; ssl_session_cache off; ssl_session_tickets off;
  ssl_protocols TLSv1.2 TLSv1.3; ssl_certificate {chain}; ssl_certificate_key {key};
  client_body_temp_path {folder}/ngx; proxy_temp_path {folder}/ngx; fastcgi_temp_path {folder}/ngx;
  uwsgi_temp_path {folder}/ngx; scgi_temp_path {folder}/ngx;
"""

_BLOCK_BODY = (
    "<!DOCTYPE html><html lang='tr'><head><title>Web Page Blocked!</title></head><body><h1>FortiGuard Intrusion "
    "Prevention - Access Blocked</h1><p>Web Page Blocked</p><p>Bu sayfaya erişim kurum politikası gereği "
    "engellenmiştir.</p><p>Category: Unrated. URL: $host</p></body></html>"
)


def _site_body(service: Service) -> str:
    return (
        f"<!DOCTYPE html><html lang='tr'><head><title>{service.name}</title></head>"
        f"<body><h1>{service.name}</h1><p>Lab copy of the service.</p></body></html>"
    )


def _listen(address_list: tuple[str, ...], port: int, flags: str = "") -> str:
    shown = (f"[{a}]" if ":" in a else a for a in address_list)
    return " ".join(f"listen {a}:{port}{flags};" for a in shown)


def _tls(pair: Pair) -> str:
    return f"ssl_certificate {pair.chain}; ssl_certificate_key {pair.key};"


def _services(pki: Pki, portal_redirect: bool) -> list[str]:
    blocks = []
    mirror = (addresses.MIRROR4, addresses.MIRROR6)
    for service in addresses.WEB:
        where = (*service.addresses, *mirror)
        for port in service.ports:
            flags = "" if port == 80 else " ssl"
            location = f'location / {{ return 200 "{_site_body(service)}"; }}'
            if service.name == "www.msftconnecttest.com":
                location = (
                    f'location = /connecttest.txt {{ default_type text/plain; return 200 "{addresses.NCSI_TEXT}"; }} '
                    "location / { return 404; }"
                )
            elif service.name == "portal.emikro.com.tr" and port == 80 and portal_redirect:
                location = "location / { return 302 https://$host$request_uri; }"
            tls = _tls(pki.pair(service.name)) if port != 80 else ""
            blocks.append(f"server {{ {_listen(where, port, flags)} server_name {service.name}; {tls} {location} }}")
    return blocks


def _variants(pki: Pki) -> list[str]:
    blocks = []
    here = (VARIANT4, VARIANT6)
    for name, action in VARIANTS.items():
        cert = "block_page" if name in ("block_page", "block_redirect", "captive") else name
        pair = pki.pair(cert if (pki.folder / f"{cert}.chain.pem").exists() else "genuine")
        tls = _tls(pair)
        if name == "old_tls":
            # Only TLS 1.0/1.1. OpenSSL 3 speaks them at security level 0 alone.
            tls += ' ssl_protocols TLSv1 TLSv1.1; ssl_ciphers "ALL:@SECLEVEL=0";'
        elif name == "tls13_only":
            tls += " ssl_protocols TLSv1.3;"
        elif name == "weak":
            tls += ' ssl_ciphers "ALL:@SECLEVEL=0";'
        body = (
            _BLOCK_BODY
            if name == "block_page"
            else f"<html><head><title>{name}</title></head><body>{name}</body></html>"
        )
        location = f"location / {{ {action or f'return 200 {chr(34)}{body}{chr(34)};'} }}"
        blocks.append(f"server {{ {_listen(here, PORT[name], ' ssl')} {tls} {location} }}")
        blocks.append(f"server {{ {_listen(here, PLAIN_PORT[name])} {location} }}")
    block = f'location / {{ return 200 "{_BLOCK_BODY}"; }}'
    portal = (addresses.BLOCK_PORTAL4, addresses.BLOCK_PORTAL6)
    blocks.append(f"server {{ {_listen(portal, 80)} {block} }}")
    blocks.append(f"server {{ {_listen(portal, 443, ' ssl')} {_tls(pki.pair('block_page'))} {block} }}")
    foreign = (addresses.FOREIGN4, addresses.FOREIGN6)
    parked = (
        'location / { return 200 "<html><head><title>parked.example</title></head><body>Domain parked</body></html>"; }'
    )
    blocks.append(f"server {{ {_listen(foreign, 80)} {parked} }}")
    for port in (443, 4443):
        blocks.append(f"server {{ {_listen(foreign, port, ' ssl')} {_tls(pki.pair('foreign'))} {parked} }}")
    blocks.append(f"server {{ {_listen(here, HTTP_ON_TLS_PORT)} location / {{ return 200 'plain'; }} }}")
    return blocks


def start(runtime: Runtime, inet: str, pki: Pki, *, portal_redirect: bool = False) -> None:
    """Write the configuration and start nginx in the service namespace."""
    (runtime.folder / "ngx").mkdir(exist_ok=True)
    genuine = pki.pair("genuine")
    head = _HEAD.format(folder=runtime.folder, chain=genuine.chain, key=genuine.key)
    conf = Path(runtime.folder / "nginx.conf")
    conf.write_text(head + "\n".join(_services(pki, portal_redirect) + _variants(pki)) + "\n}\n", encoding="utf-8")
    runtime.spawn("nginx", ["nginx", "-p", str(runtime.folder), "-e", "stderr", "-c", str(conf)], inet)
