"""Which recorded batches of a node are played, each once, in the order in which they counted."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from citynerve.messages import Batch
from simulators.recording.ranges import Ranges
from simulators.recording.survey import Node


class Place(NamedTuple):
    """A batch's place in the recording of its node."""

    term: int
    seq: int


class Chosen(NamedTuple):
    """A batch to play, and when it arrived (ms)."""

    batch: Batch
    at: int


@dataclass(frozen=True, slots=True)
class Missing:
    """Batches of a term that do not stand in the recording: ``first`` to ``last``."""

    term: int
    first: int
    last: int


class Selection:
    """Puts a node's batches, as they are met, in order.

    A batch that was heard too early, since those before it were heard only when they were sent
    again, waits in memory.

    Args:
        node: What the survey found of it.
    """

    def __init__(self, node: Node) -> None:
        self._taken = {number: node.taken(number) for number in node.played}
        self._places = _places(self._taken)
        self._next = next(self._places, None)
        self._waiting: dict[Place, Chosen] = {}
        self.superseded = 0
        """Batches that the stream had not taken when their term ended: the next term has them."""
        self.repeats = 0

    @property
    def batches(self) -> int:
        """How many are to be played."""
        return sum(map(len, self._taken.values()))

    def missing(self) -> list[Missing]:
        """What does not stand in the recording, though batches after it do."""
        return [
            Missing(number, first, last)
            for number, seqs in self._taken.items()
            for first, last in seqs.missing()
        ]

    def offer(self, batch: Batch, at: int) -> Iterator[Chosen]:
        """A batch of the recording is met; those whose turn has come."""
        place = Place(batch.term, batch.seq)
        seqs = self._taken.get(batch.term)
        if seqs is None or batch.seq not in seqs:
            self.superseded += 1
        elif self._next is None or place < self._next or place in self._waiting:
            self.repeats += 1
        elif place != self._next:
            self._waiting[place] = Chosen(batch, at)
        else:
            yield Chosen(batch, at)
            self._next = next(self._places, None)
            while self._next is not None and self._next in self._waiting:
                yield self._waiting.pop(self._next)
                self._next = next(self._places, None)


def _places(taken: dict[int, Ranges]) -> Iterator[Place]:
    for number, seqs in taken.items():
        for seq in seqs:
            yield Place(number, seq)
