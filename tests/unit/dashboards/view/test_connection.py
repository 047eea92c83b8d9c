"""The view's connection, before and after its database is there."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from citynerve.errors import UnavailableError
from citynerve.influx.config import InfluxConfig
from dashboards.view import connection
from dashboards.view.connection import Connection

ANSWER = b'{"results":[{"series":[{"name":"m","columns":["time"],"values":[[7]]}]}]}'


class InfluxOne(BaseHTTPRequestHandler):
    """As much of an InfluxDB 1.6 as is asked for here."""

    def do_GET(self) -> None:
        body = ANSWER if self.path.startswith("/query") else b""
        self.send_response(200 if body else 204)
        self.send_header("X-Influxdb-Version", "1.6.4")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - http.server's name

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def way(port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    monkeypatch.setattr(connection, "AGAIN_S", 0.0)
    made = Connection(InfluxConfig(url=f"http://127.0.0.1:{port}"), 10.0, 2)
    yield made
    made.close()


def test_a_database_that_comes_later_is_found(way: Connection, port: int) -> None:
    for _ in range(2):
        with pytest.raises(UnavailableError, match=str(port)):
            way.query("main", "SELECT 1")
    server = ThreadingHTTPServer(("127.0.0.1", port), InfluxOne)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        (series,) = way.query("main", "SELECT 1", epoch="ms")
        assert series.values == [[7]]
        assert way.open() is way.open()
    finally:
        server.shutdown()
        server.server_close()


def test_one_that_is_away_is_not_asked_at_every_question(
    way: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "AGAIN_S", 3_600.0)
    asked: list[object] = []

    def nobody(*arguments: object) -> None:
        asked.append(arguments)
        raise UnavailableError("InfluxDB", where="there", problem="nobody")

    monkeypatch.setattr(connection, "connect", nobody)
    for _ in range(3):
        with pytest.raises(UnavailableError, match="nobody"):
            way.query("main", "SELECT 1")
    assert len(asked) == 1
