"""The direct sink: what is a function of one node's admitted batches goes to InfluxDB at once.

Written again after a crash, the same points overwrite themselves. Lines are gathered within an
epoch and are all written before it is committed.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from bytewax.outputs import StatefulSinkPartition

from stream.sinks.background import Background
from stream.sinks.database import BLOCK_LINES
from stream.sinks.doubt import CarefulWriter, Writer
from stream.sinks.single import SingleSink
from stream.sources.mqtt import Tick

PART: Final = "influx"


class Lines(NamedTuple):
    """Line protocol for the two databases."""

    raw: list[str]
    main: list[str]


class LinesPartition(StatefulSinkPartition[Lines | Tick, bytes]):
    """Gathers lines, and writes them when a block is full or the epoch is closed."""

    def __init__(self, writer: CarefulWriter, *, raw: str, main: str) -> None:
        self._writer = writer
        self._background = Background(writer)
        self._raw = raw
        self._main = main
        self._lines: dict[str, list[str]] = {raw: [], main: []}

    def write_batch(self, values: list[Lines | Tick]) -> None:
        """Take lines of the epoch in progress; blocks while the server is away.

        Ticks say nothing here, but with them every epoch ends in :meth:`snapshot`.
        """
        for lines in values:
            if not isinstance(lines, Tick):
                self._lines[self._raw] += lines.raw
                self._lines[self._main] += lines.main
        self._flush(BLOCK_LINES)

    def snapshot(self) -> bytes:
        """Write the rest: the epoch is not complete before this returns."""
        self._flush(1)
        self._background.finish()
        self._writer.settle()
        return self._writer.state()

    def _flush(self, least: int) -> None:
        for database, lines in self._lines.items():
            if len(lines) >= least:
                self._background.write(database, lines)
                self._lines[database] = []


class LinesSink(SingleSink[Lines | Tick, bytes]):
    """One partition, whose state is what may have to be written again.

    Args:
        writer: Makes the partition's writer.
        raw: Name of the database of raw observations.
        main: Name of the other one.
        doubtful: See :class:`stream.sinks.doubt.CarefulWriter`.
    """

    def __init__(
        self, writer: Callable[[], Writer], *, raw: str, main: str, doubtful: bool = False
    ) -> None:
        def build(state: bytes | None) -> LinesPartition:
            careful = CarefulWriter(writer(), state, doubtful=doubtful)
            return LinesPartition(careful, raw=raw, main=main)

        super().__init__(PART, build)
