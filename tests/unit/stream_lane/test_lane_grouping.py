"""The same payloads give the same facts and state, however grouped, and across restarts."""

import random
from collections import Counter
from itertools import pairwise

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citynerve.codec import encode
from citynerve.errors import RefusedError
from citynerve.messages import Column, Crowd, PropertyAbout, Status
from citynerve.topics import shard
from stream.anomaly import light
from stream.lane import windows
from stream.lane.lane import Lane
from stream.lane.output import LaneOutput
from stream.lane.settings import LaneSettings
from tests.unit.stream_lane.world import (
    NOW,
    SCENARIOS,
    SHARD,
    SPEED,
    T0,
    Arrival,
    Database,
    Sender,
    about,
    closings,
    greeted,
    lane,
)

SETTINGS = LaneSettings(scenarios=SCENARIOS)
NAMES = [name for i in range(200) if shard(name := f"cam-{i}") == SHARD][:3]
PROPERTIES = [SPEED, PropertyAbout("noise", "dB"), PropertyAbout("mystery", "1")]


class City:
    """Some nodes with anomalies, marks, late readings, refusals, repeats and new terms."""

    def __init__(self, seed: int, size: int) -> None:
        self.draw = random.Random(seed)
        self.senders = [Sender(name) for name in NAMES]
        self.clock = Counter[tuple[str, str, str]]()
        self.arrivals: list[Arrival] = [sender.hello(about(*PROPERTIES)) for sender in self.senders]
        while len(self.arrivals) < size:
            self.arrivals += self.some(self.draw.choice(self.senders))

    def some(self, sender: Sender) -> list[Arrival]:
        what = self.draw.random()
        if what < 0.02:
            sender.term += 1 << 32
            area = self.draw.choice(["town/north", "town/south"])
            return [sender.hello(about(*PROPERTIES, area=area))]
        if what < 0.05:
            return [self.draw.choice(self.arrivals)]
        if what < 0.07:
            status = Status(node=sender.node, online=self.draw.random() < 0.5, sent=T0)
            return [(f"city/v1/status/{sender.node}", encode(status))]
        columns = [self.column(sender.node) for _ in range(self.draw.randint(1, 5))]
        event = Crowd(id=f"e{len(self.arrivals)}", t=T0, camera="cam", zone="square", value=1.0)
        return [sender.batch(*columns, events=[event] if what > 0.95 else [])]

    def column(self, node: str) -> Column:
        sensor = self.draw.choice(["loop", "mast"])
        declared = self.draw.choice(PROPERTIES).name
        key = (node, sensor, declared)
        times = []
        for _ in range(self.draw.randint(0, 12)):
            self.clock[key] += self.draw.choice([1_000, 1_000, 3_000, 3_000_000])
            times.append(T0 + self.clock[key])
        kind = self.draw.random()
        if kind < 0.1:
            times.reverse()
        values = [self.value() for _ in times]
        mark = times[-1] + 5_000 if times and kind > 0.8 else None
        return Column(sensor, declared, times, values, wm=mark, late=0.1 < kind < 0.15)

    def value(self) -> float:
        kind = self.draw.random()
        if kind < 0.02:
            return self.draw.choice([1e9, -5.0, 290.0])
        return 50.0 if kind < 0.3 else self.draw.gauss(50, 3)


class Seen:
    """All that left a lane, without the order in which calls gave it."""

    def __init__(self) -> None:
        self.database = Database()
        self.lines: Counter[str] = Counter()
        self.others: Counter[bytes] = Counter()

    def add(self, output: LaneOutput) -> None:
        self.database.write(output)
        self.lines.update(output.lines + output.raw)
        others = output.anomalies + closings(output)
        self.others.update(msgspec.json.encode(item) for item in others)
        self.others.update({b"observations": output.observations, b"batches": output.batches})
        for reason, count in output.dropped.items():
            self.others[reason.encode()] += count


def run(
    made: Lane, arrivals: list[Arrival], cuts: list[int], *, restart: bool
) -> tuple[Seen, Lane]:
    seen = Seen()
    for begin, end in pairwise(sorted({0, len(arrivals), *cuts})):
        if restart:
            made = Lane.restore(SHARD, SETTINGS, lambda: NOW, made.snapshot())
        seen.add(made.take(arrivals[begin:end]))
    return seen, made


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    cuts=st.lists(st.integers(0, 150), max_size=150),
    restart=st.booleans(),
)
def test_grouping_and_restarts_change_nothing(seed: int, cuts: list[int], restart: bool) -> None:  # noqa: FBT001 - drawn
    arrivals = City(seed, 150).arrivals
    one, whole = run(lane(), arrivals, [], restart=False)
    other, parts = run(lane(), arrivals, cuts, restart=restart)
    assert one.database == other.database
    assert one.lines == other.lines
    assert one.others == other.others
    assert whole.table() == parts.table()
    assert whole.snapshot() == parts.snapshot()


def test_the_city_above_shows_what_it_should() -> None:
    seen, made = run(lane(), City(1, 400).arrivals, [], restart=False)
    measurements = {key[0] for key in seen.database.points}
    assert measurements == {"aggregate", "anomaly", "event", "node", "observation"}
    kinds = {dict(tags)["kind"] for name, tags, _ in seen.database.points if name == "anomaly"}
    assert {"spike", "range"} <= kinds
    assert seen.others[b"duplicate"] + seen.others[b"term"] > 0
    assert len(made.table()) == len(NAMES)


def test_a_restored_lane_knows_its_nodes() -> None:
    made, sender = greeted()
    made.take([sender.batch(Column("loop", "speed", [T0], [40.0]))])
    restored = Lane.restore(SHARD, SETTINGS, lambda: NOW, made.snapshot())
    assert restored.table() == made.table()
    output = restored.take([sender.batch(Column("loop", "speed", [T0 + 1], [40.0]))])
    assert output.observations == 1
    assert output.acks[sender.node].committed == 2


def test_an_empty_lane_has_a_snapshot() -> None:
    state = lane().snapshot()
    restored = Lane.restore(SHARD, SETTINGS, lambda: NOW, state)
    assert restored.snapshot() == state
    assert restored.take([Sender().hello()]).acks


def test_a_snapshot_is_a_copy() -> None:
    made, sender = greeted()
    state = made.snapshot()
    kept = bytes(bytearray(state))
    made.take([sender.batch(Column("loop", "speed", [T0], [40.0]))])
    assert state == kept
    assert made.snapshot() != kept


def test_other_states_are_refused() -> None:
    state = lane().snapshot()
    with pytest.raises(RefusedError, match="shard 4, not 5"):
        Lane.restore("5", SETTINGS, lambda: NOW, state)
    later = msgspec.msgpack.decode(state)
    later["version"] = 99
    with pytest.raises(RefusedError, match="version 99"):
        Lane.restore(SHARD, SETTINGS, lambda: NOW, msgspec.msgpack.encode(later))
    for garbage in (b"", b"\x00", b"{}", msgspec.msgpack.encode({"version": 1})):
        with pytest.raises(RefusedError):
            Lane.restore(SHARD, SETTINGS, lambda: NOW, garbage)


def test_a_state_holds_at_most_560_bytes_a_datastream() -> None:
    declared = [PropertyAbout(f"p{i}", "1") for i in range(1000)]
    made, _ = greeted(about(*declared))
    frozen = msgspec.msgpack.decode(made.snapshot())
    assert len(frozen["detectors"]["detectors"]) <= 400 * 2000
    assert len(frozen["windows"]) + len(frozen["detectors"]["detectors"]) <= 560 * 2000


@pytest.mark.parametrize("record", [windows.STATE, light.STATE])
def test_records_have_no_gaps_whose_bytes_would_be_anything(record: np.dtype[np.void]) -> None:
    sizes = [record[name].itemsize for name in record.names or ()]
    assert sum(sizes) == record.itemsize
