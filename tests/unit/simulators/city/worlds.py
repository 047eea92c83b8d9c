"""Small worlds, and what was read in them."""

from functools import lru_cache
from typing import Any

import numpy as np

from simulators.city.faults import GIVEN, NONE
from simulators.city.hashing import Floats, Ints
from simulators.city.incidents import Wanted
from simulators.city.world import Settings, World

HOUR = 3_600_000
MINUTE = 60_000
MONDAY = 1_763_938_800_000
"""2025-11-24 00:00 in the city's time."""

Readings = dict[tuple[str, str, str], tuple[Ints, Floats]]
"""By node, sensor, property: times and values."""


def world(nodes: int = 20, seed: int = 1, *, block_steps: int = 30, **settings: Any) -> World:  # noqa: ANN401
    """A world in which nothing goes wrong unless it is asked for."""
    settings = {"rate": 0.0, "start": MONDAY, **settings}
    settings["wanted"] = tuple(settings.get("wanted", ()))
    return World(Settings(nodes, seed, **settings), block_steps=block_steps)


def read(of: World, low: int, high: int) -> Readings:
    """All readings from ``low`` up to ``high`` (ms) that came as values."""
    found: dict[tuple[str, str, str], list[tuple[Ints, Floats]]] = {}
    for index in range(of.index(low), of.index(high - 1) + 1):
        for name, block in of.at(index).items():
            for row, (node, sensor) in enumerate(of.sites[name].names):
                at = block.times[row]
                on = (block.comes[row] == GIVEN) & (at >= low) & (at < high)
                found.setdefault((node, sensor, name), []).append((at[on], block.values[row][on]))
    return {
        key: (np.concatenate([t for t, _ in parts]), np.concatenate([v for _, v in parts]))
        for key, parts in found.items()
    }


def absent(of: World, low: int, high: int) -> dict[tuple[str, str, str], list[int]]:
    """When readings were due, but did not come."""
    found: dict[tuple[str, str, str], list[int]] = {}
    for index in range(of.index(low), of.index(high - 1) + 1):
        for name, block in of.at(index).items():
            for row, (node, sensor) in enumerate(of.sites[name].names):
                gone = (block.comes[row] != GIVEN) & (block.comes[row] != NONE)
                if gone.any():
                    found.setdefault((node, sensor, name), []).extend(block.times[row][gone])
    return found


def of_property(readings: Readings, name: str) -> Floats:
    """All values of a property, one row a datastream."""
    return np.array([values for key, (_, values) in readings.items() if key[2] == name])


@lru_cache(maxsize=16)
def span(low: int, high: int, wanted: tuple[Wanted, ...] = (), nodes: int = 20) -> Readings:
    """Readings of a fresh world that begins at ``low``."""
    return read(world(nodes, start=low, wanted=wanted), low, high)


def equal(one: Readings, other: Readings) -> bool:
    """Whether all readings are the same, to the last bit."""
    return one.keys() == other.keys() and all(
        np.array_equal(times, other[key][0]) and np.array_equal(values, other[key][1])
        for key, (times, values) in one.items()
    )


def at(minutes: float, kind: Any, node: str | None = None, **more: Any) -> Wanted:  # noqa: ANN401
    """An incident that is asked for, so many minutes after the start."""
    lasts = int(more.pop("lasts", 40) * MINUTE)
    return Wanted(kind=kind, at_ms=int(minutes * MINUTE), duration_ms=lasts, node=node, **more)
