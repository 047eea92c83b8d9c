"""The flow's stateful steps: plain classes of the stream as Bytewax wants them.

Bytewax builds a step's logic from its stored state without telling the key, so each one opens its
class with the first item, which names it.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from bytewax.operators import StatefulBatchLogic

from citynerve.clock import Clock
from stream.block import Block, Points
from stream.lane.lane import Lane
from stream.lane.output import Closed, LaneOutput
from stream.lane.settings import LaneSettings
from stream.meters import Meters
from stream.rollup import BlockKey, Index, Route
from stream.sources.mqtt import Received, Start, Tick

QUIET: Final = timedelta(seconds=1)
"""A roll-up is told when nothing was added to its block for so long,"""

LONGEST: Final = timedelta(seconds=5)
"""or since it was first not told."""


class Taken(NamedTuple):
    """What a call of a lane gave; ``at``: when its first payload was received, ms."""

    at: int
    output: LaneOutput


class Additions(NamedTuple):
    """Windows that closed, for the roll-ups of one district."""

    district: str
    closed: list[Closed]


class LaneStep(StatefulBatchLogic[Received | Start | Tick, Taken, bytes]):
    """One shard's lane."""

    def __init__(
        self, state: bytes | None, settings: LaneSettings, clock: Clock, meters: Meters
    ) -> None:
        self._state = state
        self._settings = settings
        self._clock = clock
        self._meters = meters
        self._lane: Lane | None = None

    def on_batch(self, values: list[Received | Start | Tick]) -> tuple[Iterable[Taken], bool]:
        """Take in all that has arrived; at the start, owe every node its state."""
        taken = []
        received = []
        for value in values:
            if isinstance(value, Received):
                received.append(value)
            elif isinstance(value, Start):
                table = self._opened(value.shard).table()
                taken.append(Taken(self._clock(), LaneOutput(acks=table)))
        if received:
            output = self._opened(received[0].shard).take(
                [arrival for one in received for arrival in one.arrivals]
            )
            self._count(output)
            taken.append(Taken(received[0].at, output))
        return taken, StatefulBatchLogic.RETAIN

    def snapshot(self) -> bytes:
        """The lane's state, copied."""
        return self._state or b"" if self._lane is None else self._lane.snapshot()

    def _opened(self, shard: str) -> Lane:
        if self._lane is None:
            self._lane = (
                Lane.restore(shard, self._settings, self._clock, self._state)
                if self._state
                else Lane(shard, self._settings, self._clock)
            )
            self._state = None
        return self._lane

    def _count(self, output: LaneOutput) -> None:
        self._meters.add("lane", "batches", output.batches)
        self._meters.add("lane", "observations", output.observations)
        for reason, count in output.dropped.items():
            self._meters.add("dropped", reason, count)


class DistrictStep(StatefulBatchLogic[Additions, Route, bytes]):
    """Sorts a district's closed windows by the block that keeps their sums."""

    def __init__(self, state: bytes | None, meters: Meters) -> None:
        self._state = state
        self._meters = meters
        self._index: Index | None = None

    def on_batch(self, values: list[Additions]) -> tuple[Iterable[Route], bool]:
        """Route them."""
        if self._index is None:
            self._index = Index(values[0].district, self._state or None)
            self._state = None
        before = self._index.refused
        routes = self._index.route(closed for one in values for closed in one.closed)
        if self._index.refused != before:
            self._meters.add("rollup", "refused_old", self._index.refused - before)
        return routes, StatefulBatchLogic.RETAIN

    def snapshot(self) -> bytes:
        """Which blocks are kept."""
        return self._state or b"" if self._index is None else self._index.snapshot()


class RollupStep(StatefulBatchLogic[Route, Points, bytes]):
    """One block of sums; told when nothing was added for a while, or at the latest after a while.

    So a point is written about once, though its datastreams come one after the other: a point that
    is written often costs the server much, and InfluxDB 1.x may answer with an older one of many
    until it has compacted its files.
    """

    def __init__(self, state: bytes | None, meters: Meters) -> None:
        self._meters = meters
        self._block = Block.restored(state) if state else None
        self._state = state if self._block is None else None
        self._since: datetime | None = None
        self._due: datetime | None = None
        if self._block is not None and self._block.changed:
            self._hold()

    def on_batch(self, values: list[Route]) -> tuple[Iterable[Points], bool]:
        """Add to them; the last route ends the block."""
        if self._block is None:
            self._block = Block(BlockKey(*values[0].key), self._state or None)
            self._state = None
        before = self._block.refused
        self._block.add(records for route in values for records in route.closed)
        if self._block.refused != before:
            self._meters.add("rollup", "refused_overflow", self._block.refused - before)
        if values[-1].last:
            return self._told(), StatefulBatchLogic.DISCARD
        if self._block.changed:
            self._hold()
        return [], StatefulBatchLogic.RETAIN

    def on_notify(self) -> tuple[Iterable[Points], bool]:
        """Tell what has changed."""
        return self._told(), StatefulBatchLogic.RETAIN

    def notify_at(self) -> datetime | None:
        """When to tell it."""
        return self._due

    def snapshot(self) -> bytes:
        """The sums, and which of them are not told yet."""
        return self._state or b"" if self._block is None else self._block.snapshot()

    def _hold(self) -> None:
        now = datetime.now(UTC)
        if self._since is None:
            self._since = now
            self._meters.add("rollup", "held", 1)
        self._due = min(now + QUIET, self._since + LONGEST)

    def _told(self) -> Iterable[Points]:
        if self._since is None or self._block is None:
            return []
        # Told, but held still: the outbox counts it out once it is written.
        self._since = self._due = None
        return [self._block.tell()]
