"""``citynerve demo`` as a user runs it: a process, its output, its exit code, what it leaves."""

import csv
import json
import math
import os
import re
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import cv2
import pytest

from citynerve.demo.process import free_port
from citynerve.influx import Influx
from citynerve.mqtt import Link
from tests.servers import InfluxDb1, Mosquitto

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

STEP = 60.0
"""Seconds that any one step may take on a busy machine."""


class Running:
    """A demo that runs."""

    def __init__(self, folder: Path, *arguments: str, **env: str) -> None:
        self.folder = folder
        self.output = folder.parent / f"{folder.name}.txt"
        command = [sys.executable, "-m", "citynerve", "demo", "--dir", str(folder), *arguments]
        with self.output.open("wb") as sink:
            self._popen = subprocess.Popen(
                command, stdout=sink, stderr=subprocess.STDOUT, env={**os.environ, **env}
            )

    def wait(self, timeout: float = STEP) -> int:
        return self._popen.wait(timeout)

    def text(self) -> str:
        return self.output.read_text(encoding="utf-8")

    def wait_for(self, path: str) -> None:
        """Wait until a file of the run exists."""
        deadline = time.monotonic() + STEP
        while not (self.folder / path).exists():
            assert self._popen.poll() is None, self.text()
            assert time.monotonic() < deadline, f"no {path}"
            time.sleep(0.05)

    def signal(self, number: signal.Signals) -> None:
        self._popen.send_signal(number)

    def end(self) -> None:
        if self._popen.poll() is None:
            self._popen.kill()
            self._popen.wait()


Start = Callable[..., Running]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts demos, and ends those that still run after the test."""
    running: list[Running] = []

    def begin(*arguments: str, name: str = "run", **env: str) -> Running:
        running.append(Running(tmp_path / name, *arguments, **env))
        return running[-1]

    yield begin
    for demo in running:
        demo.end()


def left_behind(folder: Path) -> list[str]:
    """The command lines of processes that work in a run's folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if str(folder) in command:
                found.append(command)
    return found


def assert_nothing_left(folder: Path) -> None:
    # What the kernel kills for us may take a moment to be gone.
    deadline = time.monotonic() + 5
    while left := left_behind(folder):
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


def pid_of(demo: Running, process: str) -> int:
    config = str(demo.folder / process / "config.toml")
    deadline = time.monotonic() + STEP
    while time.monotonic() < deadline:
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and config in (entry / "cmdline").read_text():
                    return int(entry.name)
            except OSError:
                continue
        time.sleep(0.05)
    raise AssertionError(f"no process of {config}")


def test_a_simulated_city_arrives_whole(start: Start, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    demo = start("--for", "8s", "--until-done", "--nodes", "3", "--report", str(report))
    assert demo.wait() == 0, demo.text()
    told = json.loads(report.read_bytes())
    assert told["ok"] is True
    assert told["nodes"] == ["road-01", "air-02", "water-03"]
    # 48 hours by the minute, then 8 seconds; and some are silent for some of the hours.
    per_stream = {(d["node"], d["property"]): d["stored"] for d in told["datastreams"]}
    assert per_stream["air-02", "pm25"] == 48 * 60 + 8
    assert per_stream["water-03", "humidity"] == 48 * 60 + 8
    loops = {d["sensor"]: d for d in told["datastreams"] if d["property"] == "speed"}
    assert loops["loop-in"]["stored"] == 48 * 60 + 8 - 4 * 60
    assert loops["loop-out"]["stored"] == 48 * 60 + 8
    for one in told["datastreams"]:
        assert one["read"] == one["distinct"] == one["sent"] == one["stored"]
        assert (one["unsent"], one["lost"], one["doubled"]) == (0, 0, 0)
        assert set(one["windows"].values()) == {one["stored"] - one["bad"]}
    assert told["anomalies"]["gap"] >= 1
    assert told["anomalies"]["flatline"] >= 1
    names = [process["name"] for process in told["processes"]]
    assert names == ["mosquitto", "influxdb", "stream", "road-01", "air-02", "water-03"]
    assert all(process["code"] == 0 for process in told["processes"])
    assert all(process["cpu_seconds"] > 0 for process in told["processes"])
    assert all(process["peak_memory_mib"] > 1 for process in told["processes"])
    assert_nothing_left(demo.folder)


MAPPING = """
lateness = "1h"
[time]
column = "when"
[sensor]
column = "what"
[properties.level]
column = "reading"
unit = "m"
"""


def recorded(path: Path) -> dict[str, dict[int, float]]:
    """Write a file whose rows come up to 40 minutes late and repeat; what should be stored."""
    rows = [
        (f"gauge-{i % 3}", 1_700_000_000_000 + (i - (7 * i) % 40) * 60_000, i * 0.37 + 0.1)
        for i in range(600)
    ]
    rows += rows[100:130]
    rows.sort(key=lambda row: row[1] // 2_400_000)
    expected: dict[str, dict[int, float]] = defaultdict(dict)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["when", "what", "reading"])
        for sensor, t, value in rows:
            writer.writerow(
                [datetime.fromtimestamp(t / 1000).astimezone().isoformat(), sensor, value]
            )
            expected[sensor].setdefault(t, value)
    return expected


def test_recorded_files_arrive_exactly_on_servers_of_the_users(
    start: Start,
    tmp_path: Path,
    broker: Mosquitto,
    influx_process: InfluxDb1,
    influx: Influx,
) -> None:
    source, mapping = tmp_path / "water levels.csv", tmp_path / "levels.toml"
    expected = recorded(source)
    mapping.write_text(MAPPING, encoding="utf-8")
    report = tmp_path / "report.json"
    demo = start(
        *("--replay", str(source), "--mapping", str(mapping)),
        *("--speed", "max", "--until-done", "--report", str(report)),
        CITYNERVE_MQTT_URL=broker.config.url,
        CITYNERVE_INFLUX_URL=influx_process.config.url,
    )
    assert demo.wait() == 0, demo.text()
    told = json.loads(report.read_bytes())
    names = [process["name"] for process in told["processes"]]
    assert names == ["stream", "water-levels" + names[1].removeprefix("water-levels")]
    assert told["totals"]["read"] == 630
    assert told["totals"]["repeated"] == 630 - sum(map(len, expected.values()))
    assert told["totals"]["late"] == 0

    stored = influx.query("citynerve_raw", "SELECT value FROM observation GROUP BY sensor")
    assert {
        series.tags["sensor"]: {t // 1_000_000: value for t, value in series.values}
        for series in stored
    } == expected

    tens: dict[tuple[str, int], list[float]] = defaultdict(list)
    for sensor, readings in expected.items():
        for t, value in readings.items():
            tens[sensor, t - t % 600_000].append(value)
    statement = "SELECT count, mean, max FROM aggregate WHERE \"window\" = '10m' GROUP BY sensor"
    found = {
        (series.tags["sensor"], t // 1_000_000): (count, mean, most)
        for series in influx.query("citynerve", statement)
        for t, count, mean, most in series.values
    }
    assert found.keys() == tens.keys()
    for key, values in tens.items():
        count, mean, most = found[key]
        assert count == len(values)
        assert mean == pytest.approx(sum(values) / len(values), rel=1e-9)
        assert most == max(values)

    statement = "SELECT sum(count) FROM rollup WHERE \"window\" = '10m' GROUP BY district"
    rolled = {s.tags["district"]: s.values[0][1] for s in influx.query("citynerve", statement)}
    total = sum(map(len, expected.values()))
    assert rolled == {"_city": total, "water-levels": total}

    with_retained = Link(broker.config, client_id="look", subscriptions=[("citynerve-demo/#", 1)])
    with_retained.start()
    with_retained.wait_connected(STEP)
    with_retained.publish("citynerve-demo/mark", b"end of what was retained")
    assert with_retained.messages.get(timeout=STEP).topic == "citynerve-demo/mark"
    with_retained.stop()


def test_what_could_not_be_read_or_was_refused_is_told(start: Start, tmp_path: Path) -> None:
    source = tmp_path / "levels.csv"
    rows = [f"2024-05-01T10:{minute:02}:00Z,a,{minute}" for minute in range(20)]
    rows[5], rows[12] = "yesterday,a,5", "noon,a,12"
    source.write_text("\n".join(["when,what,reading", *rows]), encoding="utf-8")
    # No city measures water levels in kelvin: the stream's scenario for water says metres.
    kelvin = MAPPING.replace("[properties.level]", "[properties.water_level]").replace('"m"', '"K"')
    for name, text, code in [("metres", MAPPING, 0), ("kelvin", kelvin, 1)]:
        mapping = tmp_path / f"{name}.toml"
        mapping.write_text(text, encoding="utf-8")
        report = tmp_path / f"{name}.json"
        demo = start(
            *("--replay", str(source), "--mapping", str(mapping), "--speed", "max"),
            *("--until-done", "--report", str(report)),
            name=name,
        )
        assert demo.wait() == code, demo.text()
        told = json.loads(report.read_bytes())
        unread = "2 times cannot be read (first: line 7 'yesterday')"
        assert told["remarks"][0] == f"levels: replay: {source}: {unread}"
        assert f"remark: {told['remarks'][0]}" in demo.text()
        assert told["totals"]["read"] == 18
    assert told["totals"]["lost"] == 18
    assert told["remarks"][1:] == ["levels: the stream refused 18 (unit: a water_level)"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_within_ten_seconds_and_leaves_nothing(
    start: Start, number: signal.Signals
) -> None:
    demo = start("--nodes", "2")
    demo.wait_for("air-02/spool.db")
    began = time.monotonic()
    demo.signal(number)
    code = demo.wait(10)
    assert time.monotonic() - began < 10
    assert code == 0, demo.text()
    assert "problem" not in demo.text()
    assert_nothing_left(demo.folder)


@pytest.mark.parametrize(
    "path", ["mosquitto/mosquitto.conf", "influxdb/data", "air-02/config.toml"]
)
def test_who_ends_it_before_it_serves_is_told_of_no_problem(start: Start, path: str) -> None:
    demo = start("--nodes", "2")
    demo.wait_for(path)
    demo.signal(signal.SIGINT)
    assert demo.wait(10) == 0, demo.text()
    assert "problem" not in demo.text()
    assert_nothing_left(demo.folder)


def test_a_demo_that_is_killed_takes_its_processes_with_it(start: Start) -> None:
    demo = start("--nodes", "1")
    demo.wait_for("road-01/spool.db")
    assert len(left_behind(demo.folder)) >= 4
    demo.signal(signal.SIGKILL)
    demo.wait()
    assert_nothing_left(demo.folder)


def test_two_demos_run_beside_each_other(start: Start) -> None:
    arguments = ("--for", "3s", "--until-done", "--nodes", "1")
    demos = [start(*arguments, name=f'run "{i}" of two å') for i in range(2)]
    for demo in demos:
        assert demo.wait() == 0, demo.text()
        assert "lost 0, doubled 0" in demo.text()


def test_a_process_that_dies_is_told_and_ends_it_all(start: Start) -> None:
    demo = start("--nodes", "1")
    demo.wait_for("road-01/spool.db")
    os.kill(pid_of(demo, "stream"), signal.SIGKILL)
    assert demo.wait() == 1, demo.text()
    assert "stream ended with code -9" in demo.text()
    assert_nothing_left(demo.folder)


def refused(demo: Running) -> str:
    """The one message of a demo that could not run."""
    assert demo.wait() == 2, demo.text()
    text = demo.text()
    assert "Traceback" not in text
    assert len(re.findall(r"^error: ", text, re.MULTILINE)) == 1, text
    assert_nothing_left(demo.folder)
    return text


def test_no_broker(start: Start) -> None:
    url = f"mqtt://127.0.0.1:{free_port()}"
    text = refused(start(CITYNERVE_MQTT_URL=url))
    assert url in text
    assert "CITYNERVE_MQTT_URL" in text


def test_no_influxdb(start: Start) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    text = refused(start(CITYNERVE_INFLUX_URL=url))
    assert url in text
    assert "CITYNERVE_INFLUX_URL" in text


def test_something_else_on_the_port(start: Start, broker: Mosquitto) -> None:
    url = f"http://127.0.0.1:{broker.port}"
    assert url in refused(start(CITYNERVE_INFLUX_URL=url))


def test_a_wrong_password(start: Start, tmp_path: Path) -> None:
    server = InfluxDb1(tmp_path / "influxdb", user=("writer", "secret"))
    server.start()
    try:
        text = refused(
            start(CITYNERVE_INFLUX_URL=server.config.url, CITYNERVE_INFLUX_TOKEN="writer:guess")
        )
    finally:
        server.stop()
    assert "refuses the credentials" in text
    assert "guess" not in text


def test_a_video_that_is_not_there(start: Start) -> None:
    text = refused(start("--video", "none.mp4", "--model", "none.onnx"))
    assert "--video: no such file (got 'none.mp4')" in text


def test_a_file_that_no_mapping_fits(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "odd.csv"
    path.write_text("this,that\n1,2\n", encoding="utf-8")
    text = refused(start("--replay", str(path)))
    assert str(path) in text
    assert "mapping" in text


def test_a_model_that_is_no_detector(start: Start, samples: Path, tmp_path: Path) -> None:
    model = tmp_path / "noise.onnx"
    model.write_bytes(bytes(range(256)))
    video = samples / "footage" / "one-by-one-person-detection.mp4"
    text = refused(start("--video", str(video), "--model", str(model)))
    assert str(model) in text
    assert "fix: " in text


def test_footage_that_is_no_video(start: Start, samples: Path, tmp_path: Path) -> None:
    video = tmp_path / "noise.mp4"
    video.write_bytes(bytes(range(256)))
    model = samples / "models" / "picodet_s_320_coco.onnx"
    assert str(video) in refused(start("--video", str(video), "--model", str(model)))


def test_a_camera_counts_the_people_of_real_footage(
    start: Start, samples: Path, tmp_path: Path
) -> None:
    report = tmp_path / "report.json"
    video = samples / "footage" / "one-by-one-person-detection.mp4"
    model = samples / "models" / "picodet_s_320_coco.onnx"
    demo = start(
        *("--video", str(video), "--model", str(model)),
        *("--speed", "max", "--until-done", "--report", str(report)),
    )
    assert demo.wait(120) == 0, demo.text()
    told = json.loads(report.read_bytes())
    people = next(d for d in told["datastreams"] if d["property"] == "count_person")
    # Occupancy is observed once a second of the clock: footage of L seconds touches ceil(L) of
    # them, or one more, as the moment has it at which the demo began.
    whole = math.ceil(seconds_of(video))
    assert people["stored"] in {whole, whole + 1}
    assert (people["lost"], people["doubled"]) == (0, 0)


def seconds_of(video: Path) -> float:
    footage = cv2.VideoCapture(str(video))
    return float(footage.get(cv2.CAP_PROP_FRAME_COUNT) / footage.get(cv2.CAP_PROP_FPS))
