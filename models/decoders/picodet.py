"""PicoDet, as exported without post-processing.

Outputs: for each stride the scores [1, cells, classes], already probabilities; then for each stride
[1, cells, 4 x bins]: for each side of the box the logits of a distribution over distances from
the cell's centre, counted in strides. The distance is the distribution's mean (Li et al. 2020,
"Generalized Focal Loss", https://arxiv.org/abs/2006.04388; PicoDet: Yu et al. 2021,
https://arxiv.org/abs/2111.00902).
"""

from collections.abc import Sequence

import numpy as np

from models.decoders.boxes import Boxes, Floats, Indices, none

_SIDES = 4
_OUTWARDS = np.array([-1, -1, 1, 1], np.float32)


class PicoDet:
    """The decoder for one input size.

    Args:
        width: Of the model's input, pixels.
        height: Of the model's input, pixels.
        strides: Pixels between cells, one a level.
        wanted: The labels to look at, ascending.
    """

    def __init__(
        self, width: int, height: int, strides: Sequence[int], wanted: Sequence[int]
    ) -> None:
        self._size = np.array([width, height, width, height], np.float32)
        self._strides = tuple(strides)
        self._wanted: Indices = np.array(wanted, np.int64)
        self._centres = [_centres(width, height, stride) for stride in strides]

    def decode(self, outputs: Sequence[Floats], least: float) -> Boxes:
        """Each cell whose best wanted label scores at least ``least``, in pixels of the input."""
        levels = len(self._strides)
        found = [
            self._level(scores[0], distances[0], centres, stride, least)
            for scores, distances, centres, stride in zip(
                outputs[:levels], outputs[levels:], self._centres, self._strides, strict=True
            )
        ]
        return Boxes(*map(np.concatenate, zip(*found, strict=True)))

    def _level(
        self, scores: Floats, distances: Floats, centres: Floats, stride: int, least: float
    ) -> Boxes:
        # Nearly all cells are empty: the softmax is taken for those that are not.
        best = scores[:, self._wanted].max(axis=1)
        cells = np.flatnonzero(best >= least)
        if not len(cells):
            return none()
        labels = self._wanted[scores[np.ix_(cells, self._wanted)].argmax(axis=1)]
        sides = _means(distances[cells]) * stride
        corners = np.tile(centres[cells], 2) + sides * _OUTWARDS
        return Boxes(np.clip(corners, 0, self._size), best[cells], labels)


def _centres(width: int, height: int, stride: int) -> Floats:
    """X and y of every cell's centre, row by row, pixels."""
    across, down = -(-width // stride), -(-height // stride)
    y, x = np.mgrid[:down, :across]
    return ((np.stack([x, y], axis=-1).reshape(-1, 2) + 0.5) * stride).astype(np.float32)


def _means(logits: Floats) -> Floats:
    """The mean of each of the four distributions in each row: [cells, 4]."""
    bins = logits.shape[1] // _SIDES
    logits = logits.reshape(-1, _SIDES, bins)
    weights = np.exp(logits - logits.max(axis=2, keepdims=True))
    means: Floats = weights @ np.arange(bins, dtype=np.float32) / weights.sum(axis=2)
    return means
