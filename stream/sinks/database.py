"""Writing to InfluxDB until it is written: in blocks, held back by trouble, no point lost."""

import random
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from citynerve import log
from citynerve.errors import UnavailableError
from citynerve.influx import Influx, WriteRejected
from stream.meters import Meters

BLOCK_LINES: Final = 5000
"""Lines in one request."""

_RETRY: Final = (0.2, 5.0)
_SAY_EVERY: Final = 10.0

_log = log.get("influx")

Refused = Callable[[str, str], None]
"""Told of each line that the server will never take, with the server's words."""


class Stopped(Exception):  # noqa: N818 - no error: the process ends
    """The process ends while a write waits for its server."""


class Database:
    """Synchronous, patient writes of one thread at a time.

    Args:
        connect: Makes a connection; called again after each failure to make one.
        refused: What to do with a line that the server refuses for good.
        meters: Counts into part ``influx``.
        stopping: Ends a write that waits; what it should have written is not committed.
    """

    def __init__(
        self,
        connect: Callable[[], Influx],
        *,
        refused: Refused,
        meters: Meters,
        stopping: threading.Event,
    ) -> None:
        self._connect = connect
        self._refused = refused
        self._meters = meters
        self._stopping = stopping
        self._influx: Influx | None = None
        self.failures = 0
        """Requests without an answer: whether they were carried out is not known."""

    def write(self, database: str, lines: Sequence[str]) -> None:
        """Write all lines, however long it takes.

        Raises:
            Stopped: The process ends.
            ConfigError: The server no longer accepts our credentials.
        """
        for start in range(0, len(lines), BLOCK_LINES):
            self._write_block(database, lines[start : start + BLOCK_LINES])

    def _write_block(self, database: str, lines: Sequence[str]) -> None:
        try:
            self._insist(database, lines)
        except WriteRejected as rejected:
            self._isolate(database, lines, rejected)

    def _isolate(self, database: str, lines: Sequence[str], rejected: WriteRejected) -> None:
        """Find the lines that the server refuses; all others are written.

        Which of the others it stored already is not known: equal points overwrite each other.
        """
        refused = set(rejected.refused) if len(lines) > 1 else {0}
        if rejected.too_old or len(lines) == 1:
            # A node with a wrong clock may send nothing else: these are not tried one by one.
            self._give_up(refused, lines, rejected.message)
        elif len(refused) in {0, len(lines)}:
            self._halve(database, lines)
            return
        else:
            for i in sorted(refused):
                self._write_block(database, [lines[i]])
        rest = [line for i, line in enumerate(lines) if i not in refused]
        if rest:
            self._write_block(database, rest)

    def _give_up(self, refused: set[int], lines: Sequence[str], message: str) -> None:
        self._meters.add("influx", "refused", len(refused))
        for i in sorted(refused):
            self._refused(lines[i], message)

    def _halve(self, database: str, lines: Sequence[str]) -> None:
        middle = len(lines) // 2
        self._write_block(database, lines[:middle])
        self._write_block(database, lines[middle:])

    def _insist(self, database: str, lines: Sequence[str]) -> None:
        pause, began, said = _RETRY[0], time.monotonic(), 0.0
        while True:
            try:
                self._write_once(database, lines)
            except UnavailableError as error:
                self.failures += 1
                self._meters.add("influx", "retries")
                now = time.monotonic()
                if now - said >= _SAY_EVERY:
                    said = now
                    _log.warning("waiting for InfluxDB", where=error.where, problem=error.problem)
            else:
                if said:
                    waited = round(time.monotonic() - began, 1)
                    _log.info("InfluxDB is back", waited_s=waited)
                return
            if self._stopping.wait(pause * random.SystemRandom().uniform(0.5, 1.5)):
                raise Stopped
            pause = min(pause * 2, _RETRY[1])

    def _write_once(self, database: str, lines: Sequence[str]) -> None:
        if self._influx is None:
            self._influx = self._connect()
        began = time.perf_counter()
        self._influx.write(database, lines)
        self._meters.add("influx", "lines", len(lines))
        self._meters.add("influx", "writes")
        self._meters.set("influx", "latency_ms", (time.perf_counter() - began) * 1e3)
