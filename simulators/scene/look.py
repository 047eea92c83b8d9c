"""How a scene is lit: by day, at dusk, by night; clear or in rain.

Colours are linear (as light adds up), blue, green, red, from 0 to 1 for what reflects and without
an upper end for light itself. :func:`tone` makes pixels of them.
"""

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

Light = Literal["day", "dusk", "night"]
Weather = Literal["clear", "rain"]
Colour = NDArray[np.float32]
"""Blue, green, red."""

LIGHTS: Final = ("day", "dusk", "night")
WEATHERS: Final = ("clear", "rain")

_GAMMA: Final = 2.2
_KNEE: Final = 1.75
"""How soon bright light saturates the sensor."""


def paint(code: str) -> Colour:
    """A colour as written on the web (``#rrggbb``), made linear."""
    red, green, blue = (int(code[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return np.array([blue**_GAMMA, green**_GAMMA, red**_GAMMA], np.float32)


def tone(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Pixel values, 0 to 255, of the light that reaches the sensor."""
    curved: NDArray[np.float32] = 255 * (1 - np.exp(-_KNEE * light)) ** np.float32(1 / _GAMMA)
    return curved


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """All that depends on the hour and the weather.

    Attributes:
        ambient: Light from all sides.
        sun: Light from the sun, on a surface that faces it.
        to_sun: Unit vector towards the sun; of no matter where ``sun`` is dark.
        lamps: How bright the street lamps burn.
        windows: Share of windows that are lit.
        beams: How bright headlights are on what they meet; 0: they are off.
        glow: How much a source of light shines over its borders.
        sky: Colours at the top and at the horizon.
        haze: Colour of far-away things, and their share of it per metre.
        noise: Of the sensor, standard deviation in pixel values.
        wet: How much the ground mirrors.
        shade: What share of its light the ground loses in an actor's shadow without sun.
    """

    light: Light
    weather: Weather
    ambient: Colour
    sun: Colour
    to_sun: NDArray[np.float32]
    lamps: float
    windows: float
    beams: float
    glow: float
    sky: tuple[Colour, Colour]
    haze: tuple[Colour, float]
    noise: float
    wet: float
    shade: float

    @property
    def sunny(self) -> bool:
        """Whether things throw shadows."""
        return bool(self.sun.max() > 0)


def look(light: Light, weather: Weather, azimuth: float, height: float) -> Look:
    """The look of an hour in a weather.

    Args:
        light: The hour.
        weather: The weather.
        azimuth: Of the sun by day, degrees from +Y to the right.
        height: Of the sun above the horizon by day, degrees.
    """
    rain = weather == "rain"
    turn, rise = math.radians(azimuth), math.radians(height)
    to_sun = np.array(
        [math.sin(turn) * math.cos(rise), math.cos(turn) * math.cos(rise), math.sin(rise)],
        np.float32,
    )
    dark = np.zeros(3, np.float32)
    wet = 1.0 if rain else 0.0
    if light == "day" and not rain:
        return Look(
            light,
            weather,
            ambient=np.array([0.37, 0.32, 0.285], np.float32),
            sun=np.array([0.98, 1.12, 1.24], np.float32),
            to_sun=to_sun,
            lamps=0.0,
            windows=0.0,
            beams=0.0,
            glow=0.0,
            sky=(paint("#6fa3d8"), paint("#dbe8f2")),
            haze=(paint("#c4d0dc"), 0.0013),
            noise=1.6,
            wet=wet,
            shade=0.5,
        )
    if light == "day":
        return Look(
            light,
            weather,
            ambient=np.array([0.44, 0.42, 0.395], np.float32),
            sun=dark,
            to_sun=to_sun,
            lamps=0.0,
            windows=0.12,
            beams=0.25,
            glow=0.5,
            sky=(paint("#8a949d"), paint("#b2babf")),
            haze=(paint("#a3abb1"), 0.005),
            noise=2.2,
            wet=wet,
            shade=0.55,
        )
    if light == "dusk":
        return Look(
            light,
            weather,
            ambient=np.array([0.200, 0.145, 0.125], np.float32) * (0.8 if rain else 1.0),
            sun=dark,
            to_sun=to_sun,
            lamps=0.42,
            windows=0.4,
            beams=0.5,
            glow=0.8,
            sky=(paint("#4a5f8c"), paint("#8d93a6") if rain else paint("#e8a878")),
            haze=(paint("#696b7d"), 0.005 if rain else 0.002),
            noise=2.9,
            wet=wet,
            shade=0.45,
        )
    return Look(
        light,
        weather,
        ambient=np.array([0.040, 0.029, 0.022], np.float32),
        sun=dark,
        to_sun=to_sun,
        lamps=0.8,
        windows=0.3,
        beams=1.0,
        glow=1.0,
        sky=(paint("#0e1220"), paint("#2e2c38")),
        haze=(paint("#26272f"), 0.005 if rain else 0.002),
        noise=3.8,
        wet=wet,
        shade=0.35,
    )
