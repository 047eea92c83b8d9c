"""The full detector's first step: six statistics of each reading, from what came before it.

1. **Scale.** A level and a spread, both slow and robust; ``u`` is the reading on the scale of the
   spread, its tails drawn in by the inverse hyperbolic sine.
2. **Statistics.** ``u`` itself; the step from the last reading; the mean of the last few less that
   of many before; the mean of many ``u``; the mean of what deviates from the usual week; and the
   logarithm of how rough it is of late over how rough it usually is. Each upwards and downwards.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stream.anomaly.detector import LARGEST
from stream.anomaly.full_state import CHANNELS, Record, Records, Tuning
from stream.compiled import compiled

MEASURED: Final = np.dtype(
    [
        ("statistic", "f8", (CHANNELS,)),
        ("floor", "f8", (CHANNELS,)),
        ("number", "i8"),
        ("level", "f8"),
        ("scale", "f8"),
        ("last", "f8"),
        ("near", "f8"),
        ("far", "f8"),
        ("mean", "f8"),
        ("usual", "f8"),
        ("rough", "f8"),
        ("usually_rough", "f8"),
        ("possible", "u1"),
    ],
    align=True,
)
"""What is known of a reading before it is judged. ``statistic``: those of the module's head,
upwards and downwards in turn, each with its ``floor`` added. ``number``: of readings before it.
``level``, ``scale``, ``last`` (reading), ``near`` and ``far`` (means) in the datastream's unit;
``mean``, ``usual`` (at this hour) and the two roughnesses on its scale. Of one that is not
``possible`` nothing else is set."""

RULES: Final = np.dtype(
    [
        ("watched", "u1"),
        ("warm_up", "i8"),
        ("threshold", "f8"),
        ("least", "f8"),
        ("low", "f8"),
        ("high", "f8"),
    ],
    align=True,
)

_HOUR: Final = 3_600_000
_THURSDAY: Final = 72  # hours from a Monday to the first hour of 1970
_WEEK: Final = 168
_DAY: Final = 24
_UNSCALED: Final = 20  # readings before the scale means anything
_ALIKE: Final = 0.1  # spread added to an hour's, so that none is infinitely sure
_SMALL: Final = 1e-3  # roughness below which there is none
_SEEN_MAX: Final = 250
_VISITS_MAX: Final = 1000.0
_OVERALL: Final = 0.02
_FEW_VISITS: Final = 3  # until then nothing is clipped


@compiled
def measure(  # noqa: PLR0913, PLR0917 - arrays of one state
    one: Records,
    recent: NDArray[np.float64],
    levels: NDArray[np.float32],
    residuals: NDArray[np.float32],
    squares: NDArray[np.float32],
    rules: Records,
    tuning: Tuning,
    rows: NDArray[np.int32],
    times: NDArray[np.int64],
    values: NDArray[np.float64],
    usable: NDArray[np.uint8],
    measured: Records,
) -> None:
    """Take readings into the rings, scales and weeks, and write what was ``measured`` of each."""
    for i in range(len(rows)):
        row = rows[i]
        rule = rules[row]
        x = values[i]
        m = measured[i]
        # NaN fails the comparison too.
        possible = rule.low <= x <= rule.high and abs(x) <= LARGEST
        m.possible = usable[i] != 0 and rule.watched != 0 and possible
        if m.possible == 0:
            continue
        d = one[row]
        if d.count == 0:
            d.last = d.level = d.late_level = x
        m.number = d.count
        m.last = d.last
        u = _scale(d, m, x, tuning)
        shift = _shift(d, m, x, recent[row], tuning)
        d.levels = _slide(levels[row], d.count, u, d.levels)
        m.mean = d.levels / min(tuning.long, d.count + 1)
        off = _season(d, m, u, times[i], tuning)
        d.residuals = _slide(residuals[row], d.count, off, d.residuals)
        season = d.residuals / min(tuning.hourly, d.count + 1)
        roughness = _roughness(d, m, u, levels[row], squares[row], tuning)
        _split(m, 0, u, tuning.floor)
        _split(m, 1, x - d.last, tuning.floor * m.scale)
        _split(m, 2, shift, tuning.floor * m.scale)
        _split(m, 3, m.mean, tuning.floor)
        _split(m, 4, season, tuning.floor)
        _split(m, 5, roughness, tuning.floor)
        d.last = x
        d.count += 1


@compiled
def _scale(d: Record, m: Record, x: float, tuning: Tuning) -> float:
    """``x`` on level and scale before it; learn it."""
    n = d.count
    level = d.level
    least = tuning.share * math.sqrt(d.late_square)
    scale = d.spread + least + 1e-9 * abs(level) + 1e-12
    u = math.asinh((x - level) / scale) if n >= _UNSCALED else 0.0
    share = max(1.0 / tuning.memory, 1.0 / (n + 1.0))
    clip = tuning.clip * (d.spread + least) if n > _UNSCALED else 10 * LARGEST
    off = x - level
    d.level += share * max(-clip, min(clip, off))
    d.spread += share * (min(abs(off), clip) - d.spread)
    share = max(1.0 / tuning.lately, 1.0 / (n + 1.0))
    off = x - d.late_level
    d.late_level += share * off
    d.late_square += share * (off * off - d.late_square)
    m.level = level
    m.scale = scale
    return u


@compiled
def _slide(ring: NDArray[np.float32], n: int, value: float, total: float) -> float:
    """Put ``value`` into a ring as its ``n``-th; the sum, made anew each round against drift."""
    at = n % len(ring)
    total -= ring[at]
    ring[at] = value
    total += ring[at]
    if at == 0:
        total = 0.0
        for k in range(len(ring)):
            total += ring[k]
    return total


@compiled
def _shift(d: Record, m: Record, x: float, recent: NDArray[np.float64], tuning: Tuning) -> float:
    """The mean of the last few less that of many before them."""
    n = d.count
    short = tuning.short
    size = short + tuning.long
    slot = n % size
    middle = recent[(n - short) % size]
    d.near += x - middle
    d.far += middle - recent[slot]
    recent[slot] = x
    if slot == 0:
        # Made anew each round, against drift.
        d.near = 0.0
        d.far = 0.0
        for k in range(short):
            d.near += recent[(n - k) % size]
        for k in range(short, size):
            d.far += recent[(n - k) % size]
    m.near = d.near / short
    m.far = d.far / tuning.long
    return m.near - m.far if n + 1 >= size else 0.0


@compiled
def _season(d: Record, m: Record, u: float, at: int, tuning: Tuning) -> float:
    """The deviation from what is usual at this hour of the week, by how sure that is."""
    hour = (at // _HOUR + _THURSDAY) % _WEEK
    if hour != d.hour:
        if d.hour >= 0:
            _end_visit(d, tuning)
        d.hour = hour
        d.visit_sum = 0.0
        d.visit_off = 0.0
        d.visit_count = 0
    of_day = hour % _DAY
    usual = 0.0
    off = 0.0
    seen = float(d.week_seen[hour])
    if d.day_seen[of_day] > 0:
        share = seen / (seen + 1.0)
        usual = share * d.week[hour] + (1.0 - share) * d.day[of_day]
        off = u - usual
    d.visit_sum += u
    d.visit_off += abs(off)
    d.visit_count += 1
    spread = d.day_spread[of_day] if d.spread_seen[of_day] > 1 else d.overall
    m.usual = usual
    return off * math.sqrt((_ALIKE + d.overall) / (_ALIKE + spread))


@compiled
def _end_visit(d: Record, tuning: Tuning) -> None:
    """What was seen in the hour that is over enters the usual week, clipped."""
    hour = d.hour
    of_day = hour % _DAY
    mean = d.visit_sum / d.visit_count
    known = d.day_seen[of_day] > _FEW_VISITS
    clip = tuning.clip * (d.day_spread[of_day] + _ALIKE) if known else LARGEST
    if d.week_seen[hour] > 0:
        seen = min(d.week_seen[hour] + 1, _SEEN_MAX)
        off = max(-clip, min(clip, mean - d.week[hour]))
        d.week[hour] += max(tuning.week, 1.0 / seen) * off
        d.week_seen[hour] = seen
    else:
        d.week[hour] = mean
        d.week_seen[hour] = 1
    if d.day_seen[of_day] == 0:
        d.day[of_day] = mean
        d.day_seen[of_day] = 1
        return
    seen = min(d.day_seen[of_day] + 1, _SEEN_MAX)
    off = max(-clip, min(clip, mean - d.day[of_day]))
    d.day[of_day] += max(tuning.day, 1.0 / seen) * off
    d.day_seen[of_day] = seen
    spread = d.visit_off / d.visit_count
    seen = min(d.spread_seen[of_day] + 1, _SEEN_MAX)
    d.day_spread[of_day] += max(tuning.day, 1.0 / seen) * (spread - d.day_spread[of_day])
    d.spread_seen[of_day] = seen
    d.visits = min(d.visits + 1.0, _VISITS_MAX)
    d.overall += max(_OVERALL, 1.0 / d.visits) * (spread - d.overall)


@compiled
def _roughness(
    d: Record,
    m: Record,
    u: float,
    levels: NDArray[np.float32],
    squares: NDArray[np.float32],
    tuning: Tuning,
) -> float:
    """How rough it is of late, by the deviation from the mean of the last few."""
    n = d.count
    few = min(tuning.short, n + 1)
    lately = 0.0
    for k in range(few):
        lately += levels[(n - k) % tuning.long]
    square = (u - lately / few) ** 2
    d.squares = max(_slide(squares, n, square, d.squares), 0.0)
    d.usual_square += max(1.0 / tuning.lately, 1.0 / (n + 1.0)) * (square - d.usual_square)
    late = d.squares / min(tuning.long, n + 1)
    m.rough = math.sqrt(late)
    m.usually_rough = math.sqrt(d.usual_square)
    return 0.5 * math.log((late + _SMALL) / (d.usual_square + _SMALL))


@compiled
def _split(m: Record, k: int, value: float, floor: float) -> None:
    m.statistic[2 * k] = max(value, 0.0) + floor
    m.statistic[2 * k + 1] = max(-value, 0.0) + floor
    m.floor[2 * k] = floor
    m.floor[2 * k + 1] = floor
