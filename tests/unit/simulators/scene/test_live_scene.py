"""Scenes as a camera's source, through the real pipeline; and as files."""

import json
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from citynerve.config import convert
from citynerve.errors import CityNerveError, ConfigError
from edge.camera.config import CameraConfig
from edge.camera.driver import make
from edge.camera.recording import Recording
from edge.sensor.driver import Driver, Item, Mark, Reading
from simulators.scene.cli import camera
from simulators.scene.live import LiveScene, light_at
from simulators.scene.scene import Scene
from simulators.scene.truth import CLASSES
from simulators.scene.video import annotated, truth_path, write_video
from tests.unit.models.onnx_bytes import write_colour_detector

BEGIN = 1_777_896_000_000
SMALL = {"name": "square", "seed": 3, "size": "128x72", "fps": 5.0}


def table(options: dict[str, Any], **changes: object) -> CameraConfig:
    config = {
        "name": "gate",
        "source": "plugin:simulators.scene.live:LiveScene",
        "options": options,
        "model": "colours.toml",
        "speed": "max",
        "start": "2026-05-04T12:00:00Z",
    }
    return convert({**config, **changes}, CameraConfig, file="node.toml")


def run(driver: Driver) -> list[Item]:
    driver.open(0)
    items: list[Item] = []
    deadline = time.monotonic() + 60
    while not driver.finished:
        items += driver.poll(0, 100)
        assert time.monotonic() < deadline
        time.sleep(0.002)
    driver.close()
    return items


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_finite_scene_is_as_good_as_a_recording(tmp_path: Path) -> None:
    write_colour_detector(tmp_path)
    options = {**SMALL, "frames": 12, "truth": "t/gate.ndjson"}
    driver = make(table(options), tmp_path, "n")
    assert driver.resumable
    once = run(driver)
    assert run(make(table(options), tmp_path, "n")) == once
    seconds = {(item.t - BEGIN) // 1000 for item in once if isinstance(item, Reading)}
    assert seconds == {0, 1, 2}
    assert isinstance(once[-1], Mark)
    # The truth is that of the last run alone: a file that is begun anew.
    head, *rest = lines(tmp_path / "t" / "gate.ndjson")
    assert head["scene"]["name"] == "square"
    assert (head["scene"]["start"], head["scene"]["fps"]) == (BEGIN, 5.0)
    frames = [line for line in rest if "frame" in line]
    assert [(line["frame"], line["t"]) for line in frames] == [
        (n, BEGIN + 200 * n) for n in range(12)
    ]
    assert {one["class"] for line in frames for one in line["objects"]} <= set(CLASSES)


def test_what_a_finite_scene_follows_from(tmp_path: Path) -> None:
    write_colour_detector(tmp_path)

    def identity(**changes: object) -> str:
        return make(table({**SMALL, "frames": 3, **changes}), tmp_path, "n").identity()

    assert identity() == identity(truth="elsewhere.ndjson")
    others = [
        identity(**{key: value}) for key, value in (("seed", 4), ("light", "dusk"), ("frames", 4))
    ]
    assert len({identity(), *others}) == 4
    assert make(table(SMALL), tmp_path, "n").identity() == ""


class Clock:
    """Ms; goes on only when it is told to."""

    def __init__(self) -> None:
        self.now = BEGIN

    def __call__(self) -> int:
        return self.now


def test_of_a_live_scene_the_newest_frame_wins(tmp_path: Path) -> None:
    clock = Clock()
    source = LiveScene({**SMALL, "truth": "live.ndjson"}, tmp_path, None, clock)
    assert (source.live, source.simulated) == (True, True)
    source.open(0)
    first = source.read(0)
    assert first is not None
    assert first.t == BEGIN
    assert source.read(0.01) is None
    clock.now += 1_050
    late = source.read(0)
    assert late is not None
    assert (late.t, source.dropped) == (BEGIN + 1_000, 4)
    assert source.read(0.01) is None
    source.close()
    # Appended to by the next run, with a header of its own.
    again = LiveScene({**SMALL, "truth": "live.ndjson"}, tmp_path, None, clock)
    again.open(0)
    again.read(0)
    again.close()
    kinds = [next(iter(line)) for line in lines(tmp_path / "live.ndjson")]
    assert [kind for kind in kinds if kind in ("scene", "frame")] == [
        *("scene", "frame", "frame"),
        *("scene", "frame"),
    ]


def test_a_clock_that_jumps_does_not_stop_a_live_scene(tmp_path: Path) -> None:
    clock = Clock()
    source = LiveScene(SMALL, tmp_path, None, clock)
    source.open(0)
    assert source.read(0) is not None
    for jump in (3_600_000, -7_200_000):
        clock.now += jump
        frame = source.read(0)
        assert frame is not None
        assert frame.t == clock.now
    assert source.dropped == 0


def test_fewer_frames_are_rendered_where_fewer_are_wanted(tmp_path: Path) -> None:
    source = LiveScene({**SMALL, "seconds": 2}, tmp_path, 2.5, Clock())
    source.open(BEGIN)
    times: list[int] = []
    while (frame := source.read(0)) is not None:
        times.append(frame.t - BEGIN)
    assert times == [0, 400, 800, 1200, 1600]
    assert source.ended


def test_light_by_the_local_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    midnight = BEGIN - 12 * 3_600_000
    lights = [light_at(midnight + hour * 3_600_000) for hour in (0, 6, 7, 12, 17, 18, 19, 20)]
    assert lights == ["night", "dusk", "day", "day", "day", "dusk", "dusk", "night"]
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"name": "sqare"}, "camera.gate.options.name"),
        ({}, "camera.gate.options"),
        ({"name": "square", "seed": -1}, "camera.gate.options.seed"),
        ({"name": "square", "seed": "one"}, "camera.gate.options.seed"),
        ({"name": "square", "light": "noon"}, "camera.gate.options.light"),
        ({"name": "square", "weather": "snow"}, "camera.gate.options.weather"),
        ({"name": "square", "size": "640"}, "camera.gate.options.size"),
        ({"name": "square", "fps": 0}, "camera.gate.options.fps"),
        ({"name": "square", "speed": 2}, "camera.gate.options.speed"),
        ({"name": "square", "frames": 9, "seconds": 2}, "camera.gate.options.seconds"),
    ],
)
def test_wrong_options_are_explained(tmp_path: Path, options: dict[str, Any], key: str) -> None:
    write_colour_detector(tmp_path)
    with pytest.raises(ConfigError) as caught:
        make(table(options), tmp_path, "n")
    assert caught.value.key is not None
    assert caught.value.key.startswith(key)
    assert caught.value.fix


@pytest.mark.parametrize(
    "source",
    [
        "plugin:nowhere.at.all:Scene",
        "plugin:simulators.scene.live:None",
        "plugin:simulators.scene.live",
        "plugin:simulators.scene.live:light_at",
        "plugin:",
    ],
)
def test_a_plugin_that_is_none(tmp_path: Path, source: str) -> None:
    write_colour_detector(tmp_path)
    with pytest.raises(ConfigError) as caught:
        make(table(SMALL, source=source), tmp_path, "n")
    assert caught.value.key == "camera.gate.source"
    assert caught.value.value == source
    assert caught.value.fix


@pytest.mark.parametrize("suffix", [".mp4", ".avi"])
def test_a_video_holds_every_frame_at_its_time(tmp_path: Path, suffix: str) -> None:
    scene = Scene("square", 3, 128, 72, 12.5)
    video = tmp_path / f"v{suffix}"
    write_video(scene, video, range(8), BEGIN)
    recording = Recording(video, start=BEGIN, fps=None, loop=False)
    recording.open(0)
    again = Scene("square", 3, 128, 72, 12.5)
    times: list[int] = []
    while (frame := recording.read(1)) is not None:
        expected = again.frame(len(times))[0]
        times.append(frame.t)
        assert np.abs(frame.picture.astype(int) - expected).mean() < 8
    recording.close()
    told = [line["t"] for line in lines(truth_path(video)) if "frame" in line]
    assert times == told == [BEGIN + 80 * n for n in range(8)]


def test_the_command_writes_video_truth_and_picture(tmp_path: Path) -> None:
    out, picture = tmp_path / "s.mp4", tmp_path / "s.png"
    arguments = ["crossing", "--seed", "2", "--seconds", "1", "--fps", "4", "--size", "160x90"]
    arguments += ["--light", "dusk", "--weather", "rain", "--out", str(out)]
    done = CliRunner().invoke(camera, [*arguments, "--picture", str(picture)])
    assert done.exit_code == 0, done.output
    assert "4 frames of 160x90" in done.output
    assert out.stat().st_size > 1000
    assert lines(tmp_path / "s.truth.ndjson")[0]["scene"]["weather"] == "rain"
    shown = cv2.imread(str(picture))
    assert shown is not None
    assert shown.shape == (180, 320, 3)


@pytest.mark.parametrize(
    ("option", "value"),
    [("--out", "v.mkv"), ("--size", "640x"), ("--size", "8x8"), ("--start", "noon")],
)
def test_wrong_arguments_are_explained(tmp_path: Path, option: str, value: str) -> None:
    arguments = ["square", "--seconds", "0.1", "--out", str(tmp_path / "v.mp4"), option, value]
    done = CliRunner().invoke(camera, arguments)
    assert isinstance(done.exception, ConfigError)
    assert done.exception.key == option
    assert done.exception.fix


def test_a_place_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    scene = Scene("square", 3, 64, 64, 5)
    with pytest.raises(CityNerveError, match="name a file"):
        write_video(scene, tmp_path / "file" / "v.mp4", range(1), BEGIN)


def test_a_picture_shows_boxes_lines_and_zones() -> None:
    scene = Scene("square", 3, 160, 90, 5)
    picture, objects = scene.frame(0)
    shown = annotated(scene, picture, objects)
    plain = annotated(scene, picture, ())
    assert shown.shape == (180, 320, 3)
    assert not np.array_equal(shown, plain)
