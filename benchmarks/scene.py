"""How fast camera scenes are rendered, with their truth: ``python -m benchmarks.scene [--json]``.

Frames a second of CPU time on one thread, at 640x360: the world's steps, the picture, weather and
noise, boxes, visible shares, and crossings and stays. Building a scene is timed apart. Each run is
made several times, second by second in turns, and the least time of each second counts: what else
runs on the machine takes caches and the other half of a core from us, but adds no work. The goal is
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
_FPS: Final = 25
_SEED: Final = 1
_LOOKS: Final = (("day", "clear"), ("dusk", "rain"), ("night", "clear"), ("night", "rain"))


class Result(NamedTuple):
    """One scene in one look; ``build`` in seconds, ``fps`` of CPU time."""

    scene: str
    light: str
    weather: str
    objects: float
    build: float
    fps: float


def measure(name: str, light: Light, weather: Weather, seconds: int, rounds: int) -> Result:
    """Render some seconds after the first frame."""
    runs = []
    builds = []
    for _ in range(rounds):
        began = time.process_time()
        scene = Scene(name, _SEED, 640, 360, _FPS, light=light, weather=weather)
        scene.frame(0)
        builds.append(time.process_time() - began)
        runs.append((scene, Events(scene.lines, scene.zones, 640, 360)))
    objects = 0
    spent = 0.0
    for second in range(seconds):
        times = []
        for scene, events in runs:
            began = time.process_time()
            for number in range(second * _FPS + 1, second * _FPS + _FPS + 1):
                _, found = scene.frame(number)
                events.observe(round(number * 1000 / _FPS), found)
                objects += len(found)
            times.append(time.process_time() - began)
        spent += min(times)
    frames = seconds * _FPS
    return Result(name, light, weather, objects / frames / rounds, min(builds), frames / spent)


def main() -> int:
    """Print a table, or JSON; 1 if the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=6, help="of each scene in each look")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    results = [
        measure(name, cast("Light", light), cast("Weather", weather), asked.seconds, asked.rounds)
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
