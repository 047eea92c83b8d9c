"""The latest picture of a camera and what was seen in it, kept in a folder of the node.

For people beside the node, and for the local view. Nothing of it is published. Pictures of real
places are written with people and plates made unrecognisable (``edge.camera.veil``).
"""

import math
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

import cv2
import msgspec
import numpy as np

from citynerve.errors import UnavailableError
from citynerve.preview import PICTURE, STATE, SeenLine, SeenTrack, SeenZone, State
from edge.camera.capture import Frame
from edge.camera.config import CameraConfig
from edge.camera.detect import Picture
from edge.camera.pipeline import Seen
from edge.camera.track import Box
from edge.camera.veil import Veil
from edge.camera.zones import Zones

EVERY: Final = 0.5
"""Seconds between two pictures, at least."""

_WIDEST: Final = 640
_QUALITY: Final = 80


class Shot(NamedTuple):
    """A picture and its state, encoded."""

    picture: bytes
    state: bytes


class Preview:
    """Makes shots, and keeps the latest as ``NODE.CAMERA.jpg`` and ``NODE.CAMERA.json``.

    Args:
        folder: Where to.
        node: The node's id.
        camera: The configuration.
        classes: What is counted.
        simulated: Whether the pictures show no real place.
        speed: Media time over real time; infinite: as fast as it goes.
        seconds: A clock that never goes back.
    """

    def __init__(
        self,
        folder: Path,
        node: str,
        camera: CameraConfig,
        classes: tuple[str, ...],
        *,
        simulated: bool,
        speed: float = 1.0,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._node = node
        self._camera = camera
        self._classes = classes
        self._simulated = simulated
        self._veil = None if simulated else Veil()
        self._zones = Zones(camera.zones)
        self._passed: Counter[tuple[str, str, str]] = Counter()
        self._gap_ms = 1000 * EVERY * max(1.0, speed) if speed < math.inf else 0.0
        self._seconds = seconds
        self._taken_t: int | None = None
        self._taken_at = -math.inf

    def take(self, frame: Frame, seen: Seen) -> Shot | None:
        """Count what has passed; make a shot when it is time for one.

        A recording is worked on ahead of its time: so the time that counts is the frame's, and
        whoever plays the recording writes the shot when its time has come.
        """
        for passage in seen.passages:
            cls = self._classes[passage.track.cls]
            self._passed[passage.line, passage.direction, cls] += 1
        if not self._is_due(frame.t):
            return None
        self._taken_t, self._taken_at = frame.t, self._seconds()
        picture = _fitted(frame.picture)
        if self._veil is not None:
            boxes = [*map(_as_box, seen.detections.boxes), *(track.box for track in seen.tracks)]
            picture = self._veil.over(frame.t, picture, boxes)
        _, encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        height, width = picture.shape[:2]
        state = self._state(frame.t, seen, width, height)
        return Shot(encoded.tobytes(), msgspec.json.encode(state))

    def write(self, shot: Shot) -> None:
        """Put a shot in the place of the one before, each file whole or not at all.

        Raises:
            UnavailableError: The folder cannot be written.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._replace(PICTURE, shot.picture)
            self._replace(STATE, shot.state)
        except OSError as error:
            raise UnavailableError(
                "preview",
                where=str(self._folder),
                problem=error.strerror or str(error),
                fix="let camera.preview name a folder that the agent may write to",
            ) from error

    def _is_due(self, t: int) -> bool:
        if self._taken_t is None or t < self._taken_t:  # a clock may be set back
            return True
        if self._gap_ms:
            return t - self._taken_t >= self._gap_ms
        return self._seconds() - self._taken_at >= EVERY

    def _state(self, t: int, seen: Seen, width: int, height: int) -> State:
        names = [self._classes[track.cls] for track in seen.tracks]
        inside = self._zones.count(seen.tracks, len(self._classes))
        by_zone = [
            inside[start : start + len(self._classes)]
            for start in range(0, len(inside), len(self._classes))
        ]
        return State(
            node=self._node,
            camera=self._camera.name,
            t=t,
            width=width,
            height=height,
            simulated=self._simulated,
            tracks=tuple(
                SeenTrack(track.id, name, track.box)
                for track, name in zip(seen.tracks, names, strict=True)
            ),
            lines=tuple(
                SeenLine(
                    line.name,
                    line.from_,
                    line.to,
                    line.left,
                    line.right,
                    {side: self._counts(line.name, side) for side in (line.left, line.right)},
                )
                for line in self._camera.lines
            ),
            zones=tuple(
                SeenZone(zone.name, zone.points, _present(self._classes, numbers))
                for zone, numbers in zip(self._camera.zones, by_zone, strict=True)
            ),
            counts=dict(Counter(names)),
        )

    def _counts(self, line: str, direction: str) -> dict[str, int]:
        every = ((cls, self._passed[line, direction, cls]) for cls in self._classes)
        return {cls: number for cls, number in every if number}

    def _replace(self, suffix: str, content: bytes) -> None:
        path = self._folder / f"{self._node}.{self._camera.name}{suffix}"
        fresh = path.with_name(f".{path.name}.new")
        fresh.write_bytes(content)
        fresh.replace(path)


def _fitted(picture: Picture) -> Picture:
    height, width = picture.shape[:2]
    if width <= _WIDEST:
        return picture
    size = _WIDEST, max(1, round(height * _WIDEST / width))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _as_box(row: np.ndarray[tuple[int], np.dtype[np.float32]]) -> Box:
    left, top, right, bottom = row.tolist()
    return left, top, right, bottom


def _present(classes: tuple[str, ...], numbers: list[int]) -> dict[str, int]:
    return {cls: number for cls, number in zip(classes, numbers, strict=True) if number}
