"""People on foot: on pavements, over crossings, about a square, standing together.

They steer around each other as in D. Helbing and P. Molnar, Social force model for pedestrian
dynamics, Physical Review E 51 (1995), made simple.
"""

import itertools
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from simulators.scene.camera import Floats, Spot
from simulators.scene.layout import Haunt, Walk

_ARRIVED: Final = 0.7
_ROOM: Final = 0.75
"""How close people like to come to each other, metres."""
_TURN: Final = 5.0
"""How fast somebody turns to where they go, per second."""
_EASE: Final = 0.35
"""Seconds in which somebody reaches the pace they want."""

Gate = int | str
Open = Callable[[Gate, Spot], bool]
"""Whether somebody who stands at a gate may go on."""


@dataclass(slots=True, eq=False)
class Walker:
    """Somebody on foot."""

    number: int
    wish: float
    path: list[Spot]
    gates: dict[int, Gate]
    x: float
    y: float
    at: int = 1
    vx: float = 0.0
    vy: float = 0.0
    heading: float = 0.0
    way: float = 0.0
    until: float = 0.0
    face: Spot | None = None
    haunt: int | None = None
    waits: Gate | None = None
    trips: int = 0

    @property
    def speed(self) -> float:
        """m/s."""
        return math.hypot(self.vx, self.vy)


@dataclass(slots=True, eq=False)
class _Stream:
    walk: Walk
    back: bool
    due: float


@dataclass(slots=True, eq=False)
class _Gathering:
    """Where a group stands: its middle, and who has which place around it."""

    middle: Spot
    places: list[Spot]
    taken: list[bool] = field(default_factory=list)


class People:
    """All people on foot of a scene.

    Args:
        walks: Ways with people that come and go.
        haunts: Places where people stay a while.
        blocks: Circles they walk around.
        chance: Decides.
        create: Makes a person, gives its number.
    """

    def __init__(
        self,
        walks: Sequence[Walk],
        haunts: Sequence[Haunt],
        blocks: Sequence[tuple[float, float, float]],
        chance: random.Random,
        create: Callable[[], int],
    ) -> None:
        self.walkers: list[Walker] = []
        self._chance = chance
        self._create = create
        self._blocks = tuple(blocks)
        self._haunts = tuple(haunts)
        self._gatherings = [self._gather(haunt) for haunt in haunts]
        self._streams = [
            _Stream(walk, back, self._wait(walk)) for walk in walks for back in (False, True)
        ]
        for stream in self._streams:
            self._fill(stream)
        for number, haunt in enumerate(haunts):
            for _ in range(haunt.wanderers):
                self._settle(number, at_once=True)

    def step(self, t: float, seconds: float, may_go: Open) -> None:
        """Move all on by some seconds."""
        for stream in self._streams:
            if t >= stream.due:
                self._start(stream, 0.0)
                stream.due = t + self._wait(stream.walk)
        here = np.array([(one.x, one.y) for one in self.walkers]).reshape(-1, 2)
        pushes = self._pushes(here)
        for walker, (push_x, push_y) in zip(self.walkers, pushes.tolist(), strict=True):
            self._move(walker, t, seconds, (push_x, push_y), may_go)
        gone = [one for one in self.walkers if one.at >= len(one.path) and one.haunt is None]
        if gone:
            self.walkers = [one for one in self.walkers if one not in gone]
            # Who leaves a square makes room for another.
            for one in gone:
                if one.trips < 0:
                    self._settle(-one.trips - 1, at_once=False)

    def _pushes(self, here: Floats) -> Floats:
        if not len(here):
            return here
        apart = here[:, None, :] - here[None, :, :]
        away = np.hypot(apart[..., 0], apart[..., 1])
        np.fill_diagonal(away, 9.0)
        strength = np.where(away < 1.6, 2.6 * np.exp((_ROOM - away) / 0.22), 0)  # noqa: PLR2004
        pushes = apart / np.maximum(away, 0.05)[..., None] * np.minimum(strength, 6)[..., None]
        push: Floats = pushes.sum(axis=1)
        for x, y, radius in self._blocks:
            out = here - (x, y)
            reach = np.hypot(out[:, 0], out[:, 1])
            force = np.minimum(9.0, 5.0 * np.exp((radius + 0.35 - reach) / 0.3))
            # Aside as well as away, or one who comes straight on would stop before it.
            side = np.stack([-out[:, 1], out[:, 0]], axis=1)
            push += ((out + 0.5 * side) / np.maximum(reach, 0.05)[:, None]) * force[:, None]
        return push

    def _move(
        self, walker: Walker, t: float, seconds: float, push: tuple[float, float], may_go: Open
    ) -> None:
        wanted_x = wanted_y = 0.0
        walker.waits = None
        if t < walker.until:
            # Those who stand are hardly pushed about.
            push = push[0] * 0.05, push[1] * 0.05
        elif walker.at < len(walker.path):
            goal = walker.path[walker.at]
            dx, dy = goal[0] - walker.x, goal[1] - walker.y
            away = math.hypot(dx, dy)
            gate = walker.gates.get(walker.at)
            if away < _ARRIVED:
                if gate is not None and not may_go(gate, (walker.x, walker.y)):
                    walker.waits = gate
                    push = push[0] * 0.15, push[1] * 0.15
                else:
                    walker.at += 1
                    self._arrive(walker, t)
            if walker.waits is None and away > 0:
                wanted_x, wanted_y = dx / away * walker.wish, dy / away * walker.wish
        share = min(1.0, seconds / _EASE)
        walker.vx += (wanted_x - walker.vx) * share + push[0] * seconds
        walker.vy += (wanted_y - walker.vy) * share + push[1] * seconds
        speed = walker.speed
        most = walker.wish * 1.25
        if speed > most:
            walker.vx, walker.vy = walker.vx * most / speed, walker.vy * most / speed
        elif speed < 0.08:  # noqa: PLR2004 m/s: stand still
            walker.vx = walker.vy = 0.0
        walker.x += walker.vx * seconds
        walker.y += walker.vy * seconds
        walker.way += walker.speed * seconds
        if walker.speed > 0.25:  # noqa: PLR2004 m/s
            self._face(walker, math.atan2(walker.vy, walker.vx), seconds)
        elif walker.face is not None and t < walker.until:
            towards = math.atan2(walker.face[1] - walker.y, walker.face[0] - walker.x)
            self._face(walker, towards, seconds)

    def _face(self, walker: Walker, towards: float, seconds: float) -> None:
        swing = (towards - walker.heading + math.pi) % (2 * math.pi) - math.pi
        walker.heading += swing * min(1.0, _TURN * seconds)

    def _arrive(self, walker: Walker, t: float) -> None:
        """Whoever strolls about a square and has reached a goal stays there, or goes on."""
        if walker.haunt is None or walker.at < len(walker.path):
            return
        haunt = self._haunts[walker.haunt]
        walker.trips += 1
        if walker.face is not None:
            walker.until = t + self._chance.uniform(15, 80)
        elif self._chance.random() < 0.45:  # noqa: PLR2004
            walker.until = t + self._chance.uniform(2, 12)
        if walker.trips > 2 and self._chance.random() < 0.35:  # noqa: PLR2004
            door = self._chance.choice(haunt.entries)
            walker.path, walker.at = [(walker.x, walker.y), door], 1
            walker.trips = -walker.haunt - 1
            walker.haunt = None
            return
        self._aim(walker)

    def _aim(self, walker: Walker) -> None:
        """The next goal in the square: somewhere, or a place in a group."""
        number = walker.haunt or 0
        self._release(walker)
        gatherings = self._gatherings[number]
        free = [
            (gathering, place)
            for gathering in gatherings
            for place, taken in enumerate(gathering.taken)
            if not taken
        ]
        if free and self._chance.random() < 0.5:  # noqa: PLR2004
            gathering, place = self._chance.choice(free)
            gathering.taken[place] = True
            goal, walker.face = gathering.places[place], gathering.middle
        else:
            goal, walker.face = self._within(self._haunts[number].points), None
        walker.path, walker.at = [(walker.x, walker.y), goal], 1

    def _release(self, walker: Walker) -> None:
        for gatherings in self._gatherings:
            for gathering in gatherings:
                if gathering.middle == walker.face:
                    near = min(
                        range(len(gathering.places)),
                        key=lambda n: math.dist(gathering.places[n], (walker.x, walker.y)),
                    )
                    gathering.taken[near] = False
        walker.face = None

    def _gather(self, haunt: Haunt) -> list[_Gathering]:
        found: list[_Gathering] = []
        for _ in range(haunt.groups):
            middle = self._within(haunt.points)
            for _ in range(20):
                if all(math.dist(middle, one.middle) > 3.5 for one in found):  # noqa: PLR2004
                    break
                middle = self._within(haunt.points)
            count = self._chance.randint(2, 5)
            radius = 0.45 + 0.1 * count
            first = self._chance.uniform(0, 6.28)
            turns = [first + 2 * math.pi * n / count for n in range(count)]
            places = [
                (middle[0] + radius * math.cos(a), middle[1] + radius * math.sin(a)) for a in turns
            ]
            found.append(_Gathering(middle, places, [False] * count))
        return found

    def _within(self, points: Sequence[Spot]) -> Spot:
        xs, ys = [x for x, _ in points], [y for _, y in points]
        for _ in range(200):
            x, y = self._chance.uniform(min(xs), max(xs)), self._chance.uniform(min(ys), max(ys))
            if contains(points, x, y) and all(
                math.hypot(x - bx, y - by) > radius + 0.8 for bx, by, radius in self._blocks
            ):
                return x, y
        return sum(xs) / len(xs), sum(ys) / len(ys)

    def _settle(self, number: int, *, at_once: bool) -> None:
        haunt = self._haunts[number]
        spot = self._within(haunt.points) if at_once else self._chance.choice(haunt.entries)
        walker = self._walker([spot, spot], {})
        walker.haunt = number
        self._aim(walker)
        if at_once and walker.face is not None:
            (walker.x, walker.y), walker.at = walker.path[-1], len(walker.path) - 1
            walker.heading = math.atan2(walker.face[1] - walker.y, walker.face[0] - walker.x)

    def _wait(self, walk: Walk) -> float:
        return self._chance.expovariate(walk.hourly / 3600)

    def _fill(self, stream: _Stream) -> None:
        """Those who are already on their way when the scene begins."""
        points = stream.walk.points
        length = sum(math.dist(a, b) for a, b in itertools.pairwise(points))
        t = self._wait(stream.walk)
        while t < length / 1.3:
            self._start(stream, t * 1.3)
            t += self._wait(stream.walk)

    def _start(self, stream: _Stream, gone: float) -> None:
        walk = stream.walk
        points = list(reversed(walk.points)) if stream.back else list(walk.points)
        last = len(points) - 1
        gates = {last - over if stream.back else here: gate for here, over, gate in walk.gates}
        # They keep to the right, more or less.
        aside = self._chance.triangular(-0.5, 0.5, 0.18) * walk.broad
        path = _beside(points, aside)
        walker = self._walker(path, gates)
        while gone > 0 and walker.at < len(path) - 1:
            reach = math.dist((walker.x, walker.y), path[walker.at])
            if reach > gone:
                break
            gone -= reach
            walker.x, walker.y = path[walker.at]
            walker.at += 1
        reach = max(0.01, math.dist((walker.x, walker.y), path[walker.at]))
        share = min(0.9, gone / reach)
        walker.x += (path[walker.at][0] - walker.x) * share
        walker.y += (path[walker.at][1] - walker.y) * share
        dx, dy = path[walker.at][0] - walker.x, path[walker.at][1] - walker.y
        away = max(0.01, math.hypot(dx, dy))
        walker.vx, walker.vy = dx / away * walker.wish, dy / away * walker.wish
        walker.heading = math.atan2(dy, dx)

    def _walker(self, path: list[Spot], gates: dict[int, Gate]) -> Walker:
        wish = min(1.9, max(0.75, self._chance.gauss(1.3, 0.22)))
        walker = Walker(self._create(), wish, path, gates, *path[0])
        walker.way = self._chance.uniform(0, 2)
        self.walkers.append(walker)
        return walker


def contains(points: Sequence[Spot], x: float, y: float) -> bool:
    """Whether a polygon contains a point."""
    inside = False
    last_x, last_y = points[-1]
    for at_x, at_y in points:
        if (at_y > y) != (last_y > y):
            inside ^= x < at_x + (y - at_y) * (last_x - at_x) / (last_y - at_y)
        last_x, last_y = at_x, at_y
    return inside


def _beside(points: Sequence[Spot], aside: float) -> list[Spot]:
    """The same way, so many metres to its right."""
    moved = []
    for number, (x, y) in enumerate(points):
        ax, ay = points[max(0, number - 1)]
        bx, by = points[min(len(points) - 1, number + 1)]
        length = max(1e-6, math.hypot(bx - ax, by - ay))
        moved.append((x + aside * (by - ay) / length, y - aside * (bx - ax) / length))
    return moved
