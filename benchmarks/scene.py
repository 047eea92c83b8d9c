"""How fast camera scenes are rendered, with their truth: ``python -m benchmarks.scene [--json]``.

Frames a second of CPU time on one thread, at 640x360: the world's steps, the picture, weather and
noise, boxes, visible shares, and crossings and stays. Building a scene is timed apart. The goal is
60 frames a second in every scene.
"""

import argparse
import json
import sys
import time
from typing import Final, NamedTuple, cast

import cv2

from simulators.scene import SCENES, Scene
from simulators.scene.look import Light, Weather
from simulators.scene.truth import Events

_GOAL: Final = 60.0
_FPS: Final = 25.0
_LOOKS: Final = (("day", "clear"), ("dusk", "rain"), ("night", "clear"), ("night", "rain"))


class Result(NamedTuple):
    """One scene in one look; ``build`` in seconds, ``fps`` of CPU time."""

    scene: str
    light: str
    weather: str
    objects: float
    build: float
    fps: float


def measure(name: str, light: Light, weather: Weather, frames: int, seed: int) -> Result:
    """Render ``frames`` frames after the first."""
    began = time.process_time()
    scene = Scene(name, seed, 640, 360, _FPS, light=light, weather=weather)
    scene.frame(0)
    built = time.process_time()
    events = Events(scene.lines, scene.zones, 640, 360)
    objects = 0
    for number in range(1, frames + 1):
        _, found = scene.frame(number)
        events.observe(round(number * 1000 / _FPS), found)
        objects += len(found)
    spent = time.process_time() - built
    return Result(name, light, weather, objects / frames, built - began, frames / spent)


def main() -> int:
    """Print a table, or JSON; 1 if the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--frames", type=int, default=250)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    results = [
        measure(name, cast("Light", light), cast("Weather", weather), asked.frames, asked.seed)
        for name in SCENES
        for light, weather in _LOOKS
    ]
    if asked.json:
        print(json.dumps([result._asdict() for result in results], indent=2))
    else:
        print(f"{'scene':10} {'light':6} {'weather':8} {'objects':>8} {'build':>8} {'frames/s':>9}")
        for one in results:
            print(
                f"{one.scene:10} {one.light:6} {one.weather:8} {one.objects:8.1f}"
                f" {one.build:6.2f} s {one.fps:9.1f}"
            )
    return 0 if min(result.fps for result in results) >= _GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
