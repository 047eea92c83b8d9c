"""Who stands before whom: the painter's order of things with rectangles on the ground.

Two rectangles that do not overlap can be parted by a line along one of their sides (the separating
axis theorem); the one on the camera's side of it is drawn later. Depths of middles alone would put
a bus before somebody who walks along its far end.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Rectangle = tuple[float, float, float, float, float]
"""X and Y of the middle, heading (radians), length and width."""


def nearer(
    ones: Sequence[Rectangle], others: Sequence[Rectangle], camera: tuple[float, float]
) -> NDArray[np.bool_]:
    """Whether each one (rows) stands before each other (columns), seen from ``camera``."""
    one, other = np.array(ones), np.array(others)
    gap, side = _parted(one, other, camera)
    gap_back, side_back = _parted(other, one, camera)
    by_gap = np.where(gap >= gap_back.T, side, -side_back.T)
    away = np.hypot(one[:, 0] - camera[0], one[:, 1] - camera[1])[:, None]
    away_other = np.hypot(other[:, 0] - camera[0], other[:, 1] - camera[1])[None, :]
    apart = np.maximum(gap, gap_back.T) > 0
    result: NDArray[np.bool_] = np.where(apart, by_gap > 0, away < away_other)
    return result


def _parted(
    one: NDArray[np.float64], other: NDArray[np.float64], camera: tuple[float, float]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """By lines along the sides of ``one``: the widest gap, and 1 where ``one`` is nearer."""
    corners = _corners(other)
    best = np.full((len(one), len(other)), -np.inf)
    sides = np.zeros(best.shape, np.int64)
    cos, sin = np.cos(one[:, 2]), np.sin(one[:, 2])
    for axis, half in (((cos, sin), one[:, 3] / 2), ((-sin, cos), one[:, 4] / 2)):
        middle = one[:, 0] * axis[0] + one[:, 1] * axis[1]
        along = (
            corners[None, :, :, 0] * axis[0][:, None, None]
            + corners[None, :, :, 1] * axis[1][:, None, None]
            - middle[:, None, None]
        )
        eye = (camera[0] * axis[0] + camera[1] * axis[1] - middle)[:, None]
        for sign in (1, -1):
            gap = (sign * along).min(axis=2) - half[:, None]
            plane = half[:, None] + gap / 2
            near = np.where(sign * eye < plane, 1, -1)
            better = gap > best
            best = np.where(better, gap, best)
            sides = np.where(better, near, sides)
    return best, sides


def _corners(rectangles: NDArray[np.float64]) -> NDArray[np.float64]:
    """N x 4 x 2."""
    cos, sin = np.cos(rectangles[:, 2]), np.sin(rectangles[:, 2])
    ahead = np.stack([cos, sin], axis=1) * rectangles[:, 3:4] / 2
    aside = np.stack([-sin, cos], axis=1) * rectangles[:, 4:5] / 2
    middle = rectangles[:, :2]
    return np.stack(
        [middle + ahead + aside, middle + ahead - aside, middle - ahead - aside, middle - ahead + aside],
        axis=1,
    )


def painted(boxes: Sequence[tuple[int, int, int, int]], before: NDArray[np.bool_]) -> list[int]:
    """Numbers in an order that draws what is behind first.

    Args:
        boxes: In the picture; only those that overlap must be ordered.
        before: Whether one stands before another.
    """
    waiting = list(range(len(boxes)))
    behind = [
        {
            other
            for other in waiting
            if other != one and before[one, other] and _overlap(boxes[one], boxes[other])
        }
        for one in waiting
    ]
    order: list[int] = []
    done: set[int] = set()
    while waiting:
        # Three that stand in a ring have no right order: the first is as good as any.
        free = next((one for one in waiting if behind[one] <= done), waiting[0])
        waiting.remove(free)
        order.append(free)
        done.add(free)
    return order


def _overlap(one: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
