"""Synthetic scenes: detections without pictures, and videos for ``colour_detector``."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np

from edge.camera.detect import Detections
from edge.camera.track import Box, Track

RED, BLUE = (0, 0, 255), (255, 0, 0)
CELL = 32
GRID = 8
SIDE = CELL * GRID

Patch = tuple[int, int, tuple[int, int, int]]
"""Column and row of an 8 x 8 grid, and a colour in OpenCV's order."""


def found(*rows: tuple[Box, float, int]) -> Detections:
    """Detections from (box, score, class)."""
    return Detections(
        np.array([row[0] for row in rows], np.float32).reshape(-1, 4),
        np.array([row[1] for row in rows], np.float32),
        np.array([row[2] for row in rows], np.int64),
    )


def box(x: float, y: float, width: float = 0.05, height: float = 0.2) -> Box:
    """A box that stands on (x, y)."""
    return x - width / 2, y - height, x + width / 2, y


def standing(number: int, t: int, x: float, y: float, height: float = 0.2, cls: int = 0) -> Track:
    """A confirmed track that stands on (x, y) at ``t``."""
    return Track(
        number, t, t, t, box(x, y, height=height), hits=9, confirmed=True, votes={cls: 1.0}
    )


def write_video(path: Path, frames: Iterable[Sequence[Patch]], fps: float = 10) -> Path:
    """A video of coloured patches on black, one cell of an 8 x 8 grid each."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), fps, (SIDE, SIDE))
    assert writer.isOpened()
    for patches in frames:
        picture = np.zeros((SIDE, SIDE, 3), np.uint8)
        for column, row, colour in patches:
            x, y = column * CELL, row * CELL
            picture[y : y + CELL, x : x + CELL] = colour
        writer.write(picture)
    writer.release()
    return path


def walk(steps: int = 8, each: int = 5) -> list[list[Patch]]:
    """A person goes from the left column to the right one in row 3; a car stands in row 6."""
    return [[(step, 3, RED), (1, 6, BLUE)] for step in range(steps) for _ in range(each)]
