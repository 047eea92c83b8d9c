"""How many readings a second the detectors take in on one core, and what they hold of each.

``python -m benchmarks.detectors [--json] [--readings N]``

Blocks of 1,000 datastreams with a usual day, a reading of each every minute, as a lane hands them
on. The bare loop reads the same arrays and touches each datastream's last value, nothing else: what
a detector takes over it is its own. CPU time of this process, the best of three runs; kernels are
compiled before.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.city_anomalies.run import DETECTORS
from stream.anomaly.detector import Detector, Reading
from stream.compiled import compiled
from stream.scenario import LightDetector, Property

DATASTREAMS: Final = 1_000
_MINUTE: Final = 60_000
_DAY: Final = 1_440
_START: Final = 1_700_006_400_000
_RUNS: Final = 3
_RULES: Final = Property(detector=LightDetector(flatline="2h", gap="1h"))
_MOST: Final = {"light": 400, "full": 4096}
"""Bytes of a datastream that a detector may hold."""
_GOALS: Final = {"light": 2e6, "full": 4e5}


class Speed(NamedTuple):
    """``rate``: readings a second of CPU; ``state``: bytes of a datastream, 0 for the bare loop."""

    name: str
    rate: float
    state: int
    findings: int


@compiled
def _bare(last: NDArray[np.float64], readings: Reading) -> float:
    changed = 0.0
    for i in range(len(readings.row)):
        if readings.usable[i] == 0:
            continue
        row = readings.row[i]
        changed += abs(readings.value[i] - last[row])
        last[row] = readings.value[i]
    return changed


def blocks(readings: int) -> Iterator[Reading]:
    """As many readings, one of each datastream a block, from the same seed each time."""
    rng = np.random.default_rng(4)
    rows = np.arange(DATASTREAMS, dtype=np.int32)
    usable = np.ones(DATASTREAMS, np.uint8)
    phase = rng.uniform(0, 1, DATASTREAMS)
    for minute in range(readings // DATASTREAMS):
        day = np.sin(2 * np.pi * (minute / _DAY + phase))
        values = 50 + 20 * day + rng.normal(0, 3, DATASTREAMS)
        yield Reading(rows, np.full(DATASTREAMS, _START + minute * _MINUTE), values, usable)


def _cpu(take: Callable[[Reading], object], readings: list[Reading]) -> float:
    begun = time.process_time()
    for block in readings:
        take(block)
    return time.process_time() - begun


def _fresh(name: str) -> Detector:
    detector = DETECTORS[name].make()
    rules = DETECTORS[name].rules(_RULES)
    detector.grow(DATASTREAMS)
    for row in range(DATASTREAMS):
        detector.configure(row, rules, None)
    return detector


def measure(readings: int) -> list[Speed]:
    """The bare loop first, then each detector."""
    taken = list(blocks(readings))
    count = len(taken) * DATASTREAMS
    last = np.zeros(DATASTREAMS)
    _bare(last, taken[0])
    best = min(_cpu(lambda block: _bare(last, block), taken) for _ in range(_RUNS))
    told = [Speed("bare loop", count / best, 0, 0)]
    for name in DETECTORS:
        _fresh(name).observe(taken[0])
        times = []
        for _ in range(_RUNS):
            detector = _fresh(name)
            times.append(_cpu(detector.observe, taken))
        detector = _fresh(name)
        found = sum(len(detector.observe(block)) for block in taken)
        state = len(detector.snapshot(DATASTREAMS)) // DATASTREAMS
        told.append(Speed(name, count / min(times), state, found))
    return told


def _show(told: list[Speed], goals: Mapping[str, float]) -> None:
    bare = told[0].rate
    print(f"{'':<12}{'readings/s':>14}{'of bare':>9}{'bytes each':>12}{'findings':>10}  goals")
    for one in told:
        goal = (
            f"{goals[one.name]:,.0f}/s, at most {_MOST[one.name]} bytes"
            if one.name in goals
            else ""
        )
        print(
            f"{one.name:<12}{one.rate:>14,.0f}{one.rate / bare:>9.1%}{one.state:>12}"
            f"{one.findings:>10}  {goal}"
        )


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    parser.add_argument("--readings", type=int, default=10_000_000)
    given = parser.parse_args()
    told = measure(given.readings)
    _show(told, _GOALS)
    if given.json:
        results: dict[str, Any] = {one.name: one._asdict() for one in told}
        print(json.dumps(results))


if __name__ == "__main__":
    main()
