"""PicoDet on real footage, against what a person counts in the pictures.

vtest.avi, 768 x 576, 795 frames. People in the picture, those behind the sign and at the edges
included, counted in single frames:

    frame   50  150  250  350  450  550  650  750
    people   6    9    7    6    3    6    6    8

A parked van, and beside it a car, stand there throughout.

Who passes the upright line at three tenths of the width (x = 230 pixels), counted in the stack of
that one column of all frames and in the frames around each passage:

    to the left    180 light blue jacket, 201 padded jacket, 246 brown jacket, 306 black jacket,
                   523 red jacket, 545 red and blue jacket, 556 fair hair, 592 brown jacket,
                   671 black jacket, 673 fair hair again, 709 blue jacket
    to the right   307 grey hair, 325 black jacket, 578 red and blue jacket, 586 fair hair,
                   650 red jacket, 670 brown jacket, 709 black jacket, 757 fair hair again

She with the fair hair never leaves the picture between, so that her second passages do not count: a
track counts once for each direction. That leaves 10 to the left and 7 to the right.

one-by-one-person-detection.mp4, 768 x 432, 1394 frames. Six people come to a table, each after the
other has gone; seen in every fortieth frame:

    someone   80-190, 240-450, 510-700, 750-870, 930-1190, 1240-1350
    nobody    0, 40, 480, 720, 900 (and between the spans above)
"""

from pathlib import Path
from statistics import mean
from typing import Any

import pytest

from citynerve.config import convert
from edge.camera.config import CameraConfig
from edge.camera.detect import Detector
from edge.camera.pipeline import Pipeline, Seen
from edge.camera.recording import Recording
from edge.inference import Session
from models.load import load

# Two thousand inferences, with whatever else keeps the machine busy.
pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

PEOPLE = {50: 6, 150: 9, 250: 7, 350: 6, 450: 3, 550: 6, 650: 6, 750: 8}
TO_LEFT, TO_RIGHT = 10, 7
ALONE = (120, 320, 600, 800, 1040, 1280)
NOBODY = (0, 40, 480, 720, 900)


def look(samples: Path, video: str, **camera: Any) -> tuple[tuple[str, ...], list[Seen]]:  # noqa: ANN401
    table = {"name": "c", "source": video, "model": "m", **camera}
    config = convert(table, CameraConfig, file="test")
    model = load(str(samples / "models" / "picodet_s_320_coco.onnx"), Path("/"))
    classes = tuple(model.manifest.city_classes())
    detector = Detector(Session(model), model.manifest, classes)
    pipeline = Pipeline(config, detector, classes, model.manifest.thresholds.score)
    recording = Recording(samples / "footage" / video, start=0, fps=None, loop=False)
    recording.open(0)
    seen = []
    while (frame := recording.read(0)) is not None:
        seen.append(pipeline.look(frame))
    return classes, seen


def test_walkers_on_a_path(samples: Path) -> None:
    line = {"name": "path", "from": [0.3, 0.26], "to": [0.3, 1.0], "left": "east", "right": "west"}
    classes, seen = look(samples, "vtest.avi", lines=[line])
    assert len(seen) == 795

    person, car, truck = (classes.index(name) for name in ("person", "car", "truck"))
    counts = [[track.cls for track in one.tracks] for one in seen]
    found = {frame: counts[frame].count(person) for frame in PEOPLE}
    assert all(abs(found[frame] - people) <= 2 for frame, people in PEOPLE.items()), found
    assert mean(found.values()) == pytest.approx(mean(PEOPLE.values()), abs=1)

    parked = {
        cls: {track.id for one in seen for track in one.tracks if track.cls == cls}
        for cls in (car, truck)
    }
    assert all(len(ids) <= 2 for ids in parked.values()), parked

    directions = [passage.direction for one in seen for passage in one.passages]
    assert abs(directions.count("west") - TO_LEFT) <= 1
    assert abs(directions.count("east") - TO_RIGHT) <= 1


def test_one_person_at_a_time(samples: Path) -> None:
    classes, seen = look(samples, "one-by-one-person-detection.mp4")
    assert len(seen) == 1394
    people = [{track.id for track in one.tracks if classes[track.cls] == "person"} for one in seen]
    assert {frame: len(people[frame]) for frame in ALONE} == dict.fromkeys(ALONE, 1)
    assert {frame: len(people[frame]) for frame in NOBODY} == dict.fromkeys(NOBODY, 0)
    assert max(map(len, people)) == 1
    assert len(set().union(*people)) == len(ALONE)
