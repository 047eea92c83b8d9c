"""The sample city in a database, asked as a board asks."""

import time
from typing import Any, NamedTuple

from citynerve.influx import Influx, Series
from dashboards import boards, queries
from dashboards.sources import MAIN, RAW
from tests.integration.dashboards import sample_city as city

TEN_MINUTES = 600_000
BLOCK = 10_000
BOARDS = boards.load()

Row = dict[str, Any]


class Store(NamedTuple):
    """A server that holds the sample city from ``start`` on."""

    influx: Influx
    start: int
    now: int
    shown: queries.Range | None = None

    @property
    def span(self) -> queries.Range:
        """The whole day, unless another is shown."""
        return self.shown or queries.Range(self.start, self.start + city.SPAN_MS)

    def beat(self) -> None:
        """The stream says that it runs: boards ask whether it did within the past half minute."""
        line = f"stream,stream=s1,part=process pid=7.0 {time.time_ns()}"
        self.influx.write(self.influx.config.main, [line])

    def run(self, source: str, influxql: str) -> list[Series]:
        database = {RAW.uid: self.influx.config.raw, MAIN.uid: self.influx.config.main}[source]
        return self.influx.query(database, influxql, epoch="ms")

    def values(self, source: str, influxql: str) -> list[str]:
        found = {row[1] for series in self.run(source, influxql) for row in series.values}
        return sorted(found)

    def ask(self, name: str, panel: str, ref: str = "A", **chosen: queries.Choice) -> list[Row]:
        """The rows of one query of a board, for chosen values of its variables."""
        board = BOARDS[name]
        place = panel if panel.startswith("annotation") else f"panel {panel!r}, query {ref}"
        (query,) = [query for query in queries.queries(board) if query.place == place]
        known = queries.variables(board)
        return rows(self.run(query.source, queries.substitute(query, known, chosen, self.span)))


def rows(answer: list[Series]) -> list[Row]:
    """Grafana's table: tags and columns of every series together."""
    return [
        {**series.tags, **dict(zip(series.columns, row, strict=True))}
        for series in answer
        for row in series.values
    ]
