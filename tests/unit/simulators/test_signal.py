import itertools
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.signal import PROFILES, Signal

DAY = 86_400_000
START = 1_700_006_400_000
"""2023-11-15T00:00:00Z."""


@given(
    t=st.integers(0, 1 << 42), seed=st.integers(0, 1 << 30), name=st.sampled_from(list(PROFILES))
)
def test_a_value_depends_on_seed_datastream_and_time_alone(t: int, seed: int, name: str) -> None:
    value = Signal(PROFILES[name], seed, "n/s/p").at(t)
    again = Signal(PROFILES[name], seed, "n/s/p")
    again.at(t + 1)
    assert again.at(t) == value
    assert value >= PROFILES[name].floor


@pytest.mark.parametrize("name", PROFILES)
def test_days_repeat_their_shape_and_datastreams_differ(name: str) -> None:
    one, other = (Signal(PROFILES[name], 1, f"n/{sensor}/{name}") for sensor in ("a", "b"))
    hours = range(START, START + 20 * DAY, 3_600_000)
    values = [one.at(t) for t in hours]
    by_hour = [statistics.mean(values[hour::24]) for hour in range(24)]
    within = statistics.mean(statistics.pstdev(values[hour::24]) for hour in range(24))
    # The time of day explains more than chance does, so there is something to learn.
    assert statistics.pstdev(by_hour) > within
    assert values != [other.at(t) for t in hours]
    assert len(set(values)) > 10


def test_traffic_slows_when_many_drive() -> None:
    speed, vehicles = (Signal(PROFILES[name], 3, name) for name in ("speed", "vehicles"))
    night, rush = START + 2 * 3_600_000, START + 6 * 3_600_000 + 1_800_000
    seconds = range(0, 600_000, 10_000)
    assert statistics.mean(speed.at(night + s) - speed.at(rush + s) for s in seconds) > 8
    assert statistics.mean(vehicles.at(rush + s) - vehicles.at(night + s) for s in seconds) > 10


def test_slow_wander_makes_no_jumps() -> None:
    level = Signal(PROFILES["water_level"], 1, "gauge")
    values = [level.at(START + t) for t in range(0, DAY, 60_000)]
    steps = [abs(b - a) for a, b in itertools.pairwise(values)]
    assert max(steps) < 0.05
