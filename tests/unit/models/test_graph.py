from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citynerve.errors import ConfigError, UnavailableError
from models import graph
from models.graph import FLOAT32, Value
from tests.unit.models.onnx_bytes import (
    colour_detector,
    field,
    fixed32,
    model,
    node,
    tensor,
    value_info,
)

WEIGHT = tensor("w", np.ones((2, 3), np.float32))
PARTS = {
    "nodes": [node("Add", ["x", "w"], "y")],
    "outputs": [value_info("y", [2, 3])],
    "weights": [WEIGHT],
}


def test_inputs_and_outputs_are_read_with_their_shapes() -> None:
    data = model(inputs=[value_info("x", [2, "n"])], **PARTS)
    found = graph.parse(data)
    assert found.inputs == (Value("x", FLOAT32, (2, None)),)
    assert found.outputs == (Value("y", FLOAT32, (2, 3)),)
    assert found.producer == "test"
    assert found.weights_in_inputs == 0


def test_weights_listed_as_inputs_are_told_apart_and_taken_out() -> None:
    clean = model(inputs=[value_info("x", [2, 3])], **PARTS)
    listed = model(inputs=[value_info("w", [2, 3]), value_info("x", [2, 3])], **PARTS)
    assert graph.parse(listed).weights_in_inputs == 1
    assert graph.parse(listed).inputs == graph.parse(clean).inputs
    assert graph.strip_weights(listed) == clean


def test_unknown_fields_of_every_wire_type_stay() -> None:
    extra = (
        field(99, 300) + fixed32(98, 1.5) + bytes([97 << 3 & 127 | 1 | 128, 97 >> 4]) + b"8bytes.."
    )
    data = model(inputs=[value_info("x", [2, 3])], **PARTS) + extra
    assert graph.strip_weights(data) == data


def test_stripping_changes_no_output() -> None:
    ort = pytest.importorskip("onnxruntime")
    data = colour_detector(weights_as_inputs=True)
    picture = np.random.default_rng(1).random((1, 3, 64, 64), np.float32)
    given_, stripped = (
        ort.InferenceSession(content, providers=["CPUExecutionProvider"])
        for content in (data, graph.strip_weights(data))
    )
    assert len(given_.get_overridable_initializers()) == 8
    assert not stripped.get_overridable_initializers()
    for one, other in zip(
        given_.run(None, {"image": picture}), stripped.run(None, {"image": picture}), strict=True
    ):
        assert np.array_equal(one, other)


@given(st.binary(max_size=200))
def test_noise_is_refused_and_nothing_else_raised(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        graph.parse(data)


@given(st.integers(0, 400))
def test_a_file_that_breaks_off_is_refused(cut: int) -> None:
    data = model(inputs=[value_info("x", [2, 3])], **PARTS)
    if cut < len(data):
        with pytest.raises(ValueError, match=r"."):
            graph.parse(data[:cut])


@pytest.mark.parametrize(
    "content", [b"", b"hello, I am text\n", b"\x89PNG\r\n\x1a\n", b"PK\x03\x04"]
)
def test_what_is_no_model_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="is not an ONNX model") as caught:
        graph.read(path)
    assert caught.value.file == str(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="No such file"):
        graph.read(tmp_path / "m.onnx")
