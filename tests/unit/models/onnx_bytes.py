"""ONNX files written field by field, so that tests need no exporter, and a detector made of them.

Field numbers are those of ``onnx.proto3``.
"""

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FLOAT, INT64 = 1, 7
SIZE = 64
STRIDES = (8, 16, 32, 64)
BINS = 8


def varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def field(number: int, value: bytes | str | int) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def value_info(name: str, shape: Sequence[int | str], element: int = FLOAT) -> bytes:
    dims = b"".join(
        field(1, field(1, size) if isinstance(size, int) else field(2, size)) for size in shape
    )
    return field(1, name) + field(2, field(1, field(1, element) + field(2, dims)))


def tensor(name: str, array: NDArray[np.generic]) -> bytes:
    kind = {"f": FLOAT, "i": INT64}[array.dtype.kind]
    dims = b"".join(field(1, size) for size in array.shape)
    return dims + field(2, kind) + field(8, name) + field(9, array.tobytes())


def node(kind: str, inputs: Sequence[str], output: str, **ints: Sequence[int]) -> bytes:
    attributes = b"".join(
        field(5, field(1, name) + b"".join(field(8, one) for one in values) + field(20, 7))
        for name, values in ints.items()
    )
    sources = b"".join(field(1, name) for name in inputs)
    return sources + field(2, output) + field(4, kind) + attributes


def model(
    nodes: Sequence[bytes],
    *,
    inputs: Sequence[bytes],
    outputs: Sequence[bytes],
    weights: Sequence[bytes] = (),
) -> bytes:
    graph = b"".join(
        field(number, part)
        for number, parts in ((1, nodes), (5, weights), (11, inputs), (12, outputs))
        for part in parts
    )
    graph += field(2, "graph")
    opset = field(1, "") + field(2, 13)
    return field(1, 7) + field(2, "test") + field(8, opset) + field(7, graph)


def colour_detector(*, classes: int = 3, weights_as_inputs: bool = False) -> bytes:
    """A detector with PicoDet's outputs that finds patches of pure red, green or blue.

    The input is 64 x 64. At stride 8 the score of class 0, 1, 2 is the mean of the first, second
    and third channel over the cell; the other levels see nothing. Each box reaches 12 pixels from
    its cell's centre to every side: all the weight lies on the distances 1 and 2, half on each.
    """
    cells = [(SIZE // stride) ** 2 for stride in STRIDES]
    logits = np.full((4, BINS), -50, np.float32)
    logits[:, 1:3] = 0
    weights = {"shape": np.array([1, classes, cells[0]], np.int64)}
    nodes = [
        node("AveragePool", ["image"], "means", kernel_shape=[8, 8], strides=[8, 8]),
        node("Reshape", ["means", "shape"], "flat"),
        node("Transpose", ["flat"], "scores8", perm=[0, 2, 1]),
    ]
    for stride, count in zip(STRIDES, cells, strict=True):
        weights[f"far{stride}"] = np.tile(logits.reshape(1, 1, -1), (1, count, 1))
        nodes.append(node("Identity", [f"far{stride}"], f"distances{stride}"))
        if stride != STRIDES[0]:
            weights[f"none{stride}"] = np.zeros((1, count, classes), np.float32)
            nodes.append(node("Identity", [f"none{stride}"], f"scores{stride}"))
    outputs = [
        value_info(f"{kind}{stride}", [1, count, size])
        for kind, size in (("scores", classes), ("distances", 4 * BINS))
        for stride, count in zip(STRIDES, cells, strict=True)
    ]
    inputs = [value_info("image", [1, 3, SIZE, SIZE])]
    if weights_as_inputs:
        inputs += [
            value_info(name, array.shape, FLOAT if array.dtype.kind == "f" else INT64)
            for name, array in weights.items()
        ]
    return model(
        nodes,
        inputs=inputs,
        outputs=outputs,
        weights=[tensor(name, array) for name, array in weights.items()],
    )


def write_colour_detector(folder: Path, *, weights_as_inputs: bool = False) -> Path:
    """The detector and a manifest: red counts as a person, blue as a car, green as nothing."""
    (folder / "colours.onnx").write_bytes(colour_detector(weights_as_inputs=weights_as_inputs))
    manifest = folder / "colours.toml"
    manifest.write_text(
        f"""
        file = "colours.onnx"
        family = "picodet"
        labels = ["red", "green", "blue"]
        input = {{ width = {SIZE}, height = {SIZE}, std = [255.0, 255.0, 255.0] }}
        thresholds = {{ score = 0.8, low = 0.4, overlap = 0.3 }}
        [classes]
        person = ["red"]
        car = ["blue"]
        """
    )
    return manifest


def fixed32(number: int, value: float) -> bytes:
    return varint(number << 3 | 5) + struct.pack("<f", value)
