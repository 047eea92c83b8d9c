"""Pictures and their truth."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from simulators.scene import CLASSES, SCENES, Scene
from simulators.scene.backdrop import Backdrop, make
from simulators.scene.look import look
from simulators.scene.render import DRAWN, Renderer
from simulators.scene.truth import Object
from simulators.scene.world import Actor, State, World

WIDTH, HEIGHT = 320, 180


@pytest.mark.parametrize(("name", "light", "weather"), [("square", "night", "rain")])
def test_a_frame_follows_from_name_seed_and_number(name: str, light: str, weather: str) -> None:
    def scene(seed: int = 3) -> Scene:
        return Scene(name, seed, 160, 90, light=light, weather=weather)  # type: ignore[arg-type]

    one, other = scene(), scene()
    picture, objects = one.frame(12)
    other.frame(0)
    other.frame(20)
    again, same = other.frame(12)
    assert objects == same
    assert np.array_equal(picture, again)
    assert picture.shape == (90, 160, 3)
    assert picture.dtype == np.uint8
    assert not np.array_equal(one.frame(13)[0], picture)
    assert scene(4).frame(12)[1] != objects


def test_what_happens_does_not_depend_on_frame_rate_and_size() -> None:
    slow = Scene("street", 2, 96, 54, 5).frame(20)[1]
    quick = Scene("street", 2, 160, 90, 25).frame(100)[1]
    where = {one.id: (one.position, one.speed) for one in quick}
    assert len(slow) > 10
    assert all(where[one.id] == (one.position, one.speed) for one in slow if one.id in where)


@pytest.mark.parametrize("name", SCENES)
def test_each_frame_has_objects_of_known_classes_within_the_picture(name: str) -> None:
    scene = Scene(name, 1, 192, 108, 5)
    seen: set[str] = set()
    for number in (0, 40):
        picture, objects = scene.frame(number)
        assert len({one.id for one in objects}) == len(objects)
        assert picture.std() > 15
        for one in objects:
            left, top, right, bottom = one.box
            assert 0 <= left < right <= 192
            assert 0 <= top < bottom <= 108
            assert 0 <= one.visible <= 1
            seen.add(one.cls)
    assert "person" in seen
    assert seen <= set(CLASSES)


class Stage:
    """One seed of a scene's actors before a plain backdrop, without light, shadow or rain."""

    def __init__(self, name: str, seed: int, second: float) -> None:
        scene = Scene(name, seed, WIDTH, HEIGHT)
        layout = SCENES[name](seed)
        self.camera = scene.camera
        plain = replace(look("day", "clear", 0, 45), shade=0.0, sun=np.zeros(3, np.float32))
        bare = replace(layout, props=(), buildings=())
        self.backdrop = make(bare, self.camera, plain, seed, ())
        world = World(layout, name, seed, rain=False)
        self.states = dict(world.at(second))
        self.actors = world.actors

    def over(self, value: int) -> Backdrop:
        picture = np.full((HEIGHT, WIDTH, 3), value, np.uint8)
        still = np.zeros_like(picture)
        return replace(self.backdrop, picture=picture, dark=still, lit=still)

    def draw(self, value: int, numbers: Sequence[int]) -> tuple[NDArray[np.uint8], list[Object]]:
        states = {number: self.states[number] for number in numbers}
        return Renderer(self.over(value), {}).frame(0.0, self.actors, states)

    def alpha(self, numbers: Sequence[int]) -> NDArray[np.int64]:
        """What covers each pixel, from the same actors before black and before white."""
        black, white = (self.draw(value, numbers)[0].astype(np.int64) for value in (0, 255))
        return 255 - (white - black)[..., 0]


@pytest.mark.parametrize("name", SCENES)
def test_a_box_holds_exactly_the_pixels_drawn(name: str) -> None:
    stage = Stage(name, 4, 3.0)
    checked = 0
    for number in sorted(stage.states):
        _, objects = stage.draw(0, [number])
        covered = stage.alpha([number]) >= DRAWN
        if not objects:
            assert not covered.any()
            continue
        (one,) = objects
        rows, columns = np.nonzero(covered)
        drawn = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
        # Blending rounds: a pixel at the threshold may fall to either side.
        assert np.abs(np.array(one.box) - drawn).max() <= 1, one
        checked += 1
        if one.box[0] > 0 and one.box[1] > 0 and one.box[2] < WIDTH and one.box[3] < HEIGHT:
            assert one.visible == pytest.approx(1, abs=0.02)
    assert checked > 8


def test_with_everybody_there_only_pixels_in_boxes_change() -> None:
    stage = Stage("square", 6, 5.0)
    covered = stage.alpha(sorted(stage.states)) >= DRAWN
    _, objects = stage.draw(0, sorted(stage.states))
    for one in objects:
        left, top, right, bottom = (int(side) for side in one.box)
        covered[top:bottom, left:right] = False
    assert not covered.any()


def in_a_row(stage: Stage, numbers: Sequence[int], gap: float) -> dict[int, State]:
    """Actors one behind the other on a line from the camera, looking along it."""
    stand = stage.camera.stand
    x, y = stage.camera.spot(WIDTH / 2, HEIGHT * 0.6)
    away = np.hypot(x - stand.x, y - stand.y)
    step = (x - stand.x) / away, (y - stand.y) / away
    heading = float(np.arctan2(step[1], step[0]))
    return {
        number: State(
            x + step[0] * gap * place, y + step[1] * gap * place, heading, 0.0, 0.0, braking=False
        )
        for place, number in enumerate(numbers)
    }


def of_class(actors: dict[int, Actor], cls: str) -> list[int]:
    return [number for number, actor in sorted(actors.items()) if actor.cls == cls]


def test_who_stands_behind_is_seen_less_and_who_stands_before_is_not() -> None:
    stage = Stage("square", 6, 5.0)
    near, far = of_class(stage.actors, "person")[:2]
    stage.states.update(in_a_row(stage, (near, far), 0.8))
    _, (alone,) = stage.draw(0, [far])
    _, both = stage.draw(0, [near, far])
    seen = {one.id: one for one in both}
    assert alone.visible > 0.98
    assert 0 < seen[far].visible < 0.8
    assert seen[near].visible > 0.98
    # Its box is that of the whole silhouette, hidden or not.
    assert seen[far].box == alone.box
    # What the truth says of it is what can be counted in the picture.
    whole = (stage.alpha([far]) >= DRAWN).sum()
    hidden = ((stage.alpha([far]) >= DRAWN) & (stage.alpha([near]) >= DRAWN)).sum()
    assert seen[far].visible == pytest.approx(1 - hidden / whole, abs=0.03)


def test_a_tree_before_somebody_hides_them() -> None:
    scene = Scene("street", 2, WIDTH, HEIGHT)
    seen = [one for number in (0, 50) for one in scene.frame(number)[1]]
    trees = [prop for prop in SCENES["street"](2).props if prop.kind == "tree"]
    assert trees
    assert any(one.visible < 0.5 for one in seen)
    assert any(one.visible > 0.98 for one in seen)


def test_parked_cars_are_there_in_every_frame_and_stand() -> None:
    scene = Scene("street", 1, 320, 180, 5)
    first, later = ({one.id: one for one in scene.frame(n)[1]} for n in (0, 50))
    parked = sum(prop.kind == "parked" for prop in SCENES["street"](1).props)
    still = [one for key, one in first.items() if key in later and one.box == later[key].box]
    assert sum(one.cls == "car" and one.speed == 0 for one in still) >= parked - 2
    assert all(later[one.id].position == one.position for one in still)


def test_a_box_stands_where_its_object_stands() -> None:
    scene = Scene("square", 2, WIDTH, HEIGHT)
    _, objects = scene.frame(60)
    near = [one for one in objects if one.cls == "person" and 20 < one.box[3] - one.box[1] < 100]
    assert len(near) > 4
    for one in near:
        if one.box[3] < HEIGHT and one.box[0] > 0 and one.box[2] < WIDTH:
            foot = scene.camera.spot((one.box[0] + one.box[2]) / 2, one.box[3])
            assert np.hypot(foot[0] - one.position[0], foot[1] - one.position[1]) < 1.2
