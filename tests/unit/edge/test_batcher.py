from hypothesis import given
from hypothesis import strategies as st

from citynerve import codec
from citynerve.codec import Format
from citynerve.messages import Batch, Column, Crossing, Evidence
from edge.batcher import MAX_BATCH, Batcher, Envelope, Sealed, wrap
from edge.order import Late, Released
from edge.sensor.driver import Mark, Reading

ENVELOPE = Envelope("n" * 63, (1 << 52) - 1, (1 << 52) - 1, (1 << 52) - 1, 10**13, want_ack=True)


def crossing(number: int) -> Crossing:
    return Crossing(
        id=f"e{number}", t=number, camera="c", line="l", cls="car", direction="in", track=1
    )


def opened(sealed: Sealed) -> Batch:
    batch = codec.decode_observation(wrap(sealed.body, ENVELOPE))
    assert isinstance(batch, Batch)
    return batch


def test_columns_hold_one_datastream_each_and_late_readings_apart() -> None:
    batcher = Batcher()
    late = Late(Reading("s", "p", 1, 7.0))
    items: list[Released] = [
        Reading("s", "p", 10, 1.0),
        late,
        Reading("s", "q", 11, 2, 1),
        Reading("s", "p", 12, 3.0),
        Mark("s", "p", 15),
        crossing(4),
    ]
    batcher.add("d", items, now=1_000)
    assert batcher.age(1_500) == 500
    batcher.seal()
    (sealed,) = batcher.collect()
    batch = opened(sealed)
    assert batch.obs == [
        Column("s", "p", [10], [1.0]),
        Column("s", "p", [1], [7.0], late=True),
        Column("s", "q", [11], [2.0], q=[1]),
        Column("s", "p", [12], [3.0], wm=15),
    ]
    assert batch.events == [crossing(4)]
    assert sealed.taken == {"d": 6}
    assert sealed.sent == {("s", "p"): 3, ("s", "q"): 1}
    assert batcher.age(2_000) == 0


def test_a_reading_after_a_mark_replaces_it() -> None:
    batcher = Batcher()
    batcher.add("d", [Mark("s", "p", 5), Reading("s", "p", 9, 1.0)], now=0)
    batcher.seal()
    assert opened(batcher.collect()[0]).obs == [Column("s", "p", [9], [1.0])]


def test_a_picture_travels_alone_after_what_came_before_it() -> None:
    batcher = Batcher()
    picture = Evidence(id="p1", t=5, camera="c", jpeg=b"\xff\xd8" * 100_000)
    batcher.add("d", [Reading("s", "p", 1, 1.0), picture, crossing(2)], now=0)
    batcher.seal()
    first, second, third = batcher.collect()
    assert [one.taken for one in (first, second, third)] == [{"d": 1}] * 3
    assert opened(second).evidence == [picture]
    assert opened(third).events == [crossing(2)]
    assert MAX_BATCH < len(wrap(second.body, ENVELOPE)) <= 512 * 1024


def test_the_envelope_matches_what_the_struct_itself_encodes() -> None:
    batcher = Batcher()
    batcher.add("d", [Reading("s", "p", 1, 1.5)], now=0)
    batcher.seal()
    body = batcher.collect()[0].body
    for want_ack in (False, True):
        envelope = Envelope("n", 1 << 32, 3, 2, 1234, want_ack)
        expected = Batch(
            "n", 1 << 32, 3, 2, 1234, [Column("s", "p", [1], [1.5])], want_ack=want_ack
        )
        assert codec.decode_observation(wrap(body, envelope)) == expected


READINGS = st.lists(
    st.builds(
        Reading,
        st.sampled_from(["s", "x" * 63]),
        st.sampled_from(["p", "y" * 63]),
        st.integers(-(10**13) + 1, 10**13 - 1),
        st.floats(allow_nan=False, allow_infinity=False),
        st.integers(0, 2),
    ),
    min_size=1,
    max_size=12,
)


@given(READINGS, st.sampled_from(["json", "msgpack"]), st.integers(1, 200))
def test_no_batch_exceeds_its_limit_and_nothing_is_missing(
    readings: list[Reading], form: Format, times: int
) -> None:
    batcher = Batcher(form)
    readings *= times
    batcher.add("d", readings, now=0)
    batcher.seal()
    found: dict[tuple[str, str], list[tuple[int, float, int]]] = {}
    for sealed in batcher.collect():
        assert len(wrap(sealed.body, ENVELOPE)) <= MAX_BATCH
        for column in opened(sealed).obs:
            grades = column.q or [0] * len(column.t)
            rows = zip(column.t, column.v, grades, strict=True)
            found.setdefault((column.s, column.p), []).extend(rows)
    expected: dict[tuple[str, str], list[tuple[int, float, int]]] = {}
    for sensor, prop, t, value, quality in readings:
        expected.setdefault((sensor, prop), []).append((t, value, quality))
    assert found == expected


def test_late_readings_in_any_order_make_columns_of_increasing_times() -> None:
    batcher = Batcher("json")
    times = [70, 20, 50, 20, 90]
    batcher.add("d", [Late(Reading("s", "p", t, i, i % 2)) for i, t in enumerate(times)], 0)
    batcher.seal()
    columns = [column for sealed in batcher.collect() for column in opened(sealed).obs]
    assert columns == [
        Column("s", "p", [20, 50, 70], [1.0, 2.0, 0.0], [1, 0, 0], late=True),
        Column("s", "p", [20, 90], [3.0, 4.0], [1, 0], late=True),
    ]
