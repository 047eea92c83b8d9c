"""The local view's engine on a real InfluxDB: what its panels hold is what was written."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from statistics import fmean
from typing import Any, NamedTuple

import pytest

from citynerve.influx import Influx, connect
from dashboards import boards
from dashboards.queries import ALL, Choice, Range
from dashboards.view import values
from dashboards.view.asking import PATIENCE_S, THREADS, of_influx
from dashboards.view.engine import Engine
from dashboards.view.frames import Frame, PanelData
from tests.integration.dashboards import sample_city as city
from tests.servers import InfluxDb1

pytestmark = pytest.mark.integration

BOARDS = boards.load()
PANELS = [(name, panel["title"]) for name, board in BOARDS.items() for panel in board["panels"]]
BLOCK = 10_000
MOST = 50


class Shown(NamedTuple):
    influx: Influx
    engine: Engine
    server: InfluxDb1
    start: int

    @property
    def span(self) -> Range:
        return Range(self.start, self.start + city.SPAN_MS)

    def panel(self, name: str, title: str, **asked: Choice) -> PanelData:
        board = BOARDS[name]
        (panel,) = [panel for panel in board["panels"] if panel["title"] == title]
        return self.engine.panel(board, panel, self.engine.settle(board, asked), self.span)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    server = InfluxDb1(tmp_path_factory.mktemp("influxdb"))
    server.start()
    now = time.time_ns() // 1_000_000
    start = now - now % 600_000 - city.SPAN_MS + 600_000
    with connect(server.config, PATIENCE_S, THREADS) as influx, Engine(of_influx(influx)) as engine:
        influx.ensure(0)
        for database, lines in (
            (influx.config.raw, list(city.raw_lines(start))),
            (influx.config.main, list(city.main_lines(start, now))),
        ):
            for first in range(0, len(lines), BLOCK):
                influx.write(database, lines[first : first + BLOCK])
        yield Shown(influx, engine, server, start)
    server.stop()


def columns(frame: Frame) -> dict[str, list[Any]]:
    return {values.title(field): list(field.values) for field in frame.fields}


def test_variables_are_filled_from_the_database(shown: Shown) -> None:
    board = BOARDS["datastream"]
    nodes = {stream.node for stream in city.STREAMS}
    assert set(shown.engine.options(board, "node", {})) == nodes
    stream = city.STREAMS[0]
    sensors = {one.sensor for one in city.STREAMS if one.node == stream.node}
    assert set(shown.engine.options(board, "sensor", {"node": stream.node})) == sensors
    asked: dict[str, Choice] = {
        "node": stream.node,
        "sensor": stream.sensor,
        "property": stream.prop,
        "window": "1m",
    }
    chosen = shown.engine.settle(board, asked)
    assert asked.items() <= chosen.items()


def test_a_series_holds_the_written_windows(shown: Shown) -> None:
    stream = city.STREAMS[0]
    data = shown.panel(
        "datastream",
        "Mean, minimum and maximum of $window windows",
        node=stream.node,
        sensor=stream.sensor,
        property=stream.prop,
        window="10m",
    )
    assert data.error is None
    by_title = {values.title(frame.fields[1]): frame for frame in data.frames}
    expected = {
        start: fmean(found)
        for start, found in city.windows(stream, shown.start, 600_000).items()
        if start <= shown.span.end
    }
    mean = by_title["mean"]
    assert mean.fields[0].values == sorted(expected)
    assert mean.fields[1].values == pytest.approx([expected[t] for t in sorted(expected)])


def test_a_table_holds_the_written_crossings(shown: Shown) -> None:
    data = shown.panel("cameras", "Lines", node=ALL, camera=ALL)
    assert data.error is None
    (frame,) = data.frames
    found = columns(frame)
    # One a minute, in turn.
    counted = zip(
        *(found[name] for name in ("Line", "Class", "Direction", "Crossings")), strict=True
    )
    assert set(counted) == {(*way, 480) for way in city.CROSSINGS}


@pytest.mark.parametrize(("name", "title"), PANELS)
def test_every_panel_of_every_board_is_drawn_without_an_error(
    shown: Shown, name: str, title: str
) -> None:
    data = shown.panel(name, title)
    assert data.error is None
    for frame in data.frames:
        assert len({len(field.values) for field in frame.fields}) == 1
        for field in frame.fields:
            assert "$" not in values.title(field)
            for value in field.values[:MOST]:
                values.shown(value, field.config)
                values.color(value, field.config, "dark")


def test_a_matrix_has_a_column_for_each_direction(shown: Shown) -> None:
    data = shown.panel("cameras", "Counted, by class and direction", node=ALL, camera=ALL)
    (frame,) = data.frames
    found = columns(frame)
    assert found["in"] == [480, 480, None]
    assert (found["out"], found["class\\direction"]) == (
        [None, None, 480],
        ["bus", "car", "person"],
    )


def test_the_newest_window_is_known(shown: Shown) -> None:
    assert shown.engine.newest() == max(
        start for stream in city.STREAMS for start in city.windows(stream, shown.start, 10_000)
    )


def test_panels_asked_all_at_once_hold_the_same(shown: Shown) -> None:
    board = BOARDS["city-now"]
    chosen = shown.engine.settle(board, {})

    def ask(engine: Engine, panel: dict[str, Any]) -> tuple[object, object]:
        data = engine.panel(board, panel, chosen, shown.span)
        return data.error, [columns(frame) for frame in data.frames]

    # Each with an engine of its own, so that no answer is shared.
    with Engine(of_influx(shown.influx)) as one, Engine(of_influx(shown.influx)) as other:
        alone = [ask(one, panel) for panel in board["panels"]]
        with ThreadPoolExecutor(16) as pool:
            together = list(pool.map(lambda panel: ask(other, panel), board["panels"]))
    assert together == alone


def test_a_server_that_goes_away_and_comes_back(shown: Shown) -> None:
    board = BOARDS["city-now"]
    (panel,) = [panel for panel in board["panels"] if panel["title"] == "Refused"]

    def error(shift: int) -> str | None:
        # Another range each time, so that no answer is known already.
        span = Range(shown.span.start, shown.span.end - shift)
        return shown.engine.panel(board, panel, {}, span).error

    assert error(1) is None
    shown.server.stop()
    said = error(2)
    shown.server.start()
    assert said is not None
    assert "start the server" in said
    assert error(3) is None
