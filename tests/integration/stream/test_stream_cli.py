"""Every foreseen mistake: one message, exit code 2, no traceback."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from citynerve.demo.servers import InfluxDb1, Mosquitto
from tests.guarded import GuardedMosquitto
from tests.integration.stream.scripted import StreamProcess
from tests.waiting import PATIENCE_S, until

pytestmark = pytest.mark.integration


def stream(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "citynerve", "stream", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )


def refused(done: subprocess.CompletedProcess[str], *parts: str) -> None:
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("error:") == 1
    for part in parts:
        assert part in done.stderr


def test_a_wrong_setting_is_named(tmp_path: Path) -> None:
    file = tmp_path / "stream.toml"
    file.write_text("[flow]\nepoch_ms = 1\n")
    refused(stream("run", "--config", str(file)), str(file), "flow.epoch_ms", "100")


def test_a_wrong_option_is_named(tmp_path: Path) -> None:
    refused(stream("run", "--store", str(tmp_path), "--raw", "most"), "storage.raw", "most")
    refused(stream("run", "--set", "influx"), "--set", "KEY=VALUE")


def test_a_wrong_scenario_is_named(tmp_path: Path, broker: Mosquitto) -> None:
    packs = tmp_path / "packs"
    packs.mkdir()
    (packs / "mine.toml").write_text('title = "x"\n[property.noise]\nwindows = ["7m"]\n')
    done = stream(
        *("run", "--store", str(tmp_path / "store"), "--mqtt-url", broker.config.url),
        *("--scenarios", str(packs)),
    )
    refused(done, "mine.toml", "7m")


def test_no_broker_is_waited_for_and_then_named(tmp_path: Path, influx_process: InfluxDb1) -> None:
    done = stream(
        *("run", "--store", str(tmp_path), "--wait", "6", "--mqtt-url", "mqtt://127.0.0.1:9"),
        *("--influx-url", influx_process.config.url),
    )
    refused(done, "MQTT broker", "mqtt://127.0.0.1:9", "Connection refused", "fix:")
    assert "waiting" in done.stderr


def test_no_influxdb_is_waited_for_and_then_named(tmp_path: Path, broker: Mosquitto) -> None:
    done = stream(
        *("run", "--store", str(tmp_path), "--wait", "1", "--mqtt-url", broker.config.url),
        *("--influx-url", "http://127.0.0.1:9"),
    )
    refused(done, "InfluxDB", "http://127.0.0.1:9", "fix:")


@pytest.fixture
def process(
    tmp_path: Path, broker: Mosquitto, influx_process: InfluxDb1
) -> Iterator[StreamProcess]:
    running = StreamProcess(tmp_path / "s", broker.config.url, influx_process.config.url)
    yield running
    running.end()


def test_a_broker_that_comes_later_is_found(process: StreamProcess, broker: Mosquitto) -> None:
    broker.kill()
    process.start(ready=False)
    until(lambda: "waiting" in process.text(), "it says that it waits")
    broker.start()
    until(lambda: "stream runs" in process.text(), "it runs")
    assert process.stop() == 0


def test_a_wrong_password_of_influxdb_is_an_error_at_once(
    tmp_path: Path, broker: Mosquitto
) -> None:
    server = InfluxDb1(tmp_path / "influx", user=("town", "right"))
    server.start()
    done = stream(
        *("run", "--store", str(tmp_path / "store"), "--mqtt-url", broker.config.url),
        *("--influx-url", server.config.url),
        *("--set", "influx.username=town", "--set", "influx.password=hidden"),
    )
    server.stop()
    refused(done, "influx")
    assert "hidden" not in done.stderr


def test_a_wrong_password_of_the_broker_is_an_error_at_once(
    tmp_path: Path, influx_process: InfluxDb1
) -> None:
    server = GuardedMosquitto(tmp_path / "guarded")
    server.start()
    try:
        done = stream(
            *("run", "--store", str(tmp_path / "store"), "--wait", "50"),
            *("--mqtt-url", server.config.url, "--influx-url", influx_process.config.url),
            *("--set", "mqtt.username=town", "--set", "mqtt.password=hidden"),
        )
    finally:
        server.stop()
    refused(done, "mqtt.username", "CITYNERVE_MQTT_USERNAME")
    assert "hidden" not in done.stderr


def test_init_makes_a_store_under_a_lost_id(tmp_path: Path) -> None:
    done = stream("init", str(tmp_path / "store"), "--as", "abc123")
    assert done.returncode == 0
    assert "abc123" in done.stdout
    refused(stream("init", str(tmp_path / "store")), "store")
    refused(stream("init", str(tmp_path / "other"), "--as", "../x"), "--as")


def test_check_explains_what_works_and_what_does_not(tmp_path: Path, broker: Mosquitto) -> None:
    done = stream(
        *("check", "--store", str(tmp_path / "store"), "--mqtt-url", broker.config.url),
        *("--influx-url", "http://127.0.0.1:9", "--wait", "1"),
    )
    assert done.returncode == 2
    assert "✓ broker" in done.stdout
    assert "✓ scenarios" in done.stdout
    assert "✗ InfluxDB" in done.stdout
    assert not (tmp_path / "store").exists()


def test_check_is_content_where_all_is_well(
    tmp_path: Path, broker: Mosquitto, influx_process: InfluxDb1
) -> None:
    done = stream(
        *("check", "--store", str(tmp_path / "store"), "--mqtt-url", broker.config.url),
        *("--influx-url", influx_process.config.url),
    )
    assert done.returncode == 0, done.stdout
    assert "✗" not in done.stdout


def test_the_kernels_are_compiled_before_any_message(
    process: StreamProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a machine that runs it for the first time; epochs, and thus acks, would wait for it."""
    cache = tmp_path / "cache"
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(cache))
    process.start()
    compiled = {path.name.partition(".")[0] for path in cache.rglob("*.nbc")}
    assert compiled >= {"windows", "sums", "light_kernel", "full_measure", "full_judge"}
    assert process.stop() == 0


def test_a_failure_of_the_flow_ends_the_process_loudly(process: StreamProcess) -> None:
    process.start()
    part = process.folder / "store" / "recovery" / "part-0.sqlite3"
    until(lambda: committed_epoch(part) > 2, "a commit")
    process.kill()
    with closing(sqlite3.connect(part)) as database, database:
        database.execute("UPDATE snaps SET ser_change = ?", (b"no pickle",))
    process.start(ready=False)
    assert process.wait() == 1
    last = process.text().splitlines()[-1]
    assert '"level": "error"' in last
    assert "the flow has failed" in last


def committed_epoch(part: Path) -> int:
    with closing(sqlite3.connect(f"file:{part}?mode=ro", uri=True)) as database:
        return int(database.execute("SELECT max(worker_frontier) FROM fronts").fetchone()[0] or 0)
