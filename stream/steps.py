"""The flow's stateful steps: plain classes of the stream as Bytewax wants them.

Bytewax builds a step's logic from its stored state without telling the key, so each one opens its
class with the first item, which names it.
"""

from collections.abc import Iterable
from typing import NamedTuple

from bytewax.operators import StatefulBatchLogic

from citynerve.clock import Clock
from stream.lane.lane import Lane
from stream.lane.output import Closed, LaneOutput
from stream.lane.settings import LaneSettings
from stream.meters import Meters
from stream.rollup import Block, BlockKey, Index, RollupPoint, Route
from stream.sources.mqtt import Received, Start, Tick


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
        routes = self._index.route(window for one in values for window in one.closed)
        if self._index.refused != before:
            self._meters.add("rollup", "refused_old", self._index.refused - before)
        return routes, StatefulBatchLogic.RETAIN

    def snapshot(self) -> bytes:
        """Which blocks are kept."""
        return self._state or b"" if self._index is None else self._index.snapshot()


class RollupStep(StatefulBatchLogic[Route, tuple[RollupPoint, ...], bytes]):
    """One block of sums."""

    def __init__(self, state: bytes | None, meters: Meters) -> None:
        self._state = state
        self._meters = meters
        self._block: Block | None = None

    def on_batch(self, values: list[Route]) -> tuple[Iterable[tuple[RollupPoint, ...]], bool]:
        """Add to them; the last route ends the block."""
        if self._block is None:
            self._block = Block(BlockKey(*values[0].key), self._state or None)
            self._state = None
        before = self._block.refused
        points = self._block.add(window for route in values for window in route.closed)
        if self._block.refused != before:
            self._meters.add("rollup", "refused_overflow", self._block.refused - before)
        return ([tuple(points)] if points else []), values[-1].last

    def snapshot(self) -> bytes:
        """The sums."""
        return self._state or b"" if self._block is None else self._block.snapshot()
