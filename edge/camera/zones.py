"""Zones: who is inside which polygon."""

from collections.abc import Iterable, Sequence
from typing import Final

from edge.camera.config import Point, ZoneConfig
from edge.camera.track import Track

_EDGE: Final = 1 - 1e-6


class Zones:
    """All zones of a camera.

    Args:
        zones: Their configuration.
    """

    def __init__(self, zones: Iterable[ZoneConfig]) -> None:
        self._zones = tuple(zones)

    def count(self, tracks: Iterable[Track], classes: int) -> list[int]:
        """How many tracks of each class stand in each zone: zone by zone, class by class.

        A track is where it touches the ground: at the middle of its box's lower side.
        """
        # Who is cut off by the picture's edge stands inside a zone that reaches up to it.
        feet = [
            (min((t.box[0] + t.box[2]) / 2, _EDGE), min(t.box[3], _EDGE), t.cls) for t in tracks
        ]
        counts = []
        for zone in self._zones:
            inside = [cls for x, y, cls in feet if contains(zone.points, x, y)]
            counts += [inside.count(cls) for cls in range(classes)]
        return counts


def contains(points: Sequence[Point], x: float, y: float) -> bool:
    """Whether a polygon contains a point, by counting the sides that a ray from it passes.

    A point on a side counts for one of the two polygons that share it.
    """
    inside = False
    before_x, before_y = points[-1]
    for at_x, at_y in points:
        if (at_y > y) != (before_y > y):
            # From the upper end always, so that rounding is the same for both polygons of a side.
            (from_y, from_x), (to_y, to_x) = sorted(((before_y, before_x), (at_y, at_x)))
            inside ^= x < from_x + (y - from_y) * (to_x - from_x) / (to_y - from_y)
        before_x, before_y = at_x, at_y
    return inside
