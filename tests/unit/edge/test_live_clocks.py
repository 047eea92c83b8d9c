"""Clocks that jump while live sensors run: what the stream's windows get in the end."""

from pathlib import Path

import pytest

from edge.sensor.driver import Reading
from tests.unit.edge.live_node import START, LiveNode, Scripted

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000


def each_second(node: LiveNode, seconds: int) -> None:
    """The sensor stamps its readings by the node's clock."""
    for _ in range(seconds):
        node.driver.give = lambda now: [Reading("s", "p", now, 1.0)]
        node.step()
        node.now += SECOND


@pytest.mark.parametrize("ahead", [3 * HOUR, DAY, 400 * DAY])
def test_a_clock_that_was_ahead_costs_no_window_once_it_is_put_right(
    tmp_path: Path, ahead: int
) -> None:
    node = LiveNode(tmp_path, Scripted())
    each_second(node, 90)
    node.ahead = ahead
    each_second(node, 30)
    node.ahead = 0
    each_second(node, 121)
    # The minute of the jump has its first half only: what the clock spoilt is refused, not kept.
    assert node.windows("1m") == {
        START: 60,
        START + MINUTE: 30,
        START + 2 * MINUTE: 60,
        START + 3 * MINUTE: 60,
    }
    assert node.rejected == {"future": 30}


def test_one_time_from_the_far_future_costs_that_reading_alone(tmp_path: Path) -> None:
    node = LiveNode(tmp_path, Scripted())
    each_second(node, 30)
    node.driver.give = lambda now: [
        Reading("s", "p", now, 1.0),
        Reading("s", "p", now + 30 * DAY, 1.0),
        Reading("s", "p", now + 1, 1.0),
    ]
    node.step()
    node.now += SECOND
    each_second(node, 90)
    assert node.windows("1m") == {START: 61, START + MINUTE: 60}
    assert node.rejected == {"future": 1}


def test_what_the_stream_may_have_believed_is_not_contradicted(tmp_path: Path) -> None:
    """Readings an hour ahead were taken: until the clock gets there, all is late, none is lost."""
    node = LiveNode(tmp_path, Scripted())
    node.ahead = 50 * MINUTE
    each_second(node, 10)
    node.ahead = 0
    each_second(node, 10)
    assert node.rejected == {}
    assert sum(line.startswith("observation") for line in node.lines) == 20


def test_a_mark_that_a_wrong_clock_made_is_not_contradicted_either(tmp_path: Path) -> None:
    """The stream believes marks up to two hours ahead, though it refuses such readings."""
    node = LiveNode(tmp_path, Scripted())
    each_second(node, 10)
    node.driver.give = lambda _: []
    node.ahead = 100 * MINUTE
    node.step()
    node.ahead = 0
    each_second(node, 10)
    assert node.rejected == {}
    assert sum(line.startswith("observation") for line in node.lines) == 20
