"""The losses and steps of training against values computed by hand."""

import math

import numpy as np
import pytest

jax = pytest.importorskip("jax", reason="training needs citynerve[training]")

import jax.numpy as jnp  # noqa: E402

from models.training.compute import Cells  # noqa: E402
from models.training.learning import begin, learn, rate_at  # noqa: E402
from models.training.losses import focal, generalised_overlap, loss  # noqa: E402


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ((0, 0, 2, 2), (0, 0, 2, 2), 1),
        # 2 in common of 6; the hull is 6 too.
        ((0, 0, 2, 2), (1, 0, 3, 2), 1 / 3),
        # Apart: nothing of 8 in common, the hull is 12.
        ((0, 0, 2, 2), (4, 0, 6, 2), -4 / 12),
    ],
)
def test_overlap_of_boxes(
    left: tuple[float, ...], right: tuple[float, ...], expected: float
) -> None:
    got = generalised_overlap(jnp.array(left, jnp.float32), jnp.array(right, jnp.float32))
    assert float(got) == pytest.approx(expected, abs=1e-6)


def test_focal_loss() -> None:
    logits = jnp.array([math.log(3.0)] * 3)  # a score of 3/4
    got = focal(logits, jnp.array([1.0, 0.0, 0.5]))
    expected = [
        -((1 / 4) ** 2) * math.log(3 / 4),
        -((3 / 4) ** 2) * math.log(1 / 4),
        -(0.5**4) * (3 / 4) ** 2 * math.log(1 / 4),
    ]
    assert got.tolist() == pytest.approx(expected, rel=1e-5)


def test_what_is_not_judged_costs_nothing() -> None:
    shape = (1, 2, 2)
    cells = Cells(jnp.full((*shape, 5), 3.0), jnp.tile(jnp.array([0.0, 0, 2, 2]), (*shape, 1)))
    nothing = jnp.zeros((*shape, 5))
    boxes = jnp.tile(jnp.array([1.0, 0, 3, 2]), (*shape, 1))
    weights = jnp.zeros(shape).at[0, 0, 0].set(4.0)
    parts = loss(cells, nothing, nothing, boxes, weights)
    assert float(parts.scores) == 0
    assert float(parts.boxes) == pytest.approx(2 / 3, abs=1e-6)
    assert float(parts.total) == pytest.approx(5 * 2 / 3, abs=1e-5)


def test_a_first_step_goes_by_the_rate_against_the_gradient() -> None:
    # After one step Adam's unbiased moments are the gradient and its square: the change is its
    # sign.
    state = begin({"a/bias": jnp.array([1.0, 1.0])})
    state = learn(state, {"a/bias": jnp.array([0.1, -3.0])}, jnp.float32(0.01))
    assert state.weights["a/bias"].tolist() == pytest.approx([0.99, 1.01], abs=1e-6)
    assert int(state.step) == 1


def test_a_step_moves_a_kernel_equally_far_in_all_directions() -> None:
    # A gradient of rank 3 whose directions are very unequally long: the step's are not. The
    # iteration brings all singular values near 1 (0.7 to 1.2 with these coefficients).
    random = np.random.default_rng(1)
    left, right = (np.linalg.qr(random.normal(size=(size, size)))[0] for size in (18, 4))
    gradient = left[:, :4] @ np.diag([1.0, 0.5, 0.2, 0.1]) @ right
    kernel = jnp.zeros((3, 3, 2, 4))
    state = learn(
        begin({"a/kernel": kernel}),
        {"a/kernel": jnp.asarray(gradient.reshape(3, 3, 2, 4), jnp.float32)},
        jnp.float32(1.0),
    )
    moved = -np.asarray(state.weights["a/kernel"]).reshape(18, 4) / (0.2 * math.sqrt(18))
    lengths = np.linalg.svd(moved, compute_uv=False)
    assert lengths.min() > 0.6
    assert lengths.max() < 1.3
    # And it goes along the gradient: the same directions.
    assert np.abs(left[:, :4].T @ moved @ right.T - np.diag(lengths)).max() < 0.35


def test_learning_finds_a_minimum() -> None:
    state = begin({"cells/kernel": jnp.zeros(3)})
    goal = jnp.array([1.0, -2.0, 0.5])
    gradient = jax.jit(jax.grad(lambda weights: ((weights["cells/kernel"] - goal) ** 2).sum()))
    step = jax.jit(learn)
    for number in range(400):
        rate = jnp.float32(rate_at(number, 400, 0.05, 20))
        state = step(state, gradient(state.weights), rate)
    assert np.asarray(state.average["cells/kernel"]) == pytest.approx(np.asarray(goal), abs=0.02)


def test_the_rate_rises_and_falls() -> None:
    rates = [rate_at(step, 100, 1.0, 10) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == rates[9] == pytest.approx(1.0)
    assert rates[55] == pytest.approx(0.51)
    assert rates[-1] < 0.03
