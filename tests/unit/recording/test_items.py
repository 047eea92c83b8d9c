"""What is played later, and in other batches, comes to what it came to when it was recorded."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from citynerve.codec import encode
from citynerve.messages import Batch, Column, Crossing, Event, Evidence
from citynerve.topics import shard
from edge.batcher import Batcher, Envelope, wrap
from edge.order import Late
from edge.sensor.driver import Mark, Reading
from simulators.recording.items import Items, Turn
from stream.lane.lane import Lane
from stream.lane.settings import LaneSettings
from stream.scenario import Scenarios, load_scenarios
from tests.unit.recording.samples import NODE, T0, TERM, TOPICS, about, batch, hello

SCENARIOS: Final[Scenarios] = load_scenarios()
DECLARED: Final = about("a", "b")
MUCH_LATER: Final = T0 + 30 * 86_400_000

moments = st.one_of(
    st.integers(0, 60).map(lambda n: T0 + 1_000 * n),
    st.sampled_from([-5, T0 + 3_599_000, T0 + 3_700_000, T0 + 9_000_000, 1 << 60]),
)
values = st.one_of(st.floats(-100, 100), st.sampled_from([math.nan, math.inf, 1e300]))


@st.composite
def columns(draw: st.DrawFn) -> Column:
    """One that may break any rule."""
    times = draw(st.lists(moments, max_size=5, unique=True))
    if draw(st.integers(0, 5)):
        times.sort()
    numbers = draw(st.lists(values, min_size=len(times), max_size=len(times)))
    grades = draw(st.sampled_from([None, 0, 1, 2, 3]))
    return Column(
        "s",
        draw(st.sampled_from(["a", "a", "b", "undeclared"])),
        times,
        numbers[: draw(st.sampled_from([None, None, None, -1]))],
        None if grades is None else [grades] * len(times),
        draw(st.one_of(st.none(), moments)),
        draw(st.booleans()),
    )


crossings = st.builds(
    lambda number, t: Crossing(
        id=f"c{number}", t=t, camera="gate", line="in", cls="car", direction="left", track=number
    ),
    st.integers(0, 99),
    moments.filter(lambda t: t >= 0),
)
contents = st.lists(
    st.tuples(st.lists(columns(), max_size=4), st.lists(crossings, max_size=2)), max_size=12
)


class Clock:
    def __init__(self) -> None:
        self.now = T0

    def __call__(self) -> int:
        return self.now


def lines(payloads: Sequence[tuple[int, bytes]]) -> list[str]:
    """What a lane makes of payloads that arrive at these times."""
    clock = Clock()
    lane = Lane(shard(NODE), LaneSettings(scenarios=SCENARIOS, topics=TOPICS, raw="all"), clock)
    found = []
    for at, payload in [(T0, hello(described=DECLARED)), *payloads]:
        clock.now = at
        out = lane.take([(TOPICS.obs(NODE), payload)])
        found += out.raw + out.lines
    return sorted(found)


def again(batches: Sequence[Batch], turn: Turn, room: int) -> list[bytes]:
    """The batches as they are played."""
    items = Items(lambda _: True, "", Counter())
    items.begin(turn)
    items.describe(DECLARED)
    batcher = Batcher("msgpack", max_bytes=room)
    for number, one in enumerate(batches):
        batcher.add("recording", items.of(one, T0 + 1_000 * number), 0)
    batcher.seal()
    return [
        wrap(sealed.body, Envelope(NODE, TERM, seq, 1, MUCH_LATER, want_ack=False))
        for seq, sealed in enumerate(batcher.collect(), 1)
    ]


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60)
@given(contents, st.sampled_from([16 << 10, 700]))
def test_a_replay_makes_the_points_that_the_run_made(
    given_: list[tuple[list[Column], list[Crossing]]], room: int
) -> None:
    batches = [batch(seq, obs, events=events) for seq, (obs, events) in enumerate(given_, 1)]
    for one, (obs, _) in zip(batches, given_, strict=True):
        one.obs = obs
    run = lines([(T0 + 1_000 * n, encode(one, "msgpack")) for n, one in enumerate(batches)])
    played = again(batches, Turn(), room)
    assert lines([(MUCH_LATER, payload) for payload in played]) == run


def test_times_and_ids_move_together_and_marks_stay_within_a_turn() -> None:
    passed = Crossing(
        id="c1", t=T0 + 5, camera="gate", line="in", cls="car", direction="left", track=1
    )
    picture = Evidence("p1", T0 + 6, "gate", b"jpeg")
    column = Column("s", "a", [T0 + 1], [2.5], [1], wm=T0 + 3_600_000)
    late = Column("s", "a", [T0 - 9], [1.0], late=True)
    one = batch(1, [column, late], events=[passed], evidence=[picture])
    items = Items(lambda _: True, "lab-", Counter())
    items.begin(Turn(2, 1_000, T0 + 20))
    items.describe(DECLARED)
    found = list(items.of(one, T0))
    assert found[:3] == [
        Reading("s", "a", T0 + 1_001, 2.5, 1),
        Mark("s", "a", T0 + 1_020),
        Late(Reading("s", "a", T0 + 991, 1.0)),
    ]
    ids = [item.id for item in found if isinstance(item, Crossing | Evidence)]
    assert ids == ["lab-c1-turn2", "lab-p1-turn2"]
    times = [item.t for item in found if isinstance(item, Crossing | Evidence)]
    assert times == [T0 + 1_005, T0 + 1_006]


@given(st.text("abc-_0", min_size=1, max_size=64), st.text("abc-", max_size=63))
def test_ids_stay_ids(identity: str, prefix: str) -> None:
    event: Event = Crossing(
        id=identity, t=T0, camera="gate", line="in", cls="car", direction="left", track=1
    )
    items = Items(lambda _: True, prefix, Counter())
    (moved,) = items.of(Batch(NODE, TERM, 1, 1, T0, events=[event]), T0)
    assert isinstance(moved, Crossing)
    assert len(moved.id) <= 64
    assert moved.id == prefix + identity or len(prefix + identity) > 64


def test_only_what_is_wanted_is_played() -> None:
    counts: Counter[str] = Counter()
    items = Items(lambda name: name in {"b", "dwell"}, "", counts)
    items.describe(DECLARED)
    passed = Crossing(id="c", t=T0, camera="gate", line="in", cls="car", direction="l", track=1)
    obs = [Column("s", "a", [T0], [1.0]), Column("s", "b", [T0], [2.0])]
    assert list(items.of(batch(1, obs, events=[passed]), T0)) == [Reading("s", "b", T0, 2.0)]
    assert not counts
