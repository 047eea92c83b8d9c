"""Figures about the machinery that several boards show: nodes, delay, refusals."""

from typing import Final

from grafana_foundation_sdk.builders import stat, table

from dashboards import links
from dashboards.influxql import InfluxQL
from dashboards.looks import (
    BLUE,
    GREEN,
    ONLINE,
    ORANGE,
    STATES,
    VERMILION,
    Properties,
    bar,
    by_threshold,
    hidden,
    prop,
    steps,
    titled,
    worded,
)
from dashboards.panels import (
    NOTHING,
    alarm_above_zero,
    count,
    key_figure,
    listing,
    sorted_by,
    with_columns,
)
from dashboards.sources import MAIN

_LAST: Final = """
SELECT {selected} FROM (
    SELECT last("{field}") AS "{field}" FROM "node"
    WHERE time > now() - {span} AND {condition} GROUP BY "node"
){where}
"""


def of_nodes(
    selected: str, field: str, condition: str, *, span: str = "7d", where: str = ""
) -> InfluxQL:
    """A figure over the last status of each node of the past ``span``, whatever the time range.

    Args:
        selected: InfluxQL over ``field``, with its name.
        field: Of the statuses.
        condition: Which nodes.
        span: How far back a status counts.
        where: Which of the last statuses; empty: all.
    """
    return InfluxQL(
        "A",
        MAIN,
        _LAST.format(
            selected=selected,
            field=field,
            span=span,
            condition=condition,
            where=f" WHERE {where}" if where else "",
        ),
    )


def nodes_online(condition: str) -> stat.Panel:
    """How many nodes are there now."""
    return (
        count(
            "Nodes online",
            "Nodes whose last status in the past ten minutes says that they are connected, "
            "whatever the time range.",
            of_nodes('sum("online") AS "nodes"', "online", condition, span="10m"),
        )
        .color_scheme(by_threshold())
        .thresholds(steps((None, VERMILION), (1, GREEN)))
    )


def nodes_offline(condition: str) -> stat.Panel:
    """How many nodes have gone."""
    return alarm_above_zero(
        count(
            "Nodes offline",
            "Nodes that were there in the past seven days and have gone: switched off, cut off or "
            "broken. What they measure meanwhile waits in their spools.",
            of_nodes('count("online") - sum("online") AS "nodes"', "online", condition),
        )
    )


def delay() -> stat.Panel:
    """How far storing lags behind arriving."""
    return (
        key_figure(
            "Delay",
            "How long the newest acknowledged data took from its arrival at the stream until it "
            "was stored for good. Usually 1 to 3 s; above 10 s (orange) the stream or InfluxDB is "
            "overloaded. Nothing is lost: nodes keep what is not stored.",
            InfluxQL(
                "A",
                MAIN,
                """
                SELECT mean("lag_ms") AS "delay" FROM "stream"
                WHERE $timeFilter AND "part" = 'acks' GROUP BY time($__interval) fill(none)
                """,
            ).series("delay"),
        )
        .unit("ms")
        .decimals(1)
        .max_data_points(100)
        .color_scheme(by_threshold())
        .thresholds(steps((None, BLUE), (10_000, ORANGE), (60_000, VERMILION)))
    )


def refused() -> stat.Panel:
    """What could not be taken in."""
    return alarm_above_zero(
        count(
            "Refused",
            "Messages and readings in the time range that could not be taken in: malformed, from a "
            "wrong clock, not declared. The board Stream tells the reasons.",
            InfluxQL(
                "A",
                MAIN,
                'SELECT sum("count") AS "refused" FROM "rejected" WHERE $timeFilter',
            ),
        )
    )


def node_table(condition: str) -> table.Panel:
    """The last status of each node."""
    fields = ", ".join(f'last("{name}") AS "{name}"' for name in _STATUS)
    panel = with_columns(
        listing(
            "Nodes",
            "The last status of each node that was there in the past 30 days, whatever the time "
            "range. Spool: what waits at the node to be stored. Given up and dropped: data lost "
            "for lack of space; late: readings that came too late for their window. A click leads "
            "to the node.",
            InfluxQL(
                "A",
                MAIN,
                f"""
                SELECT {fields} FROM "node"
                WHERE time > now() - 30d AND {condition} GROUP BY "node", "district"
                """,
            ),
        ),
        {
            "Time": hidden(),
            "node": [*titled("Node"), *links.node()],
            "district": [*titled("District"), *links.this_district()],
            **_STATUS,
        },
    )
    # Those that are offline first.
    return sorted_by(panel, "Connection")


_STATUS: Final[dict[str, Properties]] = {
    "online": [*titled("Connection"), *worded(ONLINE), prop("custom.width", 110)],
    "seen": [*titled("Last seen", "dateTimeFromNow"), prop("custom.width", 140)],
    "state": [*titled("State"), *worded(STATES), prop("custom.width", 100)],
    "spool_bytes": [*titled("Spool", "bytes"), *bar(ORANGE)],
    "clock_offset": [*titled("Clock", "ms"), prop("noValue", NOTHING)],
    "given_up": [*titled("Given up"), prop("decimals", 0)],
    "dropped": [*titled("Dropped"), prop("decimals", 0)],
    "late": [*titled("Late"), prop("decimals", 0)],
    "reconnects": [*titled("Reconnects"), prop("decimals", 0)],
    "versions": titled("Versions"),
    "problems": titled("Problems"),
}
"""Fields of a status that the table shows, in their order."""
