"""From a body or a figure to a small picture of it with its silhouette: a sprite.

Sprites are drawn two to four times as large and made smaller, which smooths their edges.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from simulators.scene.camera import Camera, Floats
from simulators.scene.figure import Canopy, Disc, Limb, Ring, Stroke, Trunk
from simulators.scene.look import Colour, Look, tone
from simulators.scene.mesh import GLASS, GLOSS, HEAD, LIT, TAIL, Body, fill, turn

Pixels = NDArray[np.uint8]

_SHIFT: Final = 4
_MARGIN: Final = 2
_BEYOND: Final = 0.6
"""How far a sprite may reach past the picture's edges, as a share of its sides."""
_LEAST: Final = 40.0
"""Figures less high than this have no light and shadow on their limbs, pixels."""
_SKY: Final = np.array([0.34, 0.30, 0.27], np.float32)
"""What glass mirrors by daylight."""


class Sprite(NamedTuple):
    """A picture of one thing: its upper left pixel, colours times alpha, and alpha."""

    x: int
    y: int
    colours: Pixels
    alpha: Pixels


class Place(NamedTuple):
    """The light at a place: from lamps, and what share of the sun; and the haze before it."""

    lamps: Colour
    sun: float
    haze: float


def _fitting(high: float) -> int:
    """How many times as large a sprite is drawn."""
    if high < 60:  # noqa: PLR2004 pixels
        return 4
    return 3 if high < 130 else 2  # noqa: PLR2004 pixels


class _Canvas:
    """A sprite in the making, four channels, ``scale`` times as large."""

    def __init__(self, camera: Camera, low: Floats, high: Floats, scale: int) -> None:
        wide, tall = camera.width, camera.height
        x0 = max(int(low[0]) - _MARGIN, int(-_BEYOND * wide))
        y0 = max(int(low[1]) - _MARGIN, int(-_BEYOND * tall))
        x1 = min(int(high[0]) + 1 + _MARGIN, int((1 + _BEYOND) * wide))
        y1 = min(int(high[1]) + 1 + _MARGIN, int((1 + _BEYOND) * tall))
        self.x, self.y = x0, y0
        self.width, self.height = x1 - x0, y1 - y0
        self.scale = scale
        self.pixels: Pixels = np.zeros((0, 0, 4), np.uint8)
        if self.width > 0 and self.height > 0:
            self.pixels = np.zeros((self.height * scale, self.width * scale, 4), np.uint8)

    def points(self, pixels: Floats) -> NDArray[np.int32]:
        """Fixed-point coordinates of the picture's pixels on the canvas."""
        moved = (pixels - (self.x, self.y)) * self.scale - 0.5
        return np.rint(moved * (1 << _SHIFT)).astype(np.int32)

    def sprite(self) -> Sprite | None:
        if not self.pixels.size:
            return None
        size = self.width, self.height
        small = np.asarray(cv2.resize(self.pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
        # Two of OpenCV's calls are quicker than numpy's slices that are not contiguous.
        colours = np.asarray(cv2.cvtColor(small, cv2.COLOR_BGRA2BGR), np.uint8)
        return Sprite(self.x, self.y, colours, np.asarray(cv2.extractChannel(small, 3), np.uint8))


class Drawer:
    """Draws the actors of one scene in one look.

    Args:
        camera: The camera.
        look: The light.
    """

    def __init__(self, camera: Camera, look: Look) -> None:
        self._camera = camera
        self._look = look
        self._right = np.array([camera.matrix[0] - camera.width / 2 * camera.matrix[2]])[0, :2]
        self._right /= np.linalg.norm(self._right)
        self._mirrored = _SKY * 2.2 * np.minimum(1, look.ambient.mean() * 2) if look.light else _SKY

    def body(  # noqa: PLR0913 what a vehicle's picture depends on
        self, body: Body, at: tuple[float, float], heading: float, place: Place, *, braking: bool
    ) -> Sprite | None:
        """A vehicle's sprite; None where it is out of the picture."""
        turned = turn(heading)
        world = body.corners @ turned.T
        world[:, :2] += at
        pixels, depths = self._camera.project(world)
        if depths.min() <= 0:
            return None
        low, high = pixels.min(axis=0), pixels.max(axis=0)
        canvas = _Canvas(self._camera, low, high, _fitting(float(high[1] - low[1]) * 1.2))
        if not canvas.pixels.size:
            return None
        colours = self._faces(body, turned, place, braking=braking)
        ahead = float((self._camera.centre[:2] - at) @ turned[:2, 0])
        fill(canvas.pixels, body, canvas.points(pixels), colours, ahead, _SHIFT)
        return canvas.sprite()

    def _faces(
        self, body: Body, turned: Floats, place: Place, *, braking: bool
    ) -> Sequence[tuple[float, ...]]:
        look = self._look
        up = body.normals[:, 2:3].astype(np.float32)
        light = look.ambient * (0.72 + 0.38 * up) + place.lamps * (0.62 + 0.38 * up)
        kinds = body.kinds
        if look.sunny and place.sun > 0:
            facing = np.maximum(0, body.normals @ (turned.T @ look.to_sun))[:, None]
            light = light + look.sun * np.float32(place.sun) * facing.astype(np.float32)
        seen = body.colours * light
        gloss = (kinds == GLOSS)[:, None]
        seen = seen + gloss * self._mirrored * (0.05 + 0.16 * up**2)
        glass = (kinds == GLASS)[:, None]
        seen = seen + glass * self._mirrored * (0.12 + 0.6 * up)
        if look.beams:
            seen[kinds == HEAD] = np.array([1.7, 1.9, 2.0], np.float32)
            red = np.array([0.04, 0.04, 0.75], np.float32) if not braking else (0.14, 0.12, 2.4)
            seen[kinds == TAIL] = red
        elif braking:
            seen[kinds == TAIL] = np.array([0.08, 0.06, 1.2], np.float32)
        if look.windows > 0.2:  # noqa: PLR2004 inside the lights are on
            seen[kinds == LIT] = np.maximum(
                seen[kinds == LIT], body.colours[kinds == LIT] * 1.2 + np.float32(0.22)
            )
        return self._finished(seen, place.haze)

    def _finished(self, seen: NDArray[np.float32], haze: float) -> list[tuple[float, ...]]:
        mixed = seen + (self._look.haze[0] - seen) * np.float32(haze)
        shown = np.empty((len(mixed), 4), np.float32)
        shown[:, :3] = tone(mixed)
        shown[:, 3] = 255
        return [tuple(row) for row in shown.tolist()]

    def figure(
        self, strokes: Sequence[Stroke], at: tuple[float, float], heading: float, place: Place
    ) -> Sprite | None:
        """A person's sprite; None where they are out of the picture."""
        joints = np.array([joint for stroke in strokes for joint in _joints(stroke)])
        turned = turn(heading)
        world = joints @ turned.T
        world[:, :2] += at
        pixels, depths = self._camera.project(world)
        if depths.min() <= 0.5:  # noqa: PLR2004 metres: it would fill the picture
            return None
        scales = self._camera.focal / depths
        broadest = 0.3 if not isinstance(strokes[-1], Canopy) else 0.62
        reach = broadest * float(scales.max())
        low, high = pixels.min(axis=0) - reach, pixels.max(axis=0) + reach
        tall = float(high[1] - low[1])
        scale = _fitting(tall)
        canvas = _Canvas(self._camera, low, high, scale)
        if not canvas.pixels.size:
            return None
        # How broad and how deep a trunk looks from here.
        lateral = float(abs(self._right @ turned[:2, 1])), float(abs(self._right @ turned[:2, 0]))
        dark, lit = self._limbs(strokes, place)
        points = canvas.points(pixels)
        ahead = turned[:2, 0] @ self._camera.matrix[:2, :2].T
        pen = _Pen(
            canvas.pixels,
            (scales * scale).tolist(),
            (points / (1 << _SHIFT)).tolist(),
            lateral,
            float(ahead[0]),
        )
        far: list[tuple[float, int, int]] = []
        first = 0
        for number, stroke in enumerate(strokes):
            count = len(_joints(stroke))
            key = sum(depths[first : first + count].tolist()) / count
            far.append((-key + _LIFTS.get(type(stroke), 0.0), number, first))
            first += count
        far.sort()
        plain = tall < _LEAST
        for _, number, first in far:
            pen.stroke(strokes[number], first, dark[number], None if plain else lit[number])
        return canvas.sprite()

    def _limbs(
        self, strokes: Sequence[Stroke], place: Place
    ) -> tuple[list[tuple[float, ...]], list[tuple[float, ...]]]:
        look = self._look
        colours = np.array([stroke.colour for stroke in strokes])
        base = look.ambient + place.lamps * np.float32(0.8)
        sun = look.sun * np.float32(0.7 * place.sun)
        dark = colours * (base * np.float32(0.72) + sun * np.float32(0.25))
        lit = colours * (base * np.float32(1.02) + sun)
        return self._finished(dark, place.haze), self._finished(lit, place.haze)


_LIFTS: Final = {Canopy: 9.0}
"""What is drawn later than its depth says, metres."""


def _joints(stroke: Stroke) -> tuple[tuple[float, float, float], ...]:
    match stroke:
        case Limb(one, other):
            return one, other
        case Trunk(low, high):
            return low, high
        case Disc(at) | Ring(at) | Canopy(at):
            return (at,)


class _Pen(NamedTuple):
    """Draws strokes: per joint how many canvas pixels a metre has, and where the joint is."""

    canvas: Pixels
    scales: list[float]
    points: list[list[float]]
    lateral: tuple[float, float]
    ahead: float

    def stroke(
        self,
        stroke: Stroke,
        first: int,
        dark: tuple[float, ...],
        lit: tuple[float, ...] | None,
    ) -> None:
        x, y = self.points[first]
        scale = self.scales[first]
        match stroke:
            case Limb(width=width):
                broad = max(1, round(width * scale))
                u, v = self.points[first + 1]
                self._line(x, y, u, v, broad, dark)
                if lit and broad > 3:  # noqa: PLR2004 canvas pixels
                    off = broad * 0.14
                    self._line(x - off, y - off, u - off, v - off, max(1, int(broad * 0.62)), lit)
            case Disc(width=width, high=high):
                self._ellipse(x, y, width * scale / 2, high * scale / 2, dark)
                if lit:
                    off = width * scale * 0.08
                    self._ellipse(x - off, y - off, width * scale * 0.38, high * scale * 0.38, lit)
            case Trunk():
                self._trunk(stroke, first, dark, lit)
            case Ring(radius=radius, width=width):
                across = max(0.12, self.lateral[1])
                axes = round(radius * across * scale), round(radius * scale)
                broad = max(1, round(width * scale))
                cv2.ellipse(self.canvas, (round(x), round(y)), axes, 0, 0, 360, dark, broad, 8)
            case Canopy(radius=radius):
                self._canopy(x, y, radius * scale, dark, lit or dark)

    def _line(  # noqa: PLR0913, PLR0917 two points, a width and a colour
        self, x: float, y: float, u: float, v: float, broad: int, colour: tuple[float, ...]
    ) -> None:
        one = round(x * 4), round(y * 4)
        other = round(u * 4), round(v * 4)
        cv2.line(self.canvas, one, other, colour, broad, 8, 2)

    def _ellipse(  # noqa: PLR0913, PLR0917 a point, two axes and a colour
        self, x: float, y: float, wide: float, high: float, colour: tuple[float, ...]
    ) -> None:
        axes = max(4, round(wide * 16)), max(4, round(high * 16))
        cv2.ellipse(self.canvas, (round(x * 16), round(y * 16)), axes, 0, 0, 360, colour, -1, 8, 4)

    def _trunk(
        self, trunk: Trunk, first: int, dark: tuple[float, ...], lit: tuple[float, ...] | None
    ) -> None:
        (x, y), (u, v) = self.points[first], self.points[first + 1]
        across, along = self.lateral
        deep = trunk.depth / 2 * along
        low, high = (
            (width**2 * across**2 + deep**2) ** 0.5 * self.scales[first] for width in trunk.widths
        )
        length = max(1.0, ((u - x) ** 2 + (v - y) ** 2) ** 0.5)
        nx, ny = -(v - y) / length, (u - x) / length
        rise_x, rise_y = (u - x) / length, (v - y) / length
        cut = min(high * 0.5, length * 0.3)

        def outline(share: float, off: float) -> np.ndarray[tuple[int, int], np.dtype[np.int32]]:
            a, b, c = low * share, high * share, high * share * 0.62
            px, py = x - off, y - off
            qx, qy = u - rise_x * cut - off, v - rise_y * cut - off
            tx, ty = u + rise_x * cut * 0.25 - off, v + rise_y * cut * 0.25 - off
            corners = [
                *((px + nx * a, py + ny * a), (qx + nx * b, qy + ny * b)),
                *((tx + nx * c, ty + ny * c), (tx - nx * c, ty - ny * c)),
                *((qx - nx * b, qy - ny * b), (px - nx * a, py - ny * a)),
            ]
            return np.rint(np.array(corners) * (1 << _SHIFT)).astype(np.int32)

        cv2.fillConvexPoly(self.canvas, outline(1.0, 0.0), dark, 8, _SHIFT)
        if lit:
            cv2.fillConvexPoly(self.canvas, outline(0.68, low * 0.16), lit, 8, _SHIFT)

    def _canopy(
        self, x: float, y: float, radius: float, dark: tuple[float, ...], lit: tuple[float, ...]
    ) -> None:
        middle = round(x), round(y)
        axes = max(1, round(radius)), max(1, round(radius * 0.62))
        low = max(1, round(radius)), max(1, round(radius * 0.3))
        cv2.ellipse(self.canvas, middle, axes, 0, 180, 360, lit, -1, 8)
        cv2.ellipse(self.canvas, middle, low, 0, 0, 180, dark, -1, 8)
        for share in (-0.5, 0.0, 0.5):
            foot = round(x + share * radius), round(y + radius * 0.25 * (1 - abs(share)))
            cv2.line(self.canvas, (round(x), round(y - radius * 0.6)), foot, dark, 1, 8)
