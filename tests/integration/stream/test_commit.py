"""No acknowledgement precedes the durability of what it acknowledges."""

import pickle
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from bytewax.recovery import RecoveryConfig
from bytewax.run import cli_main
from paho.mqtt.client import MQTTMessageInfo

from citynerve.clock import now_ms
from citynerve.codec import decode, encode
from citynerve.messages import Ack, Batch, Column, Hello, HelloMessage
from citynerve.mqtt import LinkCounters
from citynerve.topics import SHARDS, Topics, shard
from stream import store
from stream.flow import Ends, build
from stream.lane.lane import Lane
from stream.lane.settings import LaneSettings
from stream.meters import Meters
from stream.scenario import load_scenarios
from stream.sinks.acks import AckPartition, AckRules, AckSink
from stream.sinks.events import EventPartition, EventSink
from stream.sinks.evidence import EvidencePartition, EvidenceSink
from stream.sinks.lines import LinesSink
from stream.sinks.outbox import OutboxSink
from stream.sinks.rejections import RejectedPartition, RejectedSink, Rejections
from stream.sources.mqtt import Item, Received, Start, Tick
from tests.integration.stream.scripted import T0, about
from tests.waiting import PATIENCE_S

NODES = tuple(f"node-{i}" for i in range(40))
TERM = 1 << 32
ACKS = 1000
SETTINGS = LaneSettings(scenarios=load_scenarios())


class Durable:
    """What a restart would find, read from the recovery store beside the running flow."""

    def __init__(self, recovery: Path) -> None:
        self._database = sqlite3.connect(
            f"file:{recovery / 'part-0.sqlite3'}?mode=ro", uri=True, check_same_thread=False
        )

    def committed(self, node: str) -> int:
        (execution, workers, first) = self._database.execute(
            "SELECT ex_num, worker_count, resume_epoch FROM exs ORDER BY ex_num DESC"
        ).fetchone()
        frontiers = dict.fromkeys(range(workers), first)
        frontiers |= dict(
            self._database.execute(
                "SELECT worker_index, worker_frontier FROM fronts WHERE ex_num = ?", (execution,)
            ).fetchall()
        )
        row = self._database.execute(
            "SELECT ser_change FROM snaps WHERE step_id LIKE 'citynerve.lane%' "
            "AND state_key = ? AND snap_epoch < ? ORDER BY snap_epoch DESC LIMIT 1",
            (shard(node), min(frontiers.values())),
        ).fetchone()
        if row is None:
            return -1
        state = pickle.loads(row[0])  # noqa: S301 - written by this test's flow
        table = Lane.restore(shard(node), SETTINGS, now_ms, state).table()
        return table[node].committed if node in table else -1


class CheckingPublisher:
    """Compares each ack, at the moment it leaves, with the store."""

    def __init__(self, durable: Durable) -> None:
        self.counters = LinkCounters(connects=1)
        self.early: list[tuple[str, int, int]] = []
        self.published = 0
        self._durable = durable

    def publish(
        self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False
    ) -> MQTTMessageInfo | None:
        del qos, retain
        node = topic.rpartition("/")[2]
        ack = decode(payload, Ack)
        self.published += 1
        durable = self._durable.committed(node)
        if ack.committed > durable:
            self.early.append((node, ack.committed, durable))
        return None


class NodesPartition(StatefulSourcePartition[Item, None]):
    """The nodes of one shard, at a pace of its own, in the order of the real source's items."""

    def __init__(self, digit: str, enough: Callable[[], bool]) -> None:
        self._digit = digit
        self._enough = enough
        self._nodes = dict.fromkeys((n for n in NODES if shard(n) == digit), 0)
        self._draw = random.Random(digit)
        self._pause = timedelta(milliseconds=(0.2, 2, 10, 20)[int(digit, 16) % 4])
        self._closed = False
        self._started = False

    def next_batch(self) -> list[Item]:
        if self._enough():
            raise StopIteration
        items: list[Item] = []
        if self._closed:
            self._closed = False
            items.append((self._digit, Tick.TICK))
        if not self._started:
            self._started = True
            items.append((self._digit, Start(self._digit)))
        chosen = [node for node in self._nodes if self._draw.random() < 0.4]
        if chosen:
            arrivals = tuple((Topics().obs(node), self._next(node)) for node in chosen)
            items.append((self._digit, Received(self._digit, now_ms(), arrivals)))
        return items

    def next_awake(self) -> datetime:
        return datetime.now(UTC) + self._pause

    def snapshot(self) -> None:
        self._closed = True

    def _next(self, node: str) -> bytes:
        seq = self._nodes[node]
        self._nodes[node] += 1
        if seq == 0:
            return encode(HelloMessage(Hello(node, TERM, about(("x", "1")), T0)))
        column = Column(s="s0", p="x", t=[T0 + seq], v=[1.0])
        return encode(
            Batch(node=node, term=TERM, seq=seq, oldest=1, sent=T0, obs=[column], want_ack=True)
        )


class NodesSource(FixedPartitionedSource[Item, None]):
    def __init__(self, enough: Callable[[], bool]) -> None:
        self._enough = enough

    def list_parts(self) -> list[str]:
        return list(SHARDS)

    def build_part(self, step_id: str, for_part: str, resume_state: None) -> NodesPartition:
        del step_id, resume_state
        return NodesPartition(for_part, self._enough)


class Nowhere:
    failures = 0

    def write(self, database: str, lines: Sequence[str]) -> None:
        """Nothing: InfluxDB is no part of this."""


@pytest.mark.integration
@pytest.mark.parametrize("workers", [1, 2])
def test_no_ack_leaves_before_its_commit(tmp_path: Path, workers: int) -> None:
    with store.opened(tmp_path) as opened:
        meters, stopping = Meters(), threading.Event()
        publisher = CheckingPublisher(Durable(opened.recovery))
        deadline = time.monotonic() + PATIENCE_S
        rules = AckRules(store="s", start=1, delay=100, epoch=100)
        ends = Ends(
            source=NodesSource(  # type: ignore[arg-type]
                lambda: publisher.published >= ACKS or time.monotonic() > deadline
            ),
            lines=LinesSink(Nowhere, raw="raw", main="main"),
            events=EventSink(
                lambda: EventPartition(publisher, Topics(), meters=meters, stopping=stopping)
            ),
            evidence=EvidenceSink(
                lambda: EvidencePartition(opened.evidence, meters=meters, stopping=stopping)
            ),
            rejected=RejectedSink(lambda: RejectedPartition(Rejections(meters))),
            acks=AckSink(
                lambda: AckPartition(publisher, Topics(), rules, meters=meters, clock=now_ms)
            ),
            outbox=OutboxSink(Nowhere, raw="raw", main="main", meters=meters),
        )
        cli_main(  # type: ignore[no-untyped-call]
            build(ends, SETTINGS, clock=now_ms, meters=meters),
            workers_per_process=workers,
            epoch_interval=timedelta(milliseconds=100),
            recovery_config=RecoveryConfig(  # type: ignore[no-untyped-call]
                opened.recovery, timedelta(0)
            ),
        )
    assert publisher.early == []
    assert publisher.published >= ACKS
