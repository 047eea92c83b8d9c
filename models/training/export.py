"""The trained network as an ONNX file of the family ``plain``: pixels in, boxes in pixels out."""

from pathlib import Path
from typing import Final

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from citynerve.version import VERSION
from models.training import network
from models.training.compute import EPSILON
from models.training.network import CELL, CLASSES, HEIGHT, REACH, SIDES, STEEPEST, WIDTH, Floats

OPSET: Final = 17
_IR: Final = 8
_LEVELS: Final = 255.0


class _Graph:
    """Writes the operations down; its maps are the names of tensors."""

    def __init__(self, weights: dict[str, Floats], moments: dict[str, Floats]) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self._weights = weights
        self._moments = moments

    def conv(
        self,
        name: str,
        x: str,
        size: tuple[int, int, int],
        stride: int = 1,
        *,
        last: bool = False,
    ) -> str:
        kernel, bias = self._weights[f"{name}/kernel"], self._weights[f"{name}/bias"]
        if not last:
            variance = self._moments[f"{name}/variance"]
            factor = self._weights[f"{name}/scale"] / np.sqrt(variance + EPSILON)
            kernel, bias = kernel * factor, bias - self._moments[f"{name}/mean"] * factor
        if x == "picture":
            kernel = kernel / _LEVELS
        inputs = [
            x,
            self.constant(f"{name}/kernel", kernel.transpose(3, 2, 0, 1)),
            self.constant(f"{name}/bias", bias),
        ]
        rim = (size[0] - 1) // 2
        return self.node(
            "Conv", inputs, name, kernel_shape=[size[0]] * 2, strides=[stride] * 2, pads=[rim] * 4
        )

    def add(self, x: str, y: str) -> str:
        return self.relu(self.node("Add", [x, y]))

    def relu(self, x: str) -> str:
        return self.node("Relu", [x])

    def double(self, x: str) -> str:
        twice = self.constant("twice", np.array([1, 1, 2, 2], np.float32))
        return self.node(
            "Resize",
            [x, "", twice],
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )

    def node(
        self, kind: str, inputs: list[str], name: str = "", **attributes: int | str | list[int]
    ) -> str:
        """One operation; the name of what it gives."""
        name = name or f"{kind.lower()}{len(self.nodes)}"
        node = helper.make_node(kind, inputs, [name], name)
        node.attribute.extend(helper.make_attribute(key, it) for key, it in attributes.items())
        self.nodes.append(node)
        return name

    def constant(self, name: str, value: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> str:
        """A constant that several operations may share."""
        if all(known.name != name for known in self.constants):
            self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name


def model(
    weights: dict[str, Floats],
    moments: dict[str, Floats],
    *,
    width: int = WIDTH,
    height: int = HEIGHT,
) -> onnx.ModelProto:
    """The ONNX model for one input size; normalisation is folded into the convolutions.

    Input ``picture`` [1, 3, height, width]: blue, green, red from 0 to 255. Outputs: ``scores``
    [1, cells, classes], 0 for all cells but peaks; ``boxes`` [1, cells, 4]: left, top, right,
    bottom in pixels of the input.

    Args:
        weights: Trained.
        moments: Mean and variance to normalise each convolution by.
        width: Pixels, a multiple of 32.
        height: Pixels, a multiple of 32.
    """
    graph = _Graph(weights, moments)
    coarse = network.run(graph, "picture")
    fine = graph.node("DepthToSpace", [coarse], blocksize=2, mode="DCR")
    _scores(graph, _channels(graph, fine, 0, len(CLASSES)))
    _boxes(graph, _channels(graph, fine, len(CLASSES), len(CLASSES) + SIDES), width, height)
    cells = (width // CELL) * (height // CELL)
    made = helper.make_graph(
        graph.nodes,
        "scenes",
        [_tensor("picture", [1, 3, height, width])],
        [_tensor("scores", [1, cells, len(CLASSES)]), _tensor("boxes", [1, cells, SIDES])],
        graph.constants,
    )
    opset = helper.make_opsetid("", OPSET)
    whole = helper.make_model(
        made, opset_imports=[opset], producer_name="citynerve", producer_version=VERSION
    )
    whole.ir_version = _IR
    onnx.checker.check_model(whole, full_check=True)
    return whole


def write(path: Path, weights: dict[str, Floats], moments: dict[str, Floats]) -> None:
    """Write the model of the usual size."""
    path.write_bytes(model(weights, moments).SerializeToString(deterministic=True))


def _channels(graph: _Graph, x: str, first: int, end: int) -> str:
    # Slice(data, starts, ends, axes): channels are axis 1.
    where = [
        graph.constant(f"at{number}", np.array([number], np.int64)) for number in (first, end, 1)
    ]
    return graph.node("Slice", [x, where[0], where[1], where[2]])


def _scores(graph: _Graph, logits: str) -> None:
    scores = graph.node("Sigmoid", [logits])
    best = graph.node("MaxPool", [scores], kernel_shape=[3, 3], pads=[1] * 4)
    peak = graph.node("GreaterOrEqual", [scores, best])
    nothing = graph.constant("nothing", np.zeros(1, np.float32))
    _listed(graph, graph.node("Where", [peak, scores, nothing]), len(CLASSES), "scores")


def _boxes(graph: _Graph, figures: str, width: int, height: int) -> None:
    steepest = graph.constant("steepest", np.array(STEEPEST, np.float32))
    outwards = np.array([-1, -1, 1, 1], np.float32).reshape(1, SIDES, 1, 1) * REACH
    distances = graph.node("Exp", [graph.node("Min", [figures, steepest])])
    moves = graph.node("Mul", [distances, graph.constant("outwards", outwards)])
    y, x = np.mgrid[: height // CELL, : width // CELL]
    middle = graph.constant("centres", ((np.stack([x, y])[None] + 0.5) * CELL).astype(np.float32))
    corners = graph.node("Concat", [middle, middle], axis=1)
    _listed(graph, graph.node("Add", [corners, moves]), SIDES, "boxes")


def _listed(graph: _Graph, x: str, channels: int, name: str) -> None:
    """From [1, channels, rows, columns] to [1, cells, channels]."""
    last = graph.node("Transpose", [x], perm=[0, 2, 3, 1])
    shape = graph.constant(f"{name}/shape", np.array([1, -1, channels], np.int64))
    graph.node("Reshape", [last, shape], name)


def _tensor(name: str, shape: list[int]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
