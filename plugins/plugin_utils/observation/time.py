# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Section `time`: what the host stores about Windows Time (W32Time), its policy twins and the time zone.

Pure. The registry may hold anything: a value of a type that Windows would not read there counts as absent and is named
in `odd`, so that one misspelt value never hides the rest. Only what our collector cannot have sent raises ShapeError.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils import shape
from ansible_collections.edefter.ready.plugins.plugin_utils.model import ShapeError
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.envelope import Fault, optional_fault

STATES = ("running", "stopped", "paused", "pending", "absent")
TASK_STATES = ("enabled", "disabled", "absent", "unknown")
_MAX_TRIGGERS = 64
_MAX_ZONES = 8


@dataclasses.dataclass(frozen=True)
class Trigger:
    """One service trigger. type: 2 network address, 3 domain join, …; action: 1 start, 2 stop; guid: lower case."""

    type: int | None
    action: int | None
    guid: str


@dataclasses.dataclass(frozen=True)
class Group:
    """The values of one registry key. present: the key is there. Absent values are None."""

    present: bool = False
    texts: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    numbers: t.Mapping[str, int] = dataclasses.field(default_factory=dict)

    def text(self, name: str) -> str | None:
        """A REG_SZ value."""
        return self.texts.get(name)

    def number(self, name: str) -> int | None:
        """A REG_DWORD value, unsigned."""
        return self.numbers.get(name)


@dataclasses.dataclass(frozen=True)
class Settings:
    """W32Time's own key. start: 2 automatic, 3 manual, 4 disabled; state: live, None when not told (state_error)."""

    present: bool
    start: int | None
    delayed: int | None
    triggers: tuple[Trigger, ...]
    state: str | None
    state_error: Fault | None
    parameters: Group
    config: Group
    ntp_client: Group
    ntp_server: Group
    vmic: Group
    seeding_estimate_utc: str | None


@dataclasses.dataclass(frozen=True)
class Policies:
    """The policy twin, key by key."""

    parameters: Group
    config: Group
    ntp_client: Group
    ntp_server: Group


@dataclasses.dataclass(frozen=True)
class ZoneRule:
    """The rule that the machine's zone table holds for a zone. Minutes; UTC = local time + bias."""

    bias_min: int
    standard_bias_min: int
    has_daylight: bool

    @property
    def utc_offset_s(self) -> int:
        """Standard time's offset from UTC in seconds, east positive."""
        return -60 * (self.bias_min + self.standard_bias_min)


@dataclasses.dataclass(frozen=True)
class Zone:
    """The zone set on the machine. utc_offset_s: the offset now in force, east positive."""

    key: str | None
    daylight_off: bool
    utc_offset_s: int | None
    rtc_is_universal: bool
    rules: t.Mapping[str, ZoneRule | None]

    @property
    def shown(self) -> str | None:
        """The name as `tzutil /g` prints it."""
        return None if self.key is None else self.key + ("_dstoff" if self.daylight_off else "")


@dataclasses.dataclass(frozen=True)
class TimeObservation:
    """The section. settings and policies are None on a host that is not Windows; odd: values of an unreadable type."""

    settings: Settings | None
    policies: Policies | None
    task: str
    zone: Zone
    tzautoupdate_start: int | None
    odd: tuple[str, ...]


class _Reader:
    """Reads stored values and remembers the odd ones."""

    def __init__(self) -> None:
        self.odd: list[str] = []

    def number(self, value: object, name: str, low: int = 0, high: int = 2**32 - 1) -> int | None:
        if value is None:
            return None
        try:
            return shape.integer(value, name, low, high)
        except ShapeError:
            self.odd.append(name)
            return None

    def text(self, value: object, name: str, limit: int = 1024) -> str | None:
        if value is None:
            return None
        try:
            return shape.text(value, name, limit)
        except ShapeError:
            self.odd.append(name)
            return None

    def group(self, raw: object, name: str, texts: t.Iterable[str], numbers: t.Iterable[str]) -> Group:
        m = shape.optional_mapping(raw, name)
        if m is None:
            return Group()
        found_texts = {key: self.text(m.get(key), f"{name}.{key}") for key in texts}
        found_numbers = {key: self.number(m.get(key), f"{name}.{key}") for key in numbers}
        return Group(
            True,
            {key: value for key, value in found_texts.items() if value is not None},
            {key: value for key, value in found_numbers.items() if value is not None},
        )


_PARAMETERS = ("Type", "NtpServer")
_CONFIG = (
    "AnnounceFlags",
    "MaxPosPhaseCorrection",
    "MaxNegPhaseCorrection",
    "MaxAllowedPhaseOffset",
    "MinPollInterval",
    "MaxPollInterval",
    "PhaseCorrectRate",
    "UpdateInterval",
    "LargePhaseOffset",
    "SpikeWatchPeriod",
    "HoldPeriod",
    "UtilizeSslTimeData",
)
_CLIENT = ("Enabled", "SpecialPollInterval", "CrossSiteSyncFlags")


def _trigger(reader: _Reader, raw: object, path: str) -> Trigger:
    m = shape.mapping(raw, path)
    return Trigger(
        reader.number(m.get("type"), f"{path}.type"),
        reader.number(m.get("action"), f"{path}.action"),
        (reader.text(m.get("guid"), f"{path}.guid", 40) or "").lower(),
    )


def _settings(reader: _Reader, raw: object, path: str) -> Settings | None:
    m = shape.optional_mapping(raw, path)
    if m is None:
        return None
    state = shape.optional_text(m.get("state"), f"{path}.state", 20)
    if state is not None and state not in STATES:
        raise ShapeError(f"{path}.state", f"{state!r} is none of {', '.join(STATES)}")
    limits = shape.optional_mapping(m.get("secure_time_limits"), f"{path}.secure_time_limits") or {}
    return Settings(
        present=shape.boolean(m.get("present"), f"{path}.present"),
        start=reader.number(m.get("start"), "w32time.Start"),
        delayed=reader.number(m.get("delayed"), "w32time.DelayedAutostart"),
        triggers=shape.each(
            m.get("triggers"), f"{path}.triggers", lambda item, at: _trigger(reader, item, at), _MAX_TRIGGERS
        ),
        state=state,
        state_error=optional_fault(m.get("state_error"), f"{path}.state_error"),
        parameters=reader.group(m.get("parameters"), "w32time.Parameters", _PARAMETERS, ()),
        config=reader.group(m.get("config"), "w32time.Config", (), _CONFIG),
        ntp_client=reader.group(m.get("ntp_client"), "w32time.NtpClient", (), _CLIENT),
        ntp_server=reader.group(m.get("ntp_server"), "w32time.NtpServer", (), ("Enabled",)),
        vmic=reader.group(m.get("vmic"), "w32time.VMICTimeProvider", (), ("Enabled",)),
        seeding_estimate_utc=reader.text(limits.get("estimated_utc"), "w32time.SecureTimeEstimated", 40),
    )


def _policies(reader: _Reader, raw: object, path: str) -> Policies | None:
    m = shape.optional_mapping(raw, path)
    if m is None:
        return None
    return Policies(
        parameters=reader.group(m.get("parameters"), "policy.Parameters", _PARAMETERS, ()),
        config=reader.group(m.get("config"), "policy.Config", (), _CONFIG),
        ntp_client=reader.group(m.get("ntp_client"), "policy.NtpClient", _PARAMETERS, _CLIENT),
        ntp_server=reader.group(m.get("ntp_server"), "policy.NtpServer", (), ("Enabled",)),
    )


def _rule(raw: object, path: str) -> ZoneRule | None:
    m = shape.optional_mapping(raw, path)
    if m is None:
        return None
    return ZoneRule(
        bias_min=shape.integer(m.get("bias_min"), f"{path}.bias_min", -(2**31), 2**31),
        standard_bias_min=shape.integer(m.get("standard_bias_min"), f"{path}.standard_bias_min", -(2**31), 2**31),
        has_daylight=shape.boolean(m.get("has_daylight"), f"{path}.has_daylight"),
    )


def _zone(reader: _Reader, raw: object, path: str) -> Zone:
    m = shape.mapping(raw, path)
    data = shape.optional_mapping(m.get("data"), f"{path}.data") or {}
    if len(data) > _MAX_ZONES:
        raise ShapeError(f"{path}.data", f"{len(data)} zones, at most {_MAX_ZONES} are read")
    key = reader.text(m.get("key"), "zone.TimeZoneKeyName", 128)
    return Zone(
        key=key or None,
        daylight_off=reader.number(m.get("dynamic_daylight_disabled"), "zone.DynamicDaylightTimeDisabled") == 1,
        # Real offsets lie within -12 h .. +14 h; the bound keeps arithmetic sane, not geography.
        utc_offset_s=reader.number(m.get("utc_offset_s"), "zone.ActiveTimeBias", -172800, 172800),
        rtc_is_universal=reader.number(m.get("real_time_is_universal"), "zone.RealTimeIsUniversal", 0, 2**64) == 1,
        rules={
            shape.text(name, f"{path}.data", 128): _rule(rule, f"{path}.data.{name[:40]}")
            for name, rule in data.items()
        },
    )


def parse_time(raw: object) -> TimeObservation:
    """Reads the section's data. Raises ShapeError."""
    m = shape.mapping(raw, "time")
    reader = _Reader()
    task = shape.optional_mapping(m.get("task"), "time.task") or {}
    state = shape.optional_text(task.get("state"), "time.task.state", 20) or "unknown"
    if state not in TASK_STATES:
        raise ShapeError("time.task.state", f"{state!r} is none of {', '.join(TASK_STATES)}")
    return TimeObservation(
        settings=_settings(reader, m.get("w32time"), "time.w32time"),
        policies=_policies(reader, m.get("policy"), "time.policy"),
        task=state,
        zone=_zone(reader, m.get("zone"), "time.zone"),
        tzautoupdate_start=reader.number(m.get("tzautoupdate_start"), "tzautoupdate.Start"),
        odd=tuple(reader.odd[:20]),
    )
