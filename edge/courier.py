"""What to send next, and what an acknowledgement frees: terms, flow control and the store together.

Pure but for the store, which is handed in: the link does the talking.
"""

from collections.abc import Callable
from random import Random
from typing import NamedTuple, Protocol

from citynerve.messages import Ack
from edge.term import Ledger, Left, Opening, Phase, Progress, Terms
from edge.window import Window


class Store(Protocol):
    """What a courier needs of the spool. Ids count on for ever, without gaps among those held."""

    @property
    def first(self) -> int:
        """The lowest id held; the next to be given when nothing is."""
        ...

    @property
    def last(self) -> int:
        """The highest id ever given."""
        ...

    @property
    def boundary(self) -> int:
        """The last id that was made under the same description as the oldest held.

        What follows may not be sent before a term is opened with another description.
        """
        ...

    def size(self, batch: int) -> int:
        """Bytes of a batch that is held."""
        ...

    def free(self, upto: int) -> None:
        """Ids up to ``upto`` are committed at the stream."""
        ...

    def keep(self, ledger: Ledger) -> None:
        """Make the ledger durable no later than the next batch."""
        ...

    def open_term(self, opening: Opening) -> int:
        """Make an opening durable, in one step; the id before the first of those left.

        Raises:
            CityNerveError: It could not be made durable; nothing has changed.
        """
        ...


class Dispatch(NamedTuple):
    """One batch to send now."""

    batch: int
    term: int
    seq: int
    oldest: int
    want_ack: bool


class Courier:
    """One node's side of the protocol.

    Args:
        store: The spool, at the start of the process.
        ledger: What it remembers.
        now: The clock, ms; it must not go back.
        rng: The dice.
        on_left: Told why an open term was left.
    """

    def __init__(
        self,
        store: Store,
        ledger: Ledger,
        *,
        now: int,
        rng: Random,
        on_left: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._on_left = on_left
        self.terms = Terms(ledger, fresh_from=store.last + 1, now=now, rng=rng)
        self.window = Window(rng)
        self.draining = False
        """Nothing more will come: ask for an ack of the last batch at once."""
        store.keep(self.terms.ledger())

    def connected(self, now: int) -> None:
        """A connection stands: what was on its way in the one before is lost, for all we know."""
        self.window.hurry()
        self.terms.hurry(now)

    def stream_seen(self, now: int) -> None:
        """A stream has announced itself: do not sit out a long pause."""
        self.terms.hurry(now)

    def renew(self, now: int) -> None:
        """What the node tells about itself has changed."""
        self._leave(self.terms.renew(self._store.last, now))

    def hello_due(self, now: int) -> int | None:
        """The term to say hello with, if it is time."""
        return self.terms.hello_due(now)

    def heard(self, ack: Ack, now: int) -> None:
        """Take an acknowledgement in.

        Raises:
            CityNerveError: A new term could not be made durable; it will be answered again.
        """
        if self.terms.started_anew(ack):
            self.window.hurry()
            self.terms.hurry(now)
        match self.terms.heard(ack, self._store.last, now):
            case Progress(free):
                self.window.granted(ack.credit, ack.retry)
                if free >= self._store.first:
                    self._store.free(free)
                    self.window.progress(free, now)
            case Opening() as opening:
                base = self._store.open_term(opening)
                self.terms.opened(opening, base, now)
                self._store.keep(self.terms.ledger())
                self.window.collapse()
                self.window.granted(ack.credit, ack.retry)
            case Left() as left:
                self._leave(left)
            case None:
                pass

    def next(self, now: int) -> Dispatch | None:
        """The batch to send now; to be confirmed with :meth:`sent`."""
        if self.terms.phase is not Phase.OPEN:
            return None
        first = self._store.first
        self.window.given_up(first - 1)
        self.window.overdue(now)
        on_its_way = self.window.last
        batch = first if on_its_way is None else on_its_way + 1
        last = self._store.boundary
        if batch > last:
            return None
        size = self._store.size(batch)
        if not self.window.admits(size):
            return None
        base = self.terms.base
        waited_for = batch == last and (self.draining or last < self._store.last)
        asks = self.window.wants_ack(size) or waited_for
        return Dispatch(batch, self.terms.term, batch - base, first - base, asks)

    def sent(self, dispatch: Dispatch, now: int) -> bool:
        """The batch was handed to the connection; whether it had been before."""
        self.terms.sent(dispatch.batch)
        self.window.sent(dispatch.batch, self._store.size(dispatch.batch), now)
        return dispatch.batch <= self.window.resent_up_to

    def due(self) -> int | None:
        """When there will be something to send, if nothing is collected or heard before."""
        if self.terms.phase is Phase.OPEN:
            return self.window.deadline
        return self.terms.due()

    def _leave(self, left: Left) -> None:
        self._store.keep(self.terms.ledger())
        self.window.collapse()
        self._on_left(left.reason)
