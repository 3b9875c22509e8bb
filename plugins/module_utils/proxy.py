# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Section `proxy`: where a proxy is set. On POSIX that is the environment. Twin of Proxy.cs."""

from __future__ import annotations

import os
import re
import typing as t

from ansible_collections.edefter.ready.plugins.module_utils.core import Data, Deadline, bound

MAX_PROXIES = 4
_BLANKS = " \t\r\n\v\f"
_HOST_PORT = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253}):([0-9]{1,5})")


def host_port(text: str, default_port: int = 80) -> t.Tuple[t.Optional[str], bool]:
    """("host:port", whether user and password were cut off) of a proxy as people write it; (None, …): it is none."""
    rest = text.strip(_BLANKS)
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://", rest)
    if scheme:
        rest = rest[scheme.end() :]
        default_port = 443 if scheme.group(1).lower() == "https" else default_port
    rest = re.split(r"[/?#]", rest, maxsplit=1)[0]
    user, at, place = rest.rpartition("@")
    if not re.search(r":[0-9]+\Z", place):
        place = f"{place}:{default_port}"
    match = _HOST_PORT.fullmatch(place)
    if match is None or not 1 <= int(match.group(2)) <= 65535:
        return None, bool(at and user)
    return f"{match.group(1).lower()}:{int(match.group(2))}", bool(at and user)


def matches(pattern: str, name: str) -> bool:
    """Whether name fits pattern, `*` standing for any text. Linear in practice: it goes back to the last star only."""
    at, star, mark = 0, -1, 0
    position = 0
    while position < len(name):
        if at < len(pattern) and pattern[at] == "*":
            star, mark = at, position
            at += 1
        elif at < len(pattern) and pattern[at] == name[position]:
            at += 1
            position += 1
        elif star >= 0:
            mark += 1
            at, position = star + 1, mark
        else:
            return False
    return not pattern[at:].strip("*")


def bypassed(host: str, patterns: t.Iterable[str]) -> bool:
    """Whether a bypass list takes host past the proxy.

    `*` as wildcard, `<local>` for names without a dot, `.suffix`, `suffix`.
    """
    name = host.rstrip(".").lower()
    for raw in patterns:
        pattern = raw.strip(_BLANKS).lower()
        if not pattern:
            continue
        if pattern == "<local>":
            if "." not in name and ":" not in name:
                return True
            continue
        pattern = re.sub(r"^[a-z]+://", "", pattern).lstrip(".") if "*" not in pattern else pattern
        if "*" in pattern:
            if matches(pattern, name):
                return True
        elif name == pattern or name.endswith("." + pattern):
            return True
    return False


def _config(name: str, server: str, bypass: str) -> Data:
    scheme = name.lower().split("_")[0]
    place, removed = host_port(server)
    shown = place if removed or place is None else server
    schemes = ("https", "http") if scheme == "all" else (scheme,)
    return {
        "source": "environment",
        "user": None,
        "enabled": place is not None,
        "server": bound(shown, 300),
        "bypass": [bound(p, 255) for p in re.split(r"[,;\s]+", bypass) if p][:64],
        "pac_url": None,
        "auto_detect": None,
        "per_machine": None,
        "by_scheme": {s: place for s in schemes if place is not None},
        "credentials_removed": removed,
        "error": None,
    }


def from_environment(environ: t.Mapping[str, str]) -> t.List[Data]:
    """A configuration for each proxy variable. Lower case goes first, as curl reads it.

    HTTP_PROXY in capitals is left out: whatever runs below a web server gets it from the client.
    """
    bypass = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    configs = []
    for names in (("https_proxy", "HTTPS_PROXY"), ("http_proxy",), ("all_proxy", "ALL_PROXY")):
        for name in names:
            if environ.get(name):
                configs.append(_config(name, environ[name], bypass))
                break
    return configs


def distinct(configs: t.Iterable[Data]) -> t.List[Data]:
    """The proxies of the enabled configurations, each once, in order of precedence."""
    found: t.Dict[str, Data] = {}
    for config in configs:
        if not config["enabled"]:
            continue
        for scheme, proxy in config["by_scheme"].items():
            entry = found.setdefault(proxy, {"proxy": proxy, "schemes": [], "sources": [], "users": []})
            for key, value in (("schemes", scheme), ("sources", config["source"]), ("users", config["user"])):
                if value is not None and value not in entry[key]:
                    entry[key].append(value)
    return list(found.values())


def for_target(configs: t.Iterable[Data], scheme: str, host: str) -> t.List[Data]:
    """The proxies that programs here would use for this host, at most MAX_PROXIES."""
    using = [c for c in configs if c["enabled"] and not bypassed(host, c["bypass"])]
    return [p for p in distinct(using) if scheme in p["schemes"]][:MAX_PROXIES]


def configurations() -> t.List[Data]:
    """Every place on this machine where a proxy is set."""
    return from_environment(os.environ)


def collect(options: Data, deadline: Deadline) -> Data:
    """proxy of docs/observation-endpoints.md."""
    configs = configurations()
    return {
        "configs": configs,
        "proxies": distinct(configs),
        "pac": any(c["pac_url"] for c in configs),
        "wpad": any(c["auto_detect"] for c in configs),
    }


def split(proxy: str) -> t.Tuple[str, int]:
    """("host", port) of "host:port"."""
    host, _colon, port = proxy.rpartition(":")
    return host.strip("[]"), int(port)
