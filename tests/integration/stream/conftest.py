"""Streams as processes, between a real Mosquitto and a real InfluxDB."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from citynerve.demo.servers import InfluxDb1, Mosquitto
from tests.integration.stream.scripted import StreamProcess


@pytest.fixture
def stream(tmp_path: Path, broker: Mosquitto, influx_process: InfluxDb1) -> Iterator[StreamProcess]:
    process = StreamProcess(tmp_path / "stream", broker.config.url, influx_process.config.url)
    yield process
    process.end()


@pytest.fixture
def other(tmp_path: Path, broker: Mosquitto, influx_process: InfluxDb1) -> Iterator[StreamProcess]:
    """A stream with a store of its own, beside the same servers."""
    process = StreamProcess(tmp_path / "other", broker.config.url, influx_process.config.url)
    yield process
    process.end()
