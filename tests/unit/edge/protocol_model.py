"""A node's real courier and the stream's real admission, with a hostile network between them.

What is delivered is compared with what was made: nothing twice, and nothing missing but what was
given up and counted or went with a lost or set-back spool.
"""

import copy
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Protocol, Self

from citynerve.messages import Ack
from edge.courier import Courier, Dispatch
from edge.term import Ledger, Opening
from stream.lane.admission import NodeTerm, Verdict

DAY = 86_400_000


class ModelStore(Protocol):
    """The store of one node, and what a fault can do to it."""

    ledger: Ledger

    @property
    def boundary(self) -> int: ...
    @property
    def first(self) -> int: ...
    @property
    def last(self) -> int: ...
    def size(self, batch: int) -> int: ...
    def free(self, upto: int) -> None: ...
    def keep(self, ledger: Ledger) -> None: ...
    def open_term(self, opening: Opening) -> int: ...
    def add(self, payload: int) -> None: ...
    def payload(self, batch: int) -> int: ...
    def held(self) -> list[int]: ...
    def discard_oldest(self) -> int: ...
    def given_up_payloads(self) -> set[int]: ...
    def crashed(self) -> Self:
        """As the next process finds it."""
        ...

    def image(self) -> Self:
        """A copy, as a backup makes it."""
        ...


class MemoryStore:
    """What the spool promises, in a few lines; a ledger is durable with the next batch."""

    def __init__(self) -> None:
        self.payloads: dict[int, int] = {}
        self.last = 0
        self.ledger = Ledger(labelled=0)
        self._durable = self.ledger
        self._given_up: set[int] = set()

    @property
    def boundary(self) -> int:
        return self.last

    @property
    def first(self) -> int:
        return min(self.payloads, default=self.last + 1)

    def size(self, batch: int) -> int:
        return 3_000 + self.payloads[batch] % 13_000

    def free(self, upto: int) -> None:
        self._remove(upto)

    def keep(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def open_term(self, opening: Opening) -> int:
        self._remove(opening.free)
        self._given_up |= self._remove(opening.give_up)
        base = self.first - 1
        self.ledger = self._durable = Ledger(opening.term, base, None, opening.stream)
        return base

    def add(self, payload: int) -> None:
        self.last += 1
        self.payloads[self.last] = payload
        self._durable = self.ledger

    def payload(self, batch: int) -> int:
        return self.payloads[batch]

    def held(self) -> list[int]:
        return list(self.payloads.values())

    def discard_oldest(self) -> int:
        return self.payloads.pop(self.first)

    def given_up_payloads(self) -> set[int]:
        return self._given_up

    def crashed(self) -> Self:
        after = copy.deepcopy(self)
        kept = after._durable  # noqa: SLF001 - our own
        labelled = after.last if kept.labelled is None else kept.labelled
        after.ledger = Ledger(kept.term, kept.base, labelled, kept.stream)
        return after

    def image(self) -> Self:
        return copy.deepcopy(self)

    def _remove(self, upto: int) -> set[int]:
        return {self.payloads.pop(key) for key in [key for key in self.payloads if key <= upto]}


class Stream:
    """The stream's rule for one node; ``taken`` is what it has admitted, in order."""

    def __init__(self) -> None:
        self.start = 1
        self.state = NodeTerm()
        self.taken: list[int] = []
        self._committed = (self.state, list(self.taken))

    def commit(self) -> Ack:
        one = self.state
        self._committed = (copy.copy(one), list(self.taken))
        return Ack(
            one.term,
            one.committed,
            one.prev_term,
            one.prev_committed,
            credit=65_536,
            retry=10_000,
            stream="s",
            start=self.start,
        )

    def crash(self) -> None:
        state, taken = self._committed
        self.state, self.taken = copy.copy(state), list(taken)
        self.start += 1


Sent = int | tuple[Dispatch, int]
"""A hello's term, or a batch and what is in it."""


@dataclass
class World:
    """One node, one stream, and what is between them. Each method is one thing that can happen."""

    store: ModelStore
    rng: Random
    now: int = 0
    stream: Stream = field(default_factory=Stream)
    made: int = 0
    given_up: set[int] = field(default_factory=set)
    lost: set[int] = field(default_factory=set)
    net: list[Sent] = field(default_factory=list)
    old: list[Sent] = field(default_factory=list)
    acks: list[Ack] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._fresh = self.store.image()
        self._backup = self.store.image()
        self._start_process()

    def _start_process(self) -> None:
        self.courier = Courier(self.store, self.store.ledger, now=self.now, rng=self.rng)

    def make(self) -> None:
        self.store.add(self.made)
        self.made += 1

    def pass_time(self, span: int) -> None:
        self.now += span

    def hello(self) -> None:
        term = self.courier.hello_due(self.now)
        if term is not None:
            self.net.append(term)

    def send(self) -> None:
        dispatch = self.courier.next(self.now)
        if dispatch is not None:
            self.net.append((dispatch, self.store.payload(dispatch.batch)))
            self.courier.sent(dispatch, self.now)

    def deliver(self) -> None:
        if self.net:
            message = self.net.pop(0)
            self.old.append(message)
            self._arrive(message)

    def drop(self) -> None:
        if self.net:
            self.old.append(self.net.pop(0))

    def repeat(self, which: int) -> None:
        """Anything that was ever sent arrives (again), however late."""
        if self.old:
            self._arrive(self.old[which % len(self.old)])

    def commit(self) -> None:
        self.acks.append(self.stream.commit())

    def ack(self) -> None:
        if self.acks:
            self.courier.heard(self.acks.pop(0), self.now)
            self.given_up |= self.store.given_up_payloads()

    def lose_ack(self) -> None:
        if self.acks:
            self.acks.pop(0)

    def reconnect(self) -> None:
        self.courier.connected(self.now)

    def crash_stream(self) -> None:
        self.stream.crash()
        self.acks.clear()
        self.net.clear()

    def crash_node(self) -> None:
        self.store = self.store.crashed()
        self._start_process()

    def describe_anew(self) -> None:
        self.courier.renew(self.now)

    def lack_space(self) -> None:
        if len(self.store.held()) > 1:
            self.given_up.add(self.store.discard_oldest())

    def back_up(self) -> None:
        self._backup = self.store.image()

    def restore(self) -> None:
        """The machine comes back from its backup."""
        restored = self._backup.image().crashed()
        self.lost |= set(self.store.held()) - set(restored.held())
        self.store = restored
        self._start_process()

    def lose_spool(self) -> None:
        self.lost |= set(self.store.held())
        self.store = self._fresh.image()
        self._backup = self._fresh.image()
        self._start_process()

    def settle(self) -> None:
        """No more faults: everything must come through."""
        for _ in range(60):
            self.pass_time(DAY)
            self.hello()
            for _ in range(40):
                self.send()
            while self.net:
                self.deliver()
            self.commit()
            while self.acks:
                self.ack()
            if not self.store.held():
                break

    def verify(self) -> None:
        taken = Counter(self.stream.taken)
        doubled = [payload for payload, times in taken.items() if times > 1]
        missing = set(range(self.made)) - set(taken) - self.given_up - self.lost
        assert not doubled
        assert not self.store.held(), "stuck"
        assert not missing

    def _arrive(self, message: Sent) -> None:
        if isinstance(message, int):
            self.stream.state.hello(message)
            return
        dispatch, payload = message
        verdict = self.stream.state.batch(dispatch.term, dispatch.seq, dispatch.oldest)
        if verdict is Verdict.ADMITTED:
            self.stream.taken.append(payload)
