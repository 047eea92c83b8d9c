"""What weather, lens and sensor do to a picture: rain, softness, noise."""

import random
from typing import Final

import cv2
import numpy as np

from simulators.scene.camera import Pixels
from simulators.scene.look import Look

_SPARE: Final = 64
_STREAKS: Final = 5
_SPLASHES: Final = 40


class Sensor:
    """Makes a clean picture look taken.

    Args:
        look: Says how noisy, and whether it rains.
        width: Of the picture.
        height: Of the picture.
        seed: Of noise and rain.
    """

    def __init__(self, look: Look, width: int, height: int, seed: int) -> None:
        self._seed = seed
        self._size = width, height
        chance = np.random.default_rng(seed)
        shape = height + _SPARE, width + _SPARE
        grain = chance.normal(0, 1, (*shape, 3)).astype(np.float32)
        # What is left after a camera's own smoothing and compression is coarser than one pixel.
        common = cv2.GaussianBlur(chance.normal(0, 1, shape).astype(np.float32), (3, 3), 0.7)
        noise = (0.45 * grain + 1.5 * common[..., None]) * look.noise
        self._noise = np.clip(128 + noise, 0, 255).astype(np.uint8)
        self._rain = [_streaks(chance, shape, look) for _ in range(_STREAKS)] if look.wet else []
        self._bright = 150 if look.light == "day" else 70

    def take(self, picture: Pixels, number: int) -> Pixels:
        """Frame ``number`` as the camera gives it."""
        width, height = self._size
        chance = random.Random(self._seed * 1_000_003 + number)
        if self._rain:
            streaks = self._rain[chance.randrange(_STREAKS)]
            x, y = chance.randrange(_SPARE), chance.randrange(_SPARE)
            cv2.add(picture, streaks[y : y + height, x : x + width], dst=picture)
            self._splash(picture, chance)
        soft = cv2.GaussianBlur(picture, (3, 3), 0.55)
        x, y = chance.randrange(_SPARE), chance.randrange(_SPARE)
        noise = self._noise[y : y + height, x : x + width]
        return np.asarray(cv2.addWeighted(soft, 1, noise, 1, -128), np.uint8)

    def _splash(self, picture: Pixels, chance: random.Random) -> None:
        width, height = self._size
        for _ in range(_SPLASHES):
            x, y = chance.randrange(width), height - 1 - int(chance.random() ** 1.6 * height * 0.75)
            shade = picture[y, x]
            colour = tuple(min(255, int(value) + self._bright // 3) for value in shade)
            half = 1 + (y > height * 0.7)
            cv2.line(picture, (x - half, y), (x + half, y), colour, 1)


def _streaks(chance: np.random.Generator, shape: tuple[int, int], look: Look) -> Pixels:
    layer = np.zeros(shape, np.uint8)
    height, width = shape
    slant = 0.1
    for _ in range(int(width * height / 700)):
        x, y = float(chance.uniform(-20, width)), float(chance.uniform(-40, height))
        long = float(chance.uniform(8, 34)) * height / 400
        bright = int(chance.uniform(25, 75))
        end = int(x - long * slant), int(y + long)
        cv2.line(layer, (int(x), int(y)), end, bright, 1, cv2.LINE_AA)
    soft = cv2.GaussianBlur(layer, (3, 3), 0.8)
    share = {"day": 0.8, "dusk": 0.5, "night": 0.32}[look.light]
    return np.asarray(
        cv2.cvtColor(cv2.convertScaleAbs(soft, alpha=share), cv2.COLOR_GRAY2BGR), np.uint8
    )
