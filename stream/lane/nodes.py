"""What a lane knows of its nodes and datastreams: names, places, rules, and which row is whose."""

from collections.abc import Iterator
from math import isfinite
from typing import Final

from citynerve.errors import ProtocolError
from citynerve.messages import About, Position, PropertyAbout, SensorAbout
from citynerve.topics import district, is_area, is_name
from stream.lane.admission import NodeTerm
from stream.lane.lines import head
from stream.scenario import Property, Scenarios

_NOWHERE: Final = ""
_LONGEST_UNIT: Final = 64

MOST_OF_A_NODE: Final = 4096
"""Datastreams that one node may ever declare: about 8 MB of the stream's memory."""

MOST_OF_A_LANE: Final = 65_536
"""Nodes, and datastreams, of one lane; there are 16."""


class Datastream:
    """One row, as far as text is needed: tags and positions ready for line protocol."""

    __slots__ = (
        "aggregate",
        "declared_range",
        "district",
        "node",
        "observation",
        "place",
        "position",
        "property",
        "rules",
        "sensor",
        "tags",
        "unit",
    )

    def __init__(
        self,
        node: "Node",
        sensor: SensorAbout,
        declared: PropertyAbout,
        rules: Property,
    ) -> None:
        self.node = node.name
        self.sensor = sensor.name
        self.property = declared.name
        self.district = node.district
        self.unit = declared.unit
        self.rules = rules
        self.declared_range = declared.range
        self.tags = {
            "node": node.name,
            "sensor": sensor.name,
            "property": declared.name,
            "district": node.district,
        }
        # "window" sorts behind the other keys, so that its value can be put at the end.
        self.aggregate = head("aggregate", self.tags) + ",window="
        self.observation = head("observation", self.tags)
        self.position = sensor.position or node.about.position
        self.place = place(self.position)

    @property
    def range(self) -> tuple[float, float] | None:
        """The physical range: the scenario's, or where that leaves it open the sensor's own."""
        return self.rules.range or self.declared_range


class Node:
    """One node: its term, what it is, and its rows.

    ``rows`` holds the datastreams that it declares now, ``wrong_units`` those that it declares in
    another unit than the scenario; ``known`` all that it ever declared, since a row is for ever.
    """

    __slots__ = ("about", "cameras", "district", "known", "name", "rows", "term", "wrong_units")

    def __init__(self, name: str, about: About, term: NodeTerm) -> None:
        self.name = name
        self.term = term
        self.known: dict[tuple[str, str], int] = {}
        self.rows: dict[tuple[str, str], int] = {}
        self.wrong_units: set[tuple[str, str]] = set()
        self.describe(about)

    def describe(self, about: About) -> None:
        """Take a new description."""
        self.about = about
        self.district = district(about.area)
        cameras = {camera.name for camera in about.cameras}
        self.cameras = frozenset(cameras | {sensor.name for sensor in about.sensors})


class Registry:
    """All nodes and datastreams of a lane. Rows count from 0 in the order of first declaration."""

    def __init__(self, scenarios: Scenarios) -> None:
        self._scenarios = scenarios
        self.nodes: dict[str, Node] = {}
        self.datastreams: list[Datastream] = []

    def __len__(self) -> int:
        return len(self.datastreams)

    def open(self, name: str, about: About, term: NodeTerm) -> Node:
        """A node describes itself at the start of a term."""
        node = self.nodes.get(name)
        if node is None:
            node = self.nodes[name] = Node(name, about, term)
        else:
            node.describe(about)
        self._declare(node)
        return node

    def check_room(self, name: str, about: About) -> None:
        """Refuse a description that would make the state grow without bounds.

        Raises:
            ProtocolError: ``size``: the node has declared too many different datastreams, now and
                before, or the lane has too many of them or of nodes.
        """
        node = self.nodes.get(name)
        known = node.known.keys() if node else frozenset()
        keys = {(sensor.name, prop.name) for sensor in about.sensors for prop in sensor.properties}
        more = len(keys - known)
        if more and len(known) + more > MOST_OF_A_NODE:
            raise ProtocolError(
                "size",
                f"{len(known) + more} datastreams, those no longer declared among them; a node may"
                f" have {MOST_OF_A_NODE}",
            )
        nodes = len(self.nodes) + (node is None)
        if (more and len(self) + more > MOST_OF_A_LANE) or nodes > MOST_OF_A_LANE:
            raise ProtocolError(
                "size", f"the stream keeps {MOST_OF_A_LANE} nodes or datastreams of a shard"
            )

    def restore(
        self, name: str, about: About, term: NodeTerm, known: list[tuple[str, str]]
    ) -> None:
        """A node as it was at the snapshot; ``known``: its (sensor, property), oldest row first.

        Rows must be given anew by :meth:`place_rows` when all nodes are there.
        """
        node = self.nodes[name] = Node(name, about, term)
        node.known = dict.fromkeys(known, -1)

    def place_rows(self, order: list[int]) -> None:
        """Give the restored datastreams, node by node, the rows of ``order``."""
        rows = iter(order)
        self.datastreams = [_UNKNOWN] * len(order)
        for node in self.nodes.values():
            node.known = {key: next(rows) for key in node.known}
            self._declare(node)
            for key in node.known.keys() - node.rows.keys():
                # No longer declared: nothing arrives for it, but the row is still its own.
                sensor, declared = SensorAbout(key[0]), PropertyAbout(key[1], "")
                rules = self._scenarios.find(key[1])
                self.datastreams[node.known[key]] = Datastream(node, sensor, declared, rules)

    def _declare(self, node: Node) -> None:
        node.rows = {}
        node.wrong_units = set()
        for sensor in node.about.sensors:
            for declared in sensor.properties:
                key = (sensor.name, declared.name)
                rules = self._scenarios.find(declared.name)
                if rules.unit is not None and rules.unit != declared.unit:
                    node.wrong_units.add(key)
                    continue
                datastream = Datastream(node, sensor, declared, rules)
                row = node.known.get(key)
                if row is None:
                    row = node.known[key] = len(self.datastreams)
                    self.datastreams.append(datastream)
                else:
                    self.datastreams[row] = datastream
                node.rows[key] = row


def check(about: About) -> None:
    """Whether a description can be worked with: what the decoder does not look at.

    Raises:
        ProtocolError: ``name`` (what can be no tag and no topic level) or ``schema`` (a range that
            holds nothing, a unit that is none); says which.
    """
    if not is_area(about.area):
        raise ProtocolError("name", f"area {about.area[:80]!r} is no path of names")
    for what, name in _names(about):
        if not is_name(name):
            raise ProtocolError("name", f"{what} {name[:80]!r} is no name")
    for sensor in about.sensors:
        for declared in sensor.properties:
            _check_property(f"{sensor.name} {declared.name}", declared)


def _check_property(which: str, declared: PropertyAbout) -> None:
    if len(declared.unit) > _LONGEST_UNIT:
        raise ProtocolError("schema", f"unit of {which}: over {_LONGEST_UNIT} characters")
    low, high = declared.range or (0.0, 1.0)
    if not (isfinite(low) and isfinite(high) and low < high):
        raise ProtocolError(
            "schema", f"range of {which}: {low}, {high} are not two numbers, the lower first"
        )


def _names(about: About) -> Iterator[tuple[str, str]]:
    for sensor in about.sensors:
        yield "sensor", sensor.name
        for declared in sensor.properties:
            yield "property", declared.name
    for camera in about.cameras:
        yield "camera", camera.name
        for line in camera.lines:
            yield "line", line
        for zone in camera.zones:
            yield "zone", zone


def place(position: Position | None) -> str:
    """A position as further fields of a line."""
    return f",lat={position.lat!r},lon={position.lon!r}" if position else _NOWHERE


_UNKNOWN: Final = Datastream(
    Node("unknown", About("unknown"), NodeTerm()),
    SensorAbout("unknown"),
    PropertyAbout("unknown", ""),
    Property(),
)
