"""What a detector is: the state of many datastreams in arrays, fed with all their readings.

A detector is deterministic and sequential: what it finds, and its state, depend on each
datastream's readings in their order alone, never on how they are grouped into calls.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from stream.scenario import Property

OPEN, UPDATE, CLOSE = range(3)

LARGEST: Final = 1e30
"""Values beyond it are neither judged nor learned, and no score is told as more: well within the
range of float32, in which much of a state is kept."""

FINDING: Final = np.dtype(
    [
        ("row", "i8"),
        ("kind", "i8"),
        ("phase", "i8"),
        ("opened", "i8"),
        ("at", "i8"),
        ("value", "f8"),
        ("expected", "f8"),
        ("low", "f8"),
        ("high", "f8"),
        ("score", "f8"),
    ],
    align=True,
)
"""One step in the life of an anomaly of datastream ``row``.

``kind`` counts in the detector's ``kinds``; ``phase`` is OPEN, UPDATE (it got worse) or CLOSE;
``opened`` and ``at`` in ms: when it began, and when this step was. One that is over when it is seen
(a gap) comes as a single CLOSE. ``value``, ``expected``, ``low``, ``high`` in the datastream's unit
(a gap's and a flatline's ``expected`` in ms), NaN where there is none; ``score``: how many times
over the usual limit it is, from 1.
"""


class Reading(NamedTuple):
    """Arrays of a call's readings: rows, times (ms), values, and 1 where the reading is usable."""

    row: NDArray[np.int32]
    time: NDArray[np.int64]
    value: NDArray[np.float64]
    usable: NDArray[np.uint8]


class Detector(Protocol):
    """Finds what deviates, for all datastreams of a lane."""

    @property
    def kinds(self) -> Sequence[str]:
        """Names of the kinds of anomaly, by the number in ``FINDING``."""
        ...

    def grow(self, rows: int) -> None:
        """Hold at least ``rows`` datastreams; new ones start without any history."""
        ...

    def configure(self, row: int, rules: Property, limits: tuple[float, float] | None) -> None:
        """Set a datastream's rules and its physical range; its history stays."""
        ...

    def observe(self, readings: Reading) -> NDArray[np.void]:
        """Learn from readings, each datastream's in order of time, and tell what was found."""
        ...

    def snapshot(self, rows: int) -> bytes:
        """The history of the first ``rows`` datastreams; a copy."""
        ...

    def restore(self, state: bytes) -> None:
        """Take up a snapshot's history; rules are set anew by :meth:`configure`."""
        ...
