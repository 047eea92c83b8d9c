"""The board **City now**: where values stand on the map, key figures, anomalies, the busiest."""

from typing import Final

from grafana_foundation_sdk.builders.dashboard import Dashboard, QueryVariable
from grafana_foundation_sdk.builders.geomap import Panel as Geomap
from grafana_foundation_sdk.builders.stat import Panel as Stat
from grafana_foundation_sdk.builders.table import Panel as Table
from grafana_foundation_sdk.builders.timeseries import Panel as Timeseries

from dashboards import anomalies, figures, links, machinery, maps, panels, properties
from dashboards.influxql import InfluxQL, tag_values
from dashboards.looks import GREEN, bar, hidden, prop, titled
from dashboards.sources import MAIN, RAW

_ANYWHERE: Final = '"district" !~ /^_/'


_COMPARED: Final = ("speed", "queue", "pm25", "noise", "occupancy", "people")
"""What the districts are compared by."""


def build() -> Dashboard:
    """The whole board."""
    board = panels.board(
        links.CITY,
        "City now",
        "The city at a glance, for the control room: is everything running (first row), how does "
        "each domain stand (second row), where is something unusual (map and table). A click on a "
        "place, district or anomaly leads deeper.",
    ).with_variable(property_choice())
    figures_row = [
        (figures.build(name, figures.CITY), (3 * index, 4, 3, 4))
        for index, name in enumerate(figures.FIGURES)
    ]
    return panels.place(
        board,
        [
            (machinery.nodes_online(_ANYWHERE), (0, 0, 4, 4)),
            (anomalies.open_now(_ANYWHERE), (4, 0, 4, 4)),
            (anomalies.open_now(_ANYWHERE, anomalies.SEVERE), (8, 0, 4, 4)),
            (_observations(), (12, 0, 4, 4)),
            (machinery.delay(), (16, 0, 4, 4)),
            (machinery.refused(), (20, 0, 4, 4)),
            *figures_row,
            (_map(), (0, 8, 14, 17)),
            (_open_anomalies(), (14, 8, 10, 8)),
            (_districts(), (14, 16, 10, 9)),
            (_by_district(), (0, 25, 14, 9)),
            (_busiest_lines(), (14, 25, 10, 9)),
            (_latest(), (0, 34, 24, 9)),
        ],
    )


def property_choice() -> QueryVariable:
    """Which property maps and curves show."""
    return tag_values(
        "property",
        "Property",
        RAW,
        'SHOW TAG VALUES FROM /^(aggregate|observation)$/ WITH KEY = "property"',
        default="speed",
    )


def _observations() -> Stat:
    return panels.key_figure(
        "Observations a minute",
        "How many sensor readings the stream takes in, from the whole city. A sudden drop means "
        "that nodes are cut off.",
        InfluxQL(
            "A",
            MAIN,
            """
            SELECT mean("observations_per_s") * 60 AS "observations" FROM "stream"
            WHERE $timeFilter AND "part" = 'lane' GROUP BY time($__interval) fill(none)
            """,
        ).series("observations"),
    ).max_data_points(100)


def _map() -> Geomap:
    return maps.build(
        "Latest $property; orange rings: open anomalies",
        "Each dot is the last closed window of a datastream of the chosen property, yellow for low "
        "and blue for high. An orange ring is an anomaly of any property that opened in the time "
        "range and has not ended. A click leads to the datastream or the district.",
        _ANYWHERE,
    )


def _open_anomalies() -> Table:
    # Node and sensor are there for the links.
    panel = anomalies.open_table(
        ("severity", "district", "property", "reason", "node", "sensor"), _ANYWHERE
    )
    return panel.override_by_name("node", hidden()).override_by_name("sensor", hidden())


def _districts() -> Table:
    panel = (
        panels.listing(
            "Districts now",
            "The last ten-minute mean of each district, by property. A click on its name leads to "
            "the district.",
            InfluxQL(
                "A",
                MAIN,
                f"""
                SELECT last("mean") AS "mean" FROM "rollup"
                WHERE $timeFilter AND "window" = '10m' AND "district" !~ /^_/
                AND "property" =~ {properties.pattern(_COMPARED)}
                GROUP BY "district", "property"
                """,
            ),
        )
        .transformations(panels.matrix("district", "property", "mean"))
        .no_value(panels.NOTHING)
    )
    panel.override_by_name(
        "district\\property",
        [*titled("District"), prop("custom.width", 130), *links.this_district()],
    )
    for name, overrides in properties.columns(_COMPARED):
        panel.override_by_name(name, overrides)
    return panel


def _by_district() -> Timeseries:
    return (
        panels.lines(
            "$property by district",
            "Ten-minute means of each district over the time range. A curve that leaves the others "
            "tells where to look.",
        )
        .interval("10m")
        .with_target(
            InfluxQL(
                "A",
                MAIN,
                """
                SELECT mean("mean") AS "mean" FROM "rollup"
                WHERE $timeFilter AND "window" = '10m' AND "property" = '$property'
                AND "district" !~ /^_/ GROUP BY time($__interval), "district" fill(none)
                """,
            ).series("$tag_district")
        )
        .data_links([links.series_district()])
    )


def _busiest_lines() -> Table:
    panel = panels.with_columns(
        panels.listing(
            "Busiest counting lines",
            "How many people and vehicles passed the cameras' lines in the time range, by class.",
            InfluxQL(
                "A",
                MAIN,
                """
                SELECT top("total", "node", "camera", "line", "class", 10) AS "crossings" FROM (
                    SELECT sum("count") AS "total" FROM "crossing"
                    WHERE $timeFilter GROUP BY "node", "camera", "line", "class"
                )
                """,
            ),
        ),
        {
            "Time": hidden(),
            "node": titled("Node"),
            "camera": [*titled("Camera"), *links.camera()],
            "line": titled("Line"),
            "class": titled("Class"),
            "crossings": [*titled("Crossings"), *bar(GREEN)],
        },
    )
    return panels.sorted_by(panel, "Crossings", descending=True)


def _latest() -> Table:
    return anomalies.latest(
        (
            *("kind", "node", "sensor", "property", "district", "severity", "score"),
            *("value", "expected", "low", "high", "open", "ended", "reason"),
        ),
        _ANYWHERE,
    )
