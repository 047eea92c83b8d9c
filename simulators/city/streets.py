"""The street net and districts of an invented harbour city.

It is drawn as a wheel: avenues run out from the old town, rings cross them, streets fill the space
between, twice as many spokes outside as inside. Then the sea takes the east, a quay follows the
coast, junctions are moved a little, some streets are left out, and the whole plane is bent, so that
nothing stays round or straight.
"""

import math
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from simulators.city import districts, geometry, names
from simulators.city.districts import FINE, District, Sector
from simulators.city.geometry import Point

_COAST: Final = 0.55
"""East of the centre, as a share of the city's radius, before all is bent."""

_RING_SPACING: Final = 360.0
_AVENUES: Final = 8
_EDGE: Final = 0.9
"""Where the last ring lies, as a share of the radius; avenues go on to the border."""

_JITTER: Final = 0.16
_LEFT_OUT: Final = 0.14
_SHORTEST: Final = 90.0


class Street(NamedTuple):
    """One street from junction ``a`` to junction ``b``, along ``line`` (metres).

    ``kind``: avenue, ring, quay or street. ``limit`` in km/h; ``lanes`` in each direction;
    ``part`` counts the streets that share ``name``; ``district`` is an index.
    """

    id: str
    name: str
    kind: str
    district: int
    a: int
    b: int
    line: tuple[Point, ...]
    length: float
    lanes: int
    limit: float


class Net(NamedTuple):
    """Streets, junctions, districts; ``gates`` are junctions on the border; lines of the water."""

    radius: float
    junctions: tuple[Point, ...]
    gates: frozenset[int]
    streets: tuple[Street, ...]
    districts: tuple[District, ...]
    river: tuple[Point, ...]
    coast: tuple[Point, ...]


class _Edge(NamedTuple):
    a: int
    b: int
    kind: str
    name: str


_KINDS: Final = {
    # kind: lanes in each direction, km/h
    "avenue": (2, 60.0),
    "ring": (2, 60.0),
    "quay": (1, 50.0),
    "street": (1, 50.0),
}


_RINGS: Final = ((25, 4), (60, 5), (150, 6), (300, 7), (600, 9), (1 << 62, 11))
"""Up to so many nodes: so many rings."""


def rings_for(nodes: int) -> int:
    """How many rings a city for so many nodes has: the more nodes, the larger the city."""
    return next(rings for most, rings in _RINGS if nodes <= most)


def draw(nodes: int, seed: int) -> Net:
    """The net of a city that has room for so many nodes."""
    rings = rings_for(nodes)
    return _Drawing(rings, seed).net()


class _Drawing:
    def __init__(self, rings: int, seed: int) -> None:
        self._random = random.Random(seed)
        self._rings = rings
        self._radius = _RING_SPACING * rings / _EDGE
        self._flat: list[Point] = []
        self._at: dict[tuple[int, int], int] = {}
        self._gates: set[int] = set()
        self._edges: list[_Edge] = []
        self._waves = [
            (
                self._random.uniform(0.03, 0.055) * self._radius,
                self._random.uniform(0.8, 1.9) * math.pi / self._radius,
                self._random.uniform(0, 2 * math.pi),
            )
            for _ in range(4)
        ]
        self._names = names.streets(seed)

    def net(self) -> Net:
        self._place_junctions()
        self._join()
        self._follow_the_coast()
        self._leave_out()
        self._prune()
        sectors = districts.sectors(self._rings)
        drawn = districts.draw(sectors, self._radius, self._coast, self._bent)
        used = sorted({end for edge in self._edges for end in (edge.a, edge.b)})
        number = {junction: i for i, junction in enumerate(used)}
        streets = self._streets(number, sectors)
        return Net(
            self._radius,
            tuple(self._bend(self._flat[junction]) for junction in used),
            frozenset(number[gate] for gate in self._gates if gate in number),
            streets,
            drawn,
            self._river(),
            self._bent(geometry.subdivided(
                [(self._coast, -1.25 * self._radius), (self._coast, 1.25 * self._radius)], FINE
            )),
        )  # fmt: skip

    @property
    def _coast(self) -> float:
        return _COAST * self._radius

    def _spokes(self, ring: int) -> int:
        """Junctions on a ring: they double where the streets would come to lie too far apart."""
        return _AVENUES * (1 if ring < 2 else 2 if ring < 4 else 4)  # noqa: PLR2004

    def _place_junctions(self) -> None:
        step = _EDGE / (self._rings - 0.4)
        for ring in range(self._rings):
            spokes = self._spokes(ring)
            for spoke in range(spokes):
                angle = 2 * math.pi * (spoke + 0.25) / spokes
                angle += self._random.gauss(0, _JITTER) * 2 * math.pi / spokes * 0.6
                share = step * (ring + 0.6 + self._random.gauss(0, _JITTER) * 0.7)
                self._put(ring, spoke, self._polar(share, angle))
        for avenue in range(_AVENUES):
            angle = 2 * math.pi * (avenue + 0.25) / _AVENUES
            self._put(self._rings, avenue, self._polar(1.0, angle))

    def _put(self, ring: int, spoke: int, point: Point) -> None:
        if point[0] > self._coast - 0.3 * _SHORTEST:
            return
        self._at[ring, spoke] = len(self._flat)
        if ring == self._rings:
            self._gates.add(len(self._flat))
        self._flat.append(point)

    def _polar(self, share: float, angle: float) -> Point:
        return share * self._radius * math.cos(angle), share * self._radius * math.sin(angle)

    def _join(self) -> None:
        for ring in range(self._rings):
            self._join_ring(ring)
        for ring in range(self._rings):
            self._join_outwards(ring)
        # Two streets across the old town.
        self._add((0, 0), (0, 4), "street", "Algade")
        self._add((0, 2), (0, 6), "street", "Store Torv")

    def _join_ring(self, ring: int) -> None:
        spokes = self._spokes(ring)
        # Every other ring is a main road all round; between them, each quarter has its own streets.
        main = ring % 2 == 1 or ring == self._rings - 1
        name = names.RINGS[min(ring // 2 + 1, len(names.RINGS) - 1)]
        for spoke in range(spokes):
            if not main and spoke % (spokes // _AVENUES * 2) == 0:
                name = next(self._names)
            pair = (ring, spoke), (ring, (spoke + 1) % spokes)
            self._add(*pair, "ring" if main else "street", name)

    def _join_outwards(self, ring: int) -> None:
        spokes = self._spokes(ring)
        further = _AVENUES if ring == self._rings - 1 else self._spokes(ring + 1)
        for spoke in range(spokes):
            avenue = spoke * _AVENUES % spokes == 0
            if ring == self._rings - 1 and not avenue:
                continue
            kind = "avenue" if avenue else "street"
            self._add((ring, spoke), (ring + 1, spoke * further // spokes), kind, self._out(
                ring, spoke
            ))  # fmt: skip

    def _out(self, ring: int, spoke: int) -> str:
        """The name of what leads outwards: it stays the same as long as the street goes on."""
        spokes = self._spokes(ring)
        if spoke * _AVENUES % spokes == 0:
            return names.AVENUES[spoke * _AVENUES // spokes]
        before = self._at.get((ring, spoke))
        same = [edge.name for edge in self._edges if edge.b == before and edge.kind == "street"]
        inner = [edge for edge in self._edges if edge.b == before and edge.kind != "ring"]
        return same[-1] if same and inner and inner[-1].name == same[-1] else next(self._names)

    def _add(self, one: tuple[int, int], other: tuple[int, int], kind: str, name: str) -> None:
        a, b = self._at.get(one), self._at.get(other)
        if a is not None and b is not None:
            self._edges.append(_Edge(a, b, kind, name))

    def _follow_the_coast(self) -> None:
        """Join the ends that the sea has cut off by a quay."""
        degree = self._degrees()
        ends = [
            index
            for index, point in enumerate(self._flat)
            if index not in self._gates
            and point[0] > self._coast - 0.75 * _RING_SPACING
            and degree[index] > 0
        ]
        ends.sort(key=lambda index: self._flat[index][1])
        joined = {frozenset((edge.a, edge.b)) for edge in self._edges}
        for a, b in pairwise(ends):
            near = geometry.distance(self._flat[a], self._flat[b]) < 2.2 * _RING_SPACING
            if near and frozenset((a, b)) not in joined:
                self._edges.append(_Edge(a, b, "quay", names.QUAY))

    def _leave_out(self) -> None:
        """Take out some small streets, where all stays connected without them."""
        beside = _neighbours(self._edges)
        left = []
        for edge in self._edges:
            short = geometry.distance(self._flat[edge.a], self._flat[edge.b]) < _SHORTEST
            wanted = edge.kind != "street" or not (short or self._random.random() < _LEFT_OUT)
            few = min(len(beside[edge.a]), len(beside[edge.b])) <= 2  # noqa: PLR2004
            if not wanted and not few:
                beside[edge.a].remove(edge.b)
                beside[edge.b].remove(edge.a)
                if edge.b in _reached(edge.a, beside):
                    continue
                beside[edge.a].append(edge.b)
                beside[edge.b].append(edge.a)
            left.append(edge)
        self._edges = left

    def _prune(self) -> None:
        """Take away what ends nowhere, and what the coast has cut off from the rest."""
        largest = _largest(self._edges)
        self._edges = [edge for edge in self._edges if edge.a in largest]
        while True:
            degree = self._degrees()
            blind = {j for j, count in degree.items() if count == 1 and j not in self._gates}
            if not blind:
                return
            self._edges = [edge for edge in self._edges if not {edge.a, edge.b} & blind]

    def _degrees(self) -> dict[int, int]:
        degree: dict[int, int] = defaultdict(int)
        for edge in self._edges:
            degree[edge.a] += 1
            degree[edge.b] += 1
        return degree

    def _streets(
        self,
        number: dict[int, int],
        sectors: Sequence[Sector],
    ) -> tuple[Street, ...]:
        found = []
        ids: dict[str, int] = defaultdict(int)
        for edge in self._edges:
            flat = self._line(edge)
            line = self._bent(flat)
            lanes, limit = _KINDS[edge.kind]
            district = districts.find(geometry.along(flat, 0.5), self._radius, sectors)
            base = names.slug(edge.name)
            ids[base] += 1
            name = f"{base}-{ids[base]}"
            core = district == 0
            found.append(
                Street(
                    name,
                    edge.name,
                    edge.kind,
                    district,
                    number[edge.a],
                    number[edge.b],
                    line,
                    geometry.length(line),
                    lanes,
                    40.0 if core else limit,
                )
            )
        return tuple(found)

    def _line(self, edge: _Edge) -> list[Point]:
        """A street before it is bent: part of a circle on a ring, else straight."""
        a, b = self._flat[edge.a], self._flat[edge.b]
        if edge.kind == "quay" or edge.name in {"Algade", "Store Torv"}:
            return geometry.subdivided([a, b], FINE)
        one, other = (math.atan2(p[1], p[0]) for p in (a, b))
        turn = (other - one + math.pi) % (2 * math.pi) - math.pi
        near, far = math.hypot(*a), math.hypot(*b)
        steps = max(2, math.ceil(geometry.distance(a, b) / FINE))
        points = []
        for i in range(steps + 1):
            share = i / steps
            radius, angle = near + (far - near) * share, one + turn * share
            points.append((radius * math.cos(angle), radius * math.sin(angle)))
        return [a, *points[1:-1], b]

    def _river(self) -> tuple[Point, ...]:
        r = self._radius
        line = [(-1.1 * r, 0.34 * r), (-0.7 * r, 0.12 * r), (-0.35 * r, -0.16 * r),
                (0.0, -0.21 * r), (0.25 * r, -0.12 * r), (self._coast, -0.1 * r)]  # fmt: skip
        return self._bent(_rounded(line, 3))

    def _bend(self, point: Point) -> Point:
        east, north = point
        (a, k, p), (b, m, q), (c, n, s), (d, o, t) = self._waves
        return (
            east + a * math.sin(k * north + p) + c * math.sin(n * (north + east) + s),
            1.12 * north + b * math.sin(m * east + q) + d * math.sin(o * (east - north) + t),
        )

    def _bent(self, line: Iterable[Point]) -> tuple[Point, ...]:
        return tuple(map(self._bend, line))


def _rounded(line: Sequence[Point], times: int) -> Sequence[Point]:
    """A line with its corners cut, again and again (Chaikin)."""
    for _ in range(times):
        cut = [line[0]]
        for a, b in pairwise(line):
            cut.append((0.75 * a[0] + 0.25 * b[0], 0.75 * a[1] + 0.25 * b[1]))
            cut.append((0.25 * a[0] + 0.75 * b[0], 0.25 * a[1] + 0.75 * b[1]))
        line = [*cut, line[-1]]
    return line


def _neighbours(edges: Iterable[_Edge]) -> dict[int, list[int]]:
    beside: dict[int, list[int]] = defaultdict(list)
    for edge in edges:
        beside[edge.a].append(edge.b)
        beside[edge.b].append(edge.a)
    return beside


def _reached(start: int, beside: dict[int, list[int]]) -> set[int]:
    """The junctions that can be reached from one."""
    found: set[int] = set()
    todo = [start]
    while todo:
        junction = todo.pop()
        if junction not in found:
            found.add(junction)
            todo += beside[junction]
    return found


def _largest(edges: Iterable[_Edge]) -> set[int]:
    """The junctions of the largest part that hangs together."""
    beside = _neighbours(edges)
    left = set(beside)
    best: set[int] = set()
    while left:
        part = _reached(min(left), beside)
        left -= part
        best = max(best, part, key=len)
    return best
