"""A pinhole camera above a flat ground.

The world is in metres: X to the right, Y forward, Z up, the ground at Z = 0. Pixels are counted
from the picture's upper left corner, so that the first pixel reaches from 0 to 1. The formulas are
those of R. Hartley and A. Zisserman, Multiple View Geometry, chapters 6 and 8.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Grid = NDArray[np.float32]
"""A value, or three, for each pixel of a picture."""
Pixels = NDArray[np.uint8]
"""A picture, height x width x 3 (blue, green, red), or a mask, height x width."""
Spot = tuple[float, float]
"""X and Y on the ground, metres."""

_NEAR = 0.3
"""What is nearer than this to the camera's plane is cut off, metres."""


class Stand(NamedTuple):
    """Where a camera stands and looks: metres and degrees.

    ``yaw`` turns it from +Y to the right, ``pitch`` below the horizon, ``view`` is the horizontal
    angle that it sees.
    """

    x: float
    y: float
    height: float
    yaw: float
    pitch: float
    view: float


class Camera:
    """Projects the world into a picture.

    Args:
        stand: Where it stands and looks.
        width: Of the picture, pixels.
        height: Of the picture, pixels.

    Attributes:
        matrix: 3x4, world (homogeneous metres) to picture (homogeneous pixels); the third row gives
            the depth in metres.
        centre: Of projection, in the world.
        to_ground: 3x3, pixels to metres on the ground, both homogeneous.
        to_picture: Its inverse.
        focal: Pixels.
    """

    def __init__(self, stand: Stand, width: int, height: int) -> None:
        self.stand = stand
        self.width = width
        self.height = height
        self.focal = width / 2 / math.tan(math.radians(stand.view) / 2)
        yaw, pitch = math.radians(stand.yaw), math.radians(stand.pitch)
        right = np.array([math.cos(yaw), -math.sin(yaw), 0.0])
        ahead = np.array(
            [
                math.sin(yaw) * math.cos(pitch),
                math.cos(yaw) * math.cos(pitch),
                -math.sin(pitch),
            ]
        )
        down = np.cross(ahead, right)
        self.centre = np.array([stand.x, stand.y, stand.height])
        lens = np.array([[self.focal, 0, width / 2], [0, self.focal, height / 2], [0, 0, 1.0]])
        turned = np.stack([right, down, ahead])
        self.matrix: Floats = lens @ np.column_stack([turned, -turned @ self.centre])
        self.to_picture: Floats = np.ascontiguousarray(self.matrix[:, [0, 1, 3]])
        self.to_ground: Floats = np.linalg.inv(self.to_picture).astype(np.float64)
        # Plain numbers: for one place they are quicker than arrays.
        self._rows: list[list[float]] = self.to_picture.tolist()
        self._ahead: list[float] = self.matrix[2].tolist()

    def project(self, points: Floats) -> tuple[Floats, Floats]:
        """Pixels (N x 2) and depths (N, metres) of points of the world (N x 3)."""
        seen = points @ self.matrix[:, :3].T + self.matrix[:, 3]
        depth = np.maximum(seen[:, 2], _NEAR)
        return seen[:, :2] / depth[:, None], seen[:, 2]

    def spot(self, x: float, y: float) -> Spot:
        """The place on the ground that a pixel below the horizon shows."""
        u, v, w = self.to_ground @ (x, y, 1.0)
        return float(u / w), float(v / w)

    def pixel(self, x: float, y: float) -> Spot:
        """The pixel that shows a place on the ground before the camera."""
        (a, b, c), (d, e, f), (g, h, i) = self._rows
        w = g * x + h * y + i
        return (a * x + b * y + c) / w, (d * x + e * y + f) / w

    def depth(self, x: float, y: float, z: float = 0.0) -> float:
        """How far before the camera's plane a point lies, metres."""
        a, b, c, d = self._ahead
        return a * x + b * y + c * z + d

    def before(self, corners: Floats) -> Floats:
        """The part of a flat polygon (N x 3) that lies before the camera; empty if none does."""
        depths = corners @ self.matrix[2, :3] + self.matrix[2, 3] - _NEAR
        if (depths > 0).all():
            return corners
        kept = []
        for number, depth in enumerate(depths):
            last = depths[number - 1]
            if (depth > 0) != (last > 0):
                share = last / (last - depth)
                kept.append(corners[number - 1] + share * (corners[number] - corners[number - 1]))
            if depth > 0:
                kept.append(corners[number])
        return np.array(kept).reshape(-1, 3)
