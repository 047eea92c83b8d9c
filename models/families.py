"""The families of detectors whose outputs can be decoded, and how a graph is recognised as one.

To add a family: a decoder in ``models/decoders``, its signature here, its name in the manifest.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from citynerve.errors import ConfigError
from models.graph import FLOAT32, Graph, Value
from models.manifest import FAMILIES, Family, Manifest

Triple = tuple[float, float, float]
IMAGENET_MEAN: Final[Triple] = (123.675, 116.28, 103.53)
IMAGENET_STD: Final[Triple] = (58.395, 57.12, 57.375)
NO_MEAN: Final = (0.0, 0.0, 0.0)
NO_STD: Final = (1.0, 1.0, 1.0)
PICODET_STRIDES: Final = (8, 16, 32, 64)

_CHANNELS: Final = 3
_SIDES: Final = 4


class Shape(NamedTuple):
    """What the graph of a detector tells: its family, input size in pixels, number of classes."""

    family: Family
    width: int
    height: int
    classes: int
    mean: Triple
    std: Triple


def recognise(graph: Graph, *, file: str) -> Shape:
    """The family that a graph belongs to.

    Raises:
        ConfigError: To none; says what the graph lacks.
    """
    width, height = _picture(graph, file)
    for signature in _SIGNATURES:
        shape = signature(graph, width, height)
        if shape is not None:
            return shape
    raise ConfigError(
        f"is no detector that can be decoded: its outputs are {_describe(graph.outputs)}",
        file=file,
        fix=f"use a model of the family {', '.join(FAMILIES)}; picodet gives, for each stride of"
        f" {', '.join(map(str, PICODET_STRIDES))}, scores [1, cells, classes] and then as many"
        " distance distributions [1, cells, 4 x bins]; plain gives scores [1, n, classes] and boxes"
        " [1, n, 4]: left, top, right, bottom in pixels of the input",
    )


def check(manifest: Manifest, graph: Graph, *, file: str, source: str) -> None:
    """Make sure that a graph is what its manifest says.

    Args:
        manifest: It.
        graph: Of the model.
        file: The model's, for messages.
        source: The manifest's file, for messages.

    Raises:
        ConfigError: It is of another family, size or number of classes.
    """
    shape = recognise(graph, file=file)
    labels = len(manifest.label_names())
    said = (manifest.family, manifest.input.width, manifest.input.height, labels)
    for key, says, has in zip(
        ("family", "input.width", "input.height", "labels"), said, shape, strict=False
    ):
        if says != has:
            raise ConfigError(
                f"does not fit {file}, where it is {has}",
                file=source,
                key=key,
                value=says,
                fix="correct the manifest, or name the file that it describes",
            )


def _picture(graph: Graph, file: str) -> tuple[int, int]:
    if len(graph.inputs) == 1:
        shape = graph.inputs[0].shape or ()
        if (
            graph.inputs[0].element == FLOAT32
            and len(shape) == 1 + _CHANNELS
            and shape[0] in (1, None)
            and shape[1] == _CHANNELS
        ):
            height, width = shape[2:]
            if height is not None and width is not None:
                return width, height
    raise ConfigError(
        f"is no detector that can be fed: it takes {_describe(graph.inputs)}, not one float"
        " picture [1, 3, height, width] of a fixed size",
        file=file,
        fix="export it with a fixed input size and without preprocessing in the graph",
    )


def _picodet(graph: Graph, width: int, height: int) -> Shape | None:
    levels = len(PICODET_STRIDES)
    shapes = [value.shape for value in graph.outputs]
    if len(shapes) != 2 * levels or any(s is None or len(s) != _CHANNELS for s in shapes):
        return None
    cells = [-(-height // stride) * -(-width // stride) for stride in PICODET_STRIDES]
    sizes = [shape[1:] for shape in shapes if shape is not None]
    classes, bins = sizes[0][1], sizes[levels][1]
    if classes is None or bins is None or bins % _SIDES:
        return None
    fits = sizes == [(n, classes) for n in cells] + [(n, bins) for n in cells]
    return Shape("picodet", width, height, classes, IMAGENET_MEAN, IMAGENET_STD) if fits else None


def _plain(graph: Graph, width: int, height: int) -> Shape | None:
    shapes = [value.shape for value in graph.outputs]
    if len(shapes) != len(("scores", "boxes")) or any(
        shape is None or len(shape) != _CHANNELS for shape in shapes
    ):
        return None
    scores, boxes = (shape[1:] for shape in shapes if shape is not None)
    classes = scores[1]
    if classes is None or boxes[1] != _SIDES or scores[0] != boxes[0]:
        return None
    return Shape("plain", width, height, classes, NO_MEAN, NO_STD)


_SIGNATURES: Final[Sequence[Callable[[Graph, int, int], Shape | None]]] = (_picodet, _plain)


def _describe(values: Sequence[Value]) -> str:
    def one(value: Value) -> str:
        dims = "?" if value.shape is None else ", ".join(str(d or "?") for d in value.shape)
        return f"{value.name}[{dims}]"

    return ", ".join(map(one, values)) or "none"
