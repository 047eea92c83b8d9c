"""The board **Nodes**: which nodes are there and well, and one node's machine in detail."""

from typing import Final

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.builders.stat import Panel as Stat
from grafana_foundation_sdk.builders.statetimeline import Panel as StateTimeline
from grafana_foundation_sdk.builders.timeseries import Panel as Timeseries
from grafana_foundation_sdk.models import common

from dashboards import links, machinery, panels
from dashboards.influxql import InfluxQL, tag_values, with_all
from dashboards.looks import (
    BLUE,
    GREEN,
    ONLINE,
    ORANGE,
    PURPLE,
    SKY,
    STATES,
    Properties,
    colored,
    fixed,
    prop,
    titled,
    words,
)
from dashboards.sources import MAIN, RAW

_IN: Final = '"district" =~ /^$district$/'
_THIS: Final = "\"node\" = '$node'"


def build() -> Dashboard:
    """The whole board."""
    board = (
        panels.board(
            links.NODES,
            "Nodes",
            "The devices in the field: which are connected, how they say they are, what waits on "
            "them to be stored; and below, the machine of the one node chosen above.",
        )
        .link(links.to(links.DATASTREAM, "This node's datastreams", node="${node}"))
        .with_variable(
            with_all(
                tag_values(
                    "district",
                    "District",
                    MAIN,
                    'SHOW TAG VALUES FROM "node" WITH KEY = "district"',
                )
            )
        )
        .with_variable(
            tag_values(
                "node",
                "Node",
                MAIN,
                f'SHOW TAG VALUES FROM "node" WITH KEY = "node" WHERE {_IN}',
            )
        )
    )
    return panels.place(
        board,
        [
            (machinery.nodes_online(_IN), (0, 0, 4, 4)),
            (machinery.nodes_offline(_IN), (4, 0, 4, 4)),
            (_unwell(), (8, 0, 4, 4)),
            (_waiting(), (12, 0, 4, 4)),
            (_lost("Batches given up", "given_up", "batches"), (16, 0, 4, 4)),
            (_lost("Readings dropped", "dropped", "readings"), (20, 0, 4, 4)),
            (machinery.node_table(_IN), (0, 4, 24, 13)),
            (_state(), (0, 17, 24, 5)),
            (_load(), (0, 22, 8, 8)),
            (_shares(), (8, 22, 8, 8)),
            (_network(), (16, 22, 8, 8)),
            (_taken(), (0, 30, 12, 8)),
            (_spool(), (12, 30, 12, 8)),
        ],
    )


def _unwell() -> Stat:
    return panels.alarm_above_zero(
        panels.count(
            "Nodes with problems",
            "Nodes whose last status within ten minutes says degraded (works, but something is "
            "wrong) or failing (an input or the link does not work). The table tells what.",
            machinery.of_nodes(
                'count("state") AS "nodes"', "state", _IN, span="10m", where="\"state\" != 'ok'"
            ),
        )
    )


def _waiting() -> Stat:
    return panels.count(
        "Waiting at nodes",
        "What lies in the spools of all nodes and is not stored yet, by their last status. It "
        "grows while nodes, network or stream are away, and drains by itself.",
        machinery.of_nodes('sum("spool_bytes") AS "bytes"', "spool_bytes", _IN),
    ).unit("bytes")


def _lost(title: str, field: str, what: str) -> Stat:
    return panels.alarm_above_zero(
        panels.count(
            title,
            f"How many {what} the nodes had to give up for lack of space, since each was set up. "
            "These are lost.",
            machinery.of_nodes(f'sum("{field}") AS "{what}"', field, _IN),
        )
    )


def _state() -> StateTimeline:
    return (
        panels.states(
            "Health of $node",
            "Connection and health of the chosen node over the time range. A hole means that no "
            "status came.",
        )
        .with_target(_status("A", 'last("online") AS "connection"').series("connection"))
        .with_target(_status("B", 'last("state") AS "health"').series("health"))
        .override_by_name("connection", [prop("mappings", [words(ONLINE)])])
        .override_by_name("health", [prop("mappings", [words(STATES)])])
    )


def _status(ref: str, selected: str) -> InfluxQL:
    return InfluxQL(
        ref,
        MAIN,
        f"""
        SELECT {selected} FROM "node" WHERE $timeFilter AND {_THIS}
        GROUP BY time($__interval) fill(none)
        """,
    )


def _load() -> Timeseries:
    return _machine(
        "Load and temperature of $node",
        "Processes that want the processor (mean of a minute; above the number of its cores it "
        "cannot keep up), and the processor's temperature where it is known (right).",
        {
            "load": [
                *titled("load"),
                colored(BLUE),
                prop("decimals", 1),
                prop("custom.axisPlacement", "left"),
            ],
            "cpu_temperature": [
                *titled("temperature", "celsius"),
                colored(ORANGE),
                prop("custom.axisPlacement", "right"),
            ],
        },
    )


def _shares() -> Timeseries:
    return (
        _machine(
            "Memory and disk of $node",
            "Share in use. When the disk is full, the oldest data of live sensors is given up.",
            {
                "memory": [*titled("memory"), colored(PURPLE)],
                "disk": [*titled("disk"), colored(GREEN)],
            },
        )
        .unit("percent")
        .max(100)
    )


def _network() -> Timeseries:
    return _machine(
        "Network of $node",
        "Bytes a second in and out, over all its interfaces.",
        {
            "network_in": [*titled("in"), colored(SKY)],
            "network_out": [*titled("out"), colored(BLUE)],
        },
    ).unit("Bps")


def _machine(title: str, description: str, properties: dict[str, Properties]) -> Timeseries:
    panel = (
        panels.lines(title, description)
        .interval("1m")
        .min(0)
        .with_target(
            InfluxQL(
                "A",
                RAW,
                f"""
                SELECT mean("mean") AS "mean" FROM "aggregate"
                WHERE $timeFilter AND "window" = '1m' AND {_THIS}
                AND "property" =~ /^({"|".join(properties)})$/
                GROUP BY time($__interval), "property" fill(none)
                """,
            ).series("$tag_property")
        )
    )
    for name, looks in properties.items():
        panel.override_by_name(name, looks)
    return panel


def _taken() -> Timeseries:
    return (
        panels.lines(
            "Readings taken by $node",
            "Readings a second that the node's sensors and cameras gave.",
        )
        .interval("1m")
        .min(0)
        .unit("suffix:/s")
        .color_scheme(fixed(BLUE))
        .with_target(
            _status("A", 'non_negative_derivative(max("observations"), 1s) AS "readings"').series(
                "readings"
            )
        )
    )


def _spool() -> Timeseries:
    return (
        panels.lines(
            "Waiting at $node",
            "Bytes in its spool that are not stored yet. A flat line near zero is good; a slope up "
            "means that it is cut off.",
        )
        .min(0)
        .unit("bytes")
        .color_scheme(fixed(ORANGE))
        .fill_opacity(10)
        .line_interpolation(common.LineInterpolation.STEP_AFTER)
        .with_target(_status("A", 'max("spool_bytes") AS "spool"').series("spool"))
    )
