"""Writing beside the flow: the server works on one block while the flow makes the next."""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from stream.sinks.doubt import CarefulWriter

_MOST: Final = 2
"""Writes handed over and not done yet; more would only hold more memory."""


class Background:
    """Hands writes to a thread of its own, which does them one by one, in order.

    Args:
        writer: Does the writing; nobody else may use it before :meth:`finish` has returned.
    """

    def __init__(self, writer: CarefulWriter) -> None:
        self._writer = writer
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="influx")
        self._under_way: deque[Future[None]] = deque()

    def write(
        self, database: str, lines: Sequence[str], done: Callable[[], None] = lambda: None
    ) -> None:
        """Hand over lines, which must not change any more; waits while others wait already.

        Args:
            database: Where they go.
            lines: Line protocol.
            done: Called by the thread when they are written.

        Raises:
            Exception: Whatever an earlier write ended with.
        """
        while len(self._under_way) >= _MOST:
            self._under_way.popleft().result()
        self._under_way.append(self._thread.submit(self._write, database, lines, done))

    def finish(self) -> None:
        """Return when all that was handed over is written.

        Raises:
            Exception: Whatever a write ended with.
        """
        while self._under_way:
            self._under_way.popleft().result()

    def _write(self, database: str, lines: Sequence[str], done: Callable[[], None]) -> None:
        self._writer.write(database, lines)
        done()
