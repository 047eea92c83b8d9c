"""Writing again what an older request may yet overwrite.

A request without an answer may still be carried out, long after it was tried again: by a server
that was busy, or by a network that held it. For most points that does no harm, since they are only
ever written in one way. But a roll-up grows and an anomaly ends, and a late request would put back
what it was before. So while such a request may be under way, what is written of these points is
remembered, and once none can be any more, each is written again as it stood last.
"""

import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import msgspec

from citynerve.errors import ConfigError

DOUBT_S: Final = 30.0
"""Seconds after which no request is still under way: three times as long as its sender waited."""

_CHANGING: Final = ("rollup,", "anomaly,")
_FORMAT: Final = 1


class Writer(Protocol):
    """Where lines go: :class:`stream.sinks.database.Database`, or nowhere in a benchmark.

    ``failures`` counts requests that may or may not have been carried out.
    """

    failures: int

    def write(self, database: str, lines: Sequence[str]) -> None:
        """Return when all are written."""
        ...


class _State(msgspec.Struct, array_like=True):
    version: int
    lines: list[tuple[str, str]]


class CarefulWriter:
    """Writes lines, and again those in doubt.

    Args:
        writer: Does the writing.
        state: What an earlier one gave as its state, or None.
        doubtful: Whether a process before this one may have left a request under way.
        monotonic: The clock, s.
    """

    def __init__(
        self,
        writer: Writer,
        state: bytes | None = None,
        *,
        doubtful: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._writer = writer
        self._monotonic = monotonic
        self._lines: dict[tuple[str, str, str], str] = {}
        self._until = monotonic() + DOUBT_S if doubtful or state else 0.0
        if state:
            for database, line in _decode(state).lines:
                self._remember(database, line)

    def write(self, database: str, lines: Sequence[str]) -> None:
        """Return when all are written."""
        failures = self._writer.failures
        self._writer.write(database, lines)
        now = self._monotonic()
        if self._writer.failures != failures:
            self._until = now + DOUBT_S
        if now < self._until or self._lines:
            for line in lines:
                if line.startswith(_CHANGING):
                    self._remember(database, line)

    def settle(self) -> None:
        """Write what was in doubt once more, if the doubt is over; to be called every epoch."""
        if not self._lines or self._monotonic() < self._until:
            return
        settled, self._lines = self._lines, {}
        for database in sorted({key[0] for key in settled}):
            self.write(database, [line for key, line in settled.items() if key[0] == database])

    def state(self) -> bytes:
        """What is in doubt, for the snapshot."""
        lines = [(key[0], line) for key, line in self._lines.items()]
        return msgspec.msgpack.encode(_State(_FORMAT, lines))

    def _remember(self, database: str, line: str) -> None:
        # A point is its measurement, tags and time; none of our tags holds a space.
        self._lines[database, line.partition(" ")[0], line.rpartition(" ")[2]] = line


def _decode(state: bytes) -> _State:
    decoded = msgspec.msgpack.decode(state, type=_State)
    if decoded.version != _FORMAT:
        raise ConfigError(
            f"lines in doubt of format {decoded.version} in the store; this version knows"
            f" {_FORMAT}",
            key="store.path",
            fix="run the version of CityNerve that wrote it",
        )
    return decoded
