import time
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest

from citynerve.preview import State
from edge.camera.capture import Frame
from edge.camera.detect import Detections
from edge.camera.driver import make
from edge.camera.pipeline import Seen
from edge.camera.preview import Preview
from tests.unit.camera.test_camera_driver import BEGIN, folder, run, table
from tests.waiting import PATIENCE_S

__all__ = ["folder"]


def test_the_last_picture_and_what_was_seen_in_it(folder: Path) -> None:
    run(make(table(preview="seen"), folder, "gate-1"))
    assert sorted(path.name for path in (folder / "seen").iterdir()) == [
        "gate-1.gate.jpg",
        "gate-1.gate.json",
    ]


@pytest.fixture
def played(folder: Path) -> tuple[State, np.ndarray]:
    driver = make(table(preview="seen"), folder, "gate-1")
    driver.open(BEGIN)
    deadline = time.monotonic() + PATIENCE_S
    picture = folder / "seen" / "gate-1.gate.jpg"
    while not driver.finished:
        driver.poll(BEGIN, 100)
        assert time.monotonic() < deadline
    driver.close()
    state = msgspec.json.decode(picture.with_suffix(".json").read_bytes(), type=State)
    return state, np.asarray(cv2.imread(str(picture)))


def test_state_fits_the_picture(played: tuple[State, np.ndarray]) -> None:
    state, picture = played
    assert (state.node, state.camera, state.simulated) == ("gate-1", "gate", False)
    assert picture.shape == (state.height, state.width, 3)
    assert BEGIN <= state.t < BEGIN + 4000
    assert [(line.name, line.left, line.right) for line in state.lines] == [("door", "in", "right")]
    assert [zone.name for zone in state.zones] == ["left"]
    assert sum(state.counts.values()) == len(state.tracks)


def test_a_folder_that_cannot_be_written_is_a_problem_and_ends_nothing(folder: Path) -> None:
    (folder / "taken").write_text("a file where the folder should be")
    driver = make(table(preview="taken"), folder, "gate-1")
    with_preview = run(driver)
    assert [problem for problem in driver.problems() if "camera.preview" in problem]
    assert with_preview == run(make(table(), folder, "gate-1"))


def test_the_preview_changes_nothing_of_what_is_observed(folder: Path) -> None:
    plain, watched = (make(table(preview=where), folder, "gate-1") for where in (None, "seen"))
    assert plain.identity() == watched.identity()
    assert run(plain) == run(watched)


def test_a_recording_at_speed_two_gives_a_picture_for_each_second_of_its_time() -> None:
    times = iter(range(1000))
    preview = Preview(
        *(Path("unused"), "gate-1", table(), ("person", "car")),
        simulated=True,
        speed=2.0,
        seconds=lambda: float(next(times)),
    )
    nothing = Seen(
        Detections(np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty(0, np.int64)),
        *([], [], []),
    )
    blank = np.zeros((48, 64, 3), np.uint8)
    frames = [Frame(t, blank) for t in range(0, 4000, 100)]
    taken = [frame.t for frame in frames if preview.take(frame, nothing) is not None]
    assert taken == [0, 1000, 2000, 3000]
