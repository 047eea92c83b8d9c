"""The launchers that the demo and all other tests rely on."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from citynerve.demo.servers import InfluxDb1, Mosquitto, influxdb
from citynerve.errors import UnavailableError
from citynerve.influx import connect

pytestmark = pytest.mark.integration


@pytest.fixture
def taken() -> Iterator[int]:
    """A loopback port that another process would hold."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


@pytest.mark.parametrize("kind", [Mosquitto, InfluxDb1])
def test_a_port_that_was_taken_meanwhile_is_changed(
    kind: type[Mosquitto | InfluxDb1], tmp_path: Path, taken: int
) -> None:
    server = kind(tmp_path)
    server.port = taken  # as if another process had been quicker
    process = server.start()
    try:
        assert server.port != taken
        assert process.serves(server.port)
    finally:
        server.stop()
    assert process.poll() is not None


@pytest.mark.parametrize("kind", [Mosquitto, InfluxDb1])
def test_a_port_that_was_asked_for_is_not_changed(
    kind: type[Mosquitto | InfluxDb1], tmp_path: Path, taken: int
) -> None:
    with pytest.raises(UnavailableError, match=r"(?i)address already in use"):
        kind(tmp_path, taken).start()


def test_folders_may_have_spaces_and_letters_beyond_ascii(tmp_path: Path) -> None:
    folder = tmp_path / 'rådhus "run" 1'
    broker, database = Mosquitto(folder / "m", persistence=True), influxdb(folder / "i")
    broker.start()
    database.start()
    try:
        with connect(database.config) as influx:
            influx.ensure(0)
    finally:
        broker.stop()
        database.stop()
    assert (folder / "m" / "data" / "mosquitto.db").is_file()
    assert (folder / "i" / "data" / "meta" / "meta.db").is_file()


def test_a_server_comes_back_on_its_port_with_its_data(tmp_path: Path) -> None:
    server = InfluxDb1(tmp_path)
    server.start()
    port = server.port
    with connect(server.config) as influx:
        influx.ensure(0)
        influx.write("citynerve", ["m value=1 1"])
        server.kill()
        server.start()
        assert server.port == port
        assert influx.query("citynerve", "SELECT value FROM m")[0].values == [[1, 1]]
        server.stop()
        server.forget()
        server.start()
        assert influx.query("citynerve", "SHOW DATABASES")[0].values == []
    server.stop()


def test_a_program_that_is_no_influxd_is_refused(tmp_path: Path) -> None:
    program = tmp_path / "influxd"
    program.write_text("#!/bin/sh\necho InfluxDB 7.1\n")
    program.chmod(0o755)
    with pytest.raises(UnavailableError, match=r"neither 1\.x nor 2\.x: InfluxDB 7\.1"):
        influxdb(tmp_path / "data", program=str(program))


def test_a_program_that_cannot_be_run_is_told(tmp_path: Path) -> None:
    for program, problem in [("none", "No such file"), (".", "Permission denied")]:
        with pytest.raises(UnavailableError, match=f"cannot be run: {problem}") as caught:
            influxdb(tmp_path / "data", program=str(tmp_path / program))
        assert "CITYNERVE_INFLUXD" in (caught.value.fix or "")
