"""Roll-ups are exact whatever the order, the grouping and the restarts."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citynerve.errors import ConfigError
from stream.lane.output import Closed
from stream.rollup import BLOCK, Block, BlockKey, Index, RollupPoint, add_exactly, blocks_kept

KEY = BlockKey("centre", "speed", "1m", 0)
MINUTE = 60_000

finite = st.floats(
    allow_nan=False, allow_infinity=False, width=64, min_value=-1e300, max_value=1e300
)


def closed(start: int, mean: float = 1.0, readings: int = 1, window: str = "1m") -> Closed:
    return Closed("centre", "speed", window, start, readings, mean, mean - 1, mean + 1)


@given(st.lists(finite, max_size=40), st.randoms())
def test_the_sum_is_the_rational_one_in_any_order(values: list[float], order: object) -> None:
    shuffled = list(values)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    partials: list[float] = []
    for value in shuffled:
        assert add_exactly(partials, value)
    assert sum(map(Fraction, partials), Fraction(0)) == sum(map(Fraction, values), Fraction(0))


def test_a_sum_beyond_the_floats_is_refused_and_changes_nothing() -> None:
    partials = [1.7e308]
    assert not add_exactly(partials, 1.7e308)
    assert partials == [1.7e308]


additions = st.lists(
    st.tuples(st.integers(0, 5), finite, st.integers(1, 1000)), min_size=1, max_size=30
)


@given(additions, st.randoms(), st.integers(1, 7))
def test_order_grouping_and_restarts_change_no_point(
    items: list[tuple[int, float, int]], order: object, group: int
) -> None:
    windows = [closed(minute * MINUTE, mean, readings) for minute, mean, readings in items]
    expected = {point.start: point for point in Block(KEY).add(windows)}
    order.shuffle(windows)  # type: ignore[attr-defined]
    block = Block(KEY)
    newest: dict[int, RollupPoint] = {}
    for i in range(0, len(windows), group):
        newest |= {point.start: point for point in block.add(windows[i : i + group])}
        block = Block(KEY, block.snapshot())
    assert newest == expected


def test_a_point_is_what_its_datastreams_say() -> None:
    (point,) = Block(KEY).add([closed(0, 10.0, 3), closed(0, 20.0, 1)])
    assert point[:5] == ("centre", "speed", "1m", 0, 4)
    assert point.mean == 12.5
    assert (point.low, point.high, point.datastreams) == (9.0, 21.0, 2)
    assert point.line() == (
        "rollup,district=centre,property=speed,window=1m "
        "count=4,mean=12.5,min=9.0,max=21.0,datastreams=2 0000000"
    )


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
    assert index.route([closed(2 * span), closed(2 * span + MINUTE)]) == []
    assert index.refused == 2
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
