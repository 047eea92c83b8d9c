from typing import Any

import pytest

from citynerve.errors import ConfigError
from dashboards.view.frames import Field, Link, Threshold, ValueMapping
from dashboards.view.looks import dressed, pattern
from dashboards.view.tables import Column, Table

TABLE = Table(
    "A",
    (
        Column("Time", "time", [0, 3_600_000]),
        Column("node", "string", ["a", "b"], given="node"),
        Column("speed", "number", [1.0, 9.0], given="speed"),
        Column("speed_high", "number", [2.0, 12.0], given="speed_high"),
    ),
)


def dress(*tables: Table, kind: str = "table", **looks: object) -> list[Field]:
    panel = {"type": kind, "fieldConfig": looks}
    return [field for frame in dressed(panel, tables) for field in frame.fields]


def override(matcher: str, options: object, **properties: object) -> dict[str, Any]:
    return {
        "matcher": {"id": matcher, "options": options},
        "properties": [
            {"id": name.replace("__", "."), "value": value} for name, value in properties.items()
        ],
    }


def test_defaults_hold_for_every_field() -> None:
    fields = dress(
        TABLE,
        defaults={
            "unit": "velocitykmh",
            "decimals": 1,
            "min": 0,
            "max": 100,
            "noValue": "-",
            "color": {"mode": "fixed", "fixedColor": "#0072B2"},
            "links": [{"title": "Open", "url": "/d/x", "targetBlank": True}],
            "custom": {"lineWidth": 2},
        },
    )
    config = fields[2].config
    assert (config.unit, config.decimals, config.low, config.high) == ("velocitykmh", 1, 0, 100)
    assert (config.no_value, config.color_mode, config.fixed_color) == ("-", "fixed", "#0072B2")
    assert config.links == (Link("Open", "/d/x", new_tab=True),)
    assert config.custom == {"lineWidth": 2}
    assert fields[0].config.unit == "dateTimeAsSystem"
    assert [field.config.display_name for field in fields] == [None] * 4


def test_an_override_changes_only_what_it_means_and_later_ones_count() -> None:
    fields = dress(
        TABLE,
        defaults={"custom": {"lineWidth": 1, "lineStyle": {"fill": "solid"}}},
        overrides=[
            override("byName", "speed", displayName="Speed", custom__lineStyle__fill="dash"),
            override("byRegexp", "/^speed/", decimals=2),
            override("byName", "speed", decimals=0),
            override("byType", "time", custom__hidden=True),
            override("byFrameRefID", "B", displayName="never"),
            override("byName", "node", custom__hideFrom={"viz": True}),
        ],
    )
    time, node, speed, high = fields
    assert (speed.config.display_name, speed.config.decimals, high.config.decimals) == (
        "Speed",
        0,
        2,
    )
    assert speed.config.custom == {"lineWidth": 1, "lineStyle": {"fill": "dash"}}
    assert high.config.custom == {"lineWidth": 1, "lineStyle": {"fill": "solid"}}
    assert (time.config.hidden, node.config.hidden, speed.config.hidden) == (True, True, False)
    assert node.config.display_name is None


@pytest.mark.parametrize(
    ("matcher", "options", "meant"),
    [
        ("byNames", {"names": ["node", "speed"]}, ["node", "speed"]),
        ("byNames", {"names": ["Time", "node"], "mode": "exclude"}, ["speed", "speed_high"]),
        ("byRegexp", "SPEED", []),
        ("byRegexp", "/SPEED/i", ["speed", "speed_high"]),
        ("byRegexpOrNames", {"names": ["node"], "pattern": "_high$"}, ["node", "speed_high"]),
        ("byTypes", ["time", "string"], ["Time", "node"]),
        ("byValue", {"reducer": "max", "op": "gt", "value": 10}, ["speed_high"]),
        ("numeric", None, ["speed", "speed_high"]),
        ("first", None, ["Time"]),
        ("firstTimeField", None, ["Time"]),
    ],
)
def test_matchers(matcher: str, options: object, meant: list[str]) -> None:
    fields = dress(TABLE, overrides=[override(matcher, options, description="x", noValue="hit")])
    assert [field.name for field in fields if field.config.no_value == "hit"] == meant


def test_a_series_is_meant_by_its_title_and_named_by_it() -> None:
    series = Table(
        "A",
        (
            Column("Time", "time", [1, 2]),
            Column("Value", "number", [1, 2], labels={"node": "a"}, given="node a"),
        ),
        "node a",
    )
    fields = dress(series, kind="timeseries", overrides=[override("byName", "node a", unit="ms")])
    assert (fields[1].name, fields[1].config.unit) == ("node a", "ms")
    assert fields[1].labels == {"node": "a"}
    assert fields[1].config.color_mode == "palette-classic"
    assert fields[0].config.unit == "dateTimeAsSystemMs"  # two milliseconds: they matter


def test_without_thresholds_there_are_grafanas() -> None:
    config = dress(TABLE, kind="stat")[2].config
    assert config.color_mode == "thresholds"
    assert config.thresholds == (Threshold(None, "green"), Threshold(80, "red"))


def test_thresholds_are_put_in_order_and_the_first_has_no_least() -> None:
    steps = [{"value": 0, "color": "a"}, {"value": 9, "color": "c"}, {"value": 5, "color": "b"}]
    config = dress(TABLE, defaults={"thresholds": {"mode": "percentage", "steps": steps}})[2].config
    assert config.thresholds == (Threshold(None, "a"), Threshold(5, "b"), Threshold(9, "c"))
    assert config.thresholds_mode == "percentage"


def test_mappings_of_every_kind() -> None:
    mappings = [
        {"type": "value", "options": {"2": {"text": "two", "index": 1}, "1": {"text": "one"}}},
        {"type": "range", "options": {"from": 3, "to": None, "result": {"text": "many"}}},
        {"type": "special", "options": {"match": "null", "result": {"color": "red"}}},
    ]
    assert dress(TABLE, defaults={"mappings": mappings})[2].config.mappings == (
        ValueMapping(text="one", value="1"),
        ValueMapping(text="two", value="2"),
        ValueMapping(text="many", low=3),
        ValueMapping(color="red", special="null"),
    )


def test_what_is_not_known_is_refused() -> None:
    with pytest.raises(ConfigError, match="byColour"):
        dress(TABLE, overrides=[override("byColour", "x")])
    with pytest.raises(ConfigError, match="regex"):
        dress(TABLE, defaults={"mappings": [{"type": "regex", "options": {}}]})
    with pytest.raises(ConfigError, match="regular expression"):
        pattern("/(/")
