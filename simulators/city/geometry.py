"""Plane geometry in metres around the city's centre, and WGS 84."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

Point = tuple[float, float]
"""East and north of the city's centre, metres."""

_METRES_PER_DEGREE: Final = 111_320.0
_DIGITS: Final = 6


class Frame(NamedTuple):
    """The tangent plane at a place (degrees): metres to degrees, exact enough for one city."""

    lat: float
    lon: float

    def degrees(self, point: Point) -> tuple[float, float]:
        """Latitude and longitude of a point, to a tenth of a metre."""
        east = _METRES_PER_DEGREE * math.cos(math.radians(self.lat))
        lat = self.lat + point[1] / _METRES_PER_DEGREE
        return round(lat, _DIGITS), round(self.lon + point[0] / east, _DIGITS)


def distance(one: Point, other: Point) -> float:
    """Metres between two points."""
    return math.hypot(one[0] - other[0], one[1] - other[1])


def length(line: Sequence[Point]) -> float:
    """Metres along a line."""
    return sum(distance(a, b) for a, b in pairwise(line))


def along(line: Sequence[Point], share: float, aside: float = 0.0) -> Point:
    """The point at a share of a line's length, ``aside`` metres to the right of its direction."""
    left = share * length(line)
    for a, b in pairwise(line):
        piece = distance(a, b)
        if piece >= left or b is line[-1]:
            part = left / piece if piece else 0.0
            east, north = (b[0] - a[0]) / (piece or 1.0), (b[1] - a[1]) / (piece or 1.0)
            return (
                a[0] + (b[0] - a[0]) * part + aside * north,
                a[1] + (b[1] - a[1]) * part - aside * east,
            )
        left -= piece
    return line[-1]


def to_line(point: Point, line: Sequence[Point]) -> float:
    """Metres from a point to the nearest place on a line."""
    return min(_to_piece(point, a, b) for a, b in pairwise(line))


def _to_piece(point: Point, a: Point, b: Point) -> float:
    east, north = b[0] - a[0], b[1] - a[1]
    square = east * east + north * north
    share = ((point[0] - a[0]) * east + (point[1] - a[1]) * north) / square if square else 0.0
    share = min(1.0, max(0.0, share))
    return distance(point, (a[0] + share * east, a[1] + share * north))


def area(ring: Sequence[Point]) -> float:
    """Square metres of a polygon, positive when it runs anticlockwise (the shoelace formula)."""
    closed = [*ring, ring[0]]
    return 0.5 * sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(closed))


def inside(point: Point, ring: Sequence[Point]) -> bool:
    """Whether a point lies in a polygon (even-odd rule)."""
    odd = False
    for a, b in zip(ring, [*ring[1:], ring[0]], strict=True):
        if (a[1] > point[1]) != (b[1] > point[1]):
            east = a[0] + (point[1] - a[1]) * (b[0] - a[0]) / (b[1] - a[1])
            odd ^= point[0] < east
    return odd


def west_of(ring: Sequence[Point], limit: float) -> list[Point]:
    """The part of a polygon with an east of at most ``limit`` (Sutherland and Hodgman)."""
    kept: list[Point] = []
    for a, b in zip([ring[-1], *ring[:-1]], ring, strict=True):
        if (a[0] <= limit) != (b[0] <= limit):
            share = (limit - a[0]) / (b[0] - a[0])
            kept.append((limit, a[1] + share * (b[1] - a[1])))
        if b[0] <= limit:
            kept.append(b)
    return kept


def subdivided(line: Sequence[Point], longest: float) -> list[Point]:
    """The same line with points at most ``longest`` apart, so that it can be bent."""
    points = [line[0]]
    for a, b in pairwise(line):
        pieces = max(1, math.ceil(distance(a, b) / longest))
        points += [
            (a[0] + (b[0] - a[0]) * i / pieces, a[1] + (b[1] - a[1]) * i / pieces)
            for i in range(1, pieces)
        ]
        points.append(b)
    return points
