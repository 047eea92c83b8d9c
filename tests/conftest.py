"""Fixtures that all tests share."""

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from citynerve.influx import Influx, connect
from tests.servers import INFLUXD, InfluxDb1, InfluxDb2, Mosquitto, influx_server

# On a busy machine, drawing examples takes long; that says nothing about them.
settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("here")


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of real recordings and models; skips where there is none."""
    root = Path(__file__).parent.parent
    folder = (root / os.environ.get("CITYNERVE_SAMPLES", "../shared")).resolve()
    if not (folder / "aarhus").is_dir():
        pytest.skip(f"no recordings in {folder}: set CITYNERVE_SAMPLES")
    return folder


@pytest.fixture
def dead_port() -> Iterator[int]:
    """A loopback port that refuses connections, and that nobody else can take meanwhile."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """A Mosquitto of this test alone, without persistence."""
    server = Mosquitto(tmp_path / "mosquitto")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def persistent_broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """A Mosquitto of this test alone that writes its state down."""
    server = Mosquitto(tmp_path / "mosquitto", persistence=True)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def shared_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """One Mosquitto for all tests that use topics, roots or client ids of their own."""
    server = Mosquitto(tmp_path_factory.mktemp("mosquitto"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def influx_process(tmp_path: Path) -> Iterator[InfluxDb1]:
    """The packaged InfluxDB, of this test alone: it may be killed."""
    server = InfluxDb1(tmp_path / "influxdb")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session", params=list(INFLUXD))
def any_influxdb(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[InfluxDb1 | InfluxDb2]:
    """Each installed generation of InfluxDB in turn, one server a session."""
    server = influx_server(request.param, tmp_path_factory.mktemp("influxdb"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def influx(influx_process: InfluxDb1) -> Iterator[Influx]:
    """A connection to the packaged InfluxDB with both databases, of this test alone."""
    with connect(influx_process.config) as connection:
        connection.ensure(0)
        yield connection


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 12 MiB; skips where it may not be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(folder)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"a small file system cannot be mounted here: {error}")
    yield folder
    # Lazily, since what a test started may still have files open.
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
