"""A scene as a video file with its truth beside it, and as a picture that shows the truth.

``.mp4`` holds MPEG-4 (small: about 5 KB a frame of 640x360), ``.avi`` Motion JPEG (seven times as
large, every frame by itself). OpenCV's wheel writes and reads both frame by frame, with their times
to the millisecond, on any Linux.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from citynerve.errors import ConfigError, UnavailableError
from simulators.scene.camera import Pixels
from simulators.scene.scene import Scene
from simulators.scene.truth import Object
from simulators.scene.truth_file import TruthFile

CODECS: Final = {".mp4": "mp4v", ".avi": "MJPG"}

_COLOURS: Final = {
    "person": (80, 220, 255),
    "bicycle": (255, 190, 60),
    "car": (90, 230, 90),
    "bus": (230, 110, 230),
    "truck": (70, 130, 255),
}
_LINE: Final = (255, 255, 255)
_ZONE: Final = (255, 220, 80)
_SEEN: Final = 0.2
"""Objects of which less is visible are drawn thinly, without a name."""


def truth_path(video: Path) -> Path:
    """Where the truth of a video stands."""
    return video.with_suffix(".truth.ndjson")


def write_video(
    scene: Scene, video: Path, frames: Iterable[int], start: int, picture: Path | None = None
) -> TruthFile:
    """Render frames into a video and its truth.

    Args:
        scene: The scene.
        video: The file; its suffix chooses the codec.
        frames: Which frames, from 0 on.
        start: Time of frame 0, ms since 1970 UTC.
        picture: Where to put the last frame with boxes, lines and zones.

    Returns:
        The truth file, closed; it tells what was counted.

    Raises:
        ConfigError: No codec is known for the suffix.
        UnavailableError: A file cannot be written.
    """
    codec = CODECS.get(video.suffix.lower())
    if codec is None:
        raise ConfigError(
            "no codec is known for this kind of file",
            file="command line",
            key="--out",
            value=str(video),
            fix=f"name a file that ends in {' or '.join(CODECS)}",
        )
    size = scene.camera.width, scene.camera.height
    truth = TruthFile(truth_path(video), scene, start)
    fourcc = cv2.VideoWriter.fourcc(*codec)
    writer = cv2.VideoWriter(str(video), cv2.CAP_FFMPEG, fourcc, scene.fps, size)
    if not writer.isOpened():
        truth.close()
        raise UnavailableError(
            "video",
            where=str(video),
            problem="OpenCV cannot write it",
            fix="name a file that this user may write",
        )
    last = None
    for number in frames:
        last = scene.frame(number)
        writer.write(last[0])
        truth.add(number, start + round(number * 1000 / scene.fps), last[1])
    writer.release()
    truth.close()
    if picture is not None and last is not None:
        write_picture(picture, annotated(scene, *last))
    return truth


def write_picture(path: Path, picture: Pixels) -> None:
    """Write a PNG or JPEG.

    Raises:
        UnavailableError: It cannot be written.
    """
    try:
        written = cv2.imwrite(str(path), picture)
    except cv2.error:  # a suffix that it knows no format for
        written = False
    if not written:
        raise UnavailableError(
            "picture",
            where=str(path),
            problem="OpenCV cannot write it",
            fix="name a .png or .jpg file in a folder that this user may write to",
        )


def annotated(scene: Scene, picture: Pixels, objects: Sequence[Object]) -> Pixels:
    """A frame, twice as large, with its objects' boxes and the scene's lines and zones."""
    width, height = scene.camera.width * 2, scene.camera.height * 2
    shown = np.asarray(
        cv2.resize(picture, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8
    )
    for zone in scene.zones:
        points = [_pixels(point, width, height) for point in zone.points]
        cv2.polylines(
            shown,
            [np.array(points, np.int32)],
            isClosed=True,
            color=_ZONE,
            thickness=1,
            lineType=16,
        )
        _name(shown, zone.name, (points[-1][0], points[-1][1]), _ZONE)
    for line in scene.lines:
        one, other = (_pixels(point, width, height) for point in (line.from_, line.to))
        cv2.line(shown, one, other, _LINE, 2, cv2.LINE_AA)
        _name(shown, line.name, one, _LINE)
    for thing in objects:
        left, top, right, bottom = (round(2 * side) for side in thing.box)
        colour = _COLOURS[thing.cls]
        cv2.rectangle(shown, (left, top), (right - 1, bottom - 1), colour, 1)
        if thing.visible >= _SEEN:
            _name(shown, f"{thing.cls} {thing.id}", (left, top - 2), colour)
    return shown


def _pixels(point: tuple[float, float], width: int, height: int) -> tuple[int, int]:
    return round(point[0] * width), round(point[1] * height)


def _name(picture: Pixels, text: str, at: tuple[int, int], colour: tuple[int, int, int]) -> None:
    spot = max(0, at[0]), max(10, at[1])
    cv2.putText(picture, text, spot, cv2.FONT_HERSHEY_SIMPLEX, 0.38, (0, 0, 0), 2, cv2.LINE_AA)
    cv2.putText(picture, text, spot, cv2.FONT_HERSHEY_SIMPLEX, 0.38, colour, 1, cv2.LINE_AA)
