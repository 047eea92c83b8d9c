"""Of all that stands in a recording, each batch that counted is played once, in order."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from citynerve.codec import decode_observation
from citynerve.messages import Batch
from simulators.recording.reader import Stored
from simulators.recording.selection import Missing, Selection
from simulators.recording.survey import Survey
from tests.unit.recording.samples import NODE, T0, TERM, ack, batch, hello, stored

LATER = 2 << 32 | 3


def played(messages: Sequence[Stored]) -> tuple[list[tuple[int, int]], Selection]:
    """What a recording's batches come to, as term and seq."""
    selection = Selection(Survey.of(messages).nodes[NODE])
    found = []
    for one in messages:
        if one.source.kind == "obs":
            message = decode_observation(one.payload)
            if isinstance(message, Batch):
                found += [(c.batch.term, c.batch.seq) for c in selection.offer(message, one.at)]
    return found, selection


@given(st.lists(st.integers(1, 12), max_size=40))
def test_any_order_and_any_repeats_give_each_batch_once(order: list[int]) -> None:
    messages = [stored(hello(), 0), *(stored(batch(seq), at) for at, seq in enumerate(order, 1))]
    found, selection = played(messages)
    assert found == [(TERM, seq) for seq in sorted(set(order))]
    assert selection.repeats == len(order) - len(set(order))
    gaps = sorted(set(range(1, max(order, default=0))) - set(order))
    assert [n for one in selection.missing() for n in range(one.first, one.last + 1)] == gaps


def resumed(*acks: Stored) -> list[Stored]:
    """A node sends five batches, is started anew after the third counted, and sends the rest."""
    return [
        stored(hello(), 0),
        *(stored(batch(seq), seq) for seq in range(1, 6)),
        stored(hello(LATER), 10),
        *(
            stored(batch(seq, [column], term=LATER), 10 + seq)
            for seq, column in enumerate((batch(n).obs[0] for n in range(4, 8)), 1)
        ),
        *acks,
    ]


def test_what_a_new_term_sends_again_counts_there() -> None:
    told = stored(ack(LATER, 2, TERM, 3), 20, kind="ack")
    found, selection = played(resumed(told))
    assert found == [(TERM, 1), (TERM, 2), (TERM, 3), *((LATER, n) for n in (1, 2, 3, 4))]
    assert selection.superseded == 2


def test_without_acknowledgements_the_content_tells() -> None:
    assert (
        played(resumed())[0] == played(resumed(stored(ack(LATER, 2, TERM, 3), 20, kind="ack")))[0]
    )


def test_a_term_in_which_nothing_counted_is_passed_over() -> None:
    found, _ = played(resumed(stored(ack(LATER, 4), 20, kind="ack")))
    assert found == [(LATER, n) for n in (1, 2, 3, 4)]


def test_what_is_still_to_be_acknowledged_counts() -> None:
    messages = [stored(batch(seq), seq) for seq in range(1, 6)]
    found, _ = played([*messages, stored(ack(TERM, 2), 9, kind="ack")])
    assert found == [(TERM, n) for n in range(1, 6)]


def test_what_is_not_in_the_recording_is_named() -> None:
    _, selection = played([stored(batch(seq), seq) for seq in (1, 2, 6, 9)])
    assert selection.missing() == [Missing(TERM, 3, 5), Missing(TERM, 7, 8)]


def test_what_the_stream_refuses_whole_is_counted_and_left_out() -> None:
    messages = [
        stored(batch(1), 1),
        stored(b'{"node": 1}', 2),
        stored(batch(2, node="node-1"), 3),
        stored(b"on", 4),
    ]
    survey = Survey.of(messages)
    assert survey.refused == {"schema": 1, "node": 1, "json": 1}
    assert list(survey.nodes[NODE].taken(TERM)) == [1]
    assert (survey.first, survey.last) == (T0 + 1, T0 + 4)
