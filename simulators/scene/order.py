"""Who stands before whom: the painter's order of things with rectangles on the ground.

Two rectangles that do not overlap can be parted by a line along one of their sides (the separating
axis theorem); the one on the camera's side of it is drawn later. Depths of middles alone would put
a bus before somebody who walks along its far end.
"""

import numpy as np
from numpy.typing import NDArray

Rectangle = tuple[float, float, float, float, float]
"""X and Y of the middle, heading (radians), length and width."""


def overlapping(
    ones: NDArray[np.int64], others: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which boxes (N x 4: left, top, right, bottom) overlap: numbers of ones, and of others."""
    apart = (
        (ones[:, None, 0] >= others[None, :, 2])
        | (ones[:, None, 2] <= others[None, :, 0])
        | (ones[:, None, 1] >= others[None, :, 3])
        | (ones[:, None, 3] <= others[None, :, 1])
    )
    one, other = np.nonzero(~apart)
    return one, other


def nearer(
    ones: NDArray[np.float64], others: NDArray[np.float64], camera: tuple[float, float]
) -> NDArray[np.bool_]:
    """Whether each one stands before the other of the same row, seen from ``camera``.

    Args:
        ones: N rectangles, N x 5.
        others: As many.
        camera: X and Y.
    """
    gap, before = _parted(ones, others, camera)
    gap_back, behind = _parted(others, ones, camera)
    by_gap = np.where(gap >= gap_back, before, ~behind)
    away = np.hypot(ones[:, 0] - camera[0], ones[:, 1] - camera[1])
    away_other = np.hypot(others[:, 0] - camera[0], others[:, 1] - camera[1])
    result: NDArray[np.bool_] = np.where(np.maximum(gap, gap_back) > 0, by_gap, away < away_other)
    return result


def _parted(
    one: NDArray[np.float64], other: NDArray[np.float64], camera: tuple[float, float]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """By lines along the sides of each one: the widest gap, and whether the one is nearer."""
    cos, sin = np.cos(one[:, 2]), np.sin(one[:, 2])
    away = other[:, :2] - one[:, :2]
    eye = camera - one[:, :2]
    cos_other, sin_other = np.cos(other[:, 2]), np.sin(other[:, 2])
    # A row for the axis along each one, and a row for the axis across it.
    axis_x, axis_y = np.stack([cos, -sin]), np.stack([sin, cos])
    half = np.stack([one[:, 3], one[:, 4]]) / 2
    middle = away[:, 0] * axis_x + away[:, 1] * axis_y
    seen_from = eye[:, 0] * axis_x + eye[:, 1] * axis_y
    reach = (
        np.abs(cos_other * axis_x + sin_other * axis_y) * other[:, 3]
        + np.abs(cos_other * axis_y - sin_other * axis_x) * other[:, 4]
    ) / 2
    gap = np.abs(middle) - reach - half
    near = np.sign(middle) * seen_from < half + gap / 2
    first = gap[0] >= gap[1]
    return np.where(first, gap[0], gap[1]), np.where(first, near[0], near[1])


def painted(
    count: int, ones: NDArray[np.int64], others: NDArray[np.int64], before: NDArray[np.bool_]
) -> list[int]:
    """Numbers in an order that draws what is behind first.

    Args:
        count: How many there are.
        ones: Of pairs whose order matters, the one.
        others: The other.
        before: Whether the one stands before the other.
    """
    behind: list[set[int]] = [set() for _ in range(count)]
    for one, other, nearer_one in zip(ones.tolist(), others.tolist(), before.tolist(), strict=True):
        if nearer_one:
            behind[one].add(other)
    waiting = list(range(count))
    order: list[int] = []
    done: set[int] = set()
    while waiting:
        # Three that stand in a ring have no right order: the first is as good as any.
        free = next((one for one in waiting if behind[one] <= done), waiting[0])
        waiting.remove(free)
        order.append(free)
        done.add(free)
    return order
