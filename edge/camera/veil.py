"""Makes people and plates unrecognisable in a picture, for good, before anything is encoded."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.camera.detect import Picture
from edge.camera.track import Box

_CELLS: Final = 32
"""Cells across the picture. A face that fills a fifth of its height covers four by four of them."""
_STILL_MS: Final = 3_000
"""How long a place must have been still, and free of detections, until it is shown sharply."""
_MOVED: Final = 12
"""Difference from the background, of 255, that is more than noise."""
_GROWN: Final = 0.03
"""How far a place that moves reaches beyond what differs, in widths of the picture."""
_WIDENED: Final = 0.25
"""How far a box is widened, in its own sides: a detector's box cuts off hands and number plates."""
_LEARNED: Final = 0.1

Mask = NDArray[np.bool_]


class Veil:
    """Shows of a camera's pictures only what stands still; all else in cells too coarse for a face.

    Sharp is a place alone that has been still for three seconds and without any detection, of
    however low a score; and even there it is the background as learned, not the frame, that is
    shown. So a person whom the detector misses is veiled by moving. Who neither moves for so long
    nor is ever detected is seen.
    """

    def __init__(self) -> None:
        self._background = np.empty((0, 0, 3), np.float32)
        self._still_since = np.empty((0, 0), np.int64)
        self._last = 0

    def over(self, t: int, picture: Picture, boxes: list[Box]) -> Picture:
        """The picture as it may be seen.

        Args:
            t: Its time, ms.
            picture: Height x width x 3.
            boxes: All that was detected: left, top, right, bottom as shares of the picture.

        Returns:
            A picture of the same shape.
        """
        if self._background.shape != picture.shape or t < self._last:
            self._background = picture.astype(np.float32)
            self._still_since = np.full(picture.shape[:2], t, np.int64)
        self._last = t
        hidden = _grown(_moved(picture, self._background)) | _boxed(picture.shape, boxes)
        self._still_since[hidden] = t
        weight = np.where(hidden, 0.0, _LEARNED)[..., None]
        self._background += ((picture - self._background) * weight).astype(np.float32)
        # What was hidden till now comes into view with what is there then, not with what was.
        arriving = (t - self._still_since < _STILL_MS) & ~hidden
        self._background[arriving] = picture[arriving]
        seen = self._still_since + _STILL_MS <= t
        return np.where(seen[..., None], self._background.astype(np.uint8), _coarse(picture))


def _moved(picture: Picture, background: NDArray[np.float32]) -> Mask:
    difference = cv2.blur(picture.astype(np.float32) - background, (3, 3))
    return np.asarray(np.abs(difference).max(axis=2) > _MOVED)


def _grown(mask: Mask) -> Mask:
    side = max(3, round(mask.shape[1] * _GROWN) * 2 + 1)
    # First without single pixels, which are noise.
    solid = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8))
    return np.asarray(cv2.dilate(solid, np.ones((side, side), np.uint8)) > 0)


def _boxed(shape: tuple[int, ...], boxes: list[Box]) -> Mask:
    mask = np.zeros(shape[:2], np.bool_)
    height, width = shape[:2]
    for left, top, right, bottom in boxes:
        dx, dy = (right - left) * _WIDENED, (bottom - top) * _WIDENED
        rows = slice(max(0, int((top - dy) * height)), max(0, round((bottom + dy) * height)))
        columns = slice(max(0, int((left - dx) * width)), max(0, round((right + dx) * width)))
        mask[rows, columns] = True
    return mask


def _coarse(picture: Picture) -> Picture:
    height, width = picture.shape[:2]
    rows = max(1, round(_CELLS * height / width))
    cells = cv2.resize(picture, (_CELLS, rows), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(cells, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)
