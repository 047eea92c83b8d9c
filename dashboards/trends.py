"""The board **Trends**: the rhythm of a week, and this week against the one before."""

from typing import Final

from grafana_foundation_sdk.builders.barchart import Panel as BarChart
from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.builders.stat import Panel as Stat
from grafana_foundation_sdk.builders.table import Panel as Table
from grafana_foundation_sdk.builders.timeseries import Panel as Timeseries
from grafana_foundation_sdk.models.dashboard import DataTransformerConfig

from dashboards import anomalies, figures, links, panels
from dashboards.influxql import InfluxQL, tag_values
from dashboards.looks import BLUE, ORANGE, bar, colored, prop, scale, titled, words
from dashboards.sources import MAIN

_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_ROLLED: Final = "\"window\" = '10m' AND \"property\" = '$property'"
_HERE: Final = f"{_ROLLED} AND \"district\" = '$district'"
_NOW: Final = "$timeFilter"
_BEFORE: Final = "time >= ${__from}ms - 7d AND time <= ${__to}ms - 7d"
"""The same span of time, a week earlier."""


def build() -> Dashboard:
    """The whole board."""
    board = (
        panels.board(
            links.TRENDS,
            "Trends",
            "The city's rhythm: when in the week a property is high or low, and how the time range "
            "compares with the same span a week before, for one district or the whole city "
            f"({figures.CITY}). Ask for a week or more.",
            span="7d",
            refresh="5m",
        )
        .with_variable(
            tag_values(
                "property",
                "Property",
                MAIN,
                'SHOW TAG VALUES FROM "rollup" WITH KEY = "property"',
                default="speed",
            )
        )
        .with_variable(
            tag_values(
                "district",
                "District",
                MAIN,
                """
                SHOW TAG VALUES FROM "rollup" WITH KEY = "district"
                WHERE "property" = '$property'
                """,
                default=figures.CITY,
            )
        )
    )
    return panels.place(
        board,
        [
            (
                _figure("Mean", "The mean of $property over the time range.", "mean", _NOW),
                (0, 0, 6, 4),
            ),
            (
                _figure(
                    "Mean a week before",
                    "The mean of $property over the same span, seven days earlier.",
                    "mean",
                    _BEFORE,
                ),
                (6, 0, 6, 4),
            ),
            (
                _figure("Highest", "The greatest single reading of $property.", "max", _NOW),
                (12, 0, 6, 4),
            ),
            (anomalies.opened(_anomalies()), (18, 0, 6, 4)),
            (_week(), (0, 4, 24, 11)),
            (_by("ddd", "day"), (0, 15, 12, 9)),
            (_by("HH", "hour"), (12, 15, 12, 9)),
            (_districts_over_time(), (0, 24, 14, 10)),
            (_districts(), (14, 24, 10, 10)),
        ],
    )


def _anomalies() -> str:
    return "\"property\" = '$property'"


def _figure(title: str, description: str, function: str, when: str) -> Stat:
    return (
        panels.key_figure(
            title,
            description,
            InfluxQL(
                "A",
                MAIN,
                f"""
                SELECT {function}("{function}") AS "{function}" FROM "rollup"
                WHERE {when} AND {_HERE}
                """,
            ),
        )
        .decimals(1)
        .max_data_points(100)
    )


def _week() -> Table:
    """A table as a heatmap: a row a weekday, a column an hour."""
    hours = panels.transformed(
        "formatTime", timeField="Time", outputFormat="[hour=]HH [day=]E", useTimezone=True
    )
    panel = (
        panels.listing(
            "$property by weekday and hour",
            "The mean of each hour of each weekday over the time range, in your time zone: yellow "
            "is low, blue is high. It shows when rush hour is, and which day is unlike the others.",
            InfluxQL(
                "A",
                MAIN,
                f"""
                SELECT mean("mean") AS "mean" FROM "rollup" WHERE {_NOW} AND {_HERE}
                GROUP BY time(1h) fill(none)
                """,
            ),
        )
        .transformations(
            [
                hours,
                _grouped("mean"),
                _sorted("Time"),
                panels.transformed(
                    "extractFields", source="Time", format="kvp", replace=False, keepTime=False
                ),
                panels.transformed(
                    "groupingToMatrix",
                    rowField="day",
                    columnField="hour",
                    valueField="mean (mean)",
                    emptyValue="null",
                ),
                _sorted("day\\hour"),
            ]
        )
        .color_scheme(scale())
        .decimals(0)
        .cell_options(panels.colored_cell())
    )
    names = {str(day): (name, "text") for day, name in enumerate(_WEEKDAYS, start=1)}
    return panel.override_by_name(
        "day\\hour",
        [
            *titled("Day"),
            prop("mappings", [words(names)]),
            prop("custom.cellOptions", {"type": "auto"}),
            prop("custom.width", 60),
        ],
    )


def _by(moment: str, what: str) -> BarChart:
    """The mean of each day of the week, or hour of the day, now and a week before."""
    panel = panels.columns(
        f"$property by {what}, this week and the week before",
        f"The mean of each {what} over the time range (blue) beside that of the same span seven "
        "days earlier (orange), in your time zone.",
        "Time",
    )
    for ref, name, when in (("A", "this", _NOW), ("B", "before", _BEFORE)):
        panel.with_target(
            InfluxQL(
                ref,
                MAIN,
                f"""
                SELECT mean("mean") AS "{name}" FROM "rollup" WHERE {when} AND {_HERE}
                GROUP BY time(1h) fill(none)
                """,
            )
        )
    steps = [
        panels.transformed("formatTime", timeField="Time", outputFormat=moment, useTimezone=True),
        _grouped("this", "before"),
        panels.transformed("joinByField", byField="Time", mode="outer"),
    ]
    if what == "hour":
        steps.append(_sorted("Time"))
    return (
        panel.transformations(steps)
        .override_by_name("this (mean)", [*titled("this week"), colored(BLUE)])
        .override_by_name("before (mean)", [*titled("week before"), colored(ORANGE)])
    )


def _grouped(*fields: str) -> DataTransformerConfig:
    """The mean of each group of equal times."""
    options: dict[str, object] = {"Time": {"operation": "groupby", "aggregations": []}}
    for field in fields:
        options[field] = {"operation": "aggregate", "aggregations": ["mean"]}
    return panels.transformed("groupBy", fields=options)


def _sorted(field: str) -> DataTransformerConfig:
    return panels.transformed("sortBy", fields={}, sort=[{"field": field, "desc": False}])


def _districts_over_time() -> Timeseries:
    return (
        panels.lines(
            "$property by district",
            "Means of each district over the time range, in steps of at least an hour.",
        )
        .interval("1h")
        .with_target(
            InfluxQL(
                "A",
                MAIN,
                f"""
                SELECT mean("mean") AS "mean" FROM "rollup"
                WHERE {_NOW} AND {_ROLLED} AND "district" !~ /^_/
                GROUP BY time($__interval), "district" fill(none)
                """,
            ).series("$tag_district")
        )
        .data_links([links.series_district()])
    )


def _districts() -> Table:
    panel = panels.listing(
        "$property, district by district",
        "The mean of each district over the time range, and over the same span seven days earlier.",
        _district_means("A", "this", _NOW),
    ).with_target(_district_means("B", "before", _BEFORE))
    return panels.with_columns(
        panel.transformations(
            [
                panels.transformed(
                    "organize", excludeByName={"Time": True}, indexByName={}, renameByName={}
                ),
                panels.transformed("joinByField", byField="district", mode="outer"),
            ]
        ),
        {
            "district": [*titled("District"), *links.this_district()],
            "this": [*titled("This week"), *bar(BLUE), prop("decimals", 1)],
            "before": [*titled("Week before"), *bar(ORANGE), prop("decimals", 1)],
        },
    )


def _district_means(ref: str, name: str, when: str) -> InfluxQL:
    return InfluxQL(
        ref,
        MAIN,
        f"""
        SELECT mean("mean") AS "{name}" FROM "rollup"
        WHERE {when} AND {_ROLLED} AND "district" !~ /^_/ GROUP BY "district"
        """,
    )
