"""Wheels: vehicles and bicycles on lanes, each following the one before it.

The following is the Intelligent Driver Model of M. Treiber, A. Hennecke and D. Helbing, Congested
traffic states in empirical observations and microscopic simulations, Physical Review E 62 (2000).
"""

import bisect
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from simulators.scene.layout import Lane

_SPEEDS: Final = {
    "car": (0.86, 1.08),
    "bus": (0.78, 0.92),
    "truck": (0.75, 0.92),
    "bicycle": (0.7, 1.1),
}
"""Of each class, the wished speed over the lane's: least and most."""
_START: Final = {"car": 1.6, "bus": 1.0, "truck": 0.95, "bicycle": 0.9}
"""Acceleration, m/s2."""
_BRAKE: Final = 2.2
_HARDEST: Final = 6.0
_HEADWAY: Final = 1.3
_GAP: Final = 2.2
_PAST: Final = -0.6
"""Who has gone so far past a stop line does not stop any more, metres."""
_SIGHT: Final = 60.0
"""How far ahead signals are heeded, metres."""
_FREE: Final = 1e6
_TAKEN: Final = 6.0
"""A vehicle that has just turned off still stands in the way for so many metres."""


class Route(NamedTuple):
    """Lanes one after the other: points every half metre, and where each lane begins."""

    lanes: tuple[Lane, ...]
    begins: tuple[float, ...]
    xs: tuple[float, ...]
    ys: tuple[float, ...]
    headings: tuple[float, ...]
    step: float
    length: float

    def at(self, way: float) -> tuple[float, float, float]:
        """X, Y and heading."""
        place = min(max(way / self.step, 0.0), len(self.xs) - 1.001)
        number = int(place)
        share = place - number
        one, other = self.headings[number], self.headings[number + 1]
        swing = (other - one + math.pi) % (2 * math.pi) - math.pi
        return (
            self.xs[number] + share * (self.xs[number + 1] - self.xs[number]),
            self.ys[number] + share * (self.ys[number + 1] - self.ys[number]),
            one + share * swing,
        )


@dataclass(slots=True, eq=False)
class Mover:
    """A vehicle or bicycle on its way.

    ``way`` is that of its middle along its route, metres; ``halting``: it brakes for a stop line.
    """

    number: int
    cls: str
    length: float
    route: Route
    way: float
    speed: float
    wish: float
    braking: bool = False
    halting: bool = False
    push: float = 0.0

    def lane(self) -> int:
        """Which of its route's lanes it is on."""
        return bisect.bisect_right(self.route.begins, self.way) - 1


Rule = Callable[[int | str, Mover, float], bool]
"""Whether a mover must stop for a signal (its number) or ``"zebra"``, so many metres ahead."""


@dataclass(slots=True, eq=False)
class _Entry:
    routes: tuple[tuple[Route, float], ...]
    lane: Lane
    due: float = 0.0
    next_cls: str = "car"
    size: tuple[float, int] = field(default=(0.0, 0))


class Traffic:
    """All wheels of a scene.

    Args:
        lanes: Where they go.
        chance: When they come.
        create: Makes an actor of a class; gives its number and length.
    """

    def __init__(
        self,
        lanes: Sequence[Lane],
        chance: random.Random,
        create: Callable[[str], tuple[int, float]],
    ) -> None:
        self.movers: list[Mover] = []
        self._chance = chance
        self._create = create
        self._by_name = {lane.name: lane for lane in lanes}
        self._parents = {after: lane.name for lane in lanes for after, _ in lane.after}
        led_to = set(self._parents)
        self._entries = [
            _Entry(tuple(self._routes(lane)), lane) for lane in lanes if lane.name not in led_to
        ]
        for entry in self._entries:
            self._draw(entry, 0.0)

    def step(self, t: float, seconds: float, must_stop: Rule) -> None:
        """Move all on by some seconds."""
        for entry in self._entries:
            if t >= entry.due:
                self._enter(entry, t)
        for mover in self.movers:
            mover.push = self._push(mover, must_stop)
        for mover in self.movers:
            fresh = max(0.0, mover.speed + mover.push * seconds)
            mover.way += (mover.speed + fresh) / 2 * seconds
            mover.speed = fresh
            mover.braking = mover.push < -0.5 or (fresh < 0.2 and mover.push < 0.2)  # noqa: PLR2004
        self.movers = [one for one in self.movers if one.way < one.route.length - 0.5]

    def _routes(self, lane: Lane) -> list[tuple[Route, float]]:
        if not lane.after:
            return [(_route((lane,)), 1.0)]
        return [
            (_route((lane, *rest.lanes)), share * part)
            for name, share in lane.after
            for rest, part in self._routes(self._by_name[name])
        ]

    def _draw(self, entry: _Entry, t: float) -> None:
        """Choose who comes next, and when."""
        lane = entry.lane
        classes, weights = zip(*lane.shares, strict=True)
        entry.next_cls = self._chance.choices(classes, weights)[0]
        mean = 3600 / lane.hourly
        entry.due = t + 1.2 + self._chance.expovariate(1 / max(0.1, mean - 1.2))

    def _enter(self, entry: _Entry, t: float) -> None:
        cls = entry.next_cls
        room = {"bus": 15.0, "truck": 12.0, "bicycle": 4.0}.get(cls, 9.0)
        if any(
            one.way < room + one.length / 2
            for one in self.movers
            if one.route.lanes[0] is entry.lane
        ):
            return
        routes = [route for route, _ in entry.routes]
        weights = [share for _, share in entry.routes]
        route = self._chance.choices(routes, weights)[0]
        if cls in ("bus", "truck"):
            # What is long goes straight on.
            route = max(entry.routes, key=lambda one: one[1])[0]
        number, length = self._create(cls)
        wish = self._chance.uniform(*_SPEEDS[cls])
        ahead = [one for one in self.movers if one.route.lanes[0] is entry.lane]
        first = min((one.speed for one in ahead if one.way < 25), default=_FREE)  # noqa: PLR2004 metres
        speed = min(first, wish * entry.lane.speed)
        self.movers.append(Mover(number, cls, length, route, 0.0, speed, wish))
        self._draw(entry, t)

    def _push(self, mover: Mover, must_stop: Rule) -> float:
        """Acceleration, m/s2."""
        lane = mover.lane()
        wished = mover.wish * mover.route.lanes[lane].speed
        for number in range(lane + 1, len(mover.route.lanes)):
            away = mover.route.begins[number] - mover.way
            slow = mover.wish * mover.route.lanes[number].speed
            wished = min(wished, math.sqrt(slow**2 + 2 * 1.2 * max(0.0, away - 1.0)))
        gap, closing = self._leader(mover)
        start = _START[mover.cls]
        halting = False
        for number in range(lane, len(mover.route.lanes)):
            for place, rule in mover.route.lanes[number].stops:
                away = mover.route.begins[number] + place - mover.way - mover.length / 2
                if _PAST < away < min(gap, _SIGHT) and must_stop(rule, mover, away):
                    gap, closing = away + _GAP - 0.4, mover.speed
                    halting = True
        mover.halting = halting
        root = 2 * math.sqrt(start * _BRAKE)
        wanted = _GAP + max(0.0, mover.speed * _HEADWAY + mover.speed * closing / root)
        free = (mover.speed / max(0.5, wished)) ** 4
        push = start * (1 - free - (wanted / max(0.3, gap)) ** 2)
        return max(-_HARDEST, push)

    def _leader(self, mover: Mover) -> tuple[float, float]:
        """The gap to the next one ahead (metres), and how fast it closes (m/s)."""
        best, closing = _FREE, 0.0
        begins = dict(
            zip((lane.name for lane in mover.route.lanes), mover.route.begins, strict=True)
        )
        for other in self.movers:
            if other is mover:
                continue
            at = other.lane()
            lane = other.route.lanes[at]
            into = other.way - other.route.begins[at]
            if lane.name in begins:
                ahead = begins[lane.name] + into - mover.way
            else:
                parent = self._parents.get(lane.name)
                if parent not in begins or into - other.length / 2 > _TAKEN:
                    continue
                ahead = begins[parent] + other.route.begins[at] - other.route.begins[at - 1]
                ahead += into - mover.way
            gap = ahead - (other.length + mover.length) / 2
            if ahead > 0 and gap < best:
                best, closing = gap, mover.speed - other.speed
        return max(0.1, best), closing


def _route(lanes: tuple[Lane, ...]) -> Route:
    points = [lanes[0].points[0]]
    begins = []
    total = 0.0
    for lane in lanes:
        begins.append(total)
        for point in lane.points:
            gone = math.dist(points[-1], point)
            if gone > 1e-6:  # noqa: PLR2004 metres
                points.append(point)
                total += gone
    spots = np.array(points)
    ways = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(spots, axis=0).T))])
    count = max(2, int(total / 0.5))
    even = np.linspace(0, total, count)
    xs, ys = np.interp(even, ways, spots[:, 0]), np.interp(even, ways, spots[:, 1])
    headings = np.unwrap(np.arctan2(np.gradient(ys), np.gradient(xs)))
    soft = np.convolve(np.pad(headings, 3, mode="edge"), np.ones(7) / 7, mode="valid")
    return Route(
        lanes,
        tuple(begins),
        tuple(xs.tolist()),
        tuple(ys.tolist()),
        tuple(soft.tolist()),
        total / (count - 1),
        total,
    )
