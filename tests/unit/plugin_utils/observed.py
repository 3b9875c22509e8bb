# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Observations written by hand, as a host would send them: a healthy one, and the pieces to break it with.

Everything is raw JSON data, so that the parsers are tested along with the judges.
"""

from __future__ import annotations

import datetime
import hashlib
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils import catalog
from ansible_collections.edefter.ready.plugins.plugin_utils.judge.endpoint import Situation, judge_endpoints
from ansible_collections.edefter.ready.plugins.plugin_utils.model import Finding
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.endpoint_model import Endpoints
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.endpoints import parse_endpoints
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.network import Network, parse_network
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.proxy import Proxy, parse_proxy
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted.endpoints import EndpointsWanted

Raw = dict[str, t.Any]

NOW = datetime.datetime(2026, 11, 25, 7, 0, tzinfo=datetime.UTC)
STARTED = "2026-11-25T07:00:00.000Z"
HOST = "uyg.edefter.gov.tr"
V4, V6 = "203.0.113.10", "2001:db8:113::10"
RESOLVERS = ("192.168.1.1", "192.168.1.2")
ISSUER = "CN=Ornek CA 1,O=Ornek Kok,C=TR"
ROOT = "CN=Ornek Kok,O=Ornek Kok,C=TR"
BOX = "CN=Ornek Holding TLS Inspection CA,O=Ornek Holding,C=TR"
FORTINET = "CN=FG100F0000000000,OU=Certificate Authority,O=Fortinet,C=US"


def iso(days: float) -> str:
    """A moment that many days from NOW."""
    return (NOW + datetime.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def fault(phase: str, code: str, native: int | None = None) -> Raw:
    return {"phase": phase, "code": code, "native": native, "message": "irgendein Text"}


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def cert(host: str = HOST, issuer: str = ISSUER, days: tuple[float, float] = (-30, 90), **more: t.Any) -> Raw:
    subject = more.pop("subject", f"CN={host}")
    key = more.pop("key", f"{subject} by {issuer}")
    return {
        "subject": subject,
        "issuer": issuer,
        "serial": "01",
        "not_before": iso(days[0]),
        "not_after": iso(days[1]),
        "sha256": digest(f"cert {key} {days}"),
        "spki_sha256": digest(f"key {key}"),
        "san": [f"dns:{host}"],
        "self_signed": subject == issuer,
        "is_ca": False,
        "signature_algorithm": "ecdsa-with-SHA256",
        "key_type": "ec",
        "key_bits": 256,
        **more,
    }


def intermediate() -> Raw:
    return cert("", ROOT, (-300, 1500), subject=ISSUER, san=[], is_ca=True)


def tls(chain: list[Raw] | None = None, status: t.Iterable[str] = (), name: bool | None = True, **more: t.Any) -> Raw:
    """A handshake that ended; status: the chain's problems, trusted when there are none."""
    states = list(status)
    result = {
        "error": None,
        "elapsed_ms": 12.0,
        "sni": HOST,
        "version": "TLSv1.3",
        "cipher": "TLS_AES_256_GCM_SHA384",
        "offered": ["TLSv1.2", "TLSv1.3"],
        "alert": None,
        "bytes_received": 2900,
        "first_bytes": "160303",
        "name_match": name,
        "trusted": not states,
        "chain_status": states,
        "chain": [cert(), intermediate()] if chain is None else chain,
    }
    return {**result, **more}


def broken_tls(code: str, alert: int | None = None, **more: t.Any) -> Raw:
    """A handshake that failed before any certificate came."""
    return tls(
        [],
        name=None,
        error=fault("tls", code),
        alert=None if alert is None else {"level": 2, "description": alert},
        **{"trusted": None, "version": None, "bytes_received": 0 if alert is None else 7, "first_bytes": "", **more},
    )


def http(status: int | None = 200, text: str = "<title>e-Defter</title> merhaba", **more: t.Any) -> Raw:
    headers = {"server": "nginx", "content-type": "text/html", **more.pop("headers", {})}
    body = {
        "length": len(text),
        "sha256": digest(text),
        "snippet": text,
        "title": more.pop("title", "e-Defter"),
        "truncated": False,
    }
    return {
        "error": None,
        "elapsed_ms": 9.0,
        "status": status,
        "version": "HTTP/1.1",
        "reason": "OK",
        "headers": headers,
        "date": STARTED,
        "body": body,
        **more,
    }


def broken_http(code: str) -> Raw:
    return {"error": fault("http", code), "elapsed_ms": 9.0, "status": None, "headers": {}, "date": None, "body": None}


def tcp(code: str = "", native: int | None = None, icmp: Raw | None = None) -> Raw:
    error = fault("tcp", code, native) if code else None
    return {"error": error, "elapsed_ms": 4.0, "local_address": "192.168.1.20", "icmp": icmp}


_UNSET: t.Any = object()


def attempt(address: str = V4, source: str = "system", **phases: t.Any) -> Raw:
    """An attempt that went well, or up to the phase that is given as failed. Phases: tcp, tls, http, neutral_sni."""
    result = {"address": address, "family": 6 if ":" in address else 4, "source": source, "neutral_sni": None}
    result["tcp"] = phases.pop("tcp", tcp())
    good = result["tcp"]["error"] is None
    result["tls"] = phases.pop("tls", tls() if good else None)
    good = good and (result["tls"] is None or result["tls"]["error"] is None)
    result["http"] = phases.pop("http", http() if good else None)
    return {**result, **phases}


def failed(
    code: str, address: str = V4, source: str = "system", native: int | None = None, icmp: Raw | None = None
) -> Raw:
    return attempt(address, source, tcp=tcp(code, native, icmp))


def query(
    resolver: str = RESOLVERS[0], kind: str = "A", rcode: int | None = 0, found: t.Sequence[str] = (), **more: t.Any
) -> Raw:
    return {
        "resolver": resolver,
        "type": kind,
        "rcode": rcode,
        "answers": [{"type": kind, "data": address, "ttl": 300} for address in found],
        "error": None,
        "elapsed_ms": 3.0,
        "replies": 1,
        "others": [],
        "sent": 1,
        "truncated": False,
        "case_kept": True,
        **more,
    }


def dns(system: t.Sequence[str] = (V4, V6), error: str = "", queries: list[Raw] | None = None, **more: t.Any) -> Raw:
    """Resolution; queries default to what fits the system's answer from both resolvers."""
    if queries is None:
        queries = [
            query(resolver, kind, found=[a for a in system if (":" in a) == (kind == "AAAA")])
            for resolver in RESOLVERS
            for kind in ("A", "AAAA")
        ]
    reason = fault("dns", error, -2) if error else None
    return {
        "system": {"addresses": list(system), "error": reason, "elapsed_ms": 5.0},
        "hosts_file": [],
        "queries": queries,
        **more,
    }


def every_query(**more: t.Any) -> list[Raw]:
    """The same outcome from each resolver, for A and AAAA."""
    return [query(resolver, kind, **more) for resolver in RESOLVERS for kind in ("A", "AAAA")]


def target(*attempts: Raw, **more: t.Any) -> Raw:
    """The endpoint uyg; more: other keys (id, host, port, scheme, dns, proxy_attempts, complete)."""
    found = list(attempts) or [attempt(V4), attempt(V6)]
    system = [a["address"] for a in found if a["source"] == "system"]
    connected = [a["address"] for a in found if a["tcp"]["error"] is None and a["source"] in ("system", "literal")]
    result = {
        "id": "uyg",
        "host": HOST,
        "port": 443,
        "scheme": "https",
        "path": "/",
        "elapsed_ms": 40.0,
        "complete": True,
        "dns": dns(system),
        "attempts": found,
        "winner": connected[0] if connected else None,
        "proxy_attempts": [],
    }
    return {**result, **more}


def plain(*attempts: Raw, **more: t.Any) -> Raw:
    """The endpoint portal, http on port 80."""
    return target(*attempts, **{"id": "portal", "host": "portal.emikro.com.tr", "port": 80, "scheme": "http", **more})


def page(**more: t.Any) -> Raw:
    """An attempt on plain http."""
    address = more.pop("address", V4)
    source = more.pop("source", "system")
    return attempt(address, source, tls=None, http=http(**more))


_CANARY_HOSTS = {"https": "www.microsoft.com", "http_text": "www.msftconnecttest.com", "test_net": "192.0.2.1"}


def canary(kind: str, ok: bool | None, *attempts: Raw, **more: t.Any) -> Raw:
    host = more.pop("host", _CANARY_HOSTS.get(kind, "x7f3.edefter.gov.tr"))
    return {"id": kind, "kind": kind, "host": host, "ok": ok, "target": target(*attempts, id=kind, host=host, **more)}


def neutral(ok: bool = True) -> Raw:
    chain = [cert("www.microsoft.com"), intermediate()]
    return canary("https", ok, attempt("198.51.100.20", tls=tls(chain)) if ok else failed("timeout", "198.51.100.20"))


def section(*targets: Raw, canaries: t.Sequence[Raw] = ()) -> Raw:
    return {
        "resolvers": [{"address": resolver} for resolver in RESOLVERS],
        "neutral_sni": "www.example.com",
        "targets": list(targets),
        "canaries": list(canaries),
    }


def network(**more: t.Any) -> Network:
    raw = {
        "interfaces": [],
        "resolvers": list(RESOLVERS),
        "gateways": ["192.168.1.254"],
        "default_route": {"4": True, "6": True},
        "suffixes": [],
        "hosts_file": {"path": r"C:\Windows\System32\drivers\etc\hosts", "error": None, "lines": 3, "entries": []},
        "name_policy": [],
        "tls_client": {"tls12": None, "tls13": None, "strong_crypto": None, "system_default": None},
    }
    return parse_network({**raw, **more})


def config(source: str = "wininet_user", server: str | None = "proxy.example:3128", **more: t.Any) -> Raw:
    return {
        "source": source,
        "user": "S-1-5-21-1" if source.endswith("user") else None,
        "enabled": server is not None,
        "server": server,
        "bypass": [],
        "pac_url": None,
        "auto_detect": None,
        "per_machine": None,
        "by_scheme": {"https": server, "http": server} if server else {},
        "credentials_removed": False,
        "error": None,
        **more,
    }


def proxies(*configs: Raw, pac: bool = False, wpad: bool = False) -> Proxy:
    return parse_proxy({"configs": list(configs), "proxies": [], "pac": pac, "wpad": wpad})


def through(**more: t.Any) -> Raw:
    """A way through a proxy that works."""
    connect = {"error": None, "elapsed_ms": 3.0, "status": 200, "headers": {}, "date": None, "body": None}
    return {
        "proxy": "proxy.example:3128",
        "sources": ["wininet_user"],
        "users": ["S-1-5-21-1"],
        "tcp": {**tcp(), "address": "192.168.1.80"},
        "connect": connect,
        "tls": tls(),
        "http": http(),
        **more,
    }


def refusing(status: int, **headers: str) -> Raw:
    """A proxy that answers CONNECT with a status."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connect = {"error": None, "elapsed_ms": 3.0, "status": status, "headers": named, "date": None, "body": None}
    return through(connect=connect, tls=None, http=None)


def endpoint(**more: t.Any) -> catalog.Endpoint:
    return catalog.Endpoint(**{"id": "uyg", "host": HOST, "port": 443, "allow": "*.edefter.gov.tr", **more})


UYG = endpoint()
PORTAL = endpoint(id="portal", host="portal.emikro.com.tr", port=80, scheme="http", allow="portal.emikro.com.tr")


def judge(raw: Raw, *endpoints: catalog.Endpoint, wanted: Raw | None = None, **situation: t.Any) -> tuple[Finding, ...]:
    """Parses and judges. vantage: raw section; everything else as Situation has it."""
    seen = situation.pop("vantage", None)
    parsed: Endpoints | None = None if seen is None else parse_endpoints(seen)
    limits = EndpointsWanted(endpoints or (UYG,), **(wanted or {}))
    fields = {"started": STARTED, "network": network(), "vantage": parsed, **situation}
    return judge_endpoints(parse_endpoints(raw), limits, Situation(**fields))


def one(raw: Raw, *endpoints: catalog.Endpoint, **more: t.Any) -> Finding:
    """The finding on a single target."""
    (found,) = judge(section(raw, canaries=more.pop("canaries", ())), *endpoints, **more)
    return found
