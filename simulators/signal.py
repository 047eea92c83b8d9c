"""What the simulated sensors would measure if nothing were wrong.

A value is a function of (seed, datastream, time) alone: a daily shape, slow weather-like wander,
and noise. So two runs agree, a run that starts in the middle agrees with one that started before,
and a test can compute the truth.
"""

import math
from hashlib import blake2b
from typing import Final, NamedTuple

_DAY: Final = 86_400_000
_HOUR: Final = 3_600_000
_MASK: Final = (1 << 64) - 1
_WANDER: Final = 20 * 60_000
"""Knots of the slow wander lie this far apart, ms."""


class Peak(NamedTuple):
    """A bump of the daily shape: hour of the day (UTC), width (hours), height (of the swing)."""

    hour: float
    width: float
    height: float


class Profile(NamedTuple):
    """How one property behaves. Figures in ``unit``.

    ``base + swing * shape(time of day) + wander * slow + noise * fast``, not below ``floor``, where
    slow and fast have a spread of about one; rounded to ``digits``.
    """

    unit: str
    base: float
    swing: float
    wander: float
    noise: float
    peaks: tuple[Peak, ...]
    floor: float = 0.0
    digits: int = 2


_RUSH: Final = (Peak(6.5, 1.3, 1.0), Peak(14.5, 2.0, 0.9), Peak(11, 3.5, 0.5))
_DAYTIME: Final = (Peak(12, 4.0, 1.0),)

PROFILES: Final = {
    "speed": Profile("km/h", 52, -18, 1.5, 2.5, _RUSH, digits=1),
    "vehicles": Profile("1", 2, 22, 1.0, 1.5, _RUSH, digits=0),
    "occupied": Profile("1", 60, 260, 8, 0, _DAYTIME, digits=0),
    "temperature": Profile("Cel", 9, 7, 0.6, 0.1, (Peak(13, 4.5, 1.0),), floor=-40),
    "humidity": Profile("%", 78, -22, 2.0, 0.5, (Peak(13, 4.5, 1.0),), digits=1),
    "pm25": Profile("ug/m3", 8, 9, 1.2, 0.6, _RUSH, digits=1),
    "no2": Profile("ug/m3", 14, 26, 2.5, 1.0, _RUSH, digits=1),
    "noise": Profile("dB", 46, 17, 0.8, 1.5, _DAYTIME, digits=1),
    "water_level": Profile(
        "m", 0.1, 0.15, 0.03, 0.005, (Peak(5, 2.5, 1), Peak(17.4, 2.5, 1)), -5, 3
    ),
}
"""Property name to what it is like."""


class Signal:
    """One datastream's undisturbed values.

    Args:
        profile: What the property is like.
        seed: The city's seed.
        datastream: Node, sensor and property; any text that tells datastreams apart.
    """

    def __init__(self, profile: Profile, seed: int, datastream: str) -> None:
        self._profile = profile
        digest = blake2b(f"{seed}/{datastream}".encode(), digest_size=8).digest()
        self._key = int.from_bytes(digest, "big")
        self._scale = 1 + 0.15 * _normal(self._key)

    def at(self, t: int) -> float:
        """The value at ``t`` (ms since 1970 UTC)."""
        profile = self._profile
        value = (
            profile.base
            + profile.swing * self._scale * _shape(profile.peaks, t)
            + profile.wander * self._slow(t)
            + profile.noise * _normal(_mix(self._key ^ t))
        )
        return round(max(profile.floor, value), profile.digits)

    def _slow(self, t: int) -> float:
        knot, past = divmod(t, _WANDER)
        share = past / _WANDER
        eased = share * share * (3 - 2 * share)
        one, other = (_normal(_mix(self._key + k)) for k in (knot, knot + 1))
        return one + (other - one) * eased


def _shape(peaks: tuple[Peak, ...], t: int) -> float:
    hour = t % _DAY / _HOUR
    total = 0.0
    for peak in peaks:
        # The nearest way around the clock, so that midnight makes no step.
        away = (hour - peak.hour + 12) % 24 - 12
        total += peak.height * math.exp(-0.5 * (away / peak.width) ** 2)
    return total


def _mix(number: int) -> int:
    # splitmix64, by Sebastiano Vigna: one step spreads neighbouring numbers over all 64 bits.
    number = (number + 0x9E3779B97F4A7C15) & _MASK
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & _MASK
    return number ^ (number >> 31)


def _normal(bits: int) -> float:
    # The sum of four uniform 16-bit numbers: near enough to normal, bounded, mean 0, spread 1.
    total = sum((bits >> shift) & 0xFFFF for shift in (0, 16, 32, 48))
    return (total / 0xFFFF - 2) * math.sqrt(3)
