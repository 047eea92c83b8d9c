"""The local view as a process: who may ask, what it serves, how it ends."""

import http.client
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec
import pytest

from citynerve.errors import ConfigError, UnavailableError
from citynerve.influx import connect
from dashboards.view.asking import Asking
from dashboards.view.cli import preview
from dashboards.view.engine import Engine
from dashboards.view.server import serve
from dashboards.view.settings import Settings
from tests.servers import InfluxDb1

pytestmark = pytest.mark.integration

JPEG = b"\xff\xd8\xff\xe0 a picture \xff\xd9"
PATIENCE_S = 60
BOARD = "/d/citynerve-city"


class View(NamedTuple):
    process: subprocess.Popen[str]
    url: str
    cameras: Path

    def get(self, path: str, **headers: str) -> tuple[int, http.client.HTTPMessage, bytes]:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=PATIENCE_S)
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()


def command(influx: InfluxDb1, *options: str) -> list[str]:
    start = [sys.executable, "-m", "citynerve", "dashboards", "preview", "--no-browser"]
    return [*start, "--influx-url", influx.config.url, *options]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxDb1]:
    server = InfluxDb1(tmp_path_factory.mktemp("influxdb"))
    server.start()
    with connect(server.config) as influx:
        influx.ensure(0)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def view(database: InfluxDb1, tmp_path_factory: pytest.TempPathFactory) -> Iterator[View]:
    folder = tmp_path_factory.mktemp("view")
    cameras = folder / "cameras"
    cameras.mkdir()
    ready = folder / "ready"
    ready.write_text("of a run before")
    options = ["--cameras", str(cameras), "--ready-file", str(ready)]
    options += ["--truth", str(folder / "comes-later"), "--geojson", str(folder / "too")]
    process = subprocess.Popen(
        command(database, *options), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    deadline = time.monotonic() + PATIENCE_S
    while not (ready.exists() and ready.read_text().startswith("http")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    yield View(process, ready.read_text().strip(), cameras)
    process.kill()
    process.wait()


def test_the_view_serves_pages_to_this_machine_only(view: View) -> None:
    assert urlsplit(view.url).hostname == "127.0.0.1"
    status, headers, body = view.get(BOARD)
    assert status == 200
    assert b"<html" in body
    assert "frame-ancestors 'none'" in (headers["content-security-policy"] or "")
    port = urlsplit(view.url).port
    assert view.get(BOARD, Host=f"localhost:{port}")[0] == 200
    assert view.get(BOARD, Host=f"evil.example:{port}")[0] == 403
    assert view.get(BOARD, Origin="http://evil.example")[0] == 403
    socket = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    status, _, _ = view.get(
        "/_nicegui_ws/socket.io/?EIO=4&transport=websocket",
        **socket,
        **{"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Origin": "http://evil.example"},
    )
    assert status == 403
    page = body.decode()
    assert "//cdn" not in page
    assert "fonts.googleapis" not in page


def test_pictures_of_cameras_are_served_fresh_and_nothing_else(view: View) -> None:
    assert view.get("/cameras/gate-1.front.jpg")[0] == 404
    (view.cameras / "gate-1.front.jpg").write_bytes(JPEG)
    (view.cameras / "gate-1.front.json").write_bytes(msgspec.json.encode({}))
    status, headers, body = view.get("/cameras/gate-1.front.jpg?t=5")
    assert (status, body) == (200, JPEG)
    assert headers["content-type"] == "image/jpeg"
    assert headers["cache-control"] == "no-store"
    (view.cameras.parent / "secret.x.jpg").write_bytes(JPEG)
    for path in ("/cameras/../secret.x.jpg", "/cameras/..%2Fsecret.x.jpg", "/cameras/x.jpg"):
        assert view.get(path)[0] == 404


def test_an_address_that_is_taken_is_said_at_once(view: View) -> None:
    port = urlsplit(view.url).port or 0
    with (
        Engine(Asking({})) as engine,
        pytest.raises(UnavailableError, match="choose another --port"),
    ):
        serve(Settings(port=port), engine, {}, print)


def test_settings_that_are_wrong_are_said_at_once() -> None:
    with pytest.raises(ConfigError, match=r"influx\.url"):
        preview.main(["--influx-url", "nowhere"], standalone_mode=False)


def test_it_ends_when_told_even_with_a_page_open(view: View) -> None:
    connection = http.client.HTTPConnection(urlsplit(view.url).netloc, timeout=PATIENCE_S)
    connection.request("GET", BOARD)
    assert connection.getresponse().status == 200
    begun = time.monotonic()
    view.process.send_signal(signal.SIGTERM)
    said, _ = view.process.communicate(timeout=PATIENCE_S)
    assert view.process.returncode == 0
    assert time.monotonic() - begun < 10  # two seconds where nothing else keeps the machine busy
    assert view.url in said
    assert "Traceback" not in said
    connection.close()
