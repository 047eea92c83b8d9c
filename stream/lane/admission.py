"""Terms and admission of one node: which of its batches count, and when.

Only a hello opens a term, and only a greater one; of the open term's batches only the next is
taken, or the node's oldest where it had to give up those before it. So whatever a network repeats,
reorders or delays, every batch is taken in at most once, and none that the node still holds is
passed over.
"""

from enum import Enum
from typing import Final

from stream.lane.output import AckState

NO_TERM: Final = AckState(0, 0, 0, 0, urgent=True)
"""The answer to a batch of a node that has no open term: it makes the node say hello."""


class Verdict(Enum):
    """What became of a batch. The values are the words it is counted under."""

    ADMITTED = "admitted"
    DUPLICATE = "duplicate"
    GAP = "gap"
    WRONG_TERM = "term"


class NodeTerm:
    """The stream's side of the protocol with one node.

    ``prev_term`` is the last term before the open one in which anything was admitted, and
    ``prev_committed`` how far: a node that lost the acks of its last term learns from it what it
    may delete.
    """

    __slots__ = ("committed", "prev_committed", "prev_term", "term")

    def __init__(
        self, term: int = 0, committed: int = 0, prev_term: int = 0, prev_committed: int = 0
    ) -> None:
        self.term = term
        self.committed = committed
        self.prev_term = prev_term
        self.prev_committed = prev_committed

    def hello(self, term: int) -> bool:
        """A node proposes ``term``; whether that opened it. A repeated or older one does not."""
        if term <= self.term:
            return False
        if self.committed:
            self.prev_term, self.prev_committed = self.term, self.committed
        self.term, self.committed = term, 0
        return True

    def batch(self, term: int, seq: int, oldest: int) -> Verdict:
        """A batch arrives; it counts if and only if the answer is ``ADMITTED``."""
        if term != self.term:
            return Verdict.WRONG_TERM
        if seq <= self.committed:
            return Verdict.DUPLICATE
        if seq != self.committed + 1 and seq != oldest:
            return Verdict.GAP
        self.committed = seq
        return Verdict.ADMITTED

    def state(self, *, urgent: bool) -> AckState:
        """What an ack of this moment would say."""
        return AckState(
            self.term, self.committed, self.prev_term, self.prev_committed, urgent=urgent
        )
