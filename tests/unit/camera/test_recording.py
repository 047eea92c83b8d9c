from pathlib import Path

import pytest

from citynerve.errors import UnavailableError
from edge.camera.recording import Recording
from tests.unit.camera.scenes import RED, write_video


def times(
    path: Path, *, fps: float | None = None, start: int | None = None, at_most: int = 1000,
    loop: bool = False,
) -> list[int]:  # fmt: skip
    recording = Recording(path, start=start, fps=fps, loop=loop)
    recording.open(1_000_000)
    found: list[int] = []
    while len(found) < at_most and (frame := recording.read(0)) is not None:
        found.append(frame.t)
    assert recording.ended is (len(found) < at_most)
    recording.close()
    return found


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return write_video(tmp_path / "v.avi", [[(n % 8, 0, RED)] for n in range(20)])


def test_every_frame_in_media_time(video: Path) -> None:
    assert times(video) == [1_000_000 + 100 * n for n in range(20)]
    assert times(video, start=5) == [5 + 100 * n for n in range(20)]


@pytest.mark.parametrize(("fps", "gap"), [(5, 200), (10, 100), (30, 100), (2, 500)])
def test_a_limit_in_media_time(video: Path, fps: float, gap: int) -> None:
    assert times(video, fps=fps, start=0) == list(range(0, 2000, gap))


def test_a_limit_that_is_no_divisor_is_met_on_average(tmp_path: Path) -> None:
    video = write_video(tmp_path / "v.avi", [[]] * 200)
    found = times(video, fps=3, start=0)
    assert len(found) == pytest.approx(3 * 20, abs=1)


def test_a_loop_goes_on_in_time(video: Path) -> None:
    assert times(video, start=0, loop=True, at_most=50) == [100 * n for n in range(50)]


def test_a_file_that_breaks_off_is_reported(video: Path) -> None:
    data = video.read_bytes()
    video.write_bytes(data[: len(data) // 2])
    recording = Recording(video, start=0, fps=None, loop=False)
    recording.open(0)
    frames = 0
    while recording.read(0) is not None:
        frames += 1
    assert 0 < frames < 20
    assert recording.problems() == [f"{video}: ended at frame {frames} of 20"]


@pytest.mark.parametrize("content", [b"", b"no video\n", bytes(range(256)) * 40])
def test_what_is_no_video(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "v.avi"
    path.write_bytes(content)
    recording = Recording(path, start=None, fps=None, loop=False)
    with pytest.raises(UnavailableError, match="decode"):
        recording.open(0)


def test_a_file_that_has_gone(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "v.avi", start=None, fps=None, loop=False)
    with pytest.raises(UnavailableError, match="no such file"):
        recording.open(0)
