"""Plain outputs: the graph itself gives boxes in pixels of its input.

Outputs: scores [1, n, classes], probabilities; then boxes [1, n, 4]: left, top, right, bottom.
Whether doubled boxes are suppressed in the graph does not matter: they are afterwards, too.
"""

from collections.abc import Sequence

import numpy as np

from models.decoders.boxes import Boxes, Floats, Indices


class Plain:
    """The decoder for one input size.

    Args:
        width: Of the model's input, pixels.
        height: Of the model's input, pixels.
        wanted: The labels to look at, ascending.
    """

    def __init__(self, width: int, height: int, wanted: Sequence[int]) -> None:
        self._size = np.array([width, height, width, height], np.float32)
        self._wanted: Indices = np.array(wanted, np.int64)

    def decode(self, outputs: Sequence[Floats], least: float) -> Boxes:
        """Each row whose best wanted label scores at least ``least``, in pixels of the input."""
        scores, boxes = outputs[0][0][:, self._wanted], outputs[1][0]
        best = scores.max(axis=1)
        rows = np.flatnonzero(best >= least)
        labels = self._wanted[scores[rows].argmax(axis=1)]
        return Boxes(np.clip(boxes[rows], 0, self._size), best[rows], labels)
