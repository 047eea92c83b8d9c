"""A scene as others use it: frames by number, and what is in them."""

import random
from collections.abc import Callable, Mapping
from typing import Final

from simulators.scene import backdrop, crossing, look, square, street, vehicles
from simulators.scene.backdrop import Parked
from simulators.scene.camera import Camera, Pixels, Spot
from simulators.scene.layout import Layout
from simulators.scene.look import Light, Weather
from simulators.scene.render import Renderer
from simulators.scene.sensor import Sensor
from simulators.scene.truth import Header, Object, SceneLine, SceneZone
from simulators.scene.world import Actor, State, World

SCENES: Final[Mapping[str, Callable[[int], Layout]]] = {
    "street": street.layout,
    "crossing": crossing.layout,
    "square": square.layout,
}
"""Name to what lays it out by a seed."""


class Scene:
    """A rendered scene; the same at every run for the same name, seed and frame number.

    Args:
        name: One of :data:`SCENES`.
        seed: Chooses houses, trees, the camera's stand, and who comes when.
        width: Of the picture, pixels.
        height: Of the picture, pixels.
        fps: Frames a second.
        light: The hour.
        weather: The weather.

    Attributes:
        lines: Counting lines, in shares of the picture.
        zones: Zones, in shares of the picture.
        camera: Projects metres into the picture and back.
    """

    def __init__(
        self,
        name: str,
        seed: int,
        width: int = 640,
        height: int = 360,
        fps: float = 25.0,
        *,
        light: Light = "day",
        weather: Weather = "clear",
    ) -> None:
        self.name = name
        self.seed = seed
        self.fps = fps
        self.light = light
        self.weather = weather
        self._layout = SCENES[name](seed)
        self.camera = Camera(self._layout.stand, width, height)
        self.lines = tuple(
            SceneLine(
                line.name, self._share(line.from_), self._share(line.to), line.left, line.right
            )
            for line in self._layout.lines
        )
        self.zones = tuple(
            SceneZone(zone.name, tuple(self._share(point) for point in zone.points))
            for zone in self._layout.zones
        )
        self._world: World | None = None
        self._renderers: dict[Light, tuple[Renderer, Sensor]] = {}

    def frame(self, number: int, light: Light | None = None) -> tuple[Pixels, list[Object]]:
        """Frame ``number``, height x width x 3 (blue, green, red), and all that is in it.

        Going back, or far ahead, takes as long as all that happens until then.

        Args:
            number: From 0.
            light: Another hour than the scene's own.
        """
        t = number / self.fps
        world = self._world
        if world is None or world.behind(t):
            world = self._world = World(
                self._layout, self.name, self.seed, rain=self.weather == "rain"
            )
        states = world.at(t)
        renderer, sensor = self._renderer(light or self.light, world)
        picture, objects = renderer.frame(t, world.actors, states, world.signals(t))
        return sensor.take(picture, number), objects

    def header(self, start: int) -> Header:
        """The first line of a truth file; ``start`` is the time of frame 0, ms since 1970 UTC."""
        return Header(
            self.name,
            self.seed,
            self.fps,
            self.camera.width,
            self.camera.height,
            start,
            self.light,
            self.weather,
            self.lines,
            self.zones,
            tuple((float(a), float(b), float(c)) for a, b, c in self.camera.to_ground),
        )

    def _share(self, spot: Spot) -> Spot:
        x, y = self.camera.pixel(*spot)
        across, down = x / self.camera.width, y / self.camera.height
        return round(min(1.0, max(0.0, across)), 4), round(min(1.0, max(0.0, down)), 4)

    def _renderer(self, light: Light, world: World) -> tuple[Renderer, Sensor]:
        if light not in self._renderers:
            shown = look.look(light, self.weather, *self._layout.sun)
            parked: list[Parked] = []
            standing: dict[int, tuple[Actor, State]] = {}
            for number, prop in world.parked:
                actor = vehicles.car(random.Random(f"{self.name}/{self.seed}/{number}"))
                parked.append(Parked(number, prop.x, prop.y, prop.heading, actor))
                standing[number] = (
                    actor,
                    State(prop.x, prop.y, prop.heading, 0.0, 0.0, braking=False),
                )
            painted = backdrop.make(self._layout, self.camera, shown, self.seed, tuple(parked))
            sensor = Sensor(shown, self.camera.width, self.camera.height, self.seed)
            self._renderers[light] = Renderer(painted, standing), sensor
        return self._renderers[light]
