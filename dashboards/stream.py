"""The board **Stream**: whether the centre keeps up, what it refused, and how its sinks stand."""

from collections.abc import Mapping
from typing import Final

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.builders.stat import Panel as Stat
from grafana_foundation_sdk.builders.table import Panel as Table
from grafana_foundation_sdk.builders.timeseries import Panel as Timeseries
from grafana_foundation_sdk.models import common

from dashboards import links, machinery, panels
from dashboards.influxql import InfluxQL
from dashboards.looks import (
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    Properties,
    by_threshold,
    colored,
    legend,
    missing,
    prop,
    running,
    steps,
    titled,
)
from dashboards.sources import MAIN


def build() -> Dashboard:
    """The whole board."""
    board = panels.board(
        links.STREAM,
        "Stream",
        "The process in the centre that takes everything in: whether it runs and keeps up, how "
        "fast it commits, what it refused and why, and how its ways out (InfluxDB, broker) stand.",
    )
    return panels.place(
        board,
        [
            (_running(), (0, 0, 4, 4)),
            (_rate(), (4, 0, 4, 4)),
            (machinery.delay(), (8, 0, 4, 4)),
            (_nodes(), (12, 0, 4, 4)),
            (_answer_time(), (16, 0, 4, 4)),
            (machinery.refused(), (20, 0, 4, 4)),
            (_throughput(), (0, 4, 12, 8)),
            (_delays(), (12, 4, 12, 8)),
            (_commits(), (0, 12, 8, 8)),
            (_broker(), (8, 12, 8, 8)),
            (_process(), (16, 12, 8, 8)),
            (_refused(), (0, 20, 12, 8)),
            (_dropped(), (12, 20, 12, 8)),
            (_influx(), (0, 28, 12, 8)),
            (_samples(), (12, 28, 12, 8)),
            (_totals(), (0, 36, 24, 4)),
        ],
    )


def _part(ref: str, part: str, selected: str) -> InfluxQL:
    """Figures of a part of the stream over time."""
    return InfluxQL(
        ref,
        MAIN,
        f"""
        SELECT {selected} FROM "stream" WHERE $timeFilter AND "part" = '{part}'
        GROUP BY time($__interval) fill(none)
        """,
    ).series("$col")


def _rates(names: Mapping[str, str]) -> str:
    """What counters grow by in a second: field -> name."""
    return ", ".join(
        f'non_negative_derivative(max("{field}"), 1s) AS "{name}"' for field, name in names.items()
    )


def _running() -> Stat:
    return (
        panels.key_figure(
            "Stream",
            "Whether the stream told its figures within the past 30 seconds, whatever the time "
            "range. When it has stopped nothing is lost: the nodes keep their data until it is "
            "back.",
            InfluxQL(
                "A",
                MAIN,
                """
                SELECT count("pid") AS "told" FROM "stream"
                WHERE time > now() - 30s AND "part" = 'process'
                """,
            ),
        )
        .color_mode(common.BigValueColorMode.BACKGROUND)
        .graph_mode(common.BigValueGraphMode.NONE)
        .color_scheme(by_threshold())
        .thresholds(steps((None, VERMILION), (1, GREEN)))
        .mappings([running(), missing("stopped", VERMILION)])
        .no_value("stopped")
    )


def _rate() -> Stat:
    return (
        panels.key_figure(
            "Observations a second",
            "Sensor readings taken in, newest figure; the curve shows the time range.",
            _part("A", "lane", 'mean("observations_per_s") AS "observations"'),
        )
        .max_data_points(100)
        .decimals(1)
    )


def _nodes() -> Stat:
    return panels.key_figure(
        "Nodes served",
        "How many nodes the stream acknowledges data of since it started.",
        _part("A", "acks", 'max("nodes") AS "nodes"'),
    ).max_data_points(100)


def _answer_time() -> Stat:
    return (
        panels.key_figure(
            "InfluxDB answers in",
            "How long InfluxDB took for the newest write. Above 500 ms (orange) it is the "
            "bottleneck.",
            _part("A", "influx", 'mean("latency_ms") AS "answer"'),
        )
        .max_data_points(100)
        .unit("ms")
        .color_scheme(by_threshold())
        .thresholds(steps((None, BLUE), (500, ORANGE), (5_000, VERMILION)))
    )


def _throughput() -> Timeseries:
    return _named(
        panels.lines(
            "Throughput",
            "Observations, batches and messages a second. Batches are what nodes send at once; "
            "several observations travel in each.",
        )
        .min(0)
        .unit("suffix:/s")
        .interval("10s")
        .legend(legend("mean", "max"))
        .with_target(
            _part(
                "A",
                "lane",
                'mean("observations_per_s") AS "observations", ' + _rates({"batches": "batches"}),
            )
        )
        .with_target(_part("B", "intake", _rates({"received": "messages"}))),
        {"observations": BLUE, "batches": GREEN, "messages": ORANGE},
    )


def _delays() -> Timeseries:
    return _named(
        panels.lines(
            "Delay and answer time",
            "From arrival until stored for good (delay), and how long InfluxDB takes for a write "
            "(answer). Both should stay flat; when both rise InfluxDB is slow, when the delay "
            "alone rises the stream is.",
        )
        .min(0)
        .unit("ms")
        .interval("10s")
        .legend(legend("mean", "max"))
        .with_target(_part("A", "acks", 'max("lag_ms") AS "delay"'))
        .with_target(_part("B", "influx", 'max("latency_ms") AS "answer"')),
        {"delay": BLUE, "answer": ORANGE},
    )


def _commits() -> Timeseries:
    return _named(
        panels.lines(
            "Commits",
            "How many times a second the stream makes its state durable (about 1 by default) and "
            "how many acknowledgements it sends. No commits means that it waits for InfluxDB.",
        )
        .min(0)
        .unit("suffix:/s")
        .interval("10s")
        .with_target(_part("A", "flow", _rates({"epochs": "commits"})))
        .with_target(_part("B", "acks", _rates({"published": "acknowledgements"}))),
        {"commits": BLUE, "acknowledgements": GREEN},
    )


def _broker() -> Timeseries:
    return _named(
        panels.lines(
            "Broker",
            "Bytes a second from the broker, and bytes taken from it that wait to be worked on. A "
            "queue that grows means that the stream cannot keep up.",
        )
        .min(0)
        .interval("10s")
        .with_target(_part("A", "intake", _rates({"received_bytes": "received"})))
        .with_target(_part("B", "intake", 'max("queued_bytes") AS "waiting"')),
        {"received": BLUE, "waiting": ORANGE},
        {"received": [prop("unit", "Bps")], "waiting": [prop("unit", "bytes")]},
    )


def _process() -> Timeseries:
    return _named(
        panels.lines(
            "Processor and memory",
            "Share of one processor core that the stream uses, and the most memory it has held "
            "(right).",
        )
        .min(0)
        .interval("10s")
        .with_target(_part("A", "process", _rates({"cpu_s": "processor"})))
        .with_target(_part("B", "process", 'max("peak_memory_bytes") AS "memory"')),
        {"processor": BLUE, "memory": PURPLE},
        {
            "processor": [prop("unit", "percentunit")],
            "memory": [prop("unit", "bytes"), prop("custom.axisPlacement", "right")],
        },
    )


def _refused() -> Timeseries:
    return (
        panels.bars(
            "Refused, by reason",
            "What could not be taken in. json, schema, size, name: malformed. node, shard, topic: "
            "from another than it says. order, shape, undeclared, unit: not as declared. old, "
            "future: a wrong clock. nan: not a number. influx: InfluxDB refused the point.",
        )
        .interval("10s")
        .with_target(
            InfluxQL(
                "A",
                MAIN,
                """
                SELECT sum("count") AS "refused" FROM "rejected" WHERE $timeFilter
                GROUP BY time($__interval), "reason" fill(none)
                """,
            ).series("$tag_reason")
        )
    )


def _dropped() -> Timeseries:
    counters = ("duplicate", "gap", "term", "status")
    selected = ", ".join(f'non_negative_difference(max("{name}")) AS "{name}"' for name in counters)
    return _named(
        panels.bars(
            "Set aside",
            "Batches that the protocol sets aside and that cost nothing: already stored "
            "(duplicate), sent before an earlier one (gap), of another run of the node (term), or "
            "a status of a node that never said hello (status). Many duplicates: a bad network.",
        )
        .interval("10s")
        .with_target(_part("A", "dropped", selected)),
        {"duplicate": SKY, "gap": ORANGE, "term": PURPLE, "status": GREEN},
    )


def _influx() -> Timeseries:
    return _named(
        panels.lines(
            "InfluxDB",
            "Points a second that are written, requests a second, and repeated or refused ones. "
            "Retries mean that InfluxDB was away; meanwhile the stream waits.",
        )
        .min(0)
        .unit("suffix:/s")
        .interval("10s")
        .with_target(
            _part(
                "A",
                "influx",
                _rates(
                    {
                        "lines": "points",
                        "writes": "requests",
                        "retries": "retries",
                        "refused": "refused points",
                    },
                ),
            )
        ),
        {"points": BLUE, "requests": GREEN, "retries": ORANGE, "refused points": VERMILION},
    )


def _samples() -> Table:
    return panels.with_columns(
        panels.listing(
            "Latest refusals",
            "What was refused last, at most 100: why, how often at once, from whom, and how it "
            "began.",
            InfluxQL(
                "A",
                MAIN,
                """
                SELECT "reason", "count", "sample" FROM "rejected"
                WHERE $timeFilter ORDER BY time DESC LIMIT 100
                """,
            ),
        ),
        {
            "Time": [*titled("When", "dateTimeAsIso"), prop("custom.width", 165)],
            "reason": [*titled("Reason"), prop("custom.width", 100)],
            "count": [*titled("Count"), prop("decimals", 0), prop("custom.width", 80)],
            "sample": titled("From whom, what"),
        },
    )


_TOTALS: Final = {
    "observations": "observations",
    "batches": "batches",
    "lines": "points written",
    "anomalies": "anomalies told",
    "published": "acknowledgements",
    "written": "pictures",
    "refused_old": "too old for a roll-up",
    "lines_lost": "own figures lost",
}
"""Counters of which each is named by one part only -> what they are for people."""


def _totals() -> Stat:
    selected = ", ".join(f'last("{field}") AS "{name}"' for field, name in _TOTALS.items())
    return (
        panels.key_figure(
            "Since the stream started",
            "What its parts have counted since the process started: taken in, written, told, and "
            "what came too late for a roll-up that was already closed.",
            InfluxQL("A", MAIN, f'SELECT {selected} FROM "stream" WHERE $timeFilter'),
            decimals=None,
        )
        .graph_mode(common.BigValueGraphMode.NONE)
        .text_mode(common.BigValueTextMode.VALUE_AND_NAME)
        .unit("short")
        .no_value("0")
    )


def _named(
    panel: Timeseries,
    colors: Mapping[str, str],
    more: Mapping[str, Properties] | None = None,
) -> Timeseries:
    """Give each series its colour, and what else it needs."""
    for name, color in colors.items():
        panel.override_by_name(name, [colored(color), *(more or {}).get(name, [])])
    return panel
