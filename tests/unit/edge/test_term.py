from random import Random

import pytest

from citynerve.messages import Ack
from edge.term import (
    CLONE_FIRST,
    HELLO_FIRST,
    HELLO_GAP,
    HELLO_LAST,
    Ledger,
    Left,
    Opening,
    Phase,
    Progress,
    Terms,
)

N = 1 << 32


def ack(term: int, committed: int = 0, prev: tuple[int, int] = (0, 0), stream: str = "s") -> Ack:
    return Ack(term, committed, *prev, credit=65_536, retry=10_000, stream=stream, start=1)


def terms(ledger: Ledger | None = None, fresh_from: int = 1) -> Terms:
    return Terms(ledger or Ledger(labelled=0), fresh_from=fresh_from, now=0, rng=Random(1))


def opened(machine: Terms, base: int = 0, now: int = 0) -> int:
    """Answer its hello; the term that is open now."""
    proposed = machine.proposed
    opening = machine.heard(ack(proposed), last=10, now=now)
    assert isinstance(opening, Opening)
    machine.opened(opening, base, now)
    assert machine.phase is Phase.OPEN
    return proposed


def test_a_proposal_is_greater_than_the_last_term() -> None:
    assert terms().proposed >> 32 == 1
    assert terms(Ledger(7 * N + 5, labelled=0)).proposed >> 32 == 8


def test_a_hello_is_repeated_with_a_doubling_pause_until_it_is_answered() -> None:
    machine, now, pauses = terms(), 0, []
    assert machine.hello_due(0) == machine.proposed
    for _ in range(9):
        start = now
        while machine.hello_due(now) is None:
            now += 100
        pauses.append(now - start)
    for step, pause in enumerate(pauses):
        usual = min(HELLO_FIRST << step, HELLO_LAST)
        assert usual <= pause <= 1.5 * usual + 100
    opened(machine, now=now)
    assert machine.hello_due(now + 10**9) is None


def test_a_connection_cuts_a_long_pause_short_but_not_the_gap() -> None:
    machine = terms()
    for now in (0, 10_000, 30_000, 80_000, 200_000):
        assert machine.hello_due(now) is not None
    machine.hurry(200_100)
    assert machine.hello_due(200_000 + HELLO_GAP - 1) is None
    assert machine.hello_due(200_000 + 2 * HELLO_GAP) is not None


def test_what_the_stream_had_of_our_last_term_is_free() -> None:
    machine = terms(Ledger(5 * N, base=100, labelled=107, stream="s"), fresh_from=110)
    answer = machine.heard(ack(machine.proposed, prev=(5 * N, 4)), last=112, now=0)
    assert answer == Opening(machine.proposed, "s", free=104, give_up=0)


def test_what_was_never_sent_is_not_free_whatever_the_stream_has() -> None:
    machine = terms(Ledger(5 * N, base=100, labelled=107, stream="s"), fresh_from=110)
    answer = machine.heard(ack(machine.proposed, prev=(5 * N, 50)), last=112, now=0)
    assert answer == Opening(machine.proposed, "s", free=107, give_up=0)


def test_a_restored_image_gives_up_what_it_held_at_the_start() -> None:
    machine = terms(Ledger(5 * N, base=100, labelled=107, stream="s"), fresh_from=110)
    answer = machine.heard(ack(machine.proposed, prev=(6 * N, 3)), last=112, now=0)
    assert answer == Opening(machine.proposed, "s", free=0, give_up=109)


def test_a_greater_answer_makes_it_try_a_greater_term() -> None:
    machine = terms()
    machine.hello_due(0)
    assert machine.heard(ack(9 * N + 1), last=0, now=10) is None
    assert machine.phase is Phase.ASKING
    assert machine.proposed >> 32 == 10
    assert machine.hello_due(HELLO_GAP - 1) is None
    assert machine.hello_due(HELLO_GAP) == machine.proposed


def test_an_older_answer_is_not_ours() -> None:
    machine = terms(Ledger(5 * N, labelled=0))
    assert machine.heard(ack(5 * N, 3), last=0, now=0) is None
    assert machine.phase is Phase.ASKING


def test_acks_of_the_open_term_are_progress() -> None:
    machine = terms()
    term = opened(machine, base=20)
    machine.sent(24)
    assert machine.heard(ack(term, 3), last=30, now=0) == Progress(23)


def test_more_committed_than_was_sent_asks_for_a_new_term() -> None:
    machine = terms()
    term = opened(machine, base=20)
    machine.sent(22)
    assert isinstance(machine.heard(ack(term, 5), last=30, now=0), Left)
    assert machine.ledger() == Ledger(term, 20, 22, "s")
    assert machine.proposed > term


@pytest.mark.parametrize("answer", [0, 1])
def test_a_stream_that_lost_its_store_is_asked_for_a_new_term(answer: int) -> None:
    machine = terms()
    term = opened(machine)
    assert machine.heard(ack(answer), last=7, now=0) == Left("the stream lost its store")
    assert machine.phase is Phase.ASKING
    assert machine.proposed > term
    assert machine.ledger().labelled == 7


def test_a_clone_stops_it_for_ten_minutes_then_twenty() -> None:
    machine = terms()
    term = opened(machine, now=0)
    assert isinstance(machine.heard(ack(term + N), last=5, now=1_000), Left)
    assert machine.phase is Phase.CLONED
    assert machine.hello_due(1_000 + CLONE_FIRST - 1) is None
    now = 1_000 + CLONE_FIRST
    assert machine.hello_due(now) is not None
    assert machine.proposed > term + N
    term = opened(machine, now=now)
    machine.heard(ack(term + N), last=5, now=now + 1)
    assert machine.resumes_in(now + 1) == 2 * CLONE_FIRST
    # After a long calm, the next one counts as the first.
    now += 1 + 2 * CLONE_FIRST
    assert machine.hello_due(now) is not None
    term = opened(machine, now=now)
    now += 10 * CLONE_FIRST
    machine.heard(ack(term + N), last=5, now=now)
    assert machine.resumes_in(now) == CLONE_FIRST


def test_it_is_bound_to_the_stream_that_answered_first() -> None:
    machine = terms()
    term = opened(machine)
    assert machine.stream == "s"
    for committed in (0, 1):
        assert machine.heard(ack(term + N, committed, stream="other"), last=5, now=0) is None
    assert machine.phase is Phase.OPEN
    assert machine.foreign == {"other": 2}


def test_a_change_of_description_asks_for_a_new_term() -> None:
    machine = terms()
    term = opened(machine)
    machine.renew(last=9, now=50)
    assert machine.phase is Phase.ASKING
    assert machine.hello_due(50) == machine.proposed > term
    assert machine.ledger() == Ledger(term, 0, 9, "s")


def test_no_term_beyond_the_last_is_said() -> None:
    machine = terms(Ledger(((1 << 20) - 1) * N, labelled=0))
    assert machine.exhausted
    assert machine.hello_due(0) is None
