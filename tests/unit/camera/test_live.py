"""Live capture, with files in the part of the stream: OpenCV reads both through FFmpeg."""

import shutil
from pathlib import Path

from edge.camera.capture import for_people
from edge.camera.live import LiveCamera
from tests.unit.camera.scenes import write_video
from tests.waiting import PATIENCE_S, until


def test_the_newest_frame_wins_and_the_others_are_counted(tmp_path: Path) -> None:
    clock = iter(range(1_000, 10_000_000, 10))
    video = write_video(tmp_path / "v.avi", [[]] * 60)
    camera = LiveCamera(str(video), fps=None, clock=lambda: next(clock))
    camera.open(0)
    until(camera.problems, "a problem")
    frame = camera.read(1)
    assert frame is not None
    assert frame.t == 1_000 + 10 * 59
    assert camera.dropped == 59
    assert "stopped giving pictures; trying again" in camera.problems()[0]
    camera.close()


def test_it_is_waited_for_and_comes_back(tmp_path: Path) -> None:
    video = write_video(tmp_path / "v.avi", [[]] * 5)
    away = tmp_path / "away.avi"
    camera = LiveCamera(str(away), fps=None)
    camera.open(0)
    until(camera.problems, "a problem")
    assert "gives no picture" in camera.problems()[0]
    assert camera.read(0.01) is None
    shutil.copy(video, away)
    assert camera.read(PATIENCE_S) is not None
    assert camera.reconnects >= 1
    camera.close()


def test_a_limit_and_a_clock_that_goes_back(tmp_path: Path) -> None:
    # 30 frames 40 ms apart, then the clock is set back by an hour.
    ticks = [1_000 + 40 * n for n in range(30)] + [-3_600_000 + 40 * n for n in range(30)]
    clock = iter(ticks)
    video = write_video(tmp_path / "v.avi", [[]] * 60)
    camera = LiveCamera(str(video), fps=10, clock=lambda: next(clock))
    camera.open(0)
    until(camera.problems, "a problem")
    last = camera.read(1)
    camera.close()
    assert last is not None
    # Every third frame: ten before the clock went back, ten after; all but the newest replaced.
    assert camera.dropped == 19
    assert last.t == -3_600_000 + 40 * 27


def test_no_password_in_messages() -> None:
    assert for_people("rtsp://me:secret@10.0.0.7/s") == "rtsp://10.0.0.7/s"
    assert for_people("v4l2:/dev/video0") == "v4l2:/dev/video0"
