"""What ONNX Runtime makes of the file is what JAX makes of the weights."""

import numpy as np
import pytest

jax = pytest.importorskip("jax", reason="training needs citynerve[training]")
pytest.importorskip("onnx", reason="training needs citynerve[training]")

import jax.numpy as jnp  # noqa: E402
import onnxruntime  # noqa: E402

from models import families, graph  # noqa: E402
from models.training import export  # noqa: E402
from models.training.compute import forward, peaks  # noqa: E402
from models.training.network import CELL, Weights  # noqa: E402

WIDTH, HEIGHT = 128, 96


def weights() -> Weights:
    """Drawn, with moments and scales that would show if one were left out."""
    made = Weights(3)
    random = np.random.default_rng(4)
    for name, value in (*made.drawn.items(), *made.moments.items()):
        if name.endswith(("/variance", "/scale")):
            value[:] = random.uniform(0.5, 2, value.shape)
        elif name.endswith(("/mean", "/bias")):
            value[:] = random.normal(0, 0.3, value.shape)
    # Neither all alike nor so sure that scores would be exactly 1, and neighbours equal.
    made.drawn["cells/kernel"] *= 0.5
    return made


def test_the_graph_computes_what_was_trained() -> None:
    made = weights()
    model = export.model(made.drawn, made.moments, width=WIDTH, height=HEIGHT).SerializeToString()
    picture = np.random.default_rng(5).integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.float32)
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    scores, boxes = session.run(None, {"picture": picture.transpose(2, 0, 1)[None]})

    run = jax.jit(forward)
    cells, _ = run(made.drawn, jnp.asarray(picture[None]) / 255, made.moments)
    count = WIDTH // CELL * (HEIGHT // CELL)
    expected = np.asarray(peaks(cells.logits)).reshape(count, 5)
    assert 10 < (expected > 0.01).sum() < expected.size / 2
    assert scores[0] == pytest.approx(expected, abs=1e-4)
    assert boxes[0] == pytest.approx(np.asarray(cells.sides).reshape(count, 4), rel=1e-4, abs=1e-2)


def test_the_graph_is_recognised() -> None:
    made = weights()
    model = export.model(made.drawn, made.moments).SerializeToString()
    assert len(model) < 3_000_000
    found = families.recognise(graph.parse(model), file="scenes.onnx")
    assert found[:4] == ("plain", 640, 384, 5)


def test_normalising_by_a_batchs_own_moments_gives_the_same() -> None:
    made = weights()
    pictures = jnp.asarray(np.random.default_rng(6).random((2, 64, 64, 3), np.float32))
    run = jax.jit(forward)
    one, moments = run(made.drawn, pictures)
    other, _ = run(made.drawn, pictures, moments)
    assert np.asarray(one.logits) == pytest.approx(np.asarray(other.logits), abs=1e-4)
