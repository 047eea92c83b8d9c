"""What sensors make of the world: when they read, how wrongly, and in which steps."""

from typing import Final, NamedTuple

import numpy as np

from simulators.city.hashing import Floats, Ints, draw, normal
from simulators.city.properties import Property
from simulators.city.sites import Bools, Rows

_MINUTES: Final = 60.0
_SPREAD_OF_NODES: Final = 10_000
"""Nodes do not all read at once: within so many ms, each at an instant of its own."""

_STREAM: Final = np.uint64(0x5851F42D4C957F2D)


class Intervals(NamedTuple):
    """When the readings of the history and of live time are taken.

    Args:
        start: Live time's start, ms since 1970 UTC.
        first: The first reading is not before.
        end: The last is before; None: without end.
        history: ms between two readings of the history; None: the property's own.
        live: ms between two readings of live time; None: the property's own.
    """

    start: int
    first: int
    end: int | None
    history: int | None
    live: int | None

    def between(self, t: int, own: int) -> int:
        """Ms from a reading at this time to the next."""
        return (self.history if t < self.start else self.live) or own

    def spans(self, low: int, high: int, own: int) -> list[tuple[int, int, int]]:
        """From, to, interval within these bounds."""
        low = max(low, self.first)
        high = high if self.end is None else min(high, self.end)
        parts = [
            (low, min(high, self.start), self.history or own),
            (max(low, self.start), high, self.live or own),
        ]
        return [part for part in parts if part[0] < part[1]]


def phases(rows: Rows, interval: int) -> Ints:
    """How long after the full interval each row reads, ms; the same for all rows of a node."""
    spread = min(interval, _SPREAD_OF_NODES)
    return np.asarray((rows.node * 2_654_435_761 >> 7) % 1_000 * spread // 1_000)


def instants(rows: Rows, spans: list[tuple[int, int, int]]) -> tuple[Ints, Bools]:
    """When each row reads: (rows, readings) in ms, and which of these are readings at all."""
    times, held = [np.zeros((len(rows), 0), np.int64)], [np.zeros((len(rows), 0), bool)]
    for low, high, interval in spans:
        phase = phases(rows, interval)[:, None]
        first = -((phase - low) // interval)
        count = -(-(high - low) // interval)
        at = (first + np.arange(count)) * interval + phase
        times.append(at)
        held.append((at >= low) & (at < high))
    return np.concatenate(times, axis=1), np.concatenate(held, axis=1)


def measured(name: str, about: Property, rows: Rows, true: Floats, times: Ints) -> Floats:
    """The values as sensors in order tell them: with their errors, in their steps, in their range.

    Args:
        name: The property's.
        about: How it is measured.
        rows: The datastreams.
        true: Without noise (rows, readings).
        times: Of the readings, ms.
    """
    chance = normal(draw(rows.keys[:, None] ^ _STREAM, times))
    spread = about.noise + about.share * np.abs(true)
    if name == "flow":
        # A count of a minute's vehicles: its error is a count's.
        spread = np.sqrt(np.maximum(true, 0.0) / _MINUTES) * _MINUTES
    if name == "people":
        spread = spread + 0.5 * np.sqrt(np.maximum(true, 0.0))
    return stepped(name, about, true + spread * chance)


def stepped(name: str, about: Property, values: Floats) -> Floats:
    """Values in the sensor's steps and range."""
    if name == "wind_direction":
        return np.asarray(np.round(values) % 360.0)
    steps = round(1.0 / about.quantum)
    if steps >= 1:
        rounded = np.round(values * steps) / steps
    else:
        rounded = np.round(values / about.quantum) * about.quantum
    # -0.0 is a 0 that looks odd.
    return np.clip(rounded, about.low, about.high) + 0.0
