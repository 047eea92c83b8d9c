"""What actors do to the ground below them: shadows, and the light of headlights."""

import math
import operator
from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from simulators.scene.backdrop import Backdrop
from simulators.scene.camera import Pixels, Spot
from simulators.scene.figure import Cyclist, Person
from simulators.scene.vehicles import Vehicle
from simulators.scene.world import Actor, State

HALF: Final = 2
"""Shadows and light are drawn so many times smaller than the picture: they are soft."""

_CONE: Final = ((0, 0.25), (0.6, 1), (1, 0.8), (1, -0.8), (0.6, -1), (0, -0.25))
"""The outline of what headlights light up: ahead as a share of the reach, aside of the spread."""
_BEAMS: Final = ((15.0, 3.2, 60), (10.0, 2.3, 120), (6.0, 1.5, 190))
"""Reach and spread of headlights (metres), and how bright it is there, of 255."""
_CORNERS: Final = ((1, 1), (1, -1), (-1, -1), (-1, 1))

Mover = tuple[int, Actor, State]
"""An actor's number, and what and where it is."""

_Polygon = tuple[int, list[Spot]]
"""A value, and the polygon of the ground that it fills."""


class Floor:
    """Shades and lights the ground of one backdrop.

    Args:
        backdrop: What stands still.
    """

    def __init__(self, backdrop: Backdrop) -> None:
        self._backdrop = backdrop
        self._camera = backdrop.camera
        self._look = backdrop.look

    def lay(self, picture: Pixels, near: Sequence[Mover]) -> Pixels | None:
        """Draw shadows and light into the picture.

        Returns:
            How much light of headlights lies where, 0 to 255, half as large as the picture; None
            where they are off.
        """
        size = tuple(-(-side // HALF) for side in picture.shape[:2])
        shadows = np.zeros(size, np.uint8)
        beams = np.zeros(size, np.uint8) if self._look.beams else None
        self._shade(shadows, beams, near)
        self._ground(picture, shadows, beams)
        return beams

    def _shade(self, shadows: Pixels, beams: Pixels | None, near: Sequence[Mover]) -> None:
        dark: list[_Polygon] = []
        light: list[_Polygon] = []
        sunny = self._look.sunny
        slant_x, slant_y = (-self._look.to_sun[:2] / self._look.to_sun[2]).tolist()
        for _, actor, state in near:
            cos, sin = math.cos(state.heading), math.sin(state.heading)

            def at(
                along: float, across: float, c: float = cos, s: float = sin, o: State = state
            ) -> Spot:
                return o.x + along * c - across * s, o.y + along * s + across * c

            if isinstance(actor, Vehicle):
                fore, side = actor.length / 2, actor.width / 2
                foot = [
                    at(a, b)
                    for a, b in ((fore, side), (fore, -side), (-fore, -side), (-fore, side))
                ]
                if sunny:
                    high = actor.height
                    tops = [
                        (x + slant_x * high, y + slant_y * high)
                        for x, y in (
                            at(0.9 * a, 0.9 * b)
                            for a, b in ((fore, side), (fore, -side), (-fore, -side), (-fore, side))
                        )
                    ]
                    hull = cv2.convexHull(np.array([*foot, *tops], np.float32))
                    foot = [(float(x), float(y)) for x, y in hull[:, 0].tolist()]
                dark.append((255 if sunny else 230, foot))
                if beams is not None:
                    light += [
                        (bright, [at(fore + 0.3 + a * reach, b * spread) for a, b in _CONE])
                        for reach, spread, bright in _BEAMS
                    ]
                continue
            length, width = actor.size
            fore, side = length / 2, width * 0.35
            if not sunny:
                dark.append(
                    (
                        230,
                        [
                            at(a, b)
                            for a, b in ((fore, side), (fore, -side), (-fore, -side), (-fore, side))
                        ],
                    )
                )
            else:
                dark += _lean(actor, state, (slant_x, slant_y))
        self._fill(shadows, dark)
        if beams is not None:
            self._fill(beams, sorted(light, key=operator.itemgetter(0)))

    def _fill(self, mask: Pixels, polygons: Sequence[_Polygon]) -> None:
        """Fill polygons of the ground, seen before the camera, with values."""
        if not polygons:
            return
        spots = np.array([spot for _, points in polygons for spot in points])
        matrix = self._camera.to_picture
        seen = spots @ matrix[:, :2].T + matrix[:, 2]
        depths = seen[:, 2]
        pixels = seen[:, :2] / (np.maximum(depths, 0.1)[:, None] * HALF) - 0.5
        corners = np.rint(pixels * 16).astype(np.int32)
        # What reaches behind the camera is not filled.
        behind = (depths < 0.5).tolist()  # noqa: PLR2004 metres
        first = 0
        for value, points in polygons:
            last = first + len(points)
            if not any(behind[first:last]):
                cv2.fillConvexPoly(mask, corners[first:last], value, cv2.LINE_AA, 4)
            first = last

    def _ground(self, picture: Pixels, shadows: Pixels, beams: Pixels | None) -> None:
        """Take light away where there is shadow, and add that of headlights."""
        size = (3, 3) if self._look.sunny else (7, 7)
        sigma = 0.0 if self._look.sunny else 2.0
        rows, mask = _softened(shadows, size, sigma, picture)
        if mask is not None:
            taken = cv2.multiply(mask, self._backdrop.dark[rows], scale=1 / 255)
            part = picture[rows]
            cv2.multiply(part, cv2.bitwise_not(taken), dst=part, scale=1 / 255)
        if beams is not None:
            rows, mask = _softened(beams, (0, 0), 3.0, picture)
            if mask is not None:
                glare = cv2.multiply(mask, self._backdrop.lit[rows], scale=1 / 255)
                part = picture[rows]
                cv2.add(part, glare, dst=part)


def _softened(
    mask: Pixels, size: tuple[int, int], sigma: float, picture: Pixels
) -> tuple[slice, Pixels | None]:
    """Soften a mask, in place.

    Returns:
        The picture's rows in which it is not empty, and those rows of it as large as the picture
        and in three channels; None if it is empty.
    """
    _, top, _, high = cv2.boundingRect(mask)
    if not high:
        return slice(0), None
    # So far the softening reaches: OpenCV's kernels for bytes are three sigmas wide.
    reach = math.ceil(3 * sigma) + 2
    above, below = max(0, top - reach), min(len(mask), top + high + reach)
    cv2.GaussianBlur(mask, size, sigma, dst=mask)
    rows = slice(above * HALF, min(len(picture), below * HALF))
    large = cv2.resize(mask, (picture.shape[1], picture.shape[0]))[rows]
    return rows, np.asarray(cv2.cvtColor(large, cv2.COLOR_GRAY2BGR), np.uint8)


def _lean(actor: Person | Cyclist, state: State, slant: tuple[float, float]) -> list[_Polygon]:
    """Somebody's shadow by sunlight: legs and body laid down on the ground."""
    high = actor.height if isinstance(actor, Person) else 1.6
    broad = 0.2 if isinstance(actor, Person) else 0.3
    step = 0.22 * math.cos(4.3 * state.way) if state.speed > 0.3 else 0.1  # noqa: PLR2004
    long = max(1e-6, math.hypot(*slant))
    across_x, across_y = -slant[1] / long, slant[0] / long

    def at(z: float, aside: float, fore: float = 0.0) -> Spot:
        return (
            state.x + slant[0] * z + across_x * aside + math.cos(state.heading) * fore,
            state.y + slant[1] * z + across_y * aside + math.sin(state.heading) * fore,
        )

    hip, neck = 0.45 * high, 0.85 * high
    legs = [
        (255, [at(0, -0.1, fore), at(0, 0.1, fore), at(hip, 0.1), at(hip, -0.1)])
        for fore in (step, -step)
    ]
    trunk = [(hip, -broad * 0.8), (hip, broad * 0.8), (neck, broad), (high, 0.08), (high, -0.08)]
    return [*legs, (255, [*(at(z, aside) for z, aside in trunk), at(neck, -broad)])]
