"""How long the local view takes to draw a board of 20 panels, and every other one.

``python -m benchmarks.view [--json] [--browser]``

A week of a city of 100 nodes in the packaged InfluxDB (1.6). For each board: settling its
variables, then all its panels at once, over the week. Each figure is the best and the worst of
several drawings, each with another range, as refreshes have it, so that no answer is known already.
With ``--browser`` also in a headless Chromium, with all panels in its window: the first paint, and
until every panel is drawn; the first opening loads the scripts, later ones have them.
"""

import argparse
import json
import subprocess
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
from tests.e2e.browser import chrome

_DRAWINGS: Final = 5
_PAINT: Final = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
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


class Opened(NamedTuple):
    """A board opened in a browser; seconds from the address to the first paint, and to the end."""

    board: str
    opening: int
    paint: float
    drawn: float


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


def browse(influx: Influx, folder: Path, openings: int = 3) -> Iterator[Opened]:
    """Open the board of 20 panels, over the week, in a view that has just started."""
    ready = folder / "ready"
    begun = time.monotonic()
    options = ["--no-browser", "--influx-url", influx.config.url, "--ready-file", str(ready)]
    view = subprocess.Popen(
        [sys.executable, "-m", "citynerve", "dashboards", "preview", *options],
        stdout=subprocess.DEVNULL,
    )
    try:
        while not ready.exists() and view.poll() is None:
            time.sleep(0.01)
        print(f"view started in {time.monotonic() - begun:.1f} s", file=sys.stderr)
        address = f"{ready.read_text().strip()}d/citynerve-city?from=now-7d&to=now"
        with chrome.running() as browser:
            for opening in range(1, openings + 1):
                page = browser.new_page()
                page.set_viewport_size({"width": 1600, "height": chrome.TALL})
                begun = time.monotonic()
                page.goto(address, wait_until="commit")
                chrome.drawn(page)
                seconds = time.monotonic() - begun
                paint = page.evaluate(_PAINT) / 1_000
                page.close()
                yield Opened("city-now", opening, paint, seconds)
    finally:
        view.terminate()
        view.wait()


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="figures as JSON lines")
    parser.add_argument("--browser", action="store_true", help="in Chromium too")
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        city(Path(folder)) as (influx, end),
        Engine(of_influx(influx)) as engine,
    ):
        results = [measure(engine, name, board, end) for name, board in boards.load().items()]
        opened = list(browse(influx, Path(folder))) if asked.browser else []
    if asked.json:
        figures = [*(one._asdict() for one in results), *(one._asdict() for one in opened)]
        print("\n".join(json.dumps(one) for one in figures))
        return
    print("board         panels   rows  variables   best  worst  slowest panel")
    for one in results:
        print(
            f"{one.board:12} {one.panels:7} {one.rows:6} {one.settled:9.2f}s"
            f" {one.best:5.2f}s {one.worst:5.2f}s {one.panel:9.2f}s"
        )
    for seen in opened:
        print(
            f"{seen.board} in Chromium, opening {seen.opening}:"
            f" first paint {seen.paint:.2f}s, drawn {seen.drawn:.2f}s"
        )


if __name__ == "__main__":
    main()
