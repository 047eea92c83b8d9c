"""Datastreams are watched by what their pack chose, side by side."""

import numpy as np
from numpy.typing import NDArray

from stream.anomaly.detector import Reading
from stream.anomaly.detectors import Detectors
from stream.anomaly.full import Full
from stream.anomaly.light import Light
from stream.scenario import FullDetector, LightDetector, Property

T0 = 1_700_006_400_000
STEP = 300_000
ROWS = 3000
FULL = Property(detector=FullDetector(threshold=0.5, gap="1h", flatline="2h"))
LIGHT = Property(detector=LightDetector(threshold=8.0))
Found = NDArray[np.void]


def reading(rows: NDArray[np.int32], first: int, last: int) -> Reading:
    """Rows in turn, each with the same signal: a daily wave, a spike, then a stuck day."""
    n = np.arange(first, last)
    noise = np.random.default_rng(1).normal(0, 2, ROWS)[first:last]
    values = 50 + 20 * np.sin(2 * np.pi * n / 288) + noise
    values[n == 2000] += 90
    values[(n >= 2300) & (n < 2400)] = 40.0
    return Reading(
        np.tile(rows, last - first),
        np.repeat(T0 + STEP * n, len(rows)),
        np.repeat(values, len(rows)),
        np.ones((last - first) * len(rows), np.uint8),
    )


def mixed() -> Detectors:
    made = Detectors()
    made.grow(3)
    for row, rules in enumerate((LIGHT, FULL, LIGHT)):
        made.configure(row, rules, None)
    return made


def of(found: Found, row: int) -> list[tuple[object, ...]]:
    return [tuple(f)[1:] for f in found.tolist() if f[0] == row]


def test_each_finds_what_it_would_alone() -> None:
    all_rows = np.arange(3, dtype=np.int32)
    found = mixed().observe(reading(all_rows, 0, ROWS))
    light = Light()
    light.grow(1)
    light.configure(0, LIGHT, None)
    alone = light.observe(reading(np.zeros(1, np.int32), 0, ROWS))
    assert of(found, 0) == of(found, 2) == of(alone, 0)
    full = Full()
    full.grow(1)
    full.configure(0, FULL, None)
    deviating = full.observe(reading(np.zeros(1, np.int32), 0, ROWS))
    names = [Detectors.kinds[f["kind"]] for f in found[found["row"] == 1]]
    assert [n for n in names if n not in {"gap", "flatline"}] == [
        Full.kinds[f["kind"]] for f in deviating
    ]
    assert "flatline" in names
    assert len(deviating)
    assert (np.diff(found["at"]) >= 0).all()


def test_a_snapshot_goes_on_and_keeps_who_watches_whom() -> None:
    all_rows = np.arange(3, dtype=np.int32)
    whole, first = mixed(), mixed()
    found = whole.observe(reading(all_rows, 0, ROWS))
    before = first.observe(reading(all_rows, 0, 1234))
    resumed = Detectors()
    resumed.restore(first.snapshot(3))
    for row, rules in enumerate((LIGHT, FULL, LIGHT)):
        resumed.configure(row, rules, None)
    after = resumed.observe(reading(all_rows, 1234, ROWS))
    assert found.tobytes() == before.tobytes() + after.tobytes()
    assert whole.snapshot(3) == resumed.snapshot(3)


def test_who_leaves_the_full_detector_leaves_nothing_to_the_next() -> None:
    made, fresh = Detectors(), Detectors()
    for one in (made, fresh):
        one.grow(2)
    made.configure(0, FULL, None)
    made.observe(reading(np.zeros(1, np.int32), 0, 1000))
    made.configure(0, LIGHT, None)
    for one in (made, fresh):
        one.configure(1, FULL, None)
    second = np.ones(1, np.int32)
    there, here = made.observe(reading(second, 0, ROWS)), fresh.observe(reading(second, 0, ROWS))
    assert there.tobytes() == here.tobytes()
    assert len(made.snapshot(2)) == len(fresh.snapshot(2))


def test_only_those_who_chose_it_take_its_room() -> None:
    made = Detectors()
    made.grow(100)
    for row in range(100):
        made.configure(row, LIGHT, None)
    small = len(made.snapshot(100))
    assert small < 100 * 410
    made.configure(50, FULL, None)
    assert len(made.snapshot(100)) - small < 4096
