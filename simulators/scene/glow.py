"""What shines: headlights, tail lights and signals, with the glow that a lens gives them."""

import math
from collections.abc import Iterable, Sequence
from typing import Final

import cv2
import numpy as np

from simulators.scene.camera import Camera, Grid, Pixels
from simulators.scene.layout import Signal
from simulators.scene.look import Colour, Look
from simulators.scene.mesh import turn
from simulators.scene.vehicles import Vehicle
from simulators.scene.world import State

_NEAREST: Final = 1.5
_WHITE: Final = np.array([0.80, 0.93, 1.0], np.float32)
_RED: Final = np.array([0.12, 0.10, 1.0], np.float32)
_SIGNAL_COLOURS: Final = {"red": (60, 60, 255), "amber": (60, 190, 255), "green": (150, 240, 70)}
_SIGNAL_Z: Final = (2.98, 2.7, 2.42)
"""Heights of red, amber and green, metres."""


class Glow:
    """Draws lights into pictures of one camera.

    Args:
        camera: The camera.
        look: How far light shines over its borders.
    """

    def __init__(self, camera: Camera, look: Look) -> None:
        self._camera = camera
        self._look = look
        self._eye = camera.stand.x, camera.stand.y
        self._glows: dict[tuple[int, float, bytes], Pixels] = {}

    def signals(self, picture: Pixels, signals: Sequence[tuple[Signal, str]]) -> None:
        """The lights of those signals that face the camera."""
        for signal, shown in signals:
            cos, sin = math.cos(signal.heading), math.sin(signal.heading)
            if (self._eye[0] - signal.x) * cos + (self._eye[1] - signal.y) * sin <= 0:
                continue
            depth = self._camera.depth(signal.x, signal.y, 2.7)
            if depth < _NEAREST:
                continue
            radius = self._camera.focal / depth * 0.11
            at = np.array([(signal.x + 0.12 * cos, signal.y + 0.12 * sin, z) for z in _SIGNAL_Z])
            pixels, _ = self._camera.project(at)
            for (u, v), name in zip(pixels.tolist(), _SIGNAL_COLOURS, strict=True):
                on = name == shown
                colour = [value if on else value * 0.16 for value in _SIGNAL_COLOURS[name]]
                middle = round((u - 0.5) * 16), round((v - 0.5) * 16)
                cv2.circle(picture, middle, max(14, round(radius * 16)), colour, -1, cv2.LINE_AA, 4)
                if on:
                    self._halo(picture, int(u), int(v), max(3, round(radius * 3.2)), name)

    def _halo(self, picture: Pixels, x: int, y: int, radius: int, name: str) -> None:
        """The light around a signal."""
        colour = np.array(_SIGNAL_COLOURS[name], np.float32) / np.float32(255)
        self._add(picture, x, y, radius, colour, 150 * (0.25 + 0.45 * self._look.glow))

    def vehicles(
        self, picture: Pixels, ids: Pixels, shown: Iterable[tuple[int, Vehicle, State]]
    ) -> None:
        """Headlights and tail lights.

        Args:
            picture: Is drawn into.
            ids: For each pixel, who is seen there.
            shown: Each vehicle with its number in ``ids``.
        """
        share = 0.45 + 0.55 * self._look.glow
        for place, vehicle, state in shown:
            turned = turn(state.heading)
            lamps = vehicle.body.lamps
            world = np.array([lamp.at for lamp in lamps]) @ turned.T
            world[:, :2] += (state.x, state.y)
            pixels, depths = self._camera.project(world)
            to_eye = self._camera.centre[:2] - (state.x, state.y)
            facing = float(turned[:2, 0] @ to_eye / max(1.0, float(np.hypot(*to_eye))))
            for lamp, (u, v), depth in zip(lamps, pixels.tolist(), depths.tolist(), strict=True):
                towards = -facing if lamp.tail else facing
                row, column = int(v), int(u)
                if towards < 0.1 or not (0 <= row < ids.shape[0] and 0 <= column < ids.shape[1]):  # noqa: PLR2004
                    continue
                if ids[row, column] == place:
                    size = (0.55 if lamp.tail else 1.0 + 0.9 * towards) * self._look.glow
                    radius = max(2, round(self._camera.focal / depth * size * 0.55))
                    bright = 230 if not lamp.tail else 190 if state.braking else 100
                    colour = _RED if lamp.tail else _WHITE
                    self._add(picture, column, row, radius, colour, bright * share)

    def _add(
        self, picture: Pixels, x: int, y: int, radius: int, colour: Colour, bright: float
    ) -> None:
        """Add a glow around a pixel; each is made once."""
        key = radius, bright, colour.tobytes()
        if key not in self._glows:
            soft = _soft(radius)[..., None] * colour * bright
            self._glows[key] = np.clip(soft, 0, 255).astype(np.uint8)
        glow = self._glows[key]
        x0, y0 = max(0, x - radius), max(0, y - radius)
        x1, y1 = min(picture.shape[1], x + radius + 1), min(picture.shape[0], y + radius + 1)
        if x1 <= x0 or y1 <= y0:
            return
        part = picture[y0:y1, x0:x1]
        left, top = x0 - x + radius, y0 - y + radius
        cv2.add(part, glow[top : top + y1 - y0, left : left + x1 - x0], dst=part)


def _soft(radius: int) -> Grid:
    """1 in the middle, 0 from ``radius`` on."""
    rows, columns = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    away = np.hypot(rows, columns) / radius
    soft: Grid = (np.clip(1 - away, 0, 1) ** 2.2).astype(np.float32)
    return soft
