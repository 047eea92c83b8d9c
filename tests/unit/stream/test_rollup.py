"""Roll-ups are exact whatever the order, the grouping and the restarts."""

import math
from collections.abc import Sequence
from fractions import Fraction

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citynerve.errors import ConfigError
from stream.block import Block
from stream.lane.output import Closed
from stream.lane.windows import CLOSED, Records
from stream.rollup import BLOCK, BlockKey, Index, blocks_kept

KEY = BlockKey("centre", "speed", "1m", 0)
MINUTE = 60_000

finite = st.floats(
    allow_nan=False, allow_infinity=False, width=64, min_value=-1e300, max_value=1e300
)
Point = tuple[int, int, float, float, float, int]
"""Start, readings, mean, min, max, datastreams."""


def records(windows: Sequence[tuple[int, float, int]]) -> Records:
    """Windows of one datastream each, as ``(start, mean, readings)``."""
    closed = np.zeros(len(windows), CLOSED)
    for i, (start, mean, readings) in enumerate(windows):
        closed[i] = (0, 0, start, readings, mean, mean - 1, mean + 1, 0, 0)
    return closed


def closed(*starts: int, window: str = "1m") -> Closed:
    return Closed("centre", "speed", window, records([(start, 1.0, 1) for start in starts]))


def add(block: Block, windows: Sequence[tuple[int, float, int]]) -> dict[int, Point]:
    block.add([records(windows)])
    return {row[0]: row for row in block.tell().rows.tolist()}


additions = st.lists(
    st.tuples(st.integers(0, 5), finite, st.integers(1, 1000)), min_size=1, max_size=40
)


@given(additions, st.randoms(), st.integers(1, 7))
def test_a_point_is_the_rational_mean_in_any_order_grouping_and_over_restarts(
    items: list[tuple[int, float, int]], order: object, group: int
) -> None:
    expected: dict[int, Point] = {}
    for minute in {minute for minute, _, _ in items}:
        mine = [(mean, readings) for at, mean, readings in items if at == minute]
        readings = sum(readings for _, readings in mine)
        # Each datastream's part is a float; all from there on is exact, and rounded at the end.
        total = sum(Fraction(mean * readings) for mean, readings in mine)
        means = [mean for mean, _ in mine]
        start = minute * MINUTE
        figures = (float(total) / readings, min(means) - 1, max(means) + 1, len(mine))
        expected[start] = (start, readings, *figures)
    windows = [(minute * MINUTE, mean, readings) for minute, mean, readings in items]
    order.shuffle(windows)  # type: ignore[attr-defined]
    block = Block(KEY)
    newest: dict[int, Point] = {}
    for i in range(0, len(windows), group):
        newest |= add(block, windows[i : i + group])
        block = Block(KEY, block.snapshot())
    assert newest == expected


def test_parts_of_every_magnitude_find_room() -> None:
    """No two of them overlap, so that the sum needs a float for each."""
    values = [math.ldexp(1.0, 60 * i) for i in range(-16, 17)]
    block = Block(KEY)
    for value in values:
        (point,) = add(block, [(0, value, 1)]).values()
    assert point[2] == float(sum(map(Fraction, values))) / len(values)
    for value in values[1:]:
        (point,) = add(block, [(0, -value, 1)]).values()
    assert point[2] == values[0] / (2 * len(values) - 1)


def test_a_half_is_rounded_by_what_is_smaller_still() -> None:
    half = math.ldexp(1.0, -53)
    for tiny, expected in ((0.0, 1.0), (1e-30, 1 + 2 * half), (-1e-30, 1.0)):
        (point,) = add(Block(KEY), [(0, 1.0, 1), (0, half, 1), (0, tiny, 1)]).values()
        assert point[2] == expected / 3


def test_a_sum_beyond_the_floats_is_refused_and_changes_nothing() -> None:
    block = Block(KEY)
    before = add(block, [(0, 1.7e308, 1)])
    assert add(block, [(0, 1.7e308, 1)]) == {}
    assert block.refused == 1
    assert add(block, [(0, 0.0, 1)])[0] == (0, 2, 0.85e308, -1.0, before[0][4], 2)


def test_a_point_is_what_its_datastreams_say() -> None:
    block = Block(KEY)
    block.add([records([(0, 10.0, 3)]), records([(0, 20.0, 1)])])
    points = block.tell()
    assert points.rows.tolist() == [(0, 4, 12.5, 9.0, 21.0, 2)]
    (line,) = points.lines()
    assert line == (
        "rollup,district=centre,property=speed,window=1m "
        "count=4,mean=12.5,min=9.0,max=21.0,datastreams=2 0000000"
    )


def test_what_was_not_told_yet_is_told_after_a_restart() -> None:
    block = Block(KEY)
    assert not block.changed
    add(block, [(0, 1.0, 1), (MINUTE, 1.0, 1)])
    assert not block.changed
    block.add([records([(MINUTE, 3.0, 1)])])
    again = Block.restored(block.snapshot())
    assert again is not None
    assert (again.key, again.changed) == (KEY, True)
    assert again.tell().rows.tolist() == [(MINUTE, 2, 2.0, 0.0, 4.0, 2)]
    assert again.tell().rows.tolist() == []
    told = Block.restored(again.snapshot())
    assert told is not None
    assert not told.changed


def test_a_block_of_the_format_before_goes_on() -> None:
    key = BlockKey("centre", "speed", "10m", 7)
    start = 7 * BLOCK * 600_000
    # Version, then by start: readings, datastreams, least, greatest, parts of the sum.
    old = [
        1,
        {start + 600_000: [3, 2, -1.0, 5.0, [1e-30, 1.0, 1e30]], start: [1, 1, 2.0, 2.0, [2.0]]},
    ]
    state = msgspec.msgpack.encode(old)
    assert Block.restored(state) is None
    block = Block(key, state)
    found = add(block, [(start + 600_000, -1e30, 1), (start, 4.0, 1)])
    assert found == {
        start: (start, 2, 3.0, 2.0, 5.0, 2),
        start + 600_000: (start + 600_000, 4, 0.25, -1e30, 5.0, 3),
    }


def test_windows_of_several_blocks_part() -> None:
    span = BLOCK * MINUTE
    routes = Index("centre").route([closed(0, span, MINUTE, 3 * span), closed(span + MINUTE)])
    starts = {route.key.number: [one["start"].tolist() for one in route.closed] for route in routes}
    assert starts == {0: [[0, MINUTE]], 1: [[span], [span + MINUTE]], 3: [[3 * span]]}


def test_blocks_are_let_go_in_the_order_they_were_last_added_to() -> None:
    index = Index("centre")
    kept = blocks_kept("1m")
    span = BLOCK * MINUTE
    for number in range(kept):
        assert index.route([closed(number * span)])[0].key.number == number
    index.route([closed(0)])
    routes = index.route([closed(kept * span)])
    assert [(route.key.number, route.last) for route in routes] == [(kept, False), (1, True)]


def test_additions_to_a_block_let_go_are_refused_and_counted_after_a_restart_too() -> None:
    index = Index("centre")
    span = BLOCK * MINUTE
    for number in range(blocks_kept("1m") + 3):
        index.route([closed(number * span)])
    index = Index("centre", index.snapshot())
    assert index.route([closed(2 * span, 2 * span + MINUTE), closed(2 * span)]) == []
    assert index.refused == 3
    (route,) = index.route([closed(3 * span)])
    assert route.key.number == 3


def test_months_of_another_recording_do_not_push_each_other_out() -> None:
    index = Index("centre")
    half = blocks_kept("10m") // 2
    span = BLOCK * 600_000
    months = 1000 * span
    for number in range(half):
        ahead = closed(months + number * span, window="10m")
        behind = closed(number * span, window="10m")
        assert all(not route.last for route in index.route([ahead, behind]))
    assert index.refused == 0


@given(st.lists(st.integers(0, 100_000), unique=True, min_size=1, max_size=300))
def test_a_block_that_is_kept_is_never_refused(numbers: list[int]) -> None:
    index = Index("centre")
    live: dict[int, None] = {}
    for number in numbers:
        routes = index.route([closed(number * BLOCK * MINUTE)])
        for route in routes:
            if route.last:
                live.pop(route.key.number)
            else:
                live[route.key.number] = None
        for kept in list(live)[-3:]:
            again = index.route([closed(kept * BLOCK * MINUTE)])
            assert [route.key.number for route in again] == [kept]
    assert len(live) <= blocks_kept("1m")


def test_a_state_of_another_version_is_refused() -> None:
    with pytest.raises(ConfigError, match="format 99"):
        Index("centre", b"\x92\x63\x80")
    with pytest.raises(ConfigError, match="format 99"):
        Block(KEY, b"\x92\x63\x80")
