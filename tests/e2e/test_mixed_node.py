"""One agent with the machine's sensors, a recording and a camera, against the real stream.

Killed again and again while it replays and infers, its node must come to exactly what an
undisturbed one beside it comes to.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import cv2
import pytest

from citynerve.demo.servers import Mosquitto
from citynerve.influx import Influx
from tests.integration.edge.agents import AgentProcess, configure, kill_all
from tests.integration.stream.scripted import StreamProcess, points
from tests.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

BEGIN = datetime(2026, 3, 29, 0, 0, tzinfo=UTC)
FRAMES = 120
ROWS = 40_000
KILLS = 8
MAPPING = """
lateness = "60s"
[time]
column = "t"
[sensor]
column = "s"
[properties.speed]
column = "v"
unit = "km/h"
"""
MACHINE = {"driver": "machine", "interval_ms": 200}
REPLAY = {"driver": "replay", "paths": ["rows.csv"], "mapping": "mapping.toml"}
LINE = {"name": "path", "from": [0.5, 0.0], "to": [0.5, 1.0]}
Point = tuple[tuple[str, object], ...]


@pytest.fixture
def stream(tmp_path: Path, broker: Mosquitto, influx: Influx) -> Iterator[StreamProcess]:
    process = StreamProcess(
        tmp_path / "stream", broker.config.url, influx.config.url, "--set", "storage.raw=all"
    )
    yield process
    kill_all()
    process.end()


def write_clip(video: Path, target: Path) -> None:
    """The first frames of a recording, so that being killed in its middle is quick."""
    source = cv2.VideoCapture(str(video))
    size = (int(source.get(3)), int(source.get(4)))
    clip = cv2.VideoWriter(str(target), cv2.VideoWriter.fourcc(*"MJPG"), 10, size)
    for _ in range(FRAMES):
        good, picture = source.read()
        assert good
        clip.write(picture)
    clip.release()


def write_rows(folder: Path) -> dict[tuple[str, int], float]:
    """Rows of two sensors in disorder, one in twenty repeated; the first value of each time."""
    draw = Random(7)
    rows = []
    for number in range(ROWS):
        at = BEGIN + timedelta(seconds=number)
        row = (f"s{number % 2}", at, round(draw.uniform(20, 90), 2))
        rows.append((number + draw.uniform(0, 20), row))
        if number % 20 == 0:
            rows.append((number + draw.uniform(21, 50), (row[0], at, -1.0)))
    ordered = [row for _, row in sorted(rows)]
    text = "".join(f"{s},{at.isoformat()},{v}\n" for s, at, v in ordered)
    (folder / "rows.csv").write_text("s,t,v\n" + text)
    (folder / "mapping.toml").write_text(MAPPING)
    first: dict[tuple[str, int], float] = {}
    for s, at, v in ordered:
        first.setdefault((s, round(at.timestamp() * 1e9)), v)
    return first


def node(folder: Path, url: str, name: str, model: Path, *, live: bool) -> Path:
    """A node's folder with its recordings; ``live``: with the machine's own sensors too.

    Then the recordings are played so slowly that they last for minutes, far longer than its lives.
    """
    camera = {
        "name": "gate",
        "source": "clip.avi",
        "model": str(model),
        "speed": 0.05 if live else "max",
        "start": BEGIN.isoformat(),
        "lines": [LINE],
    }
    replay = {**REPLAY, "speed": 150.0 if live else "max"}
    sensors = [replay, MACHINE] if live else [replay]
    about = {"id": name, "area": "town/centre/square"}
    return configure(folder, url, *sensors, node=about, camera=[camera])


def recorded(influx: Influx, name: str) -> dict[str, list[Point]]:
    """All that is stored of a node's recordings, by measurement."""
    found: dict[str, list[Point]] = {}
    for database in (influx.config.raw, influx.config.main):
        for measurement in ("observation", "aggregate", "crossing"):
            query = f"SELECT * FROM {measurement} WHERE node = '{name}'"  # noqa: S608
            rows = [
                row for row in points(influx, database, query) if row.get("sensor") != "machine"
            ]
            found.setdefault(measurement, []).extend(
                tuple(sorted((key, value) for key, value in row.items() if key != "node"))
                for row in rows
            )
    return {measurement: sorted(rows, key=repr) for measurement, rows in found.items()}


def spooled(spool: Path) -> tuple[int, int]:
    """Readings of the machine, and of all else, that were ever spooled."""
    try:
        with contextlib.closing(sqlite3.connect(f"file:{spool}?mode=ro", uri=True)) as db:
            rows = list(db.execute("SELECT sensor = 'machine', sum(sent) FROM counts GROUP BY 1"))
    except sqlite3.OperationalError:
        return 0, 0
    sums = dict(rows)
    return sums.get(1, 0), sums.get(0, 0)


def test_killed_in_the_middle_of_replay_and_video_a_node_comes_to_the_same(
    samples: Path, tmp_path: Path, broker: Mosquitto, influx: Influx, stream: StreamProcess
) -> None:
    model = samples / "models" / "picodet_s_320_coco.onnx"
    stream.start()
    configs = {}
    for name in ("calm", "killed"):
        (tmp_path / name).mkdir()
        write_clip(samples / "footage" / "vtest.avi", tmp_path / name / "clip.avi")
        first = write_rows(tmp_path / name)
        url = broker.config.url
        configs[name] = node(tmp_path / name, url, name, model, live=name == "killed")
    assert AgentProcess(configs["calm"], "--until-done").wait(300) == 0
    expected = recorded(influx, "calm")
    stored = {
        (str(row["sensor"]), int(str(row["time"]))): row["value"]
        for row in map(dict, expected["observation"])
        if row["property"] == "speed"
    }
    assert stored == first
    assert expected["crossing"]
    assert any(dict(row)["sensor"] == "gate" for row in expected["aggregate"])

    draw = Random(3)
    spool = tmp_path / "killed" / "spool.db"
    total = spooled(tmp_path / "calm" / "spool.db")[1]
    for _ in range(KILLS):
        agent = AgentProcess(configs["killed"])
        live, played = spooled(spool)
        live += draw.randint(1, 40)

        def runs(live: int = live, played: int = played) -> bool:
            now = spooled(spool)
            return now[0] >= live and now[1] > played

        until(runs, "it runs")
        agent.kill()
        if draw.random() < 0.3:
            stream.kill()
            stream.start(ready=False)
    assert 0 < spooled(spool)[1] < total, "it was not killed in the midst"
    # Without what has no end, it says when it is done.
    config = node(tmp_path / "killed", broker.config.url, "killed", model, live=False)
    assert AgentProcess(config, "--until-done").wait(300) == 0
    assert recorded(influx, "killed") == expected
    # The stream would refuse what is sent again, so that it shows here only.
    assert spooled(spool)[1] == total
    machine = points(
        influx, influx.config.raw, "SELECT value FROM observation WHERE sensor = 'machine'"
    )
    assert len(machine) == spooled(spool)[0] > KILLS
