"""What every decoder gives, and the suppression of doubled boxes that most of them need."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]


class Boxes(NamedTuple):
    """Detections in one frame, best score first.

    ``xyxy`` holds left, top, right, bottom, ``labels`` the model's numbers of classes.
    """

    xyxy: Floats
    scores: Floats
    labels: Indices

    def take(self, rows: Indices) -> "Boxes":
        """Some of them."""
        return Boxes(self.xyxy[rows], self.scores[rows], self.labels[rows])


class Decoder(Protocol):
    """Reads the outputs of one family of detectors."""

    def decode(self, outputs: Sequence[Floats], least: float) -> Boxes:
        """All candidates whose score is at least ``least``, in pixels of the model's input."""
        ...


def none() -> Boxes:
    """No detection."""
    return Boxes(np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty(0, np.int64))


def overlaps(left: Floats, right: Floats) -> Floats:
    """Intersection over union of each box of ``left`` with each of ``right``: [n, m]."""
    near = np.maximum(left[:, None, :2], right[None, :, :2])
    far = np.minimum(left[:, None, 2:], right[None, :, 2:])
    sides = np.maximum(far - near, 0)
    common = sides[..., 0] * sides[..., 1]
    areas = [np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (left, right)]
    union = areas[0][:, None] + areas[1][None, :] - common
    shares: Floats = np.where(union > 0, common / np.maximum(union, 1e-12), 0).astype(np.float32)
    return shares


def suppress(boxes: Boxes, limit: float) -> Boxes:
    """Of boxes with one label that overlap more than ``limit``, keep the one that scores best.

    Greedy non-maximum suppression by class. Equal scores go by position, so that the result is
    the same wherever it is computed.
    """
    if not len(boxes.scores):
        return boxes
    boxes = boxes.take(np.argsort(-boxes.scores, kind="stable"))
    rivals = overlaps(boxes.xyxy, boxes.xyxy) > limit
    rivals &= boxes.labels[:, None] == boxes.labels[None, :]
    alive = np.ones(len(boxes.scores), bool)
    kept = []
    for row in range(len(alive)):
        if alive[row]:
            kept.append(row)
            alive &= ~rivals[row]
    return boxes.take(np.array(kept, np.int64))
