"""The light detector on two months of a real city's traffic: quiet, and not blind."""

import csv
import random
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from stream.anomaly.detector import CLOSE, FINDING, OPEN, Reading
from stream.anomaly.light import FLATLINE, GAP, SPIKE, Light
from stream.scenario import load_scenarios

WEEK = 7 * 86_400_000
SIX_HOURS = 6 * 3_600_000
DAY_OF_READINGS = 288
TRIALS = 4

Series = tuple[NDArray[np.int64], NDArray[np.float64]]


@pytest.fixture
def files(samples: Path) -> list[Path]:
    found = sorted((samples / "aarhus" / "traffic").glob("*.csv"))
    assert found
    return found


def read(path: Path, column: str) -> Series:
    readings: dict[int, float] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            at = datetime.fromisoformat(row["TIMESTAMP"]).replace(tzinfo=UTC)
            readings.setdefault(int(at.timestamp() * 1000), float(row[column]))
    times = sorted(readings)
    return np.array(times, np.int64), np.array([readings[t] for t in times])


def find(prop: str, times: NDArray[np.int64], values: NDArray[np.float64]) -> NDArray[np.void]:
    rules = load_scenarios().find(prop)
    made = Light()
    made.grow(1)
    made.configure(0, rules, rules.range)
    rows = np.zeros(len(times), np.int32)
    return made.observe(Reading(rows, times, values, np.ones(len(times), np.uint8)))


@pytest.mark.parametrize(
    ("prop", "column"),
    [
        ("speed", "avgSpeed"),
        ("vehicles", "vehicleCount"),
        ("travel_time", "avgMeasuredTime"),
    ],
)
def test_it_is_quiet(files: list[Path], prop: str, column: str) -> None:
    alarms = 0
    weeks = 0.0
    for path in files:
        times, values = read(path, column)
        found = find(prop, times, values)
        alarms += int(np.count_nonzero((found["phase"] == OPEN) | (found["kind"] == GAP)))
        weeks += (times[-1] - times[0]) / WEEK
        assert found.dtype == FINDING
    assert alarms / weeks < 1.5


def test_it_finds_most_injected_faults(files: list[Path]) -> None:
    draw = random.Random(7)
    hits = dict.fromkeys((SPIKE, FLATLINE, GAP), 0)
    for path in files:
        times, values = read(path, "avgSpeed")
        for _ in range(TRIALS):
            at = draw.randrange(len(times) // 3, 2 * len(times) // 3)
            t = times[at]
            spiked = values.copy()
            spiked[at] = values[at] + 90
            found = find("speed", times, spiked)
            hits[SPIKE] += bool(np.any((found["kind"] == SPIKE) & (found["opened"] == t)))
            stuck = values.copy()
            stuck[at : at + DAY_OF_READINGS] = values[at]
            found = find("speed", times, stuck)
            inside = (found["opened"] <= t) & (found["at"] > t)
            hits[FLATLINE] += bool(np.any((found["kind"] == FLATLINE) & inside))
            kept = (times <= t) | (times > t + SIX_HOURS)
            found = find("speed", times[kept], values[kept])
            over = (found["kind"] == GAP) & (found["phase"] == CLOSE) & (found["opened"] <= t)
            hits[GAP] += bool(np.any(over & (found["at"] > t)))
    trials = TRIALS * len(files)
    rates = {kind: count / trials for kind, count in hits.items()}
    assert rates[SPIKE] > 0.75
    assert rates[FLATLINE] > 0.5
    assert rates[GAP] > 0.8
