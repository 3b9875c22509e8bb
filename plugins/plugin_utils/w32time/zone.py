# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of the time zone, and of a clock that is off by whole hours because of it.

Pure. Order matters to whoever applies them: a zone is put right before the clock is touched.
"""

from __future__ import annotations

from ansible_collections.edefter.ready.plugins.plugin_utils.hostkind import Kind
from ansible_collections.edefter.ready.plugins.plugin_utils.model import Owner, Status, Step
from ansible_collections.edefter.ready.plugins.plugin_utils.w32time import steps
from ansible_collections.edefter.ready.plugins.plugin_utils.w32time.case import (
    HOUR,
    HOUR_SLACK_S,
    Case,
    Check,
    evidence,
)

POSIX_ZONES = ("europe/istanbul", "asia/istanbul", "turkey")


def offset_text(seconds: int | None) -> str:
    """+03:00; - when not known."""
    if seconds is None:
        return "-"
    sign = "-" if seconds < 0 else "+"
    return f"{sign}{abs(seconds) // 3600:02d}:{abs(seconds) % 3600 // 60:02d}"


def checks(case: Case) -> tuple[Check, ...]:
    """All checks of this file."""
    found: tuple[Check | None, ...] = (_effective(case),)
    if case.host.kind is not Kind.POSIX:
        found = (_zone(case), _effective(case), _table(case), _automatic(case), _hours(case))
    return tuple(check for check in found if check is not None)


def by_hand(case: Case) -> bool:
    """The zone is wrong and the clock was moved so that the display is right all the same."""
    zone, clock, wanted = case.observed.zone, case.clock, case.wanted.utc_offset_s
    if not case.zone_wrong or clock is None or zone.utc_offset_s is None or wanted is None:
        return False
    # The host shows its UTC + zone; that equals the true local time when true - host = zone - wanted.
    shift = zone.utc_offset_s - wanted
    return shift != 0 and abs(clock.lo - shift) <= HOUR_SLACK_S and abs(clock.hi - shift) <= HOUR_SLACK_S


def _held(case: Case) -> bool:
    """Putting the zone right alone would make a right display wrong, and NTP does not get out to mend the clock."""
    return by_hand(case) and case.clock is not None and case.clock.ntp_works is False


def _zone(case: Case) -> Check:
    zone, wanted = case.observed.zone, case.wanted
    shown = zone.shown or ""
    facts = evidence(utc_offset=offset_text(zone.utc_offset_s), tzutil=zone.shown)
    if zone.key is None:
        blocks = wanted.utc_offset_s is None or zone.utc_offset_s != wanted.utc_offset_s
        return Check(
            "time.zone", Status.UNKNOWN, "time.zone.unknown", "", wanted.zone, case.admin, evidence=facts, blocks=blocks
        )
    if not case.zone_wrong and not zone.daylight_off:
        return Check("time.zone", Status.PASS, "time.zone.ok", shown, wanted.zone, evidence=facts)
    if _held(case):
        return Check(
            "time.zone",
            Status.FAIL,
            "time.zone.held",
            shown,
            wanted.zone,
            Owner.FIREWALL_ADMIN,
            evidence=facts,
            blocks=True,
        )
    repair = (steps.zone(zone.shown, wanted.zone),)
    if not case.zone_wrong:
        return Check("time.zone", Status.WARN, "time.zone.dstoff", shown, wanted.zone, evidence=facts, steps=repair)
    if wanted.utc_offset_s is not None and zone.utc_offset_s == wanted.utc_offset_s:
        # The time shown is right today; the name is still wrong, and its rules may change without Turkey's.
        return Check("time.zone", Status.WARN, "time.zone.other_name", shown, wanted.zone, evidence=facts, steps=repair)
    return Check(
        "time.zone", Status.FAIL, "time.zone.wrong", shown, wanted.zone, evidence=facts, blocks=True, steps=repair
    )


def _effective(case: Case) -> Check | None:
    zone, wanted = case.observed.zone, case.wanted
    if wanted.utc_offset_s is None or (case.zone_wrong and case.host.kind is not Kind.POSIX):
        return None  # the zone's own check says it
    expected, observed = offset_text(wanted.utc_offset_s), offset_text(zone.utc_offset_s)
    if zone.utc_offset_s is None:
        return Check("time.utc_offset", Status.UNKNOWN, "time.utc_offset.unknown", "", expected, case.admin)
    if zone.utc_offset_s == wanted.utc_offset_s:
        return Check("time.utc_offset", Status.PASS, "time.utc_offset.ok", observed, expected)
    rule = zone.rules.get(wanted.zone)
    repair = (steps.zone(zone.shown, wanted.zone),) if zone.daylight_off else ()
    old = rule is not None and rule.utc_offset_s != wanted.utc_offset_s
    return Check(
        "time.utc_offset",
        Status.FAIL,
        "time.utc_offset.old_rules" if old else "time.utc_offset.wrong",
        observed,
        expected,
        Owner.LOCAL_ADMIN,
        evidence=evidence(zone=zone.shown),
        blocks=True,
        # Old rules stay old whatever zone is set again.
        steps=() if old else repair,
    )


def _table(case: Case) -> Check | None:
    """The machine's own table of zones: before Turkey's change of 2016 it says +02:00 with daylight saving."""
    wanted = case.wanted
    if wanted.utc_offset_s is None or wanted.zone not in case.observed.zone.rules:
        return None
    rule = case.observed.zone.rules[wanted.zone]
    expected = offset_text(wanted.utc_offset_s)
    if rule is None:
        return Check("time.zone_data", Status.UNKNOWN, "time.zone_data.unknown", "", expected, case.admin)
    observed = offset_text(rule.utc_offset_s) + (" DST" if rule.has_daylight else "")
    if rule.utc_offset_s == wanted.utc_offset_s and not rule.has_daylight:
        return Check("time.zone_data", Status.PASS, "time.zone_data.ok", observed, expected)
    return Check(
        "time.zone_data", Status.FAIL, "time.zone_data.old", observed, expected, Owner.LOCAL_ADMIN, blocks=True
    )


def _automatic(case: Case) -> Check | None:
    start = case.observed.tzautoupdate_start
    if start is None:
        return None  # editions without it
    if start == 4:
        return Check("time.zone_auto", Status.PASS, "time.zone_auto.off", "4", "4")
    return Check(
        "time.zone_auto",
        Status.WARN,
        "time.zone_auto.on",
        str(start),
        "4",
        steps=(steps.automatic_zone_off(),),
    )


def _hours(case: Case) -> Check | None:
    clock, zone = case.clock, case.observed.zone
    if clock is None:
        return None
    hand = by_hand(case)
    if not clock.whole_hours and not hand:
        if zone.rtc_is_universal:
            return Check("time.rtc", Status.PASS, "time.rtc.universal", "1", "")
        return None
    hours = f"{round(clock.middle / HOUR, 1):+g}"
    facts = evidence(offset_s=f"{clock.middle:+.1f}", zone=zone.shown, rtc_is_universal=zone.rtc_is_universal or None)
    cause = "time.hours.clock"
    owner = Owner.FIREWALL_ADMIN if clock.ntp_works is False and case.writes else case.admin
    repair: tuple[Step, ...] = (steps.resync(),)
    if hand:
        cause = "time.hours.by_hand"
        repair = () if _held(case) else (steps.zone(zone.shown, case.wanted.zone), *repair)
    elif zone.rtc_is_universal:
        cause = "time.hours.rtc"
    return Check(
        "time.hours", Status.FAIL, cause, hours, "0", owner, {"hours": hours}, facts, blocks=True, steps=repair
    )
