import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from citynerve.config import convert
from citynerve.errors import ConfigError, UnavailableError
from citynerve.messages import Crossing
from edge.camera.config import CameraConfig
from edge.camera.driver import make
from edge.sensor.driver import Driver, Item, Mark, Reading
from tests.unit.camera.scenes import walk, write_video
from tests.unit.models.onnx_bytes import colour_detector, write_colour_detector
from tests.waiting import PATIENCE_S

START = datetime(2026, 5, 1, 12, tzinfo=UTC)
BEGIN = int(START.timestamp() * 1000)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_colour_detector(tmp_path)
    write_video(tmp_path / "v.avi", walk())
    return tmp_path


def table(**changes: object) -> CameraConfig:
    config = {
        "name": "gate",
        "source": "v.avi",
        "model": "colours.toml",
        "speed": "max",
        "start": START.isoformat(),
        "lines": [{"name": "door", "from": [0.55, 0], "to": [0.55, 1], "left": "in"}],
        "zones": [{"name": "left", "points": [[0, 0], [0.5, 0], [0.5, 1], [0, 1]]}],
    }
    return convert({**config, **changes}, CameraConfig, file="node.toml")


def run(driver: Driver, *, origin: int = 0, limit: int = 100) -> list[Item]:
    driver.open(origin)
    items: list[Item] = []
    deadline = time.monotonic() + PATIENCE_S
    while not driver.finished:
        items += driver.poll(origin, limit)
        assert time.monotonic() < deadline
        time.sleep(0.005)
    driver.close()
    return items


def test_a_walk_through_the_picture(folder: Path) -> None:
    items = run(make(table(), folder, "gate-1"))
    values = {(r.property, (r.t - BEGIN) // 1000): r.value for r in items if isinstance(r, Reading)}
    seconds = range(4)
    assert [values["count_person", s] for s in seconds] == [1, 1, 1, 1]
    assert [values["count_car", s] for s in seconds] == [1, 1, 1, 1]
    # Column n is from n/8 on: the middle of the picture is left after two seconds.
    assert [values["zone_left_person", s] for s in seconds] == [1, 1, 0, 0]
    assert [values["zone_left_car", s] for s in seconds] == [1, 1, 1, 1]
    (crossing,) = [item for item in items if isinstance(item, Crossing)]
    # Column 4 is at 0.5 to 0.625, its middle at 0.5625: reached in frame 20, and far enough from
    # the line (a tenth of the box's height) a step later.
    assert (crossing.line, crossing.direction, crossing.cls) == ("door", "in", "person")
    assert 2000 <= crossing.t - BEGIN <= 2600
    marks = [item for item in items if isinstance(item, Mark)]
    assert {mark.t for mark in marks} == {BEGIN + 3000 + 3_600_000}
    assert {mark.property for mark in marks} == {key[0] for key in values}
    assert items[-len(marks) :] == marks


def test_every_run_gives_the_same_items(folder: Path) -> None:
    once = run(make(table(), folder, "gate-1"))
    assert run(make(table(), folder, "gate-1"), limit=1) == once


def test_what_it_is(folder: Path) -> None:
    driver = make(table(classes=["person"]), folder, "gate-1")
    (sensor,) = driver.sensors()
    assert sensor.name == "gate"
    assert [(p.name, p.unit) for p in sensor.properties] == [
        ("count_person", "1"),
        ("zone_left_person", "1"),
    ]
    (camera,) = driver.cameras()
    assert (camera.name, camera.lines, camera.zones) == ("gate", ("door",), ("left",))
    assert driver.resumable
    assert not make(table(source="rtsp://127.0.0.1:1/x"), folder, "gate-1").resumable


def test_without_a_start_time_counts_from_the_origin(folder: Path) -> None:
    driver = make(table(start=None), folder, "gate-1")
    times = [item.t for item in run(driver, origin=7_000) if isinstance(item, Reading)]
    assert (min(times), max(times)) == (7_000, 10_000)


def test_a_speed_is_kept_and_polling_never_waits(folder: Path) -> None:
    driver = make(table(speed=2.0), folder, "gate-1")
    driver.open(50_000)
    given: list[Item] = []
    deadline = time.monotonic() + PATIENCE_S
    # At twice the speed, the first second is over, and given, half a second later.
    while not given:
        # Its own time, not what others take meanwhile.
        began = time.thread_time()
        assert not driver.poll(50_499, 100)
        given += driver.poll(50_500, 100)
        assert time.thread_time() - began < 0.1
        assert time.monotonic() < deadline
        time.sleep(0.005)
    assert {item.t for item in given if isinstance(item, Reading)} == {BEGIN}
    assert not driver.finished
    driver.close()


def test_a_worker_that_is_not_polled_is_held_back_and_ends_at_once(folder: Path) -> None:
    write_video(folder / "v.avi", walk(each=200))
    driver = make(table(), folder, "gate-1")
    before = set(threading.enumerate())
    driver.open(0)
    assert set(threading.enumerate()) > before
    driver.close()
    assert set(threading.enumerate()) == before


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"source": "none.avi"}, "camera.gate.source"),
        ({"source": "file:none.avi"}, "camera.gate.source"),
        ({"model": "none.onnx"}, "camera.gate.model"),
        ({"model": "none.toml"}, None),
        ({"model": "text.onnx"}, None),
        ({"classes": ["bus"]}, "camera.gate.classes"),
    ],
)
def test_what_is_not_there_or_does_not_fit(
    folder: Path, changes: dict[str, Any], key: str | None
) -> None:
    (folder / "text.onnx").write_text("not a model")
    with pytest.raises(ConfigError) as caught:
        make(table(**changes), folder, "gate-1")
    assert caught.value.key == key
    assert caught.value.fix


def test_a_video_that_cannot_be_decoded(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "v.avi").write_bytes(b"not a video")
    with pytest.raises(UnavailableError, match="decode"):
        make(table(), folder, "gate-1").open(0)
    assert capfd.readouterr().err == ""  # OpenCV leaves the telling to us


def test_a_model_that_cannot_run(folder: Path) -> None:
    (folder / "colours.onnx").write_bytes(colour_detector().replace(b"Transpose", b"Transpoze"))
    with pytest.raises(ConfigError, match="ONNX Runtime cannot run it"):
        make(table(), folder, "gate-1").open(0)
