"""The manifest of a detector: where its weights are, what it takes, what its outputs mean.

::

    file = "picodet_s_320_coco.onnx"    # beside the manifest, in the current folder or in
                                        # a folder of CITYNERVE_MODELS
    sha256 = "d7852a15..."              # optional, but only then is the file what you think
    source = "https://..."              # where it came from, for people
    licence = "Apache-2.0"
    family = "picodet"                  # which decoder reads the outputs
    labels = "coco80"                   # or a list, in the model's order

    [input]
    width = 320
    height = 320
    colour = "rgb"                      # the order of the channels: "rgb" or "bgr"
    resize = "stretch"                  # or "letterbox": keep the aspect, pad right and bottom
    mean = [123.675, 116.28, 103.53]    # (pixel - mean) / std, pixels from 0 to 255, in the
    std = [58.395, 57.12, 57.375]       # order of the channels

    [thresholds]
    score = 0.5                         # from here on a detection may begin a track
    low = 0.15                          # from here on it may continue one
    overlap = 0.6                       # of two boxes that overlap more, the better one stays

    [classes]                           # optional: what counts as what; labels not named here are
    person = ["person"]                 # not looked at
    car = ["car", "van"]
"""

from pathlib import Path
from typing import Annotated, Final, Literal

from msgspec import Meta, field

from citynerve import config
from citynerve.config import Config
from citynerve.errors import ConfigError
from citynerve.topics import NAME_PATTERN, is_name
from models.labels import CITY_CLASSES, LABEL_SETS

Share = Annotated[float, Meta(gt=0, lt=1)]
Pixels = Annotated[int, Meta(ge=32, le=4096)]
Scale = Annotated[float, Meta(gt=0)]
Family = Literal["picodet", "plain"]
FAMILIES: Final[tuple[Family, ...]] = ("picodet", "plain")

_CLASS_FIX: Final = f"a class is a name like person or cargo-bike: {NAME_PATTERN}"


class Input(Config):
    """How a picture becomes the model's input."""

    width: Pixels
    height: Pixels
    colour: Literal["rgb", "bgr"] = "rgb"
    resize: Literal["stretch", "letterbox"] = "stretch"
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[Scale, Scale, Scale] = (1.0, 1.0, 1.0)


class Thresholds(Config):
    """Least scores, and the greatest overlap (intersection over union) of two of one class."""

    score: Share = 0.5
    low: Share = 0.15
    overlap: Share = 0.6


Labels = Annotated[tuple[str, ...], Meta(min_length=1)]


class Manifest(Config):
    """A detector, as far as its file does not tell it by itself."""

    file: Annotated[str, Meta(min_length=1)]
    family: Family
    input: Input
    labels: tuple[str, ...] | str = "coco80"
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")] | None = None
    source: str = ""
    licence: str = ""
    thresholds: Thresholds = field(default_factory=Thresholds)
    classes: dict[str, Labels] = field(default_factory=dict)

    def label_names(self) -> tuple[str, ...]:
        """The labels in the model's order."""
        return LABEL_SETS[self.labels] if isinstance(self.labels, str) else self.labels

    def city_classes(self) -> dict[str, tuple[str, ...]]:
        """Class -> labels that count as it: those given, else the labels that bear its name."""
        if self.classes:
            return self.classes
        return {name: (name,) for name in CITY_CLASSES if name in self.label_names()}


def read(path: Path) -> Manifest:
    """The manifest in a TOML file.

    Raises:
        ConfigError: It is missing or wrong.
    """
    manifest = config.load(path, Manifest)
    check(manifest, file=str(path))
    return manifest


def check(manifest: Manifest, *, file: str) -> None:
    """Check what the types cannot say; ``file`` is for the message.

    Raises:
        ConfigError: Names the key.
    """
    if isinstance(manifest.labels, str) and manifest.labels not in LABEL_SETS:
        known = ", ".join(map(repr, LABEL_SETS))
        raise ConfigError(
            "no such set of labels",
            file=file,
            key="labels",
            value=manifest.labels,
            fix=f"write {known}, or a list of labels in the model's order",
        )
    if manifest.thresholds.low > manifest.thresholds.score:
        raise ConfigError(
            "is above thresholds.score",
            file=file,
            key="thresholds.low",
            value=manifest.thresholds.low,
            fix=f"choose at most {manifest.thresholds.score}",
        )
    for name, labels in manifest.city_classes().items():
        if not is_name(name):
            raise ConfigError("is no name", file=file, key="classes", value=name, fix=_CLASS_FIX)
        for label in labels:
            if label not in manifest.label_names():
                raise ConfigError(
                    "is no label of this model",
                    file=file,
                    key=f"classes.{name}",
                    value=label,
                    fix=f"it has: {', '.join(manifest.label_names())}",
                )
    if not manifest.city_classes():
        raise ConfigError(
            "none of the labels is something that a city counts",
            file=file,
            key="classes",
            fix=f"say which labels count as {', '.join(CITY_CLASSES)}, or as classes of your own",
        )
