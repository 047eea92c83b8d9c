"""What the full detector holds of each datastream, and its tuning.

Under 3.6 KiB a datastream; 1.1 KiB of it is the usual week: a level for each of its 168 hours, and
a level and a spread for each hour of the day.
"""

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Records = NDArray[np.void]
Record = Any
"""One element of ``Records``; its type is Numba's own."""

CHANNELS: Final = 12
"""Six statistics, each upwards and downwards; see ``stream.anomaly.full_measure``."""

MARKS: Final = 3


class Tuning(NamedTuple):
    """One set for all datastreams; lengths in readings. docs/detection.md says what each does.

    ``memory``: what is older is forgotten. ``lately``: of the baselines of spread. ``clip``:
    spreads by which the level is moved at most. ``share``: of the plain deviation that the
    scale is at least. ``short``, ``long``: of the means compared; ``hourly``: of the mean of
    what deviates from the usual week. ``week``, ``day``: share of a visit in its hour.
    ``floor``: of every statistic, in scales. ``records``: kept of each channel. ``rank``: what
    a rank costs. ``tie``: share within which two records are equal. ``trust``, ``tail``: weight
    and value of the tail index expected beforehand. ``young``: readings after which records are
    kept. ``norm``: of the fusion. ``again``, ``fade``: what an alarm adds to the limit, and the
    share of the readings seen in which that fades. ``habit``: what each alarm in memory adds to
    it.
    """

    memory: int = 5000
    lately: float = 500.0
    clip: float = 3.0
    share: float = 0.05
    short: int = 12
    long: int = 48
    hourly: int = 6
    week: float = 0.3
    day: float = 0.1
    floor: float = 0.25
    records: int = 12
    rank: float = 1.3
    tie: float = 0.015
    trust: float = 4.0
    tail: float = 3.0
    young: int = 50
    norm: float = 3.5
    again: float = 2.0
    fade: float = 0.04
    habit: float = 0.1


STATE: Final = np.dtype(
    [
        ("count", "i8"),
        ("opened", "i8"),
        ("last", "f8"),
        ("level", "f8"),
        ("spread", "f8"),
        ("late_level", "f8"),
        ("late_square", "f8"),
        ("near", "f8"),
        ("far", "f8"),
        ("levels", "f8"),
        ("residuals", "f8"),
        ("squares", "f8"),
        ("usual_square", "f8"),
        ("visit_sum", "f8"),
        ("visit_off", "f8"),
        ("habit", "f8"),
        ("peak", "f8"),
        ("value", "f8"),
        ("expected", "f8"),
        ("low", "f8"),
        ("high", "f8"),
        ("visit_count", "i4"),
        ("hour", "i4"),
        ("alarm", "i4"),
        ("kind", "i4"),
        ("overall", "f4"),
        ("visits", "f4"),
        ("week", "f4", (168,)),
        ("day", "f4", (24,)),
        ("day_spread", "f4", (24,)),
        ("week_seen", "u1", (168,)),
        ("day_seen", "u1", (24,)),
        ("spread_seen", "u1", (24,)),
    ],
    align=True,
)
"""Scalars and the usual week of one datastream. ``near``, ``far``, ``levels``, ``residuals``,
``squares``: sums over the rings of :class:`State`. ``opened`` (ms, -1: none), ``kind`` and ``peak``
to ``high`` belong to the open anomaly; ``alarm`` is the number of the reading that last raised one.
``hour`` (of the week, -1: none) is being visited; what it held enters the week when it is over."""

_UNOPENED: Final = -1
_LONG_AGO: Final = -(1 << 30)


class State:
    """Arrays over datastreams: records, rings of late readings, and the channels' records.

    ``recent`` are values, ``levels`` scaled ones, ``residuals`` what deviates from the usual week,
    ``squares`` of the deviation from the short mean. A channel's records: ``values``, the numbers
    of the readings they came at (``rows``), the ``least`` of them, and in ``marks`` how many there
    are, the slot last written and when.
    """

    def __init__(self, rows: int, tuning: Tuning) -> None:
        kept = CHANNELS * tuning.records
        self.one = np.zeros(rows, STATE)
        self.one["opened"] = _UNOPENED
        self.one["hour"] = -1
        self.one["alarm"] = _LONG_AGO
        self.one["overall"] = 0.5
        self.recent = np.zeros((rows, tuning.short + tuning.long), np.float64)
        self.levels = np.zeros((rows, tuning.long), np.float32)
        self.residuals = np.zeros((rows, tuning.hourly), np.float32)
        self.squares = np.zeros((rows, tuning.long), np.float32)
        self.values = np.zeros((rows, kept), np.float32)
        self.rows = np.zeros((rows, kept), np.int32)
        self.least = np.full((rows, CHANNELS), np.inf, np.float32)
        self.marks = np.zeros((rows, CHANNELS * MARKS), np.int32)
        self.marks[:, 1::MARKS] = -1

    def arrays(self) -> tuple[NDArray[Any], ...]:
        """All arrays, in the order in which they are kept."""
        return (
            self.one,
            self.recent,
            self.levels,
            self.residuals,
            self.squares,
            self.values,
            self.rows,
            self.least,
            self.marks,
        )

    def put(self, first: int, other: "State") -> None:
        """Overwrite the datastreams from ``first`` on by another's, as many as it has."""
        for mine, others in zip(self.arrays(), other.arrays(), strict=True):
            mine[first : first + len(others)] = others

    def to_bytes(self, rows: int) -> bytes:
        """The first ``rows`` datastreams; a copy."""
        return b"".join(array[:rows].tobytes() for array in self.arrays())


def from_bytes(state: bytes, tuning: Tuning) -> State:
    """What :meth:`State.to_bytes` made."""
    rows = len(state) // size(tuning)
    made = State(rows, tuning)
    start = 0
    for array in made.arrays():
        end = start + array.nbytes
        array[:] = np.frombuffer(state[start:end], array.dtype).reshape(array.shape)
        start = end
    return made


def size(tuning: Tuning) -> int:
    """Bytes of one datastream."""
    return sum(array.nbytes for array in State(1, tuning).arrays())
