"""The nodes of ``docs/examples``, in shell and awk and in JavaScript, against the real stream."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from citynerve.demo.process import Process
from citynerve.influx import Influx, connect
from tests.servers import InfluxDb1, Mosquitto
from tests.waiting import PATIENCE_S

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        shutil.which("mosquitto_pub") is None, reason="needs the package mosquitto-clients"
    ),
]

ROOT = Path(__file__).parents[3]
T0 = 1_700_000_400_000
"""A multiple of ten minutes."""


@pytest.fixture
def epoch_ms() -> int:
    """After how long the stream commits, and acknowledges."""
    return 300


@pytest.fixture
def stream(
    tmp_path: Path, broker: Mosquitto, influx_process: InfluxDb1, epoch_ms: int
) -> Iterator[Process]:
    store = ["--store", str(tmp_path / "store"), "--retention-days", "0"]
    store += ["--epoch-ms", str(epoch_ms)]
    servers = ["--mqtt-url", broker.config.url, "--influx-url", influx_process.config.url]
    command = [sys.executable, "-m", "citynerve", "stream", "run", "--raw", "all"]
    process = Process("stream", [*command, *store, *servers], log=tmp_path / "stream.log")
    yield process
    process.stop(20)


@pytest.fixture
def database(influx_process: InfluxDb1) -> Iterator[Influx]:
    with connect(influx_process.config) as connection:
        connection.ensure(0)
        yield connection


def start(folder: Path, broker: Mosquitto, **more: str) -> subprocess.Popen[str]:
    own = {
        "NODE": "gauge-7",
        "AREA": "town/north/weir",
        "SENSOR": "gauge",
        "PROPERTY": "water_level",
        "UNIT": "m",
        "SPOOL": str(folder / "spool of the node"),
        "PORT": str(broker.port),
    }
    return subprocess.Popen(
        ["sh", str(ROOT / "docs" / "examples" / "node.sh")],
        env={**os.environ, **own, **more},
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def run(folder: Path, broker: Mosquitto, text: str, **more: str) -> None:
    child = start(folder, broker, **more)
    _, problems = child.communicate(text, timeout=PATIENCE_S)
    assert (child.returncode, problems) == (0, "")


def lines(numbers: range) -> str:
    return "".join(f"{T0 + n * 1000} {n % 97 / 8}\n" for n in numbers)


def stored(database: Influx) -> tuple[float, float]:
    """Count and sum of the observations; the sum is exact, being one of eighths."""
    query = "SELECT count(value), sum(value) FROM observation WHERE node = 'gauge-7'"
    found = database.query("citynerve_raw", query)
    if not found:
        return 0, 0
    # While the first points come in, InfluxDB may count some and have no sum of them yet.
    _, count, total = (value or 0 for value in found[0].values[0])
    assert isinstance(count, int | float)
    assert isinstance(total, int | float)
    return count, total


def expected(numbers: range) -> tuple[float, float]:
    return len(numbers), sum(n % 97 / 8 for n in numbers)


def test_it_is_taken_in_run_after_run_and_its_windows_close(
    tmp_path: Path, broker: Mosquitto, stream: Process, database: Influx
) -> None:
    run(tmp_path, broker, lines(range(1250)))
    run(tmp_path, broker, "")
    run(tmp_path, broker, lines(range(1250, 1800)), END="yes")
    assert stored(database) == expected(range(1800))
    query = (
        "SELECT count, mean, min, max, late FROM aggregate"
        " WHERE node = 'gauge-7' AND district = 'north' AND \"window\" = '10m'"
    )
    (series,) = database.query("citynerve", query)
    values = [[n % 97 / 8 for n in range(start, start + 600)] for start in (0, 600, 1200)]
    assert [[time, count, low, high] for time, count, _, low, high, _ in series.values] == [
        [(T0 + index * 600_000) * 1_000_000, 600, min(window), max(window)]
        for index, window in enumerate(values)
    ]
    assert [row[2] for row in series.values] == [
        pytest.approx(sum(window) / 600, rel=1e-12) for window in values
    ]
    assert stream.poll() is None


# It cannot end before it is acknowledged: long enough to kill it while it waits for that.
@pytest.mark.parametrize("epoch_ms", [3_000])
def test_killed_in_the_midst_nothing_is_lost_or_doubled(
    tmp_path: Path, broker: Mosquitto, stream: Process, database: Influx
) -> None:
    numbers = range(60_000)
    # A small credit is not ours to set, so the first run is stopped while it is still sending.
    child = start(tmp_path, broker)
    assert child.stdin is not None
    child.stdin.write(lines(numbers))
    child.stdin.close()
    deadline = time.monotonic() + PATIENCE_S
    while not database.query("citynerve_raw", "SELECT value FROM observation LIMIT 1"):
        assert time.monotonic() < deadline, "nothing arrived"
    assert child.poll() is None, "it had ended before it could be killed"
    os.killpg(child.pid, signal.SIGKILL)
    child.wait(PATIENCE_S)
    assert child.stderr is not None
    child.stderr.close()
    run(tmp_path, broker, "", END="yes")
    assert stored(database) == expected(numbers)
    assert stream.poll() is None


def test_without_a_broker_it_keeps_all_and_says_so(
    tmp_path: Path, broker: Mosquitto, stream: Process, database: Influx
) -> None:
    child = start(tmp_path, broker, PORT="1", PATIENCE="1")
    _, problems = child.communicate(lines(range(500)), timeout=PATIENCE_S)
    assert child.returncode == 1
    assert "no answer" in problems
    run(tmp_path, broker, lines(range(500, 700)))
    assert stored(database) == expected(range(700))
    assert stream.poll() is None


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")
def test_the_node_in_javascript_comes_to_the_same_through_kills(
    tmp_path: Path, broker: Mosquitto, stream: Process, database: Influx
) -> None:
    numbers = range(6_000)
    file = tmp_path / "readings.txt"
    file.write_text("".join(f"gauge water_level m {T0 + n * 1000} {n % 97 / 8}\n" for n in numbers))
    script = str(ROOT / "docs" / "examples" / "node.mjs")
    command = ["node", script, "127.0.0.1", str(broker.port), "gauge-7", str(file), "town/north"]
    # A small credit of its own makes the run last for several acks.
    slow = {**os.environ, "LINES": "100", "CREDIT": "5000"}
    with subprocess.Popen(
        command, env=slow, stderr=subprocess.PIPE, start_new_session=True
    ) as first:
        deadline = time.monotonic() + PATIENCE_S
        while stored(database)[0] < 300 and time.monotonic() < deadline:
            assert first.poll() is None, first.stderr.read() if first.stderr else ""
            assert stream.poll() is None
        os.killpg(first.pid, signal.SIGKILL)
    assert 300 <= stored(database)[0] < len(numbers)
    subprocess.run(command, check=True, timeout=PATIENCE_S, capture_output=True)
    assert stored(database) == expected(numbers)
    again = subprocess.run(command, check=True, timeout=PATIENCE_S, capture_output=True, text=True)
    assert "nothing new" in again.stderr
