import random

import pytest

from edge.camera.config import LineConfig
from edge.camera.lines import Lines
from tests.unit.camera.scenes import standing

ACROSS = LineConfig(name="across", from_=(0.2, 0.5), to=(0.8, 0.5), left="up", right="down")


def passages(
    *spots: tuple[float, float], line: LineConfig = ACROSS, aspect: float = 1.0, height: float = 0.2
) -> list[tuple[str, int]]:
    """Direction and frame of what one track, seen at these spots, passes."""
    lines = Lines([line])
    found = []
    for frame, (x, y) in enumerate(spots):
        track = standing(1, frame, x, y, height=height)
        found += [(p.direction, p.t) for p in lines.observe(frame, [track], aspect)]
    return found


def test_both_directions_and_the_time_of_the_passage() -> None:
    assert passages((0.5, 0.3), (0.5, 0.45), (0.5, 0.51), (0.5, 0.7)) == [("down", 2)]
    assert passages((0.5, 0.7), (0.5, 0.49), (0.5, 0.4)) == [("up", 1)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        # One who walks from the left to the right of the picture has its lower part to the right.
        (LineConfig(name="l", from_=(0.0, 0.5), to=(1.0, 0.5)), "right"),
        (LineConfig(name="l", from_=(1.0, 0.5), to=(0.0, 0.5)), "left"),
    ],
)
def test_left_and_right_are_those_of_a_walker_on_the_line(line: LineConfig, expected: str) -> None:
    assert passages((0.5, 0.3), (0.5, 0.7), line=line) == [(expected, 1)]


def test_past_the_end_of_the_line_is_no_crossing() -> None:
    assert passages((0.9, 0.3), (0.9, 0.7)) == []
    # Around its end and over the line's other side: no crossing either, nor is the way back.
    assert passages((0.9, 0.3), (0.9, 0.7), (0.5, 0.7), (0.9, 0.7), (0.9, 0.3)) == []
    # Around the end, then through the line upwards.
    assert passages((0.9, 0.3), (0.9, 0.7), (0.5, 0.7), (0.5, 0.3)) == [("up", 3)]


def test_trembling_on_the_line_is_no_crossing() -> None:
    rng = random.Random(1)
    trembling = [(0.5, 0.5 + rng.uniform(-0.019, 0.019)) for _ in range(200)]
    assert passages((0.5, 0.3), *trembling, (0.5, 0.3)) == []
    assert len(passages((0.5, 0.3), *trembling, (0.5, 0.7))) == 1


def test_a_track_that_begins_on_the_line_has_no_side_yet() -> None:
    assert passages((0.5, 0.49), (0.5, 0.51), (0.5, 0.7)) == []


def test_each_direction_counts_once_for_a_track() -> None:
    there_and_back = [(0.5, 0.3), (0.5, 0.7)] * 3
    assert passages(*there_and_back) == [("down", 1), ("up", 2)]


def test_a_slow_walker_and_a_touch_of_the_line_itself() -> None:
    slow = [(0.5, 0.4 + 0.002 * step) for step in range(100)]
    assert [direction for direction, _ in passages(*slow)] == ["down"]
    assert passages((0.5, 0.25), (0.5, 0.5), (0.5, 0.75)) == [("down", 2)]


def test_a_diagonal_in_a_wide_picture() -> None:
    line = LineConfig(name="l", from_=(0.0, 0.0), to=(1.0, 1.0))
    # Half a height either side of the diagonal of a 2:1 picture.
    assert passages((0.5, 0.7), (0.5, 0.3), line=line, aspect=2) == [("left", 1)]


def test_tracks_are_apart_and_those_not_seen_are_passed_over() -> None:
    lines = Lines([ACROSS])
    lines.observe(0, [standing(1, 0, 0.5, 0.3), standing(2, 0, 0.4, 0.7)], 1)
    assert lines.observe(1, [standing(1, 0, 0.5, 0.9)], 1) == []
    found = lines.observe(2, [standing(1, 2, 0.5, 0.7), standing(2, 2, 0.4, 0.3)], 1)
    assert [(p.track.id, p.direction) for p in found] == [(1, "down"), (2, "up")]


def test_what_is_forgotten_begins_anew() -> None:
    lines = Lines([ACROSS])
    lines.observe(0, [standing(1, 0, 0.5, 0.3)], 1)
    lines.forget(set())
    assert lines.observe(1, [standing(1, 1, 0.5, 0.7)], 1) == []
