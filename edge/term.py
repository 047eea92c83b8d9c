"""Terms: which run of a node the stream listens to, and what its answers prove.

A pure state machine: no input or output, the clock and the dice are handed in. Times are ms of a
clock that never goes back. Batches are known here by their *id*, which counts on for ever in a
spool; within the open term the batch of id ``i`` has ``seq = i - base``.

The rule (a random model of it lost, doubled and stuck nothing against a hostile network):

* Only a hello opens a term, and only a term greater than the stream's. A node proposes one greater
  than any it knows, and repeats its hello until it is answered; until then it sends nothing.
* The answer tells what the stream held before. Was that our last term, what it had committed of it
  is free. Was it a greater one, our spool is an image from the past: what it held at the start may
  have been sent by the run that we forgot, so it is given up, and counted.
* An open node that hears a greater term has a clone: it stops, and asks again after ten minutes,
  doubling. One that hears a smaller term faces a stream that lost its store: it asks again.
* A node is bound to the stream that answered it first; no other's acknowledgement counts.
"""

from dataclasses import dataclass
from enum import Enum
from random import Random
from typing import Final, NamedTuple

from citynerve.messages import Ack

HELLO_FIRST: Final = 5_000
HELLO_LAST: Final = 300_000
HELLO_GAP: Final = 1_000
CLONE_FIRST: Final = 600_000
CLONE_LAST: Final = 86_400_000

_RANDOM_BITS: Final = 32
_END: Final = 1 << 52


class Phase(Enum):
    """Where a node stands towards the stream."""

    ASKING = "asking"
    OPEN = "open"
    CLONED = "cloned"


@dataclass(frozen=True, slots=True)
class Ledger:
    """What must survive a crash.

    ``labelled``: the last id that was made while ``term`` was open; None: it is open still, so all
    are. An id after it has never been sent, whatever the stream says of its seq.
    """

    term: int = 0
    base: int = 0
    labelled: int | None = None
    stream: str | None = None


class Opening(NamedTuple):
    """Our hello was answered. To be made durable, then confirmed with :meth:`Terms.opened`.

    Ids up to ``free`` are committed; of the rest, ids up to ``give_up`` must be given up.
    """

    term: int
    stream: str
    free: int
    give_up: int


class Progress(NamedTuple):
    """Ids up to ``free`` are committed."""

    free: int


class Left(NamedTuple):
    """The open term was left: batches made from now on belong to none."""

    reason: str


class Terms:
    """The state machine of one process of a node.

    Args:
        ledger: What the spool remembers. Its ``labelled`` is set: a process starts with no open
            term.
        fresh_from: The first id that this process will give; what is older was there at the start.
        now: The clock.
        rng: Draws the terms' random halves and the jitter.
    """

    def __init__(self, ledger: Ledger, *, fresh_from: int, now: int, rng: Random) -> None:
        self.term = ledger.term
        self.base = ledger.base
        self.stream = ledger.stream
        self._labelled = ledger.labelled
        self._fresh_from = fresh_from
        self._rng = rng
        self.phase = Phase.ASKING
        self.clones = 0
        self.foreign: dict[str, int] = {}
        """Acks from streams that this node is not bound to, by stream."""
        self._start: int | None = None
        self._highest_sent = 0
        self._opened_at = now
        self._resume_at = now
        self._clone_pause = 0
        self._heard = 0
        self._said_at = self._hello_at = now
        self._hello_pause = HELLO_FIRST
        self.proposed = 0
        self._propose(now)

    def renew(self, last: int, now: int) -> Left:
        """Ask for a new term: what the node tells about itself has changed.

        Args:
            last: The last id given.
            now: The clock.
        """
        if self.phase is Phase.OPEN:
            self._labelled = last
        if self.phase is not Phase.CLONED:
            self._propose(now)
        return Left("the node's description changed")

    def hello_due(self, now: int) -> int | None:
        """The term to say hello with, if it is time; counts it as said."""
        if self.phase is Phase.CLONED and now >= self._resume_at:
            self._propose(now)
        if self.phase is not Phase.ASKING or now < self._hello_at or self.exhausted:
            return None
        self._said_at = now
        self._hello_at = now + round(self._hello_pause * self._rng.uniform(1.0, 1.5))
        self._hello_pause = min(2 * self._hello_pause, HELLO_LAST)
        return self.proposed

    def due(self) -> int | None:
        """When :meth:`hello_due` will have something to say; None: an answer must come first."""
        match self.phase:
            case Phase.CLONED:
                return self._resume_at
            case Phase.ASKING:
                return None if self.exhausted else self._hello_at
            case Phase.OPEN:
                return None

    def hurry(self, now: int) -> None:
        """A connection or a stream has come up: say hello soon, though not all nodes at once."""
        self._hello_pause = HELLO_FIRST
        soon = max(now, self._said_at + HELLO_GAP) + self._rng.randrange(HELLO_GAP // 2)
        self._hello_at = min(self._hello_at, soon)

    def sent(self, batch: int) -> None:
        """The batch of this id was handed to the connection."""
        self._highest_sent = max(self._highest_sent, batch)

    def started_anew(self, ack: Ack) -> bool:
        """Whether this is the first ack of a new run of our stream (True for the very first)."""
        if self._is_foreign(ack) or ack.start == self._start:
            return False
        self._start = ack.start
        return True

    def heard(self, ack: Ack, last: int, now: int) -> Opening | Progress | Left | None:
        """What an acknowledgement means.

        Args:
            ack: It.
            last: The last id given so far.
            now: The clock.
        """
        if self._is_foreign(ack):
            self.foreign[ack.stream] = self.foreign.get(ack.stream, 0) + 1
            return None
        self._heard = max(self._heard, ack.term)
        match self.phase:
            case Phase.ASKING:
                return self._heard_asking(ack, now)
            case Phase.OPEN:
                return self._heard_open(ack, last, now)
            case Phase.CLONED:
                return None

    def opened(self, opening: Opening, base: int, now: int) -> None:
        """The opening is durable: ids after ``base`` count from seq 1 in the new term."""
        self.term = opening.term
        self.stream = opening.stream
        self.base = base
        self._labelled = None
        self._highest_sent = base
        self._opened_at = now
        self.phase = Phase.OPEN

    def ledger(self) -> Ledger:
        """What must be durable now."""
        return Ledger(self.term, self.base, self._labelled, self.stream)

    @property
    def exhausted(self) -> bool:
        """Whether no greater term is left: a million starts, or an ack that nobody should send."""
        return self.proposed >= _END

    def resumes_in(self, now: int) -> int:
        """How long (ms) a cloned node still waits; 0 for any other."""
        return max(0, self._resume_at - now) if self.phase is Phase.CLONED else 0

    def _is_foreign(self, ack: Ack) -> bool:
        return self.stream is not None and ack.stream != self.stream

    def _propose(self, now: int) -> None:
        above = max(self.term, self.proposed, self._heard) >> _RANDOM_BITS
        self.proposed = (above + 1) << _RANDOM_BITS | self._rng.getrandbits(_RANDOM_BITS)
        self.phase = Phase.ASKING
        self._hello_pause = HELLO_FIRST
        self._hello_at = now
        self._said_at = now - HELLO_GAP

    def _heard_asking(self, ack: Ack, now: int) -> Opening | None:
        if ack.term > self.proposed:
            said = self._said_at
            self._propose(now)
            self._hello_at = max(now, said + HELLO_GAP)
            return None
        if ack.term < self.proposed:
            return None
        free = give_up = 0
        if ack.prev_term > self.term:
            give_up = self._fresh_from - 1
        elif ack.prev_term == self.term:
            free = self.base + ack.prev_committed
            if self._labelled is not None:
                free = min(free, self._labelled)
        return Opening(ack.term, ack.stream, free, give_up)

    def _heard_open(self, ack: Ack, last: int, now: int) -> Progress | Left | None:
        if ack.term == self.term:
            free = self.base + ack.committed
            if free <= self._highest_sent:
                return Progress(free)
            # More is committed than this process ever sent: the machine was set back to an image
            # of itself while it ran. What was not sent by us is not what the stream means.
            self._labelled = self._highest_sent
            self._propose(now)
            return Left("the stream has more than was sent")
        self._labelled = last
        if ack.term < self.term:
            self._propose(now)
            return Left("the stream lost its store")
        self._meet_clone(now)
        return Left("another node of this name runs")

    def _meet_clone(self, now: int) -> None:
        self.clones += 1
        calm = now - self._opened_at > 2 * self._clone_pause
        first = calm or not self._clone_pause
        self._clone_pause = CLONE_FIRST if first else min(2 * self._clone_pause, CLONE_LAST)
        self._resume_at = now + self._clone_pause
        self.phase = Phase.CLONED
