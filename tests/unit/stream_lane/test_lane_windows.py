"""Windows as they leave the lane, against the standard library's statistics."""

from statistics import fmean, pstdev
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citynerve.messages import Column
from citynerve.messages import PropertyAbout as Declared
from stream.lane.output import LaneOutput
from stream.lane.settings import RawMode
from tests.unit.stream_lane.world import T0, Line, Sender, about, closings, greeted, lines

NOISE = about(Declared("noise", "dB"))
FORMATS: tuple[Literal["json", "msgpack"], ...] = ("json", "msgpack")
LENGTHS = {"10s": 10_000, "1m": 60_000, "10m": 600_000}


def aggregates(output: LaneOutput, window: str) -> list[Line]:
    return [line for line in lines(output, "aggregate") if line.tags["window"] == window]


@settings(max_examples=50, deadline=None)
@given(
    steps=st.lists(st.integers(1, 30_000), min_size=1, max_size=200),
    values=st.lists(st.floats(0, 160), min_size=200, max_size=200),
)
def test_every_window_holds_its_readings(steps: list[int], values: list[float]) -> None:
    made, sender = greeted(NOISE)
    times = [T0 + sum(steps[: i + 1]) for i in range(len(steps))]
    readings = list(zip(times, values, strict=False))
    output = made.take(
        [
            sender.batch(Column("loop", "noise", [t for t, _ in part], [v for _, v in part]))
            for part in (readings[i : i + 7] for i in range(0, len(readings), 7))
        ]
        + [sender.batch(Column("loop", "noise", wm=times[-1] + 600_000))]
    )
    for window, length in LENGTHS.items():
        expected: dict[int, list[float]] = {}
        for t, v in readings:
            expected.setdefault(t // length * length, []).append(v)
        found = {line.time: line.fields for line in aggregates(output, window)}
        assert found.keys() == {start * 10**6 for start in expected}
        for start, inside in expected.items():
            fields = found[start * 10**6]
            assert fields["count"] == len(inside)
            assert fields["min"] == min(inside)
            assert fields["max"] == max(inside)
            assert fields["mean"] == pytest.approx(fmean(inside), rel=1e-9)
            assert fields["std"] == pytest.approx(pstdev(inside), rel=1e-6, abs=1e-6)
            assert fields["late"] == 0
    told = [
        ("north", "noise", line.tags["window"], line.time // 10**6, *figures(line))
        for line in lines(output, "aggregate")
    ]
    assert sorted(closings(output)) == sorted(told)


def figures(line: Line) -> list[float | str]:
    return [line.fields[name] for name in ("count", "mean", "min", "max")]


def test_tags_position_and_time_are_the_schemas() -> None:
    made, sender = greeted(NOISE)
    output = made.take(
        [
            sender.batch(
                Column("loop", "noise", [T0], [50.0], wm=T0 + 600_000),
                Column("mast", "noise", [T0], [51.0], wm=T0 + 600_000),
            )
        ]
    )
    loop, mast = aggregates(output, "10m")
    assert loop.tags == {
        "node": "node-0",
        "sensor": "loop",
        "property": "noise",
        "district": "north",
        "window": "10m",
    }
    assert (loop.fields["lat"], loop.fields["lon"]) == (56.25, 10.5)
    assert (mast.fields["lat"], mast.fields["lon"]) == (56.5, 10.75)
    assert loop.time == T0 * 10**6


@pytest.mark.parametrize(("last", "closes"), [(T0 + 9_998, False), (T0 + 9_999, True)])
def test_a_window_closes_with_its_last_millisecond(last: int, *, closes: bool) -> None:
    made, sender = greeted(NOISE)
    by_reading = made.take([sender.batch(Column("loop", "noise", [T0, last], [1.0, 2.0]))])
    assert bool(aggregates(by_reading, "10s")) is closes
    made, sender = greeted(NOISE)
    by_mark = made.take([sender.batch(Column("loop", "noise", [T0], [1.0], wm=last))])
    assert bool(aggregates(by_mark, "10s")) is closes


def test_a_mark_behind_the_watermark_changes_nothing() -> None:
    made, sender = greeted(NOISE)
    made.take([sender.batch(Column("loop", "noise", [T0 + 5_000], [1.0], wm=T0 + 1_000))])
    output = made.take([sender.batch(Column("loop", "noise", [T0 + 3_000], [1.0]))])
    assert [(r.reason, r.count) for r in output.rejected] == [("old", 1)]


def test_late_readings_are_stored_and_counted_in_the_next_closing_window() -> None:
    made, sender = greeted(NOISE)
    output = made.take(
        [
            sender.batch(Column("loop", "noise", [T0], [50.0], wm=T0 + 60_000)),
            sender.batch(Column("loop", "noise", [T0 - 5, T0 - 3], [1.0, 2.0], late=True)),
            sender.batch(Column("loop", "noise", [T0 + 61_000], [50.0], wm=T0 + 70_000)),
            sender.batch(Column("loop", "noise", [T0 + 71_000], [50.0], wm=T0 + 600_000)),
        ]
    )
    assert [line.fields["late"] for line in aggregates(output, "10s")] == [0, 2, 0]
    assert [line.fields["late"] for line in aggregates(output, "1m")] == [0, 2]
    assert [(line.fields["late"], line.fields["count"]) for line in aggregates(output, "10m")] == [
        (2, 3)
    ]
    stored = {line.time: line.fields for line in lines(output, "observation")}
    assert stored[(T0 - 5) * 10**6] == {"value": 1.0, "quality": 0.0}
    assert len(stored) == 5


def test_what_cannot_be_or_is_called_bad_is_in_no_window() -> None:
    made, sender = greeted(NOISE, raw="scenario")
    times = [T0, T0 + 1, T0 + 2, T0 + 3]
    column = Column("loop", "noise", times, [50.0, 500.0, 60.0, 70.0], q=[0, 0, 1, 2])
    output = made.take([sender.batch(column, Column("loop", "noise", wm=T0 + 10_000))])
    (window,) = aggregates(output, "10s")
    assert (window.fields["count"], window.fields["max"]) == (2, 60)
    qualities = [line.fields["quality"] for line in lines(output, "observation")]
    assert qualities == [0, 2, 1, 2]


def test_figures_no_double_can_hold_are_left_out() -> None:
    made, sender = greeted(about(Declared("mystery", "1")))
    column = Column("loop", "mystery", [T0, T0 + 1], [-1.5e308, 1.5e308], wm=T0 + 600_000)
    output = made.take([sender.batch(column)])
    found = aggregates(output, "10m")[0].fields
    assert found["count"] == 2
    assert "std" not in found
    assert found["max"] == 1.5e308
    assert output.closed == []


@pytest.mark.parametrize(
    ("raw", "speed", "load"), [("scenario", 1, 0), ("all", 1, 1), ("none", 0, 0)]
)
def test_raw_storage_is_the_scenarios_choice_unless_set(
    raw: RawMode, speed: int, load: int
) -> None:
    declared = about(Declared("speed", "km/h"), Declared("load", "1"))
    made, sender = greeted(declared, raw=raw)
    output = made.take(
        [sender.batch(Column("loop", "speed", [T0], [50.0]), Column("loop", "load", [T0], [0.5]))]
    )
    stored = [line.tags["property"] for line in lines(output, "observation")]
    assert (stored.count("speed"), stored.count("load")) == (speed, load)
    assert output.observations == 2


def test_json_and_messagepack_are_the_same() -> None:
    outputs = []
    for form in FORMATS:
        made, _ = greeted(NOISE)
        sender = Sender(form=form)
        column = Column("loop", "noise", [T0], [50.5], q=[1], wm=T0 + 600_000)
        outputs.append(made.take([sender.batch(column)]))
    json, msgpack = [(o.raw, o.lines, o.acks, closings(o)) for o in outputs]
    assert json == msgpack
    assert len(closings(outputs[0])) == len(LENGTHS)
