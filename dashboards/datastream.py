"""The board **Datastream**: one series' values, aggregates and anomalies."""

from typing import Final

from grafana_foundation_sdk.builders.common import VizLegendOptions
from grafana_foundation_sdk.builders.dashboard import Dashboard, DashboardLink
from grafana_foundation_sdk.builders.stat import Panel as Stat
from grafana_foundation_sdk.builders.table import Panel as Table
from grafana_foundation_sdk.builders.timeseries import Panel as Timeseries
from grafana_foundation_sdk.models import common, dashboard

from citynerve.messages import BAD
from dashboards import panels
from dashboards.influxql import InfluxQL, annotation, choice, tag_values
from dashboards.sources import MAIN, MIXED, RAW, Source

_THIS: Final = "\"node\" = '$node' AND \"sensor\" = '$sensor' AND \"property\" = '$property'"
_NAMES: Final = "SHOW TAG VALUES FROM /^(aggregate|observation)$/ WITH KEY"
_WINDOWS: Final = ("10s", "1m", "10m")


def build() -> Dashboard:
    """The whole board."""
    board = (
        panels.board(
            panels.DATASTREAM_UID,
            "Datastream",
            "One datastream: its values, its windows, and what was unusual about it.",
        )
        .link(
            DashboardLink("City now")
            .type(dashboard.DashboardLinkType.LINK)
            .url(f"/d/{panels.CITY_UID}")
            .keep_time(keep_time=True)
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
        .with_variable(choice("window", "Window", _WINDOWS, "1m"))
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
                color=panels.VERMILION,
            )
        )
    )
    return panels.place(
        board,
        [
            (_last(), (0, 0, 6, 4)),
            (_stored(), (6, 0, 6, 4)),
            (_late(), (12, 0, 6, 4)),
            (panels.anomaly_count(_THIS), (18, 0, 6, 4)),
            (_values(), (0, 4, 24, 9)),
            (_aggregates(), (0, 13, 24, 9)),
            (_counts(), (0, 22, 8, 9)),
            (_anomalies(), (8, 22, 16, 9)),
        ],
    )


def _last() -> Stat:
    return panels.key_figure(
        "Last value",
        "The newest stored observation of the range. Empty where raw storage is off.",
        InfluxQL(
            "A",
            RAW,
            f"""SELECT last("value") AS "value" FROM "observation" WHERE $timeFilter AND {_THIS}""",
        ),
        "lastNotNull",
    ).decimals(2)


def _stored() -> Stat:
    return panels.key_figure(
        "Observations",
        "Stored in the time range, of whatever quality. Zero where raw storage is off.",
        InfluxQL(
            "A",
            RAW,
            f"""
            SELECT count("value") AS "observations" FROM "observation"
            WHERE $timeFilter AND {_THIS}
            """,
        ),
        "lastNotNull",
    )


def _late() -> Stat:
    return panels.key_figure(
        "Late",
        "Observations that came after their window had closed, by ten-minute windows.",
        InfluxQL(
            "A",
            MAIN,
            f"""
            SELECT sum("late") AS "late" FROM "aggregate"
            WHERE $timeFilter AND "window" = '10m' AND {_THIS}
            """,
        ),
        "lastNotNull",
    )


def _values() -> Timeseries:
    return (
        _lines(
            "Value",
            "Observations as they were stored; where several share a pixel, their mean. Bad ones "
            "(out of the property's physical range, or marked so by the sensor) as points.",
        )
        .with_target(
            InfluxQL(
                "A",
                RAW,
                f"""
                SELECT mean("value") AS "value" FROM "observation"
                WHERE $timeFilter AND "quality" < {BAD} AND {_THIS}
                GROUP BY time($__interval) fill(none)
                """,
            ).series("value")
        )
        .with_target(
            InfluxQL(
                "B",
                RAW,
                f"""
                SELECT mean("value") AS "bad" FROM "observation"
                WHERE $timeFilter AND "quality" >= {BAD} AND {_THIS}
                GROUP BY time($__interval) fill(none)
                """,
            ).series("bad")
        )
        .override_by_name("value", [_color(panels.BLUE)])
        .override_by_name(
            "bad",
            [
                _color(panels.VERMILION),
                panels.prop("custom.drawStyle", common.GraphDrawStyle.POINTS),
                panels.prop("custom.pointSize", 7),
            ],
        )
    )


def _aggregates() -> Timeseries:
    # Windows under ten minutes stand in the one database, the others in the other; InfluxQL on 2.x
    # can't ask both at once, so both are asked and one has no answer.
    return (
        _lines(
            "Mean, minimum and maximum of $window windows",
            "Where several windows share a pixel, the mean of their means and their extremes.",
        )
        .datasource(MIXED)
        .with_target(_window_figures("A", RAW))
        .with_target(_window_figures("B", MAIN))
        .override_by_name("mean", [_color(panels.BLUE), panels.prop("custom.lineWidth", 2)])
        .override_by_name("min", [_color(panels.SKY)])
        .override_by_name(
            "max",
            [
                _color(panels.SKY),
                panels.prop("custom.fillBelowTo", "min"),
                panels.prop("custom.fillOpacity", 15),
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


def _counts() -> Timeseries:
    return (
        _lines("Observations in $window windows", "How many each window counted.")
        .datasource(MIXED)
        .draw_style(common.GraphDrawStyle.BARS)
        .fill_opacity(60)
        .min(0)
        .color_scheme(panels.fixed(panels.GREEN))
        .with_target(_window_counts("A", RAW))
        .with_target(_window_counts("B", MAIN))
    )


def _window_counts(ref: str, source: Source) -> InfluxQL:
    return InfluxQL(
        ref,
        source,
        f"""
        SELECT sum("count") AS "count" FROM "aggregate"
        WHERE $timeFilter AND "window" = '$window' AND {_THIS}
        GROUP BY time($__interval) fill(none)
        """,
    ).series("count")


def _anomalies() -> Table:
    return panels.anomaly_table(
        ("kind", "severity", "score", "value", "expected", "low", "high", "ended", "reason"), _THIS
    )


def _lines(title: str, description: str) -> Timeseries:
    return (
        Timeseries()
        .title(title)
        .description(description)
        .draw_style(common.GraphDrawStyle.LINE)
        .line_width(1)
        .show_points(common.VisibilityMode.AUTO)
        .legend(
            VizLegendOptions()
            .show_legend(show_legend=True)
            .display_mode(common.LegendDisplayMode.LIST)
            .placement(common.LegendPlacement.BOTTOM)
            .calcs([])
        )
    )


def _color(color: str) -> dashboard.DynamicConfigValue:
    return panels.prop("color", {"mode": "fixed", "fixedColor": color})
