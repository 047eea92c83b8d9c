"""Everything in a scene that moves, in steps of a tenth of a second from its beginning.

What happens follows from the scene's name and seed alone, whatever the frame rate and the picture's
size; between two steps everything moves straight on.
"""

import math
import random
from collections.abc import Callable
from typing import Final, NamedTuple

from simulators.scene import figure, vehicles
from simulators.scene.camera import Spot
from simulators.scene.figure import Cyclist, Person
from simulators.scene.layout import Layout, Prop, Signal
from simulators.scene.people import People
from simulators.scene.traffic import Mover, Traffic
from simulators.scene.vehicles import Vehicle

STEP: Final = 0.1
"""Seconds."""

_HARD: Final = 3.2
"""Nobody brakes harder than this for amber, or for people at a zebra, m/s2."""
_CREEP: Final = 0.8
"""Who is slower than this and has not reached the stop line is taken to stand, m/s."""
_STEP_OFF: Final = 1.3
"""From so far before the kerb on somebody claims the zebra, metres."""
_WARM: Final = 300
"""Steps before the first frame."""
_AMBER: Final = 3.0
_CLEAR: Final = 2.0
"""Seconds at the end of a phase in which nobody has green."""
_CROSS: Final = 8.0
"""So many seconds before its end nobody begins to walk over."""

Actor = Vehicle | Person | Cyclist


class State(NamedTuple):
    """Where an actor is: metres, radians, m/s; ``way``: metres gone, which moves its limbs."""

    x: float
    y: float
    heading: float
    speed: float
    way: float
    braking: bool


class World:
    """The moving part of a scene.

    Args:
        layout: Where things are.
        name: Of the scene.
        seed: Chooses who comes, and when.
        rain: Whether people carry umbrellas.

    Attributes:
        actors: All that are there or were a moment ago, by number.
    """

    def __init__(self, layout: Layout, name: str, seed: int, *, rain: bool) -> None:
        self.actors: dict[int, Actor] = {}
        self._layout = layout
        self._name = name
        self._seed = seed
        self._rain = rain
        self._number = 0
        self.parked = tuple(self._park(prop) for prop in layout.props if prop.kind == "parked")
        chance = random.Random(f"{name}/{seed}/world")
        self._traffic = Traffic(layout.lanes, chance, self._vehicle)
        self._people = People(layout.walks, layout.haunts, layout.blocks, chance, self._person)
        self._claims: set[int] = set()
        self._done = -1
        self._states: tuple[dict[int, State], dict[int, State]] = ({}, {})
        for number in range(-_WARM, 0):
            self._step(number)
        self._states = (self._states[1], self._states[1])
        self._done = 0

    def at(self, t: float) -> dict[int, State]:
        """Who is where, ``t`` seconds after the beginning; times must not go back a whole step.

        Raises:
            ValueError: ``t`` lies before the last step but one.
        """
        place = t / STEP
        number = math.floor(place + 1e-9)
        if number < self._done - 1 or (number < self._done and self._done == 0):
            raise ValueError("a world does not run backwards")
        while self._done < number + 1:
            self._step(self._done)
            self._done += 1
        share = min(1.0, max(0.0, place - number))
        one, other = self._states
        return {key: _between(one[key], other[key], share) for key in one if key in other}

    def behind(self, t: float) -> bool:
        """Whether ``t`` is a time that this world has left behind."""
        return math.floor(t / STEP + 1e-9) < self._done - 1

    def phase(self, t: float) -> tuple[int, float]:
        """Which phase of the signals has green, and for how many seconds yet."""
        cycle = self._layout.cycle
        rest = t % sum(cycle)
        for number, seconds in enumerate(cycle):
            if rest < seconds:
                return number, seconds - rest
            rest -= seconds
        return len(cycle) - 1, 0.0

    def signals(self, t: float) -> list[tuple[Signal, str]]:
        """Each signal and its colour."""
        return [(one, self.signal(t, one.phase)) for one in self._layout.signals]

    def signal(self, t: float, phase: int) -> str:
        """``green``, ``amber`` or ``red`` for the wheels of a phase."""
        current, rest = self.phase(t)
        if current != phase or rest < _CLEAR:
            return "red"
        return "amber" if rest < _CLEAR + _AMBER else "green"

    def _step(self, number: int) -> None:
        t = number * STEP
        self._claims = self._claimed()
        self._traffic.step(t, STEP, self._must_stop(t))
        self._people.step(t, STEP, self._may_go(t))
        fresh: dict[int, State] = {}
        for mover in self._traffic.movers:
            x, y, heading = mover.route.at(mover.way)
            fresh[mover.number] = State(x, y, heading, mover.speed, mover.way, mover.braking)
        for one in self._people.walkers:
            fresh[one.number] = State(one.x, one.y, one.heading, one.speed, one.way, braking=False)
        self._states = self._states[1], fresh
        if number % 50 == 0:
            known = {*self._states[0], *fresh, *(one[0] for one in self.parked)}
            self.actors = {key: actor for key, actor in self.actors.items() if key in known}

    def _claimed(self) -> set[int]:
        """Zebras on which, or at which, somebody is."""
        claims = set()
        for number, zebra in enumerate(self._layout.zebras):
            (x0, x1), (y0, y1) = zebra.x, zebra.y
            for one in self._people.walkers:
                on = x0 - _STEP_OFF < one.x < x1 + _STEP_OFF and y0 - 0.4 < one.y < y1 + 0.4
                near = one.waits == "zebra" and x0 - 3 < one.x < x1 + 3 and y0 - 3 < one.y < y1 + 3
                if on or near:
                    claims.add(number)
                    break
        return claims

    def _must_stop(self, t: float) -> Callable[[int | str, Mover, float], bool]:
        def rule(gate: int | str, mover: Mover, away: float) -> bool:
            # Who has begun to stop does not think better of it.
            can = mover.halting or mover.speed**2 / (2 * max(0.1, away)) < _HARD
            if isinstance(gate, str):
                return bool(self._claims) and can
            state = self.signal(t, gate)
            return state == "red" or (state == "amber" and can)

        return rule

    def _may_go(self, t: float) -> Callable[[int | str, Spot], bool]:
        def gate_open(gate: int | str, spot: Spot) -> bool:
            if isinstance(gate, int):
                current, rest = self.phase(t)
                return current == gate and rest > _CROSS
            del spot
            return not any(self._comes(mover) for mover in self._traffic.movers)

        return gate_open

    @staticmethod
    def _comes(mover: Mover) -> bool:
        """Whether a vehicle would be on the zebra before somebody has left it."""
        lane = mover.lane()
        for place, rule in mover.route.lanes[lane].stops:
            away = mover.route.begins[lane] + place - mover.way - mover.length / 2
            reach = max(2.5, 2.2 * mover.speed) if mover.speed > _CREEP else 0.0
            if rule == "zebra" and -mover.length - 4 < away < reach:
                return True
        return False

    def _add(self, make: Callable[[random.Random], Actor]) -> int:
        self._number += 1
        self.actors[self._number] = make(random.Random(f"{self._name}/{self._seed}/{self._number}"))
        return self._number

    def _vehicle(self, cls: str) -> tuple[int, float]:
        kinds: dict[str, Callable[[random.Random], Actor]] = {
            "car": vehicles.car,
            "bus": vehicles.bus,
            "truck": vehicles.truck,
            "bicycle": figure.cyclist,
        }
        number = self._add(kinds[cls])
        actor = self.actors[number]
        return number, actor.length if isinstance(actor, Vehicle) else 1.8

    def _person(self) -> int:
        return self._add(lambda chance: figure.person(chance, rain=self._rain))

    def _park(self, prop: Prop) -> tuple[int, Prop]:
        return self._add(vehicles.car), prop


def _between(one: State, other: State, share: float) -> State:
    if share == 0:
        return one
    swing = (other.heading - one.heading + math.pi) % (2 * math.pi) - math.pi
    return State(
        one.x + share * (other.x - one.x),
        one.y + share * (other.y - one.y),
        one.heading + share * swing,
        one.speed + share * (other.speed - one.speed),
        one.way + share * (other.way - one.way),
        one.braking,
    )
