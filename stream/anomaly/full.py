"""The full detector: what deviates from a datastream's own past, by records of six statistics.

It finds spikes, level shifts, trends, changes of variance and breaks of the usual week; gaps,
flatlines and impossible values are the light detector's, which runs beside it
(``stream.anomaly.detectors``). The method: ``full_measure``, ``full_judge`` and
docs/detection.md.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from stream.anomaly.detector import FINDING, Reading
from stream.anomaly.full_judge import KINDS, judge
from stream.anomaly.full_measure import MEASURED, RULES, measure
from stream.anomaly.full_state import Records, State, Tuning, from_bytes
from stream.scenario import FullDetector, Property

SHIPPED: Final = Tuning()


class Full:
    """The detector over many datastreams; see ``stream.anomaly.detector``.

    Args:
        tuning: For experiments; a snapshot can only be taken up with the tuning it was made with.
    """

    kinds: Sequence[str] = KINDS

    def __init__(self, tuning: Tuning = SHIPPED) -> None:
        self._tuning = tuning
        self._state = State(0, tuning)
        self._rules = np.zeros(0, RULES)

    def __len__(self) -> int:
        """How many datastreams there is room for."""
        return len(self._rules)

    def grow(self, rows: int) -> None:
        """Hold at least ``rows`` datastreams."""
        have = len(self)
        if rows <= have:
            return
        size = max(rows, 2 * have)
        grown = State(size, self._tuning)
        grown.put(0, self._state)
        self._state = grown
        self._rules = np.concatenate([self._rules, np.zeros(size - have, RULES)])

    def forget(self, row: int) -> None:
        """Make a datastream one without history and rules."""
        self._state.put(row, State(1, self._tuning))
        self._rules[row] = np.zeros((), RULES)

    def configure(self, row: int, rules: Property, limits: tuple[float, float] | None) -> None:
        """Set a datastream's rules; one of another detector is not watched."""
        low, high = limits or (-np.inf, np.inf)
        settings = rules.detector
        if isinstance(settings, FullDetector):
            watched = (1, settings.warm_up, settings.threshold, settings.least, low, high)
        else:
            watched = (0, 0, 0.0, 0.0, low, high)
        self._rules[row] = watched

    def observe(self, readings: Reading) -> Records:
        """Learn, and tell what was found."""
        size = len(readings.row)
        findings = np.empty(size, FINDING)
        measured = np.empty(size, MEASURED)
        state = self._state
        measure(
            state.one,
            state.recent,
            state.levels,
            state.residuals,
            state.squares,
            self._rules,
            self._tuning,
            readings.row,
            readings.time,
            readings.value,
            readings.usable,
            measured,
        )
        found = judge(
            state.one,
            state.values,
            state.rows,
            state.least,
            state.marks,
            self._rules,
            self._tuning,
            readings.row,
            readings.time,
            readings.value,
            measured,
            findings,
        )
        return findings[:found]

    def snapshot(self, rows: int) -> bytes:
        """The first ``rows`` datastreams."""
        return self._state.to_bytes(rows)

    def restore(self, state: bytes) -> None:
        """Take up a snapshot; rules are blank until configured."""
        self._state = from_bytes(state, self._tuning)
        self._rules = np.zeros(len(self._state.one), RULES)
