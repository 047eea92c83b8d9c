"""What the network is to say of a picture: where objects' centres are, and how far their sides.

After TTFNet (Liu et al. 2019, https://arxiv.org/abs/1909.00700, section 3): around each centre a
Gaussian in proportion to the box, which is both the score that is asked for and the weight with
which each cell learns the box.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.training.network import CELL, CLASSES

Floats = NDArray[np.float32]

_SHARE: Final = 0.54
"""Of the box's sides, the extent of the Gaussian: TTFNet's alpha and beta."""
_DEVIATIONS: Final = 6
"""An extent is so many standard deviations."""


class Objects(NamedTuple):
    """Truth of one picture: boxes [n, 4] in pixels, classes [n], and which are not judged [n]."""

    boxes: Floats
    classes: NDArray[np.int64]
    ignored: NDArray[np.bool_]


class Targets(NamedTuple):
    """One picture's: [rows, columns, ...].

    Attributes:
        scores: Asked for, by class; 1 at a centre.
        judged: By class, 0 where something lies that is neither to be found nor to be missed.
        boxes: Left, top, right, bottom, pixels, where ``weights`` is positive.
        weights: How much a cell learns the box.
    """

    scores: Floats
    judged: Floats
    boxes: Floats
    weights: Floats


def targets(objects: Objects, width: int, height: int) -> Targets:
    """The targets of a picture of ``width`` x ``height`` pixels, multiples of 4."""
    rows, columns = height // CELL, width // CELL
    made = Targets(
        np.zeros((rows, columns, len(CLASSES)), np.float32),
        np.ones((rows, columns, len(CLASSES)), np.float32),
        np.zeros((rows, columns, 4), np.float32),
        np.zeros((rows, columns), np.float32),
    )
    for box, cls in zip(
        objects.boxes[objects.ignored], objects.classes[objects.ignored], strict=True
    ):
        low = np.floor(box[:2] / CELL).astype(int)
        high = np.ceil(box[2:] / CELL).astype(int)
        made.judged[low[1] : high[1], low[0] : high[0], cls] = 0
    # The small ones last: where two overlap, the small one has fewer cells to lose.
    asked = np.flatnonzero(~objects.ignored)
    areas = np.prod(objects.boxes[:, 2:] - objects.boxes[:, :2], axis=1)
    for number in asked[np.argsort(-areas[asked], kind="stable")]:
        _draw(made, objects.boxes[number], int(objects.classes[number]), float(areas[number]))
    return made


def _draw(made: Targets, box: Floats, cls: int, area: float) -> None:
    rows, columns = made.weights.shape
    middle = (box[:2] + box[2:]) / (2 * CELL)
    sides = (box[2:] - box[:2]) / CELL
    centre = np.minimum(middle.astype(int), [columns - 1, rows - 1])
    reach = (sides * _SHARE / 2).astype(int)
    spread = (2 * reach + 1) / _DEVIATIONS
    near = np.maximum(centre - reach, 0)
    far = np.minimum(centre + reach, [columns - 1, rows - 1]) + 1
    x = np.arange(near[0], far[0]) - centre[0]
    y = np.arange(near[1], far[1]) - centre[1]
    bell = np.exp(-((x / spread[0]) ** 2)[None, :] / 2 - ((y / spread[1]) ** 2)[:, None] / 2)
    at = slice(near[1], far[1]), slice(near[0], far[0])
    bell = bell.astype(np.float32)
    made.scores[(*at, cls)] = np.maximum(made.scores[(*at, cls)], bell)
    made.judged[(*at, cls)] = 1
    made.boxes[at] = box
    # Large boxes have more cells: each object's weight grows only with the log of its area.
    made.weights[at] = np.log(max(area, np.e)) * bell / bell.sum()
