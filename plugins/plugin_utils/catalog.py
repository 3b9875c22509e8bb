# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue: endpoints, time sources and canaries, as packaged data that a user can change.

Pure apart from reading the packaged JSON once per process. An override is a dict with an `id`: a known id changes the
keys it names, `enabled: false` switches the entry off, an unknown id adds an entry. A null or empty key has its
default again.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import pathlib
import re
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils.model import OptionError
from ansible_collections.edefter.ready.plugins.plugin_utils.option_reader import OptionReader

Raw = t.Mapping[str, t.Any]

_DATA = pathlib.Path(__file__).parent / "data"
_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
# A host name (RFC 1123 section 2.1) or an IPv4 address. Nothing else may reach a probe, a rule or a device's list.
_HOST = re.compile(
    r"(?=.{1,253}\Z)(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)
_IPV6 = re.compile(r"[0-9A-Fa-f:]{2,39}(?:\.[0-9.]{7,15})?")
_PATH = re.compile(r"/[!-~]{0,500}")
_CANARY_KINDS = ("random_name", "test_net", "https", "http_text")
MAX_TEXT = 300

# Keys of an entry and their defaults; None: it has to be given, or follows from the others.
_COMMON: Raw = {"id": None, "enabled": True, "host": None, "port": None, "path": "/"}
_ENDPOINT: Raw = {
    **_COMMON,
    "scheme": "https",
    "allow": "",
    "required": True,
    "required_when_redirected_from": "",
    "purpose": "",
}
_TIME_SOURCE: Raw = {**_COMMON, "kind": "ntp", "operator": "", "peer": False}
_CANARY: Raw = {**_COMMON, "kind": None, "expect": ""}


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


def _merged(option: str, packaged: t.Iterable[Raw], overrides: object, known: Raw) -> t.Iterator[OptionReader]:
    """Packaged entries with the overrides laid over, the switched-off ones left out; order: packaged, then added."""
    by_id: dict[str, dict[str, t.Any]] = {entry["id"]: dict(entry) for entry in packaged}
    if overrides is None:
        overrides = []
    if not isinstance(overrides, (list, tuple)):
        raise OptionError(option, overrides, "give a list of dictionaries, each with an id")
    for change in overrides:
        if not isinstance(change, dict) or not isinstance(change.get("id"), str):
            raise OptionError(option, change, "give a dictionary with an id")
        if not _ID.fullmatch(change["id"]):
            raise OptionError(f"{option}.id", change["id"], "use lower-case letters, digits, dot, dash and underscore")
        by_id[str(change["id"])] = {**by_id.get(change["id"], {}), **change}
    for made in by_id.values():
        entry = OptionReader(option, made, known)
        if entry.boolean("enabled"):
            yield entry


def _host(entry: OptionReader) -> str:
    host = entry["host"]
    if not isinstance(host, str) or not is_host(host.rstrip(".")):
        raise entry.refused("host", "give a host name or an IP address, without scheme, port or path")
    return host.rstrip(".")


def _port(entry: OptionReader, usual: int) -> int:
    return entry.optional_integer("port", 1, 65535, "a port") or usual


def _path(entry: OptionReader) -> str:
    return entry.text("path", _PATH, "give a path that begins with / and holds no spaces")


def _text(entry: OptionReader, key: str) -> str:
    return _line(entry, key, entry[key])


def _line(entry: OptionReader, key: str, value: object) -> str:
    if not isinstance(value, str) or len(value) > MAX_TEXT or not value.isprintable():
        raise entry.refused(key, f"give printable text of at most {MAX_TEXT} characters")
    return value


def _allow(entry: OptionReader, host: str) -> str:
    allow = _text(entry, "allow") or host
    if not is_host(allow.removeprefix("*.")):
        raise entry.refused("allow", "give a host name, or *. and a domain")
    return allow


def _purpose(entry: OptionReader) -> dict[str, str]:
    """In each language; one text stands for both."""
    value = entry["purpose"]
    both = value if isinstance(value, dict) else {"tr": value, "en": value}
    return {f"purpose_{language}": _line(entry, "purpose", both.get(language, "")) for language in ("tr", "en")}


def endpoints(overrides: object = None) -> tuple[Endpoint, ...]:
    """The endpoints after the user's overrides (`edefter_endpoints`). Raises OptionError."""
    result = []
    for entry in _merged("endpoints", _packaged("endpoints.json"), overrides, _ENDPOINT):
        scheme, host = entry.choice("scheme", ("https", "http")), _host(entry)
        result.append(
            Endpoint(
                id=str(entry["id"]),
                host=host,
                port=_port(entry, 443 if scheme == "https" else 80),
                scheme=scheme,
                path=_path(entry),
                allow=_allow(entry, host),
                required=entry.boolean("required"),
                required_when_redirected_from=_text(entry, "required_when_redirected_from"),
                **_purpose(entry),
            )
        )
    return tuple(result)


def time_sources(overrides: object = None) -> tuple[TimeSource, ...]:
    """The time sources after the user's overrides (`edefter_time_sources`). Raises OptionError."""
    result = []
    for entry in _merged("time_sources", _packaged("time_sources.json"), overrides, _TIME_SOURCE):
        kind, host = entry.choice("kind", ("ntp", "https")), _host(entry)
        peer = entry.boolean("peer")
        if peer and kind != "ntp":
            raise entry.refused("peer", "only a source of kind ntp can be a peer of Windows Time")
        result.append(
            TimeSource(
                id=str(entry["id"]),
                host=host,
                kind=kind,
                port=_port(entry, 123 if kind == "ntp" else 443),
                operator=_text(entry, "operator") or host,
                path=_path(entry),
                peer=peer,
            )
        )
    return tuple(result)


def canaries(overrides: object = None, enabled: bool = True) -> tuple[Canary, ...]:
    """The canaries after the user's overrides (`edefter_canaries`); none when switched off. Raises OptionError."""
    if not enabled:
        return ()
    result = []
    for entry in _merged("canaries", _packaged("canaries.json"), overrides, _CANARY):
        kind = entry.choice("kind", _CANARY_KINDS)
        result.append(
            Canary(
                id=str(entry["id"]),
                kind=kind,
                host=_host(entry),
                port=_port(entry, 80 if kind == "http_text" else 443),
                path=_path(entry),
                expect=_text(entry, "expect"),
            )
        )
    return tuple(result)


def is_host(text: str) -> bool:
    """Whether it is a host name or an IP address, and nothing more."""
    return bool(_HOST.fullmatch(text) or _IPV6.fullmatch(text))
