# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Section `proxy`: every place of a host where a proxy is set (docs/observation-endpoints.md).

Pure; raises ShapeError.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils import shape
from ansible_collections.edefter.ready.plugins.plugin_utils.model import ShapeError
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.envelope import Fault, optional_fault
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.values import words


@dataclasses.dataclass(frozen=True)
class ProxyConfig:
    """One place where a proxy can be set. by_scheme: what it means for https and http, `host:port`."""

    source: str
    user: str | None
    enabled: bool
    server: str | None
    bypass: tuple[str, ...]
    pac_url: str | None
    auto_detect: bool | None
    by_scheme: t.Mapping[str, str]
    credentials_removed: bool
    error: Fault | None


@dataclasses.dataclass(frozen=True)
class Proxy:
    """The section. pac, wpad: some configuration has a PAC address, automatic detection on."""

    configs: tuple[ProxyConfig, ...]
    pac: bool
    wpad: bool


def _config(raw: object, path: str) -> ProxyConfig:
    m = shape.mapping(raw, path)
    schemes = shape.optional_mapping(m.get("by_scheme"), f"{path}.by_scheme") or {}
    if len(schemes) > 8:
        raise ShapeError(f"{path}.by_scheme", f"{len(schemes)} schemes, at most 8 are read")
    removed = shape.optional_boolean(m.get("credentials_removed"), f"{path}.credentials_removed")
    return ProxyConfig(
        source=shape.text(m.get("source"), f"{path}.source", 40),
        user=shape.optional_text(m.get("user"), f"{path}.user", 200),
        enabled=shape.boolean(m.get("enabled"), f"{path}.enabled"),
        server=shape.optional_text(m.get("server"), f"{path}.server", 500),
        bypass=words(m.get("bypass"), f"{path}.bypass", 256),
        pac_url=shape.optional_text(m.get("pac_url"), f"{path}.pac_url", 500),
        auto_detect=shape.optional_boolean(m.get("auto_detect"), f"{path}.auto_detect"),
        by_scheme={key[:20]: shape.text(value, f"{path}.by_scheme", 300) for key, value in schemes.items()},
        credentials_removed=bool(removed),
        error=optional_fault(m.get("error"), f"{path}.error"),
    )


def parse_proxy(raw: object) -> Proxy:
    """Reads the section's data. Raises ShapeError."""
    m = shape.mapping(raw, "proxy")
    return Proxy(
        configs=shape.each(m.get("configs"), "proxy.configs", _config, 64),
        pac=shape.optional_boolean(m.get("pac"), "proxy.pac") or False,
        wpad=shape.optional_boolean(m.get("wpad"), "proxy.wpad") or False,
    )
