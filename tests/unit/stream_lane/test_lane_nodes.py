"""What nodes are: descriptions, statuses, events, pictures."""

from citynerve.codec import encode
from citynerve.messages import (
    Column,
    Crossing,
    Crowd,
    Dwell,
    Evidence,
    Health,
    PropertyAbout,
    Status,
    Stopped,
    WrongWay,
)
from tests.unit.stream_lane.world import NODE, NOW, SPEED, T0, Sender, about, greeted, lane, lines


def test_a_new_description_moves_what_follows_and_nothing_before() -> None:
    made, sender = greeted(about(SPEED))
    again = Sender(term=2 << 32)
    output = made.take(
        [
            sender.batch(Column("loop", "speed", [T0], [40.0])),
            again.hello(about(SPEED, area="town/south")),
            again.batch(Column("loop", "speed", [T0 + 1], [41.0], wm=T0 + 600_000)),
        ]
    )
    stored = lines(output, "observation")
    assert [line.tags["district"] for line in stored] == ["north", "south"]
    window = lines(output, "aggregate")[-1]
    assert window.tags["district"] == "south"
    assert window.fields["count"] == 2


def test_what_is_no_longer_declared_is_refused_and_keeps_its_row() -> None:
    made, _ = greeted(about(SPEED, PropertyAbout("noise", "dB")))
    for n, what in enumerate([about(SPEED), about(PropertyAbout("noise", "dB"))], start=2):
        sender = Sender(term=n << 32)
        made.take([sender.hello(what)])
        output = made.take([sender.batch(Column("loop", "noise", [T0 + n], [50.0]))])
        assert output.observations == (n == 3)
        assert [r.reason for r in output.rejected] == ["undeclared"] * (n == 2)


def test_a_repeated_or_older_hello_changes_nothing() -> None:
    made, sender = greeted(about(SPEED))
    made.take([sender.batch(Column("loop", "speed", [T0], [40.0]))])
    before = made.snapshot()
    for term in (1 << 32, 1):
        output = made.take([Sender(term=term).hello(about(area="other"))])
        assert output.acks[NODE][:2] == (1 << 32, 1)
        assert output.acks[NODE].urgent
    assert made.snapshot() == before


def test_an_area_of_one_level_is_its_own_district() -> None:
    made, sender = greeted(about(SPEED, area="harbour"))
    output = made.take([sender.batch(Column("loop", "speed", [T0], [40.0]))])
    assert lines(output, "observation")[0].tags["district"] == "harbour"


def test_a_status_becomes_a_line() -> None:
    made, _ = greeted()
    health = Health(state="degraded", problems=("disk full", 'say "no"'), spool_bytes=7)
    online = Status(
        node=NODE, online=True, sent=T0, health=health, versions={"citynerve": "1", "b": "2"}
    )
    well = Status(node=NODE, online=True, sent=T0 + 1, health=Health())
    gone = Status(node=NODE, online=False, sent=T0)
    topic = f"city/v1/status/{NODE}"
    messages = [encode(online), encode(well), encode(gone, "msgpack")]
    output = made.take([(topic, message) for message in messages])
    first, second, last = lines(output, "node")
    assert first.tags == {"node": NODE, "district": "north"}
    assert first.time == T0 * 10**6
    assert first.fields["online"] == 1
    assert first.fields["spool_bytes"] == 7
    assert first.fields["state"] == "degraded"
    assert first.fields["problems"] == 'disk full; say "no"'
    assert first.fields["versions"] == "b=2 citynerve=1"
    assert (first.fields["lat"], first.fields["lon"]) == (56.25, 10.5)
    assert "clock_offset" not in first.fields
    assert (first.fields["seen"], second.fields["seen"]) == (T0, T0 + 1)
    assert second.fields["problems"] == ""
    # The last will was written when the node connected; it takes effect now.
    assert last.time == NOW * 10**6
    assert last.fields["online"] == 0
    assert last.fields["seen"] == NOW
    assert "problems" not in last.fields


def test_the_status_of_a_stranger_is_counted() -> None:
    status = encode(Status(node=NODE, online=True, sent=T0))
    output = lane().take([(f"city/v1/status/{NODE}", status)])
    assert output.lines == []
    assert output.dropped == {"status": 1}


CROSSING = Crossing(
    id="c1", t=T0, camera="cam", line="gate", cls="person", direction="in", track=4, speed=5.5
)


def test_crossings_and_events_become_lines() -> None:
    made, sender = greeted()
    events = [
        CROSSING,
        Dwell(id="d1", t=T0, camera="cam", zone="square", cls="person", track=5, seconds=2.5),
        WrongWay(id="w1", t=T0, camera="cam", zone="square", cls="car", track=6),
        Stopped(id="s1", t=T0, camera="cam", zone="square", cls="car", track=7, seconds=30.0),
        Crowd(id="k1", t=T0, camera="cam", zone="square", value=12.0),
    ]
    output = made.take([sender.batch(events=events)])
    (crossing,) = lines(output, "crossing")
    assert crossing.tags == {
        "node": NODE,
        "camera": "cam",
        "line": "gate",
        "class": "person",
        "direction": "in",
        "district": "north",
    }
    assert crossing.fields == {"count": 1, "speed": 5.5, "track": 4}
    found = {line.tags["type"]: line for line in lines(output, "event")}
    assert set(found) == {"dwell", "wrong_way", "stopped", "crowd"}
    assert found["dwell"].fields == {
        "id": "d1",
        "zone": "square",
        "class": "person",
        "track": 5,
        "seconds": 2.5,
        "lat": 56.25,
        "lon": 10.5,
    }
    assert found["crowd"].fields["value"] == 12


def test_two_events_of_one_millisecond_stay_two_and_a_repeat_stays_one() -> None:
    made, sender = greeted()
    twin = Crossing(id="c2", t=T0, camera="cam", line="gate", cls="person", direction="in", track=9)
    times = [
        line.time
        for _ in range(2)
        for line in lines(made.take([sender.batch(events=[CROSSING, twin])]), "crossing")
    ]
    assert len(times) == 4
    assert len(set(times)) == 2
    assert {time // 10**6 for time in times} == {T0}


def test_events_that_cannot_be_are_refused_alone() -> None:
    made, sender = greeted()
    bad = {
        "undeclared": Crowd(id="1", t=T0, camera="nocam", zone="square", value=1.0),
        "future": Crowd(id="2", t=2**70, camera="cam", zone="square", value=1.0),
        "old": Crowd(id="3", t=-1, camera="cam", zone="square", value=1.0),
        "name": Crowd(id="4", t=T0, camera="cam", zone="sq uare", value=1.0),
    }
    output = made.take([sender.batch(events=[*bad.values(), CROSSING])])
    assert {r.reason: r.count for r in output.rejected} == dict.fromkeys(bad, 1)
    assert len(output.lines) == 1


def test_a_class_that_is_no_name_is_refused() -> None:
    made, sender = greeted()
    event = WrongWay(id="w", t=T0, camera="cam", zone="square", cls="a,b=c", track=1)
    output = made.take([sender.batch(events=[event])])
    assert [r.reason for r in output.rejected] == ["name"]


def test_whole_numbers_that_no_double_can_hold_are_left_out() -> None:
    made, sender = greeted()
    event = WrongWay(id="w", t=T0, camera="cam", zone="square", cls="car", track=10**400)
    status = Status(node=NODE, online=True, sent=T0, health=Health(given_up=10**400))
    output = made.take([sender.batch(events=[event]), (f"city/v1/status/{NODE}", encode(status))])
    assert output.rejected == []
    assert "track" not in lines(output, "event")[0].fields
    assert "given_up" not in lines(output, "node")[0].fields


def test_pictures_pass_through() -> None:
    made, sender = greeted()
    picture = Evidence(id="p1", t=T0, camera="cam", jpeg=b"\xff\xd8")
    assert made.take([sender.batch(evidence=[picture])]).evidence == [(NODE, picture)]
