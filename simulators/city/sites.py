"""The datastreams of a city, in rows: what the model must know of the place of each."""

from collections import defaultdict
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulators.city.geometry import Point
from simulators.city.hashing import Floats, Ints, Words, key, normal
from simulators.city.plan import Plan, centrality, inward

Bools = NDArray[np.bool_]


class Rows(NamedTuple):
    """The datastreams of one property, one row each.

    Attributes:
        names: Node, sensor.
        node: Index of its node.
        at: East and north, metres (rows, 2).
        link: The link that it watches.
        keys: What its noise is drawn from.
        trait: What makes it differ from others like it, mean 0, spread 1.
        near: 1 in the middle of the city, near 0 at its border.
    """

    names: tuple[tuple[str, str], ...]
    node: Ints
    at: Floats
    link: Ints
    keys: Words
    trait: Floats
    near: Floats

    def __len__(self) -> int:
        return len(self.names)

    def away(self, point: Point) -> Floats:
        """Metres from each row to a point."""
        return np.asarray(np.hypot(self.at[:, 0] - point[0], self.at[:, 1] - point[1]))


Sites = dict[str, Rows]


def sites(plan: Plan) -> Sites:
    """All datastreams of a city by their property, in the order of the nodes."""
    found = defaultdict(list)
    for index, node in enumerate(plan.nodes):
        towards = inward(plan, node.street)
        for sensor in node.sensors:
            link = 2 * node.street + (towards if sensor.lane == 0 else 1 - towards)
            for name in sensor.properties:
                found[name].append((node.id, sensor.name, index, sensor.at, link))
    return {name: _rows(plan, name, rows) for name, rows in found.items()}


def _rows(plan: Plan, name: str, rows: list[tuple[str, str, int, Point, int]]) -> Rows:
    keys = np.array(
        [key(plan.seed, node, sensor, name) for node, sensor, *_ in rows], dtype=np.uint64
    )
    return Rows(
        tuple((node, sensor) for node, sensor, *_ in rows),
        np.array([node for _, _, node, _, _ in rows]),
        np.array([at for *_, at, _ in rows], float),
        np.array([link for *_, link in rows]),
        keys,
        normal(keys),
        np.array([centrality(plan.net, at) for *_, at, _ in rows]),
    )
