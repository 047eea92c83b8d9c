"""Anomalies as figures and tables, for any part of the city."""

from collections.abc import Sequence
from typing import Final

from grafana_foundation_sdk.builders import stat, table

from dashboards import links
from dashboards.influxql import InfluxQL
from dashboards.looks import ORANGE, VERMILION, Properties, bar, prop, titled, worded
from dashboards.panels import alarm_above_zero, count, listing, with_columns
from dashboards.sources import MAIN

SEVERE: Final = 0.5
"""From this severity on (0 to 1), somebody should look at once."""

_LOOK_BACK: Final = "7d"
"""So long ago an anomaly may have opened that still counts as open."""


def opened(condition: str) -> stat.Panel:
    """How many that meet an InfluxQL ``condition`` opened in the time range."""
    return alarm_above_zero(
        count(
            "Anomalies",
            "How many anomalies opened in the time range, whether or not they have ended since.",
            InfluxQL(
                "A",
                MAIN,
                f"""
                SELECT count("severity") AS "anomalies" FROM "anomaly"
                WHERE $timeFilter AND {condition}
                """,
            ),
        )
    )


def open_now(condition: str, least: float = 0.0) -> stat.Panel:
    """How many are open, of at least some severity."""
    severe = least > 0
    title = "Severe anomalies" if severe else "Anomalies open"
    what = f" of severity {least:g} or more" if severe else ""
    graded = f' AND "severity" >= {least:g}' if severe else ""
    return (
        alarm_above_zero(
            count(
                title,
                f"Anomalies{what} that have not ended, of the last 7 days (of a range in the past: "
                "those that opened in it).",
                InfluxQL(
                    "A",
                    MAIN,
                    f"""
                    SELECT count("severity") AS "open" FROM "anomaly"
                    WHERE $timeFilter AND "open" = 1{graded} AND {condition}
                    """,
                ),
            )
        )
        .time_from(_LOOK_BACK)
        .hide_time_override(hide_time_override=True)
    )


def open_table(columns: Sequence[str], condition: str) -> table.Panel:
    """Those that have not ended, newest first."""
    panel = _table(
        "Open anomalies",
        "What deviates now from what its own history lets expect, newest first: where, how grave "
        "(0 to 1), and why. Of the last 7 days; a click leads to the datastream.",
        f'$timeFilter AND "open" = 1 AND {condition}',
        columns,
        [*titled("Opened", "dateTimeFromNow"), prop("custom.width", 120)],
    )
    panel.override_by_name("severity", _NARROW)
    return panel.time_from(_LOOK_BACK).hide_time_override(hide_time_override=True)


def latest(columns: Sequence[str], condition: str) -> table.Panel:
    """All that opened in the time range, newest first, with figures."""
    return _table(
        "Latest anomalies",
        "Every anomaly that opened in the time range, newest first, at most 200: what was "
        "measured, what was expected, and until when it lasted.",
        f"$timeFilter AND {condition}",
        columns,
        [*titled("Opened", "dateTimeAsIso"), prop("custom.width", 165)],
    )


def _table(
    title: str, description: str, condition: str, columns: Sequence[str], when: Properties
) -> table.Panel:
    selected = ", ".join(f'"{column}"' for column in columns)
    panel = listing(
        title,
        description,
        InfluxQL(
            "A",
            MAIN,
            f"""
            SELECT {selected} FROM "anomaly" WHERE {condition} ORDER BY time DESC LIMIT 200
            """,
        ),
    )
    overrides = {"Time": when} | {column: _COLUMNS[column] for column in columns}
    return with_columns(panel, overrides)


_NARROW: Final[Properties] = [
    prop("custom.cellOptions", {"type": "color-text"}),
    prop("custom.width", 80),
    prop("color", {"mode": "thresholds"}),
    prop(
        "thresholds",
        {
            "mode": "absolute",
            "steps": [{"value": None, "color": "text"}, {"value": SEVERE, "color": VERMILION}],
        },
    ),
]
"""A severity as a number alone, in colour from where it is severe."""

_STATE: Final = {"1": ("open", VERMILION), "0": ("ended", "text")}

_COLUMNS: Final[dict[str, Properties]] = {
    "kind": [*titled("Kind"), prop("custom.width", 90)],
    "node": [*titled("Node"), *links.node()],
    "sensor": titled("Sensor"),
    "property": [*titled("Property"), *links.datastream()],
    "district": [*titled("District"), *links.this_district()],
    "severity": [
        *titled("Severity"),
        *bar(ORANGE),
        prop("max", 1),
        prop("decimals", 2),
        prop("custom.width", 105),
    ],
    "score": [*titled("Score"), prop("decimals", 1)],
    "value": [*titled("Value"), prop("decimals", 1)],
    "expected": [*titled("Expected"), prop("decimals", 1)],
    "low": [*titled("Low"), prop("decimals", 1)],
    "high": [*titled("High"), prop("decimals", 1)],
    "open": [*titled("State"), *worded(_STATE)],
    "ended": titled("Ended", "dateTimeAsIso"),
    "reason": [*titled("Reason"), *links.datastream()],
}
