"""Every query of every board, with every value of every variable, on real InfluxDB servers."""

import time
from collections.abc import Iterator
from statistics import fmean
from typing import Any, NamedTuple

import msgspec
import pytest

from citynerve.influx import Influx, Series, connect
from dashboards import boards, queries
from dashboards.sources import MAIN, RAW
from tests.integration.dashboards import sample_city as city
from tests.servers import InfluxDb1, InfluxDb2

pytestmark = pytest.mark.integration

TEN_MINUTES = 600_000
BOARDS = boards.load()


class Store(NamedTuple):
    """A server that holds the sample city from ``start`` on."""

    influx: Influx
    start: int

    @property
    def span(self) -> queries.Range:
        return queries.Range(self.start, self.start + city.SPAN_MS)

    def run(self, source: str, influxql: str) -> list[Series]:
        database = {RAW.uid: self.influx.config.raw, MAIN.uid: self.influx.config.main}[source]
        return self.influx.query(database, influxql, epoch="ms")

    def values(self, source: str, influxql: str) -> list[str]:
        found = {row[1] for series in self.run(source, influxql) for row in series.values}
        return sorted(found)

    def ask(self, board: dict[str, Any], query: queries.Query, **chosen: str) -> list[Series]:
        known = queries.variables(board)
        return self.run(query.source, queries.substitute(query, known, chosen, self.span))


@pytest.fixture(scope="module")
def store(any_influxdb: InfluxDb1 | InfluxDb2) -> Iterator[Store]:
    config = msgspec.structs.replace(any_influxdb.config, raw="boards_raw", main="boards")
    now = time.time_ns() // 1_000_000
    # The board of the present asks about the past ten minutes of the server's clock.
    start = now - now % TEN_MINUTES - city.SPAN_MS + TEN_MINUTES
    with connect(config) as influx:
        influx.ensure(0)
        influx.write(config.raw, city.raw_lines(start))
        influx.write(config.main, city.main_lines(start, now))
        yield Store(influx, start)


def query_of(board: dict[str, Any], place: str) -> queries.Query:
    (found,) = [query for query in queries.queries(board) if query.place == place]
    return found


def rows(answer: list[Series]) -> list[dict[str, Any]]:
    """Grafana's table: tags and columns of every series together."""
    return [
        {**series.tags, **dict(zip(series.columns, row, strict=True))}
        for series in answer
        for row in series.values
    ]


@pytest.mark.parametrize("name", BOARDS)
def test_every_query_answers_with_rows_for_some_choice(store: Store, name: str) -> None:
    board = BOARDS[name]
    known = queries.variables(board)
    combinations = list(queries.choices(board, store.values))
    assert combinations
    answered = {query.place: 0 for query in queries.queries(board)}
    for values in combinations:
        for query in queries.queries(board):
            influxql = queries.substitute(query, known, values, store.span)
            answered[query.place] += len(rows(store.run(query.source, influxql)))
    assert [place for place, count in answered.items() if count == 0] == []


@pytest.mark.parametrize("name", BOARDS)
def test_columns_that_panels_name_are_in_the_answers(store: Store, name: str) -> None:
    board = BOARDS[name]
    known = queries.variables(board)
    seen: dict[str, set[str]] = {}
    for values in queries.choices(board, store.values):
        for query in queries.queries(board):
            panel = query.place.partition(", query")[0]
            for row in rows(
                store.run(query.source, queries.substitute(query, known, values, store.span))
            ):
                seen.setdefault(panel, {"Time"}).update(row)
    for panel in board["panels"]:
        named = {
            override["matcher"]["options"]
            for override in panel.get("fieldConfig", {}).get("overrides", [])
        }
        assert named <= seen[f"panel {panel['title']!r}"], panel["title"]


def test_variables_offer_what_is_stored(store: Store) -> None:
    found = list(queries.choices(BOARDS["datastream"], store.values))
    expected = {
        (stream.node, stream.sensor, stream.prop, window)
        for stream in city.STREAMS
        for window in city.WINDOWS
    }
    assert {(c["node"], c["sensor"], c["property"], c["window"]) for c in found} == expected
    assert len(found) == len(expected)
    districts = {c["district"] for c in queries.choices(BOARDS["city-now"], store.values)}
    assert districts == {queries.ALL, "centrum", "havn"}


def test_map_has_the_last_closed_mean_at_the_sensors_place(store: Store) -> None:
    board = BOARDS["city-now"]
    title = "Latest mean of $property; ringed: anomalies of any property"
    for ref, width in (("values", 10_000), ("tens", 600_000)):
        query = query_of(board, f"panel {title!r}, query {ref}")
        answer = rows(store.ask(board, query, property="speed", district=queries.ALL))
        found = {row["node"]: (row["lat"], row["lon"]) for row in answer}
        means = {row["node"]: row["mean"] for row in answer}
        speeds = (city.STREAMS[0], city.STREAMS[2])
        assert found == {stream.node: (stream.lat, stream.lon) for stream in speeds}
        for stream in speeds:
            windows = city.windows(stream, store.start, width)
            assert means[stream.node] == pytest.approx(fmean(windows[max(windows)]), rel=1e-12)


def test_key_figures_count_right(store: Store) -> None:
    board = BOARDS["city-now"]

    def figure(title: str, district: str) -> list[float]:
        query = query_of(board, f"panel {title!r}, query A")
        answer = store.ask(board, query, property="speed", district=district)
        return [row[1] for series in answer for row in series.values]

    assert figure("Observations per minute", queries.ALL) == [4.5 * 60, 5.5 * 60]
    assert sum(figure("Aggregates per minute", queries.ALL)) == (180 - 1) + 180 + 90 + 3 * 30
    assert figure("Nodes online", queries.ALL) == [2]
    assert figure("Anomalies", queries.ALL) == [2]
    assert figure("Anomalies", "havn") == [1]
    assert figure("Rejected", queries.ALL) == [6]


def test_busiest_are_the_busiest(store: Store) -> None:
    board = BOARDS["city-now"]
    streams = rows(
        store.ask(
            board,
            query_of(board, "panel 'Busiest datastreams', query A"),
            property="speed",
            district=queries.ALL,
        )
    )
    assert {(r["node"], r["sensor"], r["property"], r["observations"]) for r in streams} == {
        ("east-1", "loop", "speed", 179),
        ("east-1", "loop", "count", 180),
        ("west-1", "loop-b", "speed", 90),
    }
    lines = rows(
        store.ask(
            board,
            query_of(board, "panel 'Busiest counting lines', query A"),
            property="speed",
            district="centrum",
        )
    )
    assert {(r["class"], r["crossings"]) for r in lines} == {("bus", 10), ("car", 20)}


def test_datastream_shows_its_own_values_windows_and_anomalies(store: Store) -> None:
    board = BOARDS["datastream"]
    stream = city.STREAMS[0]
    chosen = {"node": stream.node, "sensor": stream.sensor, "property": stream.prop}

    def points(place: str, window: str) -> list[dict[str, Any]]:
        return rows(store.ask(board, query_of(board, place), **chosen, window=window))

    good = {t: v for t, v, quality in city.readings(stream, store.start) if quality != 2}
    drawn = points("panel 'Value', query A", "1m")
    assert {row["time"]: row["value"] for row in drawn} == good
    (bad,) = points("panel 'Value', query B", "1m")
    assert bad["time"] == store.start + stream.bad * city.READING_MS

    title = "Mean, minimum and maximum of $window windows"
    for window, query, other in (("1m", "A", "B"), ("10m", "B", "A")):
        windows = city.windows(stream, store.start, city.WINDOWS[window])
        drawn = points(f"panel {title!r}, query {query}", window)
        assert {row["time"]: (row["min"], row["max"]) for row in drawn} == {
            t: (min(values), max(values)) for t, values in windows.items()
        }
        assert [row["mean"] for row in drawn] == pytest.approx(
            [sum(values) / len(values) for values in windows.values()], rel=1e-12
        )
        assert points(f"panel {title!r}, query {other}", window) == []

    (anomaly,) = points("panel 'Latest anomalies', query A", "1m")
    assert (anomaly["kind"], anomaly["ended"]) == ("level", store.start + 300_000)
    (mark,) = points("annotation Anomalies", "1m")
    assert (mark["reason"], mark["kind"]) == ("far above", "level")
