"""The weather over the whole city, as a function of time: smooth, seeded, of a temperate coast."""

from typing import Final, NamedTuple

import numpy as np

from simulators.city.calendar import DAY, HOUR, hour
from simulators.city.hashing import Floats, Ints, key, wander

_YEAR: Final = 365.25 * DAY
_COLDEST: Final = 20 * DAY
"""Late in January."""

_TIDE: Final = 12.42 * HOUR
"""From one high water to the next: half a lunar day."""

_FRONT: Final = 5 * HOUR
_WET: Final = 1.05
"""How far a front's line must rise before it rains; about one hour in eight is then wet."""


class Weather(NamedTuple):
    """At each time: ``temperature`` Cel, ``humidity`` %, ``pressure`` hPa, ``wind`` km/h.

    ``towards`` is where the wind blows to, radians anticlockwise from east; ``rain`` in mm/h;
    ``sun`` 0 to 1; ``tide`` in metres.
    """

    temperature: Floats
    humidity: Floats
    pressure: Floats
    wind: Floats
    towards: Floats
    rain: Floats
    sun: Floats
    tide: Floats


def weather(times: Ints, seed: int) -> Weather:
    """The weather at these times (ms since 1970 UTC)."""

    def line(name: str, knot: int) -> Floats:
        return wander(key(seed, "weather", name), times, knot)

    front = line("front", _FRONT) + 0.55 * line("spell", 31 * HOUR)
    rain = 5.0 * np.maximum(0.0, front - _WET) ** 1.3 * (1.0 + 0.35 * line("shower", 20 * 60_000))
    rain = np.maximum(0.0, rain)
    cloud = 1.0 / (1.0 + np.exp(-2.2 * front))
    season = -np.cos(2 * np.pi * (times - _COLDEST) / _YEAR)
    at = hour(times)
    sun = np.maximum(0.0, np.cos((at - 13.0) / 12.0 * np.pi) + 0.25 * season) * (1 - 0.75 * cloud)
    warmth = np.cos((at - 15.0) / 12.0 * np.pi)
    temperature = (
        9.0
        + 8.0 * season
        + (2.6 + 1.6 * season) * warmth * (1.1 - 0.7 * cloud)
        + 2.4 * line("mass", 26 * HOUR)
        - 0.25 * np.minimum(rain, 6.0)
    )
    humidity = 74.0 - 9.0 * warmth * (1 - 0.6 * cloud) + 6.0 * front + 1.6 * np.minimum(rain, 5.0)
    wind = 15.0 * np.exp(0.42 * line("gale", 9 * HOUR)) * (1 + 0.12 * warmth)
    wind += 1.6 * line("gust", 4 * 60_000)
    towards = 0.4 + 1.0 * line("wind", 15 * HOUR) + 0.12 * line("veer", 25 * 60_000)
    pressure = 1013.0 - 7.0 * line("high", 40 * HOUR) - 4.0 * front
    return Weather(
        temperature,
        np.clip(humidity, 20.0, 99.5),
        pressure,
        np.maximum(0.5, wind),
        towards,
        rain,
        np.minimum(1.0, sun),
        0.16
        * np.sin(2 * np.pi * times / _TIDE)
        * (1 + 0.3 * np.sin(2 * np.pi * times / _TIDE / 29)),
    )


def comes_from(towards: Floats) -> Floats:
    """A wind's direction as it is told: degrees clockwise from north, where it comes from."""
    return np.asarray((270.0 - np.degrees(towards)) % 360.0)
