"""When an acknowledgement leaves, and what it grants."""

from collections.abc import Mapping

import pytest
from paho.mqtt.client import MQTTMessageInfo

from citynerve.codec import decode
from citynerve.messages import Ack
from citynerve.mqtt import LinkCounters
from citynerve.topics import Topics
from stream.lane.output import AckState
from stream.meters import Meters
from stream.sinks.acks import LEAST_CREDIT, AckPartition, AckRules, Acks, credit
from stream.sources.mqtt import Tick

RULES = AckRules(store="store", start=3, delay=5_000, epoch=1_000)


class Recorder:
    """Stands where the link is: notes what is published."""

    def __init__(self) -> None:
        self.counters = LinkCounters(connects=1)
        self.sent: list[tuple[str, Ack]] = []

    def publish(
        self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False
    ) -> MQTTMessageInfo | None:
        assert (qos, retain) == (1, False)
        self.sent.append((topic, decode(payload, Ack)))
        return None

    def take(self) -> list[tuple[str, int]]:
        sent, self.sent = self.sent, []
        return [(topic.rpartition("/")[2], ack.committed) for topic, ack in sent]


class Desk:
    """A partition with a clock that the test moves, in s."""

    def __init__(self) -> None:
        self.now = 100.0
        self.link = Recorder()
        self.partition = AckPartition(
            self.link,
            Topics(),
            RULES,
            meters=Meters(),
            clock=lambda: int(self.now * 1000),
            monotonic=lambda: self.now,
        )

    def owe(self, *, tick: bool = False, **committed: int) -> None:
        self.partition.write_batch([*([Tick.TICK] if tick else []), self._acks(committed)])

    def urge(self, **committed: int) -> None:
        self.partition.write_batch([self._acks(committed, urgent=True)])

    def commit(self) -> list[tuple[str, int]]:
        self.partition.snapshot()
        self.partition.write_batch([Tick.TICK])
        return self.link.take()

    def _acks(self, committed: Mapping[str, int], *, urgent: bool = False) -> Acks:
        states = {n: AckState(7, c, 0, 0, urgent=urgent) for n, c in committed.items()}
        return Acks(int(self.now * 1000), states)


def test_nothing_leaves_at_a_tick_that_comes_with_it() -> None:
    desk = Desk()
    desk.urge(a=1)
    desk.owe(tick=True, a=2)
    assert desk.link.take() == []
    assert desk.commit() == [("a", 2)]


def test_an_epoch_in_progress_keeps_its_own() -> None:
    desk = Desk()
    desk.urge(a=1)
    desk.partition.snapshot()
    desk.urge(a=2)
    desk.partition.write_batch([Tick.TICK])
    assert desk.link.take() == [("a", 1)]
    assert desk.commit() == [("a", 2)]


def test_what_is_not_urgent_waits_from_its_first_batch_on() -> None:
    desk = Desk()
    desk.owe(a=1)
    assert desk.commit() == []
    desk.now += 4.0
    desk.owe(a=2)
    assert desk.commit() == []
    desk.now += 1.0
    assert desk.commit() == [("a", 2)]
    desk.now += 10.0
    assert desk.commit() == []


def test_an_urgent_one_takes_what_waited_with_it() -> None:
    desk = Desk()
    desk.owe(a=1, b=1)
    assert desk.commit() == []
    desk.urge(a=2)
    assert desk.commit() == [("a", 2)]
    desk.now += 5.0
    assert desk.commit() == [("b", 1)]


def test_a_new_connection_gets_the_whole_committed_table() -> None:
    desk = Desk()
    desk.urge(a=1, b=4)
    desk.commit()
    desk.owe(a=2)
    desk.link.counters.connects += 1
    desk.partition.write_batch([Tick.TICK])
    assert sorted(desk.link.take()) == [("a", 1), ("b", 4)]


def test_a_stranger_is_answered_but_not_remembered() -> None:
    desk = Desk()
    stranger = AckState(0, 0, 0, 0, urgent=True)
    desk.partition.write_batch([Acks(0, {"x": stranger})])
    assert desk.commit() == [("x", 0)]
    desk.link.counters.connects += 1
    desk.partition.write_batch([Tick.TICK])
    assert desk.link.take() == []


def test_an_ack_says_whose_it_is_and_when_to_try_again() -> None:
    desk = Desk()
    desk.urge(a=1)
    desk.partition.snapshot()
    desk.partition.write_batch([Tick.TICK])
    ((topic, ack),) = desk.link.sent
    assert topic == "city/v1/ack/d/a"
    assert (ack.term, ack.stream, ack.start) == (7, "store", 3)
    assert ack.retry == 5_000 + 3 * 1_000 + 2_000


@pytest.mark.parametrize("nodes", [0, 1, 10, 1_000, 100_000])
@pytest.mark.parametrize("lag", [0, 1_000, 60_000])
def test_credit_is_bounded_and_falls_with_nodes_and_lag(nodes: int, lag: int) -> None:
    granted = credit(nodes, lag)
    assert LEAST_CREDIT <= granted <= 4 << 20
    assert credit(nodes + 1, lag) <= granted
    assert credit(nodes, lag + 1) <= granted
