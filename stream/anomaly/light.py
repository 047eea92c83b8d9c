"""The light detector: what is usual, learned online in under 400 bytes a datastream.

It finds readings far from what is usual at their hour (spikes) and out of the physical range,
datastreams that stand still or say nothing for longer than usual, and what is too small to be seen
in one reading but lasts: level shifts, trends, changes of variance. How: see
``stream.anomaly.light_kernel``.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from stream.anomaly.detector import FINDING, Reading
from stream.anomaly.light_kernel import observe
from stream.anomaly.light_state import (
    FLATLINE,
    GAP,
    KINDS,
    LEVEL_SHIFT,
    RANGE,
    RULES,
    SPIKE,
    STATE,
    TREND,
    VARIANCE,
    Records,
    blank,
    upgrade,
)
from stream.scenario import LightDetector, Property, milliseconds

__all__ = [
    "FLATLINE",
    "GAP",
    "KINDS",
    "LEVEL_SHIFT",
    "RANGE",
    "SPIKE",
    "STATE",
    "TREND",
    "VARIANCE",
    "Light",
    "upgrade",
]

_MOST: Final = 5
"""Findings of one reading: a gap, range, flatline, spike, and one of what lasts."""


class Light:
    """The detector over the datastreams of a lane; see ``stream.anomaly.detector``."""

    kinds: Sequence[str] = KINDS

    def __init__(self) -> None:
        self._state = blank(0)
        self._rules = np.zeros(0, RULES)

    def grow(self, rows: int) -> None:
        """Hold at least ``rows`` datastreams."""
        have = len(self._state)
        if rows <= have:
            return
        more = max(rows, 2 * have) - have
        self._state = np.concatenate([self._state, blank(more)])
        self._rules = np.concatenate([self._rules, np.zeros(more, RULES)])

    def configure(self, row: int, rules: Property, limits: tuple[float, float] | None) -> None:
        """Set a datastream's rules; of a property without detector only the range is watched."""
        low, high = limits or (-np.inf, np.inf)
        settings = rules.detector
        if isinstance(settings, LightDetector):
            self._rules[row] = (
                settings.spike,
                settings.still_at_zero,
                settings.warm_up,
                settings.threshold,
                settings.least,
                milliseconds(settings.flatline),
                milliseconds(settings.gap),
                low,
                high,
            )
        else:
            self._rules[row] = (0, 0, 0, 1.0, 0.0, 0.0, 0.0, low, high)

    def observe(self, readings: Reading) -> Records:
        """Learn, and tell what was found."""
        findings = np.empty(_MOST * len(readings.row), FINDING)
        found = observe(
            self._state,
            self._rules,
            readings.row,
            readings.time,
            readings.value,
            readings.usable,
            findings,
        )
        return findings[:found]

    def snapshot(self, rows: int) -> bytes:
        """The first ``rows`` records."""
        return self._state[:rows].tobytes()

    def restore(self, state: bytes) -> None:
        """Take up records; rules are blank until configured."""
        self._state = np.frombuffer(state, STATE).copy()
        self._rules = np.zeros(len(self._state), RULES)
