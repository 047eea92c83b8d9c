"""From a body or a figure to a small picture of it with its silhouette: a sprite.

Sprites are drawn two to four times as large and made smaller, which smooths their edges.
"""

import math
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from simulators.scene.camera import Camera, Floats, Pixels
from simulators.scene.figure import Canopy, Disc, Limb, Ring, Stroke, Trunk
from simulators.scene.look import Colour, Look, tone
from simulators.scene.mesh import GLASS, GLOSS, HEAD, LIT, TAIL, Body, fill, turn

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


Lights = Literal["off", "driving", "braking"]
"""A vehicle's own: head and tail lights burn where it is dark; brake lights always."""


class Pose(NamedTuple):
    """A figure's strokes, where it stands, which way it looks (radians), and its light."""

    strokes: Sequence[Stroke]
    x: float
    y: float
    heading: float
    place: Place


def _fitting(high: float) -> int:
    """How many times as large a sprite is drawn."""
    if high < 36:  # noqa: PLR2004 pixels
        return 4
    return 3 if high < 100 else 2  # noqa: PLR2004 pixels


class _Canvas:
    """A sprite in the making, four channels, ``scale`` times as large."""

    def __init__(
        self, camera: Camera, low: Sequence[float], high: Sequence[float], scale: int
    ) -> None:
        wide, tall = camera.width, camera.height
        x0 = max(int(low[0]) - _MARGIN, int(-_BEYOND * wide))
        y0 = max(int(low[1]) - _MARGIN, int(-_BEYOND * tall))
        x1 = min(int(high[0]) + 1 + _MARGIN, int((1 + _BEYOND) * wide))
        y1 = min(int(high[1]) + 1 + _MARGIN, int((1 + _BEYOND) * tall))
        self.x, self.y = x0, y0
        self.width, self.height = x1 - x0, y1 - y0
        self.scale = scale
        self.pixels: Pixels = np.zeros((0, 0, 4), np.uint8)
        if x1 > 0 and y1 > 0 and x0 < wide and y0 < tall and x1 > x0 and y1 > y0:
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


class _Joints(NamedTuple):
    """Where joints are on their canvas, its pixels a metre, and the first joint of each stroke."""

    points: list[list[float]]
    metres: list[float]
    firsts: list[int]


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
        self._right = (self._right / np.linalg.norm(self._right)).tolist()
        self._mirrored = _SKY * 2.2 * np.minimum(1, look.ambient.mean() * 2) if look.light else _SKY

    def body(
        self, body: Body, at: tuple[float, float], heading: float, place: Place, lights: Lights
    ) -> Sprite | None:
        """A vehicle's sprite; None where it is out of the picture."""
        turned = turn(heading)
        world = body.corners @ turned.T
        world[:, :2] += at
        pixels, depths = self._camera.project(world)
        if depths.min() <= 0:
            return None
        low, high = pixels.min(axis=0), pixels.max(axis=0)
        scale = _fitting(float(high[1] - low[1]) * 1.2)
        canvas = _Canvas(self._camera, low.tolist(), high.tolist(), scale)
        if not canvas.pixels.size:
            return None
        colours = self._faces(body, turned, place, lights)
        ahead = float((self._camera.centre[:2] - at) @ turned[:2, 0])
        fill(canvas.pixels, body, canvas.points(pixels), colours, ahead, _SHIFT)
        return canvas.sprite()

    def _faces(
        self, body: Body, turned: Floats, place: Place, lights: Lights
    ) -> Sequence[list[float]]:
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
        seen = seen + glass * self._mirrored * (0.07 + 0.55 * up)
        if look.beams and lights != "off":
            seen[kinds == HEAD] = np.array([1.7, 1.9, 2.0], np.float32)
            red = (0.14, 0.12, 2.4) if lights == "braking" else (0.04, 0.04, 0.75)
            seen[kinds == TAIL] = np.array(red, np.float32)
        elif lights == "braking":
            seen[kinds == TAIL] = np.array([0.08, 0.06, 1.2], np.float32)
        if look.windows > 0.2:  # noqa: PLR2004 inside the lights are on
            seen[kinds == LIT] = np.maximum(
                seen[kinds == LIT], body.colours[kinds == LIT] * 1.2 + np.float32(0.22)
            )
        return self._finished(seen, place.haze)

    def _finished(
        self, seen: NDArray[np.float32], haze: float | NDArray[np.float32]
    ) -> list[list[float]]:
        mixed = seen + (self._look.haze[0] - seen) * np.float32(haze)
        shown = np.empty((len(mixed), 4), np.float32)
        shown[:, :3] = tone(mixed)
        shown[:, 3] = 255
        rows: list[list[float]] = shown.tolist()
        return rows

    def figures(self, poses: Sequence[Pose]) -> list[Sprite | None]:
        """The sprites of people; None for those out of the picture."""
        if not poses:
            return []
        joints: list[tuple[float, float, float]] = []
        firsts: list[int] = []
        lasts: list[int] = []
        begins: list[int] = []
        for pose in poses:
            begins.append(len(joints))
            for stroke in pose.strokes:
                firsts.append(len(joints))
                joints.append(stroke[0])
                if isinstance(stroke, _PAIRS):
                    joints.append(stroke[1])
                lasts.append(len(joints) - 1)
        counts = np.diff([*begins, len(joints)])
        stands = np.array([(p.x, p.y, math.cos(p.heading), math.sin(p.heading)) for p in poses])
        x, y, cos, sin = np.repeat(stands, counts, axis=0).T
        local = np.array(joints)
        world = np.stack(
            [
                x + local[:, 0] * cos - local[:, 1] * sin,
                y + local[:, 0] * sin + local[:, 1] * cos,
                local[:, 2],
            ],
            axis=1,
        )
        pixels, depths = self._camera.project(world)
        scales = self._camera.focal / np.maximum(depths, 0.1)
        nearest = np.minimum.reduceat(depths, begins).tolist()
        reach = [_BROAD_CANOPY if isinstance(p.strokes[-1], Canopy) else _BROAD for p in poses]
        margins = np.array(reach) * np.maximum.reduceat(scales, begins)
        lows = (np.minimum.reduceat(pixels, begins) - margins[:, None]).tolist()
        highs = (np.maximum.reduceat(pixels, begins) + margins[:, None]).tolist()
        canvases = [
            _Canvas(self._camera, low, high, _fitting(high[1] - low[1]))
            if near > _NEAREST
            else None
            for low, high, near in zip(lows, highs, nearest, strict=True)
        ]
        placed = [(one.x, one.y, one.scale) if one else (0, 0, 1) for one in canvases]
        left, top, larger = np.repeat(np.array(placed, np.float64), counts, axis=0).T
        every = _Joints(
            ((pixels - np.stack([left, top], axis=1)) * larger[:, None] - 0.5).tolist(),
            (scales * larger).tolist(),
            firsts,
        )
        away = ((depths[firsts] + depths[lasts]) / 2).tolist()
        dark, lit = self._limbs(poses)
        sprites: list[Sprite | None] = []
        begin = 0
        for pose, canvas in zip(poses, canvases, strict=True):
            part = slice(begin, begin + len(pose.strokes))
            begin = part.stop
            if canvas is None or not canvas.pixels.size:
                sprites.append(None)
                continue
            self._strokes(canvas, pose, every, part, away[part], (dark[part], lit[part]))
            sprites.append(canvas.sprite())
        return sprites

    def figure(self, pose: Pose) -> Sprite | None:
        """The sprite of one person or thin thing; None where it is out of the picture."""
        return self.figures([pose])[0]

    def _strokes(
        self,
        canvas: _Canvas,
        pose: Pose,
        joints: _Joints,
        part: slice,
        away: Sequence[float],
        shades: tuple[Sequence[list[float]], Sequence[list[float]]],
    ) -> None:
        """Draw one figure's strokes, which are a part of all, from back to front."""
        dark, lit = shades
        across = abs(
            math.cos(pose.heading) * self._right[0] + math.sin(pose.heading) * self._right[1]
        )
        pen = _Pen(canvas.pixels, joints, (math.sqrt(max(0.0, 1 - across**2)), across))
        firsts = joints.firsts[part]
        strokes = pose.strokes
        keys = [-depth for depth in away]
        if isinstance(strokes[-1], Canopy):
            keys[-1] += _LIFT
        plain = canvas.height < _LEAST
        for number in sorted(range(len(strokes)), key=keys.__getitem__):
            lighter = None if plain else lit[number]
            pen.stroke(strokes[number], firsts[number], dark[number], lighter)

    def _limbs(self, poses: Sequence[Pose]) -> tuple[list[list[float]], list[list[float]]]:
        """Each stroke's colour on its dark and on its light side."""
        look = self._look
        counts = [len(pose.strokes) for pose in poses]
        colours = np.concatenate([stroke.colour for pose in poses for stroke in pose.strokes])
        colours = colours.reshape(-1, 3)
        base = np.array([look.ambient + pose.place.lamps * np.float32(0.8) for pose in poses])
        sun = np.array([look.sun * np.float32(0.7 * pose.place.sun) for pose in poses])
        haze = np.repeat(np.array([pose.place.haze for pose in poses], np.float32), counts)[:, None]
        dark = np.repeat(base * np.float32(0.72) + sun * np.float32(0.25), counts, axis=0)
        lit = np.repeat(base * np.float32(1.02) + sun, counts, axis=0)
        darker, lighter = (colours * side for side in (dark, lit))
        return (
            self._finished(darker.astype(np.float32), haze),
            self._finished(lighter.astype(np.float32), haze),
        )


_NEAREST: Final = 0.5
"""Who is nearer would fill the picture, metres."""
_BROAD: Final = 0.2
_BROAD_CANOPY: Final = 0.58
"""How far a figure reaches around its joints, metres."""
_LIFT: Final = 9.0
"""An umbrella is drawn later than its depth says, metres."""
_PAIRS: Final = (Limb, Trunk)
"""Strokes between two joints."""


class _Pen:
    """Draws strokes.

    Args:
        canvas: What is drawn on.
        joints: Where they are.
        lateral: How much of a figure's breadth and of its depth is seen.
    """

    __slots__ = ("canvas", "lateral", "metres", "points")

    def __init__(self, canvas: Pixels, joints: _Joints, lateral: tuple[float, float]) -> None:
        self.canvas = canvas
        self.metres = joints.metres
        self.points = joints.points
        self.lateral = lateral

    def stroke(
        self,
        stroke: Stroke,
        first: int,
        dark: list[float],
        lit: list[float] | None,
    ) -> None:
        x, y = self.points[first]
        scale = self.metres[first]
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

    def _line(
        self, x: float, y: float, u: float, v: float, broad: int, colour: list[float]
    ) -> None:
        one = round(x * 4), round(y * 4)
        other = round(u * 4), round(v * 4)
        cv2.line(self.canvas, one, other, colour, broad, 8, 2)

    def _ellipse(self, x: float, y: float, wide: float, high: float, colour: list[float]) -> None:
        axes = max(4, round(wide * 16)), max(4, round(high * 16))
        cv2.ellipse(self.canvas, (round(x * 16), round(y * 16)), axes, 0, 0, 360, colour, -1, 8, 4)

    def _trunk(self, trunk: Trunk, first: int, dark: list[float], lit: list[float] | None) -> None:
        (x, y), (u, v) = self.points[first], self.points[first + 1]
        scale = self.metres[first]
        across, along = self.lateral
        deep = trunk.depth / 2 * along
        low, high = ((width**2 * across**2 + deep**2) ** 0.5 * scale for width in trunk.widths)
        length = max(1.0, ((u - x) ** 2 + (v - y) ** 2) ** 0.5)
        nx, ny = -(v - y) / length, (u - x) / length
        rise_x, rise_y = (u - x) / length, (v - y) / length
        cut = min(high * 0.5, length * 0.3)

        def outline(share: float, off: float) -> NDArray[np.int32]:
            a, b, c = low * share, high * share, high * share * 0.62
            px, py = x - off, y - off
            qx, qy = u - rise_x * cut - off, v - rise_y * cut - off
            tx, ty = u + rise_x * cut * 0.25 - off, v + rise_y * cut * 0.25 - off
            corners = [
                *((px + nx * a, py + ny * a), (qx + nx * b, qy + ny * b)),
                *((tx + nx * c, ty + ny * c), (tx - nx * c, ty - ny * c)),
                *((qx - nx * b, qy - ny * b), (px - nx * a, py - ny * a)),
            ]
            points: NDArray[np.int32] = np.rint(np.array(corners) * (1 << _SHIFT)).astype(np.int32)
            return points

        cv2.fillConvexPoly(self.canvas, outline(1.0, 0.0), dark, 8, _SHIFT)
        if lit:
            cv2.fillConvexPoly(self.canvas, outline(0.68, low * 0.16), lit, 8, _SHIFT)

    def _canopy(
        self, x: float, y: float, radius: float, dark: list[float], lit: list[float]
    ) -> None:
        middle = round(x), round(y)
        axes = max(1, round(radius)), max(1, round(radius * 0.62))
        low = max(1, round(radius)), max(1, round(radius * 0.3))
        cv2.ellipse(self.canvas, middle, axes, 0, 180, 360, lit, -1, 8)
        cv2.ellipse(self.canvas, middle, low, 0, 0, 180, dark, -1, 8)
        for share in (-0.5, 0.0, 0.5):
            foot = round(x + share * radius), round(y + radius * 0.25 * (1 - abs(share)))
            cv2.line(self.canvas, (round(x), round(y - radius * 0.6)), foot, dark, 1, 8)
