"""The after-commit sink of roll-ups: what depends on the order of arrival across nodes."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, NamedTuple

import msgspec
import numpy as np
from bytewax.outputs import StatefulSinkPartition

from citynerve.errors import ConfigError
from stream.block import Points
from stream.lane.windows import Records
from stream.meters import Meters
from stream.rollup import BLOCK, BlockKey, is_short
from stream.scenario import WINDOWS
from stream.sinks.background import Background
from stream.sinks.doubt import CarefulWriter, Writer
from stream.sinks.gate import CommitGate
from stream.sinks.single import SingleSink
from stream.sources.mqtt import Tick
from stream.sums import POINT

PART: Final = "outbox"
_FORMAT: Final = 2
_FORMAT_OF_OBJECTS: Final = 1


class _Version(msgspec.Struct, array_like=True):
    version: int


class _State(msgspec.Struct, array_like=True):
    version: int
    points: list[tuple[str, bytes]]
    doubts: bytes


class _OldState(msgspec.Struct, array_like=True):
    """A point's district, property, window, and then ``POINT``."""

    version: int
    points: list[tuple[str, str, str, int, int, float, float, float, int]]
    doubts: bytes


class _Held(NamedTuple):
    """``POINT`` of a block, and how many times the block has told of them."""

    rows: Records
    times: int


class OutboxPartition(StatefulSinkPartition[Points | Tick, bytes]):
    """The newest state of each point, written once the epoch that made it is committed."""

    def __init__(
        self,
        writer: Writer,
        state: bytes | None,
        *,
        raw: str,
        main: str,
        meters: Meters,
        doubtful: bool = False,
    ) -> None:
        stored = _State(_FORMAT, [], b"") if state is None else _decode(state)
        self._writer = CarefulWriter(writer, stored.doubts, doubtful=doubtful)
        self._background = Background(self._writer)
        self._meters = meters
        self._raw = raw
        self._main = main
        self._gate: CommitGate[BlockKey, _Held] = CommitGate(
            {
                BlockKey.parse(key): _Held(np.frombuffer(rows, POINT), 1)
                for key, rows in stored.points
            },
            merge=_newest,
        )
        meters.add("rollup", "held", len(stored.points))

    def write_batch(self, values: list[Points | Tick]) -> None:
        """Take points of the epoch in progress; a tick lets out those of the epochs before."""
        if Tick.TICK in values:
            self._write(self._gate.release())
        for points in values:
            if not isinstance(points, Tick):
                self._gate.put(points.key, _Held(points.rows, 1))

    def snapshot(self) -> bytes:
        """What has not left yet, and what may have to be written again.

        All that has left is written: the snapshot before this one is the last to have it.
        """
        self._background.finish()
        points = [(key.text(), held.rows.tobytes()) for key, held in self._gate.seal().items()]
        self._writer.settle()
        return msgspec.msgpack.encode(_State(_FORMAT, points, self._writer.state()))

    def _write(self, released: Mapping[BlockKey, _Held]) -> None:
        for database, short in ((self._raw, True), (self._main, False)):
            mine = {key: one for key, one in released.items() if is_short(key.window) is short}
            if mine:
                lines = [
                    line for key, one in mine.items() for line in Points(key, one.rows).lines()
                ]
                times = sum(one.times for one in mine.values())
                written = partial(self._meters.add, "rollup", "held", -times)
                self._background.write(database, lines, written)


def _newest(old: _Held, new: _Held) -> _Held:
    older = old.rows[~np.isin(old.rows["start"], new.rows["start"])]
    return _Held(np.concatenate([older, new.rows]), old.times + new.times)


def _decode(state: bytes) -> _State:
    version = msgspec.msgpack.decode(state, type=_Version).version
    if version == _FORMAT_OF_OBJECTS:
        return _converted(msgspec.msgpack.decode(state, type=_OldState))
    if version != _FORMAT:
        raise ConfigError(
            f"an outbox of format {version} in the store; this version does not know it",
            key="store.path",
            fix="run the version of CityNerve that wrote it",
        )
    return msgspec.msgpack.decode(state, type=_State)


def _converted(old: _OldState) -> _State:
    blocks: defaultdict[BlockKey, list[tuple[float, ...]]] = defaultdict(list)
    for district, prop, window, *figures in old.points:
        number = int(figures[0]) // (WINDOWS[window] * BLOCK)
        blocks[BlockKey(district, prop, window, number)].append(tuple(figures))
    points = [(key.text(), np.array(rows, POINT).tobytes()) for key, rows in blocks.items()]
    return _State(_FORMAT, points, old.doubts)


class OutboxSink(SingleSink[Points | Tick, bytes]):
    """One partition, whose state is what waits; arguments as of ``LinesSink``.

    ``meters``: in part ``rollup``, what a block holds (``held``) is counted out once it is written.
    """

    def __init__(
        self,
        writer: Callable[[], Writer],
        *,
        raw: str,
        main: str,
        meters: Meters,
        doubtful: bool = False,
    ) -> None:
        def build(state: bytes | None) -> OutboxPartition:
            return OutboxPartition(
                writer(), state, raw=raw, main=main, meters=meters, doubtful=doubtful
            )

        super().__init__(PART, build)
