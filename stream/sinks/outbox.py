"""The after-commit sink of roll-ups: what depends on the order of arrival across nodes."""

from collections.abc import Callable
from typing import Final

import msgspec
from bytewax.outputs import StatefulSinkPartition

from citynerve.errors import ConfigError
from stream.rollup import RollupPoint, is_short
from stream.sinks.doubt import CarefulWriter, Writer
from stream.sinks.gate import CommitGate
from stream.sinks.single import SingleSink
from stream.sources.mqtt import Tick

PART: Final = "outbox"
_FORMAT: Final = 1

PointKey = tuple[str, str, str, int]
"""District, property, window, start."""


class _State(msgspec.Struct, array_like=True):
    version: int
    points: list[RollupPoint]
    doubts: bytes


class OutboxPartition(StatefulSinkPartition[tuple[RollupPoint, ...] | Tick, bytes]):
    """The newest state of each point, written once the epoch that made it is committed."""

    def __init__(
        self, writer: Writer, state: bytes | None, *, raw: str, main: str, doubtful: bool = False
    ) -> None:
        stored = _State(_FORMAT, [], b"") if state is None else _decode(state)
        self._writer = CarefulWriter(writer, stored.doubts, doubtful=doubtful)
        self._raw = raw
        self._main = main
        self._gate: CommitGate[PointKey, RollupPoint] = CommitGate(
            {point[:4]: point for point in stored.points}
        )

    def write_batch(self, values: list[tuple[RollupPoint, ...] | Tick]) -> None:
        """Take points of the epoch in progress; a tick lets out those of the epochs before."""
        if Tick.TICK in values:
            self._write(list(self._gate.release().values()))
            self._writer.settle()
        for points in values:
            if not isinstance(points, Tick):
                for point in points:
                    self._gate.put(point[:4], point)

    def snapshot(self) -> bytes:
        """What has not left yet, and what may have to be written again."""
        points = list(self._gate.seal().values())
        return msgspec.msgpack.encode(_State(_FORMAT, points, self._writer.state()))

    def _write(self, points: list[RollupPoint]) -> None:
        for database, short in ((self._raw, True), (self._main, False)):
            lines = [point.line() for point in points if is_short(point.window) is short]
            if lines:
                self._writer.write(database, lines)


def _decode(state: bytes) -> _State:
    decoded = msgspec.msgpack.decode(state, type=_State)
    if decoded.version != _FORMAT:
        raise ConfigError(
            f"an outbox of format {decoded.version} in the store; this version knows {_FORMAT}",
            key="store.path",
            fix="run the version of CityNerve that wrote it",
        )
    return decoded


class OutboxSink(SingleSink[tuple[RollupPoint, ...] | Tick, bytes]):
    """One partition, whose state is what waits; arguments as of ``LinesSink``."""

    def __init__(
        self, writer: Callable[[], Writer], *, raw: str, main: str, doubtful: bool = False
    ) -> None:
        def build(state: bytes | None) -> OutboxPartition:
            return OutboxPartition(writer(), state, raw=raw, main=main, doubtful=doubtful)

        super().__init__(PART, build)
