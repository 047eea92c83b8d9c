from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from edge.camera.assign import assign

tables = st.tuples(st.integers(1, 5), st.integers(1, 5)).flatmap(
    lambda shape: arrays.arrays(
        np.float32, shape, elements=st.integers(0, 16).map(lambda n: n / 16)
    )
)


def best_sum(table: np.ndarray[tuple[int, ...], np.dtype[np.float32]], least: float) -> float:
    """By trying all there are."""
    rows, columns = table.shape
    if rows > columns:
        return best_sum(table.T, least)
    return max(
        sum(float(table[r, c]) for r, c in enumerate(order) if table[r, c] >= least)
        for order in permutations(range(columns), rows)
    )


@given(tables, st.sampled_from([1 / 16, 0.25, 0.5]))
def test_the_sum_is_the_greatest_there_is(
    table: np.ndarray[tuple[int, ...], np.dtype[np.float32]], least: float
) -> None:
    pairs = assign(table, least)
    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)
    assert all(table[pair] >= least for pair in pairs)
    assert sum(float(table[pair]) for pair in pairs) == pytest.approx(best_sum(table, least))


def test_the_nearest_first_would_be_worse() -> None:
    assert assign(np.array([[0.6, 0.5], [0.5, 0.1]], np.float32), 0.1) == [(0, 1), (1, 0)]


def test_nothing_to_assign() -> None:
    assert assign(np.empty((0, 3), np.float32), 0.1) == []
    assert assign(np.zeros((2, 2), np.float32), 0.1) == []
