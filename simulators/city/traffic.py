"""Road traffic on the street graph: a cell transmission model, one cell a street and direction.

After C. F. Daganzo, "The cell transmission model" (Transportation Research B 28(4), 1994, and part
II, 29(2), 1995): a street sends what would drive out of it at the speed of free traffic, at most
its capacity; it receives what its capacity and its free space allow. Where the streets that follow
cannot receive all, what is left stays, so that queues grow against the direction of travel. At
junctions vehicles turn by fixed shares; who wants to go elsewhere waits behind who cannot go on
(first in, first out) to the degree ``_IN_LINE``, for there are turning lanes.

All runs of a world that differ by an incident are rows of one array.
"""

import math
from collections import defaultdict
from typing import Final, NamedTuple

import numpy as np

from simulators.city import geometry
from simulators.city.hashing import Floats, Ints, key, normal
from simulators.city.plan import centrality
from simulators.city.streets import Net

STEP: Final = 10_000
"""ms."""

_SECONDS: Final = STEP / 1000.0
_TRIP: Final = 2_400.0
"""Metres after which one vehicle in e still drives on."""

_JAM: Final = 0.14
"""Vehicles on a metre of lane that stand still, bumper to bumper."""

_WAVE: Final = 5.0
"""m/s at which a queue's end runs back."""

_IN_LINE: Final = 0.75
_BUSIEST: Final = 1500.0
"""veh/h in the busiest hour on a street that few are busier than."""

_LEAST_CAPACITY: Final = 320.0
_TO_THE_CENTRE: Final = 0.8
_KIND: Final = {"avenue": 2.4, "ring": 2.0, "quay": 1.2, "street": 1.0}
_SLOWEST: Final = 3.0


class Flow(NamedTuple):
    """A block of traffic; arrays (runs, steps, links).

    ``flow`` in veh/h leaves the link, ``speed`` in km/h, ``queue`` in metres.
    """

    flow: Floats
    speed: Floats
    queue: Floats


class Traffic:
    """The links of a net, both directions of street ``s`` being ``2 s`` and ``2 s + 1``.

    Args:
        net: The streets.
        seed: Of what differs from link to link.
    """

    def __init__(self, net: Net, seed: int) -> None:
        self.links = 2 * len(net.streets)
        ends = [pair for s in net.streets for pair in ((s.a, s.b), (s.b, s.a))]
        self._from = [one for one, _ in ends]
        self._to = [other for _, other in ends]
        streets = [street for street in net.streets for _ in range(2)]
        self.length = np.array([street.length for street in streets])
        lanes = np.array([street.lanes for street in streets], float)
        words = np.arange(self.links, dtype=np.uint64) + np.uint64(key(seed, "links") >> 1)
        chance = normal(words * np.uint64(0x9E3779B97F4A7C15))
        self.limit = np.array([street.limit for street in streets])
        self.pace = self.limit * (0.9 + 0.03 * chance)
        self._drive = np.minimum(1.0, self.pace / 3.6 * _SECONDS / self.length)
        self._turns(net)
        leave = 1.0 - np.exp(-self.length / _TRIP)
        gate = np.array([to in net.gates for to in self._to])
        self._leave = np.where(gate | ~self._goes_on, 1.0, leave)
        self._home, self._work = self._sources(net)
        self._calibrate(lanes, chance)

    def steady(self, out: float, back: float, inbound: float) -> Floats:
        """Vehicles on each link after some hours of this demand without queues; see :meth:`run`."""
        flow = self._balance(self._home * out + self._work * back, self._shares(inbound))
        return np.asarray((flow / self._drive)[None])

    def run(
        self,
        vehicles: Floats,
        out: Floats,
        back: Floats,
        inbound: Floats,
        *,
        capacity: Floats,
        pace: Floats,
        more: Floats,
    ) -> tuple[Floats, Flow]:
        """Some steps on.

        Args:
            vehicles: On each link (runs, links).
            out: Demand of trips from home, about 0 to 1 (steps).
            back: Demand of trips from work (steps).
            inbound: The share of trips to the centre (steps).
            capacity: Factor of each link's (runs, steps, links), or what is broadcast to it.
            pace: Factor of each link's free speed, likewise.
            more: veh/h that begin their trips on a link besides, likewise.

        Returns:
            The vehicles at the end, and what was seen.
        """
        runs, steps = len(vehicles), len(out)
        shape = (runs, steps, self.links)
        capacity = np.broadcast_to(capacity, shape)
        pace = np.broadcast_to(pace, shape)
        more = np.broadcast_to(more, shape)
        left = np.empty(shape)
        moved = np.empty(shape)
        held = np.empty(shape)
        for step in range(steps):
            born = self._home * out[step] + self._work * back[step] + more[:, step] * (STEP / 3.6e6)
            shares = self._shares(float(inbound[step]))
            vehicles, left[:, step], moved[:, step], held[:, step] = self._step(
                vehicles, born, shares, capacity[:, step], pace[:, step]
            )
        flow = left * (3.6e6 / STEP)
        load = np.minimum(1.0, left / self._most)
        speed = np.maximum(_SLOWEST, self.pace * pace * (1.0 - 0.18 * load) * moved)
        metres = held * (1.0 - moved) / (self._room * 1.0) * self.length
        return vehicles, Flow(flow, speed, np.minimum(self.length, metres))

    def _step(
        self, vehicles: Floats, born: Floats, shares: Floats, capacity: Floats, pace: Floats
    ) -> tuple[Floats, Floats, Floats, Floats]:
        """One step: vehicles after it, those that left each link, the share of those that would."""
        would = vehicles * (self._drive * pace)
        most = self._most * capacity
        send = np.minimum(would, most)
        on = send * (1.0 - self._leave)
        # (runs, turns of a link, links)
        wanted = on[:, None] * shares
        arriving = _gathered(wanted, self._into).sum(axis=1)
        room = np.minimum(most, np.maximum(0.0, (self._room - vehicles) * self._back))
        ratio = np.minimum(1.0, room / np.maximum(arriving, 1e-9))
        free = ratio[:, self._next]
        first = np.where(self._turn, free, 1.0).min(axis=1)
        gone = wanted * (free * (1.0 - _IN_LINE) + first[:, None] * _IN_LINE)
        onward = gone.sum(axis=1)
        left = send * self._leave + onward
        entered = _gathered(gone, self._into).sum(axis=1)
        begun = np.minimum(born, np.maximum(0.0, 0.9 * self._room - vehicles))
        after = vehicles - left + entered + begun
        return after, left, left / np.maximum(would, 1e-9), vehicles

    def _shares(self, inbound: float) -> Floats:
        return np.asarray(self._inward * inbound + self._outward * (1.0 - inbound))

    def _turns(self, net: Net) -> None:
        """Which links follow each, and by which shares: straight on, main roads, to the centre."""
        leaving = defaultdict(list)
        for link, start in enumerate(self._from):
            leaving[start].append(link)
        following = [
            [other for other in leaving[to] if other != link ^ 1]
            for link, to in enumerate(self._to)
        ]
        self.following = following
        most = max(len(turns) for turns in following)
        self._next = np.zeros((most, self.links), np.intp)
        self._turn = np.zeros((most, self.links), bool)
        inward = np.zeros((most, self.links))
        outward = np.zeros((most, self.links))
        near = [centrality(net, point) for point in net.junctions]
        for link, turns in enumerate(following):
            for number, other in enumerate(turns):
                self._next[number, link] = other
                self._turn[number, link] = True
                straight = math.exp(1.3 * self._cosine(net, link, other))
                weight = straight * _KIND[net.streets[other // 2].kind]
                gain = near[self._to[other]] - near[self._from[other]]
                inward[number, link] = weight * math.exp(_TO_THE_CENTRE * 4 * gain)
                outward[number, link] = weight * math.exp(-_TO_THE_CENTRE * 4 * gain)
        self._goes_on = self._turn.any(axis=0)
        self._inward = inward / np.maximum(inward.sum(axis=0), 1e-12)
        self._outward = outward / np.maximum(outward.sum(axis=0), 1e-12)
        sources = defaultdict(list)
        for link, turns in enumerate(following):
            for number, other in enumerate(turns):
                sources[other].append(number * self.links + link)
        widest = max(len(found) for found in sources.values())
        # One slot more than there are turns: it holds the nothing that fills rows up.
        self._into = np.full((widest, self.links), most * self.links, np.intp)
        for other, found in sources.items():
            self._into[: len(found), other] = found

    def _cosine(self, net: Net, link: int, other: int) -> float:
        one, two = self._line(net, link), self._line(net, other)
        (ax, ay), (bx, by) = one[-2], one[-1]
        (cx, cy), (dx, dy) = two[0], two[1]
        product = (bx - ax) * (dx - cx) + (by - ay) * (dy - cy)
        return product / (
            geometry.distance((ax, ay), (bx, by)) * geometry.distance((cx, cy), (dx, dy))
        )

    def _line(self, net: Net, link: int) -> tuple[geometry.Point, ...]:
        line = net.streets[link // 2].line
        return line[::-1] if link % 2 else line

    def _sources(self, net: Net) -> tuple[Floats, Floats]:
        """Where trips begin: at home and beyond the gates, or at work; each adds up to 1."""
        near = np.array([
            centrality(net, geometry.along(net.streets[link // 2].line, 0.5))
            for link in range(self.links)
        ])  # fmt: skip
        gate = np.array([start in net.gates for start in self._from])
        home = self.length * (1.15 - near) * ~gate
        work = self.length * near**1.5 * ~gate
        away = gate * 1.0
        share = 0.3 if gate.any() else 0.0
        home = (1 - share) * home / home.sum() + share * away / max(away.sum(), 1.0)
        work = (1 - share / 3) * work / work.sum() + share / 3 * away / max(away.sum(), 1.0)
        return home, work

    def _calibrate(self, lanes: Floats, chance: Floats) -> None:
        """Scale demand, and give each link the capacity that its busiest hour mostly needs."""
        morning = self._balance(self._home + 0.3 * self._work, self._shares(0.9))
        evening = self._balance(0.48 * self._home + 0.97 * self._work, self._shares(0.12))
        busiest = np.maximum(morning, evening)
        scale = _BUSIEST / 3.6e6 * STEP / float(np.quantile(busiest, 0.93))
        self._home, self._work = self._home * scale, self._work * scale
        # Most links are busy to seven or eight tenths; a few are too narrow, and jam every day.
        use = np.where(chance > 1.75, 1.04, np.clip(0.72 + 0.05 * chance, 0.6, 0.82))  # noqa: PLR2004
        least = _LEAST_CAPACITY * lanes / 3.6e6 * STEP
        self._most = np.maximum(least, busiest * scale / use)
        wide = np.maximum(lanes, self._most * (3.6e6 / STEP) / 1100.0)
        self._room = self.length * wide * _JAM
        self._back = np.minimum(1.0, _WAVE * _SECONDS / self.length)
        self.capacity = self._most * (3.6e6 / STEP)

    def _balance(self, born: Floats, shares: Floats) -> Floats:
        """What flows on each link in a step when nothing queues."""
        flow = born.copy()
        for _ in range(300):
            gone = (flow * (1.0 - self._leave))[None, None] * shares
            flow = born + _gathered(gone, self._into).sum(axis=1)[0]
        return flow


def _gathered(turns: Floats, into: Ints) -> Floats:
    """For each link what comes by each turn into it: (runs, most turns into one, links)."""
    flat = turns.reshape(len(turns), -1)
    padded = np.concatenate([flat, np.zeros((len(flat), 1))], axis=1)
    return np.asarray(padded[:, into])
