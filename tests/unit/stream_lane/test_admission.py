"""Terms and admission against a network that repeats, reorders, delays and loses."""

import copy
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.lane.admission import NO_TERM, NodeTerm, Verdict
from stream.lane.output import AckState

WINDOW = 4
UNNUMBERED = 1 << 60


@dataclass
class Spool:
    """A node as its disk has it: ``batches`` are (seq, identity), oldest first."""

    term: int = 0
    proposed: int = 0
    open: bool = False
    next_seq: int = 1
    sent: int = 0
    at_start: int = 0
    batches: list[tuple[int, int]] = field(default_factory=list)


class HostileNetwork:
    """One node, one stream, and everything that can go wrong between them."""

    def __init__(self, draw: random.Random) -> None:
        self.draw = draw
        self.stream = NodeTerm()
        self.admitted: list[int] = []
        self.stored = (NodeTerm(), list(self.admitted))
        self.net: list[tuple[int, ...]] = []
        self.delivered: list[tuple[int, ...]] = []
        self.acks: list[AckState] = []
        self.made = 0
        self.rolled_back = False
        self.excused: set[int] = set()
        self.node = Spool()
        self.propose(0, start=True)
        self.image = copy.deepcopy(self.node)

    # The node.

    def propose(self, heard: int, *, start: bool = False) -> None:
        node = self.node
        if start:
            node.at_start = self.made
        node.proposed = ((max(heard, node.proposed) >> 32) + 1) << 32 | self.draw.getrandbits(32)
        node.open = False
        node.sent = 0

    def make(self) -> None:
        node = self.node
        node.batches.append((node.next_seq if node.open else UNNUMBERED, self.made))
        node.next_seq += 1
        self.made += 1

    def hello(self) -> None:
        if not self.node.open:
            self.net.append((self.node.proposed,))

    def send(self) -> None:
        node = self.node
        if not node.open or not node.batches:
            return
        oldest = node.batches[0][0]
        node.sent = max(node.sent, oldest - 1)
        for seq, identity in node.batches:
            if seq == node.sent + 1 and seq - oldest < WINDOW:
                self.net.append((node.term, seq, oldest, identity))
                node.sent = seq
                return

    def send_again(self) -> None:
        self.node.sent = 0

    def give_up_oldest(self) -> None:
        if len(self.node.batches) > 2:
            self.excused.add(self.node.batches.pop(0)[1])

    def restart(self) -> None:
        self.propose(0, start=True)

    def take_image(self) -> None:
        self.image = copy.deepcopy(self.node)

    def restore_image(self) -> None:
        kept = {identity for _, identity in self.image.batches}
        self.excused |= {identity for _, identity in self.node.batches} - kept
        self.node = copy.deepcopy(self.image)
        self.rolled_back = True
        self.propose(0, start=True)

    def lose_spool(self) -> None:
        self.excused |= {identity for _, identity in self.node.batches}
        self.node = Spool()
        self.rolled_back = True
        self.propose(0, start=True)
        self.image = copy.deepcopy(self.node)

    def hear(self) -> None:
        if not self.acks:
            return
        ack, node = self.acks.pop(0), self.node
        if node.open and ack.term == node.term:
            node.batches = [entry for entry in node.batches if entry[0] > ack.committed]
        elif ack.term > (node.term if node.open else node.proposed):
            self.propose(ack.term)
        elif not node.open and ack.term == node.proposed:
            self.opened(ack)

    def opened(self, ack: AckState) -> None:
        node = self.node
        if ack.prev_term > node.term:
            assert self.rolled_back, "told to give up what was never admitted"
            self.excused |= {i for _, i in node.batches if i < node.at_start}
            node.batches = [entry for entry in node.batches if entry[1] >= node.at_start]
        elif ack.prev_term == node.term:
            node.batches = [entry for entry in node.batches if entry[0] > ack.prev_committed]
        node.term, node.open, node.sent = ack.term, True, 0
        node.batches = [(seq, i) for seq, (_, i) in enumerate(node.batches, start=1)]
        node.next_seq = len(node.batches) + 1

    # The network and the stream.

    def receive(self, message: tuple[int, ...]) -> None:
        if len(message) == 1:
            self.stream.hello(message[0])
            return
        term, seq, oldest, identity = message
        if self.stream.batch(term, seq, oldest) is Verdict.ADMITTED:
            self.admitted.append(identity)

    def deliver(self) -> None:
        if self.net:
            message = self.net.pop(0)
            self.delivered.append(message)
            self.receive(message)

    def lose_message(self) -> None:
        if self.net:
            self.net.pop(0)

    def deliver_old(self) -> None:
        if self.delivered:
            self.receive(self.draw.choice(self.delivered))

    def commit(self) -> None:
        self.stored = (copy.copy(self.stream), list(self.admitted))
        self.acks.append(self.stream.state(urgent=True))

    def crash(self) -> None:
        self.stream, self.admitted = copy.copy(self.stored[0]), list(self.stored[1])
        self.acks.clear()
        self.net.clear()

    def settle(self) -> None:
        """Faults end: all must come to rest, with nothing doubled, lost or stuck."""
        for _ in range(80):
            self.hello()
            self.send_again()
            for _ in range(WINDOW):
                self.send()
            for _ in range(WINDOW + 2):
                self.deliver()
            self.commit()
            for _ in range(3):
                self.hear()
        assert len(self.admitted) == len(set(self.admitted)), "doubled"
        missing = set(range(self.made)) - set(self.admitted) - self.excused
        assert missing <= {identity for _, identity in self.node.batches}, "lost"
        assert not self.node.batches, "stuck"


WORK = [HostileNetwork.make] * 4 + [HostileNetwork.send] * 8 + [HostileNetwork.deliver] * 8
WORK += [HostileNetwork.hello, HostileNetwork.hear] * 2 + [HostileNetwork.commit]
FAULTS = [
    HostileNetwork.send_again,
    HostileNetwork.lose_message,
    HostileNetwork.deliver_old,
    HostileNetwork.crash,
    HostileNetwork.give_up_oldest,
    HostileNetwork.take_image,
]
# These begin everything anew; more of them and little else would happen.
UPHEAVALS = [HostileNetwork.restart, HostileNetwork.restore_image, HostileNetwork.lose_spool]


def run(draw: random.Random, actions: Sequence[Callable[[HostileNetwork], None]]) -> None:
    world = HostileNetwork(draw)
    for action in actions:
        action(world)
    world.settle()


@settings(max_examples=150, deadline=None)
@given(
    actions=st.lists(st.sampled_from(3 * (WORK + FAULTS) + UPHEAVALS), min_size=100, max_size=200),
    seed=st.integers(0, 2**64),
)
def test_nothing_is_doubled_lost_or_stuck(
    actions: list[Callable[[HostileNetwork], None]], seed: int
) -> None:
    # Seeded, not drawn bit by bit: the protocol stands on terms' random half being different.
    run(random.Random(seed), actions)


@pytest.mark.parametrize(
    "upheavals", [[], [HostileNetwork.restart] * 12, UPHEAVALS, 3 * UPHEAVALS], ids=len
)
def test_nothing_is_doubled_lost_or_stuck_in_long_schedules(
    upheavals: list[Callable[[HostileNetwork], None]],
) -> None:
    choices = 3 * (WORK + FAULTS) + upheavals
    for seed in range(400):
        draw = random.Random(seed)
        run(draw, draw.choices(choices, k=250))


def test_only_the_next_batch_of_the_open_term_counts() -> None:
    node = NodeTerm()
    assert node.batch(5, 1, 1) is Verdict.WRONG_TERM
    assert node.hello(5)
    assert not node.hello(5)
    assert not node.hello(4)
    assert node.batch(5, 2, 1) is Verdict.GAP
    assert node.batch(5, 1, 1) is Verdict.ADMITTED
    assert node.batch(5, 1, 1) is Verdict.DUPLICATE
    assert node.batch(4, 2, 1) is Verdict.WRONG_TERM
    assert node.batch(5, 7, 7) is Verdict.ADMITTED
    assert node.state(urgent=False) == AckState(5, 7, 0, 0, urgent=False)


def test_an_empty_term_leaves_the_one_before_it_as_previous() -> None:
    node = NodeTerm()
    node.hello(5)
    node.batch(5, 1, 1)
    node.hello(6)
    node.hello(9)
    assert node.state(urgent=True) == AckState(9, 0, 5, 1, urgent=True)


def test_no_term_is_smaller_than_any() -> None:
    assert NO_TERM.term == 0
    assert NO_TERM.urgent
