import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.decoders.boxes import Boxes, overlaps, suppress
from models.decoders.picodet import PicoDet
from models.decoders.plain import Plain

STRIDES = (8, 16)


def _empty(
    classes: int = 3, bins: int = 8
) -> list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    """Outputs for a picture of 32 x 16: 4 x 2 cells of 8, 2 x 1 of 16."""
    return [
        np.zeros((1, cells, size), np.float32) for size in (classes, 4 * bins) for cells in (8, 2)
    ]


def test_a_box_computed_by_hand() -> None:
    outputs = _empty()
    # Cell 6 of stride 8 is the third of the second row: its centre is (20, 12).
    outputs[0][0, 6, 2] = 0.9
    sides = outputs[2][0, 6].reshape(4, 8)
    sides[:] = -100
    sides[0, 1] = 0  # left: all at 1 -> 8 pixels
    sides[1, 0] = sides[1, 1] = 0  # top: half at 0, half at 1 -> 4 pixels
    sides[2, 0], sides[2, 1] = 0, math.log(3)  # right: 1/4 at 0, 3/4 at 1 -> 6 pixels
    sides[3, 7] = 0  # bottom: 56 pixels, cut at the picture's edge
    found = PicoDet(32, 16, STRIDES, [0, 2]).decode(outputs, 0.5)
    assert found.labels.tolist() == [2]
    assert found.scores.tolist() == pytest.approx([0.9])
    assert found.xyxy[0].tolist() == pytest.approx([12, 8, 26, 16], abs=1e-5)


def test_all_levels_the_threshold_and_wanted_labels() -> None:
    outputs = _empty()
    outputs[0][0, 0] = [0.6, 0.95, 0.2]  # label 1 is not wanted: 0 wins
    outputs[0][0, 1] = [0.49, 0.95, 0.2]  # too little
    outputs[1][0, 1] = [0.1, 0.0, 0.5]  # stride 16, centre (24, 8)
    outputs[3][0, 1].reshape(4, 8)[:, 0] = 100  # no extent at all
    found = PicoDet(32, 16, STRIDES, [0, 2]).decode(outputs, 0.5)
    assert found.labels.tolist() == [0, 2]
    assert found.scores.tolist() == pytest.approx([0.6, 0.5])
    assert found.xyxy[1].tolist() == pytest.approx([24, 8, 24, 8], abs=1e-4)


def test_plain_outputs() -> None:
    scores = np.array([[[0.2, 0.9, 0.6], [0.4, 0.9, 0.3], [0.5, 0.0, 0.7]]], np.float32)
    boxes = np.array([[[1, 2, 3, 4], [0, 0, 1, 1], [-5, 3, 40, 9]]], np.float32)
    found = Plain(32, 16, [0, 2]).decode([scores, boxes], 0.5)
    assert found.labels.tolist() == [2, 2]
    assert found.scores.tolist() == pytest.approx([0.6, 0.7])
    assert found.xyxy.tolist() == [[1, 2, 3, 4], [0, 3, 32, 9]]
    assert Plain(32, 16, [0]).decode([scores, boxes], 0.6).xyxy.shape == (0, 4)


def test_nothing_found() -> None:
    found = PicoDet(32, 16, STRIDES, [0]).decode(_empty(), 0.5)
    assert found.xyxy.shape == (0, 4)
    assert suppress(found, 0.5).scores.shape == (0,)


def _boxes(*rows: tuple[float, float, float, float, float, int]) -> Boxes:
    table = np.array(rows, np.float32).reshape(-1, 6)
    return Boxes(table[:, :4], table[:, 4], table[:, 5].astype(np.int64))


def test_suppression_by_class() -> None:
    # The first two overlap by 5/15, the fourth covers the first but is of another class.
    boxes = _boxes(
        (0, 0, 10, 1, 0.8, 0), (5, 0, 15, 1, 0.9, 0), (10, 0, 20, 1, 0.7, 0), (0, 0, 10, 1, 0.6, 1)
    )
    assert suppress(boxes, 0.4).scores.tolist() == pytest.approx([0.9, 0.8, 0.7, 0.6])
    # 0.9 removes both its neighbours; they do not touch one another.
    assert suppress(boxes, 0.3).scores.tolist() == pytest.approx([0.9, 0.6])


sides = st.tuples(*[st.integers(0, 20)] * 4).map(
    lambda s: (min(s[0], s[2]), min(s[1], s[3]), max(s[0], s[2]), max(s[1], s[3]))
)


@given(sides, sides)
def test_overlap_is_that_of_the_pixels(
    one: tuple[int, int, int, int], other: tuple[int, int, int, int]
) -> None:
    masks = np.zeros((2, 20, 20), bool)
    for mask, (left, top, right, bottom) in zip(masks, (one, other), strict=True):
        mask[top:bottom, left:right] = True
    union = (masks[0] | masks[1]).sum()
    expected = (masks[0] & masks[1]).sum() / union if union else 0
    got = overlaps(np.array([one], np.float32), np.array([other], np.float32))
    assert got[0, 0] == pytest.approx(expected, abs=1e-6)
