"""The network in JAX: maps are [batch, height, width, channels]."""

from typing import Final, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from models.training import network
from models.training.network import CELL, CLASSES, REACH, SIDES, STEEPEST

Tensors = dict[str, Array]

EPSILON: Final = 1e-5
"""Added to the variance that a map is divided by the root of."""
_LAYOUT: Final = ("NHWC", "HWIO", "NHWC")


class Cells(NamedTuple):
    """What the network says of each cell: [batch, rows, columns, ...].

    ``logits`` of the scores by class; ``sides``: left, top, right, bottom of the box, pixels.
    """

    logits: Array
    sides: Array


class _Compute:
    """The operations, normalising by the batch's own moments, or by those that are given."""

    def __init__(self, weights: Tensors, moments: Tensors | None) -> None:
        self._weights = weights
        self._moments = moments
        self.seen: Tensors = {}

    def conv(
        self,
        name: str,
        x: Array,
        size: tuple[int, int, int],
        stride: int = 1,
        *,
        last: bool = False,
    ) -> Array:
        rim = (size[0] - 1) // 2
        kernel = self._weights[f"{name}/kernel"]
        y = lax.conv_general_dilated(
            x, kernel, (stride, stride), ((rim, rim), (rim, rim)), dimension_numbers=_LAYOUT
        )
        bias = self._weights[f"{name}/bias"]
        if last:
            return y + bias
        if self._moments is None:
            mean, variance = y.mean((0, 1, 2)), y.var((0, 1, 2))
        else:
            mean = self._moments[f"{name}/mean"]
            variance = self._moments[f"{name}/variance"]
        self.seen[f"{name}/mean"], self.seen[f"{name}/variance"] = mean, variance
        factor = self._weights[f"{name}/scale"] * lax.rsqrt(variance + EPSILON)
        return y * factor + (bias - mean * factor)

    def add(self, x: Array, y: Array) -> Array:
        return self.relu(x + y)

    def relu(self, x: Array) -> Array:
        return jax.nn.relu(x)

    def double(self, x: Array) -> Array:
        count, height, width, channels = x.shape
        tall = jnp.broadcast_to(x[:, :, None, :, None, :], (count, height, 2, width, 2, channels))
        return tall.reshape(count, 2 * height, 2 * width, channels)


def forward(
    weights: Tensors, pictures: Array, moments: Tensors | None = None
) -> tuple[Cells, Tensors]:
    """Run the network.

    Args:
        weights: As ``network.Weights`` draws them.
        pictures: [batch, height, width, 3], blue green red from -1 to 1; sides multiples of 32.
        moments: To normalise by; None: the batch's.

    Returns:
        The cells, and the moments that were used.
    """
    ops = _Compute(weights, moments)
    coarse = network.run(ops, pictures)
    count, height, width, channels = coarse.shape
    fine = coarse.reshape(count, height, width, 2, 2, channels // 4)
    fine = fine.transpose(0, 1, 3, 2, 4, 5).reshape(count, 2 * height, 2 * width, channels // 4)
    logits, figures = fine[..., : len(CLASSES)], fine[..., len(CLASSES) :]
    return Cells(logits, _sides(figures)), ops.seen


def centres(rows: int, columns: int) -> Array:
    """X and y of the cells' centres, pixels: [rows, columns, 2]."""
    y, x = jnp.mgrid[:rows, :columns]
    return (jnp.stack([x, y], axis=-1) + 0.5) * CELL


def peaks(logits: Array) -> Array:
    """Scores, 0 where one of the eight neighbours' is greater: as the exported graph gives them.

    As in CenterNet (Zhou et al. 2019, https://arxiv.org/abs/1904.07850).
    """
    scores = jax.nn.sigmoid(logits)
    window = (1, 3, 3, 1)
    best = lax.reduce_window(scores, -jnp.inf, lax.max, window, (1, 1, 1, 1), "SAME")
    return jnp.where(scores >= best, scores, 0.0)


def _sides(figures: Array) -> Array:
    distances = REACH * jnp.exp(jnp.minimum(figures, STEEPEST))
    middle = centres(*figures.shape[1:3])
    near, far = middle - distances[..., : SIDES // 2], middle + distances[..., SIDES // 2 :]
    return jnp.concatenate([near, far], axis=-1)
