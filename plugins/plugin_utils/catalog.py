# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue: endpoints, time sources and canaries, as packaged data that a user can change.

Pure apart from reading the packaged JSON once per process. An override is a dict with an `id`: a known id changes the
keys it names, `enabled: false` switches the entry off, an unknown id adds an entry.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import pathlib
import re
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils.model import OptionError

_DATA = pathlib.Path(__file__).parent / "data"
_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
# A host name (RFC 1123 section 2.1) or an IPv4 address. Nothing else may reach a probe, a rule or a device's list.
_HOST = re.compile(
    r"(?=.{1,253}\Z)(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)
_IPV6 = re.compile(r"[0-9A-Fa-f:]{2,39}(?:\.[0-9.]{7,15})?")
_PATH = re.compile(r"/[!-~]{0,500}")

Raw = t.Mapping[str, t.Any]


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """Where e-Defter has to get to. allow: the name pattern that the vendor asks admins to allow."""

    id: str
    host: str
    port: int
    scheme: str = "https"
    path: str = "/"
    allow: str = ""
    required: bool = True
    required_when_redirected_from: str = ""
    purpose_tr: str = ""
    purpose_en: str = ""

    def probe(self) -> dict[str, t.Any]:
        """As an element of the observing modules' `endpoints` option."""
        return {"id": self.id, "host": self.host, "port": self.port, "scheme": self.scheme, "path": self.path}


@dataclasses.dataclass(frozen=True)
class TimeSource:
    """Where time is asked for. peer: also written to W32Time as a peer, in this order."""

    id: str
    host: str
    kind: str = "ntp"
    port: int = 123
    operator: str = ""
    path: str = "/"
    peer: bool = False

    def probe(self) -> dict[str, t.Any]:
        """As an element of the observing modules' `time_sources` option."""
        return {
            "id": self.id,
            "host": self.host,
            "port": self.port,
            "kind": self.kind,
            "operator": self.operator,
            "path": self.path,
        }


@dataclasses.dataclass(frozen=True)
class Canary:
    """A probe that tells a fault of the host, of the site and of the Internet apart."""

    id: str
    kind: str
    host: str = ""
    port: int = 443
    path: str = "/"
    expect: str = ""

    def probe(self) -> dict[str, t.Any]:
        """As an element of the observing modules' `canaries` option."""
        return dataclasses.asdict(self)


@functools.lru_cache(maxsize=8)
def _packaged(name: str) -> tuple[Raw, ...]:
    return tuple(json.loads((_DATA / name).read_text(encoding="utf-8")))


def _merged(option: str, packaged: t.Iterable[Raw], overrides: object) -> list[Raw]:
    """Packaged entries with the overrides laid over, the switched-off ones left out; order: packaged, then added."""
    by_id: dict[str, dict[str, t.Any]] = {entry["id"]: dict(entry) for entry in packaged}
    if overrides is None:
        overrides = []
    if not isinstance(overrides, (list, tuple)):
        raise OptionError(option, overrides, "give a list of dictionaries, each with an id")
    for entry in overrides:
        if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
            raise OptionError(option, entry, "give a dictionary with an id")
        if not _ID.fullmatch(entry["id"]):
            raise OptionError(f"{option}.id", entry["id"], "use lower-case letters, digits, dot, dash and underscore")
        by_id[str(entry["id"])] = {**by_id.get(entry["id"], {}), **entry}
    return [entry for entry in by_id.values() if _boolean(f"{option}.enabled", entry.get("enabled", True))]


def _boolean(option: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise OptionError(option, value, "give true or false")
    return value


def _host(option: str, value: object) -> str:
    text = str(value).rstrip(".") if isinstance(value, str) else ""
    if not (_HOST.fullmatch(text) or _IPV6.fullmatch(text)):
        raise OptionError(option, value, "give a host name or an IP address, without scheme, port or path")
    return text


def _port(option: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 65535:
        raise OptionError(option, value, "give a port from 1 to 65535")
    return value


def _choice(option: str, value: object, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise OptionError(option, value, f"use one of {', '.join(choices)}")
    return str(value)


def _path(option: str, value: object) -> str:
    if not isinstance(value, str) or not _PATH.fullmatch(value):
        raise OptionError(option, value, "give a path that begins with / and holds no spaces")
    return value


def _text(option: str, value: object, limit: int = 300) -> str:
    if not isinstance(value, str) or len(value) > limit or any(not c.isprintable() for c in value):
        raise OptionError(option, value, f"give printable text of at most {limit} characters")
    return value


def _known(option: str, entry: Raw, keys: t.Iterable[str]) -> None:
    unknown = sorted(set(entry) - set(keys))
    if unknown:
        raise OptionError(f"{option}.{unknown[0]}", entry[unknown[0]], f"the keys are {', '.join(sorted(keys))}")


_ENDPOINT_KEYS = (
    *("id", "host", "port", "scheme", "path", "allow"),
    *("required", "required_when_redirected_from", "purpose", "enabled"),
)


def endpoints(overrides: object = None) -> tuple[Endpoint, ...]:
    """The endpoints after the user's overrides (`edefter_endpoints`). Raises OptionError."""
    option = "endpoints"
    result = []
    for entry in _merged(option, _packaged("endpoints.json"), overrides):
        _known(option, entry, _ENDPOINT_KEYS)
        scheme = _choice(f"{option}.scheme", entry.get("scheme", "https"), ("https", "http"))
        host = _host(f"{option}.host", entry.get("host"))
        purpose = entry.get("purpose", "")
        both = purpose if isinstance(purpose, dict) else {"tr": purpose, "en": purpose}
        allow = _text(f"{option}.allow", entry.get("allow") or host)
        _host(f"{option}.allow", allow.removeprefix("*."))
        result.append(
            Endpoint(
                id=str(entry["id"]),
                host=host,
                port=_port(f"{option}.port", entry.get("port", 443 if scheme == "https" else 80)),
                scheme=scheme,
                path=_path(f"{option}.path", entry.get("path", "/")),
                allow=allow,
                required=_boolean(f"{option}.required", entry.get("required", True)),
                required_when_redirected_from=_text(
                    f"{option}.required_when_redirected_from", entry.get("required_when_redirected_from", "")
                ),
                purpose_tr=_text(f"{option}.purpose", both.get("tr", "")),
                purpose_en=_text(f"{option}.purpose", both.get("en", "")),
            )
        )
    return tuple(result)


def time_sources(overrides: object = None) -> tuple[TimeSource, ...]:
    """The time sources after the user's overrides (`edefter_time_sources`). Raises OptionError."""
    option = "time_sources"
    result = []
    for entry in _merged(option, _packaged("time_sources.json"), overrides):
        _known(option, entry, ["id", "host", "kind", "port", "operator", "path", "peer", "enabled"])
        kind = _choice(f"{option}.kind", entry.get("kind", "ntp"), ("ntp", "https"))
        host = _host(f"{option}.host", entry.get("host"))
        peer = _boolean(f"{option}.peer", entry.get("peer", False))
        if peer and kind != "ntp":
            raise OptionError(f"{option}.peer", peer, "only a source of kind ntp can be a peer of Windows Time")
        result.append(
            TimeSource(
                id=str(entry["id"]),
                host=host,
                kind=kind,
                port=_port(f"{option}.port", entry.get("port", 123 if kind == "ntp" else 443)),
                operator=_text(f"{option}.operator", entry.get("operator") or host),
                path=_path(f"{option}.path", entry.get("path", "/")),
                peer=peer,
            )
        )
    return tuple(result)


_CANARY_KINDS = ("random_name", "test_net", "https", "http_text")


def canaries(overrides: object = None, enabled: bool = True) -> tuple[Canary, ...]:
    """The canaries after the user's overrides (`edefter_canaries`); none when switched off. Raises OptionError."""
    if not enabled:
        return ()
    option = "canaries"
    result = []
    for entry in _merged(option, _packaged("canaries.json"), overrides):
        _known(option, entry, ["id", "kind", "host", "port", "path", "expect", "enabled"])
        kind = _choice(f"{option}.kind", entry.get("kind"), _CANARY_KINDS)
        result.append(
            Canary(
                id=str(entry["id"]),
                kind=kind,
                host=_host(f"{option}.host", entry.get("host")),
                port=_port(f"{option}.port", entry.get("port", 80 if kind == "http_text" else 443)),
                path=_path(f"{option}.path", entry.get("path", "/")),
                expect=_text(f"{option}.expect", entry.get("expect", "")),
            )
        )
    return tuple(result)


def is_host(text: str) -> bool:
    """Whether it is a host name or an IP address, and nothing more."""
    return bool(_HOST.fullmatch(text) or _IPV6.fullmatch(text))
