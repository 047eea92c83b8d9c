from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citynerve.errors import ConfigError, UnavailableError
from edge.sensor.driver import Item, Mark, Reading
from simulators.fault import Truth
from simulators.node import SimulatedNode
from simulators.signal import PROFILES, Signal

ORIGIN = 1_700_000_000_000
LEAST: dict[str, Any] = {"node": "n-1", "sensors": {"a": ["noise", "pm25"]}}


def node(folder: Path = Path(), **options: object) -> SimulatedNode:
    return SimulatedNode("city", {**LEAST, **options}, folder)


def drain(driver: SimulatedNode, now: int, limit: int = 1000) -> list[Item]:
    items: list[Item] = []
    while more := driver.poll(now, limit):
        items += more
    return items


def times(items: Sequence[Item], name: str = "noise") -> list[int]:
    return [i.t - ORIGIN for i in items if isinstance(i, Reading) and i.property == name]


def fault(kind: str, start: int, end: int, size: float = 0) -> dict[str, object]:
    span = {"start": start, "end": end, "size": size}
    return {"sensor": "a", "property": "noise", "kind": kind, **span}


def test_history_comes_at_once_and_then_one_reading_a_second() -> None:
    driver = node(history_ms=180_000)
    driver.open(ORIGIN)
    assert times(drain(driver, ORIGIN)) == [-180_000, -120_000, -60_000, 0]
    assert drain(driver, ORIGIN + 999) == []
    assert times(drain(driver, ORIGIN + 3_100)) == [1_000, 2_000, 3_000]
    assert not driver.finished


def test_values_are_those_of_the_signal() -> None:
    driver = node(seed=9)
    driver.open(ORIGIN)
    expected = Signal(PROFILES["pm25"], 9, "n-1/a/pm25")
    assert [i for i in drain(driver, ORIGIN + 2_000) if isinstance(i, Reading)][1::2] == [
        Reading("a", "pm25", t, expected.at(t)) for t in range(ORIGIN, ORIGIN + 2_001, 1000)
    ]


def test_a_fixed_number_of_readings_ends_with_marks() -> None:
    driver = node(count=3, speed="max", base_ms=ORIGIN - 100_000)
    driver.open(ORIGIN)
    items = drain(driver, ORIGIN)
    assert times(items) == [-100_000, -99_000, -98_000]
    last = ORIGIN - 98_000 + 3_600_000
    assert items[-2:] == [Mark("a", "noise", last), Mark("a", "pm25", last)]
    assert driver.finished


@pytest.mark.parametrize(
    ("speed", "after", "given_times"),
    [
        (1.0, 2_000, [-60_000, -59_000, -58_000]),
        (2.0, 2_000, [-60_000, -59_000, -58_000, -57_000, -56_000]),
        ("max", 0, list(range(-60_000, 1, 1000))),
        # Faster than the clock it catches up with it, and never passes it.
        (1000.0, 1_000, list(range(-60_000, 1_001, 1000))),
    ],
)
def test_simulated_time_runs_from_its_base_and_never_ahead_of_the_clock(
    speed: float | str, after: int, given_times: list[int]
) -> None:
    driver = node(base_ms=ORIGIN - 60_000, speed=speed)
    driver.open(ORIGIN)
    assert times(drain(driver, ORIGIN + after)) == given_times


@given(limits=st.lists(st.integers(1, 7), min_size=1, max_size=20))
def test_the_items_do_not_depend_on_how_they_are_polled(limits: list[int]) -> None:
    options: dict[str, Any] = {"count": 9, "faults": [fault("gap", 2_000, 5_000)]}
    whole, parts = node(**options), node(**options)
    whole.open(ORIGIN)
    parts.open(ORIGIN)
    items: list[Item] = []
    turn = 0
    while not parts.finished:
        items += parts.poll(ORIGIN + 500 * turn, limits[turn % len(limits)])
        turn += 1
    assert items == drain(whole, ORIGIN + 60_000)


def test_each_fault_disturbs_its_span_and_nothing_else() -> None:
    faults = [
        fault("spike", 10_000, 12_000, 50),
        fault("stuck", 20_000, 23_000),
        fault("gap", 30_000, 33_000),
        fault("drift", 40_000, 44_000, 8),
    ]
    clean, faulty = node(), node(faults=faults)
    for driver in (clean, faulty):
        driver.open(ORIGIN)
    expected = {i.t: i for i in drain(clean, ORIGIN + 60_000) if by_noise(i)}
    for second, item in enumerate(i for i in drain(faulty, ORIGIN + 60_000) if by_noise(i)):
        t = ORIGIN + second * 1000
        undisturbed = expected[t]
        assert isinstance(undisturbed, Reading)
        if second in (10, 11):
            assert item == undisturbed._replace(value=undisturbed.value + 50)
        elif second in (20, 21, 22):
            frozen = expected[ORIGIN + 20_000]
            assert isinstance(frozen, Reading)
            assert item == undisturbed._replace(value=frozen.value)
        elif second in (30, 31, 32):
            assert item == Mark("a", "noise", t)
        elif second in (40, 41, 42, 43):
            assert item == undisturbed._replace(value=undisturbed.value + 2.0 * (second - 40))
        else:
            assert item == undisturbed


def by_noise(item: Item) -> bool:
    return isinstance(item, Reading | Mark) and item.property == "noise"


def test_the_ground_truth_is_written_at_absolute_times(tmp_path: Path) -> None:
    driver = node(tmp_path, faults=[fault("spike", -5_000, 1_000, 3)], truth="deep/n-1.ndjson")
    driver.open(ORIGIN)
    text = (tmp_path / "deep" / "n-1.ndjson").read_bytes()
    assert msgspec.json.Decoder(Truth).decode_lines(text) == [
        Truth("n-1", "a", "noise", "spike", ORIGIN - 5_000, ORIGIN + 1_000, 3.0)
    ]
    (tmp_path / "file").touch()
    blocked = node(tmp_path, truth="file/n-1.ndjson")
    with pytest.raises(UnavailableError, match="ground truth"):
        blocked.open(ORIGIN)


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"sensors": {}}, "sensors"),
        ({"sensors": {"a": ["mood"]}}, "sensor.options.sensors.a"),
        ({"faults": [fault("spike", 5, 5)]}, "sensor.options.faults"),
        ({"faults": [{**fault("spike", 1, 5), "sensor": "b"}]}, "sensor.options.faults"),
        ({"faults": [fault("explode", 1, 5)]}, "faults[0].kind"),
        ({"sped": 1}, "sped"),
    ],
)
def test_wrong_options_are_told(options: dict[str, Any], key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        node(**options)
    assert caught.value.key == key
    assert caught.value.fix
