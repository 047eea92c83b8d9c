"""How good a model is on pictures it has not learned from: average precision, by class and kind."""

import time
from collections.abc import Callable, Iterator, Sequence
from statistics import median
from typing import Final, NamedTuple

import numpy as np
from msgspec import structs

from edge.camera.detect import Detector
from edge.inference import Session
from models.decoders.boxes import Boxes
from models.load import Model
from models.training.network import CLASSES, HEIGHT, WIDTH
from models.training.precision import Verdicts, at_score, average_precision, judge
from models.training.samples import Run, Stored
from models.training.targets import Objects

LEAST: Final = 0.03
"""Scores below are not looked at: they could only add to the curve's flat end."""
KINDS: Final[dict[str, Callable[[Run], str]]] = {
    "scene": lambda run: run.name,
    "light": lambda run: run.light,
    "weather": lambda run: run.weather,
    "picture": lambda run: f"{run.width} x {run.height}",
}


class Row(NamedTuple):
    """Average precision of some pictures by class, and their mean; NaN where there is no object.

    Attributes:
        kind: Which pictures.
        pictures: How many.
        objects: How many are judged, by class.
        precisions: By class.
    """

    kind: str
    pictures: int
    objects: tuple[int, ...]
    precisions: tuple[float, ...]

    @property
    def mean(self) -> float:
        """MAP@0.5."""
        return float(np.nanmean(self.precisions))


class Result(NamedTuple):
    """All of a split.

    Attributes:
        rows: The whole first, then by scene, light, weather and size of picture.
        working: Precision and recall by class at the score that begins a track.
        milliseconds: Median time of one picture, from pixels to suppressed boxes.
    """

    rows: list[Row]
    working: list[tuple[float, float]]
    milliseconds: float


def detections(model: Model, stored: Stored) -> tuple[list[Boxes], float]:
    """What the model finds in each picture, as a camera would, and the median time in ms."""
    manifest = structs.replace(
        model.manifest, thresholds=structs.replace(model.manifest.thresholds, low=LEAST)
    )
    detector = Detector(Session(model), manifest, CLASSES)
    sides = np.array([WIDTH, HEIGHT, WIDTH, HEIGHT], np.float32)
    found, times = [], []
    for picture in stored.pictures:
        began = time.perf_counter()
        boxes, scores, classes = detector.detect(picture)
        times.append(time.perf_counter() - began)
        found.append(Boxes(boxes * sides, scores, classes))
    return found, median(times) * 1000


def evaluate(model: Model, stored: Stored) -> Result:
    """Measure a model on a split."""
    found, milliseconds = detections(model, stored)
    truth = [stored.objects(number) for number in range(len(stored))]
    rows = [row("all", found, truth)]
    for kind, of in KINDS.items():
        names = np.array([of(run) for run in stored.run_of])
        rows += [
            row(
                f"{kind}: {name}",
                [found[number] for number in np.flatnonzero(names == name)],
                [truth[number] for number in np.flatnonzero(names == name)],
            )
            for name in sorted(set(names.tolist()))
        ]
    score = model.manifest.thresholds.score
    working = [at_score(verdicts, score) for verdicts in _verdicts(found, truth)]
    return Result(rows, working, milliseconds)


def row(kind: str, found: Sequence[Boxes], truth: Sequence[Objects]) -> Row:
    """Average precision of some pictures."""
    verdicts = _verdicts(found, truth)
    return Row(
        kind,
        len(truth),
        tuple(one.objects for one in verdicts),
        tuple(average_precision(one) for one in verdicts),
    )


def table(result: Result) -> Iterator[str]:
    """The rows as a table in Markdown."""
    yield f"| pictures | number | {' | '.join(CLASSES)} | mAP@0.5 |"
    yield "|---|---:|" + "---:|" * (len(CLASSES) + 1)
    for one in result.rows:
        cells = [f"{value:.3f}" if value == value else "-" for value in one.precisions]  # noqa: PLR0124 NaN
        yield f"| {one.kind} | {one.pictures} | {' | '.join(cells)} | {one.mean:.3f} |"


def _verdicts(found: Sequence[Boxes], truth: Sequence[Objects]) -> list[Verdicts]:
    return [judge(found, truth, cls) for cls in range(len(CLASSES))]
