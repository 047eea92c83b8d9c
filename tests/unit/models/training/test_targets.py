import numpy as np
import pytest

from models.training.targets import Objects, targets


def objects(*rows: tuple[float, float, float, float, int, bool]) -> Objects:
    table = np.array(rows, np.float64).reshape(-1, 6)
    return Objects(
        table[:, :4].astype(np.float32), table[:, 4].astype(np.int64), table[:, 5].astype(bool)
    )


def test_one_centre_and_a_bell_in_proportion_to_the_box() -> None:
    # A car of 80 x 40 pixels: 20 x 10 cells, centre in cell (15, 10). Reach 5 x 2 cells:
    # 20 * 0.54 / 2 = 5.4 and 10 * 0.54 / 2 = 2.7. Deviations 11/6 and 5/6 cells.
    made = targets(objects((22, 22, 102, 62, 2, False)), 160, 96)
    assert made.scores.shape == (24, 40, 5)
    assert np.argwhere(made.scores == 1).tolist() == [[10, 15, 2]]
    rows, columns = np.nonzero(made.weights)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (8, 12, 10, 20)
    assert made.scores[10, 20, 2] == pytest.approx(np.exp(-((5 / (11 / 6)) ** 2) / 2))
    assert made.scores[12, 15, 2] == pytest.approx(np.exp(-((2 / (5 / 6)) ** 2) / 2))
    assert made.weights.sum() == pytest.approx(np.log(80 * 40))
    assert made.boxes[8, 10].tolist() == [22, 22, 102, 62]
    assert made.judged.all()


def test_the_smallest_things_have_one_cell() -> None:
    made = targets(objects((40, 40, 44, 52, 0, False)), 64, 64)
    assert np.argwhere(made.weights > 0).tolist() == [[11, 10]]


def test_a_box_that_ends_with_the_picture_has_its_centre_inside() -> None:
    made = targets(objects((60, 62, 64, 64, 0, False)), 64, 64)
    assert np.argwhere(made.scores == 1).tolist() == [[15, 15, 0]]


def test_where_nothing_is_judged_nothing_is_asked() -> None:
    made = targets(objects((8, 8, 24, 24, 0, True), (18, 18, 22, 22, 0, False)), 64, 64)
    unjudged = np.argwhere(made.judged == 0)
    assert set(unjudged[:, 2].tolist()) == {0}
    assert unjudged[:, :2].min() == 2
    assert unjudged[:, :2].max() == 5
    # But what is to be found in there is asked for.
    assert made.judged[5, 5, 0] == 1
    assert made.scores[5, 5, 0] == 1
    assert made.weights[3, 3] == 0


def test_a_small_box_before_a_large_one_keeps_its_cells() -> None:
    made = targets(objects((28, 20, 36, 44, 0, False), (0, 0, 64, 64, 3, False)), 64, 64)
    assert made.boxes[8, 8].tolist() == [28, 20, 36, 44]
    assert made.boxes[8, 6].tolist() == [0, 0, 64, 64]
    assert made.scores[8, 8].tolist() == [1, 0, 0, 1, 0]
