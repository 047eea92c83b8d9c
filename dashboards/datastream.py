"""The board **Datastream**: one series' values, what was expected, windows, quality, anomalies."""

from typing import Final

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.builders.stat import Panel as Stat
from grafana_foundation_sdk.builders.timeseries import Panel as Timeseries
from grafana_foundation_sdk.models import common, dashboard

from citynerve.messages import BAD, UNCERTAIN
from dashboards import anomalies, links, panels
from dashboards.influxql import InfluxQL, annotation, choice, tag_values
from dashboards.looks import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    colored,
    prop,
    titled,
)
from dashboards.sources import MAIN, MIXED, RAW, Source

_THIS: Final = "\"node\" = '$node' AND \"sensor\" = '$sensor' AND \"property\" = '$property'"
_NAMES: Final = "SHOW TAG VALUES FROM /^(aggregate|observation)$/ WITH KEY"
_WINDOWS: Final = ("10s", "1m", "10m")


def build() -> Dashboard:
    """The whole board."""
    return panels.place(
        _frame(),
        [
            (_last(), (0, 0, 6, 4)),
            (_stored(), (6, 0, 6, 4)),
            (_late(), (12, 0, 6, 4)),
            (anomalies.opened(_THIS), (18, 0, 6, 4)),
            (_values(), (0, 4, 24, 11)),
            (_aggregates(), (0, 15, 24, 9)),
            (_quality(), (0, 24, 12, 8)),
            (_counts(), (12, 24, 12, 8)),
            (anomalies.latest(_COLUMNS, _THIS), (0, 32, 24, 9)),
        ],
    )


_COLUMNS: Final = (
    *("kind", "severity", "score", "value", "expected", "low", "high"),
    *("open", "ended", "reason"),
)


def _frame() -> Dashboard:
    # Hidden: which district the node is in, for the link there.
    district = tag_values(
        "district", "District", RAW, f'{_NAMES} = "district" WHERE "node" = \'$node\''
    ).hide(dashboard.VariableHide.HIDE_VARIABLE)
    return (
        panels.board(
            links.DATASTREAM,
            "Datastream",
            "One datastream, which is one property of one sensor at one node: its values with the "
            "band that its history lets expect, its windows, the quality of its readings, and what "
            "was unusual. Coloured spans mark anomalies.",
            span="6h",
        )
        .link(links.to(links.NODES, "This node", node="${node}"))
        .link(
            links.to(links.DISTRICT, "Its district", district="${district}", property="${property}")
        )
        .with_variable(tag_values("node", "Node", RAW, f'{_NAMES} = "node"'))
        .with_variable(
            tag_values("sensor", "Sensor", RAW, f'{_NAMES} = "sensor" WHERE "node" = \'$node\'')
        )
        .with_variable(
            tag_values(
                "property",
                "Property",
                RAW,
                f"""{_NAMES} = "property" WHERE "node" = '$node' AND "sensor" = '$sensor'""",
            )
        )
        # Every property has windows of ten minutes, few have others.
        .with_variable(choice("window", "Window", _WINDOWS, "10m"))
        .with_variable(district)
        .annotation(
            annotation(
                "Anomalies",
                MAIN,
                f"""
                SELECT "reason", "kind", "ended" FROM "anomaly"
                WHERE $timeFilter AND {_THIS} ORDER BY time DESC LIMIT 500
                """,
                text="reason",
                tags="kind",
                end="ended",
                color=VERMILION,
            )
        )
    )


def _last() -> Stat:
    return panels.key_figure(
        "Last value",
        "The newest stored observation of the range. A dash where observations are not stored one "
        "by one.",
        InfluxQL(
            "A",
            RAW,
            f"""SELECT last("value") AS "value" FROM "observation" WHERE $timeFilter AND {_THIS}""",
        ),
    ).decimals(2)


def _stored() -> Stat:
    return panels.count(
        "Observations",
        "How many readings are stored in the time range, of whatever quality. Zero where they are "
        "not stored one by one.",
        InfluxQL(
            "A",
            RAW,
            f"""
            SELECT count("value") AS "observations" FROM "observation"
            WHERE $timeFilter AND {_THIS}
            """,
        ),
    )


def _late() -> Stat:
    return panels.count(
        "Late",
        "Readings that came after their window had closed: stored, but in no mean. Raise the "
        "sensor's lateness at its node if they are many.",
        InfluxQL(
            "A",
            MAIN,
            f"""
            SELECT sum("late") AS "late" FROM "aggregate"
            WHERE $timeFilter AND "window" = '10m' AND {_THIS}
            """,
        ),
    )


def _values() -> Timeseries:
    return (
        panels.lines(
            "Value",
            "Observations as they were stored (blue; where several share a pixel, their mean), bad "
            "ones (impossible, or marked so by the sensor) as red points, and where it is known "
            "the expected value (dashed) with its band. Spans in red are anomalies.",
        )
        .datasource(MIXED)
        .with_target(_observed("A", "value", f'"quality" < {BAD}'))
        .with_target(_observed("B", "bad", f'"quality" >= {BAD}'))
        .with_target(
            InfluxQL(
                "C",
                MAIN,
                f"""
                SELECT mean("value") AS "expected", mean("low") AS "lowest expected",
                mean("high") AS "highest expected" FROM "expected"
                WHERE $timeFilter AND {_THIS} GROUP BY time($__interval) fill(none)
                """,
            ).series("$col")
        )
        .override_by_name("value", [colored(BLUE), prop("custom.lineWidth", 2)])
        .override_by_name(
            "bad",
            [
                colored(VERMILION),
                prop("custom.drawStyle", common.GraphDrawStyle.POINTS),
                prop("custom.pointSize", 7),
            ],
        )
        .override_by_name(
            "expected",
            [colored(GREY), prop("custom.lineStyle", {"fill": "dash", "dash": [8, 6]})],
        )
        .override_by_name("lowest expected", [colored(GREY), prop("custom.lineWidth", 0)])
        .override_by_name(
            "highest expected",
            [
                colored(GREY),
                prop("custom.lineWidth", 0),
                prop("custom.fillBelowTo", "lowest expected"),
                prop("custom.fillOpacity", 20),
            ],
        )
    )


def _observed(ref: str, name: str, condition: str) -> InfluxQL:
    return InfluxQL(
        ref,
        RAW,
        f"""
        SELECT mean("value") AS "{name}" FROM "observation"
        WHERE $timeFilter AND {condition} AND {_THIS}
        GROUP BY time($__interval) fill(none)
        """,
    ).series(name)


def _aggregates() -> Timeseries:
    # Windows under ten minutes stand in the one database, the others in the other; InfluxQL on 2.x
    # can't ask both at once, so both are asked and one has no answer.
    return (
        panels.lines(
            "Mean, minimum and maximum of $window windows",
            "Each window's mean, with the band from its least to its greatest reading. Where "
            "several windows share a pixel, the mean of their means and their extremes. These stay "
            "when the observations themselves are deleted.",
        )
        .datasource(MIXED)
        .with_target(_window_figures("A", RAW))
        .with_target(_window_figures("B", MAIN))
        .override_by_name("mean", [colored(BLUE), prop("custom.lineWidth", 2)])
        .override_by_name("min", [colored(SKY)])
        .override_by_name(
            "max",
            [
                colored(SKY),
                prop("custom.fillBelowTo", "min"),
                prop("custom.fillOpacity", 15),
            ],
        )
    )


def _window_figures(ref: str, source: Source) -> InfluxQL:
    return InfluxQL(
        ref,
        source,
        f"""
        SELECT mean("mean") AS "mean", min("min") AS "min", max("max") AS "max" FROM "aggregate"
        WHERE $timeFilter AND "window" = '$window' AND {_THIS}
        GROUP BY time($__interval) fill(none)
        """,
    ).series("$col")


def _quality() -> Timeseries:
    return (
        panels.bars(
            "Readings by quality",
            "How many readings were good, uncertain or bad. Bad ones are stored, but in no window.",
        )
        .interval("1m")
        .with_target(_of_quality("A", "good", f'"quality" < {UNCERTAIN}'))
        .with_target(
            _of_quality("B", "uncertain", f'"quality" >= {UNCERTAIN} AND "quality" < {BAD}')
        )
        .with_target(_of_quality("C", "bad", f'"quality" >= {BAD}'))
        .override_by_name("good", [colored(GREEN)])
        .override_by_name("uncertain", [colored(ORANGE)])
        .override_by_name("bad", [colored(VERMILION)])
    )


def _of_quality(ref: str, name: str, condition: str) -> InfluxQL:
    return InfluxQL(
        ref,
        RAW,
        f"""
        SELECT count("value") AS "{name}" FROM "observation"
        WHERE $timeFilter AND {condition} AND {_THIS}
        GROUP BY time($__interval) fill(none)
        """,
    ).series(name)


def _counts() -> Timeseries:
    return (
        panels.bars(
            "Readings in $window windows",
            "How many readings each window counted, and how many came too late for it. Gaps are "
            "silence.",
        )
        .datasource(MIXED)
        .with_target(_window_counts("A", RAW))
        .with_target(_window_counts("B", MAIN))
        .override_by_name("count", [*titled("in time"), colored(SKY)])
        .override_by_name("late", [colored(PURPLE)])
    )


def _window_counts(ref: str, source: Source) -> InfluxQL:
    return InfluxQL(
        ref,
        source,
        f"""
        SELECT sum("count") AS "count", sum("late") AS "late" FROM "aggregate"
        WHERE $timeFilter AND "window" = '$window' AND {_THIS}
        GROUP BY time($__interval) fill(none)
        """,
    ).series("$col")
