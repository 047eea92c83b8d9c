"""The board **District**: one district against the city, its datastreams, nodes and anomalies."""

from typing import Final

from grafana_foundation_sdk.builders.bargauge import Panel as BarGauge
from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.builders.geomap import Panel as Geomap
from grafana_foundation_sdk.builders.table import Panel as Table
from grafana_foundation_sdk.builders.timeseries import Panel as Timeseries

from dashboards import anomalies, figures, links, machinery, maps, panels
from dashboards.influxql import InfluxQL, tag_values
from dashboards.looks import BLUE, GREY, SKY, colored, fixed, prop, titled
from dashboards.sources import MAIN, RAW

_HERE: Final = "\"district\" = '$district'"
_FIGURES: Final = ("speed", "flow", "pm25", "noise", "water_level", "people")


def build() -> Dashboard:
    """The whole board."""
    board = (
        panels.board(
            links.DISTRICT,
            "District",
            "One district: its key figures, how it compares with the whole city, where its sensors "
            "stand, which nodes serve it, and what is unusual there. Choose the district and a "
            "property above; a figure without a sensor in the district shows a dash.",
            span="24h",
            refresh="30s",
        )
        .with_variable(
            tag_values(
                "district",
                "District",
                RAW,
                'SHOW TAG VALUES FROM /^(aggregate|observation)$/ WITH KEY = "district"',
            )
        )
        .with_variable(
            tag_values(
                "property",
                "Property",
                RAW,
                f"""
                SHOW TAG VALUES FROM /^(aggregate|observation)$/ WITH KEY = "property"
                WHERE {_HERE}
                """,
                default="speed",
            )
        )
    )
    figures_row = [
        (figures.build(name, "$district"), (6 + 3 * index, 0, 3, 4))
        for index, name in enumerate(_FIGURES)
    ]
    return panels.place(
        board,
        [
            (machinery.nodes_online(_HERE), (0, 0, 3, 4)),
            (anomalies.open_now(_HERE), (3, 0, 3, 4)),
            *figures_row,
            (_against_the_city(), (0, 4, 15, 10)),
            (_ranking(), (15, 4, 9, 10)),
            (_map(), (0, 14, 12, 14)),
            (_datastreams(), (12, 14, 12, 14)),
            (anomalies.open_table(_OPEN, _HERE), (0, 28, 12, 9)),
            (_strength(), (12, 28, 12, 9)),
            (machinery.node_table(_HERE), (0, 37, 24, 9)),
            (anomalies.latest(_LATEST, _HERE), (0, 46, 24, 9)),
        ],
    )


_OPEN: Final = ("severity", "node", "sensor", "property", "reason")
_LATEST: Final = (
    *("kind", "node", "sensor", "property", "severity", "value"),
    *("expected", "low", "high", "open", "ended", "reason"),
)


def _against_the_city() -> Timeseries:
    return (
        panels.lines(
            "$property: $district against the city",
            "Ten-minute means of the district (thick) and of the whole city (dashed), with the "
            "band from the least to the greatest reading in the district.",
        )
        .interval("10m")
        .with_target(
            InfluxQL(
                "A",
                MAIN,
                f"""
                SELECT mean("mean") AS "$district", min("min") AS "least", max("max") AS "greatest"
                FROM "rollup" WHERE $timeFilter AND "window" = '10m'
                AND "property" = '$property' AND {_HERE}
                GROUP BY time($__interval) fill(none)
                """,
            ).series("$col")
        )
        .with_target(
            InfluxQL(
                "B",
                MAIN,
                """
                SELECT mean("mean") AS "city" FROM "rollup"
                WHERE $timeFilter AND "window" = '10m' AND "property" = '$property'
                AND "district" = '_city' GROUP BY time($__interval) fill(none)
                """,
            ).series("whole city")
        )
        .color_scheme(fixed(BLUE))
        .line_width(2)
        .override_by_name(
            "whole city",
            [
                colored(GREY),
                prop("custom.lineStyle", {"fill": "dash", "dash": [8, 6]}),
            ],
        )
        .override_by_name("least", [colored(SKY), prop("custom.lineWidth", 0)])
        .override_by_name(
            "greatest",
            [
                colored(SKY),
                prop("custom.lineWidth", 0),
                prop("custom.fillBelowTo", "least"),
                prop("custom.fillOpacity", 15),
            ],
        )
    )


def _ranking() -> BarGauge:
    return (
        panels.ranking(
            "$property, district by district",
            "The last ten-minute mean of every district in the time range. A click leads to the "
            "district.",
            InfluxQL(
                "A",
                MAIN,
                """
                SELECT last("mean") AS "mean" FROM "rollup"
                WHERE $timeFilter AND "window" = '10m' AND "property" = '$property'
                AND "district" !~ /^_/ GROUP BY "district"
                """,
            ).series("$tag_district"),
        )
        .color_scheme(fixed(BLUE))
        .decimals(1)
        .data_links([links.series_district()])
    )


def _map() -> Geomap:
    return maps.build(
        "Latest $property in $district; orange rings: open anomalies",
        "Each dot is the last closed window of a datastream of the chosen property, yellow for low "
        "and blue for high; rings are open anomalies of any property. A click leads to the "
        "datastream.",
        _HERE,
    )


def _datastreams() -> Table:
    return panels.with_columns(
        panels.listing(
            "Datastreams",
            "Every datastream of the district that reported in the time range, with its last "
            "ten-minute mean and when that window began. A click leads to the datastream.",
            InfluxQL(
                "A",
                MAIN,
                f"""
                SELECT last("mean") AS "mean" FROM "aggregate"
                WHERE $timeFilter AND "window" = '10m' AND {_HERE}
                GROUP BY "node", "sensor", "property"
                """,
            ),
        ),
        {
            "Time": [*titled("Window", "dateTimeFromNow"), prop("custom.width", 140)],
            "node": [*titled("Node"), *links.node()],
            "sensor": [*titled("Sensor"), *links.datastream()],
            "property": [*titled("Property"), *links.datastream()],
            "mean": [*titled("Mean"), prop("decimals", 2), *links.datastream()],
        },
    )


def _strength() -> Timeseries:
    return (
        panels.lines(
            "Datastreams behind the means of $property",
            "How many datastreams of the district gave a value in each ten minutes. When it falls, "
            "sensors are silent and the district's mean rests on fewer of them.",
        )
        .interval("10m")
        .min(0)
        .decimals(0)
        .color_scheme(fixed(BLUE))
        .fill_opacity(10)
        .with_target(
            InfluxQL(
                "A",
                MAIN,
                f"""
                SELECT min("datastreams") AS "datastreams" FROM "rollup"
                WHERE $timeFilter AND "window" = '10m' AND "property" = '$property' AND {_HERE}
                GROUP BY time($__interval) fill(none)
                """,
            ).series("datastreams")
        )
    )
