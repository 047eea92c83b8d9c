"""A node with a camera, as a real process, on a real broker."""

from pathlib import Path
from random import Random
from typing import Any

import pytest

from citynerve.demo.servers import Mosquitto
from citynerve.messages import Crossing
from tests.integration.edge.agents import AgentProcess, configure, spooled_readings
from tests.integration.edge.centre import Centre
from tests.unit.camera.scenes import walk, write_video
from tests.unit.models.onnx_bytes import write_colour_detector
from tests.waiting import until

pytestmark = pytest.mark.integration

Value = tuple[str, str, int, float, int]
"""Sensor, property, time, value, 1 if late."""

CAMERA: dict[str, Any] = {
    "name": "gate",
    "source": "v.avi",
    "model": "colours.toml",
    "speed": "max",
    "start": "2026-05-01T12:00:00Z",
    "lines": [{"name": f"door{n}", "from": [n / 8, 0], "to": [n / 8, 1]} for n in range(2, 7)],
    "zones": [{"name": "left", "points": [[0, 0], [0.5, 0], [0.5, 1], [0, 1]]}],
}


def node(folder: Path, url: str, name: str, **camera: object) -> Path:
    return configure(
        folder,
        url,
        node={"id": name, "area": "aarhus/centrum"},
        camera=[{**CAMERA, **camera}],
    )


def given(centre: Centre, name: str) -> tuple[list[Value], list[Crossing]]:
    """What is committed of one node: readings in order, and events in the order of admission."""
    rows = sorted(row[1:] for row in centre.rows() if row[0] == name)
    events = [
        event
        for batch in centre.batches
        if batch.node == name
        for event in batch.events
        if isinstance(event, Crossing)
    ]
    return rows, events


def test_killed_at_random_a_recording_gives_the_same_once(
    broker: Mosquitto, centre: Centre, tmp_path: Path
) -> None:
    for name in ("calm", "killed"):
        folder = tmp_path / name
        folder.mkdir()
        write_colour_detector(folder)
        write_video(folder / "v.avi", walk(each=200))
    calm = node(tmp_path / "calm", broker.config.url, "calm")
    assert AgentProcess(calm, "--until-done").wait() == 0
    rng = Random(2)
    # Paced, so that the recording lasts longer than its lives, however fast the machine is.
    killed = node(tmp_path / "killed", broker.config.url, "killed", speed=2.0)
    spool = tmp_path / "killed" / "spool.db"
    for _ in range(4):
        goal = spooled_readings(spool) + rng.randint(1, 12)
        agent = AgentProcess(killed, "--until-done")
        until(lambda goal=goal: spooled_readings(spool) >= goal, "it counts")  # type: ignore[misc]
        agent.kill()
    assert spooled_readings(spool) < 4 * 160, "it was not killed in the midst"
    killed = node(tmp_path / "killed", broker.config.url, "killed")
    assert AgentProcess(killed, "--until-done").wait() == 0
    rows, events = given(centre, "calm")
    assert len(rows) == 4 * 160
    assert [event.line for event in events] == [f"door{n}" for n in range(2, 7)]
    assert given(centre, "killed") == (rows, events)


@pytest.mark.parametrize(
    ("camera", "says"),
    [
        ({"source": "none.avi"}, "no such video"),
        ({"source": "text.onnx"}, "is no video that OpenCV can decode"),
        ({"model": "none.onnx"}, "no such file"),
        ({"model": "text.onnx"}, "is not an ONNX model"),
        ({"lines": [{"name": "l", "from": [0, 0], "to": [0, 7]}]}, "lines[0].to[1]"),
    ],
)
def test_what_is_wrong_is_one_message(
    broker: Mosquitto, tmp_path: Path, camera: dict[str, object], says: str
) -> None:
    write_colour_detector(tmp_path)
    write_video(tmp_path / "v.avi", walk())
    (tmp_path / "text.onnx").write_text("not a model")
    agent = AgentProcess(node(tmp_path, broker.config.url, "n", **camera))
    assert agent.wait() == 2
    log = agent.log.read_text()
    assert says in log
    assert "fix:" in log
    assert "Traceback" not in log
