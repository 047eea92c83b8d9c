"""The source of the flow: one partition a shard, and the ticks that prove a commit."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Final, NamedTuple

from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition

from citynerve.clock import Clock
from citynerve.topics import SHARDS
from stream.sources.intake import Arrival, Intake


class Tick(Enum):
    """Proves that every epoch before this item's is complete in the whole cluster.

    That is: its sinks have written, its snapshots are on the disk.
    """

    TICK = "tick"


class Start(NamedTuple):
    """The first item of each shard's partition in a run."""

    shard: str


class Received(NamedTuple):
    """What one call found for one shard; ``at`` in ms since 1970 UTC by the stream's clock."""

    shard: str
    at: int
    arrivals: tuple[Arrival, ...]


Item = tuple[str, Received | Start | Tick]
"""Keyed by shard."""

_TICKER: Final = SHARDS[0]
"""Bytewax asks no partition for epoch N+1 before N is complete everywhere, so one suffices."""


class ShardPartition(StatefulSourcePartition[Item, None]):
    """One shard. It has no position: what was not committed, the nodes send again."""

    def __init__(self, digit: str, intake: Intake, clock: Clock) -> None:
        self._digit = digit
        self._intake = intake
        self._clock = clock
        self._started = False
        self._epoch_closed = False
        intake.open(digit)

    def next_batch(self) -> list[Item]:
        """The tick first, if an epoch was closed since the last call; then what has arrived."""
        items: list[Item] = []
        if self._epoch_closed:
            self._epoch_closed = False
            items.append((self._digit, Tick.TICK))
        if not self._started:
            self._started = True
            items.append((self._digit, Start(self._digit)))
        arrivals = self._intake.take(self._digit)
        if arrivals:
            items.append((self._digit, Received(self._digit, self._clock(), arrivals)))
        return items

    def next_awake(self) -> datetime:
        """Soon: an epoch ends only when every partition has been asked again."""
        return datetime.now(UTC) + timedelta(seconds=self._intake.pause())

    def snapshot(self) -> None:
        """Called when an epoch is closed."""
        self._epoch_closed = self._digit == _TICKER


class MqttSource(FixedPartitionedSource[Item, None]):
    """16 partitions, named as the shards; those of one process share one connection.

    Args:
        intake: Makes the process's connection; called once, when the first partition is built.
        clock: The stream's clock.
    """

    def __init__(self, intake: Callable[[], Intake], clock: Clock) -> None:
        self._make_intake = intake
        self._clock = clock
        self._intake: Intake | None = None

    def list_parts(self) -> list[str]:
        """All shards."""
        return list(SHARDS)

    def build_part(self, step_id: str, for_part: str, resume_state: None) -> ShardPartition:
        """Build one shard's partition."""
        del step_id, resume_state
        if self._intake is None:
            self._intake = self._make_intake()
        return ShardPartition(for_part, self._intake, self._clock)
