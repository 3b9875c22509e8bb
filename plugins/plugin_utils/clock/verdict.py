# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a clock observation to one verdict: an interval that holds the host's offset, and who vouches for it.

Pure. THE SIGN: every offset here is `true time - host time` in seconds, as in RFC 5905. Positive: the host is BEHIND.
Adding the offset to the host's clock makes it right.
"""

from __future__ import annotations

import dataclasses

from ansible_collections.edefter.ready.plugins.plugin_utils.clock import date, ntp, steps
from ansible_collections.edefter.ready.plugins.plugin_utils.clock.vote import Outcome, Voter, vote
from ansible_collections.edefter.ready.plugins.plugin_utils.model import Status
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.clock import (
    TICKS,
    ClockObservation,
    ClockSource,
    iso,
)
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted.clock import ClockWanted

CONTROL_NODE = "control-node"
# A witness this sharp votes in the first round; a blunter one (the control node, a Date that may be a second old) only
# when the sharp ones alone find no majority.
SHARP = 0.25
# How sharp a second witness must be to confirm the first: seconds, or half of what it confirms.
CONFIRMS = 5.0


@dataclasses.dataclass(frozen=True)
class Witness:
    """The control node's own word: bounds of (true - host) from its clock and the module's round trip, seconds."""

    lo: float
    hi: float


@dataclasses.dataclass(frozen=True)
class SourceVerdict:
    """One row of the table of sources.

    verdict: `agrees`, `falseticker`, `undecided` (no majority), `rejected`, `silent`, `skipped`.
    reason: a short code for rejected and silent. lo, hi, offset: seconds of `true - host`; delay: round trip, seconds.
    """

    id: str
    host: str
    port: int
    kind: str
    operator: str
    address: str
    lan: bool
    verdict: str
    reason: str
    lo: float | None
    hi: float | None
    offset: float | None
    delay: float | None
    stratum: int | None
    samples: int
    sent: int


@dataclasses.dataclass(frozen=True)
class ClockVerdict:
    """What is known of the host's clock.

    lo, hi: the interval that holds `true - host` (seconds; positive: the host is BEHIND); None: nothing is known.
    offset: the best single estimate within it, for people; never judged upon.
    method: the sharpest kind of witness that agrees: `ntp`, `date`, `vantage`, or `none`.
    corroborated: at least two operators agree, each sharply enough to confirm the other.
    falsetickers: ids of sources outside the majority's interval. depth of operators agree, of all that answered.
    stepped: the clock was set while it was measured; lo and hi are for the clock as it was afterwards.
    hours_hint: n when the offset is about n whole hours: a clock set by hand in a wrong time zone.
    outside_certificate: the host's date lies outside a trusted certificate's validity, so it is certainly wrong.
    host_utc: the host's clock at the end of the measurement; true_utc: what it should have been.
    """

    lo: float | None
    hi: float | None
    offset: float | None
    method: str
    corroborated: bool
    sources: tuple[SourceVerdict, ...]
    falsetickers: tuple[str, ...]
    depth: int
    operators: int
    stepped: steps.Step | None
    hours_hint: int | None
    outside_certificate: bool
    host_utc: str
    true_utc: str

    @property
    def ntp_works(self) -> bool | None:
        """Whether any NTP source answered; None: none was asked."""
        asked = [row for row in self.sources if row.kind == "ntp" and row.sent > 0]
        return any(row.verdict != "silent" for row in asked) if asked else None

    @property
    def half_width(self) -> float | None:
        """Half the interval's length in seconds."""
        return None if self.lo is None or self.hi is None else (self.hi - self.lo) / 2

    def status(self, wanted: ClockWanted) -> Status:
        """By the whole interval, never by its middle. What no second operator confirms is not passed and not failed.

        A lone witness inside the limits: warn. A lone witness outside, an interval across a limit, no interval:
        unknown.
        """
        if self.lo is None or self.hi is None:
            return Status.UNKNOWN
        grade = wanted.grade(self.lo, self.hi)
        if self.stepped is not None and grade is not Status.FAIL:
            return Status.UNKNOWN
        if wanted.require_corroboration and not self.corroborated:
            return Status.WARN if grade is Status.PASS else Status.UNKNOWN
        return grade


def witness(clock: ClockObservation, sent: float, received: float, lo: float = 0.0, hi: float = 0.0) -> Witness | None:
    """The control node as a witness.

    sent, received: the control node's wall clock (seconds since 1970) right before and after the module call, taken so
    that their difference is monotonic. lo, hi: bounds of (true - control node), from its own measurement. None when
    the times contradict each other.
    """
    inside = (clock.mono_end - clock.mono_start) / TICKS
    start = clock.wall_start / TICKS
    # When the host read its clock for the first time, the control node's showed a time in [sent, received - inside].
    low, high = sent - start, received - inside - start
    if low > high:
        return None
    return Witness(low + lo, high + hi)


def _undisturbed(source: ClockSource, step: steps.Step | None) -> ClockSource:
    """The source without the samples from before a step, or during one."""
    since = step.mono if step else 0
    kept = tuple(s for s in source.samples if s.mono >= since and not steps.gained(s.wall_delay, s.delay))
    answers = tuple(a for a in source.answers if a.mono >= since and not steps.gained(a.wall_elapsed, a.elapsed))
    return dataclasses.replace(source, samples=kept, answers=answers)


@dataclasses.dataclass(frozen=True)
class _Read:
    """One source read: its interval, or why there is none."""

    source: ClockSource
    lo: float | None = None
    hi: float | None = None
    offset: float | None = None
    delay: float | None = None
    stratum: int | None = None
    verdict: str = ""
    reason: str = ""
    blunt: bool = False

    def voter(self) -> Voter | None:
        if self.lo is None or self.hi is None:
            return None
        return Voter(self.source.id, self.source.operator.casefold(), self.lo, self.hi)


def _read(source: ClockSource, whole: ClockSource, until: int) -> _Read:
    if source.skipped:
        return _Read(source, verdict="skipped", reason=source.skipped)
    if source.kind == "https":
        found, reason = date.bounds(source)
        if found is not None:
            return _Read(source, found.lo, found.hi, (found.lo + found.hi) / 2, found.delay, blunt=not found.prompt)
        return _nothing(source, whole, reason)
    reading, reason = ntp.best(source.samples, until)
    if reading is not None:
        lo, hi = reading.theta - reading.radius, reading.theta + reading.radius
        blunt = reading.radius > ntp.MAX_RADIUS
        return _Read(source, lo, hi, reading.theta, reading.delay, reading.sample.stratum, blunt=blunt)
    if reason == "kiss":
        reason = f"kiss_{source.kiss or 'unnamed'}".lower()
    return _nothing(source, whole, reason)


def _nothing(source: ClockSource, whole: ClockSource, reason: str) -> _Read:
    if reason:
        return _Read(source, verdict="rejected", reason=reason)
    if len(whole.samples) + len(whole.answers) > 0:
        return _Read(source, verdict="rejected", reason="clock_stepped")
    return _Read(source, verdict="silent", reason=source.error.code if source.error else "nothing")


def _outcome(sharp: tuple[Voter, ...], voters: tuple[Voter, ...]) -> Outcome:
    """The vote of the sharp witnesses, unless they are alone, disagree, or most of all witnesses contradict them."""
    first = vote(sharp)
    if first.operators >= 2 and first.lo is not None:
        agreeing = {v.operator for v in voters if _agrees(v, first)}
        if len(agreeing) * 2 > len({v.operator for v in voters}):
            return first
    return vote(voters)


def _corroborated(outcome: Outcome, voters: tuple[Voter, ...], certain: bool) -> bool:
    if outcome.lo is None or outcome.hi is None:
        return False
    middle = abs(outcome.lo + outcome.hi) / 2
    confirming = {v.operator for v in voters if _agrees(v, outcome) and v.half_width <= max(CONFIRMS, middle / 2)}
    return len(confirming) >= 2 or (certain and len(confirming) == 1)


def _agrees(voter: Voter, outcome: Outcome) -> bool:
    return outcome.lo is not None and outcome.hi is not None and voter.lo <= outcome.hi and voter.hi >= outcome.lo


def _hours(offset: float) -> int | None:
    hours = round(offset / 3600)
    # Zones reach from -12 to +14; hands are off by a minute or two.
    return hours if hours != 0 and abs(hours) <= 26 and abs(offset - hours * 3600) <= 150 else None


def _outside(clock: ClockObservation) -> bool:
    """Whether the host's date lies outside the validity of a certificate that is fine but for its dates.

    An expired certificate on a right clock looks the same, so the server's own Date has to lie inside.
    """
    for source in clock.sources:
        found, _reason = date.bounds(source) if source.kind == "https" else (None, "")
        if found is None or source.certificate is None:
            continue
        if not source.certificate.not_before <= clock.wall_end <= source.certificate.not_after:
            return True
    return False


def assess(clock: ClockObservation, control: Witness | None = None) -> ClockVerdict:
    """Judges a clock observation. control: the last witness, when the caller has one."""
    step = steps.find(clock)
    reads = [_read(_undisturbed(source, step), source, clock.mono_end) for source in clock.sources]
    voters = tuple(v for v in (r.voter() for r in reads) if v is not None)
    # What the control node saw spans the whole call; a step in it leaves nothing to say.
    if control is not None and step is None:
        voters += (Voter(CONTROL_NODE, CONTROL_NODE, control.lo, control.hi),)
    # The control node, a Date that may be a second old and a server that vouches for no single second are blunt: beside
    # sharp liars they would make a majority. They vote when the sharp ones cannot settle it.
    sharp = tuple(v for r in reads if not r.blunt and (v := r.voter()) is not None)
    outcome = _outcome(sharp, voters)
    outside = _outside(clock)
    table = [_row(read, outcome) for read in reads]
    if control is not None and step is None:
        table.append(_control_row(control, outcome))
    agreeing = [row for row in table if row.verdict == "agrees" and row.lo is not None and row.hi is not None]
    method = _method(agreeing)
    offset = None
    if outcome.lo is not None and outcome.hi is not None and agreeing:
        offset = min(max(_estimate(agreeing, method), outcome.lo), outcome.hi)
    # A certificate vouches for days, not for seconds: it confirms only a clock that is off by more than its own slack.
    certain = outside and offset is not None and abs(offset) > 86400
    known = offset is not None
    return ClockVerdict(
        lo=outcome.lo,
        hi=outcome.hi,
        offset=offset,
        method=method,
        corroborated=_corroborated(outcome, voters, certain),
        sources=tuple(table),
        falsetickers=tuple(row.id for row in table if row.verdict == "falseticker"),
        depth=outcome.depth,
        operators=outcome.operators,
        stepped=step,
        hours_hint=_hours(offset) if offset is not None else None,
        outside_certificate=outside,
        host_utc=iso(clock.wall_end),
        true_utc=iso(clock.wall_end + round((offset or 0.0) * TICKS)) if known else "",
    )


def _method(agreeing: list[SourceVerdict]) -> str:
    kinds = {row.kind for row in agreeing}
    return next(
        (name for kind, name in (("ntp", "ntp"), ("https", "date"), ("vantage", "vantage")) if kind in kinds), "none"
    )


_KINDS = {"ntp": "ntp", "date": "https", "vantage": "vantage"}


def _estimate(agreeing: list[SourceVerdict], method: str) -> float:
    """Mean of the agreeing sources of the sharpest kind. One that is blunter than the sharpest by e weighs as 1 / e².

    What a source is blunter by is what its answers were held up longer, and about as much may they be off.
    """
    rows = [row for row in agreeing if row.kind == _KINDS[method]]
    radii = [((row.hi or 0.0) - (row.lo or 0.0)) / 2 for row in rows]
    # Being woken takes some 50 µs anyway; without a floor the sharpest would silence the others.
    weights = [1.0 / (radius - min(radii) + 5e-5) ** 2 for radius in radii]
    # Summed as differences from one of them: an offset of decades leaves no digits for microseconds squared.
    base = rows[0].offset or 0.0
    return base + sum(w * ((row.offset or 0.0) - base) for w, row in zip(weights, rows, strict=True)) / sum(weights)


def _verdict(lo: float, hi: float, outcome: Outcome) -> str:
    if outcome.lo is None or outcome.hi is None:
        return "undecided"
    return "agrees" if lo <= outcome.hi and hi >= outcome.lo else "falseticker"


def _row(read: _Read, outcome: Outcome) -> SourceVerdict:
    source = read.source
    has = read.lo is not None and read.hi is not None
    return SourceVerdict(
        id=source.id,
        host=source.host,
        port=source.port,
        kind=source.kind,
        operator=source.operator,
        address=source.address,
        lan=source.lan,
        verdict=_verdict(read.lo or 0.0, read.hi or 0.0, outcome) if has else read.verdict,
        reason=read.reason,
        lo=read.lo,
        hi=read.hi,
        offset=read.offset,
        delay=read.delay,
        stratum=read.stratum,
        samples=len(source.samples) + len(source.answers),
        sent=source.sent or len(source.answers),
    )


def _control_row(control: Witness, outcome: Outcome) -> SourceVerdict:
    return SourceVerdict(
        id=CONTROL_NODE,
        host=CONTROL_NODE,
        port=0,
        kind="vantage",
        operator=CONTROL_NODE,
        address="",
        lan=False,
        verdict=_verdict(control.lo, control.hi, outcome),
        reason="",
        lo=control.lo,
        hi=control.hi,
        offset=(control.lo + control.hi) / 2,
        delay=control.hi - control.lo,
        stratum=None,
        samples=1,
        sent=1,
    )
