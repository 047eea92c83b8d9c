"""Average precision of detections, as PASCAL VOC defines it from 2010 on.

Everingham et al. 2015, "The PASCAL Visual Object Classes Challenge: A Retrospective", section 4.2
(https://doi.org/10.1007/s11263-014-0733-5), and the development kit of VOC 2012, section 3.4.1 and
``VOCevaldet.m``: detections of a class in the order of their scores, over all pictures; each is
right if the object of that class in its picture that it overlaps most overlaps it by at least half
(intersection over union) and has not been found before; one whose best object is not judged
("difficult") counts neither way; precision is made to fall with growing recall, and the area under
it is taken exactly. The mean over classes (mAP@0.5) is COCO's AP50 but for COCO's 101 points.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.decoders.boxes import Boxes, overlaps
from models.training.targets import Objects

OVERLAP: Final = 0.5


class Verdicts(NamedTuple):
    """What became of one class: each judged detection, best score first, and how many objects.

    ``right`` [detections] says which of them found an object.
    """

    scores: NDArray[np.float32]
    right: NDArray[np.bool_]
    objects: int


def judge(
    found: Sequence[Boxes], truth: Sequence[Objects], cls: int, least: float = OVERLAP
) -> Verdicts:
    """Match the detections of one class with the truth, picture by picture.

    Args:
        found: Of each picture, in the pixels of ``truth``.
        truth: Of each picture.
        cls: The class.
        least: Intersection over union from which on an object is found.
    """
    scores, right = [], []
    objects = 0
    for boxes, all_objects in zip(found, truth, strict=True):
        rows = all_objects.classes == cls
        ignored = all_objects.ignored[rows]
        objects += int((~ignored).sum())
        mine = boxes.take(np.flatnonzero(boxes.labels == cls))
        mine = mine.take(np.argsort(-mine.scores, kind="stable"))
        kept, good = _match(mine, all_objects.boxes[rows], ignored, least)
        scores.append(mine.scores[kept])
        right.append(good)
    every = np.concatenate(scores) if scores else np.empty(0, np.float32)
    order = np.argsort(-every, kind="stable")
    hits = np.concatenate(right) if right else np.empty(0, bool)
    return Verdicts(every[order], hits[order], objects)


def average_precision(verdicts: Verdicts) -> float:
    """The area under the curve of precision over recall; NaN where there is no object."""
    if not verdicts.objects:
        return float("nan")
    hits = np.cumsum(verdicts.right)
    recall = hits / verdicts.objects
    precision = hits / np.arange(1, len(hits) + 1)
    falling = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(recall, prepend=0.0) * falling))


def at_score(verdicts: Verdicts, score: float) -> tuple[float, float]:
    """Precision and recall of the detections that score at least ``score``."""
    taken = verdicts.right[verdicts.scores >= score]
    precision = float(taken.mean()) if len(taken) else float("nan")
    recall = float(taken.sum()) / verdicts.objects if verdicts.objects else float("nan")
    return precision, recall


def _match(
    mine: Boxes,
    objects: NDArray[np.float32],
    ignored: NDArray[np.bool_],
    least: float,
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Which of the sorted detections are judged, and which of those are right."""
    shares = overlaps(mine.xyxy, objects)
    free = np.ones(len(objects), bool)
    kept, right = [], []
    for row in range(len(mine.scores)):
        best = int(shares[row].argmax()) if len(objects) else -1
        hit = best >= 0 and shares[row, best] >= least
        if hit and ignored[best]:
            continue
        kept.append(row)
        right.append(bool(hit and free[best]))
        if hit:
            free[best] = False
    return np.array(kept, np.int64), np.array(right, bool)
