"""The detectors as the stream has them, on one series."""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.series.model import Series, Values
from stream.anomaly.detector import CLOSE, OPEN, Detector, Reading
from stream.anomaly.detectors import Detectors
from stream.anomaly.light import Light
from stream.scenario import FullDetector, LightDetector, Property

Subject = Callable[[Series], Values]
"""Scores of a series' rows: 0 where no alarm is raised."""

_STILL: Final = 24  # intervals without change
_SILENT: Final = 10


def light_rules(interval: int) -> Property:
    """Rules for a datastream of which only its interval (s) is known."""
    return Property(
        detector=LightDetector(
            threshold=12.0, flatline=f"{_STILL * interval}s", gap=f"{_SILENT * interval}s"
        )
    )


def found(made: Detector, rules: Property, one: Series) -> NDArray[np.void]:
    """What a fresh detector finds in a series."""
    made.grow(1)
    made.configure(0, rules, rules.range)
    rows = len(one.times)
    return made.observe(
        Reading(np.zeros(rows, np.int32), one.times, one.values, np.ones(rows, np.uint8))
    )


def raised(findings: NDArray[np.void]) -> NDArray[np.void]:
    """The findings that raise an alarm: one opens, or one is over when it is seen."""
    opened = set(findings[findings["phase"] == OPEN][["kind", "opened"]].tolist())
    keep = [
        phase == OPEN or (phase == CLOSE and (kind, begun) not in opened)
        for phase, kind, begun in findings[["phase", "kind", "opened"]].tolist()
    ]
    return findings[np.array(keep, np.bool_)]


def alarm_scores(one: Series, findings: NDArray[np.void]) -> Values:
    """The greatest score of the alarms raised in each row, 0 for none."""
    alarms = raised(findings)
    scores = np.zeros(len(one.times))
    np.maximum.at(scores, np.searchsorted(one.times, alarms["at"]), alarms["score"])
    return scores


def light(one: Series) -> Values:
    """The light detector."""
    return alarm_scores(one, found(Light(), light_rules(one.interval), one))


def full(one: Series) -> Values:
    """The full detector at NAB's threshold, and the light one's watch of gaps and flatlines."""
    rules = Property(
        detector=FullDetector(
            threshold=0.5,
            warm_up=100,
            flatline=f"{_STILL * one.interval}s",
            gap=f"{_SILENT * one.interval}s",
        )
    )
    return alarm_scores(one, found(Detectors(), rules, one))


SUBJECTS: Final[Mapping[str, Subject]] = {"light": light, "full": full}
