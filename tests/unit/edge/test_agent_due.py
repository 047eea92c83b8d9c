"""When an agent wants its next turn, if many share a thread."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from citynerve.mqtt import MqttConfig
from edge.agent import STATUS_MS, Agent
from edge.config import NodeConfig, NodeTable, SendTable
from edge.sensor.driver import Item, Reading
from edge.spool import Spool
from tests.unit.edge.live_node import Scripted

EPOCH = 1_790_000_000_000


class Timed(Scripted):
    """Gives one reading at each of its times, and tells the next of them."""

    resumable = True

    def __init__(self, *times: int) -> None:
        super().__init__()
        self.times = list(times)
        self.polls = 0

    @property
    def finished(self) -> bool:  # type: ignore[override]
        return not self.times

    def next_due(self, now: int) -> int | None:
        assert now >= EPOCH
        return self.times[0] if self.times else None

    def poll(self, now: int, limit: int) -> Sequence[Item]:
        self.polls += 1
        due = [t for t in self.times if t <= now][:limit]
        del self.times[: len(due)]
        return [Reading("s", "p", t, 1.0) for t in due]


class Clocks:
    """The wall clock and the one that does not jump, both moved by the test."""

    now = 1_000_000

    def ticks(self) -> int:
        return self.now

    def wall(self) -> int:
        return EPOCH + self.now


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    one = Spool.open(tmp_path / "spool.db", node="node-0", max_bytes=1 << 30)
    yield one
    one.close()


def agent_of(driver: Scripted, spool: Spool, clocks: Clocks) -> Agent:
    config = NodeConfig(
        node=NodeTable(id="node-0", area="town"),
        mqtt=MqttConfig(url="mqtt://127.0.0.1:1"),
        send=SendTable(batch_ms=2_000),
    )
    agent = Agent(config, [driver], spool, clock=clocks.wall, ticks=clocks.ticks)
    settle(agent)
    return agent


def settle(agent: Agent) -> None:
    while agent.step():
        pass


def test_it_is_due_with_the_driver_s_next_reading(spool: Spool, clocks: Clocks) -> None:
    driver = Timed(clocks.wall() + 1_500, clocks.wall() + 90_000)
    agent = agent_of(driver, spool, clocks)
    assert agent.due() == clocks.now + 1_500


def test_what_is_collected_is_due_when_its_batch_is_old_enough(
    spool: Spool, clocks: Clocks
) -> None:
    driver = Timed(clocks.wall(), clocks.wall() + 90_000)
    agent = agent_of(driver, spool, clocks)
    assert agent.due() == clocks.now + 2_000
    clocks.now += 2_000
    assert spool.batches == 0
    settle(agent)
    assert spool.batches == 1
    assert agent.due() > clocks.now


def test_with_nothing_else_to_do_it_is_due_for_its_status(spool: Spool, clocks: Clocks) -> None:
    driver = Timed(clocks.wall() + 90_000)
    agent = agent_of(driver, spool, clocks)
    began = clocks.now
    polls = driver.polls
    clocks.now = agent.due()
    # Before that, it complains once that there is no broker.
    assert began < clocks.now <= began + STATUS_MS
    settle(agent)
    assert driver.polls <= polls + 2


def test_what_is_behind_the_clock_is_due_as_far_back(spool: Spool, clocks: Clocks) -> None:
    times = [clocks.wall() - 50_000 + i for i in range(10)]
    driver = Timed(*times, clocks.wall() + 90_000)
    agent = agent_of(driver, spool, clocks)
    driver.times = [clocks.wall() - 20_000, clocks.wall() + 90_000]
    assert agent.due() == clocks.now - 20_000


def test_a_driver_that_tells_nothing_is_asked_once_a_second(spool: Spool, clocks: Clocks) -> None:
    agent = agent_of(Scripted(), spool, clocks)
    assert agent.due() == clocks.now + 1_000


def test_an_ended_input_is_not_asked_again(spool: Spool, clocks: Clocks) -> None:
    driver = Timed(clocks.wall())
    agent = agent_of(driver, spool, clocks)
    assert agent.ended
    assert not agent.done
    assert spool.batches == 1
    polls = driver.polls
    for _ in range(3):
        clocks.now = agent.due()
        settle(agent)
    assert driver.polls == polls
    spool.free(1)
    settle(agent)
    assert agent.done
