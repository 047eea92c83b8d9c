"""Datastreams through the lane's own validation and a detector, as the stream has them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from msgspec import structs

from benchmarks.city_anomalies.data import Datastream, Times, Values
from benchmarks.series.subjects import raised
from stream.anomaly.detector import Detector, Reading
from stream.anomaly.detectors import Detectors
from stream.anomaly.light import Light
from stream.lane import windows
from stream.scenario import FullDetector, LightDetector, Property


class Subject(NamedTuple):
    """A detector: how it is made, and a pack's rules as they would be had the pack chosen it."""

    make: Callable[[], Detector]
    rules: Callable[[Property], Property]


def _by_full(rules: Property) -> Property:
    chosen = rules.detector
    if not isinstance(chosen, LightDetector):
        return rules
    full = FullDetector(
        least=chosen.least,
        flatline=chosen.flatline,
        still_at_zero=chosen.still_at_zero,
        gap=chosen.gap,
    )
    return structs.replace(rules, detector=full)


DETECTORS: Final[Mapping[str, Subject]] = {
    "light": Subject(Light, lambda rules: rules),
    "full": Subject(Detectors, _by_full),
}


class Alarm(NamedTuple):
    """``opened``: when the anomaly began; ``at``: when the alarm was raised; both ms."""

    row: int
    kind: str
    opened: int
    at: int
    value: float
    expected: float
    low: float
    high: float
    score: float


class Feed(NamedTuple):
    """One datastream's readings, and its rules."""

    times: Times
    values: Values
    rules: Property


def feed(one: Datastream) -> Feed:
    """A datastream as it was recorded."""
    return Feed(one.times, one.values, one.rules)


def alarms(subject: Subject, feeds: Sequence[Feed]) -> list[list[Alarm]]:
    """The alarms raised on each of the feeds, by a detector that has seen nothing before."""
    detector = subject.make()
    detector.grow(len(feeds))
    rules = np.zeros(len(feeds), windows.RULES)
    for row, one in enumerate(feeds):
        detector.configure(row, subject.rules(one.rules), one.rules.range)
        low, high = one.rules.range or (-np.inf, np.inf)
        rules[row] = (tuple(name in one.rules.windows for name in windows.NAMES), low, high)
    ends = np.cumsum([len(one.times) for one in feeds])
    columns = windows.Columns(
        np.arange(len(feeds), dtype=np.int32),
        ends,
        np.full(len(feeds), windows.NO_MARK),
        np.zeros(len(feeds), np.uint8),
        np.concatenate([one.times for one in feeds]),
        np.concatenate([one.values for one in feeds]),
        np.zeros(ends[-1], np.uint8),
    )
    taken = windows.take(windows.blank(len(feeds)), rules, columns, int(columns.time.max()))
    assert not taken.any_refused
    found = detector.observe(Reading(taken.row, taken.time, taken.value, taken.usable))
    told: list[list[Alarm]] = [[] for _ in feeds]
    for row in range(len(feeds)):
        for finding in raised(found[found["row"] == row]).tolist():
            _, kind, _, opened, at, value, expected, low, high, score = finding
            name = detector.kinds[kind]
            told[row].append(Alarm(row, name, opened, at, value, expected, low, high, score))
    return told
