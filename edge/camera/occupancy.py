"""How many of each class are there, second by second."""

from collections.abc import Sequence
from statistics import median_high
from typing import Final

from edge.sensor.driver import Reading

SECOND: Final = 1000


class Occupancy:
    """Turns counts of each frame into one reading a second and property.

    The reading is the median over the second's frames (the higher of the two middle ones): one
    frame in which somebody was overlooked does not show. Its time is the second's beginning. A
    second without frames has no reading.

    Args:
        sensor: Name of the sensor that the readings are of.
        properties: Their names, in the order of the counts.
    """

    def __init__(self, sensor: str, properties: Sequence[str]) -> None:
        self._sensor = sensor
        self._properties = tuple(properties)
        self._second = 0
        self._counts: list[Sequence[int]] = []

    def observe(self, now: int, counts: Sequence[int]) -> list[Reading]:
        """Take in one frame's counts; the readings of the second before, once it is over."""
        second = now - now % SECOND
        readings = self.flush() if second != self._second else []
        self._second = second
        self._counts.append(counts)
        return readings

    def flush(self) -> list[Reading]:
        """The readings of the second under way, as far as it got; nothing without a frame."""
        if not self._counts:
            return []
        columns = zip(*self._counts, strict=True)
        self._counts = []
        return [
            Reading(self._sensor, name, self._second, float(median_high(column)))
            for name, column in zip(self._properties, columns, strict=True)
        ]
