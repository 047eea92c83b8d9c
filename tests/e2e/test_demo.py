"""``citynerve demo`` as a user runs it: a process, its output, its exit code, what it leaves."""

import csv
import json
import math
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import cv2
import pytest

from citynerve.influx import Influx
from citynerve.mqtt import Link
from tests.e2e.running import Start, assert_nothing_left, left_behind, pid_of
from tests.servers import InfluxDb1, Mosquitto
from tests.waiting import PATIENCE_S

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

Key = tuple[str, str, str]
"""Node, sensor, property."""


def test_a_simulated_city_arrives_whole(start: Start, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    demo = start("--for", "8s", "--until-done", "--nodes", "6", "--report", str(report))
    assert demo.wait() == 0, demo.text()
    told = json.loads(report.read_bytes())
    assert told["ok"] is True
    assert told["nodes"] == [
        *("road-01", "air-02", "water-03", "noise-04", "parking-05", "square-06"),
    ]
    stored = {(d["node"], d["sensor"], d["property"]): d["stored"] for d in told["datastreams"]}
    assert stored == expected_of_the_city(demo.folder / "city", stored)
    assert min(stored.values()) < max(stored.values()) == 48 * 60 + 4
    for one in told["datastreams"]:
        assert one["read"] == one["distinct"] == one["sent"] == one["stored"]
        assert (one["unsent"], one["lost"], one["doubled"]) == (0, 0, 0)
        assert set(one["windows"].values()) == {one["stored"] - one["bad"]}
    assert told["anomalies"]["gap"] >= 1
    assert told["anomalies"]["flatline"] >= 1
    found = told["scorecard"]["city"]["incidents"]
    assert found["found"] > found["missed"]
    names = [process["name"] for process in told["processes"]]
    assert names == ["mosquitto", "influxdb", "stream", "city", "view"]
    assert all(process["code"] == 0 for process in told["processes"])
    assert all(process["cpu_seconds"] > 0 for process in told["processes"])
    assert all(process["peak_memory_mib"] > 1 for process in told["processes"])
    assert_nothing_left(demo.folder)
    told_later = status(demo.folder)
    assert "ended" in told_later
    assert f"incidents: found {found['found']} of " in told_later


def expected_of_the_city(folder: Path, keys: Iterable[Key]) -> dict[Key, int]:
    """48 hours by the minute, then 8 seconds by two, without what an incident silences."""
    live = json.loads((folder / "run.json").read_bytes())["start"]
    silent: dict[Key, set[int]] = defaultdict(set)
    for incident in map(json.loads, (folder / "truth.ndjson").read_text().splitlines()):
        for touched in incident["datastreams"]:
            # It begins with the first reading that is missing. What it has silenced it may touch
            # in other ways afterwards, and two may be silent at once.
            end = min(touched["end"], incident["end"])
            if touched["effect"] == "silent":
                missing = silent[touched["node"], touched["sensor"], touched["property"]]
                missing.update(range(touched["start"], min(end, live), 60_000))
                missing.update(range(max(touched["start"], live), min(end, live + 8_000), 2_000))
    return {key: 48 * 60 + 4 - len(silent[key]) for key in keys}


def status(folder: Path) -> str:
    """What ``citynerve demo status`` says of a run."""
    command = [sys.executable, "-m", "citynerve", "demo", "status", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_how_it_is_going_can_be_asked_while_it_goes(start: Start) -> None:
    demo = start("--nodes", "2")
    demo.wait_for("view/address")
    page = (demo.folder / "view" / "address").read_text().strip()
    with urllib.request.urlopen(page, timeout=PATIENCE_S) as answer:  # noqa: S310 - our own
        assert b"CityNerve" in answer.read()
    deadline = time.monotonic() + PATIENCE_S
    while page not in (said := status(demo.folder)) or "stored 0\n" in said:
        assert time.monotonic() < deadline, said
    assert "lost 0, doubled 0" in said
    demo.signal(signal.SIGINT)
    assert demo.wait() == 0, demo.text()


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
    assert [names[0], names[1][:13], *names[2:]] == ["stream", "water-levels-", "view"]
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
    with_retained.wait_connected(PATIENCE_S)
    with_retained.publish("citynerve-demo/mark", b"end of what was retained")
    assert with_retained.messages.get(timeout=PATIENCE_S).topic == "citynerve-demo/mark"
    with_retained.stop()


def test_what_could_not_be_read_or_was_refused_is_told(start: Start, tmp_path: Path) -> None:
    source = tmp_path / "levels.csv"
    rows = [f"2024-05-01T10:{minute:02}:00Z,a,{minute}" for minute in range(20)]
    rows[5], rows[12] = "yesterday,a,5", "noon,a,12"
    source.write_text("\n".join(["when,what,reading", *rows]), encoding="utf-8")
    bare = tmp_path / "bare.csv"
    bare.write_text("when,what,reading\n", encoding="utf-8")
    # No city measures water levels in kelvin: the stream's scenario for water says metres.
    kelvin = MAPPING.replace("[properties.level]", "[properties.water_level]").replace('"m"', '"K"')
    for name, text, code in [("metres", MAPPING, 0), ("kelvin", kelvin, 1)]:
        mapping = tmp_path / f"{name}.toml"
        mapping.write_text(text, encoding="utf-8")
        report = tmp_path / f"{name}.json"
        demo = start(
            *("--replay", str(source), str(bare), "--mapping", str(mapping), "--speed", "max"),
            *("--until-done", "--report", str(report)),
            name=name,
        )
        assert demo.wait() == code, demo.text()
        told = json.loads(report.read_bytes())
        unread = "2 times cannot be read (first: line 7 'yesterday')"
        assert told["remarks"][0] == f"levels: replay: {source}: {unread}"
        assert f"remark: {told['remarks'][0]}" in demo.text()
        assert told["remarks"][1] == f"bare: replay: {bare}: no row of it gives a reading"
        assert told["totals"]["read"] == 18
    assert told["totals"]["lost"] == 18
    assert told["remarks"][2:] == ["levels: the stream refused 18 (unit: a water_level)"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_when_asked_and_leaves_nothing(start: Start, number: signal.Signals) -> None:
    demo = start("--nodes", "2")
    demo.wait_for("city/air-02/spool.db")
    demo.signal(number)
    # Each part is given some seconds to end, and killed then, which would be told as a problem.
    assert demo.wait() == 0, demo.text()
    assert "problem" not in demo.text()
    assert_nothing_left(demo.folder)


@pytest.mark.parametrize(
    "path", ["mosquitto/mosquitto.conf", "influxdb/data", "city/air-02/config.toml"]
)
def test_who_ends_it_before_it_serves_is_told_of_no_problem(start: Start, path: str) -> None:
    demo = start("--nodes", "2")
    demo.wait_for(path)
    demo.signal(signal.SIGINT)
    assert demo.wait() == 0, demo.text()
    assert "problem" not in demo.text()
    assert_nothing_left(demo.folder)


def test_a_demo_that_is_killed_takes_its_processes_with_it(start: Start) -> None:
    demo = start("--nodes", "1")
    demo.wait_for("city/road-01/spool.db")
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
    demo.wait_for("city/road-01/spool.db")
    os.kill(pid_of(demo, "stream"), signal.SIGKILL)
    assert demo.wait() == 1, demo.text()
    assert "stream ended with code -9" in demo.text()
    assert_nothing_left(demo.folder)


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
    assert demo.wait(500) == 0, demo.text()
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
