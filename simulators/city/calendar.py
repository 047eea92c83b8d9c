"""The city's clock: local time, weekdays, and how the day shapes what people do.

Local time is UTC+1 all year: a simulated city needs no summer time. All functions take times in ms
since 1970 UTC and are vectorised.
"""

from typing import Final

import numpy as np

from simulators.city.hashing import Floats, Ints, wander

HOUR: Final = 3_600_000
DAY: Final = 24 * HOUR
OFFSET: Final = HOUR

_THURSDAY: Final = 3
"""1970-01-01 was one; Monday is 0."""

_SATURDAY: Final = 5

Bumps = tuple[tuple[float, float, float], ...]
"""Hour, width (hours), height of each."""

_MORNING: Final[Bumps] = ((7.7, 0.95, 0.95), (12.5, 3.2, 0.42), (16.6, 1.4, 0.4), (20.0, 1.6, 0.16))
_EVENING: Final[Bumps] = ((7.8, 1.0, 0.3), (12.8, 2.8, 0.46), (16.4, 1.25, 0.9), (21.0, 1.8, 0.2))
_WEEKEND: Final[Bumps] = ((11.5, 2.4, 0.5), (16.0, 2.6, 0.45), (21.5, 1.8, 0.2))
_SHOPPING: Final[Bumps] = ((12.3, 2.2, 0.75), (16.4, 1.9, 0.75), (20.3, 1.6, 0.3))
_SHOPPING_WEEKEND: Final[Bumps] = ((13.6, 2.4, 1.0), (20.6, 2.2, 0.55))
_PARKED: Final[Bumps] = ((10.5, 2.6, 0.8), (14.6, 2.4, 0.65), (20.0, 1.8, 0.18))
_PARKED_WEEKEND: Final[Bumps] = ((13.2, 2.6, 0.7), (20.4, 2.2, 0.45))


def hour(times: Ints) -> Floats:
    """The local hour of the day, 0 to 24."""
    return np.asarray((times + OFFSET) % DAY / HOUR)


def weekday(times: Ints) -> Ints:
    """0 is Monday, in local time."""
    return np.asarray(((times + OFFSET) // DAY + _THURSDAY) % 7)


def free(times: Ints) -> Floats:
    """1 on Saturdays and Sundays, else 0; it changes over an hour around midnight's quiet."""
    ahead = weekday(times + HOUR) >= _SATURDAY
    now = weekday(times) >= _SATURDAY
    past = hour(times) - 23.0
    return np.where(past > 0, now + (ahead * 1.0 - now) * past, now * 1.0)


def outward(times: Ints, seed: int) -> Floats:
    """Trips that begin at home: near 1 in the rush of the morning."""
    return _mixed(times, _MORNING, _WEEKEND, 0.03, seed)


def homeward(times: Ints, seed: int) -> Floats:
    """Trips that begin at work and shops: near 1 in the rush of the afternoon."""
    return _mixed(times, _EVENING, _WEEKEND, 0.03, seed + 1)


def inbound(times: Ints) -> Floats:
    """The share of trips that lead to the centre, 0 to 1: the morning's in, the afternoon's out."""
    away = hour(times)
    return 0.5 + 0.4 * np.tanh((11.8 - away) / 2.0) * (away > 3.0) * (away < 22.0)  # noqa: PLR2004


def out_of_doors(times: Ints, seed: int) -> Floats:
    """People in squares and shopping streets, near 1 at the busiest."""
    return _mixed(times, _SHOPPING, _SHOPPING_WEEKEND, 0.01, seed + 2)


def parked(times: Ints, seed: int) -> Floats:
    """The share of parking spaces in use, near 0.9 at the busiest."""
    return _mixed(times, _PARKED, _PARKED_WEEKEND, 0.07, seed + 3)


def _mixed(times: Ints, workday: Bumps, weekend: Bumps, floor: float, seed: int) -> Floats:
    at, off = hour(times), free(times)
    shape = floor + (1 - off) * _shape(at, workday) + off * _shape(at, weekend)
    # No day is quite like the other.
    return shape * (1.0 + 0.05 * wander(seed, times, 6 * HOUR))


def _shape(at: Floats, bumps: Bumps) -> Floats:
    total = np.zeros(at.shape)
    for middle, width, height in bumps:
        # The nearest way around the clock, so that midnight makes no step.
        away = (at - middle + 12.0) % 24.0 - 12.0
        total += height * np.exp(-0.5 * (away / width) ** 2)
    return total
