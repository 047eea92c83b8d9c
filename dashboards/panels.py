"""The few looks that the boards share: key figures, tables, bars in cells, links."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode

from grafana_foundation_sdk.builders import geomap, stat, table, timeseries
from grafana_foundation_sdk.builders.common import ReduceDataOptions
from grafana_foundation_sdk.builders.dashboard import (
    Dashboard,
    DashboardLink,
    FieldColor,
    ThresholdsConfig,
)
from grafana_foundation_sdk.models import common, dashboard

from dashboards.influxql import InfluxQL
from dashboards.sources import MAIN

DATASTREAM_UID: Final = "citynerve-datastream"
CITY_UID: Final = "citynerve-city"

# Okabe and Ito's palette: told apart by colour-blind people too.
BLUE: Final = "#0072B2"
SKY: Final = "#56B4E9"
VERMILION: Final = "#D55E00"
GREEN: Final = "#009E73"


Panel = geomap.Panel | stat.Panel | table.Panel | timeseries.Panel
Place = tuple[int, int, int, int]
"""x, y, width, height on Grafana's grid, which is 24 columns wide."""


def board(uid: str, title: str, description: str) -> Dashboard:
    """An empty board of CityNerve's: the last hour, drawn anew every 10 s."""
    return (
        Dashboard(title)
        .uid(uid)
        .description(description)
        .tags(["citynerve"])
        .timezone("browser")
        .time("now-1h", "now")
        .refresh("10s")
        .tooltip(dashboard.DashboardCursorSync.CROSSHAIR)
    )


def place(on: Dashboard, panels: Sequence[tuple[Panel, Place]]) -> Dashboard:
    """Put panels on a board, numbered from 1 in their order."""
    for number, (panel, (x, y, width, height)) in enumerate(panels, start=1):
        on.with_panel(panel.id(number).grid_pos(dashboard.GridPos(height, width, x, y)))
    return on


def key_figure(title: str, description: str, target: InfluxQL, calc: str) -> stat.Panel:
    """One big number, reduced from a series by ``calc`` (``lastNotNull``, ``mean``, ``sum``)."""
    return (
        stat.Panel()
        .title(title)
        .description(description)
        .with_target(target)
        .reduce_options(ReduceDataOptions().calcs([calc]).values(values=False).fields(""))
        .color_mode(common.BigValueColorMode.VALUE)
        .graph_mode(common.BigValueGraphMode.AREA)
        .text_mode(common.BigValueTextMode.VALUE)
        .color_scheme(fixed(BLUE))
        .decimals(0)
        .no_value("0")
        .height(4)
    )


def alarm_above_zero(panel: stat.Panel) -> stat.Panel:
    """Show a key figure in another colour as soon as it isn't zero."""
    return panel.color_scheme(FieldColor().mode(dashboard.FieldColorModeId.THRESHOLDS)).thresholds(
        steps((None, BLUE), (1, VERMILION))
    )


def listing(title: str, description: str, target: InfluxQL) -> table.Panel:
    """A table with narrow rows and a header."""
    return (
        table.Panel()
        .title(title)
        .description(description)
        .with_target(target)
        .show_header(show_header=True)
        .cell_height(common.TableCellHeight.SM)
    )


def anomaly_count(condition: str) -> stat.Panel:
    """How many anomalies that meet an InfluxQL ``condition`` opened in the time range."""
    return alarm_above_zero(
        key_figure(
            "Anomalies",
            "Opened in the time range.",
            InfluxQL(
                "A",
                MAIN,
                f"""
                SELECT count("severity") AS "anomalies" FROM "anomaly"
                WHERE $timeFilter AND {condition}
                """,
            ),
            "lastNotNull",
        )
    )


def anomaly_table(columns: Sequence[str], condition: str) -> table.Panel:
    """The anomalies that meet an InfluxQL ``condition``, newest first.

    Args:
        columns: Tags and fields of the measurement, keys of ``_ANOMALY``, in their order.
        condition: What follows ``$timeFilter AND``.
    """
    selected = ", ".join(f'"{column}"' for column in columns)
    panel = listing(
        "Latest anomalies",
        "Newest first, at most 200. An anomaly without an end is open.",
        InfluxQL(
            "A",
            MAIN,
            f"""
            SELECT {selected} FROM "anomaly" WHERE $timeFilter AND {condition}
            ORDER BY time DESC LIMIT 200
            """,
        ),
    ).override_by_name("Time", titled("Opened"))
    for column in columns:
        panel.override_by_name(column, _ANOMALY[column])
    return panel


def fixed(color: str) -> FieldColor:
    """One colour whatever the value."""
    return FieldColor().mode(dashboard.FieldColorModeId.FIXED).fixed_color(color)


def steps(*pairs: tuple[float | None, str]) -> ThresholdsConfig:
    """Absolute thresholds: each colour holds from its value on, the first from minus infinity."""
    return (
        ThresholdsConfig()
        .mode(dashboard.ThresholdsMode.ABSOLUTE)
        .steps([dashboard.Threshold(value=value, color=color) for value, color in pairs])
    )


def prop(name: str, value: object) -> dashboard.DynamicConfigValue:
    """One property of an override."""
    return dashboard.DynamicConfigValue(id_val=name, value=value)


def hidden() -> list[dashboard.DynamicConfigValue]:
    """Leave a column out of a table."""
    return [prop("custom.hidden", value=True)]


def titled(title: str, unit: str | None = None) -> list[dashboard.DynamicConfigValue]:
    """Name a column for people, with its unit where it has one."""
    named = [prop("displayName", title)]
    return [*named, prop("unit", unit)] if unit else named


def bar(color: str) -> list[dashboard.DynamicConfigValue]:
    """Draw a number as a bar in its cell."""
    return [
        prop("custom.cellOptions", {"type": "gauge", "mode": "basic", "valueDisplayMode": "text"}),
        prop("color", {"mode": "fixed", "fixedColor": color}),
        prop("min", 0),
        prop("decimals", 0),
    ]


_ANOMALY: Final[dict[str, list[dashboard.DynamicConfigValue]]] = {
    "kind": titled("Kind"),
    "node": titled("Node"),
    "sensor": titled("Sensor"),
    "property": titled("Property"),
    "district": titled("District"),
    "severity": [*titled("Severity"), prop("decimals", 2)],
    "score": [*titled("Score"), prop("decimals", 1)],
    "value": titled("Value"),
    "expected": titled("Expected"),
    "low": titled("Low"),
    "high": titled("High"),
    "ended": titled("Ended", "dateTimeAsIso"),
    "reason": titled("Reason"),
}


def to_datastream() -> DashboardLink:
    """Open the datastream of a row in its own board, in the same time range."""
    chosen = {f"var-{tag}": f"${{__data.fields.{tag}}}" for tag in ("node", "sensor", "property")}
    query = urlencode(chosen, safe="${}")
    return (
        DashboardLink("Open this datastream")
        .type(dashboard.DashboardLinkType.LINK)
        .url(f"/d/{DATASTREAM_UID}?{query}&${{__url_time_range}}")
        .target_blank(target_blank=False)
    )
