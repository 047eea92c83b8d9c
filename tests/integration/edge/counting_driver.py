"""Plugin drivers for the tests: what they give can be computed anywhere, without them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

from citynerve.config import Config, convert
from citynerve.messages import CameraAbout, PropertyAbout, SensorAbout
from edge.sensor.driver import Item, Reading
from tests.unit.edge.quiet_driver import QuietDriver

LATENESS = 5_000


class Options(Config):
    total: int = 1_000
    per_poll: int = 100
    seed: int = 0
    interval_ms: int = 0
    grow_at: int = 0
    size: int = 1


def readings(total: int, seed: int) -> list[Reading]:
    """Two datastreams, shuffled within their lateness, one in ten repeated with another value."""
    rng = Random(seed)
    made: list[tuple[int, Reading]] = []
    for number in range(total):
        reading = Reading(f"s{number % 2}", "count", 1_000_000 + number * 1_000, float(number))
        made.append((reading.t + rng.randrange(LATENESS), reading))
        if number % 10 == 0:
            made.append((reading.t + LATENESS, reading._replace(value=-1.0)))
    made.sort(key=lambda pair: pair[0])
    return [reading for _, reading in made]


class Counting:
    """Resumable: gives :func:`readings`, ``per_poll`` of them every ``interval_ms``."""

    resumable = True

    def __init__(self, name: str, options: Mapping[str, Any], base: Path) -> None:
        del base
        self.name = name
        self._options = convert(dict(options), Options, file="options")
        self._items = readings(self._options.total, self._options.seed)
        self._at = self._due = 0

    @property
    def finished(self) -> bool:
        return self._at >= len(self._items)

    def sensors(self) -> Sequence[SensorAbout]:
        prop = PropertyAbout(name="count", unit="1", lateness=LATENESS)
        return [SensorAbout(name=name, properties=(prop,)) for name in ("s0", "s1")]

    def cameras(self) -> Sequence[CameraAbout]:
        return []

    def identity(self) -> str:
        return f"{self._options.total} {self._options.seed}"

    def open(self, origin: int) -> None:
        assert origin > 0

    def poll(self, now: int, limit: int) -> Sequence[Item]:
        if now < self._due:
            return []
        self._due = now + self._options.interval_ms
        size = min(limit, self._options.per_poll)
        items = self._items[self._at : self._at + size]
        self._at += size
        return items

    def problems(self) -> Sequence[str]:
        return []

    def close(self) -> None:
        self._items = []


class Ticking(QuietDriver):
    """Live: ``size`` datastreams with the time as value, every ``interval_ms``."""

    def __init__(self, name: str, options: Mapping[str, Any], base: Path) -> None:
        del base
        self.name = name
        self._options = convert(dict(options), Options, file="options")
        self._given = 0
        self._due = 0

    def sensors(self) -> Sequence[SensorAbout]:
        grown = self._options.grow_at and self._given >= self._options.grow_at
        size = self._options.size + bool(grown)
        properties = tuple(PropertyAbout(name=f"p{index}", unit="ms") for index in range(size))
        return [SensorAbout(name=self.name, properties=properties)]

    def poll(self, now: int, limit: int) -> Sequence[Item]:
        assert limit > 0
        if now < self._due:
            return []
        self._due = now + self._options.interval_ms
        self._given += 1
        names = [prop.name for prop in self.sensors()[0].properties]
        return [Reading(self.name, name, now, float(now)) for name in names]

    def problems(self) -> Sequence[str]:
        return ["a test's problem"] if self._options.seed else []
