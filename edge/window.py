"""Flow control: how much a node may have on its way, and when it sends again. As in TCP.

Pure: no input or output, the clock (ms) and the dice are handed in.
"""

from collections import deque
from random import Random
from typing import Final

from edge.batcher import MAX_BATCH

FIRST_WINDOW: Final = MAX_BATCH
FIRST_RETRY: Final = 10_000
LAST_RETRY: Final = 300_000


class Window:
    """Unacknowledged bytes stay within a window that starts at one batch.

    It doubles with each ack that brings progress, up to the credit that acks grant; it falls back
    to one batch when the retry time passes without progress, when the connection was lost and when
    the stream started anew. Each time, everything unacknowledged is sent again.
    """

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._on_its_way: deque[tuple[int, int]] = deque()
        self.bytes = 0
        self._size = FIRST_WINDOW
        self._credit = FIRST_WINDOW
        self._retry = FIRST_RETRY
        self._pause = FIRST_RETRY
        self._deadline: int | None = None
        self.resent_up_to = 0
        self.collapses = 0

    @property
    def limit(self) -> int:
        """Bytes that may be unacknowledged; a single batch may be larger."""
        return min(self._size, self._credit)

    @property
    def deadline(self) -> int | None:
        """When to send again what is on its way, if there is no progress; None: nothing is."""
        return self._deadline

    @property
    def last(self) -> int | None:
        """The last id on its way; None when nothing is."""
        return self._on_its_way[-1][0] if self._on_its_way else None

    def admits(self, size: int) -> bool:
        """Whether a batch of this size may go now."""
        return not self._on_its_way or self.bytes + size <= self.limit

    def wants_ack(self, size: int) -> bool:
        """Whether a batch of this size should ask for an ack: it half fills the window."""
        return 2 * (self.bytes + size) >= self.limit

    def sent(self, batch: int, size: int, now: int) -> None:
        """A batch went out."""
        self._on_its_way.append((batch, size))
        self.bytes += size
        if self._deadline is None:
            self._arm(now)

    def granted(self, credit: int, retry: int) -> None:
        """An ack tells how much may be unacknowledged and how patient to be."""
        self._credit = credit
        if self._pause == self._retry:
            self._pause = retry
        self._retry = retry

    def progress(self, upto: int, now: int) -> None:
        """Ids up to ``upto`` are committed, and some of them were not before."""
        self._drop(upto)
        self._size = min(2 * self._size, max(self._credit, FIRST_WINDOW))
        self._pause = self._retry
        self._arm(now)

    def given_up(self, upto: int) -> None:
        """Ids up to ``upto`` will not be sent any more."""
        self._drop(upto)
        if not self._on_its_way:
            self._deadline = None

    def overdue(self, now: int) -> bool:
        """Whether to send again: the retry time has passed without progress. Doubles the time."""
        if self._deadline is None or now < self._deadline:
            return False
        self.collapse()
        self._pause = min(2 * self._pause, LAST_RETRY)
        return True

    def collapse(self) -> None:
        """Forget what is on its way and start again with one batch."""
        if self._on_its_way:
            self.collapses += 1
            self.resent_up_to = max(self.resent_up_to, self._on_its_way[-1][0])
        self._on_its_way.clear()
        self.bytes = 0
        self._size = FIRST_WINDOW
        self._deadline = None

    def hurry(self) -> None:
        """A connection or a stream has come up: start again, with patience as at first."""
        self.collapse()
        self._pause = self._retry

    def _drop(self, upto: int) -> None:
        while self._on_its_way and self._on_its_way[0][0] <= upto:
            self.bytes -= self._on_its_way.popleft()[1]

    def _arm(self, now: int) -> None:
        wait = round(self._pause * self._rng.uniform(1.0, 1.5))
        self._deadline = now + wait if self._on_its_way else None
