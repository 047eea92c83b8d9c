"""What a node says of a stream that does not answer."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from citynerve.messages import About, Ack
from citynerve.mqtt import MqttConfig
from edge.batcher import Sealed
from edge.link import UNANSWERED, NodeLink
from edge.spool import Spool


class Ticks:
    now = 1_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    one = Spool.open(tmp_path / "spool.db", node="node-0", max_bytes=1 << 30)
    yield one
    one.close()


def link(spool: Spool, ticks: Ticks) -> NodeLink:
    return NodeLink(
        MqttConfig(url="mqtt://127.0.0.1:1"),
        node="node-0",
        spool=spool,
        about=About("town"),
        clock=ticks,
        rng=Random(1),
        ticks=ticks,
    )


def open_term(one: NodeLink, ticks: Ticks) -> Ack:
    ack = Ack(one.courier.terms.proposed, 0, 0, 0, 65536, 1000, "store-a", 1)
    one.courier.heard(ack, ticks())
    return ack


def test_a_hello_that_nobody_answers_is_reported(spool: Spool) -> None:
    ticks = Ticks()
    one = link(spool, ticks)
    ticks.now += UNANSWERED
    one.watch()
    assert one.problems() == []
    ticks.now += 120_000
    one.watch()
    assert one.problems() == ["the stream has committed nothing for 3 min: does it run?"]
    open_term(one, ticks)
    one.watch()
    assert one.problems() == []


def test_batches_that_nobody_commits_are_reported(spool: Spool) -> None:
    ticks = Ticks()
    one = link(spool, ticks)
    ack = open_term(one, ticks)
    one.watch()
    # Nothing to say is no problem, however long.
    ticks.now += 10 * UNANSWERED
    one.watch()
    assert one.problems() == []
    spool.append([Sealed(b"{}", {}, {})] * 2)
    ticks.now += UNANSWERED + 1
    one.watch()
    assert len(one.problems()) == 1
    one.courier.next(ticks())
    dispatch = one.courier.next(ticks())
    assert dispatch is not None
    one.courier.sent(dispatch, ticks())
    one.courier.heard(Ack(ack.term, 1, 0, 0, 65536, 1000, "store-a", 1), ticks())
    one.watch()
    assert one.problems() == []
