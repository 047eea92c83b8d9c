"""The plan of a city: streets and districts, and which node with which sensors stands where."""

import math
import random
from functools import lru_cache
from typing import Final, NamedTuple

from citynerve.errors import ConfigError
from simulators.city import geometry, hashing, names, streets
from simulators.city.geometry import Frame, Point
from simulators.city.streets import Net, Street

CENTRE: Final = (56.1572, 10.2107)
"""Of the city, degrees. The place is real, the city is not."""

MOST_NODES: Final = 10_000

_ASIDE: Final = 7.0
"""A node stands so far from the middle of its street, metres."""


class Sensor(NamedTuple):
    """One sensor; ``lane``: 0 or 1, the direction of its street that it watches."""

    name: str
    properties: tuple[str, ...]
    at: Point
    lane: int


class Node(NamedTuple):
    """One node. ``mains``: it has no battery, and goes out in a power cut."""

    id: str
    kind: str
    street: int
    at: Point
    sensors: tuple[Sensor, ...]
    mains: bool


class Kit(NamedTuple):
    """What a kind of node carries: sensor name to its properties."""

    sensors: dict[str, tuple[str, ...]]
    mains: bool


KITS: Final = {
    "road": Kit(
        {
            "loop-in": ("speed", "flow", "queue"),
            "loop-out": ("speed", "flow"),
            "microphone": ("noise",),
        },
        mains=True,
    ),
    "air": Kit(
        {
            "station": ("pm25", "no2", "ch4"),
            "mast": ("temperature", "humidity"),
            "board": ("battery",),
        },
        mains=False,
    ),
    "water": Kit(
        {
            "gauge": ("water_level",),
            "mast": ("temperature", "humidity", "rain"),
            "board": ("battery",),
        },
        mains=False,
    ),
    "noise": Kit(
        {"microphone": ("noise",), "counter": ("people",), "board": ("battery",)},
        mains=False,
    ),
    "parking": Kit({"garage": ("occupied", "occupancy"), "gate": ("flow",)}, mains=True),
    "square": Kit(
        {"counter": ("people",), "microphone": ("noise",), "station": ("pm25", "no2")},
        mains=True,
    ),
    "weather": Kit(
        {
            "mast": (
                "temperature",
                "humidity",
                "pressure",
                "wind_speed",
                "wind_direction",
                "rain",
            ),
        },
        mains=True,
    ),
}

DEALT: Final = (
    "road", "air", "water", "noise", "parking", "square", "weather", "road", "road", "air",
    "road", "road", "noise", "road", "air", "road", "parking", "road", "water", "road",
)  # fmt: skip
"""The kinds of the first nodes, and again: the first five are five domains, four in ten roads."""


class Plan(NamedTuple):
    """A city: its net, its nodes, and where it lies."""

    name: str
    seed: int
    net: Net
    nodes: tuple[Node, ...]
    frame: Frame

    def street(self, node: Node) -> Street:
        """The street that a node stands in."""
        return self.net.streets[node.street]

    def district(self, node: Node) -> str:
        """The id of the district that a node stands in."""
        return self.net.districts[self.street(node).district].id

    def area(self, node: Node) -> str:
        """A node's area: city, district, street."""
        return f"{self.name}/{self.district(node)}/{self.street(node).id}"


@lru_cache(maxsize=8)
def plan(nodes: int, seed: int, suffix: str = "") -> Plan:
    """The city of this seed that has so many nodes.

    Args:
        nodes: How many.
        seed: Of streets and places.
        suffix: Ends each node's id, so that two runs may be stored beside each other.

    Raises:
        ConfigError: There are none, or more than a city is drawn for.
    """
    if not 1 <= nodes <= MOST_NODES:
        raise ConfigError(
            "no city has so many nodes",
            key="nodes",
            value=nodes,
            fix=f"write a number from 1 to {MOST_NODES}",
        )
    net = streets.draw(nodes, seed)
    placed = (node._replace(id=node.id + suffix) for node in _Placing(net, seed).place(nodes))
    return Plan(names.CITY, seed, net, tuple(placed), Frame(*CENTRE))


class _Placing:
    def __init__(self, net: Net, seed: int) -> None:
        self._net = net
        self._seed = seed
        self._held = [0] * len(net.streets)
        order = sorted(range(len(net.streets)), key=self._from_the_river)
        self._riverside = order[: max(6, len(order) // 8)]
        inhabited = sorted({street.district for street in net.streets})
        self._order = inhabited[1:]
        random.Random(hashing.key(seed, "districts")).shuffle(self._order)
        self._order.insert(1, inhabited[0])

    def place(self, count: int) -> list[Node]:
        """The nodes, in the order of their numbers."""
        digits = max(2, len(str(count)))
        found = []
        for index in range(count):
            kind = DEALT[index % len(DEALT)]
            found.append(self._node(kind, f"{kind}-{index + 1:0{digits}d}", index))
        return found

    def _node(self, kind: str, name: str, index: int) -> Node:
        chance = random.Random(hashing.key(self._seed, "node", name))
        kit = KITS[kind]
        street = self._street(kind, self._order[index % len(self._order)], chance)
        line = self._net.streets[street].line
        self._held[street] += 1
        share = chance.uniform(0.2, 0.8)
        at = geometry.along(line, share, _ASIDE)
        sensors = []
        for number, (sensor, properties) in enumerate(kit.sensors.items()):
            lane = 1 if sensor == "loop-out" else 0
            aside = -_ASIDE if lane else _ASIDE
            beside = geometry.along(line, min(0.95, share + 0.004 * number), aside)
            sensors.append(Sensor(sensor, properties, beside, lane))
        return Node(name, kind, street, at, tuple(sensors), kit.mains)

    def _street(self, kind: str, district: int, chance: random.Random) -> int:
        """A street of the district that suits the kind and holds few nodes yet."""
        net = self._net
        choice = [i for i, street in enumerate(net.streets) if street.district == district]
        if kind == "water":
            # Where the river is, in any district.
            choice = self._riverside

        def merit(index: int) -> float:
            street = net.streets[index]
            main = street.kind in {"avenue", "ring"}
            liking = {"road": 1.5 if main else 0.0, "noise": 0.4 if main else 0.0}.get(
                kind, 0.0 if main else 0.6
            )
            return liking - 1.1 * self._held[index] + chance.random()

        return max(choice, key=merit)

    def _from_the_river(self, index: int) -> float:
        middle = geometry.along(self._net.streets[index].line, 0.5)
        return geometry.to_line(middle, self._net.river)


def centrality(net: Net, point: Point) -> float:
    """1 in the middle of the city, falling to about 0.1 at its border."""
    return math.exp(-2.2 * (math.hypot(*point) / net.radius) ** 2)


def inward(plan: Plan, street: int) -> int:
    """Which direction of a street leads to the centre: 0 is that of its line."""
    line = plan.net.streets[street].line
    return int(centrality(plan.net, line[0]) > centrality(plan.net, line[-1]))
