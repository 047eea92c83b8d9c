"""From a picture to detections: scale, infer, decode, suppress, and count only city classes."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.inference import Session
from models.decoders.boxes import Boxes, Decoder, Floats, Indices, suppress
from models.decoders.picodet import PicoDet
from models.decoders.plain import Plain
from models.families import PICODET_STRIDES
from models.manifest import Input, Manifest

Picture = NDArray[np.uint8]
"""Height x width x 3, blue, green, red, as OpenCV gives it."""

_LEVELS = 256


class Detections(NamedTuple):
    """What was found in one frame, best score first.

    ``boxes`` holds left, top, right, bottom as shares of the picture's width and height,
    ``classes`` positions in the list of classes that the detector was made for.
    """

    boxes: Floats
    scores: Floats
    classes: Indices


class Detector:
    """Finds the wanted classes in pictures.

    Args:
        session: The model, ready to run.
        manifest: What the model takes and gives.
        classes: The classes wanted, of those that the manifest knows.
    """

    def __init__(self, session: Session, manifest: Manifest, classes: tuple[str, ...]) -> None:
        self._session = session
        self._thresholds = manifest.thresholds
        self._scaler = Scaler(manifest.input)
        labels = manifest.label_names()
        members = manifest.city_classes()
        self._class_of = np.full(len(labels), -1, np.int64)
        for number, name in enumerate(classes):
            self._class_of[[labels.index(label) for label in members[name]]] = number
        self._decoder = _decoder(manifest, np.flatnonzero(self._class_of >= 0))

    def detect(self, picture: Picture) -> Detections:
        """All that scores at least the manifest's ``thresholds.low``."""
        tensor = self._scaler.scale(picture)
        found = self._decoder.decode(self._session.run(tensor), self._thresholds.low)
        # Two labels that count as one class (car, van) must not give one car twice.
        merged = Boxes(found.xyxy, found.scores, self._class_of[found.labels])
        kept = suppress(merged, self._thresholds.overlap)
        return Detections(self._scaler.shares(kept.xyxy, picture), kept.scores, kept.labels)


def _decoder(manifest: Manifest, wanted: Indices) -> Decoder:
    size = manifest.input.width, manifest.input.height
    match manifest.family:
        case "picodet":
            return PicoDet(*size, PICODET_STRIDES, wanted.tolist())
        case "plain":
            return Plain(*size, wanted.tolist())


class Scaler:
    """Turns pictures into a model's input, in buffers that are used again for each.

    Args:
        to: The model's input.
    """

    def __init__(self, to: Input) -> None:
        self._to = to
        self._small: Picture = np.zeros((to.height, to.width, 3), np.uint8)
        self._tensor: Floats = np.zeros((1, 3, to.height, to.width), np.float32)
        # Each of the 256 levels of a channel has one value: looking it up beats computing it.
        levels = np.arange(_LEVELS, dtype=np.float32)
        self._tables = [
            ((levels - mean) / std).astype(np.float32)
            for mean, std in zip(to.mean, to.std, strict=True)
        ]
        self._order = (2, 1, 0) if to.colour == "rgb" else (0, 1, 2)

    def fit(self, picture: Picture) -> Picture:
        """The picture in the size of the model's input; valid until the next call."""
        width, height = self._inside(picture)
        cv2.resize(picture, (width, height), dst=self._small[:height, :width])
        return self._small

    def scale(self, picture: Picture) -> Floats:
        """The model's input; valid until the next call."""
        channels = cv2.split(self.fit(picture))
        for number, channel in enumerate(self._order):
            cv2.LUT(channels[channel], self._tables[number], dst=self._tensor[0, number])
        return self._tensor

    def shares(self, xyxy: Floats, picture: Picture) -> Floats:
        """Boxes in pixels of the model's input as shares of the picture's sides."""
        width, height = self._inside(picture)
        sides = np.array([width, height, width, height], np.float32)
        boxes: Floats = np.minimum(xyxy / sides, np.float32(1))
        return boxes

    def _inside(self, picture: Picture) -> tuple[int, int]:
        """Width and height that the picture takes in the model's input."""
        if self._to.resize == "stretch":
            return self._to.width, self._to.height
        height, width = picture.shape[:2]
        factor = min(self._to.width / width, self._to.height / height)
        return max(1, round(width * factor)), max(1, round(height * factor))
