"""From stored pictures to what is trained on: pieces of them, scaled, mirrored, relit, noisy."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training.targets import Objects

Picture = NDArray[np.uint8]

PIECE: Final = (320, 224)
"""Width and height of what is trained on: half a picture costs half, and teaches nearly as much."""
_SCALES: Final = (0.7, 1.35)
_LEAST_LEFT: Final = 0.35
"""Of a box's area within the piece; with less it is not judged."""
_JPEG_SHARE: Final = 0.4
_JPEG: Final = (25, 90)
_NOISE_SHARE: Final = 0.3
_LEVELS: Final = 256


def piece(
    picture: Picture,
    objects: Objects,
    random: np.random.Generator,
    *,
    around: int | None = None,
    size: tuple[int, int] = PIECE,
) -> tuple[Picture, Objects]:
    """A piece out of a picture, changed at random.

    Cameras and encoders differ: light, contrast, colour, noise and JPEG artefacts vary with it.

    Args:
        picture: Height x width x 3.
        objects: What is in it.
        random: What is drawn from.
        around: The object that the piece lies around; None: it lies anywhere.
        size: Width and height of the piece.
    """
    width, height = size
    scale = float(np.exp(random.uniform(*np.log(_SCALES))))
    mirrored = random.random() < 1 / 2
    focus = None if around is None else objects.boxes[around]
    corner = _corner(picture, focus, scale, size, random)
    across = -scale if mirrored else scale
    left = width - 1 + scale * corner[0] if mirrored else -scale * corner[0]
    move = np.array([[across, 0, left], [0, scale, -scale * corner[1]]])
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    moved = cv2.warpAffine(picture, move, size, flags=how, borderMode=cv2.BORDER_CONSTANT)
    boxes = (objects.boxes.astype(np.float64) - np.tile(corner, 2)) * scale
    if mirrored:
        boxes = np.stack([width - boxes[:, 2], boxes[:, 1], width - boxes[:, 0], boxes[:, 3]], 1)
    inside = np.clip(boxes, 0, [width, height, width, height])
    whole, left_over = (np.prod(some[:, 2:] - some[:, :2], axis=1) for some in (boxes, inside))
    kept = left_over > 0
    cut = left_over < _LEAST_LEFT * whole
    there = Objects(
        inside[kept].astype(np.float32), objects.classes[kept], (objects.ignored | cut)[kept]
    )
    return relight(np.asarray(moved, np.uint8), random), there


def relight(picture: Picture, random: np.random.Generator) -> Picture:
    """The picture as another camera, another light and another encoder would give it."""
    gamma = np.exp(random.normal(0, 0.12))
    gains = np.exp(random.normal(0, 0.1) + random.normal(0, 0.03, 3))
    lift = random.normal(0, 6)
    levels = ((np.arange(_LEVELS) / 255) ** gamma * 255)[:, None] * gains + lift
    table = np.clip(levels, 0, 255).astype(np.uint8)[:, None, :]
    lit = cv2.LUT(picture, table)
    if random.random() < _NOISE_SHARE:
        noise = random.normal(0, random.uniform(1, 6), picture.shape).astype(np.float32)
        lit = np.clip(lit + noise, 0, 255).astype(np.uint8)
    if random.random() < _JPEG_SHARE:
        quality = int(random.integers(*_JPEG))
        _, coded = cv2.imencode(".jpg", lit, [cv2.IMWRITE_JPEG_QUALITY, quality])
        return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
    return np.asarray(lit, np.uint8)


def _corner(
    picture: Picture,
    focus: NDArray[np.float32] | None,
    scale: float,
    size: tuple[int, int],
    random: np.random.Generator,
) -> NDArray[np.float64]:
    """Where in the picture the piece's left upper corner lies."""
    height, width = picture.shape[:2]
    extent = np.array(size) / scale
    if focus is not None:
        middle = (focus[:2] + focus[2:]) / 2
        corner = middle - extent * random.uniform(0.15, 0.85, 2)
    else:
        corner = random.uniform(0, 1, 2) * (np.array([width, height]) - extent)
    # A piece greater than the picture lies around it; what is outside is black, as in letterboxes.
    slack = np.array([width, height]) - extent
    return np.asarray(np.clip(corner, np.minimum(slack, 0), np.maximum(slack, 0)))
