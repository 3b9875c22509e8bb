# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys of Windows Firewall's rule strings, and readers for their values.

Source: MS-GPFAS 2.2.2.19 (all versions to 2.33), and keys seen in registry dumps that no document names. Pure.
Comparisons are ordinal and ASCII-only: `str.lower` and `str.upper` would map letters that Windows keeps apart (dotless
i).
"""

from __future__ import annotations

import functools
import ipaddress
import re
import typing as t

# One table for str.translate: A-Z to a-z and nothing else, as OrdinalIgnoreCase treats the ASCII part of keys and
# names.
_FOLD = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def fold(text: str) -> str:
    """Lower-case A-Z only."""
    return text.lower() if text.isascii() else text.translate(_FOLD)


# What a rule does, and who it is for people.
INERT = frozenset(
    [
        "Action",
        "Dir",
        "Active",
        "Protocol",
        "Profile",
        "Name",
        "Desc",
        "EmbedCtxt",
        "Edge",
        "Defer",
        "LSM",
        "LOM",
        "PCross",
    ]
)
"""Keys that never narrow an outbound rule beyond what the typed rule says of them."""

PORT_KEYS: t.Mapping[str, str] = {
    "LPort": "local",
    "LPort2_10": "local",
    "LPort2_20": "local",
    "LPort2_24": "local",
    "LPort2_29": "local",
    "RPort": "remote",
    "RPort2_10": "remote",
    "RPort2_25": "remote",
}

ADDRESS_KEYS: t.Mapping[str, tuple[str, int]] = {
    "LA4": ("local", 4),
    "LA6": ("local", 6),
    "RA4": ("remote", 4),
    "RA6": ("remote", 6),
    "RA42": ("remote", 4),
    "RA62": ("remote", 6),
    "RA43": ("remote", 4),
    "RA63": ("remote", 6),
}

CONDITIONS = [
    "App",
    "Svc",
    "AppPkgId",
    "PFN",
    "FQBN",
    "LUAuth",
    "LUAuth2_24",
    "LUOwn",
    "RMAuth",
    "RUAuth",
    "AuthByPassOut",
    "Security",
    "Security2",
    "Security2_9",
    "IF",
    "IFType",
    "IFType2_23",
    "TTK",
    "TTK2_22",
    "TTK2_27",
    "TTK2_28",
    "ICMP4",
    "ICMP6",
    "Platform",
    "Platform2",
    "SkipVer",
    "NNm",
    "SecurityRealmId",
    "RADynKey",
    "RsNm",
    "RsNmE",
    "RsNmN",
    "CompTId",
    "AppLB",
    "CAudit",
    "DevMode",
    "AutoGenIPsec",
]
"""Keys that narrow a rule to some program, service, package, user, computer, interface, system or network."""

REPEATABLE = frozenset(
    [
        "Profile",
        *PORT_KEYS,
        *ADDRESS_KEYS,
        "ICMP4",
        "ICMP6",
        "IF",
        "IFType",
        "IFType2_23",
        "Platform",
        "RADynKey",
        "TTK",
        "TTK2_22",
        "TTK2_27",
        "TTK2_28",
        "RsNm",
        "RsNmE",
        "RsNmN",
        "NNm",
    ]
)

KNOWN = frozenset([*INERT, *PORT_KEYS, *ADDRESS_KEYS, *CONDITIONS])
_BY_FOLD = {fold(key): key for key in KNOWN}
# Both spellings: the exact one is nearly always there, and spares the folding.
SPELLING: t.Mapping[str, str] = {**_BY_FOLD, **{key: key for key in KNOWN}}

PORT_WORDS = frozenset(
    map(
        fold,
        [
            "RPC",
            "RPC-EPMap",
            "Teredo",
            "IPTLSIn",
            "IPHTTPSIn",
            "IPTLSOut",
            "IPHTTPSOut",
            "DHCP",
            "Ply2Disc",
            "mDNS",
            "CortanaOut",
            "TcpCDPSvc",
        ],
    )
)
# Words that stand for addresses near the host: none of them ever contains a public address.
NEAR_WORDS = frozenset(map(fold, ["LocalSubnet", "LocalSubnet6", "DHCP", "WINS", "DefaultGateway", "Ply2Renders"]))
# Words whose extent only the host knows.
FAR_WORDS = frozenset(map(fold, ["DNS", "IntrAnet", "IntErnet", "RmtIntrAnet", "CaptivePortal"]))

PROFILE_BITS: t.Mapping[str, int] = {"domain": 1, "private": 2, "public": 4}
ALL_PROFILES = 7
PROTOCOL_TCP = 6
PROTOCOL_UDP = 17

_VERSION = re.compile(r"[vV]([0-9]{1,3})\.([0-9]{1,3})")
_NUMBER = re.compile(r"[0-9]{1,5}")

Range = tuple[int, int]


def read_version(text: str) -> tuple[int, int] | None:
    """`v2.33` as (2, 33)."""
    match = _VERSION.fullmatch(text)
    return (int(match[1]), int(match[2])) if match else None


@functools.lru_cache(maxsize=4096)
def read_port(text: str) -> Range | str | None:
    """A port, a range `a-b` or one of the port words (folded); None: not readable."""
    word = fold(text)
    if word in PORT_WORDS:
        return word
    if text == "*":
        # In rules that Windows itself brings (service hardening), not in the grammar.
        return 0, 65535
    low, dash, high = text.partition("-")
    if not dash:
        high = low
    if not (_NUMBER.fullmatch(low) and _NUMBER.fullmatch(high)):
        return None
    first, last = int(low), int(high)
    return (first, last) if first <= last <= 65535 else None


@functools.lru_cache(maxsize=8192)
def read_address(text: str, version: int) -> Range | str | None:
    """An address, `a-b`, `net/len` or `net/mask` as an inclusive range of integers, or an address word (folded)."""
    word = fold(text)
    if word in NEAR_WORDS or word in FAR_WORDS:
        return word
    try:
        if "-" in text:
            ends = text.split("-", 1)
            first, last = _address(ends[0], version), _address(ends[1], version)
            return (first, last) if first <= last else None
        if "/" in text:
            network = ipaddress.ip_network(text, strict=False)
            if network.version != version:
                return None
            return int(network.network_address), int(network.broadcast_address)
        first = _address(text, version)
        return first, first
    except ValueError:
        return None


def _address(text: str, version: int) -> int:
    if version == 6:
        return int(ipaddress.IPv6Address(text))
    # What ipaddress.IPv4Address takes, several times as fast: there are rules with a thousand addresses.
    number = 0
    parts = text.split(".")
    if len(parts) != 4:
        raise ValueError(text)
    for part in parts:
        if not (part.isascii() and part.isdigit()) or len(part) > 3 or (part[0] == "0" and len(part) > 1):
            raise ValueError(text)
        octet = int(part)
        if octet > 255:
            raise ValueError(text)
        number = number << 8 | octet
    return number


def read_protocol(text: str) -> int | None:
    """A protocol number 0-255; None: not readable (a name, 256, …)."""
    if text.isascii() and text.isdigit() and len(text) <= 3 and int(text) <= 255:
        return int(text)
    return None
