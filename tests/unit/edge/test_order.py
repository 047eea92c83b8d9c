import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citynerve.messages import Crossing, Evidence
from edge.order import MAX_PICTURE, REMEMBERED, Counts, Late, Order, Released
from edge.sensor.driver import Item, Mark, Reading

KEY = ("s", "p")


def reading(t: int, value: float = 1.0) -> Reading:
    return Reading("s", "p", t, value)


def times(released: list[Released]) -> list[int]:
    return [item.t for item in released if isinstance(item, Reading)]


def late_times(released: list[Released]) -> list[int]:
    return [item.reading.t for item in released if isinstance(item, Late)]


def test_in_time_readings_leave_sorted_and_once() -> None:
    order = Order({KEY: 100})
    out = order.take([reading(t) for t in (50, 10, 30, 10, 120, 40, 300)])
    # 300 lets all up to 200 leave; 10 came twice within the lateness.
    assert times(out) == [10, 30, 40, 50, 120]
    assert times(order.flush()) == [300]
    assert order.counts() == {KEY: Counts(read=7, repeated=1, late=0)}


def test_of_equal_times_with_different_values_the_first_counts() -> None:
    order = Order({KEY: 100})
    order.take([reading(10, 1.0), reading(10, 2.0)])
    assert order.flush() == [reading(10, 1.0)]
    assert order.counts()[KEY] == Counts(read=2, repeated=1, late=0)


def test_a_repeat_of_a_time_that_has_left_is_a_repeat_not_late() -> None:
    order = Order({KEY: 0})
    out = order.take([reading(10), reading(20), reading(10), reading(20, 9.0)])
    assert times(out) == [10, 20]
    assert late_times(out) == []
    assert order.counts()[KEY] == Counts(read=4, repeated=2, late=0)


def test_an_unknown_time_before_what_has_left_is_late_once() -> None:
    order = Order({KEY: 0})
    out = order.take([reading(10), reading(20), reading(15), reading(15)])
    assert times(out) == [10, 20]
    assert late_times(out) == [15]
    assert order.counts()[KEY] == Counts(read=4, repeated=1, late=1)


def test_a_repeat_that_is_no_longer_remembered_counts_as_late() -> None:
    order = Order({KEY: 0})
    order.take([reading(t) for t in range(3 * REMEMBERED)])
    out = order.take([reading(0), reading(3 * REMEMBERED - 2)])
    assert late_times(out) == [0]
    assert order.counts()[KEY].repeated == 1


def test_a_reading_beyond_its_lateness_is_in_time_while_nothing_newer_has_left() -> None:
    order = Order({KEY: 10})
    out = order.take([reading(100), reading(105), reading(50)])
    assert times(out) == [50]
    assert order.counts()[KEY].late == 0


def test_a_mark_releases_what_is_due_and_leaves_after_it() -> None:
    order = Order({KEY: 1_000})
    out = order.take([reading(30), reading(10), Mark("s", "p", 20), reading(20), reading(21)])
    assert out[:2] == [reading(10), Mark("s", "p", 20)]
    assert late_times(out) == [20]
    assert times(order.flush()) == [21, 30]


def test_a_mark_that_says_nothing_new_does_not_leave() -> None:
    order = Order({KEY: 0})
    assert order.take([reading(30), Mark("s", "p", 30), Mark("s", "p", 10)]) == [reading(30)]


def test_the_clock_releases_what_a_silent_live_sensor_gave() -> None:
    order = Order({KEY: 1_000})
    assert order.take([reading(10_000)]) == []
    assert order.advance(15_999, grace=5_000, silence=30_000) == []
    assert order.advance(16_000, grace=5_000, silence=30_000) == [reading(10_000)]
    assert order.advance(45_999, grace=5_000, silence=30_000) == []
    assert order.advance(46_000, grace=5_000, silence=30_000) == [Mark("s", "p", 40_000)]
    assert late_times(order.take([reading(40_000)])) == [40_000]


def test_the_clock_marks_no_datastream_that_never_gave_a_reading() -> None:
    assert Order({KEY: 0}).advance(10**12, grace=0, silence=0) == []


def test_late_readings_alone_fill_no_memory() -> None:
    order = Order({KEY: 0})
    order.take([reading(10**6), *map(reading, range(3 * REMEMBERED))])
    out = order.take(map(reading, range(3 * REMEMBERED)))
    assert len(late_times(out)) >= REMEMBERED
    assert order.counts()[KEY].repeated <= 2 * REMEMBERED


def test_a_floor_from_before_makes_older_readings_late() -> None:
    order = Order({KEY: 0}, floors={KEY: 100}, counts={KEY: Counts(5, 1, 0)})
    out = order.take([reading(100), reading(101)])
    assert (late_times(out), times(out)) == ([100], [101])
    assert order.counts()[KEY] == Counts(7, 1, 1)


@pytest.mark.parametrize(
    "item",
    [
        reading(10, math.nan),
        reading(10, math.inf),
        reading(10**14),
        reading(2.5),  # type: ignore[arg-type]
        reading(-1),
        Reading("s", "unknown", 10, 1.0),
        Reading("s", "p", 10, 1.0, 3),
        Reading("s", "p", 10, 1.0, None),  # type: ignore[arg-type]
        Reading("s", "p", 10, 1.0, quality=True),
        Reading("s", "p", 10, 1.0, 1.5),  # type: ignore[arg-type]
        Mark("unknown", "p", 10),
        Mark("s", "p", 2.5),  # type: ignore[arg-type]
        Crossing(id="x" * 65, t=1, camera="c", line="l", cls="car", direction="in", track=1),
        Evidence(id="not a name", t=1, camera="c", jpeg=b""),
        Evidence(id="big", t=1, camera="c", jpeg=bytes(MAX_PICTURE + 1)),
    ],
)
def test_what_the_stream_would_refuse_is_dropped_and_counted(item: Item) -> None:
    order = Order({KEY: 0})
    assert order.take([item]) == []
    assert order.dropped == 1


def test_memory_is_bounded_by_releasing_the_oldest_early() -> None:
    order = Order({KEY: 10**9}, max_held=3)
    out = order.take([reading(t) for t in (5, 1, 4, 2, 9, 0)])
    assert order.held == 3
    assert order.squeezed == 2
    assert times(out) == [1, 2]
    assert late_times(out) == [0]


SERIES = st.sampled_from(["a", "b"])
QUALITIES = st.integers(0, 2)
ITEMS = st.lists(
    st.one_of(
        st.builds(Reading, SERIES, st.just("p"), st.integers(0, 60), st.floats(0, 9), QUALITIES),
        st.builds(Mark, SERIES, st.just("p"), st.integers(0, 60)),
    ),
    max_size=60,
)


@given(ITEMS, st.integers(0, 40), st.data())
def test_what_leaves_is_increasing_complete_and_independent_of_grouping(
    items: list[Item], lateness: int, data: st.DataObject
) -> None:
    keys = {("a", "p"): lateness, ("b", "p"): lateness}
    whole = Order(keys)
    expected = whole.take(items) + whole.flush()
    parts, grouped = Order(keys), []
    rest = items
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        grouped += parts.take(rest[:size])
        rest = rest[size:]
    assert grouped + parts.flush() == expected
    assert parts.counts() == whole.counts()
    for sensor in ("a", "b"):
        given_times = [one.t for one in items if isinstance(one, Reading) and one.sensor == sensor]
        out = [
            item.t
            for item in expected
            if isinstance(item, Reading | Mark) and item.sensor == sensor
        ]
        assert all(one < other for one, other in pairwise(out))
        late = [
            one.reading.t
            for one in expected
            if isinstance(one, Late) and one.reading.sensor == sensor
        ]
        marked = {one.t for one in items if isinstance(one, Mark)}
        unmarked = [one.t for one in expected if isinstance(one, Reading) and one.sensor == sensor]
        assert sorted(unmarked + late) == sorted(set(given_times))
        counts = whole.counts()[sensor, "p"]
        assert counts.read == len(given_times)
        assert counts.distinct == len(set(given_times))
        assert counts.late == len(late)
        if not marked and given_times and lateness >= max(given_times) - min(given_times):
            assert not late
