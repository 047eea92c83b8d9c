"""The full detector's second step: evidence by records, fused, against a limit that grows.

1. **Evidence.** A channel keeps its largest values, one of each cluster. A value with ``r`` of them
   above it among ``n`` readings has a probability of about ``(r + 1) / n``: its evidence is the
   negative logarithm of that, and beyond the largest, a Pareto tail (Hill's index) adds to it.
2. **Fusion.** The norm of all channels' evidence.
3. **Limit.** What happens once in all the readings remembered, and ``threshold`` powers of ten
   beyond; more after an alarm.

A reading is kept among the records after it was judged.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stream.anomaly.detector import CLOSE, LARGEST, OPEN, UPDATE
from stream.anomaly.full_state import CHANNELS, MARKS, Record, Records, Tuning
from stream.compiled import compiled

KINDS: Final = ("spike", "level shift", "trend", "season break", "variance")
_SPIKE, _SHIFT, _TREND, _SEASON, _VARIANCE = range(5)
_KIND_OF: Final = (_SPIKE, _SPIKE, _SHIFT, _TREND, _SEASON, _VARIANCE)
"""By the statistic whose evidence is greatest when it opens."""

_STEP: Final = 1

_FEWEST: Final = 3  # records before they tell anything
_TIDY: Final = 256
_LULL: Final = 0.5  # share of the limit below which an anomaly is over


@compiled
def judge(  # noqa: PLR0913, PLR0917 - arrays of one state
    one: Records,
    kept: NDArray[np.float32],
    kept_rows: NDArray[np.int32],
    least: NDArray[np.float32],
    marks: NDArray[np.int32],
    rules: Records,
    tuning: Tuning,
    rows: NDArray[np.int32],
    times: NDArray[np.int64],
    values: NDArray[np.float64],
    measured: Records,
    findings: Records,
) -> int:
    """Judge readings in order and keep them; write findings, and return how many there are."""
    found = 0
    evidence = np.zeros(CHANNELS)
    for i in range(len(rows)):
        m = measured[i]
        if m.possible == 0:
            continue
        row = rows[i]
        d = one[row]
        rule = rules[row]
        q = _fuse(m, kept[row], least[row], marks[row], tuning, evidence)
        limit, plain = _limits(d, rule, m.number, tuning)
        since = m.number - d.alarm
        if m.number >= rule.warm_up and q >= limit and since > tuning.short:
            best = int(np.argmax(evidence)) // 2
            told = _tell(best, values[i], m, kept[row], marks[row], tuning)
            if abs(told[0] - told[1]) >= rule.least:
                phase = _alarm(d, rule, m.number, best, times[i], min(q / limit, LARGEST), told)
                _write(findings[found], d, row, phase, times[i])
                found += 1
        elif d.opened >= 0 and q < _LULL * plain:
            _write(findings[found], d, row, CLOSE, times[i])
            d.opened = -1
            found += 1
        if m.number >= tuning.young:
            for c in range(CHANNELS):
                _keep(c, m, kept[row], kept_rows[row], least[row], marks[row], tuning)
    return found


@compiled
def _fuse(
    m: Record,
    kept: NDArray[np.float32],
    least: NDArray[np.float32],
    marks: NDArray[np.int32],
    tuning: Tuning,
    evidence: NDArray[np.float64],
) -> float:
    """Each channel's evidence, and the norm of all."""
    total = 0.0
    once = math.log10(min(m.number, tuning.memory) + 1.0)
    for c in range(CHANNELS):
        evidence[c] = 0.0
        held = marks[MARKS * c]
        x = m.statistic[c]
        if held < _FEWEST or x <= least[c]:
            continue
        largest = 0.0
        above = 0
        logs = 0.0
        first = c * tuning.records
        for k in range(first, first + held):
            largest = max(largest, kept[k])
            if kept[k] >= x * (1.0 - tuning.tie):
                above += 1
            logs += math.log(kept[k] / least[c])
        found = max(once - tuning.rank * math.log10(above + 1.0), 0.0)
        if x > largest:
            index = (held + tuning.trust) / (logs + tuning.trust / tuning.tail)
            found += index * math.log10(x / largest)
        evidence[c] = found
        total += found**tuning.norm
    return float(total ** (1.0 / tuning.norm))


@compiled
def _limits(d: Record, rule: Record, n: int, tuning: Tuning) -> tuple[float, float]:
    """The limit of the evidence, and what it would be without earlier alarms."""
    seen = min(n, tuning.memory) + 1.0
    plain = rule.threshold + math.log10(seen)
    d.habit *= math.exp(-1.0 / seen)
    fading = math.exp(-(n - d.alarm) / (tuning.fade * seen))
    return plain + tuning.habit * d.habit + tuning.again * fading, plain


@compiled
def _alarm(
    d: Record,
    rule: Record,
    n: int,
    statistic: int,
    at: int,
    score: float,
    told: tuple[float, float, float, float],
) -> int:
    """Open the datastream's anomaly, or go on with it; the phase it is in."""
    opening = d.opened < 0
    d.alarm = n
    d.habit += 1.0
    if opening:
        d.opened = at
        d.kind = _KIND_OF[statistic]
        d.peak = 0.0
    if score > d.peak:
        d.peak = score
        d.value, d.expected = told[0], told[1]
        d.low, d.high = max(told[2], rule.low), min(told[3], rule.high)
    return OPEN if opening else UPDATE


@compiled
def _keep(
    c: int,
    m: Record,
    kept: NDArray[np.float32],
    kept_rows: NDArray[np.int32],
    least: NDArray[np.float32],
    marks: NDArray[np.int32],
    tuning: Tuning,
) -> None:
    """Remember a statistic among its channel's largest: one for each cluster, none for ever."""
    n = m.number
    value = m.statistic[c]
    first = c * tuning.records
    mark = c * MARKS
    last = marks[mark + 1]
    slot = -1
    if last >= 0 and n - marks[mark + 2] <= tuning.short:
        if value > kept[first + last]:
            slot = last
    elif marks[mark] < tuning.records:
        slot = marks[mark]
        marks[mark] += 1
    elif value > least[c]:
        slot = int(np.argmin(kept[first : first + tuning.records]))
    if slot >= 0:
        kept[first + slot] = value
        kept_rows[first + slot] = n
        marks[mark + 1] = slot
        marks[mark + 2] = n
    tidy = n % _TIDY == _TIDY - 1
    if tidy:
        _forget(n - tuning.memory, first, mark, kept, kept_rows, marks)
    if tidy or slot >= 0:
        least[c] = np.inf
        for k in range(first, first + marks[mark]):
            least[c] = min(least[c], kept[k])


@compiled
def _forget(
    before: int,
    first: int,
    mark: int,
    kept: NDArray[np.float32],
    kept_rows: NDArray[np.int32],
    marks: NDArray[np.int32],
) -> None:
    """Drop a channel's records that are too old; the last one takes the place."""
    k = 0
    while k < marks[mark]:
        if kept_rows[first + k] >= before:
            k += 1
            continue
        end = marks[mark] - 1
        kept[first + k] = kept[first + end]
        kept_rows[first + k] = kept_rows[first + end]
        if marks[mark + 1] == k:
            marks[mark + 1] = -1
        elif marks[mark + 1] == end:
            marks[mark + 1] = k
        marks[mark] = end


@compiled
def _tell(
    statistic: int,
    x: float,
    m: Record,
    kept: NDArray[np.float32],
    marks: NDArray[np.int32],
    tuning: Tuning,
) -> tuple[float, float, float, float]:
    """Value, expected, and the lowest and highest seen of a statistic, in the datastream's unit."""
    up = max(_top(2 * statistic, kept, marks, tuning) - m.floor[2 * statistic], 0.0)
    down = max(_top(2 * statistic + 1, kept, marks, tuning) - m.floor[2 * statistic + 1], 0.0)
    kind = _KIND_OF[statistic]
    if statistic == _STEP:
        return x, m.last, m.last - down, m.last + up
    if kind == _SHIFT:
        return m.near, m.far, m.far - down, m.far + up
    if kind == _VARIANCE:
        before = m.scale * m.usually_rough
        return m.scale * m.rough, before, before * math.exp(-down), before * math.exp(up)
    value = m.level + m.scale * math.sinh(m.mean) if kind == _TREND else x
    middle = m.usual if kind == _SEASON else 0.0
    return (
        value,
        m.level + m.scale * math.sinh(middle),
        m.level + m.scale * math.sinh(middle - down),
        m.level + m.scale * math.sinh(middle + up),
    )


@compiled
def _top(c: int, kept: NDArray[np.float32], marks: NDArray[np.int32], tuning: Tuning) -> float:
    top = 0.0
    first = c * tuning.records
    for k in range(first, first + marks[c * MARKS]):
        top = max(top, kept[k])
    return top


@compiled
def _write(f: Record, d: Record, row: int, phase: int, at: int) -> None:
    f.row = row
    f.kind = d.kind
    f.phase = phase
    f.opened = d.opened
    f.at = at
    f.value = d.value
    f.expected = d.expected
    f.low = d.low
    f.high = d.high
    f.score = d.peak
