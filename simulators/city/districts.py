"""The districts of the city: the old town in the middle, the harbour, and two belts around them.

Like the streets they are drawn on a wheel, cut by the coast, and bent with the plane.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from simulators.city import geometry, names
from simulators.city.geometry import Point

FINE: Final = 80.0
"""Metres between two points of a line that is to be bent."""

_CORE: Final = 0.3
_BELT: Final = 0.62
_HARBOUR: Final = math.radians(45)
_ROUND: Final = 2 * math.pi
_SMALL: Final = 5
_LARGE: Final = 9
"""Rings: cities with fewer have one belt, those with as many have more districts."""


class District(NamedTuple):
    """One district; ``ring`` is its border, anticlockwise, metres."""

    id: str
    name: str
    ring: tuple[Point, ...]


class Sector(NamedTuple):
    """A district's part of the wheel: shares of the radius, and angles (radians)."""

    near: float
    far: float
    left: float
    right: float


Bend = Callable[[Iterable[Point]], tuple[Point, ...]]


def sectors(rings: int) -> list[Sector]:
    """The parts of a city with so many rings: the old town, the harbour, the belts."""
    small = rings < _SMALL
    inner, outer = (0, 5) if small else (4, 5) if rings < _LARGE else (5, 9)
    belt = _CORE if small else _BELT
    land = _ROUND - 2 * _HARBOUR
    found = [Sector(0.0, _CORE, 0.0, _ROUND), Sector(_CORE, 1.0, -_HARBOUR, _HARBOUR)]
    for count, near, far in ((inner, _CORE, belt), (outer, belt, 1.0)):
        found += [
            Sector(near, far, _HARBOUR + land * i / count, _HARBOUR + land * (i + 1) / count)
            for i in range(count)
        ]
    return found


def draw(parts: Sequence[Sector], radius: float, coast: float, bend: Bend) -> tuple[District, ...]:
    """The districts of these parts, up to the coast (east of the centre, metres)."""
    titles = [names.CORE, names.HARBOUR, *names.DISTRICTS][: len(parts)]
    return tuple(
        District(names.slug(title), title, _outline(part, radius, coast, bend))
        for title, part in zip(titles, parts, strict=True)
    )


def find(point: Point, radius: float, parts: Sequence[Sector]) -> int:
    """Which part a point lies in, before the plane is bent."""
    share = math.hypot(*point) / radius
    angle = math.atan2(point[1], point[0])
    around = [
        index
        for index, part in enumerate(parts)
        if (angle - part.left) % _ROUND <= part.right - part.left
    ]
    within = (index for index in around if parts[index].near <= share < parts[index].far)
    # Beyond the border: the outermost one in this direction.
    return next(within, max(around, key=lambda index: parts[index].far))


def _outline(part: Sector, radius: float, coast: float, bend: Bend) -> tuple[Point, ...]:
    span = part.right - part.left
    steps = max(8, math.ceil(span * part.far * radius / FINE))
    angles = [part.left + span * i / steps for i in range(steps + 1)]
    ring = [_polar(part.far * radius, angle) for angle in angles]
    if part.near:
        ring += [_polar(part.near * radius, angle) for angle in reversed(angles)]
    else:
        ring.pop()  # all round: the first point again
    fine = geometry.subdivided([*ring, ring[0]], FINE)[:-1]
    land = geometry.west_of(fine, coast)
    bent = bend(geometry.subdivided([*land, land[0]], FINE)[:-1])
    return bent if geometry.area(bent) > 0 else bent[::-1]


def _polar(radius: float, angle: float) -> Point:
    return radius * math.cos(angle), radius * math.sin(angle)
