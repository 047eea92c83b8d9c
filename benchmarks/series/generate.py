"""One labelled series of a seed."""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.series.faults import FLATLINE, GAP, ON_PARTS, ON_VALUES, Fault, plan, possible
from benchmarks.series.model import Series, Times, Values, Window
from benchmarks.series.parts import Parts
from benchmarks.series.regimes import DAY, REGIMES, Plan, Random, Regime

DEVELOPMENT: Final = range(510)
HELD_OUT: Final = range(100_000, 100_510)
"""Both hold each regime equally often; no seed is in both."""

INTERVALS: Final = (10, 30, 60, 120, 300, 600, 900, 1800, 3600)
FEWEST, MOST = 1_000, 20_000
_MONDAY: Final = 1_704_067_200  # 1 January 2024
_UNTOUCHED: Final = 0.25  # of the rows: nothing is wrong in them
_FREE: Final = 0.1  # share of the rows about an anomaly in which no other begins
_MANY: Final = (0, 1, 1, 2, 2, 3, 4)
_SAMPLINGS: Final = ("regular", "regular", "jittered", "thinned", "gappy")
_TRIES: Final = 20


def series(seed: int) -> Series:
    """The series of a seed, always the same one; regimes take turns."""
    name = list(REGIMES)[seed % len(REGIMES)]
    regime = REGIMES[name]
    rng = np.random.default_rng([20_260, seed])
    planned = _plan(rng, regime)
    parts = regime.make(rng, planned)
    sampling = str(rng.choice(_SAMPLINGS))
    times, kept = _sample(rng, planned, sampling)
    faults = _place(rng, parts)
    clean = parts.values()
    values = _apply(rng, parts, faults)
    return _cut(seed, name, sampling, planned, (times, kept), (clean, values), faults, parts)


def _plan(rng: Random, regime: Regime) -> Plan:
    fits = [every for every in INTERVALS if MOST * every >= 1.5 * regime.days * DAY]
    # A day of a season is told by 24 rows or more.
    interval = int(rng.choice(fits))
    fewest = max(FEWEST, regime.days * DAY // interval)
    rows = int(np.exp(rng.uniform(np.log(fewest), np.log(MOST))))
    return Plan(rows, interval, int(rng.integers(0, 7 * DAY // interval)) * interval)


def _sample(rng: Random, planned: Plan, sampling: str) -> tuple[Times, NDArray[np.bool_]]:
    """Times (ms) of the planned rows, and which of them are read at all."""
    begin = 1000 * (_MONDAY + planned.start)
    step = 1000 * planned.interval
    times = begin + step * np.arange(planned.rows, dtype=np.int64)
    kept = np.ones(planned.rows, np.bool_)
    if sampling == "jittered":
        times += (step * rng.uniform(-0.3, 0.3, planned.rows)).astype(np.int64)
    elif sampling == "thinned":
        kept = rng.random(planned.rows) < rng.uniform(0.6, 0.95)
    elif sampling == "gappy":
        for _ in range(max(planned.rows // 300, 4)):
            begin_gap = int(rng.integers(0, planned.rows))
            kept[begin_gap : begin_gap + int(rng.integers(2, 8))] = False
    return times, kept


def _place(rng: Random, parts: Parts) -> list[Fault]:
    """Faults in order, well apart, and none in the first quarter."""
    rows = len(parts.level)
    free = int(_FREE * rows)
    placed: list[Fault] = []
    kinds = possible(parts)
    still = _longest_run(parts.values())
    for _ in range(int(rng.choice(_MANY))):
        for _ in range(_TRIES):
            made = plan(rng, str(rng.choice(kinds)), int(rng.integers(0, 3)), parts)
            if made.kind == FLATLINE:
                made = made._replace(size=made.size + 2 * still, stop=made.stop + 2 * still)
            start = int(rng.integers(int(_UNTOUCHED * rows), rows - free // 2))
            fault = made._replace(start=start, stop=start + made.stop)
            if fault.stop < rows - 20 and all(_apart(fault, other, free) for other in placed):
                placed.append(fault)
                break
    return sorted(placed, key=lambda fault: fault.start)


def _longest_run(values: Values) -> int:
    """Rows for which a value stands still at the most, as it usually may."""
    breaks = np.flatnonzero(np.diff(values) != 0)
    return int(np.diff(breaks, prepend=-1, append=len(values) - 1).max())


def _apart(one: Fault, other: Fault, free: int) -> bool:
    return one.start > other.stop + free or other.start > one.stop + free


def _apply(rng: Random, parts: Parts, faults: Sequence[Fault]) -> Values:
    changed = deepcopy(parts)
    for fault in faults:
        if fault.kind in ON_PARTS:
            ON_PARTS[fault.kind](changed, fault, rng)
    values = changed.values()
    for fault in faults:
        if fault.kind in ON_VALUES:
            ON_VALUES[fault.kind](values, fault)
    return values


def _cut(
    seed: int,
    name: str,
    sampling: str,
    planned: Plan,
    sampled: tuple[Times, NDArray[np.bool_]],
    readings: tuple[Values, Values],
    faults: Sequence[Fault],
    parts: Parts,
) -> Series:
    """Leave out what is not read, and say in which rows of the rest anomalies show."""
    times, kept = sampled
    clean, values = readings
    there = kept.copy()
    for fault in faults:
        if fault.kind == GAP:
            there[fault.start : fault.stop] = False
    row_of = np.cumsum(there) - 1
    windows = tuple(_windows(faults, there, row_of, values != clean))
    rows = int(there.sum())
    neutral = [(w.end + 1, min(w.end + _aftermath(w, rows), rows - 1)) for w in windows]
    neutral += [
        (int(row_of[row]), min(int(row_of[row]) + rows // 20, rows - 1)) for row in parts.changes
    ]
    return Series(
        seed=seed,
        regime=name,
        sampling=sampling,
        interval=planned.interval,
        times=times[there],
        values=values[there],
        clean_times=times[kept],
        clean_values=clean[kept],
        windows=windows,
        neutral=tuple(sorted(span for span in neutral if span[0] <= span[1])),
    )


def _windows(
    faults: Sequence[Fault],
    there: NDArray[np.bool_],
    row_of: NDArray[np.int64],
    differs: NDArray[np.bool_],
) -> Iterator[Window]:
    """Where a fault shows; one that does not show at all is none."""
    for fault in faults:
        if fault.kind == GAP:
            after = fault.start + int(np.argmax(there[fault.start :]))
            row = int(row_of[after])
            yield Window(row, row, fault.kind, fault.size, fault.grade)
            continue
        inside = slice(fault.start, fault.stop)
        shown = fault.start + np.flatnonzero(differs[inside] & there[inside])
        if len(shown):
            first, last = int(row_of[shown[0]]), int(row_of[shown[-1]])
            yield Window(first, last, fault.kind, fault.size, fault.grade)


def _aftermath(window: Window, rows: int) -> int:
    """Rows after an anomaly in which its end may be told of."""
    return min(12 + window.end - window.start + 1, rows // 25)
