"""Training: batches made beside it, steps, checkpoints that it goes on from."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from models.training.augment import piece
from models.training.compute import Tensors, forward
from models.training.learning import State, begin, learn, rate_at
from models.training.losses import Loss, loss
from models.training.network import Floats, Weights
from models.training.samples import Stored
from models.training.targets import Targets, targets

BATCH: Final = 8
_AHEAD: Final = 4
"""Batches made before they are asked for."""
_MOMENT_PICTURES: Final = 256
_MOMENT_BATCH: Final = 8
_LEVELS: Final = 255.0


class Report(NamedTuple):
    """How training goes: means over the steps since the last report."""

    step: int
    total: float
    scores: float
    boxes: float
    seconds: float


class Batch(NamedTuple):
    """Pictures [batch, height, width, 3] and their targets, stacked."""

    pictures: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
    targets: Targets


def batch(stored: Stored, seed: int, step: int, size: int = BATCH) -> Batch:
    """The batch of a step: the same at every run."""
    random = np.random.default_rng([seed, step])
    pictures, all_targets = [], []
    for _ in range(size):
        number, around = stored.draw(random)
        picture, objects = piece(
            stored.pictures[number], stored.objects(number), random, around=around
        )
        pictures.append(picture)
        all_targets.append(targets(objects, picture.shape[1], picture.shape[0]))
    return Batch(np.stack(pictures), Targets(*map(np.stack, zip(*all_targets, strict=True))))


def train(
    stored: Stored,
    state: State,
    *,
    seed: int,
    steps: int,
    peak: float,
    warm: int,
    every: int,
    keep: Callable[[State], None],
) -> Iterator[Report]:
    """Learn until ``steps`` steps are done; reports and keeps the state every ``every`` steps.

    Args:
        stored: Pictures to learn from.
        state: To go on from.
        seed: Of what is drawn.
        steps: When to end, counted from the state's beginning.
        peak: Greatest learning rate.
        warm: Steps until it is reached.
        every: Steps between two reports.
        keep: Is given the state at each report.
    """
    began = int(state.step)
    with ThreadPoolExecutor(1) as pool:
        waiting = [
            pool.submit(batch, stored, seed, step)
            for step in range(began, min(began + _AHEAD, steps))
        ]
        losses: list[Loss] = []
        since = time.monotonic()
        for step in range(began, steps):
            made = waiting.pop(0).result()
            if step + _AHEAD < steps:
                waiting.append(pool.submit(batch, stored, seed, step + _AHEAD))
            rate = jnp.float32(rate_at(step, steps, peak, warm))
            state, lost = _step(state, made.pictures, made.targets, rate)
            losses.append(lost)
            if (step + 1) % every == 0 or step + 1 == steps:
                total, scores, boxes = np.mean(np.array(losses), axis=0).tolist()
                keep(state)
                yield Report(step + 1, total, scores, boxes, time.monotonic() - since)
                losses = []
                since = time.monotonic()


def _stepped(state: State, pictures: Array, asked: Targets, rate: Array) -> tuple[State, Loss]:
    def lost(weights: Tensors) -> tuple[Array, Loss]:
        cells, _ = forward(weights, pictures.astype(jnp.float32) / _LEVELS)
        found = loss(cells, *map(jnp.asarray, asked))
        return found.total, found

    gradients, parts = jax.grad(lost, has_aux=True)(state.weights)
    return learn(state, gradients, rate), parts


_step = jax.jit(_stepped)


def moments(weights: Tensors, stored: Stored, seed: int) -> Tensors:
    """Mean and variance of each convolution's result over whole pictures of the training data.

    Taken anew for the weights that are kept, over some hundred pictures, they are exact, where
    moving averages gathered along the way are those of other weights.
    """
    random = np.random.default_rng([seed, len(stored)])
    numbers = random.choice(len(stored), min(_MOMENT_PICTURES, len(stored)), replace=False)
    run = jax.jit(lambda pictures: forward(weights, pictures)[1])
    parts = [
        run(stored.pictures[np.sort(some)].astype(np.float32) / _LEVELS)
        for some in np.array_split(numbers, max(1, len(numbers) // _MOMENT_BATCH))
    ]
    return _pooled(parts)


def _pooled(parts: list[Tensors]) -> Tensors:
    """Moments of all parts taken together: the variance of means adds to the mean of variances."""
    pooled = {}
    for name in parts[0]:
        values = jnp.stack([part[name] for part in parts])
        pooled[name] = values.mean(0)
        if name.endswith("/variance"):
            of_means = jnp.stack([part[name.replace("/variance", "/mean")] for part in parts])
            pooled[name] += of_means.var(0)
    return pooled


def fresh(seed: int) -> State:
    """The state before anything is learned."""
    return begin({name: jnp.asarray(value) for name, value in Weights(seed).drawn.items()})


def store(path: Path, state: State) -> None:
    """Write a checkpoint, whole or not at all."""
    table = {
        f"{field}:{name}": np.asarray(value)
        for field in ("weights", "first", "second", "average")
        for name, value in getattr(state, field).items()
    }
    part = path.with_suffix(".part.npz")
    np.savez(part, allow_pickle=False, step=np.asarray(state.step), **table)
    part.replace(path)


def restore(path: Path) -> State:
    """Read a checkpoint."""
    fields: dict[str, Tensors] = {"weights": {}, "first": {}, "second": {}, "average": {}}
    with np.load(path) as table:
        for key in table.files:
            field, _, name = key.partition(":")
            if name:
                fields[field][name] = jnp.asarray(table[key])
        return State(step=jnp.asarray(table["step"]), **fields)


def as_arrays(tensors: Tensors) -> dict[str, Floats]:
    """The same in numpy."""
    return {name: np.asarray(value, np.float32) for name, value in tensors.items()}
