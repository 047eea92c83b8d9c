"""Event-time windows of many datastreams: one sequential kernel over records.

A record holds a datastream's watermark and its open window of each length. Times of a datastream
only increase, so one open window of each length is all there ever is. Mean and spread follow
Welford, "Note on a method for calculating corrected sums of squares and products", 1962; ``std`` is
that of the window's readings themselves (divided by their count, not by one less).
"""

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream.compiled import compiled
from stream.scenario import WINDOWS

Records = NDArray[np.void]
Record = Any
"""One element of ``Records``; its type is Numba's own."""
Ints = NDArray[np.int64]
SmallInts = NDArray[np.int32]
Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]

NAMES: Final = tuple(WINDOWS)
LENGTHS: Final = np.array(list(WINDOWS.values()), np.int64)
_LENGTHS: Final = tuple(WINDOWS.values())

STATE: Final = np.dtype(
    [
        ("watermark", "i8"),
        ("start", "i8", (3,)),
        ("mean", "f8", (3,)),
        ("squares", "f8", (3,)),
        ("low", "f8", (3,)),
        ("high", "f8", (3,)),
        ("count", "u4", (3,)),
        ("late", "u4", (3,)),
    ],
    align=True,
)
"""One datastream. ``squares``: sum of squared deviations; ``late``: since a window last closed."""

RULES: Final = np.dtype([("windows", "u1", (3,)), ("low", "f8"), ("high", "f8")], align=True)
"""What applies to one datastream: its windows (in the order of ``NAMES``), its physical range."""

CLOSED: Final = np.dtype(
    [
        ("row", "i8"),
        ("window", "i8"),
        ("start", "i8"),
        ("count", "f8"),
        ("mean", "f8"),
        ("low", "f8"),
        ("high", "f8"),
        ("std", "f8"),
        ("late", "f8"),
    ],
    align=True,
)

NO_WATERMARK: Final = -1
"""Where every watermark begins: no observation is older than 1970."""

NO_MARK: Final = -(1 << 62)
"""A column that moves no watermark: less than any time."""

FUTURE_MARK: Final = 3_600_000
"""How far beyond the latest time a mark may lie, ms: at its end an input marks an hour more."""

ORDER, OLD, NAN, FUTURE = range(4)
REASONS: Final = ("order", "old", "nan", "future")
"""Why the kernel refuses readings, by index."""

GOOD, UNCERTAIN, BAD = range(3)


class Columns(NamedTuple):
    """The columns of one call, flat, in order of arrival.

    Column ``i`` is of datastream ``row[i]`` and ends before reading ``end[i]``; ``mark`` is its
    ``wm`` (or ``NO_MARK``), ``late`` 1 if it is marked so. ``time``, ``value``, ``quality``
    are of the readings.
    """

    row: SmallInts
    end: Ints
    mark: Ints
    late: Bytes
    time: Ints
    value: Floats
    quality: Bytes


class Taken(NamedTuple):
    """What the kernel took in, in order.

    ``row``, ``time``, ``value``, ``quality`` are of the readings to store (outside the physical
    range: quality 2); ``usable`` is 1 where a detector should see them (in time and not called bad
    by the node). ``refused[column, reason]`` counts the others.
    """

    row: SmallInts
    time: Ints
    value: Floats
    quality: Bytes
    usable: Bytes
    closed: Records
    refused: SmallInts
    any_refused: bool


def blank(rows: int) -> Records:
    """Records of datastreams that have not been heard of."""
    state = np.zeros(rows, STATE)
    state["watermark"] = NO_WATERMARK
    return state


def take(state: Records, rules: Records, columns: Columns, latest: int) -> Taken:
    """Bring columns into ``state``, closing windows on the way.

    Args:
        state: ``STATE`` of every row; changed in place.
        rules: ``RULES`` of every row.
        columns: What arrived.
        latest: The greatest time that is believed, ms.
    """
    size = len(columns.time)
    taken = Taken(
        np.empty(size, np.int32),
        np.empty(size, np.int64),
        np.empty(size, np.float64),
        np.empty(size, np.uint8),
        np.empty(size, np.uint8),
        np.empty(len(NAMES) * (size + len(columns.row)), CLOSED),
        np.zeros((len(columns.row), len(REASONS)), np.int32),
        any_refused=False,
    )
    stored, closed, refused = _take(
        state,
        rules,
        columns.row,
        columns.end,
        columns.mark,
        columns.late,
        columns.time,
        columns.value,
        columns.quality,
        latest,
        taken.row,
        taken.time,
        taken.value,
        taken.quality,
        taken.usable,
        taken.closed,
        taken.refused,
    )
    return Taken(
        taken.row[:stored],
        taken.time[:stored],
        taken.value[:stored],
        taken.quality[:stored],
        taken.usable[:stored],
        taken.closed[:closed],
        taken.refused,
        any_refused=refused > 0,
    )


@compiled
def _take(  # noqa: C901, PLR0912, PLR0913, PLR0915, PLR0917 - one pass over plain arrays, compiled
    state: Records,
    rules: Records,
    column_row: SmallInts,
    column_end: Ints,
    column_mark: Ints,
    column_late: Bytes,
    time: Ints,
    value: Floats,
    quality: Bytes,
    latest: int,
    out_row: SmallInts,
    out_time: Ints,
    out_value: Floats,
    out_quality: Bytes,
    out_usable: Bytes,
    closed: Records,
    refused: SmallInts,
) -> tuple[int, int, int]:
    stored = 0
    closings = 0
    refusals = 0
    begin = 0
    for column in range(len(column_row)):
        row = column_row[column]
        end = column_end[column]
        late = column_late[column] != 0
        record = state[row]
        rule = rules[row]
        ordered = True
        for i in range(begin + 1, end):
            if time[i] <= time[i - 1]:
                ordered = False
        if not ordered:
            refused[column, ORDER] += end - begin
            refusals += end - begin
            begin = end
            continue
        for i in range(begin, end):
            at = time[i]
            x = value[i]
            reason = -1
            if at < 0 or (not late and at <= record.watermark):
                reason = OLD
            elif not np.isfinite(x):
                reason = NAN
            elif at > latest:
                reason = FUTURE
            if reason >= 0:
                refused[column, reason] += 1
                refusals += 1
                continue
            possible = rule.low <= x <= rule.high
            out_row[stored] = row
            out_time[stored] = at
            out_value[stored] = x
            out_quality[stored] = quality[i] if possible else BAD
            out_usable[stored] = not late and quality[i] != BAD
            stored += 1
            if late:
                for w in range(3):
                    if rule.windows[w]:
                        record.late[w] += 1
                continue
            record.watermark = at
            good = possible and quality[i] != BAD
            for w in range(3):
                if not rule.windows[w]:
                    continue
                length = _LENGTHS[w]
                start = at - at % length
                if record.count[w] > 0 and record.start[w] != start:
                    closings = _close(record, row, w, closed, closings)
                if good:
                    _add(record, w, start, x)
                if record.count[w] > 0 and at >= record.start[w] + length - 1:
                    closings = _close(record, row, w, closed, closings)
        begin = end
        mark = column_mark[column]
        if mark > latest + FUTURE_MARK:
            refused[column, FUTURE] += 1
            refusals += 1
        elif mark > record.watermark:
            record.watermark = mark
            for w in range(3):
                if record.count[w] > 0 and mark >= record.start[w] + _LENGTHS[w] - 1:
                    closings = _close(record, row, w, closed, closings)
    return stored, closings, refusals


@compiled
def _add(record: Record, w: int, start: int, x: float) -> None:
    count = record.count[w]
    if count == 0:
        record.start[w] = start
        record.mean[w] = x
        record.squares[w] = 0.0
        record.low[w] = x
        record.high[w] = x
    else:
        before = x - record.mean[w]
        record.mean[w] += before / (count + 1)
        record.squares[w] += before * (x - record.mean[w])
        record.low[w] = min(record.low[w], x)
        record.high[w] = max(record.high[w], x)
    record.count[w] = count + 1


@compiled
def _close(
    record: Record,
    row: int,
    w: int,
    closed: Records,
    closings: int,
) -> int:
    line = closed[closings]
    line.row = row
    line.window = w
    line.start = record.start[w]
    line.count = record.count[w]
    line.mean = record.mean[w]
    line.low = record.low[w]
    line.high = record.high[w]
    line.std = np.sqrt(record.squares[w] / record.count[w])
    line.late = record.late[w]
    record.count[w] = 0
    record.late[w] = 0
    return closings + 1
