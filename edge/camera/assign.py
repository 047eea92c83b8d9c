"""Which detection belongs to which track: the assignment with the greatest sum of overlaps."""

import numpy as np
from numpy.typing import NDArray

Pairs = list[tuple[int, int]]


def assign(overlaps: NDArray[np.float32], least: float) -> Pairs:
    """Pairs (row, column), each row and column at most once, of overlaps of at least ``least``.

    Of all such sets the one with the greatest sum. Most rows and columns see one another only, and
    are paired at once; only those that compete go through the full search.
    """
    allowed = overlaps >= least
    alone = allowed & (allowed.sum(1) == 1)[:, None] & (allowed.sum(0) == 1)[None, :]
    pairs: Pairs = [(int(row), int(column)) for row, column in np.argwhere(alone)]
    rival = allowed & ~alone
    rows, columns = np.flatnonzero(rival.any(1)), np.flatnonzero(rival.any(0))
    if len(rows) and len(columns):
        gains = np.where(rival, overlaps, 0)[np.ix_(rows, columns)].astype(np.float64)
        for row, column in _best(gains):
            if gains[row, column] > 0:
                pairs.append((int(rows[row]), int(columns[column])))
    return sorted(pairs)


def _best(gains: NDArray[np.float64]) -> Pairs:
    """A pairing of all rows or all columns with the greatest sum."""
    if gains.shape[0] > gains.shape[1]:
        return [(row, column) for column, row in _best(gains.T)]
    return _shortest_augmenting_paths(-gains)


def _shortest_augmenting_paths(costs: NDArray[np.float64]) -> Pairs:
    """Each row with a column of its own at the least sum; needs no more rows than columns.

    The Hungarian method in O(rows^2 columns) with potentials, each row brought in along a shortest
    augmenting path (Jonker and Volgenant 1987, https://doi.org/10.1007/BF02278710).
    """
    rows, columns = costs.shape
    of_row, of_column = np.zeros(rows), np.zeros(columns)
    holder = np.full(columns, -1)
    for row in range(rows):
        reach = np.full(columns, np.inf)
        before = np.full(columns, -1)
        done = np.zeros(columns, bool)
        at, column = row, -1
        while True:
            slack = costs[at] - of_row[at] - of_column
            nearer = ~done & (slack < reach)
            reach[nearer] = slack[nearer]
            before[nearer] = column
            following = int(np.argmin(np.where(done, np.inf, reach)))
            step = reach[following]
            of_row[row] += step
            of_row[holder[done]] += step
            of_column[done] -= step
            reach[~done] -= step
            done[following] = True
            column = following
            if holder[column] < 0:
                break
            at = int(holder[column])
        while column >= 0:
            previous = int(before[column])
            holder[column] = row if previous < 0 else holder[previous]
            column = previous
    return [(int(row), column) for column, row in enumerate(holder) if row >= 0]
