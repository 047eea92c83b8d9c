"""What training makes small: wrong scores and wrong boxes."""

from typing import Final, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from models.training.compute import Cells

BOX_WEIGHT: Final = 5.0
"""Of the boxes' loss over the scores', TTFNet's."""
_TINY: Final = 1e-6


class Loss(NamedTuple):
    """The whole, and its parts."""

    total: Array
    scores: Array
    boxes: Array


def loss(cells: Cells, scores: Array, judged: Array, boxes: Array, weights: Array) -> Loss:
    """The loss of a batch; the targets are those of ``models.training.targets``, stacked."""
    centres = jnp.maximum((scores == 1).sum(), 1)
    of_scores = (focal(cells.logits, scores) * judged).sum() / centres
    missing = 1 - generalised_overlap(cells.sides, boxes)
    of_boxes = (missing * weights).sum() / jnp.maximum(weights.sum(), 1)
    return Loss(of_scores + BOX_WEIGHT * of_boxes, of_scores, of_boxes)


def focal(logits: Array, scores: Array) -> Array:
    """The focal loss with fewer punishments near a centre, element by element.

    Law and Deng 2018, "CornerNet" (https://arxiv.org/abs/1808.01244), equation 1.
    """
    yes, no = jax.nn.log_sigmoid(logits), jax.nn.log_sigmoid(-logits)
    score = jax.nn.sigmoid(logits)
    found = -((1 - score) ** 2) * yes
    empty = -((1 - scores) ** 4) * score**2 * no
    return jnp.where(scores == 1, found, empty)


def generalised_overlap(left: Array, right: Array) -> Array:
    """GIoU of boxes [..., 4], pair by pair, from -1 to 1.

    Rezatofighi et al. 2019, https://arxiv.org/abs/1902.09630, algorithm 1.
    """
    common = _area(
        jnp.maximum(left[..., :2], right[..., :2]), jnp.minimum(left[..., 2:], right[..., 2:])
    )
    union = _area(left[..., :2], left[..., 2:]) + _area(right[..., :2], right[..., 2:]) - common
    hull = _area(
        jnp.minimum(left[..., :2], right[..., :2]), jnp.maximum(left[..., 2:], right[..., 2:])
    )
    union, hull = jnp.maximum(union, _TINY), jnp.maximum(hull, _TINY)
    return common / union - (hull - union) / hull


def _area(near: Array, far: Array) -> Array:
    sides = jnp.maximum(far - near, 0)
    return sides[..., 0] * sides[..., 1]
