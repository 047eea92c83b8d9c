"""The outside of an ONNX file - inputs, outputs, which weights it lists as inputs - without onnx.

An ONNX file is one protobuf message. What a node needs of it is a handful of fields, so they are
read here, field by field, and the `onnx` package (with protobuf, 60 MB installed) stays off it.
Field numbers are those of ``onnx.proto3``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from citynerve.errors import ConfigError, UnavailableError

_MODEL_PRODUCER: Final = 2
_MODEL_GRAPH: Final = 7
_GRAPH_NODE: Final = 1
_GRAPH_INITIALIZER: Final = 5
_GRAPH_INPUT: Final = 11
_GRAPH_OUTPUT: Final = 12
_TENSOR_NAME: Final = 8
_VALUE_NAME: Final = 1
_VALUE_TYPE: Final = 2
_TYPE_TENSOR: Final = 1
_TENSOR_ELEMENT: Final = 1
_TENSOR_SHAPE: Final = 2
_SHAPE_DIM: Final = 1
_DIM_VALUE: Final = 1

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MAX_VARINT_BITS: Final = 63
FLOAT32: Final = 1
"""The element type ``TensorProto.FLOAT``."""


class Value(NamedTuple):
    """An input or output: its element type and shape, as far as the file tells (None: open)."""

    name: str
    element: int
    shape: tuple[int | None, ...] | None


@dataclass(frozen=True, slots=True)
class Graph:
    """What a model takes and gives. ``inputs`` are without the weights that are listed as such."""

    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    weights_in_inputs: int
    producer: str = ""


class _Field(NamedTuple):
    """A protobuf field: ``start:end`` is all of it, ``body:end`` its value if it has a length."""

    number: int
    start: int
    body: int
    end: int
    value: int


def read(path: Path) -> tuple[Graph, bytes]:
    """The graph of a file, and the file's content with no weights listed as inputs.

    Weights that are inputs could be overridden by a caller; that keeps ONNX Runtime from folding
    constants and costs a third of the speed of some detectors.

    Raises:
        ConfigError: The file is no ONNX model.
        UnavailableError: It cannot be read.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UnavailableError(
            "model", where=str(path), problem=str(error.strerror), fix="name an ONNX file"
        ) from error
    try:
        graph = parse(data)
        return graph, strip_weights(data) if graph.weights_in_inputs else data
    except ValueError as error:
        raise ConfigError(
            f"is not an ONNX model: {error}",
            file=str(path),
            fix="name a detector in ONNX format, as the exporter wrote it",
        ) from error


def parse(data: bytes) -> Graph:
    """The graph of an ONNX model.

    Raises:
        ValueError: It is none.
    """
    producer = ""
    graph: _Field | None = None
    for field in _fields(data, 0, len(data)):
        if field.number == _MODEL_GRAPH:
            graph = field
        elif field.number == _MODEL_PRODUCER:
            producer = data[field.body : field.end].decode(errors="replace")
    if graph is None:
        raise ValueError("it holds no graph")
    parts = list(_fields(data, graph.body, graph.end))
    if not any(part.number == _GRAPH_NODE for part in parts):
        raise ValueError("its graph has no nodes")
    weights = _weights(data, parts)
    listed = [_value(data, part) for part in parts if part.number == _GRAPH_INPUT]
    inputs = tuple(value for value in listed if value.name not in weights)
    outputs = tuple(_value(data, part) for part in parts if part.number == _GRAPH_OUTPUT)
    return Graph(inputs, outputs, len(listed) - len(inputs), producer)


def strip_weights(data: bytes) -> bytes:
    """The same model, with no weight listed as an input of the graph.

    Raises:
        ValueError: It is no ONNX model.
    """
    view = memoryview(data)
    out: list[bytes | memoryview] = []
    for field in _fields(data, 0, len(data)):
        if field.number != _MODEL_GRAPH:
            out.append(view[field.start : field.end])
            continue
        parts = list(_fields(data, field.body, field.end))
        weights = _weights(data, parts)
        kept = [
            view[part.start : part.end]
            for part in parts
            if part.number != _GRAPH_INPUT or _value(data, part).name not in weights
        ]
        length = sum(map(len, kept))
        out += [_varint_bytes(_MODEL_GRAPH << 3 | _BYTES), _varint_bytes(length), *kept]
    return b"".join(out)


def _weights(data: bytes, parts: list[_Field]) -> set[str]:
    return {_text(data, part, _TENSOR_NAME) for part in parts if part.number == _GRAPH_INITIALIZER}


def _value(data: bytes, field: _Field) -> Value:
    element = 0
    shape: tuple[int | None, ...] | None = None
    for kind in _inside(data, field, _VALUE_TYPE):
        for tensor in _inside(data, kind, _TYPE_TENSOR):
            for part in _fields(data, tensor.body, tensor.end):
                if part.number == _TENSOR_ELEMENT:
                    element = part.value
                elif part.number == _TENSOR_SHAPE:
                    shape = tuple(_dim(data, dim) for dim in _inside(data, part, _SHAPE_DIM))
    return Value(_text(data, field, _VALUE_NAME), element, shape)


def _dim(data: bytes, field: _Field) -> int | None:
    # A dimension may also be a name ("batch"), or an exporter's -1: open, both of them.
    values = [part.value for part in _inside(data, field, _DIM_VALUE)]
    return values[-1] if values and 0 < values[-1] < 1 << 31 else None


def _text(data: bytes, field: _Field, number: int) -> str:
    for part in _inside(data, field, number):
        return data[part.body : part.end].decode(errors="replace")
    return ""


def _inside(data: bytes, field: _Field, number: int) -> Iterator[_Field]:
    return (part for part in _fields(data, field.body, field.end) if part.number == number)


def _fields(data: bytes, at: int, end: int) -> Iterator[_Field]:
    while at < end:
        start = at
        key, at = _varint(data, at, end)
        wire = key & 7
        value = 0
        body = at
        if wire == _VARINT:
            value, at = _varint(data, at, end)
        elif wire == _BYTES:
            length, body = _varint(data, at, end)
            at = body + length
        elif wire == _FIXED64:
            at += 8
        elif wire == _FIXED32:
            at += 4
        else:
            raise ValueError(f"byte {start} starts no field")
        if at > end or key < 1 << 3:
            raise ValueError(f"the field at byte {start} does not fit")
        yield _Field(key >> 3, start, body, at, value)


def _varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while at < end and shift <= _MAX_VARINT_BITS:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 1 << 7:
            return value, at
        shift += 7
    raise ValueError(f"it breaks off, or is no protobuf, at byte {at}")


def _varint_bytes(value: int) -> bytes:
    out = bytearray()
    while value >= 1 << 7:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
