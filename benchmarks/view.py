"""How long the local view takes to draw a board of 20 panels, and every other one.

``python -m benchmarks.view [--json] [--browser]``

A week of a city of 100 nodes in the packaged InfluxDB (1.6). For each board: settling its
variables, then all its panels at once, over the week. Each figure is the best and the worst of
several drawings, each with another range, as refreshes have it, so that no answer is known already.
With ``--browser`` also from opening the page in Chromium until every panel is drawn.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from benchmarks import view_city
from citynerve.clock import now_ms
from citynerve.demo.servers import InfluxDb1
from citynerve.influx import Influx, connect
from dashboards import boards
from dashboards.queries import Choice, Range
from dashboards.view.asking import PATIENCE_S, THREADS, of_influx
from dashboards.view.engine import Engine

_DRAWINGS: Final = 5
_PAGES: Final = 8
"""Panels that a page asks for at once."""


class Result(NamedTuple):
    """One board; seconds. ``panel`` is the slowest panel's in the worst drawing."""

    board: str
    panels: int
    settled: float
    best: float
    worst: float
    panel: float
    rows: int


@contextmanager
def city(folder: Path) -> Iterator[tuple[Influx, int]]:
    """A server that holds the week, and when that ends."""
    server = InfluxDb1(folder)
    server.start()
    try:
        with connect(server.config, PATIENCE_S, THREADS) as influx:
            end = now_ms() // 600_000 * 600_000
            begun = time.monotonic()
            points = view_city.fill(influx, end)
            print(f"{points:,} points in {time.monotonic() - begun:.0f} s", file=sys.stderr)
            yield influx, end
    finally:
        server.stop()


def measure(engine: Engine, name: str, board: Mapping[str, Any], end: int) -> Result:
    """Draw a board several times, as a page does."""
    begun = time.monotonic()
    chosen = engine.settle(board, {})
    settled = time.monotonic() - begun
    drawings = []
    rows, slowest = 0, 0.0
    for number in range(_DRAWINGS):
        shift = number * 1_000
        span = Range(end - view_city.DAYS * view_city.DAY_MS - shift, end - shift)
        seconds, rows, panel = _drawn(engine, board, chosen, span)
        slowest = max(slowest, panel)
        drawings.append(seconds)
    panels = len(board["panels"])
    return Result(name, panels, settled, min(drawings), max(drawings), slowest, rows)


def _drawn(
    engine: Engine, board: Mapping[str, Any], chosen: Mapping[str, Choice], span: Range
) -> tuple[float, int, float]:
    begun = time.monotonic()
    with ThreadPoolExecutor(_PAGES) as pool:
        data = list(pool.map(lambda one: engine.panel(board, one, chosen, span), board["panels"]))
    seconds = time.monotonic() - begun
    errors = [one.error for one in data if one.error]
    if errors:
        raise SystemExit("\n".join(errors))
    rows = sum(len(one.fields[0].values) for found in data for one in found.frames)
    return seconds, rows, max(one.seconds for one in data)


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="figures as JSON lines")
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        city(Path(folder)) as (influx, end),
        Engine(of_influx(influx)) as engine,
    ):
        results = [measure(engine, name, board, end) for name, board in boards.load().items()]
    if asked.json:
        for result in results:
            print(json.dumps(result._asdict()))
        return
    print("board         panels   rows  variables   best  worst  slowest panel")
    for one in results:
        print(
            f"{one.board:12} {one.panels:7} {one.rows:6} {one.settled:9.2f}s"
            f" {one.best:5.2f}s {one.worst:5.2f}s {one.panel:9.2f}s"
        )


if __name__ == "__main__":
    main()
