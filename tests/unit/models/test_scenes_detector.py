"""The shipped detector finds what is in scenes that it has not learned from."""

from pathlib import Path

import numpy as np
import pytest

from edge.camera.detect import Detector
from edge.inference import Session
from models.decoders.boxes import Boxes
from models.load import load
from models.training.network import CLASSES
from models.training.precision import at_score, judge
from models.training.samples import SEEDS
from models.training.targets import Objects
from simulators.scene import SCENES, Scene

NAME = "scenes-640x384"
LEAST_VISIBLE, LEAST_HEIGHT = 0.6, 24
FRAMES = (40, 80, 120, 160)


def test_it_is_shipped_small_and_as_its_manifest_says() -> None:
    model = load(NAME, Path("/"))
    assert model.path.parent.name == "catalog"
    assert model.path.stat().st_size < 3_000_000
    assert model.manifest.sha256 == model.sha256
    assert tuple(model.manifest.city_classes()) == CLASSES
    assert (model.path.parent / f"{NAME}.md").is_file()


@pytest.mark.parametrize("name", SCENES)
def test_it_finds_who_is_there(name: str) -> None:
    model = load(NAME, Path("/"))
    detector = Detector(Session(model), model.manifest, CLASSES)
    sides = np.array([640, 360, 640, 360], np.float32)
    found, truth = [], []
    for light in ("day", "night"):
        scene = Scene(name, SEEDS["held-out"] + 900_000, 640, 360, 10, light=light)
        for number in FRAMES:
            picture, objects = scene.frame(number)
            boxes, scores, classes = detector.detect(picture)
            pixels = Boxes(boxes * sides, scores, classes)
            high = pixels.xyxy[:, 3] - pixels.xyxy[:, 1] >= LEAST_HEIGHT
            found.append(pixels.take(np.flatnonzero(high)))
            hard = [
                one.visible < LEAST_VISIBLE or one.box[3] - one.box[1] < LEAST_HEIGHT
                for one in objects
            ]
            truth.append(
                Objects(
                    np.array([one.box for one in objects], np.float32).reshape(-1, 4),
                    np.array([CLASSES.index(one.cls) for one in objects], np.int64),
                    np.array(hard, bool),
                )
            )
    score = model.manifest.thresholds.score
    there, hits, right, taken = 0, 0.0, 0, 0
    for cls in range(len(CLASSES)):
        verdicts = judge(found, truth, cls)
        sure = verdicts.scores >= score
        there += verdicts.objects
        hits += at_score(verdicts, score)[1] * verdicts.objects if verdicts.objects else 0
        right += int(verdicts.right[sure].sum())
        taken += int(sure.sum())
    assert there > 20
    assert hits / there > 0.5
    assert right / taken > 0.7
