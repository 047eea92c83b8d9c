"""The engine over answers that are given; the integration tests ask real servers."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from citynerve.errors import ConfigError, UnavailableError
from citynerve.influx import Series
from dashboards.queries import ALL, Range
from dashboards.view.asking import Asking
from dashboards.view.engine import Engine
from dashboards.view.truth import NAME, Truth

SPAN = Range(1_000, 61_000, 60)


class Answers:
    """Two data sources that keep what they were asked."""

    def __init__(self, **given: list[Series]) -> None:
        self.given = given
        self.asked: list[str] = []

    def __call__(self, influxql: str) -> list[Series]:
        self.asked.append(influxql)
        if "broken" in influxql:
            raise ConfigError("InfluxDB refuses the query", value=influxql)
        return next((answer for word, answer in self.given.items() if word in influxql), [])


NODES = [Series("node", {}, ["key", "value"], [["node", "b"], ["node", "a"], ["node", "_x"]])]
MEANS = [Series("aggregate", {"node": "a"}, ["time", "mean"], [[2_000, 1.5], [3_000, 2.5]])]
MARKS = [
    Series(
        "anomaly",
        {},
        ["time", "reason", "kind", "ended"],
        [[5_000, "far above", "level", 9_000], [4_000, "no change", "flatline", None]],
    )
]
BOARD: dict[str, Any] = {
    "templating": {
        "list": [
            {
                "type": "query",
                "name": "node",
                "query": "SHOW TAG VALUES nodes",
                "datasource": {"uid": "main"},
                "sort": 1,
                "regex": "/^[^_]/",
                "multi": True,
                "includeAll": True,
            },
            {
                "type": "query",
                "name": "sensor",
                "query": "SHOW TAG VALUES sensors of '$node'",
                "datasource": {"uid": "main"},
            },
            {"type": "custom", "name": "window", "query": "1m,10m", "current": {"value": "10m"}},
        ]
    },
    "annotations": {
        "list": [
            {
                "name": "Anomalies",
                "datasource": {"uid": "main"},
                "iconColor": "red",
                "target": {
                    "query": "SELECT marks WHERE $timeFilter",
                    "textColumn": "reason",
                    "tagsColumn": "kind",
                    "timeEndColumn": "ended",
                },
            },
            {"name": "Off", "enable": False, "target": {"query": "x"}},
            {
                "name": "Others",
                "datasource": {"uid": "main"},
                "target": {"query": "SELECT others"},
                "filter": {"exclude": True, "ids": [1]},
            },
        ]
    },
}


def panel(query: str, source: str = "main", **more: object) -> dict[str, Any]:
    target = {"refId": "A", "datasource": {"uid": source}, "rawQuery": True, "query": query}
    changed = more.pop("target", {})
    assert isinstance(changed, dict)
    return {"id": 1, "type": "table", "targets": [{**target, **changed}], **more}


@pytest.fixture
def answers() -> Answers:
    return Answers(nodes=NODES, means=MEANS, marks=MARKS)


@pytest.fixture
def engine(answers: Answers) -> Iterator[Engine]:
    with Engine(Asking({"main": answers, "raw": answers}, threads=4)) as engine:
        yield engine


def test_variables_are_filled_one_after_the_other(engine: Engine, answers: Answers) -> None:
    assert engine.options(BOARD, "node", {}) == ["a", "b"]
    assert engine.options(BOARD, "window", {}) == ["1m", "10m"]
    assert engine.options(BOARD, "sensor", {"node": "a"}) == []
    assert answers.asked[-1] == "SHOW TAG VALUES sensors of 'a'"
    assert engine.options(BOARD, "sensor", {}) == []  # not asked: nothing is chosen before it
    assert len(answers.asked) == 2
    with pytest.raises(ConfigError, match="no such variable"):
        engine.options(BOARD, "gone", {})


def test_what_is_chosen_is_on_offer(engine: Engine) -> None:
    assert engine.settle(BOARD, {}) == {"node": "a", "window": "10m"}
    assert engine.settle(BOARD, {"node": ("b", "gone"), "window": "1m"}) == {
        "node": "b",
        "window": "1m",
    }


def test_a_query_gets_range_interval_and_choices(engine: Engine, answers: Answers) -> None:
    shown = panel("SELECT means WHERE $timeFilter AND n =~ /^$node$/ GROUP BY time($__interval)")
    data = engine.panel(BOARD, shown, {"node": ALL}, SPAN)
    assert data.error is None
    # "All" without a pattern of its own stands for every value on offer.
    assert answers.asked[-1] == (
        "SELECT means WHERE time >= 1000ms and time <= 61000ms AND n =~ /^(a|b)$/"
        " GROUP BY time(1000ms)"
    )
    engine.panel(BOARD, {**shown, "interval": "10s"}, {"node": "a"}, SPAN)
    assert "/^a$/ GROUP BY time(10000ms)" in answers.asked[-1]
    engine.panel(BOARD, {**shown, "timeShift": "1s"}, {"node": "a"}, SPAN)
    assert "time >= 0ms and time <= 60000ms" in answers.asked[-1]


def test_both_forms_of_answer(engine: Engine) -> None:
    (series,) = engine.panel(
        BOARD, panel("means", target={"alias": "$tag_node $window $col"}), {"window": "1m"}, SPAN
    ).frames
    assert [field.name for field in series.fields] == ["Time", "a 1m mean"]
    (table,) = engine.panel(
        BOARD, panel("means", target={"resultFormat": "table"}), {}, SPAN
    ).frames
    assert [field.name for field in table.fields] == ["Time", "node", "mean"]


def test_hidden_queries_are_not_asked(engine: Engine, answers: Answers) -> None:
    assert engine.panel(BOARD, panel("means", target={"hide": True}), {}, SPAN).frames == []
    assert answers.asked == []


def test_transformations_and_looks_are_applied(engine: Engine) -> None:
    shown = panel(
        "means",
        target={"resultFormat": "table"},
        transformations=[{"id": "limit", "options": {"limitField": 1}}],
        fieldConfig={"defaults": {"unit": "velocitykmh"}, "overrides": []},
    )
    (frame,) = engine.panel(BOARD, shown, {}, SPAN).frames
    assert (frame.fields[2].values, frame.fields[2].config.unit) == ([1.5], "velocitykmh")


def test_annotations_stand_on_panels_with_a_time_axis(engine: Engine) -> None:
    data = engine.panel(BOARD, panel("means", type="timeseries"), {}, SPAN)
    (marks,) = data.annotations
    found = {field.name: field.values for field in marks.fields}
    assert (marks.ref, marks.fields[0].config.fixed_color) == ("Anomalies", "red")
    assert found == {
        "time": [4_000, 5_000],
        "timeEnd": [None, 9_000],
        "title": ["Anomalies", "Anomalies"],
        "text": ["no change", "far above"],
        "tags": ["flatline", "level"],
    }
    other = engine.panel(BOARD, {**panel("means", type="timeseries"), "id": 2}, {}, SPAN)
    assert [frame.ref for frame in other.annotations] == ["Anomalies", "Others"]
    assert engine.panel(BOARD, panel("means"), {}, SPAN).annotations == []


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        (panel("broken"), "refuses the query"),
        (panel("means", source="gone"), "use one of main, raw"),
        (panel("$gone"), "a variable that the board does not have"),
        (panel("'$sensor'"), "has no value"),
        (panel("means", target={"rawQuery": False}), "raw InfluxQL"),
        (panel("means", transformations=[{"id": "magic"}]), "'magic'"),
        (panel("means", interval="often"), "length of time"),
        (panel("means", timeShift="often"), "length of time"),
    ],
)
def test_what_is_wrong_stands_in_the_panel(
    engine: Engine, shown: dict[str, Any], said: str
) -> None:
    data = engine.panel(BOARD, shown, {"node": "a"}, SPAN)
    assert data.frames == ()
    assert data.error is not None
    assert said in data.error


def test_equal_questions_of_a_moment_are_asked_once() -> None:
    begun, go = threading.Event(), threading.Event()
    asked = []

    def slow(influxql: str) -> list[Series]:
        asked.append(influxql)
        begun.set()
        assert go.wait(30)
        return MEANS

    asking = Asking({"main": slow}, threads=2)
    first = asking.ask("main", "q", 60)
    assert begun.wait(30)
    second = asking.ask("main", "q", 60)
    go.set()
    assert first.get() is second.get()
    assert asking.ask("main", "q", 60).get() is first.get()
    assert asked == ["q"]
    asking.close()


def test_an_answer_that_is_no_longer_fresh_is_asked_for_again() -> None:
    answers = Answers()
    asking = Asking({"main": answers}, threads=1)
    asking.ask("main", "q").get()
    asking.ask("main", "q").get()
    assert answers.asked == ["q", "q"]
    asking.close()


def test_an_end_keeps_nobody_waiting() -> None:
    begun, go = threading.Event(), threading.Event()

    def stuck(_: str) -> list[Series]:
        begun.set()
        go.wait(60)
        return []

    engine = Engine(Asking({"main": stuck}, threads=1))
    found: list[str | None] = []
    threads = [
        threading.Thread(
            target=lambda query=query: found.append(
                engine.panel(BOARD, panel(query), {}, SPAN).error
            )
        )
        for query in ("one", "two")
    ]
    for thread in threads:
        thread.start()
    assert begun.wait(30)
    engine.close()
    for thread in threads:
        thread.join(30)
    assert len(found) == 2
    assert all(error and "the view is ending" in error for error in found)
    assert engine.panel(BOARD, panel("three"), {}, SPAN).error
    go.set()


def test_an_answer_too_large_to_draw_is_refused() -> None:
    big = [Series("m", {}, ["time", "v"], [[1, 2]] * 500_001)]
    with Engine(Asking({"main": lambda _: big}, threads=1)) as engine:
        error = engine.panel(BOARD, panel("x"), {}, SPAN).error
    assert error is not None
    assert "1,000,002 values are too many" in error


def incident(**more: object) -> dict[str, Any]:
    base = {
        "id": "i1",
        "kind": "traffic_jam",
        "district": "north",
        "street": "Elm Street",
        "lat": 1.0,
        "lon": 2.0,
        "start": 2_000,
        "end": 9_000,
        "size": 3.0,
        "datastreams": [
            {
                "node": "a",
                "sensor": "loop",
                "property": "speed",
                "start": 2_500,
                "end": 9_500,
                "effect": "down",
            }
        ],
    }
    return {**base, **more}


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    path = tmp_path / "truth.ndjson"
    later = incident(id="i2", start=90_000, end=99_000, datastreams=[])
    lines = [incident(), later, incident(id="i3", district="_city")]
    path.write_bytes(b"\n".join(msgspec.json.encode(line) for line in lines) + b"\n\n")
    return path


@pytest.mark.parametrize(
    ("chosen", "times"),
    [
        ({}, []),  # a board about the machinery
        ({"property": "flow"}, []),
        ({"property": "speed", "district": ALL}, [2_000, 2_000]),
        ({"district": ("north", "south")}, [2_000, 2_000]),
        ({"district": "south"}, [2_000]),  # what befalls the whole city
        ({"node": "a"}, [2_500, 2_500]),
        ({"node": "a", "sensor": "loop", "property": ALL}, [2_500, 2_500]),
        ({"node": "a", "property": "flow"}, []),
        ({"node": "b"}, []),
    ],
)
def test_simulated_incidents_are_marked_where_they_touch_what_is_shown(
    truth: Path, chosen: dict[str, Any], times: list[int]
) -> None:
    frame = Truth(truth).frame(chosen, SPAN)
    found = {field.name: list(field.values) for field in frame.fields}
    assert (frame.ref, found["time"]) == (NAME, times)
    assert set(found["title"]) <= {"Traffic jam"}


def test_the_file_of_incidents_is_read_again_when_it_grows(truth: Path, answers: Answers) -> None:
    known = Truth(truth)
    assert len(known.incidents()) == 3
    with truth.open("ab") as file:
        file.write(msgspec.json.encode(incident(id="i4", start=3_000)) + b"\n")
    assert len(known.incidents()) == 4
    engine = Engine(Asking({"main": answers}, threads=1), known)
    data = engine.panel(BOARD, panel("means", type="timeseries"), {}, SPAN)
    assert [frame.ref for frame in data.annotations] == ["Anomalies", NAME]
    truth.write_text("{}\n")
    assert "line 1 is no incident" in (
        engine.panel(BOARD, panel("means", type="timeseries"), {}, SPAN).error or ""
    )
    truth.unlink()
    assert known.incidents() == ()  # it comes when the simulation starts
    engine.close()


def test_a_server_that_is_away_is_said_in_the_panel() -> None:
    def away(_: str) -> list[Series]:
        raise UnavailableError("InfluxDB", where="http://x", problem="refused", fix="start it")

    with Engine(Asking({"main": away}, threads=1)) as engine:
        assert "start it" in (engine.panel(BOARD, panel("x"), {}, SPAN).error or "")
