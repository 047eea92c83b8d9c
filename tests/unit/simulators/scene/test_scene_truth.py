"""What happens at lines and in zones, against counts made from positions in metres."""

import numpy as np
import pytest

from simulators.scene import Object, Scene
from simulators.scene.truth import Crossed, Dwelt, Events, SceneLine, SceneZone

SIZE = 192, 108
FPS = 6
SECONDS = 40
LINE = SceneLine("door", (0.5, 0.0), (0.5, 1.0), "east", "west")
ZONE = SceneZone("room", ((0.0, 0.0), (0.3, 0.0), (0.3, 1.0), (0.0, 1.0)))


def seen(x: float, number: int = 7) -> Object:
    """A person of a fifth of a picture of 200 x 100 pixels who stands at a column."""
    return Object(number, "person", (x - 4, 40.0, x + 4, 60.0), 1.0, (0.0, 0.0), 1.2)


def follow(xs: list[float]) -> list[Crossed | Dwelt]:
    events = Events((LINE,), (ZONE,), 200, 100)
    found = [event for t, x in enumerate(xs) for event in events.observe(t * 100, [seen(x)])]
    return [*found, *events.finish()]


def test_one_who_goes_over_a_line_and_back_is_counted_twice() -> None:
    there, back = follow([90, 96, 104, 110, 104, 96, 90])
    assert isinstance(there, Crossed)
    assert isinstance(back, Crossed)
    assert (there.direction, there.t, there.id) == ("east", 200, 7)
    assert (back.direction, back.t) == ("west", 500)


def test_one_who_trembles_on_a_line_is_not_counted() -> None:
    assert follow([90, 99.5, 100.5, 99.5, 100.5, 99.5, 90]) == []


def test_a_stay_ends_a_second_after_its_last_moment() -> None:
    stays = follow([80, 50, 40, 40, 70, 40, *[70.0] * 12])
    assert stays == [Dwelt("room", 7, "person", 100, 500)]
    assert follow([80, 50, 40]) == [Dwelt("room", 7, "person", 100, 200)]


@pytest.fixture(scope="module")
def run() -> tuple[Scene, list[tuple[int, list[Object]]]]:
    scene = Scene("crossing", 2, *SIZE, FPS)
    frames = range(FPS * SECONDS)
    return scene, [(round(n * 1000 / FPS), scene.frame(n)[1]) for n in frames]


Run = tuple[Scene, list[tuple[int, list[Object]]]]


def on_ground(
    scene: Scene, share: tuple[float, float]
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    back = np.array(scene.header(0).ground) @ (share[0] * SIZE[0], share[1] * SIZE[1], 1)
    return np.asarray(back[:2] / back[2])


def test_crossings_are_those_of_the_positions(run: Run) -> None:
    scene, frames = run
    events = Events(scene.lines, scene.zones, *SIZE)
    told = {
        (event.line, event.direction, event.id): event.t
        for t, objects in frames
        for event in events.observe(t, objects)
        if isinstance(event, Crossed)
    }
    counted: dict[tuple[str, str, int], int] = {}
    close = set()
    for line in scene.lines:
        start, end = on_ground(scene, line.from_), on_ground(scene, line.to)
        along = (end - start) / np.linalg.norm(end - start)
        last: dict[int, float] = {}
        for t, objects in frames:
            for one in objects:
                to = np.array(one.position) - start
                left = float(along[0] * to[1] - along[1] * to[0])
                share = float(along @ to) / float(np.linalg.norm(end - start))
                was = last.get(one.id, left)
                if was * left < 0 and -0.1 < share < 1.1:
                    key = line.name, line.left if left > 0 else line.right, one.id
                    counted[key] = t
                    # At the line's end or the run's, the box's foot may be the other side of it.
                    if not (0.1 < share < 0.9 and 3000 < t < 1000 * SECONDS - 4000):
                        close.add(key)
                last[one.id] = left
    assert len(counted.keys() - close) > 8
    assert {line for line, _, _ in counted} == {line.name for line in scene.lines}
    assert counted.keys() - told.keys() <= close
    assert told.keys() - counted.keys() <= close
    # The foot of a vehicle's box is at its near end, so it passes earlier or later than its middle.
    assert all(abs(told[key] - counted[key]) < 3000 for key in told.keys() & counted.keys())


def test_stays_are_those_of_the_positions(run: Run) -> None:
    scene, frames = run
    events = Events(scene.lines, scene.zones, *SIZE)
    stays = [e for t, objects in frames for e in events.observe(t, objects) if isinstance(e, Dwelt)]
    stays += events.finish()
    told = sum(stay.end - stay.start for stay in stays if stay.zone == "middle") / 1000
    # The middle of the crossing reaches from -3.7 to 3.7 m both ways.
    inside = [
        one
        for _, objects in frames
        for one in objects
        if max(abs(one.position[0]), abs(one.position[1])) < 3.7
    ]
    assert len(inside) / FPS == pytest.approx(told, rel=0.25)
    assert {one.id for one in inside} >= {
        stay.id for stay in stays if stay.zone == "middle" and stay.end - stay.start > 1500
    }
