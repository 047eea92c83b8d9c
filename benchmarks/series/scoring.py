"""How right alarms are on a labelled series: plainly, and by the economics of NAB.

The Numenta Anomaly Benchmark (Lavin and Ahmad, 2015) rewards only the best placed detection in each
window, the more the earlier it comes, charges 0.11 for a false alarm and 1 for a missed window, and
takes the one threshold for all series that is best. Its windows are wide and begin before the
anomaly: see :func:`wide`.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.series.model import Series, Values, Window

Rows = NDArray[np.int64]
Scored = tuple[Series, Values]
"""A series, and one score for each of its rows: 0 for no alarm, the more the surer."""

FALSE_ALARM: Final = 0.11
_PROBATION: Final = 0.15
_PROBATION_MOST: Final = 750
_WIDE: Final = 0.1  # of a series' rows are all its wide windows together
_STEEP: Final = 5.0
_FAR: Final = 3.0


def probation(rows: int) -> int:
    """Rows at the beginning that do not count."""
    return int(min(_PROBATION * rows, _PROBATION_MOST))


class Hit(NamedTuple):
    """A window and the row of the first alarm in it or its aftermath; None: it was missed."""

    window: Window
    row: int | None


class Outcome(NamedTuple):
    """``false`` alarms in ``judged`` rows: those out of probation, windows and neutral spans."""

    hits: tuple[Hit, ...]
    false: int
    judged: int


def outcome(one: Series, alarms: Rows) -> Outcome:
    """What the alarms raised at these rows are worth."""
    judged = np.ones(len(one.values), np.bool_)
    judged[: probation(len(judged))] = False
    hits = []
    for window in one.windows:
        after = [last for first, last in one.neutral if first == window.end + 1]
        last = max(after, default=window.end)
        judged[window.start : window.end + 1] = False
        inside = alarms[(alarms >= window.start) & (alarms <= last)]
        hits.append(Hit(window, int(inside.min()) if len(inside) else None))
    for first, last in one.neutral:
        judged[first : last + 1] = False
    return Outcome(tuple(hits), int(judged[alarms].sum()), int(judged.sum()))


def wide(one: Series) -> list[tuple[int, int]]:
    """Windows as NAB has them: a tenth of the rows together, centred on where each begins.

    One that would end before its anomaly reaches to the anomaly's end.
    """
    rows = len(one.values)
    spans: list[tuple[int, int]] = []
    for window in one.windows:
        half = int(_WIDE * rows / len(one.windows) / 2)
        first = max(window.start - half, spans[-1][1] + 1 if spans else 0)
        spans.append((first, min(max(window.start + half, window.end), rows - 1)))
    return spans


class _Points(NamedTuple):
    """Rows that count: score, gain, and number of the window (-1: none)."""

    score: Values
    gain: Values
    window: Rows


def nab(scored: Sequence[Scored], threshold: float | None = None) -> tuple[float, float]:
    """The normalised score of the standard profile, and its threshold: the best, unless given.

    100 is perfect, 0 as good as no alarm at all.
    """
    points, windows, counted = _gather(scored)
    order = np.argsort(-points.score, kind="stable")
    score, gain, window = points.score[order], points.gain[order], points.window[order]
    total = np.cumsum(np.where(window < 0, FALSE_ALARM * gain, _improvement(gain, window)))
    # Rows of one score are alarms together.
    ends = np.flatnonzero(np.append(score[:-1] != score[1:], [True] * bool(len(score))))
    if threshold is not None:
        above = int(np.count_nonzero(score >= threshold))
        gained = float(total[above - 1]) if above else 0.0
        return 100 * gained / (windows + counted), threshold
    best, at = 0.0, np.inf
    if len(ends):
        k = int(ends[np.argmax(total[ends])])
        if total[k] > best:
            best, at = float(total[k]), float(score[k])
    return 100 * best / (windows + counted), at


def _improvement(gain: Values, window: Rows) -> Values:
    """By how much each point, in this order, improves on the best in its window so far (-1)."""
    better = np.zeros(len(gain))
    order = np.argsort(window, kind="stable")
    order = order[np.searchsorted(window[order], 0) :]
    starts = np.flatnonzero(np.diff(window[order], prepend=-1))
    for rows in np.split(order, starts[1:]) if len(order) else []:
        best = np.maximum.accumulate(np.maximum(gain[rows], -1.0))
        better[rows] = np.diff(best, prepend=-1.0)
    return better


def _gather(scored: Sequence[Scored]) -> tuple[_Points, int, int]:
    """All rows that count, how many windows there are, and how many of them can be hit at all."""
    parts = []
    windows = counted = 0
    for one, scores in scored:
        gain, window = gains(one)
        counts = np.ones(len(gain), np.bool_)
        counts[: probation(len(gain))] = False
        for first, last in one.neutral:
            counts[first : last + 1] &= window[first : last + 1] >= 0
        counted += len(np.unique(window[counts & (window >= 0)]))
        seen = counts & (scores > 0)
        parts.append(
            _Points(
                scores[seen], gain[seen], np.where(window[seen] < 0, -1, window[seen] + windows)
            )
        )
        windows += len(one.windows)
    if not parts:
        return _Points(np.zeros(0), np.zeros(0), np.zeros(0, np.int64)), 0, 0
    return (
        _Points(*(np.concatenate(list(part)) for part in zip(*parts, strict=True))),
        (windows),
        counted,
    )


def gains(one: Series) -> tuple[Values, Rows]:
    """For each row what an alarm in it gains or costs, unweighted, and the window it lies in."""
    rows = np.arange(len(one.values))
    gain = np.full(len(rows), -1.0)
    number = np.full(len(rows), -1)
    for k, (first, last) in enumerate(wide(one)):
        width = last - first + 1
        gain[first : last + 1] = _scaled((rows[first : last + 1] - last - 1) / width)
        gain[first : last + 1] /= 2 / (1 + np.exp(-_STEEP)) - 1
        number[first : last + 1] = k
        gain[last + 1 :] = _scaled((rows[last + 1 :] - last) / max(width - 1, 1))
    return gain, number


def _scaled(x: Values) -> Values:
    return np.where(x > _FAR, -1.0, 2 / (1 + np.exp(_STEEP * np.minimum(x, _FAR))) - 1)
