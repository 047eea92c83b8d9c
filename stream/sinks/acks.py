"""Acknowledgements: what a node may delete, told after the commit and not before."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from bytewax.outputs import StatefulSinkPartition

from citynerve.clock import Clock
from citynerve.codec import encode
from citynerve.messages import Ack
from citynerve.topics import Topics
from stream.lane.output import AckState
from stream.meters import Meters
from stream.sinks.gate import CommitGate
from stream.sinks.publisher import Publisher
from stream.sinks.single import SingleSink
from stream.sources.mqtt import Tick

PART: Final = "acks"

LEAST_CREDIT: Final = 64 << 10
"""Bytes that any node may have unacknowledged."""

_MOST_CREDIT: Final = 4 << 20
_ALL_CREDIT: Final = 64 << 20
_EASY_LAG: Final = 3_000


class Acks(NamedTuple):
    """What one call of a lane owes; ``at``: when the stream received it, ms since 1970 UTC."""

    at: int
    states: Mapping[str, AckState]


@dataclass(frozen=True, slots=True)
class AckRules:
    """What acks say besides what is committed. All spans in ms."""

    store: str
    start: int
    delay: int
    epoch: int

    @property
    def retry(self) -> int:
        """After how long without progress a node sends again."""
        return self.delay + 3 * self.epoch + 2_000


def credit(nodes: int, lag: int) -> int:
    """Bytes that one node may have unacknowledged.

    Args:
        nodes: How many share the stream.
        lag: From receiving to committing, ms. The whole credit falls in proportion beyond 3 s.

    >>> credit(1, 1_000), credit(100, 1_000), credit(100, 12_000), credit(10_000, 60_000)
    (4194304, 671088, 167772, 65536)
    """
    easy = min(1.0, _EASY_LAG / max(1, lag))
    return max(LEAST_CREDIT, min(_MOST_CREDIT, int(_ALL_CREDIT / max(1, nodes) * easy)))


class _Owed(NamedTuple):
    state: AckState
    received: int
    due: float


def _later(old: _Owed, new: _Owed) -> _Owed:
    urgent = old.state.urgent or new.state.urgent
    return _Owed(new.state._replace(urgent=urgent), old.received, old.due)


class AckPartition(StatefulSinkPartition[Acks | Tick, None]):
    """Every node's acknowledgement; the lanes emit the whole table again after a start."""

    def __init__(
        self,
        publisher: Publisher,
        topics: Topics,
        rules: AckRules,
        *,
        meters: Meters,
        clock: Clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._publisher = publisher
        self._topics = topics
        self._rules = rules
        self._meters = meters
        self._clock = clock
        self._monotonic = monotonic
        self._gate: CommitGate[str, _Owed] = CommitGate(merge=_later)
        self._waiting: dict[str, _Owed] = {}
        self._table: dict[str, AckState] = {}
        self._connects = publisher.counters.connects
        self._lag = 0.0

    def write_batch(self, values: list[Acks | Tick]) -> None:
        """Take what the epoch in progress owes; a tick lets out what is committed."""
        if Tick.TICK in values:
            self._meters.add("flow", "epochs")
            self._committed(self._gate.release())
        due = self._monotonic() + self._rules.delay / 1e3
        for acks in values:
            if not isinstance(acks, Tick):
                for node, state in acks.states.items():
                    self._gate.put(node, _Owed(state, acks.at, due))

    def snapshot(self) -> None:
        """Close the epoch; nothing to keep, for the lanes hold the table."""
        self._gate.seal()

    def _committed(self, owed: Mapping[str, _Owed]) -> None:
        self._measure_lag(owed)
        for node, entry in owed.items():
            if entry.state.term:
                self._table[node] = entry.state
            older = self._waiting.get(node)
            self._waiting[node] = entry if older is None else _later(older, entry)
        if self._publisher.counters.connects != self._connects:
            # The broker may have forgotten all, and with it what it had not passed on.
            self._connects = self._publisher.counters.connects
            self._publish(self._table)
        now = self._monotonic()
        ready = {n: e.state for n, e in self._waiting.items() if e.state.urgent or e.due <= now}
        for node in ready:
            del self._waiting[node]
        self._publish(ready)

    def _measure_lag(self, owed: Mapping[str, _Owed]) -> None:
        now = self._clock()
        lag = max((now - entry.received for entry in owed.values()), default=0)
        self._lag = 0.7 * self._lag + 0.3 * max(0, lag)
        self._meters.set("acks", "lag_ms", max(0, lag))

    def _publish(self, states: Mapping[str, AckState]) -> None:
        allowed = credit(len(self._table), round(self._lag))
        for node, state in states.items():
            ack = Ack(
                term=state.term,
                committed=state.committed,
                prev_term=state.prev_term,
                prev_committed=state.prev_committed,
                credit=allowed,
                retry=self._rules.retry,
                stream=self._rules.store,
                start=self._rules.start,
            )
            # Lost without a connection, or with it: the whole table goes out at the next one.
            self._publisher.publish(self._topics.ack(node), encode(ack))
        self._meters.add("acks", "published", len(states))
        self._meters.set("acks", "nodes", len(self._table))
        self._meters.set("acks", "credit", allowed)


class AckSink(SingleSink[Acks | Tick, None]):
    """One partition; ``build`` makes it. It keeps no state."""

    def __init__(self, build: Callable[[], AckPartition]) -> None:
        super().__init__(PART, lambda _: build())
