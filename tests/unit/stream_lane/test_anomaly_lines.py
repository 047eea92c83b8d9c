"""Anomalies as they leave the lane: one line each, rewritten; an event at both ends; words."""

import pytest

from citynerve.messages import Column, PropertyAbout
from stream.lane.anomalies import reason
from stream.lane.output import LaneOutput
from tests.unit.stream_lane.world import NODE, SPEED, T0, Sender, about, greeted, lines

MINUTE = 60_000


def usual(sender: Sender, count: int = 100) -> tuple[str, bytes]:
    times = [T0 + i * MINUTE for i in range(count)]
    return sender.batch(Column("loop", "speed", times, [50.0 + i % 5 for i in range(count)]))


def spiked() -> list[LaneOutput]:
    made, sender = greeted(about(SPEED))
    made.take([usual(sender)])
    after = T0 + 100 * MINUTE
    return [
        made.take([sender.batch(Column("loop", "speed", [after + i * MINUTE], [value]))])
        for i, value in enumerate([150.0, 290.0, 52.0])
    ]


def test_an_anomaly_is_one_point_through_its_life() -> None:
    written = [lines(output, "anomaly") for output in spiked()]
    assert [len(found) for found in written] == [1, 1, 1]
    opened, update, closed = (found[0] for found in written)
    assert opened.tags == {
        "node": NODE,
        "sensor": "loop",
        "property": "speed",
        "district": "north",
        "kind": "spike",
    }
    assert opened.tags == update.tags == closed.tags
    assert opened.time == update.time == closed.time
    assert opened.time // 10**6 == T0 + 100 * MINUTE
    assert len({line.fields["id"] for line in (opened, update, closed)}) == 1
    assert "ended" not in opened.fields
    assert [line.fields["open"] for line in (opened, update, closed)] == [1, 1, 0]
    assert closed.fields["ended"] == T0 + 102 * MINUTE
    assert update.fields["value"] == closed.fields["value"] == 290
    assert opened.fields["reason"] == (
        f"150 km/h, expected {opened.fields['low']:.3g} to {opened.fields['high']:.3g} at this hour"
    )
    assert 0 < float(opened.fields["severity"]) <= 0.6
    assert float(update.fields["severity"]) > float(opened.fields["severity"])
    assert (opened.fields["lat"], opened.fields["lon"]) == (56.25, 10.5)


def test_an_event_is_sent_at_both_ends() -> None:
    opened, update, closed = (output.anomalies for output in spiked())
    assert update == []
    (start,), (end,) = opened, closed
    assert start.id == end.id
    assert (start.t, start.ended) == (T0 + 100 * MINUTE, None)
    assert end.ended == T0 + 102 * MINUTE
    assert (start.district, start.property, start.kind) == ("north", "speed", "spike")


def test_a_declared_range_holds_where_the_scenario_has_none() -> None:
    made, sender = greeted(about(PropertyAbout("mystery", "1", range=(0.0, 10.0))))
    output = made.take([sender.batch(Column("loop", "mystery", [T0], [11.0]))])
    (line,) = lines(output, "anomaly")
    assert line.tags["kind"] == "range"
    assert line.fields["reason"] == "11, possible are 0 to 10"


@pytest.mark.parametrize(
    ("kind", "figures", "words"),
    [
        (
            "spike",
            ("km/h", 142.3, 45.0, 30.2, 60.4, 0),
            "142 km/h, expected 30.2 to 60.4 at this h",
        ),
        ("spike", ("1", 12.0, 3.0, 0.0, 8.5, 0), "12, expected 0 to 8.5 at this hour"),
        (
            "level shift",
            ("km/h", 42.3, 61.0, 55.25, 66.75, 0),
            "42.3 km/h of late, expected 55.2 to 66.8 at this hour",
        ),
        ("trend", ("Cel", 9.0, 5.0, 3.0, 7.0, 0), "9 °C of late, expected 3 to 7 at this hour"),
        (
            "variance",
            ("Cel", 9.0, 5.0, float("nan"), float("nan"), 0),
            "readings lie farther apart than usual, around 5 °C",
        ),
        ("range", ("Cel", 99.25, 0.0, -60.0, 60.0, 0), "99.2 °C, possible are -60 to 60"),
        (
            "flatline",
            ("ug/m3", 7.5, 7_200_000.0, 0.0, 0.0, 10_800_000),
            "7.5 µg/m³ for 3 h without change, at most 2 h is usual",
        ),
        (
            "gap",
            ("m", 7.5, 300_000.0, 0.0, 0.0, 129_600_000),
            "nothing for 1.5 days, usually a reading every 5 min",
        ),
    ],
)
def test_reasons_are_sentences(
    kind: str, figures: tuple[str, float, float, float, float, int], words: str
) -> None:
    assert reason(kind, *figures).startswith(words)
