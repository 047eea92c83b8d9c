"""Bad input: named, counted, and nothing else spoilt."""

import math
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citynerve.codec import MAX_PAYLOAD, encode
from citynerve.messages import Batch, Column, PropertyAbout, Status
from citynerve.topics import Topics
from stream.lane.nodes import MOST_OF_A_NODE
from stream.lane.output import AckState
from tests.unit.stream_lane.world import (
    NODE,
    NOW,
    T0,
    USUAL,
    Arrival,
    Sender,
    about,
    greeted,
    lane,
    lines,
)

HOUR = 3_600_000
GOOD = Column("mast", "speed", [T0], [30.0])


@pytest.mark.parametrize(
    ("reason", "count", "column"),
    [
        ("order", 3, Column("loop", "speed", [T0, T0 + 2, T0 + 1], [1.0, 2.0, 3.0])),
        ("order", 2, Column("loop", "speed", [T0, T0], [1.0, 2.0])),
        ("future", 1, Column("loop", "speed", [T0, NOW + HOUR + 1], [1.0, 2.0])),
        ("future", 1, Column("loop", "speed", wm=NOW + 2 * HOUR + 1)),
        ("future", 2, Column("loop", "speed", [T0, 2**70], [1.0, 2.0])),
        ("future", 1, Column("loop", "speed", wm=2**70)),
        ("future", 1, Column("loop", "speed", [T0, NOW + HOUR + 1], [1.0, 2.0], late=True)),
        ("old", 1, Column("loop", "speed", [-1], [1.0])),
        ("old", 1, Column("loop", "speed", [-1], [1.0], late=True)),
        ("nan", 2, Column("loop", "speed", [1, 2, 3], [math.nan, 1.0, math.inf])),
        ("shape", 2, Column("loop", "speed", [1, 2], [1.0])),
        ("shape", 1, Column("loop", "speed", [1], [1.0], q=[])),
        ("shape", 1, Column("loop", "speed", [1], [1.0], q=[3])),
        ("undeclared", 1, Column("loop", "loudness", [1], [1.0])),
        ("undeclared", 1, Column("", "x" * 1000, [1], [1.0])),
        ("unit", 1, Column("loop", "temperature", [1], [1.0])),
    ],
)
def test_a_bad_column_is_refused_alone(reason: str, count: int, column: Column) -> None:
    made, _ = greeted(about(PropertyAbout("speed", "km/h"), PropertyAbout("temperature", "K")))
    sender = Sender(form="msgpack" if not column.v or max(column.t) < 2**63 else "json")
    if column.wm is not None and column.wm >= 2**63:
        sender.form = "json"
    output = made.take([sender.batch(column, GOOD)])
    assert [(r.reason, r.count, r.node) for r in output.rejected] == [(reason, count, NODE)]
    assert output.acks[NODE].committed == 1
    stored = [line for line in lines(output, "observation") if line.tags["sensor"] == "mast"]
    assert [line.fields["value"] for line in stored] == [30.0]


def test_a_refused_column_leaves_the_watermark_where_it_was() -> None:
    made, sender = greeted()
    made.take([sender.batch(Column("loop", "speed", [T0 + 9, T0 + 9], [1.0, 2.0], wm=T0 + 50))])
    output = made.take([sender.batch(Column("loop", "speed", [T0], [40.0]))])
    assert output.rejected == []
    assert output.observations == 1


def test_a_time_in_the_far_future_spoils_nothing_that_follows() -> None:
    made, sender = greeted()
    made.take([sender.batch(Column("loop", "speed", [NOW + 2 * HOUR], [40.0]))])
    assert made.take([sender.batch(Column("loop", "speed", [T0], [40.0]))]).observations == 1


def test_repeated_refusals_are_told_once_a_call() -> None:
    made, sender = greeted()
    bad = Column("loop", "unheard", [T0], [1.0])
    output = made.take([sender.batch(bad, bad), sender.batch(bad)])
    assert [(r.reason, r.count) for r in output.rejected] == [("undeclared", 3)]


def _topic(text: str) -> Callable[[Sender], Arrival]:
    return lambda sender: (text, sender.batch(GOOD)[1])


def _status(sent: int) -> bytes:
    return encode(Status(node=NODE, online=True, sent=sent))


def _hello(declared: PropertyAbout) -> Arrival:
    return Sender(term=2**40, form="msgpack").hello(about(declared))


def _payload(payload: bytes) -> Callable[[Sender], Arrival]:
    return lambda sender: (sender.topic, payload)


@pytest.mark.parametrize(
    ("reason", "make"),
    [
        ("json", _payload(b"")),
        ("json", _payload(b"\x00\x01")),
        ("json", _payload(b'{"node": "node-0"')),
        ("json", _payload(b"\x81\xa4nod")),
        ("schema", _payload(b'{"node": "node-0", "term": "x"}')),
        ("schema", _payload(b'{"hello": {"node": "node-0"}}')),
        ("schema", _payload(b"{}")),
        ("size", _payload(b"{" + b" " * (10 << 20))),
        ("size", _payload(b" " * (MAX_PAYLOAD + 1))),
        ("shard", _topic("city/v1/obs/5/node-0")),
        ("shard", _topic("city/v1/obs/d/a")),
        ("topic", _topic("city/v1/obs/4/NODE")),
        ("topic", _topic("city/v1/ack/4/node-0")),
        ("topic", _topic("elsewhere")),
        ("node", lambda _: (Topics().obs("node-0"), Sender(node="node-1").batch(GOOD)[1])),
        ("node", lambda _: (Topics().obs("node-0"), Sender(node="node-1").hello()[1])),
        ("node", lambda _: ("city/v1/status/node-1", b'{"node":"a","online":true,"sent":1}')),
        ("schema", lambda _: ("city/v1/status/node-0", b"{}")),
        ("size", lambda _: ("city/v1/status/node-0", _status(NOW) + b" " * (32 << 10))),
        ("future", lambda _: ("city/v1/status/node-0", _status(NOW + HOUR + 1))),
        ("old", lambda _: ("city/v1/status/node-0", _status(-1))),
        ("name", lambda _: Sender(term=2**40).hello(about(area="A b"))),
        ("name", lambda _: Sender(term=2**40).hello(about(PropertyAbout("Speed", "km/h")))),
        ("schema", lambda _: _hello(PropertyAbout("mystery", "1", range=(5.0, 5.0)))),
        ("schema", lambda _: _hello(PropertyAbout("mystery", "1", range=(9.0, 1.0)))),
        ("schema", lambda _: _hello(PropertyAbout("mystery", "1", range=(math.nan, 1.0)))),
        ("schema", lambda _: _hello(PropertyAbout("mystery", "1", range=(0.0, math.inf)))),
        ("schema", lambda _: _hello(PropertyAbout("mystery", "k" * 65))),
    ],
)
def test_a_bad_payload_is_rejected_whole(reason: str, make: Callable[[Sender], Arrival]) -> None:
    made, sender = greeted()
    before = made.snapshot()
    topic, payload = make(Sender())
    output = made.take([(topic, payload)])
    (rejected,) = output.rejected
    assert rejected.reason == reason
    assert rejected.detail
    assert len(msgspec.json.encode(rejected)) < 4096
    assert made.snapshot() == before
    assert made.take([sender.batch(GOOD)]).acks[NODE] == AckState(1 << 32, 1, 0, 0, urgent=False)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_no_payload_whatever_breaks_a_lane(data: st.DataObject) -> None:
    made, sender = greeted()
    topic, payload = sender.batch(GOOD, Column("loop", "speed", [T0, T0 + 1], [1.0, 2.0], wm=T0))
    spoilt = bytearray(payload)
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(spoilt) - 1))
        spoilt[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    output = made.take([(topic, bytes(spoilt)), (topic, data.draw(st.binary(max_size=60)))])
    assert len(output.rejected) <= 4
    made.take([Sender(term=2 << 32).hello()])
    after = Sender(term=2 << 32)
    assert made.take([after.batch(GOOD)]).acks[NODE].committed == 1


def test_batches_that_are_not_next_are_counted_and_answered() -> None:
    made, sender = greeted()
    first, second, third = (sender.batch(GOOD) for _ in range(3))
    output = made.take([first, first, third])
    assert output.dropped == {"duplicate": 1, "gap": 1}
    assert output.acks == {NODE: AckState(1 << 32, 1, 0, 0, urgent=True)}
    assert output.rejected == []
    output = made.take([second, Sender(term=5).batch(GOOD)])
    assert output.dropped == {"term": 1}
    assert made.take([third]).acks == {NODE: AckState(1 << 32, 3, 0, 0, urgent=False)}


def test_a_node_that_renames_its_sensors_for_ever_is_refused_at_last() -> None:
    made, _ = greeted(about(PropertyAbout("mystery", "1")))
    refused_at = 0
    for n in range(2, 60):
        names = [PropertyAbout(f"p{n}-{i}", "1") for i in range(50)]
        output = made.take([Sender(term=n << 32).hello(about(*names))])
        if output.rejected:
            refused_at = n
            break
    (rejected,) = output.rejected
    assert rejected.reason == "size"
    assert str(MOST_OF_A_NODE) in rejected.detail
    # Two sensors with one property at first, then 50 more of each at a time.
    assert 2 + 2 * 50 * (refused_at - 2) <= MOST_OF_A_NODE < 2 + 2 * 50 * (refused_at - 1)
    assert made.table()[NODE].term == (refused_at - 1) << 32
    last = Sender(term=(refused_at - 1) << 32)
    column = Column("loop", f"p{refused_at - 1}-0", [T0], [1.0])
    assert made.take([last.batch(column)]).observations == 1
    known = [PropertyAbout("mystery", "1"), PropertyAbout("p2-0", "1")]
    again = Sender(term=99 << 32)
    assert made.take([again.hello(about(*known))]).acks[NODE].term == 99 << 32


def test_given_up_batches_are_passed_over() -> None:
    made, sender = greeted()
    message = Batch(NODE, sender.term, seq=9, oldest=9, sent=NOW, obs=[GOOD])
    assert made.take([(sender.topic, encode(message))]).acks[NODE].committed == 9


def test_a_node_without_a_term_is_told_to_say_hello() -> None:
    made = lane()
    output = made.take([Sender().batch(GOOD)])
    assert output.acks == {NODE: AckState(0, 0, 0, 0, urgent=True)}
    assert output.dropped == {"term": 1}
    assert made.table() == {}
    assert made.take([Sender().hello()]).acks[NODE].term == 1 << 32
    assert made.table() == {NODE: AckState(1 << 32, 0, 0, 0, urgent=True)}


def test_the_answer_to_the_unknown_gives_way_to_that_of_a_hello_in_the_same_call() -> None:
    sender = Sender()
    late = sender.batch(GOOD)
    output = lane().take([late, sender.hello(USUAL)])
    assert output.acks == {NODE: AckState(1 << 32, 0, 0, 0, urgent=True)}


def test_who_wants_an_ack_gets_it_soon() -> None:
    made, sender = greeted()
    assert not made.take([sender.batch(GOOD)]).acks[NODE].urgent
    assert made.take([sender.batch(want_ack=True)]).acks[NODE].urgent
