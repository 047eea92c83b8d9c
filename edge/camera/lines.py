"""Counting lines: who passed, which way, and when."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final, NamedTuple

from edge.camera.config import LineConfig
from edge.camera.track import Track

_MARGIN: Final = 0.1
"""How far past a line its foot point must get, as a share of the object's height: a box that
trembles on the line does not cross it."""
_LEAST_MARGIN: Final = 0.005
"""The same at the least, in heights of the picture."""

Spot = tuple[float, float]
"""x and y in heights of the picture, so that a length means the same along both."""


class Passage(NamedTuple):
    """A track passed a line at ``t`` (ms); ``direction`` as the line's configuration names it."""

    line: str
    direction: str
    track: Track
    t: int


@dataclass(slots=True)
class _Course:
    """What one line knows of one track. Sides: -1 left, 1 right, 0 not known yet."""

    side: int = 0
    was: float = 0.0
    spot: Spot = (0.0, 0.0)
    changed: int = 0
    between_ends: bool = False
    counted: set[int] = field(default_factory=set)


class Lines:
    """All lines of a camera.

    A track crosses a line when its foot point (the middle of the box's lower side, where it touches
    the ground) was clearly on one side, passes between the line's ends, and gets clearly to the
    other side. The time is that of the passage. Each track counts once for each direction.

    Args:
        lines: Their configuration.
    """

    def __init__(self, lines: Iterable[LineConfig]) -> None:
        self._lines = tuple(lines)
        self._courses: dict[int, list[_Course]] = {}

    def observe(self, now: int, tracks: Iterable[Track], aspect: float) -> list[Passage]:
        """Take in one frame.

        Args:
            now: Media time, ms.
            tracks: Confirmed tracks; those not seen right now are passed over.
            aspect: The picture's width over its height.
        """
        passed = []
        for track in tracks:
            if track.seen != now or not self._lines:
                continue
            courses = self._courses.get(track.id)
            if courses is None:
                courses = self._courses[track.id] = [_Course() for _ in self._lines]
            left, top, right, bottom = track.box
            spot = (left + right) / 2 * aspect, bottom
            margin = max(_LEAST_MARGIN, _MARGIN * (bottom - top))
            for line, course in zip(self._lines, courses, strict=True):
                side = _follow(course, line, aspect, now, spot, margin)
                if side:
                    direction = line.right if side > 0 else line.left
                    passed.append(Passage(line.name, direction, track, course.changed))
        return passed

    def forget(self, known: set[int]) -> None:
        """Drop what is known of all tracks but these."""
        for gone in self._courses.keys() - known:
            del self._courses[gone]


def _follow(
    course: _Course, line: LineConfig, aspect: float, now: int, spot: Spot, margin: float
) -> int:
    """Move a track on to ``spot``; the side that it has newly crossed to, or 0."""
    start = line.from_[0] * aspect, line.from_[1]
    end = line.to[0] * aspect, line.to[1]
    distance = _distance(start, end, spot)
    if course.was * distance < 0:
        share = course.was / (course.was - distance)
        on_line = _between(course.spot, spot, share)
        course.between_ends = 0 <= _along(start, end, on_line) <= 1
        course.changed = now
    if distance:
        course.was, course.spot = distance, spot
    if abs(distance) < margin:
        return 0
    side = 1 if distance > 0 else -1
    crossed = course.side == -side and course.between_ends and side not in course.counted
    course.side = side
    course.between_ends = False
    if crossed:
        course.counted.add(side)
    return side if crossed else 0


def _distance(start: Spot, end: Spot, spot: Spot) -> float:
    """From the line, endless in both directions; positive on its right (y runs downwards)."""
    along_x, along_y = end[0] - start[0], end[1] - start[1]
    area = along_x * (spot[1] - start[1]) - along_y * (spot[0] - start[0])
    return float(area / (along_x**2 + along_y**2) ** 0.5)


def _along(start: Spot, end: Spot, spot: Spot) -> float:
    """Where the point nearest to ``spot`` lies: 0 at the line's start, 1 at its end."""
    along_x, along_y = end[0] - start[0], end[1] - start[1]
    reach = (spot[0] - start[0]) * along_x + (spot[1] - start[1]) * along_y
    return reach / (along_x**2 + along_y**2)


def _between(one: Spot, other: Spot, share: float) -> Spot:
    return one[0] + share * (other[0] - one[0]), one[1] + share * (other[1] - one[1])


def event_id(parts: Sequence[str | int]) -> str:
    """An id that the same fact gets at every run."""
    return blake2b("|".join(map(str, parts)).encode(), digest_size=12).hexdigest()
