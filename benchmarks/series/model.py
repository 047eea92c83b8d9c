"""What a labelled series is."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Times = NDArray[np.int64]

GRADES = ("small", "middle", "large")


class Window(NamedTuple):
    """Rows ``start`` to ``end``, both included, in which an anomaly shows.

    ``size`` is what ``benchmarks.series.faults`` says of its ``kind``; ``grade``: 0 small, 1
    middle, 2 large. A gap shows in the first row after it.
    """

    start: int
    end: int
    kind: str
    size: float
    grade: int


@dataclass(frozen=True)
class Series:
    """One datastream with the truth about it.

    ``times``: ms since 1970 UTC, strictly increasing; ``values``: one for each. ``clean_times`` and
    ``clean_values``: the same datastream without its anomalies, of which a gap has taken rows.
    ``windows``: where the two differ, in order, none overlapping. ``neutral``: spans of rows, both
    ends included, in which an alarm is neither right nor wrong: what follows an anomaly, until the
    datastream has been as usual for a while, and what follows a change of regime that stays.
    ``interval``: s between readings, as planned; ``sampling``: how the plan was kept to.
    """

    seed: int
    regime: str
    sampling: str
    interval: int
    times: Times
    values: Values
    clean_times: Times
    clean_values: Values
    windows: tuple[Window, ...]
    neutral: tuple[tuple[int, int], ...]

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of anomaly in it, one for each window."""
        return tuple(window.kind for window in self.windows)
