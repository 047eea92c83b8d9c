import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citynerve import codec
from citynerve.codec import Format
from citynerve.errors import ProtocolError
from citynerve.messages import (
    About,
    Ack,
    Batch,
    Column,
    Crossing,
    Crowd,
    Dwell,
    Event,
    Evidence,
    Hello,
    HelloMessage,
    Position,
    PropertyAbout,
    SensorAbout,
    Stopped,
    WrongWay,
)

FORMATS: list[Format] = ["json", "msgpack"]
REASONS = {"taken", "json", "schema"}


def outcome(decode: Callable[[bytes], object], payload: bytes) -> str:
    try:
        decode(payload)
    except ProtocolError as error:
        return error.reason
    return "taken"


names = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,20}", fullmatch=True)
times = st.integers(0, 1 << 45)
values = st.floats(allow_nan=False, allow_infinity=False)
positions = st.builds(Position, lat=st.floats(-90, 90), lon=st.floats(-180, 180))
properties = st.builds(
    PropertyAbout,
    name=names,
    unit=st.text(max_size=8),
    range=st.none() | st.tuples(values, values),
    lateness=st.integers(0, 1 << 40),
)
sensors = st.builds(
    SensorAbout,
    name=names,
    properties=st.lists(properties, max_size=3).map(tuple),
    position=st.none() | positions,
)
hellos = st.builds(
    Hello,
    node=names,
    term=st.integers(1, (1 << 52) - 1),
    about=st.builds(About, area=names, sensors=st.lists(sensors, max_size=3).map(tuple)),
    sent=times,
)
columns = st.builds(
    Column,
    s=names,
    p=names,
    t=st.lists(times, max_size=5),
    v=st.lists(values, max_size=5),
    q=st.none() | st.lists(st.integers(0, 2), max_size=5),
    wm=st.none() | times,
    late=st.booleans(),
)
common: dict[str, Any] = {"id": names, "t": times, "camera": names}
seen: dict[str, Any] = {"cls": names, "track": st.integers(0, 1 << 40)}
zoned: dict[str, Any] = {**common, **seen, "zone": names}
events: st.SearchStrategy[Event] = st.one_of(
    st.builds(Crossing, line=names, direction=names, **common, **seen),
    st.builds(Dwell, seconds=values, **zoned),
    st.builds(WrongWay, **zoned),
    st.builds(Stopped, seconds=values, **zoned),
    st.builds(Crowd, zone=names, value=values, **common),
)
evidence = st.builds(Evidence, id=names, t=times, camera=names, jpeg=st.binary(max_size=50))
batches = st.builds(
    Batch,
    node=names,
    term=st.integers(1, (1 << 52) - 1),
    seq=st.integers(1, (1 << 52) - 1),
    oldest=st.integers(1, (1 << 52) - 1),
    sent=times,
    obs=st.lists(columns, max_size=4),
    events=st.lists(events, max_size=3),
    evidence=st.lists(evidence, max_size=2),
    want_ack=st.booleans(),
)


@pytest.mark.parametrize("form", FORMATS)
@given(batch=batches)
def test_a_batch_comes_back_as_it_went(form: Format, batch: Batch) -> None:
    assert codec.decode_observation(codec.encode(batch, form)) == batch


@pytest.mark.parametrize("form", FORMATS)
@given(hello=hellos)
def test_a_hello_comes_back_as_it_went(form: Format, hello: Hello) -> None:
    assert codec.decode_observation(codec.encode(HelloMessage(hello), form)) == hello


@given(payload=st.binary(max_size=200))
def test_no_bytes_raise_anything_but_a_protocol_error(payload: bytes) -> None:
    assert outcome(codec.decode_observation, payload) in REASONS
    assert outcome(lambda data: codec.decode(data, Ack), payload) in REASONS


@pytest.mark.parametrize("form", FORMATS)
@given(batch=batches, at=st.integers(0, 1 << 20), byte=st.integers(0, 255))
def test_no_flipped_byte_raises_anything_but_a_protocol_error(
    form: Format, batch: Batch, at: int, byte: int
) -> None:
    payload = bytearray(codec.encode(batch, form))
    payload[at % len(payload)] = byte
    assert outcome(codec.decode_observation, bytes(payload)) in REASONS


@given(
    tree=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["node", "term", "seq", "oldest", "sent", "obs", "s", "t", "hello"]
                ),
                inner,
                max_size=6,
            )
        ),
        max_leaves=12,
    )
)
def test_no_json_raises_anything_but_a_protocol_error(tree: object) -> None:
    assert outcome(codec.decode_observation, json.dumps(tree).encode()) in REASONS


def test_depth_without_end_is_refused() -> None:
    for payload in (b'{"obs":' + b"[" * 100_000, b"\x81\xa3obs" + b"\x91" * 100_000):
        assert outcome(codec.decode_observation, payload) in {"json", "schema"}
        assert outcome(lambda data: codec.decode(data, Batch), payload) in {"json", "schema"}


def test_ten_megabytes_are_refused_unread() -> None:
    with pytest.raises(ProtocolError) as caught:
        codec.decode_observation(b'{"node":"' + b"a" * 10_000_000 + b'"}')
    assert caught.value.reason == "size"
    assert "10000011 bytes" in caught.value.detail


def test_white_space_may_stand_before_json() -> None:
    batch = Batch("a", 1, 1, 1, 0)
    assert codec.decode_observation(b"\r\n\t " + codec.encode(batch)) == batch


def test_defaults_are_left_out_of_what_travels_often() -> None:
    batch = Batch("a", 1, 2, 1, 5, obs=[Column("s", "p", [1], [2.5])])
    assert json.loads(codec.encode(batch)) == {
        "node": "a",
        "term": 1,
        "seq": 2,
        "oldest": 1,
        "sent": 5,
        "obs": [{"s": "s", "p": "p", "t": [1], "v": [2.5]}],
    }


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ({"hello": {"node": "a"}}, "term"),
        ({"hello": 5}, "hello"),
        ({"node": "a", "term": 1, "seq": 1, "oldest": 1}, "sent"),
        ({"node": "a", "term": 1, "seq": 1, "oldest": 1, "sent": "x"}, "$.sent"),
    ],
)
def test_the_complaint_is_about_what_was_meant(message: dict[str, Any], told: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        codec.decode_observation(json.dumps(message).encode())
    assert told in caught.value.detail
