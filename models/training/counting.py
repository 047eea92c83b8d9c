"""How well a camera counts with a model: the real pipeline on a scene, against the truth."""

from collections import Counter
from typing import NamedTuple

from citynerve.messages import Crossing
from edge.camera.capture import Frame
from edge.camera.config import CameraConfig, LineConfig
from edge.camera.detect import Detector
from edge.camera.pipeline import Pipeline
from edge.inference import Session
from models.load import Model
from models.training.network import CLASSES
from simulators.scene import Scene
from simulators.scene.truth import Crossed, Events

Key = tuple[str, str, str]
"""Line, direction, class."""


class Counts(NamedTuple):
    """Crossings of a scene's lines, as they were and as they were counted."""

    truth: Counter[Key]
    counted: Counter[Key]

    @property
    def wrong(self) -> int:
        """How many were missed or counted for nothing, by line, direction and class."""
        return sum(abs(self.truth[key] - self.counted[key]) for key in self.truth | self.counted)


def count(model: Model, scene: Scene, seconds: float) -> Counts:
    """Let a camera with this model count what passes a scene's lines.

    Args:
        model: The detector.
        scene: At its beginning.
        seconds: Of the scene.
    """
    camera = CameraConfig(
        name=scene.name,
        source="scene",
        model=model.name,
        lines=tuple(
            LineConfig(
                name=line.name, from_=line.from_, to=line.to, left=line.left, right=line.right
            )
            for line in scene.lines
        ),
    )
    detector = Detector(Session(model), model.manifest, CLASSES)
    pipeline = Pipeline(camera, detector, CLASSES, model.manifest.thresholds.score)
    events = Events(scene.lines, scene.zones, scene.camera.width, scene.camera.height)
    counts = Counts(Counter(), Counter())
    for number in range(round(seconds * scene.fps)):
        picture, objects = scene.frame(number)
        t = round(1000 * number / scene.fps)
        counts.truth.update(
            (one.line, one.direction, one.cls)
            for one in events.observe(t, objects)
            if isinstance(one, Crossed)
        )
        counts.counted.update(
            (one.line, one.direction, one.cls)
            for one in pipeline.look(Frame(t, picture)).items
            if isinstance(one, Crossing)
        )
    return counts
