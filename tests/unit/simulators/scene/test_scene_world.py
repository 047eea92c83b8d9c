"""How things move, checked from positions alone."""

import itertools
import math

import numpy as np
import pytest

from simulators.scene import SCENES
from simulators.scene.camera import Floats
from simulators.scene.vehicles import Vehicle
from simulators.scene.world import State, World

STEPS = 500
SECONDS = 0.1


@pytest.fixture(scope="module", params=SCENES)
def run(request: pytest.FixtureRequest) -> tuple[World, list[dict[int, State]], dict[int, str]]:
    name = request.param
    world = World(SCENES[name](3), name, 3, rain=False)
    states, classes = [], {}
    for step in range(STEPS):
        states.append(world.at(step * SECONDS))
        classes.update({key: world.actors[key].cls for key in states[-1]})
    return world, states, classes


def outline(state: State, length: float, width: float) -> Floats:
    cos, sin = math.cos(state.heading), math.sin(state.heading)
    half = np.array([(1, 1), (1, -1), (-1, -1), (-1, 1)]) * (length / 2, width / 2)
    corners: Floats = half @ np.array([(cos, sin), (-sin, cos)]) + (state.x, state.y)
    return corners


def apart(
    one: Floats,
    other: Floats,
) -> bool:
    """Whether a line along one of their sides parts two rectangles."""
    for corners in (one, other):
        for side in (corners[1] - corners[0], corners[2] - corners[1]):
            a, b = one @ side, other @ side
            if a.max() < b.min() or b.max() < a.min():
                return True
    return False


Run = tuple[World, list[dict[int, State]], dict[int, str]]


def test_no_two_vehicles_overlap_and_nobody_is_run_over(run: Run) -> None:
    world, states, _ = run
    for state in states[::5]:
        wheels = []
        for number, one in state.items():
            actor = world.actors.get(number)
            if isinstance(actor, Vehicle):
                wheels.append(outline(one, actor.length - 0.1, actor.width - 0.1))
        for one_outline, other in itertools.combinations(wheels, 2):
            assert apart(one_outline, other)
        people = [
            outline(one, 0.1, 0.1)
            for number, one in state.items()
            if number in world.actors and world.actors[number].cls == "person"
        ]
        for body, vehicle in itertools.product(people, wheels):
            assert apart(body, vehicle)


def test_speed_is_the_way_gone_in_time(run: Run) -> None:
    _, states, classes = run
    errors = []
    for before, here, after in zip(states, states[1:], states[2:], strict=False):
        for number in before.keys() & here.keys() & after.keys():
            one, other = before[number], after[number]
            gone = math.hypot(other.x - one.x, other.y - one.y) / (2 * SECONDS)
            errors.append(abs(gone - here[number].speed))
            limit = 2.5 if classes[number] == "person" else 15
            assert here[number].speed < limit
    assert np.percentile(errors, 99) < 0.35
    assert np.mean(errors) < 0.05


def test_all_kinds_come_and_go(run: Run) -> None:
    _, states, classes = run
    assert {"person", "car", "bicycle"} <= set(classes.values())
    assert len(set(states[0]) - set(states[-1])) > 3
    assert len(set(states[-1]) - set(states[0])) > 3


def test_red_stops_wheels_and_people() -> None:
    layout = SCENES["crossing"](3)
    world = World(layout, "crossing", 3, rain=False)
    before: dict[int, State] = {}
    passed = 0
    for step in range(900):
        t = step * SECONDS
        state = world.at(t)
        for number, one in state.items():
            actor, last = world.actors[number], before.get(number)
            if last is None or not isinstance(actor, Vehicle):
                continue
            # The front, of those that come from the south; the stop line is at Y = -9.2.
            nose, was = (s.y + actor.length / 2 for s in (one, last))
            if abs(one.x - 1.8) < 0.3 and math.cos(one.heading) < 0.2 and was < -8.4 <= nose:
                passed += 1
                assert world.signal(t, 0) != "red" or world.signal(t - 0.5, 0) != "red"
        before = state
    assert passed > 3


def test_a_world_does_not_run_backwards() -> None:
    world = World(SCENES["square"](1), "square", 1, rain=False)
    world.at(3)
    assert world.behind(1)
    with pytest.raises(ValueError, match="backwards"):
        world.at(1)
