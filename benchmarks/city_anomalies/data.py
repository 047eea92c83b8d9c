"""The city's recorded datastreams, in order and without repeats, as a node sends them."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from citynerve.errors import ConfigError
from stream.scenario import LightDetector, Property, Scenarios, milliseconds

Times = NDArray[np.int64]
Values = NDArray[np.float64]
WEEK: Final = 7 * 86_400_000
_TWO_SIDED: Final = 2 * 1.645  # between the 5th and 95th percentile of a normal, in deviations


class Source(NamedTuple):
    """Where a kind of sensor stands, and which of its columns is which property."""

    pattern: str
    time: str
    columns: Mapping[str, str]


SOURCES: Final = (
    Source(
        "traffic/*.csv",
        "TIMESTAMP",
        {"avgSpeed": "speed", "vehicleCount": "vehicles", "avgMeasuredTime": "travel_time"},
    ),
    Source("parking/*.csv", "updatetime", {"vehiclecount": "occupied"}),
    Source(
        "weather.csv",
        "TIMESTAMP",
        {"hum": "humidity", "tempm": "temperature", "wspdm": "wind_speed"},
    ),
)


class Datastream(NamedTuple):
    """One property of one sensor. ``times`` in ms, taken as UTC; ``rules`` its pack's."""

    sensor: str
    prop: str
    times: Times
    values: Values
    rules: Property

    @property
    def name(self) -> str:
        """As it is written in tables."""
        return f"{self.sensor} {self.prop}"

    @property
    def interval(self) -> int:
        """The usual time between readings, ms."""
        return int(np.median(np.diff(self.times)))

    @property
    def spread(self) -> float:
        """The datastream's usual spread, in its unit, in which sizes of faults are counted.

        Its standard deviation, from the 5th and 95th percentile of all its readings, season and
        all; where half of what its pack calls too little to be an anomaly is more, that.
        """
        low, high = np.quantile(self.values, [0.05, 0.95])
        return max(float(high - low) / _TWO_SIDED, self.least / 2, 1e-9)

    @property
    def least(self) -> float:
        """Deviations that its pack takes for none."""
        chosen = self.rules.detector
        return chosen.least if isinstance(chosen, LightDetector) else 0.0

    def watched(self, name: str) -> int:
        """The pack's span (ms) for ``flatline`` or ``gap``; 0: not watched."""
        chosen = self.rules.detector
        return milliseconds(getattr(chosen, name)) if isinstance(chosen, LightDetector) else 0


def read(folder: Path, scenarios: Scenarios) -> list[Datastream]:
    """All datastreams under ``folder``.

    Raises:
        ConfigError: There is none.
    """
    found = [
        datastream
        for source in SOURCES
        for path in sorted(folder.glob(source.pattern))
        for datastream in _read(path, source, scenarios)
    ]
    if not found:
        raise ConfigError(
            "holds no recordings of the city",
            file=str(folder),
            fix=f"name a folder with {', '.join(source.pattern for source in SOURCES)}",
        )
    return found


def _read(path: Path, source: Source, scenarios: Scenarios) -> Iterator[Datastream]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for column, name in source.columns.items():
        readings: dict[int, float] = {}
        for row in rows:
            if row[column]:
                at = datetime.fromisoformat(row[source.time]).replace(tzinfo=UTC)
                readings.setdefault(round(at.timestamp() * 1000), float(row[column]))
        times = sorted(readings)
        yield Datastream(
            path.stem.lower(),
            name,
            np.array(times, np.int64),
            np.array([readings[at] for at in times]),
            scenarios.find(name),
        )


def sensor_weeks(datastreams: Sequence[Datastream]) -> float:
    """Weeks that all sensors together have been recorded."""
    spans = {one.sensor: float(one.times[-1] - one.times[0]) / WEEK for one in datastreams}
    return sum(spans.values())
