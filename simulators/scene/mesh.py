"""Bodies of flat faces: built once in metres, drawn for each frame.

A body's own axes: X forward, Y to its left, Z up, its origin on the ground below its middle. A body
is made of convex parts. Of a convex part no face that looks at the camera covers another, so faces
are drawn in the order they were added: first the part's hull, then what is painted on it.
"""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from simulators.scene.camera import Floats
from simulators.scene.look import Colour, paint

Point = tuple[float, float, float]

MATT, GLOSS, GLASS, HEAD, TAIL, LIT = range(6)
"""What a face is made of: cloth or rubber; varnish; glass; a headlight; a tail light; a sign or
window that is lit when it is dark."""

ROUND: Final = 12


class Lamp(NamedTuple):
    """A light of a vehicle: where, and whether it is a tail light."""

    at: Point
    tail: bool


class Mesh:
    """A body, built part by part.

    Attributes:
        corners: N x 3, face by face.
        faces: For each face where its corners begin and end.
        normals: F x 3, outward unit vectors.
        colours: F x 3, linear.
        kinds: F, what each face is made of.
        parts: For each part its first face, the one after its last, and where along X it lies.
    """

    def __init__(self) -> None:
        self._corners: list[Point] = []
        self._colours: list[Colour] = []
        self._kinds: list[int] = []
        self._middle = (0.0, 0.0, 0.0)
        self.faces: list[tuple[int, int]] = []
        self.parts: list[tuple[int, int, float]] = []
        self.lamps: list[Lamp] = []

    def part(self, middle: Point, at: float = 0.0) -> None:
        """Begin a convex part around ``middle``.

        Parts that lie behind each other have their places along X in ``at``; of those with the same
        place, what is added later lies above.
        """
        self._middle = middle
        self.parts.append((len(self.faces), len(self.faces), at))

    def face(self, corners: Sequence[Point], colour: Colour | str, kind: int = MATT) -> None:
        """Add a face that looks away from the part's middle; its corners in order, convex."""
        points = np.array(corners)
        normal = np.cross(points[1] - points[0], points[2] - points[0])
        if normal @ (points.mean(axis=0) - self._middle) < 0:
            corners = list(reversed(corners))
        start = len(self._corners)
        self._corners += corners
        self.faces.append((start, len(self._corners)))
        self._colours.append(paint(colour) if isinstance(colour, str) else colour)
        self._kinds.append(kind)
        first, _, at = self.parts[-1]
        self.parts[-1] = (first, len(self.faces), at)

    def box(
        self,
        x: tuple[float, float],
        y: tuple[float, float],
        z: tuple[float, float],
        colour: Colour | str,
        kind: int = MATT,
        *,
        top: Colour | str | None = None,
        at: float = 0.0,
    ) -> None:
        """Add a part: a box, without its underside."""
        self.part((sum(x) / 2, sum(y) / 2, sum(z) / 2), at)
        (x0, x1), (y0, y1), (z0, z1) = x, y, z
        for side in (x0, x1):
            self.face(
                [(side, y0, z0), (side, y1, z0), (side, y1, z1), (side, y0, z1)], colour, kind
            )
        for side in (y0, y1):
            self.face(
                [(x0, side, z0), (x1, side, z0), (x1, side, z1), (x0, side, z1)], colour, kind
            )
        roof = colour if top is None else top
        self.face([(x0, y0, z1), (x1, y0, z1), (x1, y1, z1), (x0, y1, z1)], roof, kind)

    def hull(
        self,
        outline: Sequence[tuple[float, float, float]],
        colour: Colour | str,
        kind: int = GLOSS,
        *,
        at: float = 0.0,
    ) -> None:
        """Add a part: a side view (X, Z and half the width there), without its underside."""
        right = [(x, -half, z) for x, z, half in outline]
        left = [(x, half, z) for x, z, half in outline]
        middle = np.array([*right, *left]).mean(axis=0)
        self.part((float(middle[0]), float(middle[1]), float(middle[2])), at)
        self.face(right, colour, kind)
        self.face(left, colour, kind)
        for number in range(len(right) - 1):
            after = number + 1
            self.face([right[number], right[after], left[after], left[number]], colour, kind)

    def disc(self, at: Point, radius: float, colour: Colour | str, kind: int = MATT) -> None:
        """Add a round face that looks to the side that it lies on."""
        x, y, z = at
        turns = [2 * math.pi * number / ROUND for number in range(ROUND)]
        ring = [(x + radius * math.cos(a), y, z + radius * math.sin(a)) for a in turns]
        self.face(ring, colour, kind)

    def done(self) -> "Body":
        """The finished body."""
        corners = np.array(self._corners)
        normals = []
        for start, end in self.faces:
            a, b, c = corners[start], corners[start + 1], corners[end - 1]
            normal = np.cross(b - a, c - a)
            normals.append(normal / max(1e-9, float(np.linalg.norm(normal))))
        return Body(
            corners,
            tuple(self.faces),
            np.array(normals),
            np.array(self._colours, np.float32),
            np.array(self._kinds),
            tuple(self.parts),
            tuple(self.lamps),
        )


class Body(NamedTuple):
    """See :class:`Mesh`."""

    corners: Floats
    faces: tuple[tuple[int, int], ...]
    normals: Floats
    colours: NDArray[np.float32]
    kinds: NDArray[np.int64]
    parts: tuple[tuple[int, int, float], ...]
    lamps: tuple[Lamp, ...]


def turn(heading: float) -> Floats:
    """3x3, from a body's axes to the world's; ``heading`` in radians from +X towards +Y."""
    cos, sin = math.cos(heading), math.sin(heading)
    return np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])


def fill(
    canvas: NDArray[np.uint8],
    body: Body,
    pixels: NDArray[np.int32],
    colours: Sequence[list[float]],
    ahead: float,
    shift: int,
) -> None:
    """Draw a body's faces that look at the camera.

    Args:
        canvas: Height x width x 4; the fourth channel gets 255.
        body: The body.
        pixels: Its corners on the canvas, N x 2, fixed point.
        colours: Of each face.
        ahead: The camera's X in the body's axes.
        shift: Fractional bits of ``pixels``.
    """
    firsts = np.array([start for start, _ in body.faces])
    a, b, c = pixels[firsts], pixels[firsts + 1], pixels[firsts + 2]
    one, two = (b - a).astype(np.float64), (c - b).astype(np.float64)
    seen = (one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0] < 0).tolist()
    for first, end, _ in sorted(body.parts, key=lambda part: -abs(part[2] - ahead)):
        for number in range(first, end):
            if seen[number]:
                start, stop = body.faces[number]
                cv2.fillConvexPoly(canvas, pixels[start:stop], colours[number], 8, shift)
