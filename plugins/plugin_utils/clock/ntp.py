# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NTP arithmetic: from raw timestamps to an interval that holds the offset, and why an answer cannot be used.

Pure. Offsets are `true - host` in seconds (RFC 5905: positive means that the host is behind).
"""

from __future__ import annotations

import dataclasses

from ansible_collections.edefter.ready.plugins.plugin_utils.observation.clock import TICKS, NtpSample

# Seconds from 1900 (NTP, era 0) to 1970, and one era.
NTP_TO_UNIX = 2_208_988_800
ERA = 2**32

MAX_STRATUM = 15
# RFC 5905 appendix A.5.1.1: MAXDISP 16 s for what an answer may say of itself; MAXDIST 1 s for a source to vote beside
# the sharp ones. Domain controllers often claim several seconds: too blunt for that, and yet all that is known of them.
MAX_ROOT = 16.0
MAX_RADIUS = 1.0
# RFC 5905's PHI: how far a clock may run from true between two readings.
PHI = 15e-6
# The longest poll interval in use is 2^17 s: an older reference was given up.
MAX_REFERENCE_AGE = 2.0**17 + 3600.0


@dataclasses.dataclass(frozen=True)
class Reading:
    """One usable sample: offset theta, radius r that bounds its error, the delay it was measured with; seconds."""

    theta: float
    radius: float
    delay: float
    root_distance: float
    sample: NtpSample


def unwrap(stamp: int) -> int:
    """An NTP timestamp in ticks since 1970. Fixed pivot: top bit set means 1968 to 2036, clear 2036 to 2104.

    Not from the nearest local time, as RFC 5905 has it: a clock with an empty battery is more than half an era off.
    """
    seconds, fraction = stamp >> 32, stamp & 0xFFFFFFFF
    if not seconds & 0x80000000:
        seconds += ERA
    return (seconds - NTP_TO_UNIX) * TICKS + (fraction * TICKS >> 32)


def reject(sample: NtpSample) -> str:
    """Why this answer tells no time: a short code, or "" when it may be used."""
    root = sample.root_delay / 65536 / 2 + sample.root_dispersion / 65536
    checks = (
        ("mode", sample.mode != 4),
        ("version", sample.version not in (1, 2, 3, 4)),
        ("kiss", sample.stratum == 0),
        ("unsynchronised", sample.leap == 3 or sample.stratum > MAX_STRATUM),
        ("zero_timestamp", sample.receive == 0 or sample.transmit == 0),
        ("root_distance", root >= MAX_ROOT),
        ("order", _held(sample) < 0),
        ("negative_delay", sample.delay < 0 or sample.delay < _held(sample)),
        ("stale_reference", _reference_age(sample) > MAX_REFERENCE_AGE),
        ("future_reference", _reference_age(sample) < -1.0),
    )
    return next((code for code, wrong in checks if wrong), "")


def _held(sample: NtpSample) -> int:
    """Ticks between the server's receiving and sending."""
    return unwrap(sample.transmit) - unwrap(sample.receive)


def _reference_age(sample: NtpSample) -> float:
    # Zero: the server does not say when it was last set (some appliances); stratum 1 receivers may say it loosely.
    if sample.reference == 0:
        return 0.0
    return (unwrap(sample.transmit) - unwrap(sample.reference)) / TICKS


def read(sample: NtpSample) -> Reading:
    """Offset and radius of a sample that `reject` let pass (RFC 5905 section 8; the delay is monotonic)."""
    t1, t2, t3 = sample.t1, unwrap(sample.receive), unwrap(sample.transmit)
    t4 = t1 + sample.delay
    theta = ((t2 - t1) + (t3 - t4)) / 2 / TICKS
    delay = (sample.delay - (t3 - t2)) / TICKS
    root = sample.root_delay / 65536 / 2 + sample.root_dispersion / 65536
    # Both clocks are read in steps: the server's as it says (at most a second counts), ours in 100 ns, twice each.
    steps = 2.0 ** min(sample.precision, 0) + 4 / TICKS
    radius = delay / 2 + root + steps + PHI * sample.delay / TICKS
    return Reading(theta, radius, delay, root, sample)


def best(samples: tuple[NtpSample, ...], until: int) -> tuple[Reading | None, str]:
    """The reading with the least radius, aged to monotonic time `until`; or None and the most telling rejection.

    Least radius is least delay, unless the server's own distance changed between two samples.
    """
    readings = []
    codes = []
    for sample in samples:
        code = reject(sample)
        if code:
            codes.append(code)
            continue
        reading = read(sample)
        aged = reading.radius + PHI * max(0, until - sample.mono) / TICKS
        readings.append(dataclasses.replace(reading, radius=aged))
    if not readings:
        return None, codes[-1] if codes else ""
    return min(readings, key=lambda r: r.radius), ""
