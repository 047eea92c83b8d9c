"""Every query of every board on what the stream writes of a day of the simulated city."""

import re
import time
from collections.abc import Iterator
from functools import cache

import msgspec
import pytest

from citynerve.influx import Influx, connect
from dashboards import alerts, boards, queries
from dashboards.sources import RAW
from tests.integration.dashboards import simulated_day
from tests.servers import InfluxDb1, InfluxDb2

pytestmark = pytest.mark.integration

BLOCK = 10_000

NOT_YET = {"datastream: panel 'Value', query C"}
"""What the stream does not write yet: the expected band."""

EMPTY_HERE = {
    "trends: panel 'Mean a week before', query A",
    "trends: panel '$property by day, this week and the week before', query B",
    "trends: panel '$property by hour, this week and the week before', query B",
    "trends: panel '$property, district by district', query B",
}
"""A day has no week before it."""


@pytest.fixture(scope="module")
def day(any_influxdb: InfluxDb1 | InfluxDb2) -> Iterator[tuple[Influx, int]]:
    config = msgspec.structs.replace(any_influxdb.config, raw="day_raw", main="day")
    end = time.time_ns() // 1_000_000
    written = simulated_day.write(end)
    with connect(config) as influx:
        influx.ensure(0)
        for database, lines in ((config.raw, written.raw), (config.main, written.main)):
            for first in range(0, len(lines), BLOCK):
                influx.write(database, lines[first : first + BLOCK])
        yield influx, end


def test_every_panel_has_something_to_show(day: tuple[Influx, int]) -> None:
    influx, end = day
    span = queries.Range(end - simulated_day.DAY_MS, end + 1_000)
    # Whether the stream runs is asked about the past half minute.
    influx.write(influx.config.main, simulated_day.told(time.time_ns() // 1_000_000, 99.0))

    def database(source: str) -> str:
        return influx.config.raw if source == RAW.uid else influx.config.main

    @cache
    def count(source: str, influxql: str) -> int:
        return sum(len(series.values) for series in influx.query(database(source), influxql))

    @cache
    def ask(source: str, influxql: str) -> list[str]:
        found = influx.query(database(source), influxql)
        return sorted({row[1] for series in found for row in series.values})

    answered: dict[str, int] = {}
    for stem, board in boards.load().items():
        known = queries.variables(board)
        left = {f"{stem}: {query.place}": query for query in queries.queries(board)}
        answered |= dict.fromkeys(left, 0)
        for chosen in queries.choices(board, ask):
            # Once it has answered for some choice, the others have nothing to add.
            for place, query in list(left.items()):
                influxql = queries.substitute(query, known, chosen, span)
                answered[place] = count(query.source, influxql)
                if answered[place]:
                    del left[place]
    assert {place for place, rows in answered.items() if rows == 0} == NOT_YET | EMPTY_HERE


def test_the_gauge_that_runs_over_raises_its_alert(day: tuple[Influx, int]) -> None:
    influx, end = day
    rules = {rule.uid: rule for rule in alerts.RULES}
    for uid, own in (
        ("citynerve-water-high", {"node": "own-1", "sensor": "gauge", "district": "havnen"}),
        ("citynerve-anomaly-severe", {"district": "havnen", "property": "water_level"}),
    ):
        rule = rules[uid]
        query = queries.Query(uid, rule.source.uid, " ".join(rule.query.split()))
        text = queries.substitute(query, [], {}, queries.Range(end - rule.span * 1_000, end))
        database = influx.config.raw if rule.source is RAW else influx.config.main
        raised = [
            series.tags
            for series in influx.query(database, text)
            if rule.above is not None and series.values[-1][1] > rule.above
        ]
        # The other nodes of the district have the day that the hour of this test gives them.
        assert own in raised


def test_figures_that_boards_ask_the_stream_for_are_told_by_it() -> None:
    told = simulated_day.figures()
    for stem, board in boards.load().items():
        for query in queries.queries(board):
            part = re.search(r"\"part\" = '(\w+)'", query.text)
            if part is not None:
                fields = set(re.findall(r'\w\("(\w+)"\)', query.text))
                assert fields <= told[part[1]], f"{stem}: {query.place}"
