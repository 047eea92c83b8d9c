"""The board **Cameras**: how many are in the picture and in zones, and who passes which line."""

from typing import Final

from grafana_foundation_sdk.builders.barchart import Panel as BarChart
from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.builders.stat import Panel as Stat
from grafana_foundation_sdk.builders.table import Panel as Table
from grafana_foundation_sdk.builders.timeseries import Panel as Timeseries

from dashboards import anomalies, links, panels
from dashboards.influxql import InfluxQL, tag_values, with_all
from dashboards.looks import (
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    Properties,
    bar,
    colored,
    hidden,
    prop,
    titled,
)
from dashboards.sources import MAIN, RAW

_COUNTS: Final = '"property" =~ /^(count|zone)_/'
_SEEN: Final = '"node" =~ /^$node$/ AND "sensor" =~ /^$camera$/'
_CROSSED: Final = '"node" =~ /^$node$/ AND "camera" =~ /^$camera$/'
_VEHICLES: Final = "bicycle|car|motorcycle|bus|truck"

_CLASSES: Final = {
    "person": ("people", BLUE),
    "bicycle": ("bicycles", GREEN),
    "car": ("cars", ORANGE),
    "motorcycle": ("motorcycles", SKY),
    "bus": ("buses", PURPLE),
    "truck": ("trucks", VERMILION),
}
"""Class -> what people call many of it, and its colour on every panel."""


def build() -> Dashboard:
    """The whole board."""
    board = (
        panels.board(
            links.CAMERAS,
            "Cameras",
            "What the cameras count, as numbers only: how many people and vehicles are in the "
            "picture and in each zone, and how many passed each line, by class and direction. No "
            "picture leaves a camera's node. Choose nodes and cameras above.",
        )
        .with_variable(
            with_all(
                tag_values(
                    "node",
                    "Node",
                    RAW,
                    f'SHOW TAG VALUES FROM "aggregate" WITH KEY = "node" WHERE {_COUNTS}',
                )
            )
        )
        .with_variable(
            with_all(
                tag_values(
                    "camera",
                    "Camera",
                    RAW,
                    f"""
                    SHOW TAG VALUES FROM "aggregate" WITH KEY = "sensor"
                    WHERE {_COUNTS} AND "node" =~ /^$node$/
                    """,
                )
            )
        )
    )
    return panels.place(
        board,
        [
            (_now("People in view", "person", "People"), (0, 0, 6, 4)),
            (_now("Vehicles in view", _VEHICLES, "Vehicles"), (6, 0, 6, 4)),
            (_crossings("People counted", "person", "People"), (12, 0, 6, 4)),
            (_crossings("Vehicles counted", _VEHICLES, "Vehicles"), (18, 0, 6, 4)),
            (_in_picture(), (0, 4, 12, 9)),
            (_in_zones(), (12, 4, 12, 9)),
            (_flow_by_class(), (0, 13, 12, 9)),
            (_flow_by_direction(), (12, 13, 12, 9)),
            (_totals(), (0, 22, 10, 10)),
            (_lines(), (10, 22, 14, 10)),
            (_anomalies(), (0, 32, 24, 8)),
        ],
    )


def _now(title: str, classes: str, what: str) -> Stat:
    return (
        panels.key_figure(
            title,
            f"{what} in the pictures of the chosen cameras, all together; the newest mean of a "
            "minute.",
            InfluxQL(
                "A",
                RAW,
                f"""
                SELECT sum("mean") AS "seen" FROM (
                    SELECT mean("mean") AS "mean" FROM "aggregate"
                    WHERE $timeFilter AND "window" = '1m'
                    AND "property" =~ /^count_({classes})$/ AND {_SEEN}
                    GROUP BY time($__interval), "node", "sensor", "property" fill(none)
                ) WHERE $timeFilter GROUP BY time($__interval) fill(none)
                """,
            ).series("seen"),
        )
        .interval("1m")
        .max_data_points(100)
        .decimals(1)
    )


def _crossings(title: str, classes: str, what: str) -> Stat:
    return panels.count(
        title,
        f"{what} that passed a line of the chosen cameras in the time range. One who passes two "
        "lines counts twice.",
        InfluxQL(
            "A",
            MAIN,
            f"""
            SELECT sum("count") AS "crossings" FROM "crossing"
            WHERE $timeFilter AND "class" =~ /^({classes})$/ AND {_CROSSED}
            """,
        ),
    )


def _in_picture() -> Timeseries:
    return _classes(
        panels.lines(
            "In the picture, by class",
            "How many of each class are seen at once, the mean of each minute, over all chosen "
            "cameras together.",
        )
        .interval("1m")
        # A sum over cameras of means over time costs what it is asked for.
        .max_data_points(300)
        .min(0)
        .fill_opacity(10)
        .with_target(_seen("count_")),
        "count_",
    )


def _in_zones() -> Timeseries:
    return (
        panels.lines(
            "In zones",
            "How many of each class are inside each zone at once (zone and class as the node's "
            "configuration names them), the mean of each minute.",
        )
        .interval("1m")
        # A sum over cameras of means over time costs what it is asked for.
        .max_data_points(300)
        .min(0)
        .fill_opacity(10)
        .with_target(_seen("zone_"))
    )


def _seen(prefix: str) -> InfluxQL:
    return InfluxQL(
        "A",
        RAW,
        f"""
        SELECT sum("mean") AS "seen" FROM (
            SELECT mean("mean") AS "mean" FROM "aggregate"
            WHERE $timeFilter AND "window" = '1m' AND "property" =~ /^{prefix}/ AND {_SEEN}
            GROUP BY time($__interval), "node", "sensor", "property" fill(none)
        ) WHERE $timeFilter GROUP BY time($__interval), "property" fill(none)
        """,
    ).series("$tag_property")


def _flow_by_class() -> Timeseries:
    return _classes(
        panels.bars(
            "Passing lines, by class",
            "How many of each class passed the lines of the chosen cameras, in steps of at least a "
            "minute.",
        )
        .interval("1m")
        .max_data_points(300)
        .with_target(_flow("class")),
        "",
    )


def _flow_by_direction() -> Timeseries:
    return (
        panels.bars(
            "Passing lines, by line and direction",
            "How many passed each line in each direction (named by the node's configuration), in "
            "steps of at least a minute.",
        )
        .interval("1m")
        .max_data_points(300)
        .with_target(_flow("line", "direction"))
    )


def _flow(*tags: str) -> InfluxQL:
    grouped = ", ".join(f'"{tag}"' for tag in tags)
    return InfluxQL(
        "A",
        MAIN,
        f"""
        SELECT sum("count") AS "crossings" FROM "crossing" WHERE $timeFilter AND {_CROSSED}
        GROUP BY time($__interval), {grouped} fill(none)
        """,
    ).series(" ".join(f"$tag_{tag}" for tag in tags))


def _totals() -> BarChart:
    return (
        panels.columns(
            "Counted, by class and direction",
            "All that passed lines in the time range, for each class and each direction.",
            "class\\direction",
        )
        .with_target(
            InfluxQL(
                "A",
                MAIN,
                f"""
                SELECT sum("count") AS "crossings" FROM "crossing"
                WHERE $timeFilter AND {_CROSSED} GROUP BY "class", "direction"
                """,
            )
        )
        .transformations(panels.matrix("class", "direction", "crossings"))
    )


def _lines() -> Table:
    panel = panels.with_columns(
        panels.listing(
            "Lines",
            "Each counting line, direction and class with its count in the time range, and the "
            "mean speed where the camera's ground plane is known.",
            InfluxQL(
                "A",
                MAIN,
                f"""
                SELECT sum("count") AS "crossings", mean("speed") AS "speed" FROM "crossing"
                WHERE $timeFilter AND {_CROSSED}
                GROUP BY "node", "camera", "line", "direction", "class"
                """,
            ),
        ),
        {
            "Time": hidden(),
            "node": [*titled("Node"), *links.node()],
            "camera": titled("Camera"),
            "line": titled("Line"),
            "direction": titled("Direction"),
            "class": titled("Class"),
            "crossings": [*titled("Crossings"), *bar(GREEN)],
            "speed": [
                *titled("Mean speed", "velocitykmh"),
                prop("decimals", 0),
                prop("noValue", panels.NOTHING),
            ],
        },
    )
    return panels.sorted_by(panel, "Crossings", descending=True)


def _anomalies() -> Table:
    return anomalies.latest(
        ("kind", "node", "sensor", "property", "severity", "value", "open", "ended", "reason"),
        f"{_COUNTS} AND {_SEEN}",
    )


def _classes(panel: Timeseries, prefix: str) -> Timeseries:
    for name, (many, color) in _CLASSES.items():
        looks: Properties = [*titled(many), colored(color)]
        panel.override_by_name(f"{prefix}{name}", looks)
    return panel
