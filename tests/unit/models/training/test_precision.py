"""Average precision against cases computed by hand."""

import numpy as np
import pytest

from models.decoders.boxes import Boxes
from models.training.precision import at_score, average_precision, judge
from models.training.targets import Objects

Row = tuple[float, float, float, float, float, int]


def found(*rows: Row) -> Boxes:
    table = np.array(rows, np.float32).reshape(-1, 6)
    return Boxes(table[:, :4], table[:, 4], table[:, 5].astype(np.int64))


def truth(*rows: tuple[float, float, float, float, int, bool]) -> Objects:
    table = np.array(rows, np.float64).reshape(-1, 6)
    return Objects(
        table[:, :4].astype(np.float32), table[:, 4].astype(np.int64), table[:, 5].astype(bool)
    )


def square(x: float, score: float, cls: int = 0) -> Row:
    return x, 0, x + 10, 10, score, cls


def thing(
    x: float, cls: int = 0, *, ignored: bool = False
) -> tuple[float, float, float, float, int, bool]:
    return x, 0, x + 10, 10, cls, ignored


def test_a_curve_by_hand_over_two_pictures() -> None:
    # Sorted: 0.9 right, 0.8 wrong, 0.7 right, 0.6 wrong, 0.5 right; four objects.
    # Recall 1/4, 1/4, 2/4, 2/4, 3/4; precision 1, 1/2, 2/3, 1/2, 3/5.
    # Made to fall: 1 up to 1/4, 2/3 up to 2/4, 3/5 up to 3/4: (1 + 2/3 + 3/5) / 4.
    pictures = [
        found(square(0, 0.9), square(200, 0.8), square(20, 0.5)),
        found(square(0, 0.7), square(300, 0.6)),
    ]
    objects = [truth(thing(0), thing(20)), truth(thing(0), thing(40))]
    verdicts = judge(pictures, objects, 0)
    assert verdicts.objects == 4
    assert verdicts.right.tolist() == [True, False, True, False, True]
    assert average_precision(verdicts) == pytest.approx((1 + 2 / 3 + 3 / 5) / 4)
    assert at_score(verdicts, 0.65) == pytest.approx((2 / 3, 2 / 4))


def test_a_second_detection_of_one_object_is_wrong() -> None:
    verdicts = judge([found(square(0, 0.9), square(1, 0.8))], [truth(thing(0))], 0)
    assert verdicts.right.tolist() == [True, False]
    # All recall is there before the wrong one comes.
    assert average_precision(verdicts) == 1


def test_overlap_by_less_than_half_is_wrong() -> None:
    # Moved by x, two squares of side 10 have (10 - x) in common of (10 + x): half at 10/3.
    near, far = [found(square(3.3, 0.9))], [found(square(3.4, 0.9))]
    assert judge(near, [truth(thing(0))], 0).right.tolist() == [True]
    assert judge(far, [truth(thing(0))], 0).right.tolist() == [False]


def test_what_is_not_judged_counts_neither_way() -> None:
    boxes = [found(square(0, 0.9), square(100, 0.8), square(101, 0.7))]
    verdicts = judge(boxes, [truth(thing(0), thing(100, ignored=True))], 0)
    assert verdicts.objects == 1
    assert verdicts.right.tolist() == [True]


def test_classes_do_not_mix() -> None:
    boxes, objects = [found(square(0, 0.9, 1))], [truth(thing(0, 0), thing(0, 1))]
    assert judge(boxes, objects, 0).right.tolist() == []
    assert average_precision(judge(boxes, objects, 0)) == 0
    assert average_precision(judge(boxes, objects, 1)) == 1
    assert np.isnan(average_precision(judge(boxes, objects, 2)))


def test_an_object_goes_to_the_detection_with_the_best_score() -> None:
    # 0.9 overlaps both objects and takes the one it overlaps more; 0.8 gets the other.
    boxes = [found(square(2, 0.9), square(4, 0.8))]
    verdicts = judge(boxes, [truth(thing(0), thing(5))], 0)
    assert verdicts.right.tolist() == [True, True]
