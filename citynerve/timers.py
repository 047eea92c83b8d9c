"""Many things that are due at some time each: whose turn it is, and how long there is to wait."""

import heapq
from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


class Timers(Generic[Key]):
    """At most one time for each key, on any clock that does not go back.

    >>> timers = Timers[str]()
    >>> timers.put("a", 3.0), timers.put("b", 1.0), timers.put("a", 2.0)
    (None, None, None)
    >>> timers.next, timers.take(1.5), timers.next, timers.take(2.0), timers.next
    (1.0, ['b'], 2.0, ['a'], None)
    """

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Key]] = []
        self._current: dict[Key, int] = {}
        self._count = 0

    def __len__(self) -> int:
        """How many keys have a time."""
        return len(self._current)

    def __contains__(self, key: Key) -> bool:
        """Whether this key has a time."""
        return key in self._current

    def put(self, key: Key, at: float) -> None:
        """It is due at this time, and at no other."""
        self._count += 1
        self._current[key] = self._count
        heapq.heappush(self._heap, (at, self._count, key))

    def drop(self, key: Key) -> None:
        """It is not due at any time."""
        self._current.pop(key, None)

    def take(self, now: float) -> list[Key]:
        """Those due by now, the longest due first; they have no time any more."""
        due = []
        while (at := self.next) is not None and at <= now:
            _, _, key = heapq.heappop(self._heap)
            del self._current[key]
            due.append(key)
        return due

    @property
    def next(self) -> float | None:
        """The earliest time; None where nothing is due at any."""
        while self._heap and self._current.get(self._heap[0][2]) != self._heap[0][1]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None
