"""Adam with decoupled weight decay, its rate over time, and the average of the weights."""

import math
from typing import Final, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from models.training.compute import Tensors

_BETAS: Final = (0.9, 0.99)
_EPSILON: Final = 1e-8
_DECAY: Final = 5e-4
_CLIP: Final = 10.0
"""Greatest norm of a step's gradients; the rare greater ones are shortened."""
_LAST_SHARE: Final = 0.02
"""Of the rate, what is left at the end."""


class State(NamedTuple):
    """What learning goes on from.

    ``average`` is the weights' exponential moving average, which is what is used in the end.
    """

    weights: Tensors
    first: Tensors
    second: Tensors
    average: Tensors
    step: Array


def begin(weights: Tensors) -> State:
    """The state before the first step."""
    first, second = (jax.tree.map(jnp.zeros_like, weights) for _ in range(2))
    return State(weights, first, second, jax.tree.map(jnp.copy, weights), jnp.zeros((), jnp.int32))


def learn(state: State, gradients: Tensors, rate: Array) -> State:
    """One step of AdamW (Loshchilov and Hutter 2017, https://arxiv.org/abs/1711.05101)."""
    norm = jnp.sqrt(jnp.stack([jnp.vdot(g, g) for g in gradients.values()]).sum())
    shorter = jnp.minimum(1.0, _CLIP / jnp.maximum(norm, _EPSILON))
    gradients = {name: g * shorter for name, g in gradients.items()}
    step = state.step + 1
    one, two = _BETAS
    first = jax.tree.map(lambda m, g: one * m + (1 - one) * g, state.first, gradients)
    second = jax.tree.map(lambda v, g: two * v + (1 - two) * g * g, state.second, gradients)
    unbias = jnp.sqrt(1 - two**step) / (1 - one**step)

    def moved(name: str) -> Array:
        change: Array = unbias * first[name] / (jnp.sqrt(second[name]) + _EPSILON)
        # Scales and biases are few and mean something by themselves: only kernels decay.
        if name.endswith("/kernel"):
            change += _DECAY * state.weights[name]
        return state.weights[name] - rate * change

    weights = {name: moved(name) for name in state.weights}
    # Early on, an average over few steps: what the first weights were must not linger.
    keep = jnp.minimum(0.998, (1.0 + step) / (10.0 + step))
    average = jax.tree.map(lambda a, w: keep * a + (1 - keep) * w, state.average, weights)
    return State(weights, first, second, average, step)


def rate_at(step: int, steps: int, peak: float, warm: int) -> float:
    """The learning rate: up in ``warm`` steps, then down along a cosine."""
    if step < warm:
        return peak * (step + 1) / warm
    share = (step - warm) / max(1, steps - warm)
    return peak * (_LAST_SHARE + (1 - _LAST_SHARE) * (1 + math.cos(math.pi * min(share, 1.0))) / 2)
