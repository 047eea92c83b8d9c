"""Every query of every board on the data of a real run: the demo's simulated city."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from citynerve.influx import ENV, InfluxConfig, connect
from dashboards import boards, queries
from dashboards.sources import RAW
from tests.servers import INFLUXD, influx_server

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

SECONDS = 45
HOURS = 48

# A city without cameras counts nobody, and nothing of it is rejected.
EMPTY_HERE = {
    "city-now: panel 'Busiest counting lines', query A",
    "city-now: panel 'Rejected', query A",
}


@pytest.fixture(params=list(INFLUXD))
def config(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[InfluxConfig]:
    server = influx_server(request.param, tmp_path / "influxdb")
    server.start()
    yield server.config
    server.stop()


def test_every_panel_has_something_to_show(config: InfluxConfig, tmp_path: Path) -> None:
    given = {
        variable: value
        for variable, key in ENV.items()
        if (value := getattr(config, key.partition(".")[2]))
    }
    demo = subprocess.run(
        [
            *(sys.executable, "-m", "citynerve", "demo", "--for", f"{SECONDS}s"),
            *("--dir", str(tmp_path / "run")),
        ],
        env={**os.environ, **given},
        capture_output=True,
        text=True,
        check=False,
    )
    assert demo.returncode == 0, demo.stdout + demo.stderr
    now = time.time_ns() // 1_000_000
    span = queries.Range(now - HOURS * 3_600_000, now)
    with connect(config) as influx:

        def run(source: str, influxql: str) -> int:
            database = config.raw if source == RAW.uid else config.main
            return sum(len(series.values) for series in influx.query(database, influxql))

        def ask(source: str, influxql: str) -> list[str]:
            database = config.raw if source == RAW.uid else config.main
            found = influx.query(database, influxql)
            return sorted({row[1] for series in found for row in series.values})

        answered: dict[str, int] = {}
        for stem, board in boards.load().items():
            known = queries.variables(board)
            for values in queries.choices(board, ask):
                for query in queries.queries(board):
                    rows = run(query.source, queries.substitute(query, known, values, span))
                    place = f"{stem}: {query.place}"
                    answered[place] = answered.get(place, 0) + rows
    assert {place for place, rows in answered.items() if rows == 0} <= EMPTY_HERE
    assert len(answered) > len(EMPTY_HERE)
