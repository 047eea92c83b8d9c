"""A datastream taken apart: what it is made of, so that an anomaly can change one part of it."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from benchmarks.series.model import Values

Shape = Callable[[Values], Values]
"""A season: the value at each phase, which is counted in periods since a Monday's midnight."""

Draw = Callable[[Values, Values], Values]
"""Readings from their expected values and from noise (for counts: its normal score's rank)."""


@dataclass
class Parts:
    """``limit(draw(level + swing * shape(phase), loudness * noise))``, row by row.

    ``unit``: the usual deviation of a reading at each row, in which sizes of anomalies count.
    ``period``: rows of a season, 0 where there is none. ``changes``: rows at which the datastream
    changes for good, as it may.
    """

    level: Values
    noise: Values
    unit: Values
    draw: Draw
    phase: Values
    shape: Shape | None = None
    period: int = 0
    swing: Values = field(init=False)
    loudness: Values = field(init=False)
    limit: Callable[[Values], Values] = lambda values: values
    changes: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        self.swing = np.ones(len(self.level))
        self.loudness = np.ones(len(self.level))

    def values(self) -> Values:
        """The datastream's readings."""
        mean = self.level
        if self.shape is not None:
            mean = mean + self.swing * self.shape(self.phase)
        return self.limit(self.draw(mean, self.loudness * self.noise))

    def in_units(self, times: float) -> "Parts":
        """The same with a unit so many times as large."""
        self.unit = self.unit * times
        return self
