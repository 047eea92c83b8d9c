"""What can be said of a model: what it is, whether it runs here, and how fast."""

import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

import numpy as np

from citynerve.errors import UnavailableError
from edge.inference import Session
from models.load import Model, catalog, find_weights, load
from models.manifest import Manifest, read

_RUNS: Final = 15


@dataclass(frozen=True, slots=True)
class Listed:
    """A manifest that can be named, and its weights if they are there."""

    name: str
    manifest: Manifest
    weights: Path | None


@dataclass(frozen=True, slots=True)
class Checked:
    """A model that runs: on what, and the median time of an inference in ms."""

    model: Model
    provider: str
    skipped: dict[str, str]
    inference_ms: float


def listed() -> list[Listed]:
    """All models that a configuration may name.

    Raises:
        ConfigError: A manifest in a folder of CITYNERVE_MODELS is wrong.
    """
    return [_listed(name, path) for name, path in catalog()]


def check(name: str, base: Path, *, threads: int = 1) -> Checked:
    """Load a model, run it, and time it.

    Raises:
        ConfigError: It is no detector that can be decoded, or ONNX Runtime cannot run it.
        UnavailableError: Its weights are not there.
    """
    model = load(name, base)
    session = Session(model, threads=threads)
    size = model.manifest.input
    picture = np.zeros((1, 3, size.height, size.width), np.float32)
    times = []
    for _ in range(_RUNS):
        began = time.perf_counter()
        session.run(picture)
        times.append(time.perf_counter() - began)
    return Checked(model, session.provider, session.skipped, median(times) * 1000)


def _listed(name: str, path: Path) -> Listed:
    manifest = read(path)
    try:
        return Listed(name, manifest, find_weights(manifest, path))
    except UnavailableError:
        return Listed(name, manifest, None)
