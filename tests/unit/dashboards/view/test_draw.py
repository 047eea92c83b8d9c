"""Drawings of hand-made frames: what ECharts, tables, figures and maps are given."""

from typing import Any

import msgspec
import pytest

from dashboards import boards
from dashboards.queries import Range
from dashboards.view import colors, draw
from dashboards.view.draw import axes, tokens
from dashboards.view.draw.drawing import Drawing, Look
from dashboards.view.frames import (
    Field,
    FieldConfig,
    Frame,
    Kind,
    Link,
    PanelData,
    Threshold,
    Value,
    ValueMapping,
)

SPAN = Range(0, 600_000)
MINUTE = 60_000


def look(**more: object) -> Look:
    return msgspec.structs.replace(Look(span=SPAN), **more)


def field(name: str, *values: Value, **config: object) -> Field:
    texts = any(isinstance(value, str) for value in values)
    kind: Kind = "string" if texts else "number"
    return Field(
        name=name, kind=kind, values=values, config=msgspec.structs.replace(FieldConfig(), **config)
    )


def times(*minutes: float) -> Field:
    return Field(name="Time", kind="time", values=[MINUTE * minute for minute in minutes])


def panel(kind: str, **options: object) -> dict[str, Any]:
    return {"type": kind, "title": "T", "options": options}


def drawn(kind: str, *fields: Field, look_: Look | None = None, **options: object) -> Drawing:
    data = PanelData(frames=[Frame(ref="A", fields=fields)])
    return draw.draw(panel(kind, **options), data, look_ or look())


def series(drawing: Drawing) -> list[dict[str, Any]]:
    return list(drawing.props["option"]["series"])


def test_every_type_of_panel_on_the_boards_can_be_drawn() -> None:
    used = {panel["type"] for board in boards.load().values() for panel in board["panels"]}
    assert used <= set(draw.TYPES)


def test_an_error_and_no_data_are_said_in_the_panel() -> None:
    failed = draw.draw(panel("timeseries"), PanelData(error="boom"), look())
    assert (failed.kind, failed.props) == ("note", {"text": "boom", "error": True})
    empty = draw.draw(panel("timeseries"), PanelData(), look(tr=str.upper))
    assert empty.props == {"text": "NO DATA IN THIS TIME RANGE", "error": False}
    assert "piechart" in draw.draw(panel("piechart"), PanelData(), look()).props["text"]
    assert draw.as_table(PanelData(error="boom"), look()).props["error"]


def test_lines_break_where_there_is_nothing_unless_they_span_it() -> None:
    values = (1, None, 3)
    for custom, expected in (
        ({}, [[0, 1], [MINUTE, None], [2 * MINUTE, 3]]),
        ({"spanNulls": True}, [[0, 1], [2 * MINUTE, 3]]),
        ({"spanNulls": 2 * MINUTE}, [[0, 1], [2 * MINUTE, 3]]),
        ({"spanNulls": MINUTE}, [[0, 1], [MINUTE, None], [2 * MINUTE, 3]]),
    ):
        found = drawn("timeseries", times(0, 1, 2), field("a", *values, custom=custom))
        points = [one if isinstance(one, list) else one["value"] for one in found_data(found)]
        assert points == expected
    apart = field("a", 1, 2, custom={"insertNulls": MINUTE})
    assert [0 + 1, None] in found_data(drawn("timeseries", times(0, 5), apart))


def found_data(drawing: Drawing) -> list[Any]:
    return [one if isinstance(one, dict) else list(one) for one in series(drawing)[0]["data"]]


def test_a_value_between_gaps_is_seen_as_a_point() -> None:
    custom = {"showPoints": "never"}
    alone = drawn("timeseries", times(0, 1, 2), field("a", None, 5, None, custom=custom))
    (line,) = series(alone)
    assert line["data"][1] == {"value": [MINUTE, 5], "symbol": "circle", "symbolSize": 4}


def test_what_is_stacked_has_the_same_times() -> None:
    stacked = {"drawStyle": "bars", "stacking": {"mode": "normal"}}
    frames = [
        Frame(ref="A", fields=[times(0, 1, 3), field("a", 1, 2, 3, custom=stacked)]),
        Frame(ref="A", fields=[times(1, 2), field("b", 10, 20, custom=stacked)]),
        Frame(ref="A", fields=[times(2), field("c", 5)]),
    ]
    drawing = draw.draw(panel("timeseries"), PanelData(frames=frames), look())
    found = {one["name"]: dict(one["data"]) for one in series(drawing)[:2]}
    assert found == {
        "a": {0: 1, MINUTE: 2, 2 * MINUTE: None, 3 * MINUTE: 3},
        "b": {0: None, MINUTE: 10, 2 * MINUTE: 20, 3 * MINUTE: None},
    }
    assert len(series(drawing)[2]["data"]) == 1


def test_styles_stacks_and_axes_follow_the_json() -> None:
    fields = [
        field("a", 1, 2, unit="percent", custom={"lineWidth": 2, "fillOpacity": 20}),
        field("b", 3, 4, unit="percent", custom={"drawStyle": "points", "pointSize": 7}),
        field("c", 5, 6, unit="ms", custom={"drawStyle": "bars", "stacking": {"mode": "normal"}}),
    ]
    drawing = drawn("timeseries", times(0, 1), *fields)
    line, points, bars = series(drawing)
    assert (line["type"], line["lineStyle"]["width"], line["areaStyle"]["opacity"]) == (
        *("line", 2.5, 0.2),
    )
    assert (points["type"], points["symbolSize"]) == ("scatter", 7)
    assert (bars["type"], bars["yAxisIndex"]) == ("bar", 1)
    assert "stack" in bars
    left, right = drawing.props["option"]["yAxis"]
    assert (left["position"], right["position"], right["scale"]) == ("left", "right", False)
    assert drawing.props["option"]["xAxis"]["min"] == SPAN.start
    assert drawing.props["option"]["xAxis"]["max"] == SPAN.end


def test_a_band_is_filled_between_two_series() -> None:
    low = field("low", 1, None, 3)
    high = field("high", 5, 6, 7, custom={"fillBelowTo": "low", "fillOpacity": 30})
    band, *lines = series(drawn("timeseries", times(0, 1, 2), low, high))
    assert band["segments"] == [[[0, 1, 5]], [[2 * MINUTE, 3, 7]]]
    assert band["opacity"] == pytest.approx(0.3)
    assert len(lines) == 2
    assert "areaStyle" not in lines[1]


def test_thresholds_are_drawn_where_the_panel_asks_for_them() -> None:
    steps = (Threshold(None, "green"), Threshold(5, "red"))
    custom = {"thresholdsStyle": {"mode": "line+area"}}
    (line,) = series(drawn("timeseries", times(0), field("a", 1, thresholds=steps, custom=custom)))
    assert [mark["yAxis"] for mark in line["markLine"]["data"]] == [5]
    assert line["markArea"]["data"][0][0]["yAxis"] == 5
    (bare,) = series(drawn("timeseries", times(0), field("a", 1, thresholds=steps)))
    assert "markLine" not in bare


def test_annotations_become_marks_with_their_text() -> None:
    marks = Frame(
        ref="Anomalies",
        fields=[
            Field(
                name="time",
                kind="time",
                values=[MINUTE, 8 * MINUTE],
                config=FieldConfig(color_mode="fixed", fixed_color="#D55E00"),
            ),
            Field(name="timeEnd", kind="time", values=[2 * MINUTE, None]),
            field("title", "spike", "gap"),
            field("text", "far above", ""),
        ],
    )
    frame = Frame(ref="A", fields=[times(0, 1), field("a", 1, 2)])
    data = PanelData(frames=[frame], annotations=[marks])
    drawing = draw.draw(panel("timeseries"), data, look())
    found = drawing.props["own"]["marks"]
    assert [(mark["t"], mark["end"], mark["title"]) for mark in found] == [
        (MINUTE, 2 * MINUTE, "spike"),
        (8 * MINUTE, None, "gap"),
    ]
    last = series(drawing)[-1]
    assert last["draws"] == "marks"
    assert last["grounds"] == [[MINUTE, 2 * MINUTE], [8 * MINUTE, 8 * MINUTE]]
    assert "2 marks" in drawing.summary


def test_a_chart_is_told_in_words() -> None:
    told = drawn("timeseries", times(0, 1), field("speed", 10, 30, unit="velocitykmh")).summary
    assert told == "speed: last 30 km/h, least 10 km/h, greatest 30 km/h"


def test_ticks_of_mebibytes_stand_at_round_ones() -> None:
    field_ = field("m", 0, 250 * 2**20, unit="bytes", low=0.0)
    axis = drawn("timeseries", times(0, 1), field_).props["option"]["yAxis"][0]
    assert axis["interval"] == 100 * 2**20
    plain = drawn("timeseries", times(0, 1), field("m", 0, 250, unit="short"))
    assert "interval" not in plain.props["option"]["yAxis"][0]


def test_figures_are_reduced_coloured_and_linked() -> None:
    steps = (Threshold(None, "#0072B2"), Threshold(1, "#D55E00"))
    of_three = field("n", 1, 5, 3, color_mode="thresholds", thresholds=steps, unit="velocitykmh")
    linked = look(follow=lambda *_: [Link("Open", "/d/x")])
    drawing = drawn(
        *("stat", times(0, 1, 2), of_three),
        look_=linked,
        reduceOptions={"calcs": ["max"]},
        graphMode="area",
        colorMode="value",
    )
    (figure,) = drawing.props["figures"]
    assert (figure["text"], figure["suffix"], figure["href"]) == ("5", " km/h", "/d/x")
    assert tokens.contrast(figure["color"], "#ffffff") >= tokens.TEXT_CONTRAST
    assert figure["spark"]["line"].count("L") == 2
    assert drawing.summary == "5 km/h"


def test_a_figure_without_data_says_the_panels_own_word() -> None:
    nothing = panel("stat") | {"fieldConfig": {"defaults": {"noValue": "stopped"}}}
    (figure,) = draw.draw(nothing, PanelData(), look()).props["figures"]
    assert figure["text"] == "stopped"


def test_a_figures_ground_may_carry_its_colour() -> None:
    running = ValueMapping(text="running", color="#009E73", low=1, high=9)
    drawing = drawn("stat", field("n", 2, mappings=[running]), colorMode="background")
    (figure,) = drawing.props["figures"]
    assert (figure["text"], figure["background"]) == ("running", "#009e73")
    assert tokens.contrast(figure["color"], figure["background"]) >= tokens.TEXT_CONTRAST


def test_cells_have_bars_colours_links_and_an_order() -> None:
    fields = [
        field("node", "a-1", "a-2"),
        field("n", 5.0, 10.0, custom={"cellOptions": {"type": "gauge"}}),
        field("hidden", 1, 2, hidden=True),
    ]
    drawing = drawn("table", *fields, sortBy=[{"displayName": "n", "desc": True}])
    assert [column["title"] for column in drawing.props["columns"]] == ["node", "n"]
    assert [column["align"] for column in drawing.props["columns"]] == ["left", "right"]
    assert [row[1]["p"] for row in drawing.props["rows"]] == [0.5, 1.0]
    assert drawing.props["sort"] == {"column": 1, "down": True}


def test_a_matrix_of_coloured_cells_shares_one_scale() -> None:
    custom = {"cellOptions": {"type": "color-background"}}
    config: dict[str, Any] = {"color_mode": "continuous-YlBl", "custom": custom}
    drawing = drawn(
        "table", field("day", "Mon"), field("00", 1, **config), field("01", 9, **config)
    )
    _, low, high = drawing.props["rows"][0]
    assert drawing.props["matrix"]
    assert low["b"] != high["b"]
    for cell in (low, high):
        assert tokens.contrast(cell["c"], cell["b"]) >= tokens.TEXT_CONTRAST


def test_the_same_data_as_a_table_names_each_series() -> None:
    frames = [
        Frame(
            ref="A",
            fields=[
                times(0),
                msgspec.structs.replace(field("mean", value), labels={"district": name}),
            ],
        )
        for name, value in (("havn", 1), ("centrum", 2))
    ]
    rows = draw.as_table(PanelData(frames=frames), look()).props["rows"]
    assert [[cell["t"] for cell in row][0::2] for row in rows] == [["havn", "1"], ["centrum", "2"]]


def test_bars_of_names_and_of_single_values() -> None:
    fields = field("day", "Mon", "Tue"), field("this", 3, 5), field("before", None, 4)
    drawing = drawn("barchart", *fields, xField="day")
    assert drawing.props["option"]["xAxis"]["data"] == ["Mon", "Tue"]
    assert [one["data"] for one in series(drawing)] == [[3, 5], [None, 4]]
    lying = drawn("barchart", *fields, orientation="horizontal").props["option"]
    assert lying["yAxis"][0]["type"] == "category"
    gauge = drawn("bargauge", field("a", 2.0, low=0.0, high=8.0))
    assert gauge.props["bars"][0]["part"] == 0.25


def test_states_last_until_the_next_one_and_the_last_to_the_end() -> None:
    ok = ValueMapping(text="fine", color="#009E73", value="1")
    states = field("health", 1, 1, 0, mappings=[ok], custom={})
    (blocks,) = series(drawn("state-timeline", times(0, 1, 2), states))
    assert [block["value"] for block in blocks["data"]] == [
        [0, 0, 2 * MINUTE],
        [0, 2 * MINUTE, SPAN.end],
    ]
    assert [block["text"] for block in blocks["data"]] == ["fine", "0"]


LAYERS = [
    {
        "type": "markers",
        "name": "Anomalies",
        "filterData": {"id": "byRefId", "options": "anomalies"},
        "config": {"style": {"size": {"fixed": 16}, "color": {"fixed": "#D55E00"}, "opacity": 0.5}},
    },
    {
        "type": "markers",
        "name": "Means",
        "filterData": {"id": "byRefId", "options": "means"},
        "config": {"style": {"size": {"fixed": 9}, "color": {"field": "mean"}, "opacity": 0.9}},
    },
]


def test_places_are_coloured_by_value_and_anomalies_are_rings() -> None:
    config: dict[str, Any] = {"color_mode": "continuous-YlBl"}
    frames = [
        Frame(
            ref=ref,
            fields=[
                field("node", "a", "b"),
                field("mean", 1, 9, **config),
                field("lat", 56.1, None),
                field("lon", 10.2, 10.3),
            ],
        )
        for ref in ("anomalies", "means")
    ]
    drawing = draw.draw(panel("geomap", layers=LAYERS), PanelData(frames=frames), look())
    rings, dots = drawing.props["layers"]
    assert rings["ringed"]
    assert not dots["ringed"]
    (dot,) = dots["points"]
    assert dot["at"] == [56.1, 10.2]
    assert dot["says"] == [["node", "a"], ["mean", "1"]]
    assert [legend["kind"] for legend in drawing.props["legend"]] == ["ring", "scale"]
    assert draw.draw(panel("geomap", layers=LAYERS), PanelData(), look()).kind == "map"


def test_numbers_are_json_even_of_the_largest_units() -> None:
    steps = axes.ladder(FieldConfig(unit="short"), look())["steps"]
    assert all(isinstance(part, float) for step in steps for part in step[:2])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_text_can_be_read_on_every_ground(theme: colors.Theme) -> None:
    known = tokens.TOKENS[theme]
    grounds = ("page", "surface", "raised", "sunken", "hover")
    for ink in ("text", "muted"):
        for ground in grounds:
            assert tokens.contrast(known[ink], known[ground]) >= tokens.TEXT_CONTRAST
    pairs = [
        *(("faint", "surface"), ("accent", "surface"), ("accent", "accent-soft")),
        *(("on-accent", "accent"), ("bad", "bad-soft"), ("bad", "surface")),
        *(("accent", "hover"), ("text", "land"), ("text", "district")),
    ]
    for ink, ground in pairs:
        assert tokens.contrast(known[ink], known[ground]) >= tokens.TEXT_CONTRAST, (ink, ground)
    for index in range(24):
        shade = tokens.series(index, theme)
        assert tokens.contrast(shade, known["surface"]) >= tokens.GRAPHIC_CONTRAST
    assert len({tokens.series(index, theme) for index in range(16)}) == 16
