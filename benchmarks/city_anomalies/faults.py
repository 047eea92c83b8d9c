"""Twelve kinds of faults, each of a size that counts in the datastream's usual spread.

======================  ==========================================================================
spike, drop             one reading is ``size`` spreads higher, or lower
stuck                   one value for ``size`` times the longest usual run (or the pack's span)
drift                   it grows to ``size`` spreads within three days, up or down
level shift             ``size`` spreads, for a day, up or down
variance                deviations from the usual hour grow by a factor of 1 + ``size``, for a day
missing                 nothing for ``size`` times the longest usual gap (or the pack's span)
season shifted          the day comes 1.5 h times ``size`` late, for two days
slow leak               it falls to ``size`` spreads below within a fortnight (or rises, where it
                        cannot fall)
outlier burst           of 12 readings about half lie ``size`` to twice ``size`` spreads off
clipped                 nothing above the day's 95th percentile less ``size`` spreads, for two days
swapped sensor          readings of another sensor (or property), for two days, that is the
                        nearest to ``size`` spreads away in the median
======================  ==========================================================================

Faulty readings keep the datastream's resolution and its physical range, so that neither gives them
away. A fault that the datastream has no room for is none: ``inject`` answers None.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from benchmarks.city_anomalies.data import Datastream, Times, Values

Random = np.random.Generator
HOUR: Final = 3_600_000
DAY: Final = 24 * HOUR
SIZES: Final = (1.0, 2.0, 4.0, 8.0)
_LATE: Final = (0.5, 0.8)
"""Share of the recording at which faults begin: the detectors have learned by then."""
_BURST: Final = 12


class Trial(NamedTuple):
    """A datastream with one fault in it, from ``start`` to ``end`` (ms)."""

    row: int
    kind: str
    size: float
    start: int
    end: int
    times: Times
    values: Values


class _Place(NamedTuple):
    """Readings ``first`` to ``last`` (not included) of a datastream: where a fault goes."""

    one: Datastream
    first: int
    last: int

    @property
    def inside(self) -> slice:
        return slice(self.first, self.last)


def inject(
    datastreams: Sequence[Datastream], row: int, kind: str, size: float, rng: Random
) -> Trial | None:
    """One fault at a place that the seed chooses."""
    one = datastreams[row]
    lasts = _lasts(one, kind, size)
    span = one.times[-1] - one.times[0]
    if lasts is None:
        return None
    # Some places have no room for a fault (a drop at zero): look elsewhere a few times.
    for _ in range(20):
        begin = one.times[0] + int(span * rng.uniform(*_LATE))
        first = int(np.searchsorted(one.times, begin))
        last = max(int(np.searchsorted(one.times, one.times[first] + lasts)), first + 1)
        if kind == "outlier burst":
            last = first + _BURST
        if last >= len(one.times) - 1:
            continue
        place = _Place(one, first, last)
        if kind == "missing":
            return _missing(place, row, size)
        faulty = FAULTS[kind](place, size, rng, datastreams)
        if faulty is not None:
            values = one.values.copy()
            values[first:last] = faulty
            at = one.times[[first, last - 1]].tolist()
            return Trial(row, kind, size, at[0], at[1], one.times, values)
    return None


def _lasts(one: Datastream, kind: str, size: float) -> int | None:
    """For how long, ms; None: the datastream's pack does not watch for such a thing."""
    if kind == "stuck":
        return _longest(one, "flatline", longest_run(one), size)
    if kind == "missing":
        return _longest(one, "gap", int(np.diff(one.times).max()), size)
    return _DURATIONS.get(kind, 0)


def _longest(one: Datastream, name: str, usual: int, size: float) -> int | None:
    watched = one.watched(name)
    if not watched:
        return None
    lasts = int(size * max(watched, usual))
    # What fills the rest of the recording can no longer be told from its end.
    return lasts if lasts < (1 - _LATE[1]) * (one.times[-1] - one.times[0]) else None


def longest_run(one: Datastream) -> int:
    """The longest time for which the datastream stood still, as it was recorded, ms.

    Standing at zero does not count where its pack calls that usual.
    """
    ends = np.flatnonzero(np.append(np.diff(one.values) != 0, [True]))
    starts = np.append([0], ends[:-1] + 1)
    spans = one.times[ends] - one.times[starts]
    if getattr(one.rules.detector, "still_at_zero", False):
        spans = spans[one.values[starts] != 0]
    return int(spans.max(initial=0))


def _fit(one: Datastream, values: Values) -> Values:
    """Within the physical range, and as finely told as the datastream tells its values."""
    low, high = one.rules.range or (-np.inf, np.inf)
    # No sensor of this city reads below zero but for temperatures.
    low = max(low, min(0.0, float(one.values.min())))
    whole = bool(np.all(one.values == np.round(one.values)))
    return np.clip(np.round(values) if whole else np.round(values, 1), low, high)


def _off(place: _Place, by: Values) -> Values | None:
    """The readings and ``by``, where the datastream has room for nine tenths of it in the mean."""
    usual = place.one.values[place.inside]
    faulty = _fit(place.one, usual + by)
    room = np.abs(faulty - usual).sum() >= 0.9 * np.abs(by).sum()
    return faulty if room else None


def _either(place: _Place, by: Values, rng: Random) -> Values | None:
    sign = rng.choice([-1.0, 1.0])
    first = _off(place, sign * by)
    return first if first is not None else _off(place, -sign * by)


def _spike(place: _Place, size: float, *_: object) -> Values | None:
    return _off(place, np.array([size * place.one.spread]))


def _drop(place: _Place, size: float, *_: object) -> Values | None:
    return _off(place, np.array([-size * place.one.spread]))


def _stuck(place: _Place, *_: object) -> Values | None:
    usual = place.one.values[place.inside]
    still = getattr(place.one.rules.detector, "still_at_zero", False)
    if (still and usual[0] == 0) or np.count_nonzero(np.diff(usual)) < len(usual) / 4:
        return None
    return np.full(len(usual), usual[0])


def _ramp(place: _Place) -> Values:
    at = place.one.times[place.inside]
    return np.asarray((at - at[0]) / max(at[-1] - at[0], 1))


def _drift(place: _Place, size: float, rng: Random, _: object) -> Values | None:
    return _either(place, size * place.one.spread * _ramp(place), rng)


def _leak(place: _Place, size: float, *_: object) -> Values | None:
    by = size * place.one.spread * _ramp(place)
    down = _off(place, -by)
    return down if down is not None else _off(place, by)


def _shift(place: _Place, size: float, rng: Random, _: object) -> Values | None:
    return _either(place, np.full(place.last - place.first, size * place.one.spread), rng)


def _variance(place: _Place, size: float, *_: object) -> Values | None:
    usual = profile(place.one)[hours(place.one.times[place.inside])]
    away = place.one.values[place.inside] - usual
    if np.count_nonzero(away) < len(away) / 4:
        return None
    return _fit(place.one, usual + (1 + size) * away)


def _season(place: _Place, size: float, *_: object) -> Values | None:
    one = place.one
    earlier = one.times[place.inside] - int(1.5 * HOUR * size)
    values = one.values[np.searchsorted(one.times, earlier)]
    return values if np.count_nonzero(values != one.values[place.inside]) else None


def _outliers(place: _Place, size: float, rng: Random, _: object) -> Values | None:
    rows = place.last - place.first
    hit = rng.random(rows) < 0.5  # noqa: PLR2004 - about half
    hit[0] = True
    by = place.one.spread * size * rng.uniform(1, 2, rows) * hit
    return _off(place, by * rng.choice([-1.0, 1.0], rows) if rng.integers(2) else by)


def _clipped(place: _Place, size: float, *_: object) -> Values | None:
    one = place.one
    usual = one.values[place.inside]
    cap = float(np.quantile(usual, 0.95)) - size * one.spread
    if cap <= max(float(one.values.min()), 0.0):
        return None
    return _fit(one, np.minimum(usual, cap))


def _swapped(
    place: _Place, size: float, _: Random, datastreams: Sequence[Datastream]
) -> Values | None:
    one = place.one
    at = one.times[place.inside]
    usual = one.values[place.inside]
    best: tuple[float, Values] | None = None
    for other in datastreams:
        same = other.prop == one.prop
        alone = one.sensor == other.sensor == "weather"
        if other.name == one.name or not (same or alone):
            continue
        values = other.values[np.clip(np.searchsorted(other.times, at), 0, len(other.times) - 1)]
        away = float(np.median(np.abs(values - usual))) / one.spread
        wrong = abs(np.log(max(away, 1e-3) / size))
        if best is None or wrong < best[0]:
            best = wrong, values
    return best[1] if best is not None and best[0] < np.log(1.5) else None


def hours(times: Times) -> Times:
    """Hours of the week, 0 to 167, of times in ms."""
    return (times // HOUR) % 168


def profile(one: Datastream) -> Values:
    """The datastream's median of each hour of the week, from all of its readings."""
    at = hours(one.times)
    overall = float(np.median(one.values))
    return np.array(
        [np.median(one.values[at == h]) if np.any(at == h) else overall for h in range(168)]
    )


def _missing(place: _Place, row: int, size: float) -> Trial:
    """Without the readings; it is seen by the first that comes after."""
    one = place.one
    kept = np.ones(len(one.times), np.bool_)
    kept[place.inside] = False
    at = one.times[[place.first, place.last]].tolist()
    return Trial(row, "missing", size, at[0], at[1], one.times[kept], one.values[kept])


_DURATIONS: Final[Mapping[str, int]] = {
    "drift": 3 * DAY,
    "level shift": DAY,
    "variance": DAY,
    "season shifted": 2 * DAY,
    "slow leak": 14 * DAY,
    "clipped": 2 * DAY,
    "swapped sensor": 2 * DAY,
}

Injector = Callable[[_Place, float, Random, Sequence[Datastream]], Values | None]

FAULTS: Final[Mapping[str, Injector]] = {
    "spike": _spike,
    "drop": _drop,
    "stuck": _stuck,
    "drift": _drift,
    "level shift": _shift,
    "variance": _variance,
    "season shifted": _season,
    "slow leak": _leak,
    "outlier burst": _outliers,
    "clipped": _clipped,
    "swapped sensor": _swapped,
}
KINDS: Final = (*FAULTS, "missing")
