"""Letting nothing out before the epoch that made it is committed.

Bytewax calls a sink's ``write_batch`` and ``snapshot`` in the order of epochs. A TICK of epoch N+1
proves that all epochs up to N are complete in the whole cluster; what was sealed by ``snapshot``
is of epochs up to N. So what is sealed when a TICK comes may leave. Publishing all that is pending
at a TICK, or in ``snapshot`` itself, lets out what a crash can still undo.
"""

from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


def newest(old: V, new: V) -> V:
    """Keep the later of two."""
    del old
    return new


class CommitGate(Generic[K, V]):
    """Holds one value a key, the newer merged into the older, until its epoch is committed.

    Args:
        sealed: What came out of the store. It is durable, and leaves at the next tick.
        merge: Two values of one key, older first, into one.
    """

    def __init__(
        self,
        sealed: Mapping[K, V] | None = None,
        *,
        merge: Callable[[V, V], V] = newest,
    ) -> None:
        self._pending: dict[K, V] = {}
        self._sealed: dict[K, V] = dict(sealed or {})
        self._merge = merge

    def put(self, key: K, value: V) -> None:
        """Hold a value of the epoch in progress."""
        old = self._pending.get(key)
        self._pending[key] = value if old is None else self._merge(old, value)

    def seal(self) -> dict[K, V]:
        """The epoch in progress is closed; gives all that waits, to be part of a snapshot."""
        for key, value in self._pending.items():
            old = self._sealed.get(key)
            self._sealed[key] = value if old is None else self._merge(old, value)
        self._pending.clear()
        return dict(self._sealed)

    def release(self) -> dict[K, V]:
        """A tick has come: gives what is committed, and holds it no longer."""
        released, self._sealed = self._sealed, {}
        return released
