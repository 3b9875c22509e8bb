# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of how W32Time synchronises: type, peers, provider, polls, phase limits, Secure Time Seeding, guest time.

Pure. Three rules stand above all: a machine that follows its domain is never pointed elsewhere; a value that a policy
rules is never written; a limit is opened for one correction only, and only on agreeing evidence.
"""

from __future__ import annotations

from ansible_collections.edefter.ready.plugins.plugin_utils.hostkind import Kind
from ansible_collections.edefter.ready.plugins.plugin_utils.model import Owner, Status, Step
from ansible_collections.edefter.ready.plugins.plugin_utils.w32time import steps
from ansible_collections.edefter.ready.plugins.plugin_utils.w32time.case import Case, Check, evidence, ruled
from ansible_collections.edefter.ready.plugins.plugin_utils.w32time.words import (
    SPECIAL_INTERVAL,
    TYPES,
    longest_poll_s,
    parse_peers,
    same_peers,
    seeding_on,
)
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted.time import MAX_PHASE

PDC_PHASE_LIMIT = 172800
"""Microsoft's value for the root of a domain's time (KB884776)."""
SPECIAL_POLL_S = 3600
HOST_SYNC_SAFE_SINCE = 14393
"""Build (Windows 10 1607, Server 2016) since which a Hyper-V guest may keep both time sources."""


def checks(case: Case) -> tuple[Check, ...]:
    """All checks of this file; none when there is no service to synchronise."""
    if case.settings is None:
        return ()
    found = [_type(case), _peers(case) if case.asks_peers else None, _provider(case), _poll(case), phase_limits(case)]
    found += [_domain(case), _seeding(case), _guest(case), _odd(case), _policy(case)]
    return tuple(check for check in found if check is not None)


def _canonical(value: str | None) -> str | None:
    return next((known for known in TYPES if value is not None and value.strip().lower() == known.lower()), value)


def _type(case: Case) -> Check:
    stored = case.in_force.parameter("Type")
    value = _canonical(stored.value)
    shown = value or "-"
    wanted = "NT5DS" if case.follows else "NTP"
    if value in (wanted, "AllSync"):
        return Check("time.type", Status.PASS, "time.type.ok", shown, wanted)
    if stored.ruled:
        return ruled(case, "time.type", Status.FAIL, "Parameters\\Type", shown, wanted)
    step = steps.registry("time.type", steps.PARAMETERS, "Type", wanted, stored.value, (steps.RESTART, steps.RESYNC))
    # A member is led back to its domain. A controller's own choice is its administrator's: it is told, not touched.
    repair = (step,) if case.writes or case.host.kind is Kind.MEMBER else ()
    cause, status = "time.type.wrong", Status.FAIL
    if case.follows and value == "NTP":
        cause = "time.type.upgrade_damage" if case.host.kind is Kind.MEMBER else "time.type.controller_ntp"
        status = Status.FAIL if case.host.kind is Kind.MEMBER else Status.WARN
    elif value == "NoSync":
        cause = "time.type.no_sync"
    elif value == "NT5DS":
        cause = "time.type.no_domain" if case.host.kind is not Kind.PDC_EMULATOR else "time.type.pdc_without_source"
    return Check("time.type", status, cause, shown, wanted, case.admin, steps=repair)


def _provider(case: Case) -> Check:
    stored = case.in_force.number("ntp_client", "Enabled")
    shown = "-" if stored.value is None else str(stored.value)
    if stored.value not in (0, None):
        return Check("time.provider", Status.PASS, "time.provider.ok", shown, "1")
    if stored.ruled:
        return ruled(case, "time.provider", Status.FAIL, "NtpClient\\Enabled", shown, "1")
    step = steps.registry("time.provider", steps.NTP_CLIENT, "Enabled", 1, stored.value, (steps.RESTART, steps.RESYNC))
    return Check(
        "time.provider",
        Status.FAIL if stored.value == 0 else Status.WARN,
        "time.provider.off",
        shown,
        "1",
        case.admin,
        steps=(step,) if case.writes else (),
    )


def _peers(case: Case) -> Check | None:
    stored, peers, wanted = case.in_force.parameter("NtpServer"), case.peers, case.wanted
    shown = (stored.value or "").strip() or "-"
    usable = [peer for peer in peers if peer.usable]
    enough = len({peer.host.lower() for peer in usable}) >= wanted.min_peers and len(usable) == len(peers)
    if stored.ruled:
        # Which servers a policy names is its owner's choice; whether they can work is judged all the same.
        if usable:
            return Check("time.peers", Status.PASS, "time.peers.policy", shown, wanted.ntp_server)
        status = Status.WARN if peers else Status.FAIL
        return ruled(case, "time.peers", status, "Parameters\\NtpServer", shown, wanted.ntp_server)
    if same_peers(peers, wanted.peers) or (wanted.keep_own_peers and enough):
        return Check("time.peers", Status.PASS, "time.peers.ok", shown, wanted.ntp_server)
    if not peers:
        cause = "time.peers.none"
    elif len(usable) < len(peers):
        cause = "time.peers.flags"
    elif len(peers) < wanted.min_peers:
        cause = "time.peers.few"
    elif any(peer.flags != 8 for peer in peers) and {p.host.lower() for p in peers} == {
        host.lower() for host in wanted.peers
    }:
        cause = "time.peers.flags"
    else:
        cause = "time.peers.differ"
    step = steps.registry(
        "time.peers",
        steps.PARAMETERS,
        "NtpServer",
        wanted.ntp_server,
        stored.value,
        (steps.UPDATE, steps.RESYNC),
    )
    return Check(
        "time.peers",
        Status.FAIL if not peers else Status.WARN,
        cause,
        shown,
        wanted.ntp_server,
        case.admin,
        params={"count": str(len(peers)), "wanted": str(wanted.min_peers)},
        steps=(step,) if case.writes else (),
    )


def _poll_bounds(case: Case) -> tuple[int, int]:
    """(default low, highest good) log2 polls: a server that others are compared with asks every 17 minutes at least."""
    return (6, 10) if case.asks_peers and case.host.server else (10, 15)


def _poll(case: Case) -> Check:
    low, high = (case.in_force.number("config", name) for name in ("MinPollInterval", "MaxPollInterval"))
    special = case.in_force.number("ntp_client", "SpecialPollInterval")
    wanted = case.wanted
    base, most = _poll_bounds(case)
    if wanted.max_poll is not None:
        most = wanted.max_poll
    want_low, want_high = low.value, high.value
    if wanted.min_poll is not None:
        want_low = wanted.min_poll
    elif low.value is None or not 6 <= low.value <= min(most, 15):
        want_low = min(base, most)
    if wanted.max_poll is not None:
        want_high = wanted.max_poll
    elif high.value is None or not 6 <= high.value <= most:
        want_high = most
    if want_low is not None and want_high is not None and want_low > want_high:
        want_low = want_high
    will_be = case.peers if case.asks_peers else ()
    peers_step = not (case.in_force.parameter("NtpServer").ruled or not case.writes) and not (
        same_peers(case.peers, wanted.peers) or wanted.keep_own_peers
    )
    if peers_step:
        will_be = parse_peers(wanted.ntp_server)
    now = longest_poll_s(case.peers if case.asks_peers else (), low.value, high.value, special.value, case.host.build)
    then = longest_poll_s(will_be, want_low, want_high, special.value, case.host.build)
    limit = 2**most
    shown = f"2^{low.value if low.value is not None else '?'}..2^{high.value if high.value is not None else '?'} s"
    expected = f"<= {limit} s"
    changes: list[tuple[str, str, int, int | None, bool, str]] = []
    if want_low != low.value and want_low is not None:
        changes.append((steps.CONFIG, "MinPollInterval", want_low, low.value, low.ruled, steps.UPDATE))
    if want_high != high.value and want_high is not None:
        changes.append((steps.CONFIG, "MaxPollInterval", want_high, high.value, high.ruled, steps.UPDATE))
    too_long = then is None or then > limit
    if any((peer.flags or 0) & SPECIAL_INTERVAL for peer in will_be) and too_long:
        value = min(SPECIAL_POLL_S, limit)
        changes.append((steps.NTP_CLIENT, "SpecialPollInterval", value, special.value, special.ruled, steps.RESTART))
    params = {"seconds": "?" if now is None else str(now), "limit": str(limit)}
    facts = evidence(longest_poll_s=now, special_poll_s=special.value)
    if not changes:
        return Check("time.poll", Status.PASS, "time.poll.ok", shown, expected, params=params, evidence=facts)
    if any(change[4] for change in changes):
        name = next(change[1] for change in changes if change[4])
        return ruled(case, "time.poll", Status.WARN, name, shown, expected)
    repair = tuple(
        steps.registry(f"time.poll:{name}", path, name, value, before, (need,))
        for path, name, value, before, dummy, need in changes
    )
    return Check(
        "time.poll",
        Status.WARN,
        "time.poll.wrong",
        shown,
        expected,
        case.admin,
        params,
        facts,
        steps=repair if case.writes else (),
    )


def phase_target(case: Case) -> int:
    """What a phase limit is set to when it is wrong."""
    if case.wanted.keep_max_phase or case.follows:
        return MAX_PHASE
    return PDC_PHASE_LIMIT if case.host.kind is Kind.PDC_EMULATOR else case.wanted.phase_limit


def phase_ok(case: Case, value: int | None) -> bool:
    """A limit that may stay: wide enough to correct minutes, narrow enough to refuse a source gone mad."""
    if case.wanted.keep_max_phase and not case.follows:
        return value == MAX_PHASE
    if value == MAX_PHASE:
        return case.follows  # Windows' default for a member: its controller has limits of its own
    return value is not None and value >= case.wanted.phase_floor


SIDES = (("MaxPosPhaseCorrection", 1), ("MaxNegPhaseCorrection", -1))


def beyond(case: Case) -> str | None:
    """The limit that keeps W32Time from correcting this clock, by name; None: none does, or the clock is not known."""
    clock = case.clock
    if clock is None or not clock.surely_beyond(case.wanted.threshold_s):
        return None
    for name, sign in SIDES:
        value = case.in_force.number("config", name).value
        # The far end of the interval: a limit that might refuse the correction is opened for it.
        error = clock.hi if sign > 0 else -clock.lo
        if error > 0 and (clock.middle > 0) == (sign > 0) and error > (phase_target(case) if value is None else value):
            return name
    return None


def phase_limits(case: Case) -> Check:
    """Limits as stored, and whether they are in the way of the correction that this clock needs."""
    stored = {name: case.in_force.number("config", name) for name, dummy in SIDES}
    shown = ", ".join(f"{sign:+d}: {'-' if stored[name].value is None else stored[name].value}" for name, sign in SIDES)
    target = phase_target(case)
    expected = str(target) if case.wanted.keep_max_phase else f"{case.wanted.phase_floor}..{target}"
    blocking = beyond(case)
    if blocking is not None and case.clock is not None:
        return _beyond(case, blocking, shown, expected)
    wrong = [name for name, dummy in SIDES if not phase_ok(case, stored[name].value)]
    if not wrong:
        return Check("time.phase_limits", Status.PASS, "time.phase_limits.ok", shown, expected)
    if any(stored[name].ruled for name in wrong):
        name = next(name for name in wrong if stored[name].ruled)
        return ruled(case, "time.phase_limits", Status.WARN, f"Config\\{name}", shown, expected)
    open_ended = any(stored[name].value == MAX_PHASE for name in wrong)
    cause = "time.phase_limits.open" if open_ended and not case.wanted.keep_max_phase else "time.phase_limits.narrow"
    if case.wanted.keep_max_phase and case.asks_peers:
        cause = "time.phase_limits.dead_cmos"
    return Check(
        "time.phase_limits",
        Status.WARN,
        cause,
        shown,
        expected,
        case.admin,
        steps=tuple(_limit_step(case, name) for name in wrong) if case.writes else (),
    )


def _limit_step(case: Case, name: str, kind: str = "registry", value: int | None = None) -> Step:
    before = case.in_force.number("config", name).value
    data = phase_target(case) if value is None else value
    needs = (steps.UPDATE,) if kind == "registry" else (steps.RESTART, steps.RESYNC) if kind == "widen" else ()
    prefix = {"registry": "time.phase_limits", "widen": "time.widen", "restore": "time.restore"}[kind]
    return steps.registry(f"{prefix}:{name}", steps.CONFIG, name, data, before, needs, kind)


def _beyond(case: Case, name: str, shown: str, expected: str) -> Check:
    """The widen - restart - verify - restore rule."""
    if case.clock is None:
        raise AssertionError("asked without a measured clock")
    stored = case.in_force.number("config", name)
    params = {"name": name, "offset": f"{case.clock.middle:+.0f}", "limit": str(stored.value)}
    facts = evidence(offset_s=f"{case.clock.middle:+.1f}", corroborated=case.clock.corroborated)

    def check(cause: str, owner: Owner, repair: tuple[Step, ...] = ()) -> Check:
        return Check(
            "time.phase_limits", Status.FAIL, cause, shown, expected, owner, params, facts, blocks=True, steps=repair
        )

    if stored.ruled:
        return check("time.phase_limits.policy", case.host.policy_owner)
    if not case.writes:
        return check("time.phase_limits.beyond", case.admin)
    if case.clock.ntp_works is False:
        return check("time.phase_limits.no_ntp", Owner.FIREWALL_ADMIN)
    if not case.clock.corroborated:
        return check("time.phase_limits.uncorroborated", Owner.LOCAL_ADMIN)
    others = tuple(
        _limit_step(case, other)
        for other, dummy in SIDES
        if other != name
        and not phase_ok(case, case.in_force.number("config", other).value)
        and not case.in_force.number("config", other).ruled
    )
    if case.wanted.keep_max_phase:
        return check("time.phase_limits.beyond", Owner.COLLECTION, (*others, _limit_step(case, name)))
    back = stored.value if phase_ok(case, stored.value) and stored.value is not None else phase_target(case)
    widen = _limit_step(case, name, "widen", MAX_PHASE)
    restore = steps.registry(f"time.restore:{name}", steps.CONFIG, name, back, MAX_PHASE, (), "restore")
    return check("time.phase_limits.beyond", Owner.COLLECTION, (*others, widen, restore))


def _seeding(case: Case) -> Check | None:
    if not case.host.server:
        return None
    stored = case.in_force.number("config", "UtilizeSslTimeData")
    on = seeding_on(stored.value, case.host.build, server=True)
    shown = "-" if stored.value is None else str(stored.value)
    if on is None:
        return Check("time.seeding", Status.UNKNOWN, "time.seeding.unknown", shown, "0", case.admin)
    if not on:
        return Check("time.seeding", Status.PASS, "time.seeding.off", shown, "0")
    if stored.ruled:
        return ruled(case, "time.seeding", Status.WARN, "Config\\UtilizeSslTimeData", shown, "0")
    step = steps.registry("time.seeding", steps.CONFIG, "UtilizeSslTimeData", 0, stored.value, (steps.REBOOT,))
    if case.settings is None:
        raise AssertionError("asked without settings")
    facts = evidence(seeding_estimate_utc=case.settings.seeding_estimate_utc)
    repair = (step,) if case.writes else ()
    return Check("time.seeding", Status.WARN, "time.seeding.on", shown, "0", case.admin, {}, facts, steps=repair)


def _guest(case: Case) -> Check | None:
    """Time from the hypervisor beside NTP."""
    host = case.host
    if host.hypervisor == "vmware":
        if case.clock is not None and case.clock.surely_beyond(case.wanted.threshold_s):
            return Check("time.guest", Status.WARN, "time.guest.vmware", "vmware", "", Owner.LOCAL_ADMIN)
        return None
    if host.hypervisor not in ("hyperv", "azure"):
        return None
    if case.settings is None:
        raise AssertionError("asked without settings")
    enabled = case.settings.vmic.number("Enabled")
    shown = "-" if enabled is None else str(enabled)
    on = enabled not in (None, 0)
    if host.hypervisor == "azure" and host.joined and on:
        return Check("time.guest", Status.WARN, "time.guest.azure_joined", shown, "0", Owner.DOMAIN_ADMIN)
    old = host.build is not None and host.build < HOST_SYNC_SAFE_SINCE
    if host.hypervisor == "hyperv" and old and host.joined and on:
        step = steps.registry("time.vmic", steps.VMIC, "Enabled", 0, enabled, (steps.RESTART,))
        repair = (step,) if case.writes else ()
        return Check("time.guest", Status.WARN, "time.guest.old_hyperv", shown, "0", case.admin, steps=repair)
    return Check("time.guest", Status.PASS, "time.guest.ok", shown, shown)


def _domain(case: Case) -> Check | None:
    """The clock of the controller that a member follows: what is wrong there is wrong in the whole domain."""
    domain, limit = case.domain_clock, case.wanted.threshold_s
    if not case.follows or domain is None:
        return None
    params, expected = {"controller": domain.host}, f"±{limit:g} s"
    if domain.view is None:
        return Check(
            "time.domain", Status.UNKNOWN, "time.domain.unknown", "", expected, Owner.DOMAIN_ADMIN, params=params
        )
    shown = f"{domain.view.lo:+.2f} … {domain.view.hi:+.2f} s"
    params["offset"] = f"{domain.view.middle:+.1f}"
    if domain.view.surely_within(limit):
        return Check("time.domain", Status.PASS, "time.domain.ok", shown, expected, params=params)
    if not domain.view.surely_beyond(limit):
        return Check(
            "time.domain", Status.UNKNOWN, "time.domain.unknown", shown, expected, Owner.DOMAIN_ADMIN, params=params
        )
    return Check(
        "time.domain", Status.FAIL, "time.domain.wrong", shown, expected, Owner.DOMAIN_ADMIN, params=params, blocks=True
    )


def _odd(case: Case) -> Check | None:
    odd = case.observed.odd
    if not odd:
        return None
    names = ", ".join(odd[:5])
    return Check("time.values", Status.WARN, "time.values.odd", names, "", case.admin, {"names": names})


def _policy(case: Case) -> Check | None:
    names = case.in_force.ruled
    if not names:
        return None
    text = ", ".join(names[:12])
    return Check(
        "time.policy",
        Status.PASS,
        "time.policy.present",
        text,
        "",
        params={"count": str(len(names))},
        evidence=evidence(owner=case.host.policy_owner),
    )
