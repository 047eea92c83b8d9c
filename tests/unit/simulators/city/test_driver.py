import itertools
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citynerve.errors import ConfigError, UnavailableError
from edge.sensor.driver import Item, Mark, Reading
from simulators.city.driver import SimulatedNode
from simulators.city.truth import read_truth

START = 1_700_000_000_000
HOUR = 3_600_000
LEAST: dict[str, Any] = {"node": "noise-04", "nodes": 6, "start_ms": START, "rate": 0.0}
OUT = {"kind": "outage", "at_ms": 60_000, "duration_ms": 120_000, "node": "noise-04"}
SILENT = {**OUT, "kind": "silent", "sensor": "counter"}


def node(folder: Path = Path(), **options: object) -> SimulatedNode:
    return SimulatedNode("city", {**LEAST, **options}, folder)


def opened(folder: Path = Path(), **options: object) -> SimulatedNode:
    driver = node(folder, **options)
    driver.open(START)
    return driver


def drain(driver: SimulatedNode, now: int, limit: int = 4_000) -> list[Item]:
    items: list[Item] = []
    while more := driver.poll(now, limit):
        items += more
    return items


def times(items: list[Item], name: str = "noise") -> list[int]:
    return [i.t - START for i in items if isinstance(i, Reading) and i.property == name]


def test_the_history_comes_at_once_and_then_what_is_due() -> None:
    driver = opened(history_ms=HOUR)
    history = times(drain(driver, START))
    assert len(history) == 60
    assert -HOUR <= history[0] < history[-1] < 0
    assert {b - a for a, b in itertools.pairwise(history)} == {60_000}
    assert drain(driver, driver.next - 1) == []
    assert len(times(drain(driver, START + 60_000))) == 3
    assert not driver.finished


def test_what_is_given_is_in_the_order_of_time_and_stands_in_the_description() -> None:
    driver = opened(history_ms=HOUR)
    items = drain(driver, START + HOUR)
    given_times = [item.t for item in items if isinstance(item, Reading)]
    assert given_times == sorted(given_times)
    described = {(s.name, p.name) for s in driver.sensors() for p in s.properties}
    assert {(i.sensor, i.property) for i in items if isinstance(i, Reading)} == described
    assert all(sensor.position is not None for sensor in driver.sensors())


def test_at_its_end_it_marks_what_has_ended() -> None:
    driver = opened(end_ms=START + 100_000, interval_ms=1_000, speed="max")
    items = drain(driver, START + HOUR)
    assert len(times(items)) == 100
    marks = [item for item in items if isinstance(item, Mark)]
    assert items[-3:] == marks
    last = max(i.t for i in items if isinstance(i, Reading))
    assert {mark.t for mark in marks} == {last + HOUR}
    assert driver.finished
    assert driver.poll(START + 2 * HOUR, 10) == []


def test_a_node_out_of_order_gives_nothing_and_a_silent_sensor_marks() -> None:
    right, out, silent = (opened(incidents=one) for one in ([], [OUT], [SILENT]))
    usual, gone, marked = (drain(driver, START + 300_000) for driver in (right, out, silent))
    during = range(START + 60_000, START + 180_000)

    def within(items: list[Item]) -> list[Item]:
        return [i for i in items if isinstance(i, Reading | Mark) and i.t in during]

    assert within(gone) == []
    assert [item for item in usual if item not in within(usual)] == gone
    expected = [
        Mark(i.sensor, i.property, i.t) if isinstance(i, Reading) and i.sensor == "counter" else i
        for i in within(usual)
    ]
    assert within(marked) == expected


@settings(deadline=None, max_examples=10)
@given(limits=st.lists(st.integers(1, 50), min_size=1, max_size=20))
def test_the_items_do_not_depend_on_how_they_are_polled(limits: list[int]) -> None:
    options: dict[str, Any] = {"end_ms": START + 900_000, "incidents": [SILENT]}
    whole, parts = opened(**options), opened(**options)
    items: list[Item] = []
    turn = 0
    while not parts.finished:
        items += parts.poll(START + 20_000 * turn, limits[turn % len(limits)])
        turn += 1
    assert items == drain(whole, START + HOUR)


@pytest.mark.parametrize(
    ("speed", "after", "reached"),
    [(1.0, 60_000, 60_000), (10.0, 60_000, 600_000), ("max", 0, 2 * HOUR), (1e9, 1, 2 * HOUR)],
)
def test_simulated_time_runs_from_the_start_and_never_ahead_of_the_clock(
    speed: float | str, after: int, reached: int
) -> None:
    driver = node(speed=speed)
    # The city's live time began two hours ago.
    driver.open(START + 2 * HOUR)
    given_times = times(drain(driver, START + 2 * HOUR + after))
    reached = min(reached, 2 * HOUR + after)
    assert reached - 20_000 <= given_times[-1] <= reached


def test_whether_anything_is_due_is_told_without_looking() -> None:
    driver = opened()
    drain(driver, START + 60_000)
    due = driver.next_due(START + 60_000)
    assert due is not None
    assert START + 60_000 < due <= START + 80_000
    assert not driver.due(due - 1)
    assert driver.poll(due - 1, 100) == []
    assert driver.due(due)
    assert len(driver.poll(due, 100)) > 0


def test_all_nodes_of_a_city_share_one_world() -> None:
    one, other = node(), node(node="road-01")
    assert one._world is other._world  # noqa: SLF001 - what is computed once is the point
    assert node(seed=2)._world is not one._world  # noqa: SLF001


def test_the_pace_is_no_part_of_what_a_run_follows_from() -> None:
    assert node().identity() == node(speed=9.0, truth="x.ndjson").identity()
    assert node().identity() != node(seed=2).identity()
    assert node().identity() != node(incidents=[OUT]).identity()


def test_the_truth_is_written_as_it_becomes_known(tmp_path: Path) -> None:
    driver = opened(tmp_path, truth="deep/truth.ndjson", incidents=[OUT], seed=7)
    drain(driver, START + 1_000)
    (outage,) = read_truth(tmp_path / "deep" / "truth.ndjson")
    assert (outage.kind, outage.start) == ("outage", START + 60_000)
    assert len(outage.datastreams) == 3
    (tmp_path / "file").touch()
    blocked = opened(tmp_path, truth="file/truth.ndjson", seed=8)
    with pytest.raises(UnavailableError, match="ground truth"):
        drain(blocked, START + 1_000)


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"node": "noise-99"}, "sensor.options.node"),
        ({"nodes": 0}, "nodes"),
        ({"incidents": [{"kind": "meteor", "at_ms": 0}]}, "incidents[0].kind"),
        ({"incidents": [{**OUT, "node": "noise-99"}]}, "sensor.options.incidents"),
        ({"speed": 0}, "speed"),
        ({"sped": 1}, "sped"),
    ],
)
def test_wrong_options_are_told(options: dict[str, Any], key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        node(**options)
    assert caught.value.key == key
    assert caught.value.fix
