"""One database, one view and one browser for all browser tests: the day of a small city."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import msgspec
import numpy as np
import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Error, Page, Request

from citynerve.influx import Influx, connect
from citynerve.preview import SeenLine, SeenTrack, SeenZone, State
from tests.e2e.browser import chrome
from tests.integration.dashboards import sample_city as city
from tests.servers import InfluxDb1

BLOCK = 10_000
PATIENCE_S = 60
CAMERA = "cam-1.north"


class View(NamedTuple):
    """A running view. ``now`` is in ms since 1970 UTC, when its data was written."""

    url: str
    influx: Influx
    cameras: Path
    now: int


class Watched:
    """A page that remembers what it must not do: errors, and requests to anybody else."""

    def __init__(self, page: Page, view: View) -> None:
        self.page = page
        self.view = view
        self.errors: list[str] = []
        self.strangers: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", self._error)
        page.on("request", self._request)

    def open(self, path: str, width: int = 1600, height: int = chrome.TALL) -> Page:
        """Open an address and wait until everything on it is drawn."""
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.goto(self.view.url.rstrip("/") + path)
        chrome.drawn(self.page)
        return self.page

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.errors.append(message.text)

    def _error(self, error: Error) -> None:
        self.errors.append(str(error))

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.view.url, "data:", "blob:")):
            self.strangers.append(request.url)


@pytest.fixture(scope="session")
def view(tmp_path_factory: pytest.TempPathFactory) -> Iterator[View]:
    if chrome.program() is None:
        pytest.skip("no Chromium: apt-get install chromium, or set CITYNERVE_CHROMIUM")
    folder = tmp_path_factory.mktemp("browser")
    cameras = folder / "cameras"
    cameras.mkdir()
    (folder / "city.geojson").write_text(json.dumps(geojson()))
    server = InfluxDb1(folder / "influxdb")
    server.start()
    now = time.time_ns() // 1_000_000
    with connect(server.config) as influx:
        influx.ensure(0)
        start = now - now % 600_000 - city.SPAN_MS + 600_000
        for database, lines in (
            (influx.config.raw, list(city.raw_lines(start))),
            (influx.config.main, list(city.main_lines(start, now))),
        ):
            for first in range(0, len(lines), BLOCK):
                influx.write(database, lines[first : first + BLOCK])
        write_preview(cameras, now, 1)
        process, url = preview(server, folder, cameras)
        yield View(url, influx, cameras, now)
        process.terminate()
        process.wait(PATIENCE_S)
    server.stop()


@pytest.fixture(scope="session")
def browser(view: View) -> Iterator[BrowserContext]:
    assert view.url
    with chrome.running() as context:
        yield context


@pytest.fixture
def watched(browser: BrowserContext, view: View) -> Iterator[Watched]:
    browser.clear_cookies()
    page = browser.new_page()
    yield Watched(page, view)
    page.close()


def preview(server: InfluxDb1, folder: Path, cameras: Path) -> tuple[subprocess.Popen[bytes], str]:
    """Start a view of a server, and wait until it serves; returns its address too."""
    ready = folder / "ready"
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "citynerve", "dashboards", "preview", "--no-browser"),
            *("--influx-url", server.config.url, "--ready-file", str(ready)),
            *("--cameras", str(cameras), "--geojson", str(folder / "city.geojson")),
        ],
        stdout=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + PATIENCE_S
    while not ready.exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return process, ready.read_text().strip()


def write_preview(cameras: Path, now: int, track: int) -> None:
    """A camera's picture with one track, one line and one zone."""
    picture = np.full((180, 320, 3), 90, np.uint8)
    done, jpeg = cv2.imencode(".jpg", picture)
    assert done
    state = State(
        node="cam-1",
        camera="north",
        t=now + track,
        width=320,
        height=180,
        simulated=True,
        tracks=(SeenTrack(track, "car", (0.25, 0.25, 0.5, 0.75)),),
        lines=(SeenLine("main", (0.1, 0.5), (0.9, 0.5), "in", "out", {"in": {"car": 7}}),),
        zones=(SeenZone("square", ((0.6, 0.6), (0.9, 0.6), (0.9, 0.9)), {"person": 2}),),
        counts={"car": 1},
    )
    contents = {".jpg": jpeg.tobytes(), ".json": msgspec.json.encode(state)}
    for ending, content in contents.items():
        fresh = cameras / f".{CAMERA}{ending}.new"
        fresh.write_bytes(content)
        fresh.replace(cameras / f"{CAMERA}{ending}")


def geojson() -> dict[str, object]:
    """Two districts and a street, where the sample's sensors stand."""

    def feature(kind: str, name: str, shape: str, places: object) -> dict[str, object]:
        return {
            "type": "Feature",
            "properties": {"kind": kind, "id": name, "name": name.capitalize()},
            "geometry": {"type": shape, "coordinates": places},
        }

    def square(south: float, west: float) -> list[list[list[float]]]:
        north, east = south + 0.012, west + 0.024
        corners = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        return [corners]

    features = [
        feature("district", "centrum", "Polygon", square(56.145, 10.192)),
        feature("district", "havn", "Polygon", square(56.157, 10.208)),
        feature("street", "ring", "LineString", [[10.19, 56.15], [10.22, 56.16]]),
    ]
    return {"type": "FeatureCollection", "features": features}
