"""The light detector's kernel; see ``stream.anomaly.light``.

For every reading it holds two expectations: the level and spread (mean absolute deviation) of its
hour of the day in UTC, drawn to the overall ones while the hour has been seen little, and the level
and spread of late. A spike must lie far from both, farther than the farthest that is usual, which
is learned too. Runs of one value and gaps between readings are held against the longest usual ones.
What it learns from is clipped, so that an anomaly teaches little and a lasting change teaches
slowly.

What lasts is too small to be seen in one reading. Three running means find it: of the readings'
distance from their hour's level, in that hour's spreads, over 48 readings (a level shift) and over
288 (a trend), and of how far they lie from the first of these (a change of variance). They are
control charts of exponentially weighted means (S. W. Roberts, "Control chart tests based on
geometric moving averages", 1959), whose limits here rise to what is usual for the datastream.
Nothing is said of an hour that was not seen on three days. When a
change has lasted for six days, the usual day is learned anew.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from stream.anomaly.detector import CLOSE, LARGEST, OPEN, UPDATE
from stream.anomaly.light_state import (
    FLATLINE,
    GAP,
    LASTING,
    LEVEL_SHIFT,
    RANGE,
    SPIKE,
    TREND,
    VARIANCE,
    Records,
)
from stream.compiled import compiled

Record = Any
"""One element of ``Records``; its type is Numba's own."""

_HOUR: Final = 3_600_000
_MEMORY: Final = 30.0 * 24 * _HOUR  # ms in which the usual extremes fade to 1/e
_LEVEL_READINGS: Final = 10.0  # memory of the late level
_SPREAD_READINGS: Final = 200.0  # and spread: longer, so that a quiet hour does not narrow it
_HOUR_VISITS: Final = 10.0  # days in which an hour's level is renewed
_HOUR_PRIOR: Final = 12.0  # readings' weight of the late level in an hour's
_UNCLIPPED: Final = 20  # readings taken as they are
_CLIP: Final = 3.0  # spreads
_LULL: Final = 0.7  # share of the limit below which a spike is over
_WORSE: Final = 1.2  # an update is written when the score has grown so much
_GAP_INTERVALS: Final = 6.0
_USUAL_GAPS: Final = 1.5  # times the longest usual gap
_USUAL_RUNS: Final = 2.0
_FEWEST_RUNS: Final = 10  # changes of value before standing still can be unusual
_FEWEST_EQUAL: Final = 6
_COUNT_MAX: Final = 65535.0  # of two bytes
_LASTING_READINGS: Final = (48.0, 288.0, 48.0)  # that a running mean is of
_LASTING_LIMITS: Final = (2.4, 1.1, 1.3)  # spreads; for none less is anything said
_LASTING_CLIP: Final = 5.0  # spreads that one reading counts at most
_TOLD_CLIP: Final = 1.0  # the same while a spike is open, which tells of it already
_LASTING_LEARNS: Final = 0.3  # share of a mean's readings in which what is usual follows it
_USUAL_MEANS: Final = 1.2
_LASTING_VISITS: Final = 3.0  # days on which an hour must have been seen before
_LASTING_ENDS: Final = 6.0 * 24 * _HOUR  # ms after which a lasting change is the usual
_LASTING_LEAST: Final = 0.1  # of the smallest deviation that is ever a spike
_LASTING_LULL: Final = 0.3


@compiled
def observe(
    state: Records,
    rules: Records,
    rows: NDArray[np.int32],
    times: NDArray[np.int64],
    values: NDArray[np.float64],
    usable: NDArray[np.uint8],
    findings: Records,
) -> int:
    """Bring readings in, in order; write what was found, and tell how much that is."""
    found = 0
    for i in range(len(rows)):
        if usable[i] == 0:
            continue
        row = rows[i]
        d = state[row]
        rule = rules[row]
        at = times[i]
        x = values[i]
        last_time = d.last_time
        away = False
        if last_time >= 0:
            found, away = _gap(d, rule, row, at, findings, found)
        d.last_time = at
        found, possible = _range(d, rule, row, at, x, findings, found)
        if not possible or abs(x) > LARGEST:
            continue
        found = _flatline(d, rule, row, at, x, last_time, away, findings, found)
        found = _lasting(d, rule, row, at, x, findings, found)
        found = _spike(d, rule, row, at, x, findings, found)
        d.last_value = x
        d.count += 1
    return found


@compiled
def _gap(
    d: Record, rule: Record, row: int, at: int, findings: Records, found: int
) -> tuple[int, bool]:
    """The time since the last reading; whether it breaks a run of equal ones."""
    span = float(at - d.last_time)
    fade = np.exp(-span / _MEMORY)
    d.tail *= fade
    d.longest_gap *= fade
    d.longest_run *= fade
    for i in range(LASTING):
        d.usual_means[i] *= fade
    young = d.count <= _UNCLIPPED
    away = not young and span > _GAP_INTERVALS * d.interval
    limit = max(rule.gap, _GAP_INTERVALS * d.interval, _USUAL_GAPS * d.longest_gap)
    alarm = rule.gap > 0 and d.count >= rule.warm_up and span > limit
    if alarm:
        f = findings[found]
        _write(f, row, GAP, CLOSE, d.last_time, at, d.last_value, span / limit)
        f.expected = d.interval
        found += 1
    if away and span > d.longest_gap:
        d.longest_gap += (span - d.longest_gap) * (0.5 if alarm else 1.0)
    clipped = span if young else min(span, 3 * d.interval)
    d.interval += max(1.0 / _LEVEL_READINGS, 1.0 / (d.count + 1.0)) * (clipped - d.interval)
    return found, away


@compiled
def _range(
    d: Record, rule: Record, row: int, at: int, x: float, findings: Records, found: int
) -> tuple[int, bool]:
    """Whether ``x`` can be; what cannot is reported at once, and never learned."""
    possible = rule.low <= x <= rule.high
    opening = d.opened[RANGE] < 0
    if possible and opening:
        return found, possible
    if possible:
        phase = CLOSE
    else:
        beyond = rule.low - x if x < rule.low else x - rule.high
        score = min(1.0 + beyond / (rule.high - rule.low), LARGEST)
        if not opening and score <= _WORSE * d.peak[RANGE]:
            return found, possible
        phase = OPEN if opening else UPDATE
        if opening:
            d.opened[RANGE] = at
        d.peak[RANGE] = score
        d.worst[RANGE] = x
    f = findings[found]
    _write(f, row, RANGE, phase, d.opened[RANGE], at, d.worst[RANGE], d.peak[RANGE])
    f.low, f.high = rule.low, rule.high
    if possible:
        d.opened[RANGE] = -1
    return found + 1, possible


@compiled
def _flatline(  # noqa: PLR0913, PLR0917 - compiled into its one caller
    d: Record,
    rule: Record,
    row: int,
    at: int,
    x: float,
    last_time: int,
    away: bool,  # noqa: FBT001 - compiled
    findings: Records,
    found: int,
) -> int:
    """The run of one value that ``x`` goes on with, or ends."""
    limit = max(rule.flatline, _USUAL_RUNS * d.longest_run)
    same = d.count > 0 and x == d.last_value
    if same and not away:
        d.run_count = min(d.run_count + 1, _FEWEST_EQUAL)
        score = (at - d.run_since) / max(limit, 1.0)
        if (
            rule.flatline > 0
            and d.count >= rule.warm_up
            and score > 1.0
            and d.run_count >= _FEWEST_EQUAL
            and d.runs >= _FEWEST_RUNS
            and not (rule.still_at_zero and x == 0.0)
            and (d.flat == 0 or score > 2 * d.peak[FLATLINE])
        ):
            f = findings[found]
            _write(f, row, FLATLINE, UPDATE if d.flat else OPEN, d.run_since, at, x, score)
            f.expected = limit
            d.flat = 1
            d.peak[FLATLINE] = score
            return found + 1
        return found
    alarm = d.flat != 0
    if alarm:
        f = findings[found]
        _write(f, row, FLATLINE, CLOSE, d.run_since, at, d.last_value, d.peak[FLATLINE])
        f.expected = limit
        d.flat = 0
        found += 1
    if d.count > 0:
        run = float(last_time - d.run_since)
        if run > d.longest_run:
            d.longest_run += (run - d.longest_run) * (0.5 if alarm else 1.0)
        if not same:
            d.runs = min(d.runs + 1, _FEWEST_RUNS)
    d.run_since = at
    d.run_count = 1
    return found


@compiled
def _expected(d: Record, hour: int) -> tuple[float, float]:
    """The level and spread of an hour of the day; the late ones where it has been seen little."""
    seen = float(d.hour_count[hour])
    share = seen / (seen + _HOUR_PRIOR)
    usual = share * d.hour_level[hour] + (1.0 - share) * d.level
    width = share * d.hour_spread[hour] + (1.0 - share) * d.spread
    return usual, width


@compiled
def _means(d: Record, off: float) -> tuple[float, int]:
    """Bring a distance (in spreads) into the running means; the highest score, and whose it is.

    While an anomaly is open, its own mean's alone.
    """
    best = 0.0
    which = 0
    around = abs(off - d.means[0]) - 1.0
    for i in range(LASTING):
        new = around if LEVEL_SHIFT + i == VARIANCE else off
        weight = max(1.0 / _LASTING_READINGS[i], 1.0 / (d.count + 1.0))
        d.means[i] += weight * (new - d.means[i])
        ratio = abs(d.means[i]) / _LASTING_LIMITS[i]
        score = ratio / max(1.0, _USUAL_MEANS * d.usual_means[i])
        if d.lasting_opened >= 0 and i != d.lasting:
            score = 0.0
        if score > best:
            best = score
            which = i
        if ratio > d.usual_means[i]:
            most = 2.0 * max(d.usual_means[i], 0.25)
            rise = _LASTING_LEARNS / _LASTING_READINGS[i]
            d.usual_means[i] += rise * (min(ratio, most) - d.usual_means[i])
    return best, which


@compiled
def _lasting(
    d: Record, rule: Record, row: int, at: int, x: float, findings: Records, found: int
) -> int:
    """Whether readings have been off their hours' levels, or spread wider, for long."""
    hour = (at // _HOUR) % 24
    usual, width = _expected(d, hour)
    width = max(width, 1e-12 + 1e-3 * abs(d.level))
    clip = _LASTING_CLIP if d.opened[SPIKE] < 0 else _TOLD_CLIP
    best, which = _means(d, max(-clip, min(clip, (x - usual) / width)))
    opening = d.lasting_opened < 0
    if not opening:
        which = d.lasting  # where its score is 0, too
    widened = LEVEL_SHIFT + which == VARIANCE
    shift = d.means[which] * width
    known = d.hour_count[hour] * d.interval >= _LASTING_VISITS * _HOUR
    worse = best > 1.0 and (
        (opening and known and (widened or abs(shift) >= _LASTING_LEAST * rule.least))
        or (not opening and best > _WORSE * d.lasting_peak)
    )
    learned = not opening and at - d.lasting_opened > _LASTING_ENDS
    over = learned or (not opening and best < _LASTING_LULL)
    if not rule.spike or d.count < rule.warm_up or not (worse or over):
        return found
    if opening:
        d.lasting_opened = at
        d.lasting = which
    if worse:
        d.lasting_peak = best
    f = findings[found]
    phase = CLOSE if over else (OPEN if opening else UPDATE)
    _write(f, row, LEVEL_SHIFT + which, phase, d.lasting_opened, at, x, d.lasting_peak)
    f.expected = usual
    if not widened:
        reach = width * _LASTING_LIMITS[which] * max(1.0, _USUAL_MEANS * d.usual_means[which])
        # Distances are clipped in the mean: of a large shift the late level tells more.
        f.value = d.level if abs(d.level - usual) > abs(shift) else usual + shift
        f.low, f.high = max(usual - reach, rule.low), min(usual + reach, rule.high)
    if over:
        d.lasting_opened = -1
        # The longest memory would tell of it once more.
        d.means[TREND - LEVEL_SHIFT] = d.means[0]
    if learned:
        _learn_anew(d)
    return found + 1


@compiled
def _learn_anew(d: Record) -> None:
    """What has lasted for days is usual from now on: the hours are learned like new ones."""
    for hour in range(24):
        d.hour_count[hour] = 0
    for i in range(LASTING):
        d.means[i] = 0.0


@compiled
def _spike(
    d: Record, rule: Record, row: int, at: int, x: float, findings: Records, found: int
) -> int:
    """Whether ``x`` is far from what is usual at this hour, and from what was of late; learn it."""
    hour = (at // _HOUR) % 24
    usual, width = _expected(d, hour)
    floor = 1e-12 + 1e-3 * abs(d.level)
    if rule.spike and d.count >= rule.warm_up:
        reach = max(rule.threshold * max(width, floor), rule.least)
        late_reach = max(rule.threshold * max(d.spread, floor), rule.least)
        ratio = min(abs(x - usual) / reach, abs(x - d.level) / late_reach)
        limit = max(1.0, 1.1 * d.tail)
        score = min(ratio / limit, LARGEST)
        opening = d.opened[SPIKE] < 0
        if opening and ratio > d.tail:
            d.tail += 0.5 * (min(ratio, 2.0 * max(d.tail, 0.25)) - d.tail)
        worse = score > 1.0 and (opening or score > _WORSE * d.peak[SPIKE])
        over = not opening and score < _LULL
        if worse:
            if opening:
                d.opened[SPIKE] = at
            d.peak[SPIKE] = score
            d.worst[SPIKE] = x
            d.expected = usual
            d.low = max(min(usual - limit * reach, d.level - limit * late_reach), rule.low)
            d.high = min(max(usual + limit * reach, d.level + limit * late_reach), rule.high)
        if worse or over:
            phase = CLOSE if over else (OPEN if opening else UPDATE)
            f = findings[found]
            _write(f, row, SPIKE, phase, d.opened[SPIKE], at, d.worst[SPIKE], d.peak[SPIKE])
            f.expected, f.low, f.high = d.expected, d.low, d.high
            found += 1
        if over:
            d.opened[SPIKE] = -1
    _learn(d, x, hour, usual, max(width, floor), max(d.spread, floor))
    return found


@compiled
def _learn(d: Record, x: float, hour: int, usual: float, width: float, spread: float) -> None:
    """Move levels and spreads towards ``x``; ``width`` and ``spread`` clip how far it counts."""
    n = d.count
    clip = _CLIP * spread if n > _UNCLIPPED else LARGEST
    off = max(-clip, min(clip, x - d.level))
    d.level += max(1.0 / _LEVEL_READINGS, 1.0 / (n + 1.0)) * off
    d.spread += max(1.0 / _SPREAD_READINGS, 1.0 / (n + 1.0)) * (abs(off) - d.spread)
    seen = float(d.hour_count[hour])
    if seen == 0.0:
        d.hour_level[hour] = usual + max(-clip, min(clip, x - usual))
        d.hour_spread[hour] = d.spread
    else:
        a_visit = max(_HOUR / max(d.interval, 1.0), 1.0)
        weight = max(1.0 / (_HOUR_VISITS * a_visit), 1.0 / (seen + 1.0))
        if seen > _HOUR_PRIOR:
            clip = _CLIP * width
        off = max(-clip, min(clip, x - d.hour_level[hour]))
        d.hour_level[hour] += weight * off
        d.hour_spread[hour] += weight * (abs(off) - d.hour_spread[hour])
    d.hour_count[hour] = min(seen + 1.0, _COUNT_MAX)


@compiled
def _write(
    f: Record,
    row: int,
    kind: int,
    phase: int,
    opened: int,
    at: int,
    value: float,
    score: float,
) -> None:
    f.row = row
    f.kind = kind
    f.phase = phase
    f.opened = opened
    f.at = at
    f.value = value
    f.expected = np.nan
    f.low = np.nan
    f.high = np.nan
    f.score = score
